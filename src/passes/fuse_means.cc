// The mean over the pixels of what a depthwise convolution makes (squeeze and excitation): the convolution sums while it writes,
// and nobody reads the image for the mean alone.
#include <algorithm>

#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool MakesImages(const Node& node) {
  return ((node.Is("_ConvEpilogue") && node.attrs().Bool("depthwise")) || (node.Is("_DepthwiseBlock") && !node.attrs().Bool("project"))) && node.num_outputs() == 1 && node.controls.empty() &&
         node.output_types[0] == DataType::kFloat && node.attrs().String("data_format") == "NHWC" && node.output_shapes[0].fully_known() &&
         node.output_shapes[0].shape().num_elements() > 0;
}

// Over height and width, however they are written.
bool IsOverPixels(const Node& mean) {
  const Tensor* axes = mean.Is("Mean") && mean.controls.empty() ? ConstantOf(mean.inputs[1]) : nullptr;
  if (axes == nullptr || axes->num_elements() != 2) return false;
  std::vector<int64_t> list;
  for (int i = 0; i < 2; ++i) list.push_back(axes->dtype() == DataType::kInt32 ? axes->data<int32_t>()[i] : axes->data<int64_t>()[i]);
  for (int64_t& axis : list) axis += axis < 0 ? 4 : 0;
  std::sort(list.begin(), list.end());
  return list == std::vector<int64_t>{1, 2};
}

absl::Status Fuse(Graph* graph) {
  Uses uses(graph);
  for (const auto& node : graph->nodes()) {
    if (!IsOverPixels(*node) || node->inputs[0].index != 0 || !MakesImages(*node->inputs[0].node)) continue;
    Node* images = node->inputs[0].node;
    SetAttr(images, "num_means", int64_t{1});
    SetAttr(images, "keep_dims", node->attrs().Bool("keep_dims"));
    images->output_types.push_back(node->output_types[0]);
    images->output_shapes.push_back(node->output_shapes[0]);
    uses.Replace({node.get(), 0}, {images, 1});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseMeans(Graph* graph, PassContext&) { return ForEachGraph(graph, Fuse); }

}  // namespace savedmodel
