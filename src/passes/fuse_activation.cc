// What follows a fused product element by element: Relu and its kin; swish, hard swish and GELU as frameworks spell them out.
#include <algorithm>
#include <cmath>

#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

// The name of an activation op that the products know, null for others.
const char* ActivationOf(const Node& node) {
  for (const char* name : {"Relu", "Relu6", "LeakyRelu", "Elu", "Sigmoid", "Tanh"}) {
    if (node.Is(name)) return name;
  }
  return nullptr;
}

bool Open(const Node& node) { return IsFusedProduct(node) && !HasActivation(node); }

// A tree of products taken apart: scalar * leaves[0] * leaves[1] * ..., and the nodes that it is made of.
struct Factors {
  float scalar = 1;
  std::vector<Output> leaves;
  std::vector<const Node*> nodes;
};

void TakeApart(const Output& value, Factors* factors) {
  const Node& node = *value.node;
  float scalar;
  if (ScalarOf(value, &scalar)) {
    factors->scalar *= scalar;
  } else if (node.Is("Mul") && node.inputs.size() == 2 && factors->nodes.size() < 8) {
    factors->nodes.push_back(&node);
    for (const Output& input : node.inputs) TakeApart(input, factors);
  } else if (node.Is("RealDiv") && ScalarOf(node.inputs[1], &scalar) && factors->nodes.size() < 8) {
    factors->nodes.push_back(&node);
    factors->scalar /= scalar;
    TakeApart(node.inputs[0], factors);
  } else {
    factors->leaves.push_back(value);
  }
}

bool Near(float a, float b) { return std::abs(a - b) <= 1e-5f * std::abs(b); }

// value = other + scalar, in either order.
bool IsSumWith(const Output& value, float scalar, Output* other) {
  const Node& node = *value.node;
  if ((!node.Is("AddV2") && !node.Is("Add")) || node.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    float found;
    if (!ScalarOf(node.inputs[1 - side], &found) || found != scalar) continue;
    *other = node.inputs[side];
    return true;
  }
  return false;
}

// c * x^3 as a product or with Pow or Square, c = 0.044715.
bool IsCube(const Output& value, const Output& x, std::vector<const Node*>* nodes) {
  Factors factors;
  TakeApart(value, &factors);
  if (!Near(factors.scalar, 0.044715f)) return false;
  int power = 0;
  for (const Output& leaf : factors.leaves) {
    float exponent;
    if (leaf == x) {
      ++power;
    } else if (leaf.node->Is("Square") && leaf.node->inputs[0] == x) {
      power += 2;
      nodes->push_back(leaf.node);
    } else if (leaf.node->Is("Pow") && leaf.node->inputs[0] == x && ScalarOf(leaf.node->inputs[1], &exponent) && (exponent == 2 || exponent == 3)) {
      power += static_cast<int>(exponent);
      nodes->push_back(leaf.node);
    } else {
      return false;
    }
  }
  nodes->insert(nodes->end(), factors.nodes.begin(), factors.nodes.end());
  return power == 3;
}

// sqrt(2 / pi) * (x + 0.044715 x^3)
bool IsTanhArgument(const Output& value, const Output& x, std::vector<const Node*>* nodes) {
  Factors factors;
  TakeApart(value, &factors);
  if (factors.leaves.size() != 1 || !Near(factors.scalar, 0.7978845608f)) return false;
  const Node& sum = *factors.leaves[0].node;
  if ((!sum.Is("AddV2") && !sum.Is("Add")) || sum.inputs.size() != 2) return false;
  nodes->insert(nodes->end(), factors.nodes.begin(), factors.nodes.end());
  nodes->push_back(&sum);
  for (size_t side = 0; side < 2; ++side) {
    if (sum.inputs[side] == x && IsCube(sum.inputs[1 - side], x, nodes)) return true;
  }
  return false;
}

// What scalar * x * other is, if it is one of the activations of two factors; `nodes` receives what the spelling is made of.
const char* TwoFactors(float scalar, const Output& x, const Output& other, std::vector<const Node*>* nodes) {
  const Node& node = *other.node;
  nodes->push_back(&node);
  Output inner;
  if (scalar == 1 && node.Is("Sigmoid") && node.inputs[0] == x) return "Swish";
  if (Near(scalar, 1.0f / 6) && node.Is("Relu6") && IsSumWith(node.inputs[0], 3, &inner) && inner == x) {
    nodes->push_back(node.inputs[0].node);
    return "HardSwish";
  }
  if (scalar != 0.5f || !IsSumWith(other, 1, &inner)) return nullptr;
  nodes->push_back(inner.node);
  if (inner.node->Is("Erf")) {
    Factors factors;
    TakeApart(inner.node->inputs[0], &factors);
    nodes->insert(nodes->end(), factors.nodes.begin(), factors.nodes.end());
    return factors.leaves == std::vector<Output>{x} && Near(factors.scalar, 0.70710678f) ? "GeluErf" : nullptr;
  }
  if (inner.node->Is("Tanh")) return IsTanhArgument(inner.node->inputs[0], x, nodes) ? "GeluTanh" : nullptr;
  return nullptr;
}

// The activation that a product of x with a function of x spells. No other node may read x or a part of the spelling.
const char* SpelledOut(const Uses& uses, const Node& root, Output* x) {
  if (!root.Is("Mul") || root.output_types[0] != DataType::kFloat || !root.controls.empty()) return nullptr;
  Factors factors;
  TakeApart({const_cast<Node*>(&root), 0}, &factors);
  if (factors.leaves.size() != 2) return nullptr;
  for (size_t side = 0; side < 2; ++side) {
    *x = factors.leaves[side];
    std::vector<const Node*> nodes = factors.nodes;
    const char* name = TwoFactors(factors.scalar, *x, factors.leaves[1 - side], &nodes);
    if (name == nullptr || ShapeOf(*x) != root.output_shapes[0]) continue;
    const auto inside = [&](const Output& value) {
      return std::all_of(uses.Of(value).begin(), uses.Of(value).end(),
                         [&](const Node* reader) { return std::find(nodes.begin(), nodes.end(), reader) != nodes.end(); });
    };
    const bool closed = std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) {
      return node == &root || inside({const_cast<Node*>(node), 0});
    });
    if (closed && inside(*x)) return name;
  }
  return nullptr;
}

absl::Status Fuse(Graph* graph) {
  Uses uses(graph);
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  // Spellings first: the Sigmoid of a swish alone would be taken for the activation.
  for (Node* node : order) {
    Output x;
    const char* name = SpelledOut(uses, *node, &x);
    if (name == nullptr || !Open(*x.node)) continue;
    SetActivation(x.node, name);
    uses.Replace({node, 0}, x);
  }
  for (Node* node : order) {
    const char* name = ActivationOf(*node);
    if (name == nullptr || node->inputs.size() != 1 || !Open(*node->inputs[0].node) || !uses.Once(node->inputs[0])) continue;
    const Output from = node->inputs[0];
    SetActivation(from.node, name, node->Is("LeakyRelu") ? node->attrs().Float("alpha") : node->Is("Elu") ? 1.0f : 0.0f);
    uses.Replace({node, 0}, from);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseActivations(Graph* graph, PassContext&) { return ForEachGraph(graph, Fuse); }

}  // namespace savedmodel
