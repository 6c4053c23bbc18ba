// The functions of a GraphDef, as messages or as the bytes of messages.
#ifndef SAVEDMODEL_LOADER_FUNCTION_DEFS_H_
#define SAVEDMODEL_LOADER_FUNCTION_DEFS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "savedmodel/graph.pb.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// FailedPrecondition for constants without or with an impossible value, as the reference checks before it makes a session.
absl::Status CheckConstants(const google::protobuf::RepeatedPtrField<proto::NodeDef>& nodes);
// The same of one node; `shape` is that of the tensor in its attribute "value", null if that is none.
absl::Status CheckConstant(absl::string_view name, absl::string_view op, const proto::TensorShapeProto* shape);
// The same of a graph and of the functions in it.
absl::Status CheckConstants(const proto::GraphDef& graph);

// Numbered as they lie in the file. A Keras model holds hundreds of functions and calls a handful: as bytes they take an
// eighth of the memory. Never changes; any number of threads may read.
class FunctionDefs {
 public:
  // What is asked before one looks into a body.
  struct About {
    std::string name;
    bool polymorphic = false;   // has attributes, so that calls may differ in their dtypes
    bool calls_itself = false;  // directly
    absl::Status constants;     // what CheckConstants says of its nodes
  };

  // Of messages, which must not change.
  explicit FunctionDefs(std::shared_ptr<const proto::FunctionDefLibrary> library);
  // Of bytes, which are copied and looked through once, on the threads of `pool`. Null if one does not parse or there is no memory.
  static std::unique_ptr<FunctionDefs> FromBytes(const std::vector<absl::string_view>& functions, ThreadPool& pool);

  int size() const { return static_cast<int>(about_.size()); }
  const About& about(int i) const { return about_[static_cast<size_t>(i)]; }
  // Of all functions.
  absl::Status CheckConstants() const;
  // Never null. Made anew for each call where only bytes are kept.
  std::shared_ptr<const proto::FunctionDef> Get(int i) const;
  // Appends those that are not messages yet.
  void ParseInto(proto::FunctionDefLibrary* library) const;

 private:
  FunctionDefs() = default;
  absl::string_view BytesOf(int i) const;

  std::vector<About> about_;
  std::shared_ptr<const proto::FunctionDefLibrary> library_;  // null: bytes
  std::shared_ptr<char> bytes_;
  std::vector<size_t> ends_;  // of each function in bytes_
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_FUNCTION_DEFS_H_
