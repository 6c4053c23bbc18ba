#include "ops/evaluate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/init_of_tensors.h"
#include "ops/schema.h"

namespace savedmodel {
namespace {

class Infer final : public InferContext {
 public:
  Infer(const Attributes& attrs, const std::vector<Tensor>& inputs, size_t outputs) : attrs_(attrs), inputs_(inputs), outputs_(outputs) {
    for (const Tensor& t : inputs) shapes_.emplace_back(t.shape());
  }
  const Attributes& attrs() const override { return attrs_; }
  int num_inputs() const override { return static_cast<int>(inputs_.size()); }
  int num_outputs() const override { return static_cast<int>(outputs_.size()); }
  const PartialShape& input(int i) const override { return shapes_[i]; }
  DataType input_dtype(int i) const override { return inputs_[i].dtype(); }
  const Tensor* constant(int i) const override { return &inputs_[i]; }
  void set_output(int i, PartialShape shape) override { outputs_[i] = std::move(shape); }
  const PartialShape& output(int i) const { return outputs_[i]; }

 private:
  const Attributes& attrs_;
  const std::vector<Tensor>& inputs_;
  std::vector<PartialShape> shapes_;
  std::vector<PartialShape> outputs_;
};

class Init final : public InitOfTensors<KernelInit> {
 public:
  using InitOfTensors::InitOfTensors;
  const Tensor* constant(int) const override { return nullptr; }
};

class Context final : public KernelContext {
 public:
  Context(std::vector<Tensor>& inputs, std::vector<DataType> types, SessionState& state, ThreadPool& pool, Allocator* allocator)
      : tensors_(inputs), types_(std::move(types)), outputs_(types_.size()), state_(state), pool_(pool), allocator_(allocator) {
    for (const Tensor& t : tensors_) pointers_.push_back(&t);
    inputs_ = pointers_.data();
    num_inputs_ = static_cast<int>(pointers_.size());
  }
  int num_outputs() const override { return static_cast<int>(types_.size()); }
  DataType output_dtype(int i) const override { return types_[i]; }
  absl::StatusOr<Tensor*> Output(int i, const TensorShape& shape) override {
    SM_ASSIGN_OR_RETURN(outputs_[i], Tensor::Allocate(RemoveRef(types_[i]), shape, allocator_));
    return &outputs_[i];
  }
  absl::Status SetOutput(int i, Tensor tensor) override {
    if (!tensor.owns()) {
      SM_ASSIGN_OR_RETURN(tensor, tensor.Clone(allocator_));
    }
    outputs_[i] = std::move(tensor);
    return absl::OkStatus();
  }
  absl::Status Forward(int i, int o, const TensorShape& shape) override { return SetOutput(o, tensors_[i].Reshaped(shape)); }
  absl::StatusOr<Tensor> Retain(int i) override {
    if (tensors_[i].owns()) return tensors_[i];
    return tensors_[i].Clone(allocator_);
  }
  absl::StatusOr<Tensor> Take(int i) override { return Retain(i); }
  absl::StatusOr<Tensor> Scratch(DataType type, const TensorShape& shape) override { return Tensor::Allocate(type, shape, allocator_); }
  Allocator* allocator() const override { return allocator_; }
  ThreadPool& pool() const override { return pool_; }
  SessionState& state() const override { return state_; }
  absl::Status Interrupted() const override { return absl::OkStatus(); }
  std::vector<Tensor> TakeOutputs() { return std::move(outputs_); }

 private:
  std::vector<Tensor>& tensors_;
  std::vector<const Tensor*> pointers_;
  std::vector<DataType> types_;
  std::vector<Tensor> outputs_;
  SessionState& state_;
  ThreadPool& pool_;
  Allocator* allocator_;
};

}  // namespace

absl::StatusOr<std::vector<Tensor>> Evaluate(const OpDef& op, const Attributes& attributes, std::vector<Tensor> inputs,
                                             SessionState& state, ThreadPool& pool, const EvaluateOptions& options) {
  if (op.cpu == nullptr) return absl::UnimplementedError(absl::StrCat(op.name, " has no CPU kernel"));
  std::vector<DataType> types;
  if (options.output_types != nullptr) {
    types = *options.output_types;
  } else {
    SM_ASSIGN_OR_RETURN(OpSchema schema, ParseSchema(op));
    SM_ASSIGN_OR_RETURN(types, FlatTypes(schema.outputs, attributes));
  }
  Infer infer(attributes, inputs, types.size());
  if (op.infer != nullptr) SM_RETURN_IF_ERROR(op.infer(infer));
  Init init(options.node_name, attributes, inputs, types, state, pool);
  SM_ASSIGN_OR_RETURN(KernelPtr kernel, op.cpu(init));
  Context context(inputs, types, state, pool, options.allocator);
  SM_RETURN_IF_ERROR(kernel->Run(context));
  std::vector<Tensor> outputs = context.TakeOutputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].initialized() && !IsRef(types[i])) return absl::InternalError(absl::StrCat(op.name, " left output ", i, " unset"));
    if (options.check_inferred_shapes && !infer.output(static_cast<int>(i)).CompatibleWith(outputs[i].shape())) {
      return absl::InternalError(absl::StrCat(op.name, ": output ", i, " is ", outputs[i].shape().ToString(), ", its shape rule says ",
                                              infer.output(static_cast<int>(i)).ToString()));
    }
  }
  return outputs;
}

}  // namespace savedmodel
