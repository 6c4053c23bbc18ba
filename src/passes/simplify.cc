// Ops that give back what they got for these shapes and constants are stepped over: transposes that move nothing,
// reshapes to the same shape, products with one. A reshape of a reshape reads the first one's input.
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool IsReshape(const Node& node) {
  return (node.Is("Reshape") || node.Is("ExpandDims") || node.Is("Squeeze")) && node.controls.empty();
}

// A permutation under which the dimensions other than 1 keep their order moves no element.
bool MovesNothing(const Node& transpose) {
  std::vector<int64_t> order;
  const PartialShape& shape = ShapeOf(transpose.inputs[0]);
  if (!transpose.Is("Transpose") || !shape.fully_known() || !ConstantInts(ConstantOf(transpose.inputs[1]), &order)) return false;
  if (static_cast<int>(order.size()) != shape.rank()) return false;
  int64_t before = -1;
  for (int64_t axis : order) {
    if (axis < 0) axis += shape.rank();
    if (axis < 0 || axis >= shape.rank()) return false;
    if (shape.dim(static_cast<int>(axis)) == 1) continue;
    if (axis < before) return false;
    before = axis;
  }
  return true;
}

// x * 1, 1 * x, x / 1.
bool TimesOne(const Node& node, size_t* side) {
  if (node.inputs.size() != 2 || (!node.Is("Mul") && !node.Is("RealDiv") && !node.Is("Div"))) return false;
  for (size_t i = 0; i < (node.Is("Mul") ? 2 : 1); ++i) {
    float one;
    if (ScalarOf(node.inputs[1 - i], &one) && one == 1.0f && ShapeOf(node.inputs[i]).fully_known() &&
        ShapeOf(node.inputs[i]) == node.output_shapes[0]) {
      *side = i;
      return true;
    }
  }
  return false;
}

absl::Status Simplify(Graph* graph, PassContext& context) {
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  absl::flat_hash_map<Output, Output> replaced;
  for (Node* node : order) {
    if (!node->error.ok() || !node->controls.empty() || node->num_outputs() != 1 || node->inputs.empty()) continue;
    for (Output& input : node->inputs) {
      if (auto it = replaced.find(input); it != replaced.end()) input = it->second;
    }
    if (!IsPlainData(node->output_types[0]) || !node->output_shapes[0].fully_known()) continue;
    size_t side;
    if (TimesOne(*node, &side)) {
      replaced[{node, 0}] = node->inputs[side];
      continue;
    }
    const bool moves_nothing = node->inputs.size() == 2 && MovesNothing(*node);
    if (!moves_nothing && !IsReshape(*node)) continue;
    Output from = node->inputs[0];
    while (IsReshape(*from.node) && from.node->output_shapes[0].fully_known()) from = from.node->inputs[0];
    if (!ShapeOf(from).fully_known()) from = node->inputs[0];
    if (ShapeOf(from) == node->output_shapes[0]) {
      replaced[{node, 0}] = from;
    } else if (from != node->inputs[0] || moves_nothing || !node->Is("Reshape")) {
      BecomeReshape(graph, context, node, from, node->output_shapes[0].shape());
    }
  }
  graph->ReplaceValues(replaced);
  return absl::OkStatus();
}

}  // namespace

absl::Status SimplifyGraph(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Simplify(g, context); });
}

}  // namespace savedmodel
