// From protobuf messages to graphs: GraphDef, FunctionDef and their attributes. After this nothing knows protobuf.
#ifndef SAVEDMODEL_LOADER_IMPORTER_H_
#define SAVEDMODEL_LOADER_IMPORTER_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "graph/graph.h"
#include "loader/function_defs.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel {

// The functions of a GraphDef, made into graphs when they are called.
class ImportedFunctions final : public FunctionLibrary {
 public:
  // Constants of the functions, and of the graph that calls them, are taken from `allocator`.
  ImportedFunctions(std::shared_ptr<const FunctionDefs> defs, std::shared_ptr<OpCatalog> catalog, std::shared_ptr<Allocator> allocator);

  // What is wrong with the library as a whole: two functions of one name, a function named like an op, a function that
  // calls itself directly. Checked once at load.
  absl::Status Check() const;

  Allocator* allocator() const { return allocator_.get(); }
  bool Has(const std::string& name) const override { return numbers_.contains(name); }
  absl::StatusOr<std::shared_ptr<const Graph>> Instantiate(const FunctionRef& function) override;
  // The declaration, null for unknown names. Kept: a graph may call one function by its name many times.
  std::shared_ptr<const proto::OpDef> Signature(const std::string& name);

 private:
  absl::StatusOr<std::shared_ptr<const Graph>> Build(const proto::FunctionDef& function, const Attributes& attributes);

  const std::shared_ptr<const FunctionDefs> defs_;
  std::shared_ptr<OpCatalog> catalog_;
  const std::shared_ptr<Allocator> allocator_;
  absl::flat_hash_map<std::string, int> numbers_;  // the first of a name
  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Graph>> built_;         // guarded by mutex_, as the next:
  absl::flat_hash_map<std::string, std::shared_ptr<const proto::OpDef>> signatures_;
};

// The top-level graph. Structure is checked here (names, edges, dtypes, cycles); what is wrong with a node alone (an
// unknown op, a bad attribute) is kept in Node::error and told when a run needs the node.
absl::StatusOr<std::unique_ptr<Graph>> ImportGraph(const proto::GraphDef& graph, ImportedFunctions& functions, OpCatalog& catalog);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_IMPORTER_H_
