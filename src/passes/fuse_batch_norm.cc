// A batch norm with known statistics is a factor and a summand per channel. Behind a fused product they go into its
// weights and bias; elsewhere Mul and AddV2 take its place.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

struct Affine {
  Tensor factor, summand;  // float [channels]
};

bool IsBatchNorm(const Node& node) {
  return (node.Is("FusedBatchNorm") || node.Is("FusedBatchNormV2") || node.Is("FusedBatchNormV3")) && node.error.ok() &&
         !node.attrs().Bool("is_training") && node.attrs().String("data_format") == "NHWC" && node.output_types[0] == DataType::kFloat &&
         node.inputs.size() == 5;
}

absl::StatusOr<Affine> AffineOf(const Node& node) {
  const Tensor* values[4];
  for (int i = 0; i < 4; ++i) {
    values[i] = ConstantOf(node.inputs[static_cast<size_t>(i) + 1]);
    if (values[i] == nullptr || values[i]->dtype() != DataType::kFloat || values[i]->num_elements() != values[0]->num_elements()) {
      return absl::NotFoundError("the statistics are not known before the run");
    }
  }
  Affine affine;
  const TensorShape shape({values[0]->num_elements()});
  SM_ASSIGN_OR_RETURN(affine.factor, Tensor::Allocate(DataType::kFloat, shape));
  SM_ASSIGN_OR_RETURN(affine.summand, Tensor::Allocate(DataType::kFloat, shape));
  const float epsilon = node.attrs().Float("epsilon");
  for (int64_t c = 0; c < shape.num_elements(); ++c) {
    const double factor = values[0]->data<float>()[c] / std::sqrt(static_cast<double>(values[3]->data<float>()[c]) + epsilon);
    affine.factor.data<float>()[c] = static_cast<float>(factor);
    affine.summand.data<float>()[c] = static_cast<float>(values[1]->data<float>()[c] - values[2]->data<float>()[c] * factor);
  }
  return affine;
}

// Products that pack their weights multiply them then; so no copy is made here, and all plans share the packed ones.
bool PacksWeights(const Node& product) {
  return product.Is("_MatMulEpilogue") || (product.Is("_ConvEpilogue") && !product.attrs().Bool("depthwise"));
}

absl::Status SetFactor(Node* product, const Tensor& factor) {
  const Tensor& before = product->attrs().TensorValue("factor");
  SM_ASSIGN_OR_RETURN(Tensor both, factor.Clone());
  for (int64_t c = 0; before.initialized() && c < both.num_elements(); ++c) both.data<float>()[c] *= before.data<float>()[c];
  SetAttr(product, "factor", std::move(both));
  return absl::OkStatus();
}

// weights[..., channel] *= factor[channel], bias = bias * factor + summand.
absl::Status Absorb(Graph* graph, PassContext& context, Node* product, const Tensor& factor, const Tensor& summand) {
  SM_ASSIGN_OR_RETURN(Tensor bias, BiasOf(*product));
  SM_ASSIGN_OR_RETURN(bias, bias.Clone());
  for (int64_t c = 0; c < factor.num_elements(); ++c) bias.data<float>()[c] = bias.data<float>()[c] * factor.data<float>()[c] + summand.data<float>()[c];
  SetBias(graph, context, product, std::move(bias));
  if (PacksWeights(*product)) return SetFactor(product, factor);
  SM_ASSIGN_OR_RETURN(Tensor weights, ConstantOf(product->inputs[1])->Clone());
  const int64_t n = factor.num_elements();
  const float* f = factor.data<float>();
  // Numbers of one channel that lie side by side.
  const int64_t inner = product->Is("_ConvTransposeEpilogue") ? weights.dim(3) : 1;
  float* w = weights.data<float>();
  for (int64_t i = 0; i < weights.num_elements(); i += n * inner) {
    for (int64_t c = 0; c < n; ++c) {
      for (int64_t k = 0; k < inner; ++k) w[i + c * inner + k] *= f[c];
    }
  }
  product->inputs[1] = AddConstant(graph, context, product->name + "/weights", std::move(weights));
  return absl::OkStatus();
}

bool Takes(const Uses& uses, const Output& value, int64_t channels) {
  const Node& node = *value.node;
  return IsFusedProduct(node) && uses.Once(value) && !HasResidual(node) && !HasActivation(node) && ChannelsOf(node) == channels && BiasOf(node).ok();
}

void Spell(Graph* graph, PassContext& context, Uses* uses, Node* norm, Affine affine) {
  Attributes attributes;
  attributes.Set("T", DataType::kFloat);
  auto shared = std::make_shared<const Attributes>(std::move(attributes));
  Output value = norm->inputs[0];
  for (auto [op, operand] : {std::pair("Mul", &affine.factor), std::pair("AddV2", &affine.summand)}) {
    const Output constant = AddConstant(graph, context, absl::StrCat(norm->name, "/", op, "/known"), std::move(*operand));
    Node* node = graph->AddNode(absl::StrCat(norm->name, "/", op), context.catalog->Find(op), shared, {DataType::kFloat});
    node->inputs = {value, constant};
    node->controls = norm->controls;
    node->output_shapes[0] = norm->output_shapes[0];
    value = {node, 0};
  }
  uses->Replace({norm, 0}, value);
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  Uses uses(graph);
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  for (Node* node : order) {
    if (IsBatchNorm(*node)) {
      bool only_first = true;
      for (int i = 1; i < node->num_outputs(); ++i) only_first = only_first && uses.Of({node, i}).empty();
      absl::StatusOr<Affine> affine = AffineOf(*node);
      if (!only_first || !affine.ok()) continue;
      const Output from = node->inputs[0];
      if (Takes(uses, from, affine->factor.num_elements())) {
        SM_RETURN_IF_ERROR(Absorb(graph, context, from.node, affine->factor, affine->summand));
        uses.Replace({node, 0}, from);
      } else {
        Spell(graph, context, &uses, node, *std::move(affine));
      }
    } else if (node->Is("Mul") && node->inputs.size() == 2 && node->output_types[0] == DataType::kFloat) {
      // A factor per channel, written out.
      for (int side = 0; side < 2; ++side) {
        const Output from = node->inputs[static_cast<size_t>(side)], by = node->inputs[static_cast<size_t>(1 - side)];
        if (!IsFusedProduct(*from.node)) continue;
        const int64_t channels = ChannelsOf(*from.node);
        const Tensor* factor = ChannelVector(by, channels);
        if (factor == nullptr || factor->rank() > ShapeOf(from).rank() || !Takes(uses, from, channels)) continue;
        SM_ASSIGN_OR_RETURN(Tensor zeros, Tensor::Allocate(DataType::kFloat, {channels}));
        std::fill_n(zeros.data<float>(), channels, 0.0f);
        SM_RETURN_IF_ERROR(Absorb(graph, context, from.node, *factor, zeros));
        uses.Replace({node, 0}, from);
        break;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseBatchNorms(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
