// What an op is: its schema, its shape rule and its kernels. Programs register their own ops with the same types.
#ifndef SAVEDMODEL_OP_H_
#define SAVEDMODEL_OP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "savedmodel/export.h"
#include "savedmodel/tensor.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

class Attributes;

// A function named by an attribute, with the attributes it is to be instantiated with.
struct FunctionRef {
  std::string name;
  std::shared_ptr<const Attributes> attributes;
};

using AttrValue =
    std::variant<std::monostate, std::string, int64_t, float, bool, DataType, PartialShape, Tensor, FunctionRef,
                 std::vector<std::string>, std::vector<int64_t>, std::vector<float>, std::vector<bool>,
                 std::vector<DataType>, std::vector<PartialShape>, std::vector<Tensor>, std::vector<FunctionRef>>;

// The attributes of a node, by name. The importer has filled in the defaults of the schema and checked kinds and
// allowed values, so an attribute that the schema declares is there with its kind; the typed getters answer a zero
// value otherwise.
class SAVEDMODEL_EXPORT Attributes {
 public:
  using Values = std::vector<std::pair<std::string, AttrValue>>;

  Attributes() = default;
  explicit Attributes(Values values);  // of equal names one stays

  void Reserve(size_t count) { values_.reserve(count); }
  void Set(absl::string_view name, AttrValue value);
  bool Has(absl::string_view name) const { return Find(name) != nullptr; }
  const AttrValue* Find(absl::string_view name) const;  // null if it is not there; valid until the next Set

  int64_t Int(absl::string_view name) const { return Get<int64_t>(name); }
  float Float(absl::string_view name) const { return Get<float>(name); }
  bool Bool(absl::string_view name) const { return Get<bool>(name); }
  DataType Type(absl::string_view name) const { return Get<DataType>(name); }
  const std::string& String(absl::string_view name) const { return Get<std::string>(name); }
  const PartialShape& Shape(absl::string_view name) const { return Get<PartialShape>(name); }
  const Tensor& TensorValue(absl::string_view name) const { return Get<Tensor>(name); }
  const FunctionRef& Function(absl::string_view name) const { return Get<FunctionRef>(name); }
  const std::vector<int64_t>& Ints(absl::string_view name) const { return Get<std::vector<int64_t>>(name); }
  const std::vector<float>& Floats(absl::string_view name) const { return Get<std::vector<float>>(name); }
  const std::vector<bool>& Bools(absl::string_view name) const { return Get<std::vector<bool>>(name); }
  const std::vector<std::string>& Strings(absl::string_view name) const { return Get<std::vector<std::string>>(name); }
  const std::vector<DataType>& Types(absl::string_view name) const { return Get<std::vector<DataType>>(name); }
  const std::vector<PartialShape>& Shapes(absl::string_view name) const { return Get<std::vector<PartialShape>>(name); }
  const std::vector<Tensor>& Tensors(absl::string_view name) const { return Get<std::vector<Tensor>>(name); }
  const std::vector<FunctionRef>& Functions(absl::string_view name) const { return Get<std::vector<FunctionRef>>(name); }

  const Values& values() const { return values_; }  // ascending by name

 private:
  template <typename T>
  const T& Get(absl::string_view name) const {
    static const T* const kZero = new T();
    const AttrValue* value = Find(name);
    const T* held = value == nullptr ? nullptr : std::get_if<T>(value);
    return held == nullptr ? *kZero : *held;
  }
  Values values_;
};

// What a session remembers between runs: variables, tables, random generators, packed weights. Thread-safe.
class SessionState {
 public:
  virtual ~SessionState() = default;

  // The resource under (kind, container, name), made by `make` on first use. One object for all who ask the same.
  virtual absl::StatusOr<ResourceHandle> FindOrCreate(
      absl::string_view kind, absl::string_view container, absl::string_view name,
      const std::function<absl::StatusOr<ResourceHandle>()>& make) = 0;
  // The resource if it is there, else null.
  virtual ResourceHandle Find(absl::string_view kind, absl::string_view container, absl::string_view name) = 0;
  // Forgets it; who holds the handle keeps the object. False if it was not there.
  virtual bool Erase(absl::string_view kind, absl::string_view container, absl::string_view name) = 0;

