// Inverted bottlenecks and depthwise separable convolutions: a depthwise convolution of a large image runs together with the
// convolution that makes the image and the pointwise one that reads the result, a few rows at a time.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/nn/depthwise_block.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

constexpr int64_t kColours = 4;

// Channels last, known sizes, a bias, no scale.
bool IsSimple(const Node& node, bool depthwise) {
  return node.Is("_ConvEpilogue") && node.attrs().Bool("depthwise") == depthwise && HasBias(node) && !node.attrs().Bool("scaled") && node.controls.empty() &&
         node.num_outputs() == 1 && node.output_types[0] == DataType::kFloat && node.attrs().String("data_format") == "NHWC" &&
         ShapeOf(node.inputs[0]).fully_known() && node.output_shapes[0].fully_known();
}

// Without groups.
bool IsDense(const Node& node) { return ConstantOf(node.inputs[1])->dim(2) == ShapeOf(node.inputs[0]).dim(3); }

// Pointwise, or the first convolution of a picture, which is as long in memory and as short in arithmetic.
bool IsHead(const Node& node) {
  return IsSimple(node, false) && !HasResidual(node) && IsDense(node) && (IsPointwise(node) || ShapeOf(node.inputs[0]).dim(3) <= kColours);
}

bool IsProjection(const Node& node) { return IsSimple(node, false) && IsDense(node) && IsPointwise(node); }

void CopyAs(const std::string& prefix, const Node& from, std::initializer_list<const char*> names, Attributes* to) {
  for (const char* name : names) {
    if (const AttrValue* value = from.attrs().Find(name); value != nullptr) to->Set(absl::StrCat(prefix, name), *value);
  }
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  Uses uses(graph);
  for (const auto& node : graph->nodes()) {
    if (!IsSimple(*node, true) || HasResidual(*node)) continue;
    const DepthwiseBlockPays pays = PaysAsDepthwiseBlock(node->attrs(), ShapeOf(node->inputs[0]).shape(), ConstantOf(node->inputs[1])->shape());
    const Node* head = pays.head && IsHead(*node->inputs[0].node) && uses.Once(node->inputs[0]) ? node->inputs[0].node : nullptr;
    Node* projection = pays.projection && uses.Once({node.get(), 0}) ? uses.Of({node.get(), 0})[0] : nullptr;
    if (projection != nullptr && (!IsProjection(*projection) || projection->inputs[0] != Output{node.get(), 0})) projection = nullptr;
    if (head == nullptr && projection == nullptr) continue;
    std::vector<Output> inputs = {head == nullptr ? node->inputs[0] : head->inputs[0], node->inputs[1], node->inputs[2]};
    Attributes attributes = node->attrs();
    for (const Node* part : {head, static_cast<const Node*>(projection)}) {
      if (part == nullptr) continue;
      inputs.insert(inputs.end(), part->inputs.begin() + 1, part->inputs.end());
      CopyAs(part == head ? "head_" : "project_", *part, {"activation", "alpha", "bfloat16", "factor"}, &attributes);
    }
    if (head != nullptr) CopyAs("head_", *head, {"strides", "padding", "explicit_paddings", "dilations"}, &attributes);
    attributes.Set("head", head != nullptr);
    attributes.Set("project", projection != nullptr);
    attributes.Set("residual", projection != nullptr && HasResidual(*projection));
    attributes.Set("num_args", static_cast<int64_t>(inputs.size()) - 3);
    Become(context, projection != nullptr ? projection : node.get(), "_DepthwiseBlock", std::move(inputs), std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseDepthwiseBlocks(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
