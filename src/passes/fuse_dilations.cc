// SpaceToBatchND, a VALID convolution of stride 1, BatchToSpaceND: how a dilated convolution is written for devices that
// have none. The sandwich becomes the convolution with dilations, padded by what the blocks were padded and not cropped.
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool IsPlainConvolution(const Node& node) {
  if (!node.Is("Conv2D") && !node.Is("DepthwiseConv2dNative")) return false;
  const Attributes& attrs = node.attrs();
  return attrs.String("data_format") == "NHWC" && attrs.String("padding") == "VALID" && AllOnes(attrs.Ints("strides")) && AllOnes(attrs.Ints("dilations"));
}

// What never runs must go on being refused.
bool Runs(const Node& node) {
  return node.error.ok() && node.shape_error.ok() && node.controls.empty() && node.output_shapes[0].fully_known() && node.output_shapes[0].shape().valid();
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  Uses uses(graph);
  for (size_t n = 0; n < graph->size(); ++n) {
    Node* node = graph->nodes()[n].get();
    if (!node->Is("BatchToSpaceND") || !Runs(*node)) continue;
    const Output product = node->inputs[0];
    if (!IsPlainConvolution(*product.node) || !uses.Once(product) || !Runs(*product.node)) continue;
    const Node& spread = *product.node->inputs[0].node;
    if (!spread.Is("SpaceToBatchND") || !Runs(spread)) continue;
    std::vector<int64_t> block, block_back, paddings, crops;
    if (!ConstantInts(ConstantOf(spread.inputs[1]), &block) || !ConstantInts(ConstantOf(spread.inputs[2]), &paddings) ||
        !ConstantInts(ConstantOf(node->inputs[1]), &block_back) || !ConstantInts(ConstantOf(node->inputs[2]), &crops)) {
      continue;
    }
    if (block.size() != 2 || block != block_back || paddings.size() != 4 || crops.size() != 4 || block[0] < 1 || block[1] < 1) continue;
    std::vector<int64_t> explicit_paddings = {0, 0, 0, 0, 0, 0, 0, 0};
    bool fits = true;
    for (size_t i = 0; i < 4; ++i) {
      explicit_paddings[2 + i] = paddings[i] - crops[i];
      fits = fits && crops[i] >= 0 && explicit_paddings[2 + i] >= 0;
    }
    if (!fits) continue;
    Attributes attributes = product.node->attrs();
    attributes.Set("dilations", std::vector<int64_t>{1, block[0], block[1], 1});
    attributes.Set("padding", std::string("EXPLICIT"));
    attributes.Set("explicit_paddings", explicit_paddings);
    Become(context, node, product.node->Is("Conv2D") ? "Conv2D" : "DepthwiseConv2dNative", {spread.inputs[0], product.node->inputs[1]}, std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseDilations(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