  // Called by kernels that overwrite a variable, so that plans which took its value for a constant are made anew.
  virtual void VariableWritten(Resource* variable) = 0;

  // Reads all of a file that belongs to the model (an asset): `path` is what the loader fed to the asset's tensor.
  // NotFound for anything else; no other file can be reached through a graph.
  virtual absl::StatusOr<std::string> ReadAsset(absl::string_view path) = 0;

  // Reads one tensor of the model's own checkpoint. `slice_spec` is that of RestoreV2 ("" = whole tensor).
  virtual absl::StatusOr<Tensor> ReadCheckpoint(absl::string_view prefix, absl::string_view key,
                                                absl::string_view slice_spec) = 0;

  // A line for the host's log (Print, Assert).
  virtual void Log(absl::string_view line) = 0;
};

// ---------------------------------------------------------------------------------------------- shape inference

// What a shape rule sees of one node. Inputs and outputs are counted flat: list arguments are spread.
class InferContext {
 public:
  virtual ~InferContext() = default;
  virtual const Attributes& attrs() const = 0;
  virtual int num_inputs() const = 0;
  virtual int num_outputs() const = 0;
  virtual const PartialShape& input(int i) const = 0;
  virtual DataType input_dtype(int i) const = 0;
  // The value of input i where it is known before the run, else null.
  virtual const Tensor* constant(int i) const = 0;
  virtual void set_output(int i, PartialShape shape) = 0;
};
using InferFunction = absl::Status (*)(InferContext& context);

// ---------------------------------------------------------------------------------------------- kernels

// What a kernel factory sees: everything that is known before the run. Shapes are fully known in most plans, since a
// plan is made for given feed shapes; a kernel whose input shapes are not must find them out in Run.
class KernelInit {
 public:
  virtual ~KernelInit() = default;
  virtual const std::string& node_name() const = 0;
  virtual const Attributes& attrs() const = 0;
  virtual int num_inputs() const = 0;
  virtual int num_outputs() const = 0;
  virtual DataType input_dtype(int i) const = 0;
  virtual DataType output_dtype(int i) const = 0;
  virtual const PartialShape& input_shape(int i) const = 0;
  virtual const Tensor* constant(int i) const = 0;  // null where unknown before the run; alive as long as the kernel
  virtual SessionState& state() const = 0;
  virtual ThreadPool& pool() const = 0;

  // Work done once for a constant and shared by all plans of the session (packed weights, sums over them): the object
  // under (constant's memory, key), made on first use.
  virtual std::shared_ptr<const void> Shared(const Tensor& constant, absl::string_view key,
                                             const std::function<std::shared_ptr<const void>()>& make) const = 0;
};

// What a kernel sees of one run. Inputs and outputs are counted flat. All tensors are in the memory that the kernel's
// registration asked for (host memory for CPU kernels).
class KernelContext {
 public:
  virtual ~KernelContext() = default;

  int num_inputs() const { return num_inputs_; }
  const Tensor& input(int i) const { return *inputs_[i]; }
  virtual int num_outputs() const = 0;
  virtual DataType output_dtype(int i) const = 0;

  // Output i with this shape and the node's dtype, to be written in full. The pointer holds until Run returns.
  // InvalidArgument for a shape that is not valid(), ResourceExhausted above the session's memory limit.
  virtual absl::StatusOr<Tensor*> Output(int i, const TensorShape& shape) = 0;
  // Output i, sharing `tensor`'s memory when it owns some (copied otherwise: the memory of a plan is reused).
  virtual absl::Status SetOutput(int i, Tensor tensor) = 0;
  // Output `o` = the memory of input `i` under `shape` (as many elements), without a copy where the plan allows it.
  virtual absl::Status Forward(int i, int o, const TensorShape& shape) = 0;

  // Input i as a tensor that may be kept after the run (copied if its memory is the plan's).
  virtual absl::StatusOr<Tensor> Retain(int i) = 0;
  // As Retain, and moves the input out of the run if this node is its last reader: then unique() may hold and the
  // memory be changed in place.
  virtual absl::StatusOr<Tensor> Take(int i) = 0;

