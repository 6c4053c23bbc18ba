// The first half of an inverted bottleneck: a pointwise convolution that widens a large image and the depthwise convolution
// behind it run as one, a few rows at a time.
#include "core/status_macros.h"
#include "ops/nn/expand_depthwise.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

// Known sizes, a bias and nothing else but an activation.
bool IsSimple(const Node& node, bool depthwise) {
  return node.Is("_ConvEpilogue") && node.attrs().Bool("depthwise") == depthwise && HasBias(node) && !HasResidual(node) && !node.attrs().Bool("scaled") &&
         node.controls.empty() && ShapeOf(node.inputs[0]).fully_known() && node.output_shapes[0].fully_known();
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  Uses uses(graph);
  for (const auto& node : graph->nodes()) {
    if (!IsSimple(*node, true)) continue;
    const Node& expand = *node->inputs[0].node;
    if (!IsSimple(expand, false) || !IsPointwise(expand) || ConstantOf(expand.inputs[1])->dim(2) != ShapeOf(expand.inputs[0]).dim(3) ||
         !uses.Once(node->inputs[0]) || 
        !ExpansionIsWorthIt(node->attrs(), ShapeOf(node->inputs[0]).shape(), ConstantOf(node->inputs[1])->shape())) {
      continue;
    }
    Attributes attributes = node->attrs();
    attributes.Set("expand_activation", expand.attrs().String("activation"));
    attributes.Set("expand_alpha", expand.attrs().Float("alpha"));
    attributes.Set("expand_bfloat16", expand.attrs().Bool("bfloat16"));
    if (const AttrValue* factor = expand.attrs().Find("factor"); factor != nullptr) attributes.Set("expand_factor", *factor);
    Become(context, node.get(), "_ExpandDepthwise", {expand.inputs[0], expand.inputs[1], expand.inputs[2], node->inputs[1], node->inputs[2]},
           std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseExpansions(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
