// Attention spelled out, softmax(scale * q k' + mask) v, becomes _Attention: two batched products (or Einsums) with a
// softmax between. The transposes that bring heads before rows, and back, are drawn in: the kernel reads and writes
// either order. Letters name dimensions: b batch, h heads, s rows, d depth.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

struct Operand {
  Output value;
  std::string layout;  // "bhsd" in some order
};

struct Scores {
  Operand q, k;
};

// The layout of what `value` transposes, if it is a transpose of four dimensions: `layout` names value's own.
Operand BehindTranspose(const Output& value, const std::string& layout) {
  std::vector<int64_t> order;
  const Node& node = *value.node;
  if (!node.Is("Transpose") || !ConstantInts(ConstantOf(node.inputs[1]), &order) || order.size() != layout.size()) return {value, layout};
  std::string inner(layout.size(), ' ');
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t from = order[i] < 0 ? order[i] + static_cast<int64_t>(order.size()) : order[i];
    if (from < 0 || from >= static_cast<int64_t>(order.size())) return {value, layout};
    inner[static_cast<size_t>(from)] = layout[i];
  }
  if (inner.find(' ') != std::string::npos) return {value, layout};
  return {node.inputs[0], inner};
}

// Whether the kernel takes this order: depth beside depth, or for keys rows beside rows.
bool Readable(const Operand& operand, bool keys) { return operand.layout.back() == 'd' || (keys && operand.layout.back() == 's'); }

Operand Behind(const Output& value, const std::string& layout, bool keys) {
  const Operand behind = BehindTranspose(value, layout);
  return Readable(behind, keys) ? behind : Operand{value, layout};
}

bool IsBatchProduct(const Node& node) { return node.Is("BatchMatMulV2") || node.Is("BatchMatMulV3") || node.Is("BatchMatMul"); }

// "a,b->c" taken apart; false for ellipses and spaces.
bool ReadEquation(const Node& node, std::string* a, std::string* b, std::string* out) {
  if (!node.Is("Einsum") || node.inputs.size() != 2) return false;
  const std::string& equation = node.attrs().String("equation");
  const size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma || absl::StrContains(equation, ".") || absl::StrContains(equation, " ")) return false;
  *a = equation.substr(0, comma);
  *b = equation.substr(comma + 1, arrow - comma - 1);
  *out = equation.substr(arrow + 2);
  return a->size() == 4 && b->size() == 4 && out->size() == 4;
}

// Renames the labels of an equation; false if one has no name.
bool Rename(const std::string& labels, const std::string& from, const std::string& to, std::string* renamed) {
  renamed->clear();
  for (char label : labels) {
    const size_t at = from.find(label);
    if (at == std::string::npos) return false;
    renamed->push_back(to[at]);
  }
  std::string sorted = *renamed;
  std::sort(sorted.begin(), sorted.end());
  return sorted == "bdhs";
}

// The product of queries and keys with its scores as [b, h, query, key].
bool MatchScores(const Node& node, Scores* scores) {
  if (IsBatchProduct(node)) {
    const int rank = ShapeOf(node.inputs[0]).rank();
    if ((rank != 4 && rank != 3) || ShapeOf(node.inputs[1]).rank() != rank || node.attrs().Bool("adj_x")) return false;
    const bool adjoint = node.attrs().Bool("adj_y");
    const std::string head = rank == 4 ? "bh" : "b";
    scores->q = Behind(node.inputs[0], head + "sd", false);
    scores->k = Behind(node.inputs[1], head + (adjoint ? "sd" : "ds"), true);
    return Readable(scores->q, false) && Readable(scores->k, true);
  }
  std::string a, b, out;
  if (!ReadEquation(node, &a, &b, &out)) return false;
  // The label that is summed is the depth; queries hold the third label of the scores, keys the fourth.
  const size_t summed = a.find_first_not_of(out);
  if (summed == std::string::npos) return false;
  const bool swapped = a.find(out[2]) == std::string::npos;
  const std::string &queries = swapped ? b : a, &keys = swapped ? a : b;
  const std::string batch = out.substr(0, 2) + a[summed];
  scores->q.value = node.inputs[swapped ? 1 : 0];
  scores->k.value = node.inputs[swapped ? 0 : 1];
  return Rename(queries, batch + out[2], "bhds", &scores->q.layout) && Rename(keys, batch + out[3], "bhds", &scores->k.layout) &&
         Readable(scores->q, false) && Readable(scores->k, true);
}

// The product of the softmax with the values: input of the softmax, values, and the order of the result.
bool MatchValues(const Node& node, Output* weights, Operand* v, std::string* out_layout) {
  if (IsBatchProduct(node)) {
    const int rank = ShapeOf(node.inputs[0]).rank();
    if ((rank != 4 && rank != 3) || ShapeOf(node.inputs[1]).rank() != rank || node.attrs().Bool("adj_x") || node.attrs().Bool("adj_y")) return false;
    const std::string head = rank == 4 ? "bh" : "b";
    *weights = node.inputs[0];
    *v = Behind(node.inputs[1], head + "sd", false);
    *out_layout = head + "sd";
    return Readable(*v, false);
  }
  std::string a, b, out;
  if (!ReadEquation(node, &a, &b, &out)) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (!node.inputs[side].node->Is("Softmax")) continue;
    const std::string &scores = side == 0 ? a : b, &values = side == 0 ? b : a;
    const size_t depth = values.find_first_not_of(scores);
    if (depth == std::string::npos) return false;
    *weights = node.inputs[side];
    v->value = node.inputs[1 - side];
    const std::string batch = scores.substr(0, 2) + values[depth];
    return Rename(values, batch + scores[3], "bhds", &v->layout) && Rename(out, batch + scores[2], "bhds", out_layout) && Readable(*v, false) &&
           out_layout->back() == 'd';
  }
  return false;
}