  // Memory of this run for intermediate results; freed after Run.
  virtual absl::StatusOr<Tensor> Scratch(DataType type, const TensorShape& shape) = 0;
  // Metered memory that may be kept: for tensors that go into variables, lists and tables.
  virtual Allocator* allocator() const = 0;

  virtual ThreadPool& pool() const = 0;
  virtual SessionState& state() const = 0;
  // OK, or why the run must stop (Cancelled, DeadlineExceeded). Kernels that can take long ask now and then.
  virtual absl::Status Interrupted() const = 0;

 protected:
  int num_inputs_ = 0;
  const Tensor* const* inputs_ = nullptr;
};

class SAVEDMODEL_EXPORT Kernel {
 public:
  virtual ~Kernel() = default;
  // Called by many threads at once.
  virtual absl::Status Run(KernelContext& context) const = 0;
};
using KernelPtr = std::unique_ptr<Kernel>;

// Makes the kernel of one node. Unimplemented means "not for these dtypes or attributes": the planner tries the next
// device. Other errors are the node's.
using KernelFactory = absl::StatusOr<KernelPtr> (*)(KernelInit& init);

// A Kernel out of a callable: absl::Status(KernelContext&), const.
template <typename F>
KernelPtr MakeKernel(F run) {
  class Callable final : public Kernel {
   public:
    explicit Callable(F run) : run_(std::move(run)) {}
    absl::Status Run(KernelContext& context) const override { return run_(context); }

   private:
    F run_;
  };
  return std::make_unique<Callable>(std::move(run));
}

// ---------------------------------------------------------------------------------------------- definitions

// What an op does beside computing outputs from inputs.
enum class Effect {
  kNone,       // same inputs, same outputs: may be folded, shared, dropped
  kReadsState, // looks at a resource: not folded, dropped if unused
  kStateful,   // changes a resource, draws random numbers, can stop the run: kept inside functions, never merged
};

struct OpDef {
  std::string name;
  // Arguments and attributes in TensorFlow's REGISTER_OP spelling, joined by "; ": "a: T; values: N * T; x: Tin",
  // "T: {half, float} = DT_FLOAT; N: int >= 1; axis: int = 0".
  std::string inputs = {}, outputs = {}, attrs = {};
  InferFunction infer = nullptr;  // null: outputs of unknown shape
  KernelFactory cpu = nullptr;    // null: known, but there is no CPU kernel
  Effect effect = Effect::kNone;
  // Output 0 is input 0's memory under another shape (Identity, Reshape): the planner gives both one place.
  bool aliases_input = false;
  // Output 0 may be written over input 0 or 1 of equal size while computing (element i only needs element i).
  bool in_place = false;
  // The input that output 0 may be written over on the CPU, where both have one shape, nobody reads the input later and no
  // other input is in its memory; -1: none. Null: as in_place says.
  int (*replaces)(const Attributes& attrs) = nullptr;
  // The planner itself carries it out (constants, calls, branches, loops): no kernel is looked for.
  bool structural = false;
  // Why there is no kernel and will be none, for the refusal: "a training op". Empty otherwise.
  std::string refusal = {};
};

// The ops that a session knows. Filled before the session is made, read-only afterwards.
class SAVEDMODEL_EXPORT OpTable {
 public:
  // Ops that are made when they are asked for. Both may be called by several threads at once.
  struct Rest {
    std::function<std::shared_ptr<const OpDef>(absl::string_view name)> find;  // null for names that it does not know
    std::function<std::vector<std::shared_ptr<const OpDef>>()> all;
  };

  void Add(OpDef def);  // or replaces
  // What the table knows beside the ops that are added, before or later: those win.
  void SetRest(Rest rest) { rest_ = std::move(rest); }

  std::shared_ptr<const OpDef> Find(absl::string_view name) const;  // null for unknown names
  std::vector<std::shared_ptr<const OpDef>> All() const;            // ascending by name

 private:
  absl::flat_hash_map<absl::string_view, std::shared_ptr<const OpDef>> ops_;  // by the definitions' own names
  Rest rest_;
};

// The ops of this library.
SAVEDMODEL_EXPORT std::shared_ptr<const OpTable> BuiltinOps();

}  // namespace savedmodel

#endif  // SAVEDMODEL_OP_H_
