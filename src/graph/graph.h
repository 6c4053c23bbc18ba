// The graph: nodes joined by values. Loaded graphs and function bodies are never changed; each plan is made from a
// copy of what it needs.
#ifndef SAVEDMODEL_GRAPH_GRAPH_H_
#define SAVEDMODEL_GRAPH_GRAPH_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ops/schema.h"
#include "savedmodel/op.h"

namespace savedmodel {

class Graph;
class Node;

// One output of a node: the value that flows along the edges from it.
struct Output {
  Node* node = nullptr;
  int index = 0;
  friend bool operator==(const Output& a, const Output& b) { return a.node == b.node && a.index == b.index; }
  friend bool operator!=(const Output& a, const Output& b) { return !(a == b); }
  template <typename H>
  friend H AbslHashValue(H h, const Output& output) {
    return H::combine(std::move(h), output.node, output.index);
  }
};

// An op as the graph knows it: the definition and its parsed schema, null for names that no table holds.
struct OpInfo {
  std::string name;
  std::shared_ptr<const OpDef> def;
  std::shared_ptr<const OpSchema> schema;
};

class Node {
 public:
  int id() const { return id_; }
  const std::string& op() const { return info->name; }
  const OpDef* def() const { return info->def.get(); }
  bool Is(absl::string_view op) const { return info->name == op; }
  const Attributes& attrs() const { return *attributes; }
  bool stateful() const { return def() != nullptr && def()->effect == Effect::kStateful; }
  int num_outputs() const { return static_cast<int>(output_types.size()); }
  Output output(int i) { return {this, i}; }

  std::string name;
  std::shared_ptr<const OpInfo> info;
  std::shared_ptr<const Attributes> attributes;
  std::string device;                       // as the file asks for it
  std::vector<Output> inputs;
  std::vector<Node*> controls;              // nodes that must have run before
  std::vector<DataType> output_types;       // reference dtypes included
  std::vector<PartialShape> output_shapes;  // as far as inference knows them
  std::vector<Tensor> constants;            // per output: its value if known before the run, else not initialized(); empty: none is known
  std::vector<std::shared_ptr<Graph>> bodies;  // If: then, else; Case: branches; While: condition, body
  absl::Status error;                       // why the node cannot run (unknown op, bad attribute): told if a run needs it
  absl::Status shape_error;                 // what the shape rule says against the inputs: the node can never run
  bool from_call = false;                   // came out of a called function's body
  bool keep = false;                        // runs although nobody may read its outputs (side effects of a function)

  // The value of output i where it is known before the run, else null.
  const Tensor* constant(int i) const {
    return static_cast<size_t>(i) < constants.size() && constants[i].initialized() ? &constants[i] : nullptr;
  }
  // Output i is known to be `value`, and to have its shape.
  void SetConstant(int i, Tensor value) {
    constants.resize(output_types.size());
    output_shapes[i] = value.shape();
    constants[i] = std::move(value);
  }

 private:
  friend class Graph;
  int id_ = 0;
};

inline const Tensor* ConstantOf(const Output& value) { return value.node->constant(value.index); }
inline const PartialShape& ShapeOf(const Output& value) { return value.node->output_shapes[value.index]; }
inline DataType TypeOf(const Output& value) { return value.node->output_types[value.index]; }

// A top-level graph, a function body or a branch. Owns its nodes.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // A new node without edges; outputs as given.
  Node* AddNode(std::string name, std::shared_ptr<const OpInfo> info, std::shared_ptr<const Attributes> attributes,
                std::vector<DataType> output_types);
  // A copy of a node of another graph, without its edges. `bodies` are shared.
  Node* CopyNode(const Node& node, const std::string& prefix = "");
  // Drops nodes for which `dead` holds; nobody may refer to them any more.
  template <typename F>
  void RemoveIf(const F& dead) {
    size_t kept = 0;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (!dead(*nodes_[i])) nodes_[kept++] = std::move(nodes_[i]);
    }
    nodes_.resize(kept);
    Renumber();
  }

  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  size_t size() const { return nodes_.size(); }

  // Function bodies: the arguments in order (ops "_Arg") and what is returned.
  std::vector<Node*> args;
  std::vector<Output> results;
  std::vector<Node*> control_results;

  // Nodes in an order in which each comes after its inputs and controls, near the order of the file.
  // InvalidArgument "N nodes in a cycle" unless there is one; edges out of NextIteration do not count.
  absl::StatusOr<std::vector<Node*>> TopologicalOrder() const;

  // Every reference to `from` (inputs, results) becomes one to `to`.
  void ReplaceValue(const Output& from, const Output& to);
  // The same for many at once: values absent from the map stay.
  void ReplaceValues(const absl::flat_hash_map<Output, Output>& replacements);

  // InvalidArgument if an edge leaves the graph or does not fit its producer: passes call it after their work.
  absl::Status Verify() const;

 private:
  void Renumber();
  std::vector<std::unique_ptr<Node>> nodes_;
};

// A deep copy; bodies are copied too.
std::unique_ptr<Graph> CopyGraph(const Graph& graph);

// Functions by name, made into graphs when first asked for. Thread-safe.
class FunctionLibrary {
 public:
  virtual ~FunctionLibrary() = default;
  virtual bool Has(const std::string& name) const = 0;
  // NotFound `Function g is not defined.`; errors of the body are told here.
  virtual absl::StatusOr<std::shared_ptr<const Graph>> Instantiate(const FunctionRef& function) = 0;
};

// Gives OpInfo for names, parsing each schema once. Thread-safe.
class OpCatalog {
 public:
  explicit OpCatalog(std::shared_ptr<const OpTable> table) : table_(std::move(table)) {}
  // Never null; without def for an unknown name.
  std::shared_ptr<const OpInfo> Find(const std::string& name);

 private:
  std::shared_ptr<const OpTable> table_;
  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const OpInfo>> infos_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_GRAPH_GRAPH_H_
