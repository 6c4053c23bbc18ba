// A vector per channel added to a fused product becomes its bias; another tensor of its shape becomes its residual.
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

bool IsAdd(const Node& node) { return node.Is("AddV2") || node.Is("Add"); }

bool Open(const Uses& uses, const Output& value) {
  return IsFusedProduct(*value.node) && uses.Once(value) && !HasResidual(*value.node) && !HasActivation(*value.node);
}

absl::Status AddToBias(Graph* graph, PassContext& context, Node* product, const Tensor& vector) {
  SM_ASSIGN_OR_RETURN(Tensor bias, BiasOf(*product));
  SM_ASSIGN_OR_RETURN(bias, bias.Clone());
  for (int64_t i = 0; i < bias.num_elements(); ++i) bias.data<float>()[i] += vector.data<float>()[i];
  SetBias(graph, context, product, std::move(bias));
  return absl::OkStatus();
}

absl::Status FuseBias(Graph* graph, PassContext& context) {
  Uses uses(graph);
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  for (Node* node : order) {
    const bool bias_add = (node->Is("BiasAdd") && node->attrs().String("data_format") == "NHWC") || node->Is("BiasAddV1");
    if ((!bias_add && !IsAdd(*node)) || node->inputs.size() != 2) continue;
    for (size_t side = 0; side < (bias_add ? 1 : 2); ++side) {
      const Output from = node->inputs[side];
      if (!Open(uses, from) || !BiasOf(*from.node).ok() || !ShapeOf(from).known_rank()) continue;
      const int64_t channels = ChannelsOf(*from.node);
      const Tensor* vector = ConstantOf(node->inputs[1 - side]);
      // Behind a product with several last dimensions, the bias spans them all.
      const size_t tail = from.node->Is("_MatMulEpilogue") ? from.node->attrs().Ints("tail").size() : 1;
      if (vector == nullptr || vector->dtype() != DataType::kFloat || vector->num_elements() != channels || vector->rank() > ShapeOf(from).rank()) continue;
      if (tail == 1 ? ChannelVector(node->inputs[1 - side], channels) == nullptr
                    : vector->shape() != TensorShape(from.node->attrs().Ints("tail"))) {
        continue;
      }
      SM_RETURN_IF_ERROR(AddToBias(graph, context, from.node, *vector));
      uses.Replace({node, 0}, from);
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status FuseResidual(Graph* graph) {
  Uses uses(graph);
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  absl::flat_hash_map<const Node*, size_t> place;
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  for (Node* node : order) {
    if (!IsAdd(*node) || node->inputs.size() != 2 || node->output_types[0] != DataType::kFloat || node->inputs[0] == node->inputs[1]) continue;
    const PartialShape &a = ShapeOf(node->inputs[0]), &b = ShapeOf(node->inputs[1]);
    if (!a.fully_known() || a != b) continue;
    // The later of the two products takes the other in, which is then there already.
    size_t side = place[node->inputs[0].node] > place[node->inputs[1].node] ? 0 : 1;
    auto open = [&](const Output& value) { return Open(uses, value) && TakesResidual(*value.node); };
    if (!open(node->inputs[side])) side = 1 - side;
    const Output from = node->inputs[side], other = node->inputs[1 - side];
    if (!open(from)) continue;
    SetResidual(from.node, other);
    uses.Replace({node, 0}, from);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseBiases(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return FuseBias(g, context); });
}

absl::Status FuseResiduals(Graph* graph, PassContext&) { return ForEachGraph(graph, FuseResidual); }

}  // namespace savedmodel
