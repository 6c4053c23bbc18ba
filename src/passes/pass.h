// A pass changes a plan's own copy of the graph, answers the same and leaves it valid.
#ifndef SAVEDMODEL_PASSES_PASS_H_
#define SAVEDMODEL_PASSES_PASS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "graph/graph.h"
#include "ops/resource_store.h"
#include "savedmodel/device.h"

namespace savedmodel {

struct PassContext {
  OpCatalog* catalog = nullptr;
  FunctionLibrary* functions = nullptr;
  ResourceStore* state = nullptr;
  ThreadPool* pool = nullptr;
  Allocator* allocator = HostAllocator();      // of what is computed before the run: the session's, with its limit
  bool freeze_variables = false;               // variables that the plan does not write become constants
  bool once = false;                           // the plan runs once: passes that only make it faster are left out
  bool allow_winograd = true;
  bool bfloat16 = false;                       // products and convolutions round their operands to bfloat16
  const Device* accelerator = nullptr;         // the first device beside the CPU, if there is one
  absl::flat_hash_set<std::string> disabled;   // names of passes not to run
};

struct PassTime {
  std::string name;
  double milliseconds = 0;
  size_t nodes_after = 0;
};

// All passes in order on a graph made by Extract; each is timed and the graph verified after it.
absl::Status RunPasses(Graph* graph, PassContext& context, std::vector<PassTime>* times = nullptr);

// The names of the passes that may be disabled: every one but those without which nothing runs.
std::vector<std::string> PassNames();

// The passes. Each goes into the bodies of branches and loops too unless its file says otherwise.
absl::Status InlineCalls(Graph* graph, PassContext& context);        // calls become their bodies, branches and loops get theirs
absl::Status RaiseLoops(Graph* graph, PassContext& context);         // Enter ... Exit frames become While
absl::Status Fold(Graph* graph, PassContext& context);               // shapes, constants, frozen variables, decided branches
absl::Status DropIdleControls(Graph* graph, PassContext& context);   // control edges that order nothing
absl::Status RemoveIdentities(Graph* graph, PassContext& context);   // ops that only hand on
absl::Status MultiplyReciprocals(Graph* graph, PassContext& context);  // division by a constant, in called functions
absl::Status SimplifyGraph(Graph* graph, PassContext& context);      // ops that change nothing for these shapes
absl::Status FuseLstm(Graph* graph, PassContext& context);           // LSTM layers written as loops
absl::Status FuseNorms(Graph* graph, PassContext& context);          // layer normalisation spelled out
absl::Status FuseAttention(Graph* graph, PassContext& context);      // softmax(q k' + mask) v spelled out
absl::Status FuseReshapes(Graph* graph, PassContext& context);       // reshapes behind products go before them
absl::Status FuseDilations(Graph* graph, PassContext& context);      // convolutions between space-to-batch and back
absl::Status FuseDepthwiseBlocks(Graph* graph, PassContext& context);  // inverted bottlenecks a few rows at a time
absl::Status FuseProducts(Graph* graph, PassContext& context);       // convolutions and products with known weights
absl::Status FusePads(Graph* graph, PassContext& context);           // pads into convolutions and pools
absl::Status FuseBatchNorms(Graph* graph, PassContext& context);     // batch norm into weights
absl::Status FuseBiases(Graph* graph, PassContext& context);         // sums per channel into products
absl::Status FuseResiduals(Graph* graph, PassContext& context);      // sums of tensors into products
absl::Status FuseActivations(Graph* graph, PassContext& context);    // activations into products
absl::Status FuseScales(Graph* graph, PassContext& context);         // scaled channels into pointwise convolutions
absl::Status FuseMeans(Graph* graph, PassContext& context);          // means of images into depthwise convolutions
absl::Status LowerPrecision(Graph* graph, PassContext& context);     // two bytes a value, for a device that keeps them so
absl::Status FuseChains(Graph* graph, PassContext& context);         // elementwise functions one after the other, for devices
absl::Status RemoveUnused(Graph* graph, PassContext& context);       // nodes that nobody needs

// Per node id: whether the node, or anything it depends on, touches state or decides what runs (v1 branches). Edges and
// nodes without it are free to go; waiting for a node with it means something.
std::vector<char> TouchesState(const Graph& graph);

// Nodes from which something is needed: results, kept nodes and control results, and all they depend on.
void RemoveUnreachable(Graph* graph);

}  // namespace savedmodel

#endif  // SAVEDMODEL_PASSES_PASS_H_
