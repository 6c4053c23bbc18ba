// Layer normalisation spelled out becomes _LayerNorm. With m = Mean(x), v = Mean(SquaredDifference(x, m)) over the last
// dimension and r = Rsqrt(v + epsilon), the spellings are
//   x * (r * gamma) + (beta - m * (r * gamma))        tf.nn.batch_normalization, which Keras' LayerNormalization calls
//   (x - m) * r * gamma + beta, (x - m) / Sqrt(v + epsilon) * gamma + beta        gamma and beta may be absent
//   Reshape(FusedBatchNorm(Reshape(x), training)) * gamma + beta        older Keras
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool IsAdd(const Node& node) { return (node.Is("AddV2") || node.Is("Add")) && node.inputs.size() == 2; }
bool IsMul(const Node& node) { return node.Is("Mul") && node.inputs.size() == 2; }

// What a layer norm is made of, as far as a match has found it.
struct Norm {
  Output x;
  Output gamma, beta;  // no node: absent
  float epsilon = 0;
};

// Mean over the last dimension that keeps it: its argument, else an output without node.
Output MeanOf(const Output& value) {
  const Node& mean = *value.node;
  if (!mean.Is("Mean") || !mean.attrs().Bool("keep_dims")) return {};
  std::vector<int64_t> axes;
  const PartialShape& shape = ShapeOf(mean.inputs[0]);
  if (!ConstantInts(ConstantOf(mean.inputs[1]), &axes) || axes.size() != 1 || !shape.known_rank() || shape.rank() < 1) return {};
  return axes[0] == -1 || axes[0] == shape.rank() - 1 ? mean.inputs[0] : Output{};
}

// The value that is squared when `square` is d * d, Square(d) or SquaredDifference; of the last the two ends.
bool SquaredDistance(const Output& square, Output* x, Output* mean) {
  const Node& node = *square.node;
  if (node.Is("SquaredDifference")) {
    *x = node.inputs[0];
    *mean = node.inputs[1];
    return true;
  }
  const bool product = IsMul(node) && node.inputs[0] == node.inputs[1];
  if (!product && !node.Is("Square")) return false;
  const Node& difference = *node.inputs[0].node;
  if (!difference.Is("Sub")) return false;
  *x = difference.inputs[0];
  *mean = difference.inputs[1];
  return true;
}

// Whether `value` is v + epsilon over the last dimension of some x.
bool MatchVariance(const Output& value, Output* x, Output* mean, float* epsilon) {
  if (!IsAdd(*value.node)) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (!ScalarOf(value.node->inputs[1 - side], epsilon)) continue;
    const Output square = MeanOf(value.node->inputs[side]);
    if (square.node == nullptr || !SquaredDistance(square, x, mean)) continue;
    if (MeanOf(*mean) == *x) return true;
    if (MeanOf(*x) == *mean) {
      std::swap(*x, *mean);
      return true;
    }
  }
  return false;
}

// r, or r * gamma: the factor, the variance behind it and gamma.
bool MatchFactor(const Output& value, Norm* norm, Output* mean) {
  auto root = [&](const Output& r) {
    return r.node->Is("Rsqrt") && MatchVariance(r.node->inputs[0], &norm->x, mean, &norm->epsilon);
  };
  norm->gamma = {};
  if (root(value)) return true;
  if (!IsMul(*value.node)) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (!root(value.node->inputs[side])) continue;
    norm->gamma = value.node->inputs[1 - side];
    return true;
  }
  return false;
}

// x * factor + (beta - m * factor)
bool MatchFolded(const Node& add, Norm* norm) {
  if (!IsAdd(add)) return false;
  for (size_t side = 0; side < 2; ++side) {
    const Node &scaled = *add.inputs[side].node, &shift = *add.inputs[1 - side].node;
    if (!IsMul(scaled) || !shift.Is("Sub") || !IsMul(*shift.inputs[1].node)) continue;
    const Node& shifted_mean = *shift.inputs[1].node;
    for (size_t k = 0; k < 2; ++k) {
      Output mean;
      const Output& factor = scaled.inputs[k];
      if (!MatchFactor(factor, norm, &mean) || scaled.inputs[1 - k] != norm->x) continue;
      const bool same = (shifted_mean.inputs[0] == mean && shifted_mean.inputs[1] == factor) ||
                        (shifted_mean.inputs[1] == mean && shifted_mean.inputs[0] == factor);
      if (!same) continue;
      norm->beta = shift.inputs[0];
      return true;
    }
  }
  return false;
}

// (x - m) * factor or (x - m) / Sqrt(v + epsilon)
bool MatchCentred(const Output& value, Norm* norm) {
  const Node& node = *value.node;
  auto centred = [&](const Output& difference, const Output& mean) {
    return difference.node->Is("Sub") && difference.node->inputs[0] == norm->x && difference.node->inputs[1] == mean;
  };
  Output mean;
  if (node.Is("RealDiv") && node.inputs[1].node->Is("Sqrt")) {
    return MatchVariance(node.inputs[1].node->inputs[0], &norm->x, &mean, &norm->epsilon) && centred(node.inputs[0], mean);
  }
  if (!IsMul(node)) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (MatchFactor(node.inputs[side], norm, &mean) && centred(node.inputs[1 - side], mean)) return true;
  }
  return false;
}