// Steps from the softmax's input to the product: a mask added, a scale multiplied or divided.
struct Between {
  Output product;
  Output mask;  // no node: none
  float scale = 1;
};

bool Scaled(const Output& value, Between* between) {
  const Node& node = *value.node;
  float scalar;
  between->product = value;
  if (node.Is("Mul") && node.inputs.size() == 2) {
    for (size_t side = 0; side < 2; ++side) {
      if (!ScalarOf(node.inputs[1 - side], &scalar)) continue;
      between->scale = scalar;
      between->product = node.inputs[side];
    }
  } else if (node.Is("RealDiv") && ScalarOf(node.inputs[1], &scalar) && scalar != 0) {
    between->scale = 1 / scalar;
    between->product = node.inputs[0];
  }
  Scores unused;
  return MatchScores(*between->product.node, &unused);
}

bool MatchBetween(const Output& logits, Between* between) {
  if (Scaled(logits, between)) return true;
  const Node& add = *logits.node;
  if ((!add.Is("AddV2") && !add.Is("Add")) || add.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    if (!Scaled(add.inputs[side], between)) continue;
    between->mask = add.inputs[1 - side];
    return true;
  }
  return false;
}

int64_t SizeOf(const Operand& operand, char letter) {
  const size_t at = operand.layout.find(letter);
  return at == std::string::npos ? 1 : ShapeOf(operand.value).dim(static_cast<int>(at));
}

// Equal batches and heads, and a mask whose last dimension is the keys'.
bool Fits(const Scores& scores, const Operand& v, const Between& between) {
  for (const Operand& operand : {scores.q, scores.k, v}) {
    if (TypeOf(operand.value) != DataType::kFloat || !ShapeOf(operand.value).fully_known()) return false;
    if (SizeOf(operand, 'b') != SizeOf(v, 'b') || SizeOf(operand, 'h') != SizeOf(v, 'h')) return false;
  }
  if (SizeOf(scores.q, 'd') != SizeOf(scores.k, 'd') || SizeOf(scores.k, 's') != SizeOf(v, 's')) return false;
  if (between.mask.node == nullptr) return true;
  const PartialShape& mask = ShapeOf(between.mask);
  const int rank = static_cast<int>(v.layout.size());
  if (TypeOf(between.mask) != DataType::kFloat || !mask.fully_known() || mask.rank() < 1 || mask.rank() > rank || mask.dim(mask.rank() - 1) != SizeOf(v, 's')) {
    return false;
  }
  const int64_t sizes[4] = {SizeOf(v, 'b'), SizeOf(v, 'h'), SizeOf(scores.q, 's'), SizeOf(v, 's')};
  for (int i = 0; i + 1 < mask.rank(); ++i) {
    const int from_end = mask.rank() - 1 - i;
    const int64_t size = rank == 3 && from_end == 2 ? sizes[0] : sizes[3 - from_end];
    if (mask.dim(i) != 1 && mask.dim(i) != size) return false;
  }
  return true;
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  Uses uses(graph);
  for (Node* node : order) {
    if (!node->error.ok() || !node->controls.empty() || node->num_outputs() != 1 || node->output_types[0] != DataType::kFloat) continue;
    if (!IsBatchProduct(*node) && !node->Is("Einsum")) continue;
    Output weights;
    Operand v;
    std::string out;
    Between between;
    Scores scores;
    if (!MatchValues(*node, &weights, &v, &out) || !weights.node->Is("Softmax") || !MatchBetween(weights.node->inputs[0], &between) ||
        !MatchScores(*between.product.node, &scores) || !Fits(scores, v, between)) {
      continue;
    }
    Attributes attributes;
    attributes.Set("T", DataType::kFloat);
    attributes.Set("q_layout", scores.q.layout);
    attributes.Set("k_layout", scores.k.layout);
    attributes.Set("v_layout", v.layout);
    attributes.Set("scale", between.scale);
    attributes.Set("num_args", int64_t{between.mask.node != nullptr});
    std::vector<Output> inputs = {scores.q.value, scores.k.value, v.value};
    if (between.mask.node != nullptr) inputs.push_back(between.mask);
    // A transpose of the result alone is drawn in when it leaves the depth last.
    const std::vector<Node*>& readers = uses.Of({node, 0});
    Node* target = node;
    std::vector<int64_t> turn;
    if (readers.size() == 1 && readers[0] != nullptr && readers[0]->Is("Transpose") && readers[0]->controls.empty() &&
        ConstantInts(ConstantOf(readers[0]->inputs[1]), &turn) && turn == std::vector<int64_t>{0, 2, 1, 3} && out.size() == 4) {
      target = readers[0];
      out = {out[0], out[2], out[1], out[3]};
    }
    attributes.Set("out_layout", out);
    Become(context, target, "_Attention", std::move(inputs), std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseAttention(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
