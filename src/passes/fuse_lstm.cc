// An LSTM layer written as a loop over time, as Keras writes it: While with the sequence in one TensorList and the results in
// another. The loop becomes _LstmLayer: the products with the inputs of all steps are one product, and a step is what is left.
//
//   z = x[t] W + h U + bias;  i, f, g, o = split(z) in some order
//   c = sigmoid(f) * c + sigmoid(i) * tanh(g);  h = sigmoid(o) * tanh(c)
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shape_rules.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool IsAdd(const Output& value) { return (value.node->Is("AddV2") || value.node->Is("Add")) && value.node->inputs.size() == 2; }
bool IsUnary(const Output& value, const char* op) { return value.node->Is(op) && value.node->inputs.size() == 1; }

// What the loop is made of. Positions are those of the loop's variables.
struct Layer {
  int sequence = -1, outputs = -1, h = -1, c = -1;
  Output w, u, bias;  // in the body, known before the run
  bool all_outputs = false;
  int64_t gates[4] = {};  // parts of z that are i, f, g, o
  int64_t steps = 0;
};

class Matcher {
 public:
  explicit Matcher(const Node& loop) : loop_(loop), cond_(*loop.bodies[0]), body_(*loop.bodies[1]) {}

  bool Match(Layer* layer) {
    return body_.args.size() == loop_.inputs.size() && cond_.args.size() == body_.args.size() && body_.results.size() == body_.args.size() &&
           cond_.results.size() == 1 && MatchCell(layer) && MatchLists(layer) && MatchCount(layer) && NothingElse(*layer);
  }

 private:
  int ArgOf(const Graph& graph, const Output& value) const {
    auto it = std::find(graph.args.begin(), graph.args.end(), value.node);
    return it == graph.args.end() ? -1 : static_cast<int>(it - graph.args.begin());
  }
  bool Invariant(int arg) const { return body_.results[static_cast<size_t>(arg)] == Output{body_.args[static_cast<size_t>(arg)], 0}; }

  // sigmoid or tanh of a part of the split: which part, -1 for anything else.
  int64_t PartOf(const Output& value, const char* op) {
    if (!IsUnary(value, op)) return -1;
    const Output& part = value.node->inputs[0];
    if (!part.node->Is("Split") || (split_ != nullptr && split_ != part.node)) return -1;
    split_ = part.node;
    return part.index;
  }

  // h = sigmoid(o) * tanh(c') and c' = sigmoid(f) * c + sigmoid(i) * tanh(g).
  bool MatchCell(Layer* layer) {
    for (size_t r = 0; r < body_.results.size(); ++r) {
      split_ = nullptr;
      layer->h = static_cast<int>(r);
      if (MatchOutput(body_.results[r], layer) && MatchSums(layer)) return true;
    }
    return false;
  }

  bool MatchOutput(const Output& h, Layer* layer) {
    if (!h.node->Is("Mul")) return false;
    for (size_t side = 0; side < 2; ++side) {
      const Output &gate = h.node->inputs[side], &squashed = h.node->inputs[1 - side];
      layer->gates[3] = PartOf(gate, "Sigmoid");
      if (layer->gates[3] < 0 || !IsUnary(squashed, "Tanh")) continue;
      const Output& c = squashed.node->inputs[0];
      auto it = std::find(body_.results.begin(), body_.results.end(), c);
      if (it == body_.results.end() || !IsAdd(c)) continue;
      layer->c = static_cast<int>(it - body_.results.begin());
      for (size_t k = 0; k < 2; ++k) {
        if (MatchState(c.node->inputs[k], c.node->inputs[1 - k], layer)) return true;
      }
    }
    return false;
  }

