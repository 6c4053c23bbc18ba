// x / c becomes x * (1 / c) where c is known. The reference's optimizer does the same to the bodies of called functions,
// whatever the session's options are, and to nothing else when it is off: so only nodes that came out of calls are changed,
// and both forms give the reference's last bit. Models that stretch tiny differences to the full range depend on it.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/evaluate.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

bool DividesByKnown(const Node& node) {
  if (!node.from_call || !node.error.ok() || !(node.Is("RealDiv") || node.Is("Div")) || node.inputs.size() != 2) return false;
  if (node.constant(0) != nullptr || ConstantOf(node.inputs[1]) == nullptr || !node.inputs[1].node->controls.empty()) return false;
  const DataType type = TypeOf(node.inputs[1]);
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kHalf || type == DataType::kBFloat16;
}

// A new constant holding 1 / value; null where it cannot be computed (the division then stays).
Node* AddReciprocal(Graph* graph, const Node& division, const Tensor& value, PassContext& context) {
  const std::shared_ptr<const OpInfo> reciprocal = context.catalog->Find("Reciprocal");
  if (reciprocal->def == nullptr) return nullptr;
  Attributes type;
  type.Set("T", value.dtype());
  absl::StatusOr<std::vector<Tensor>> made = Evaluate(*reciprocal->def, type, {value}, *context.state, *context.pool);
  if (!made.ok()) return nullptr;
  Attributes attributes;
  attributes.Set("dtype", value.dtype());
  attributes.Set("value", (*made)[0]);
  Node* node = graph->AddNode(absl::StrCat(division.name, "/_reciprocal"), context.catalog->Find("Const"),
                              std::make_shared<const Attributes>(std::move(attributes)), {value.dtype()});
  node->SetConstant(0, std::move((*made)[0]));
  return node;
}

}  // namespace

absl::Status MultiplyReciprocals(Graph* graph, PassContext& context) {
  for (const auto& node : graph->nodes()) {
    for (const auto& body : node->bodies) SM_RETURN_IF_ERROR(MultiplyReciprocals(body.get(), context));
  }
  const std::shared_ptr<const OpInfo> mul = context.catalog->Find("Mul");
  if (mul->def == nullptr) return absl::OkStatus();
  const size_t n = graph->size();
  for (size_t i = 0; i < n; ++i) {
    Node* node = graph->nodes()[i].get();
    if (!DividesByKnown(*node)) continue;
    Node* reciprocal = AddReciprocal(graph, *node, *ConstantOf(node->inputs[1]), context);
    if (reciprocal == nullptr) continue;
    node->info = mul;
    node->inputs[1] = reciprocal->output(0);
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