bool AllEqual(const Tensor* tensor, float wanted) {
  if (tensor == nullptr || tensor->dtype() != DataType::kFloat) return false;
  return std::all_of(tensor->data<float>(), tensor->data<float>() + tensor->num_elements(), [&](float v) { return v == wanted; });
}

// Rows as images of one channel each: [1, rows, n, 1], channels first.
bool MatchBatchNorm(const Output& value, Norm* norm) {
  if (!value.node->Is("Reshape")) return false;
  const Output& inner = value.node->inputs[0];
  const Node& batch_norm = *inner.node;
  if (!batch_norm.Is("FusedBatchNormV3") || inner.index != 0 || !batch_norm.attrs().Bool("is_training") ||
      batch_norm.attrs().String("data_format") != "NCHW" || !AllEqual(ConstantOf(batch_norm.inputs[1]), 1) ||
      !AllEqual(ConstantOf(batch_norm.inputs[2]), 0) || !batch_norm.inputs[0].node->Is("Reshape")) {
    return false;
  }
  const PartialShape& rows = ShapeOf(batch_norm.inputs[0]);
  norm->x = batch_norm.inputs[0].node->inputs[0];
  norm->epsilon = batch_norm.attrs().Float("epsilon");
  const PartialShape& x = ShapeOf(norm->x);
  return x.fully_known() && x.rank() >= 1 && rows.fully_known() && rows.rank() == 4 && rows.dim(2) == x.dim(x.rank() - 1) && rows.dim(3) == 1 &&
         rows.dim(0) == 1 && rows.dim(2) > 0 && ShapeOf(value) == x;
}

bool MatchScale(const Output& value, Norm* norm) {
  if (MatchCentred(value, norm)) return true;
  norm->gamma = {};
  if (MatchBatchNorm(value, norm)) return true;
  if (!IsMul(*value.node)) return false;
  for (size_t side = 0; side < 2; ++side) {
    norm->gamma = {};
    const Output& inner = value.node->inputs[side];
    const bool matched = (MatchCentred(inner, norm) && norm->gamma.node == nullptr) || MatchBatchNorm(inner, norm);
    if (!matched || ConstantOf(value.node->inputs[1 - side]) == nullptr) continue;
    norm->gamma = value.node->inputs[1 - side];
    return true;
  }
  return false;
}

bool Match(const Node& node, Norm* norm) {
  *norm = {};
  if (MatchFolded(node, norm)) return true;
  *norm = {};
  if (IsAdd(node)) {
    for (size_t side = 0; side < 2; ++side) {
      *norm = {};
      if (ConstantOf(node.inputs[1 - side]) != nullptr && MatchScale(node.inputs[side], norm)) {
        norm->beta = node.inputs[1 - side];
        return true;
      }
    }
    return false;
  }
  *norm = {};
  return MatchScale({const_cast<Node*>(&node), 0}, norm);
}

// Whether gamma and beta are vectors of one number per element of a row, and x is what a kernel can take.
bool Fits(const Norm& norm, const Node& node) {
  const PartialShape& x = ShapeOf(norm.x);
  if (TypeOf(norm.x) != DataType::kFloat || !x.fully_known() || x.rank() < 1 || x.dim(x.rank() - 1) < 1 || node.output_shapes[0] != x) return false;
  for (const Output& vector : {norm.gamma, norm.beta}) {
    if (vector.node == nullptr) continue;
    const PartialShape& shape = ShapeOf(vector);
    if (TypeOf(vector) != DataType::kFloat || !shape.fully_known() || shape.rank() < 1 || shape.rank() > x.rank() ||
        shape.dim(shape.rank() - 1) != x.dim(x.rank() - 1) || shape.shape().num_elements() != x.dim(x.rank() - 1)) {
      return false;
    }
  }
  return true;
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  // From the end: the longest match of a spelling comes before its parts.
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node* node = *it;
    Norm norm;
    if (!node->error.ok() || !node->controls.empty() || node->num_outputs() != 1 || node->output_types[0] != DataType::kFloat) continue;
    if (!Match(*node, &norm) || !Fits(norm, *node)) continue;
    Attributes attributes;
    attributes.Set("T", DataType::kFloat);
    attributes.Set("epsilon", norm.epsilon);
    attributes.Set("gamma", norm.gamma.node != nullptr);
    attributes.Set("beta", norm.beta.node != nullptr);
    std::vector<Output> inputs = {norm.x};
    for (const Output& vector : {norm.gamma, norm.beta}) {
      if (vector.node != nullptr) inputs.push_back(vector);
    }
    attributes.Set("num_args", static_cast<int64_t>(inputs.size()) - 1);
    Become(context, node, "_LayerNorm", std::move(inputs), std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseNorms(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