  bool MatchState(const Output& kept, const Output& added, Layer* layer) {
    if (!kept.node->Is("Mul") || !added.node->Is("Mul")) return false;
    for (size_t side = 0; side < 2; ++side) {
      if (kept.node->inputs[1 - side] != Output{body_.args[static_cast<size_t>(layer->c)], 0}) continue;
      layer->gates[1] = PartOf(kept.node->inputs[side], "Sigmoid");
    }
    for (size_t side = 0; side < 2; ++side) {
      layer->gates[0] = PartOf(added.node->inputs[side], "Sigmoid");
      layer->gates[2] = PartOf(added.node->inputs[1 - side], "Tanh");
      if (layer->gates[0] >= 0 && layer->gates[2] >= 0) break;
    }
    int64_t sorted[4];
    std::copy_n(layer->gates, 4, sorted);
    std::sort(sorted, sorted + 4);
    return sorted[0] == 0 && sorted[1] == 1 && sorted[2] == 2 && sorted[3] == 3;
  }

  // z = x W + h U + bias, split in four along the units.
  bool MatchSums(Layer* layer) {
    std::vector<int64_t> axis;
    if (split_->num_outputs() != 4 || !ConstantInts(ConstantOf(split_->inputs[0]), &axis) || axis.size() != 1 || (axis[0] != 1 && axis[0] != -1)) return false;
    Output z = split_->inputs[1];
    const bool bias_add = z.node->Is("BiasAdd") && z.node->attrs().String("data_format") == "NHWC";
    if (!bias_add && !IsAdd(z)) return false;
    const size_t side = bias_add || ConstantOf(z.node->inputs[1]) != nullptr ? 0 : 1;
    layer->bias = z.node->inputs[1 - side];
    z = z.node->inputs[side];
    const Output h = {body_.args[static_cast<size_t>(layer->h)], 0};
    if (!IsAdd(z)) return false;
    for (size_t k = 0; k < 2; ++k) {
      const Node &x_product = *z.node->inputs[k].node, &h_product = *z.node->inputs[1 - k].node;
      if (!IsPlainProduct(x_product) || !IsPlainProduct(h_product) || h_product.inputs[0] != h) continue;
      item_ = x_product.inputs[0];
      layer->w = x_product.inputs[1];
      layer->u = h_product.inputs[1];
      return FitWeights(*layer);
    }
    return false;
  }

  static bool IsPlainProduct(const Node& node) {
    return node.Is("MatMul") && !node.attrs().Bool("transpose_a") && !node.attrs().Bool("transpose_b");
  }

  static bool FitWeights(const Layer& layer) {
    const Tensor *w = ConstantOf(layer.w), *u = ConstantOf(layer.u), *bias = ConstantOf(layer.bias);
    for (const Tensor* weights : {w, u, bias}) {
      if (weights == nullptr || weights->dtype() != DataType::kFloat) return false;
    }
    if (w->rank() != 2 || u->rank() != 2 || bias->rank() != 1) return false;
    const int64_t units = u->dim(0);
    return units > 0 && u->dim(1) == 4 * units && w->dim(1) == 4 * units && bias->dim(0) == 4 * units && w->dim(0) > 0;
  }

  // x[t] comes out of a list that stays, h goes into another: at t, or always at 0 where only the last is wanted.
  bool MatchLists(Layer* layer) {
    if (!item_.node->Is("TensorListGetItem")) return false;
    layer->sequence = ArgOf(body_, item_.node->inputs[0]);
    time_ = ArgOf(body_, item_.node->inputs[1]);
    if (layer->sequence < 0 || !Invariant(layer->sequence) || time_ < 0) return false;
    for (size_t r = 0; r < body_.results.size(); ++r) {
      const Node& set = *body_.results[r].node;
      if (!set.Is("TensorListSetItem") || ArgOf(body_, set.inputs[0]) != static_cast<int>(r) ||
          set.inputs[2] != body_.results[static_cast<size_t>(layer->h)]) {
        continue;
      }
      layer->outputs = static_cast<int>(r);
      layer->all_outputs = ArgOf(body_, set.inputs[1]) == time_;
      return layer->all_outputs || IsInt(ConstantOf(set.inputs[1]), 0);
    }
    return false;
  }

