// A matrix product between reshapes, as Tensordot and Keras' Dense on rank 3 write it: the reshape behind it goes before
// it, where it costs nothing and meets the other one; bias, residual and activation then stand right behind the product.
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

absl::Status Fuse(Graph* graph, PassContext& context) {
  Uses uses(graph);
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  for (Node* node : order) {
    if (!node->Is("Reshape") || !node->controls.empty() || !node->output_shapes[0].fully_known()) continue;
    const Output from = node->inputs[0];
    Node* product = from.node;
    if (!product->Is("_MatMulEpilogue") || !uses.Once(from) || HasBias(*product) || HasResidual(*product) || HasActivation(*product)) continue;
    const std::vector<int64_t>& tail = product->attrs().Ints("tail");
    const TensorShape shape = node->output_shapes[0].shape();
    if (tail.size() != 1 || product->attrs().Int("contracted") != 1 || shape.rank() < 1 || shape.dim(shape.rank() - 1) != tail[0] || tail[0] == 0 ||
        !ShapeOf(product->inputs[0]).fully_known()) {
      continue;
    }
    TensorShape rows = shape;
    rows.set_dim(shape.rank() - 1, product->attrs().Int("k"));
    if (rows.num_elements() != ShapeOf(product->inputs[0]).shape().num_elements()) continue;
    // The node that was behind the product becomes the one before it.
    uses.Replace({node, 0}, from);
    const Output a = product->inputs[0];
    product->inputs[0] = {node, 0};
    product->output_shapes[0] = shape;
    BecomeReshape(graph, context, node, a, rows);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseReshapes(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
