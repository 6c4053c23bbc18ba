// An image whose channels are scaled before a convolution of one pixel (squeeze and excitation): the convolution takes the
// scale, and the scaled image is never written.
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

// A pointwise convolution that has no scale yet.
bool TakesScale(const Node& node) {
  return node.Is("_ConvEpilogue") && !node.attrs().Bool("depthwise") && !node.attrs().Bool("scaled") && IsPointwise(node);
}

// [batch, 1, 1, channels], one number per image and channel.
bool IsScaleOf(const Output& scale, const PartialShape& image) {
  const PartialShape& shape = ShapeOf(scale);
  return shape.fully_known() && shape.rank() == 4 && shape.dim(0) == image.dim(0) && shape.dim(1) == 1 && shape.dim(2) == 1 && shape.dim(3) == image.dim(3);
}

absl::Status Fuse(Graph* graph) {
  Uses uses(graph);
  for (const auto& node : graph->nodes()) {
    if (!TakesScale(*node)) continue;
    const Output scaled = node->inputs[0];
    const Node& mul = *scaled.node;
    if (!mul.Is("Mul") || mul.inputs.size() != 2 || !mul.controls.empty() || !uses.Once(scaled) || ConstantOf(node->inputs[1])->dim(2) != ShapeOf(scaled).dim(3)) {
      continue;
    }
    for (size_t side = 0; side < 2; ++side) {
      const PartialShape& image = ShapeOf(mul.inputs[side]);
      if (!image.fully_known() || image != ShapeOf(scaled) || image.rank() != 4 || !IsScaleOf(mul.inputs[1 - side], image)) continue;
      const Output scale = mul.inputs[1 - side];
      node->inputs[0] = mul.inputs[side];
      node->inputs.push_back(scale);
      SetAttr(node.get(), "scaled", true);
      SetAttr(node.get(), "num_args", static_cast<int64_t>(node->inputs.size()) - 2);
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseScales(Graph* graph, PassContext&) { return ForEachGraph(graph, Fuse); }

}  // namespace savedmodel