  static bool IsInt(const Tensor* tensor, int64_t wanted) {
    std::vector<int64_t> values;
    return ConstantInts(tensor, &values) && values.size() == 1 && values[0] == wanted;
  }

  // A variable that counts 0, 1, 2 ...
  bool Counts(int arg) const {
    const Output& next = body_.results[static_cast<size_t>(arg)];
    if (!IsInt(ConstantOf(loop_.inputs[static_cast<size_t>(arg)]), 0) || !IsAdd(next)) return false;
    for (size_t side = 0; side < 2; ++side) {
      if (ArgOf(body_, next.node->inputs[side]) == arg && IsInt(ConstantOf(next.node->inputs[1 - side]), 1)) return true;
    }
    return false;
  }

  bool MatchLimit(const Output& value, int64_t* limit) {
    if (!value.node->Is("Less")) return false;
    const int counter = ArgOf(cond_, value.node->inputs[0]);
    std::vector<int64_t> bound;
    if (counter < 0 || !Counts(counter) || !ConstantInts(ConstantOf(value.node->inputs[1]), &bound) || bound.size() != 1) return false;
    counters_.push_back(counter);
    *limit = std::min(*limit, bound[0]);
    return true;
  }

  bool MatchCount(Layer* layer) {
    int64_t limit = INT64_MAX;
    const Output& test = cond_.results[0];
    const bool both = test.node->Is("LogicalAnd");
    if (both ? !MatchLimit(test.node->inputs[0], &limit) || !MatchLimit(test.node->inputs[1], &limit) : !MatchLimit(test, &limit)) return false;
    if (!Counts(time_)) return false;
    counters_.push_back(time_);
    layer->steps = limit;
    const Node& from = *loop_.inputs[static_cast<size_t>(layer->sequence)].node;
    const Node& reserve = *loop_.inputs[static_cast<size_t>(layer->outputs)].node;
    if (!from.Is("TensorListFromTensor") || !reserve.Is("TensorListReserve") || limit < 1) return false;
    const PartialShape& x = ShapeOf(from.inputs[0]);
    const PartialShape &h = ShapeOf(loop_.inputs[static_cast<size_t>(layer->h)]), &c = ShapeOf(loop_.inputs[static_cast<size_t>(layer->c)]);
    if (!x.fully_known() || x.rank() != 3 || x.dim(0) != limit || x.dim(2) != ConstantOf(layer->w)->dim(0) || x.dim(1) < 1) return false;
    const PartialShape state = PartialShape::Of({x.dim(1), ConstantOf(layer->u)->dim(0)});
    return h == state && c == state && IsInt(ConstantOf(reserve.inputs[1]), layer->all_outputs ? limit : 1);
  }

  // Every other variable stays as it is or counts, and no node has an effect of its own.
  bool NothingElse(const Layer& layer) const {
    for (int i = 0; i < static_cast<int>(body_.args.size()); ++i) {
      if (i == layer.h || i == layer.c || i == layer.outputs || Invariant(i) || Counts(i)) continue;
      return false;
    }
    for (const Graph* graph : {&cond_, &body_}) {
      for (const auto& node : graph->nodes()) {
        if (!node->error.ok() || node->keep || node->stateful()) return false;
      }
    }
    return true;
  }

  const Node& loop_;
  const Graph &cond_, &body_;
  Node* split_ = nullptr;
  Output item_;
  int time_ = -1;
  std::vector<int> counters_;
};

bool IsWhile(const Node& n) { return n.Is("While") || n.Is("StatelessWhile") || n.Is("_While"); }

