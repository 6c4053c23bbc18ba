// The rewriting of one list of nodes for freeze_graph: the top-level graph or the body of a function.
#ifndef SAVEDMODEL_LOADER_FREEZE_BODY_H_
#define SAVEDMODEL_LOADER_FREEZE_BODY_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "savedmodel/data_type.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel {

// What an edge that carried a variable's handle carries now: a value of this dtype.
struct FrozenHandle {
  DataType dtype = DataType::kInvalid;
  bool reference = false;  // a reference variable's; it may be read as it is
  friend bool operator==(const FrozenHandle& a, const FrozenHandle& b) { return a.dtype == b.dtype && a.reference == b.reference; }
};

// A function made for the handles among its arguments: which name it has now, and which of its outputs are handles.
struct FrozenFunction {
  std::string name;
  std::map<int, FrozenHandle> outputs;
};

using ArgumentHandles = std::map<int, FrozenHandle>;

// What the rewriting of nodes needs of its surroundings.
class FreezeContext {
 public:
  virtual ~FreezeContext() = default;
  // The constant in place of the node of a variable; its dtype is returned.
  virtual absl::StatusOr<DataType> MakeConstant(const proto::NodeDef& variable, proto::NodeDef* constant) = 0;
  // True for the node of a variable that stays one.
  virtual bool Keeps(const std::string& node) = 0;
  virtual const proto::FunctionDef* FindFunction(const std::string& name) = 0;
  virtual absl::StatusOr<FrozenFunction> Specialize(const std::string& function, const ArgumentHandles& arguments) = 0;
  // True when the op takes input i as a reference, to write it.
  virtual bool TakesReference(const std::string& op, int i) = 0;
};

using Nodes = google::protobuf::RepeatedPtrField<proto::NodeDef>;

class FreezeBody {
 public:
  // `where` is what messages call this list. `arguments`: of a function, by name; null for the top-level graph.
  FreezeBody(FreezeContext& context, std::string where, Nodes* nodes, const std::map<std::string, FrozenHandle>* arguments)
      : context_(context), where_(std::move(where)), nodes_(nodes), in_function_(arguments != nullptr) {
    if (arguments != nullptr) arguments_ = *arguments;
  }

  absl::Status Rewrite();
  bool changed() const { return changed_; }
  // Whether a tensor, as the nodes' inputs name it, is a handle; null if it is none. After Rewrite.
  const FrozenHandle* HandleOf(const std::string& tensor) const;
  // The tensor's name after Rewrite: some ops call their outputs differently.
  std::string NewName(const std::string& tensor) const;

 private:
  using Place = std::pair<std::string, int>;  // node, output
  Place PlaceOf(const std::string& tensor) const;
  std::map<int, FrozenHandle> HandleInputs(const proto::NodeDef& node) const;
  void SetHandle(const proto::NodeDef& node, int output, const FrozenHandle& handle);

  absl::Status FindHandles(const proto::NodeDef& node);
  absl::Status FindCallHandles(const proto::NodeDef& node, const ArgumentHandles& inputs);
  absl::Status Apply(proto::NodeDef* node);
  absl::Status ApplyCall(proto::NodeDef* node, const ArgumentHandles& inputs);
  absl::Status ApplyToFunctions(proto::NodeDef* node);
  absl::Status ApplyRead(proto::NodeDef* node, const FrozenHandle& handle);
  absl::Status ApplyReference(proto::NodeDef* node, const ArgumentHandles& inputs);
  absl::Status Refuse(const proto::NodeDef& node) const;

  FreezeContext& context_;
  const std::string where_;
  Nodes* nodes_;
  const bool in_function_;
  std::map<std::string, FrozenHandle> arguments_;
  absl::flat_hash_map<std::string, const proto::NodeDef*> by_name_;
  std::map<Place, FrozenHandle> handles_;
  absl::flat_hash_map<std::string, std::string> renamed_outputs_;  // node -> what its only output is called now
  std::vector<proto::NodeDef> added_;
  bool grew_ = false, changed_ = false;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_FREEZE_BODY_H_
