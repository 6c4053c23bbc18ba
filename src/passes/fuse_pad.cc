// Zeros padded around an image go into the convolution or the pool behind them.
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

// The paddings of a Pad of the two image dimensions with zeros; false for others.
bool ImagePadding(const Node& pad, std::vector<int64_t>* paddings) {
  if (!pad.Is("Pad") && !pad.Is("PadV2")) return false;
  if (!ConstantInts(ConstantOf(pad.inputs[1]), paddings) || paddings->size() != 8) return false;
  if (pad.Is("PadV2")) {
    float value;
    if (!ScalarOf(pad.inputs[2], &value) || value != 0) return false;
  }
  for (size_t i : {0, 1, 6, 7}) {
    if ((*paddings)[i] != 0) return false;
  }
  for (int64_t p : *paddings) {
    if (p < 0) return false;
  }
  return true;
}

// Only for the CPU: devices have no kernel for it.
void FusePool(Node* node, PassContext& context) {
  const std::vector<int64_t> ksize = node->attrs().Ints("ksize");
  const Node& pad = *node->inputs[0].node;
  std::vector<int64_t> paddings;
  if (context.accelerator != nullptr || ksize.size() != 4 || !ImagePadding(pad, &paddings) || !pad.controls.empty()) return;
  if (node->attrs().String("padding") != "VALID" || node->attrs().String("data_format") != "NHWC" || ksize[3] != 1) return;
  switch (node->output_types[0]) {
    case DataType::kFloat: case DataType::kDouble: case DataType::kHalf: case DataType::kBFloat16: break;
    default: return;
  }
  for (size_t i = 2; i < 6; ++i) {
    if (paddings[i] >= ksize[i / 2]) return;
  }
  Attributes attributes;
  attributes.Set("T", node->output_types[0]);
  attributes.Set("ksize", ksize);
  attributes.Set("strides", node->attrs().Ints("strides"));
  attributes.Set("padding", std::string("EXPLICIT"));
  attributes.Set("explicit_paddings", paddings);
  Become(context, node, "_PaddedMaxPool", {pad.inputs[0]}, std::move(attributes));
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  for (const auto& node : graph->nodes()) {
    if (node->Is("MaxPool")) FusePool(node.get(), context);
    if (!node->Is("_ConvEpilogue")) continue;
    const Node& pad = *node->inputs[0].node;
    std::vector<int64_t> paddings;
    if (node->attrs().String("padding") != "VALID" || !pad.controls.empty() || !ImagePadding(pad, &paddings)) continue;
    node->inputs[0] = pad.inputs[0];
    SetAttr(node.get(), "padding", std::string("EXPLICIT"));
    SetAttr(node.get(), "explicit_paddings", paddings);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FusePads(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* each) { return Fuse(each, context); });
}

}  // namespace savedmodel