void Replace(Graph* graph, PassContext& context, Node* loop, const Layer& layer, Uses* uses) {
  auto constant = [&](const Output& value, const char* what) {
    return AddConstant(graph, context, absl::StrCat(loop->name, "/", what), *ConstantOf(value));
  };
  const Output x = loop->inputs[static_cast<size_t>(layer.sequence)].node->inputs[0];
  const TensorShape sequence = ShapeOf(x).shape();
  const int64_t units = ConstantOf(layer.u)->dim(0);
  Attributes attributes;
  attributes.Set("T", DataType::kFloat);
  attributes.Set("gates", std::vector<int64_t>(layer.gates, layer.gates + 4));
  attributes.Set("all_outputs", layer.all_outputs);
  Node* node = graph->AddNode(absl::StrCat(loop->name, "/layer"), context.catalog->Find("_LstmLayer"), std::make_shared<const Attributes>(std::move(attributes)),
                              std::vector<DataType>(3, DataType::kFloat));
  node->inputs = {x, loop->inputs[static_cast<size_t>(layer.h)], loop->inputs[static_cast<size_t>(layer.c)]};
  for (auto [weights, name] : {std::pair(layer.w, "w"), std::pair(layer.u, "u"), std::pair(layer.bias, "bias")}) node->inputs.push_back(constant(weights, name));
  node->controls = loop->controls;
  const TensorShape outputs({layer.all_outputs ? layer.steps : 1, sequence.dim(1), units}), state({sequence.dim(1), units});
  node->output_shapes = {outputs, state, state};

  uses->Replace({loop, layer.h}, {node, 1});
  uses->Replace({loop, layer.c}, {node, 2});
  // The list of results is read by stacking it.
  const std::vector<Node*> readers = uses->Of({loop, layer.outputs});
  for (Node* reader : readers) uses->Replace({reader, 0}, {node, 0});
  for (int i = 0; i < loop->num_outputs(); ++i) {
    if (i == layer.h || i == layer.c || i == layer.outputs || uses->Of({loop, i}).empty()) continue;
    const bool stays = loop->bodies[1]->results[static_cast<size_t>(i)] == Output{loop->bodies[1]->args[static_cast<size_t>(i)], 0};
    if (stays) {
      uses->Replace({loop, i}, loop->inputs[static_cast<size_t>(i)]);
    } else {
      uses->Replace({loop, i}, AddConstant(graph, context, absl::StrCat(loop->name, "/count_", i), Tensor::Scalar<int32_t>(static_cast<int32_t>(layer.steps))));
    }
  }
}

// Fuses the loops whose shapes are known; `any` tells whether there were some.
absl::Status Fuse(Graph* graph, PassContext& context, bool* any) {
  Uses uses(graph);
  for (size_t n = 0; n < graph->size(); ++n) {
    Node* loop = graph->nodes()[n].get();
    Layer layer;
    if (!IsWhile(*loop) || loop->bodies.size() != 2 || !loop->error.ok() || !Matcher(*loop).Match(&layer)) continue;
    bool fits = true;
    for (int i = 0; i < loop->num_outputs(); ++i) {
      const DataType type = loop->output_types[static_cast<size_t>(i)];
      const bool stays = loop->bodies[1]->results[static_cast<size_t>(i)] == Output{loop->bodies[1]->args[static_cast<size_t>(i)], 0};
      for (const Node* reader : uses.Of({loop, i})) {
        if (i == layer.outputs) fits = fits && reader != nullptr && reader->Is("TensorListStack") && reader->controls.empty();
        else if (i != layer.h && i != layer.c && !stays) fits = fits && type == DataType::kInt32;
      }
    }
    if (!fits) continue;
    Replace(graph, context, loop, layer, &uses);
    *any = true;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseLstm(Graph* graph, PassContext& context) {
  // What comes out of a layer has a shape, which the next layer may have been waiting for.
  for (bool any = true; any;) {
    any = false;
    SM_RETURN_IF_ERROR(ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context, &any); }));
    if (!any) break;
    SM_RETURN_IF_ERROR(Fold(graph, context));
    SM_RETURN_IF_ERROR(RemoveIdentities(graph, context));
    SM_RETURN_IF_ERROR(SimplifyGraph(graph, context));
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
