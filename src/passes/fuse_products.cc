// Float convolutions and matrix products with weights known before the run become fused products, still without anything
// fused into them. Einsum and batched products whose right side is one matrix are matrix products too.
#include "absl/strings/match.h"
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool FloatConstant(const Output& value) {
  const Tensor* constant = ConstantOf(value);
  return constant != nullptr && constant->dtype() == DataType::kFloat && constant->num_elements() > 0;
}

void BecomeProduct(PassContext& context, Node* node, const char* op, Attributes attributes) {
  attributes.Set("T", DataType::kFloat);
  if (std::string(op) == "_MatMulEpilogue") attributes.Set("Tout", DataType::kFloat);
  attributes.Set("num_args", int64_t{0});
  attributes.Set("bias", false);
  attributes.Set("residual", false);
  attributes.Set("activation", std::string());
  attributes.Set("alpha", 0.0f);
  attributes.Set("bfloat16", context.bfloat16);
  Become(context, node, op, node->inputs, std::move(attributes));
}

void Convolution(PassContext& context, Node* node) {
  const bool depthwise = node->Is("DepthwiseConv2dNative");
  const Attributes& from = node->attrs();
  if (from.String("data_format") != "NHWC" || ConstantOf(node->inputs[1])->rank() != 4) return;
  Attributes attributes;
  for (const char* name : {"strides", "padding", "explicit_paddings", "data_format", "dilations"}) {
    if (const AttrValue* value = from.Find(name); value != nullptr) attributes.Set(name, *value);
  }
  attributes.Set("depthwise", depthwise);
  attributes.Set("winograd", context.allow_winograd);
  BecomeProduct(context, node, "_ConvEpilogue", std::move(attributes));
}

void TransposedConvolution(PassContext& context, Node* node) {
  const Attributes& from = node->attrs();
  const PartialShape& image = ShapeOf(node->inputs[2]);
  if (from.String("data_format") != "NHWC" || ConstantOf(node->inputs[1])->rank() != 4 || !node->output_shapes[0].fully_known() ||
      !image.fully_known() || image.rank() != 4 || node->output_shapes[0].rank() != 4) {
    return;
  }
  // What the kernel leaves to the plain op.
  const std::vector<int64_t>&strides = from.Ints("strides"), &dilations = from.Ints("dilations");
  const TensorShape sizes = node->output_shapes[0].shape(), filter = ConstantOf(node->inputs[1])->shape();
  if (!sizes.valid() || strides.size() != 4 || dilations.size() != 4 || filter.dim(2) != sizes.dim(3) || filter.dim(3) != image.dim(3)) return;
  for (size_t i = 1; i < 3; ++i) {
    if (strides[i] > 16 || (strides[i] > 1 && dilations[i] > 1)) return;
  }
  Attributes attributes;
  for (const char* name : {"strides", "padding", "explicit_paddings", "data_format", "dilations"}) {
    if (const AttrValue* value = from.Find(name); value != nullptr) attributes.Set(name, *value);
  }
  attributes.Set("input_sizes", std::vector<int64_t>(sizes.dims().begin(), sizes.dims().end()));
  node->inputs = {node->inputs[2], node->inputs[1]};
  BecomeProduct(context, node, "_ConvTransposeEpilogue", std::move(attributes));
}

void Product(PassContext& context, Node* node, int64_t k, int64_t contracted, std::vector<int64_t> tail, bool transpose_b) {
  Attributes attributes;
  attributes.Set("k", k);
  attributes.Set("contracted", contracted);
  attributes.Set("tail", std::move(tail));
  attributes.Set("transpose_b", transpose_b);
  BecomeProduct(context, node, "_MatMulEpilogue", std::move(attributes));
}

void MatMul(PassContext& context, Node* node) {
  const bool batch = !node->Is("MatMul");
  const bool transpose_a = node->attrs().Bool(batch ? "adj_x" : "transpose_a"), transpose_b = node->attrs().Bool(batch ? "adj_y" : "transpose_b");
  const Tensor& b = *ConstantOf(node->inputs[1]);
  const PartialShape& a = ShapeOf(node->inputs[0]);
  if (transpose_a || b.rank() != 2 || !a.known_rank() || a.rank() < 2) return;
  const int64_t k = b.dim(transpose_b ? 1 : 0), n = b.dim(transpose_b ? 0 : 1);
  if (a.dim(a.rank() - 1) != k) return;
  Product(context, node, k, 1, {n}, transpose_b);
}

// "abc,cd->abd", "abc,cde->abde", "abcd,cde->abe": the labels that are summed end the first operand and begin the second,
// and the output is what remains, in order.
void Einsum(PassContext& context, Node* node) {
  const std::string& equation = node->attrs().String("equation");
  const size_t comma = equation.find(','), arrow = equation.find("->");
  if (node->inputs.size() != 2 || comma == std::string::npos || arrow == std::string::npos || absl::StrContains(equation, ".") ||
      absl::StrContains(equation, " ")) {
    return;
  }
  const std::string a = equation.substr(0, comma), b = equation.substr(comma + 1, arrow - comma - 1), out = equation.substr(arrow + 2);
  size_t contracted = 0;
  for (size_t n = 1; n <= a.size() && n <= b.size(); ++n) {
    if (a.substr(a.size() - n) == b.substr(0, n) && a.substr(0, a.size() - n) + b.substr(n) == out) contracted = n;
  }
  const Tensor& weights = *ConstantOf(node->inputs[1]);
  const PartialShape& shape = ShapeOf(node->inputs[0]);
  if (contracted == 0 || weights.rank() != static_cast<int>(b.size()) || !shape.known_rank() || shape.rank() != static_cast<int>(a.size())) return;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a.find(a[i]) != i) return;  // a label twice
  }
  for (size_t i = 0; i < contracted; ++i) {
    if (shape.dim(static_cast<int>(a.size() - contracted + i)) != weights.dim(static_cast<int>(i))) return;
  }
  const int64_t k = weights.shape().Product(0, static_cast<int>(contracted));
  std::vector<int64_t> tail(weights.shape().dims().begin() + static_cast<std::ptrdiff_t>(contracted), weights.shape().dims().end());
  if (k > 0 && !tail.empty()) Product(context, node, k, static_cast<int64_t>(contracted), std::move(tail), false);
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  for (size_t i = 0; i < graph->size(); ++i) {
    Node* node = graph->nodes()[i].get();
    if (!node->error.ok() || !node->shape_error.ok() || node->inputs.size() < 2 || node->num_outputs() != 1 ||
        node->output_types[0] != DataType::kFloat || !FloatConstant(node->inputs[1])) {
      continue;
    }
    if (node->Is("Conv2DBackpropInput")) TransposedConvolution(context, node);
    if (node->inputs.size() != 2 || TypeOf(node->inputs[0]) != DataType::kFloat) continue;
    if (node->Is("Conv2D") || node->Is("DepthwiseConv2dNative")) Convolution(context, node);
    else if (node->Is("MatMul") || node->Is("BatchMatMulV2") || node->Is("BatchMatMulV3")) MatMul(context, node);
    else if (node->Is("Einsum")) Einsum(context, node);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseProducts(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
