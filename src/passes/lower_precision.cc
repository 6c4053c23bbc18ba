// For a device that keeps values in two bytes: convolutions and products take and give bfloat16 (or half), and so does what
// stands between them, where it only moves values or does little arithmetic. Casts stand where a value crosses over; what
// no convolution or product reads any more stays float.
#include <algorithm>
#include <cstring>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

// What the device has in two bytes for the sake of speed.
bool IsAnchor(const Node& node) {
  if (node.Is("_ConvEpilogue") || node.Is("_ConvTransposeEpilogue") || node.Is("_MatMulEpilogue")) return ConstantOf(node.inputs[1]) != nullptr;
  for (const char* op : {"_Attention", "MatMul", "BatchMatMul", "BatchMatMulV2", "Conv2D", "DepthwiseConv2dNative"}) {
    if (node.Is(op)) return true;
  }
  return node.Is("Einsum") && node.inputs.size() == 2;
}

// What follows the type of what it reads.
bool IsFollower(const Node& node) {
  static const auto* const kOps = new absl::flat_hash_set<std::string>{
      "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Erf", "Abs", "Neg", "Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "Maximum",
      "Minimum", "ClipByValue", "BiasAdd", "Softmax", "Mean", "Max", "MaxPool", "AvgPool", "_LayerNorm", "Identity", "StopGradient", "Reshape", "Squeeze",
      "ExpandDims", "Transpose", "Concat", "ConcatV2", "Split", "SplitV", "Pack", "Unpack", "Slice", "StridedSlice", "Pad", "PadV2", "MirrorPad", "Tile",
      "BroadcastTo", "GatherV2", "DepthToSpace", "SpaceToDepth", "SpaceToBatchND", "BatchToSpaceND", "ResizeNearestNeighbor"};
  return kOps->contains(node.op());
}

// Per tensor of the arguments: whether attribute `name` tells its dtype.
std::vector<char> TypedBy(const std::vector<ArgSchema>& args, const Attributes& attributes, const std::string& name, size_t count) {
  std::vector<int> counts;
  std::vector<char> typed;
  if (!FlatTypes(args, attributes, &counts).ok()) return std::vector<char>(count, 0);
  for (size_t a = 0; a < args.size(); ++a) typed.insert(typed.end(), static_cast<size_t>(counts[a]), args[a].type_attr == name);
  typed.resize(count);
  return typed;
}

class Lowering {
 public:
  Lowering(Graph* graph, PassContext& context, DataType low) : graph_(graph), context_(context), low_type_(low), uses_(graph) {}

  absl::Status Run() {
    SM_ASSIGN_OR_RETURN(const std::vector<Node*> order, graph_->TopologicalOrder());
    for (Node* node : order) {
      if (CanChange(*node) && (IsAnchor(*node) || (IsFollower(*node) && ReadsLow(*node)))) low_.insert(node);
    }
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (low_.contains(*it) && !IsAnchor(**it) && !ReadByLow(**it)) low_.erase(*it);
    }
    // The readers are found before the graph changes.
    for (Node* node : order) {
      if (low_.contains(node) && node->Is("_MatMulEpilogue") && !ReadByLow(*node)) float_results_.insert(node);
    }
    for (Node* node : order) {
      if (low_.contains(node)) Change(node);
    }
    for (Node* node : order) {
      if (!low_.contains(node)) RaiseInputs(node);
    }
    for (Output& result : graph_->results) {
      if (IsLow(result)) result = Cast(result, DataType::kFloat);
    }
    return absl::OkStatus();
  }

 private:
  static std::string TypeAttr(const Node& node) {
    return node.info->schema == nullptr || node.info->schema->outputs.empty() ? "" : node.Is("_MatMulEpilogue") ? "T" : node.info->schema->outputs[0].type_attr;
  }

  bool CanChange(const Node& node) const {
    if (!node.error.ok() || node.def() == nullptr || node.num_outputs() == 0 || node.constant(0) != nullptr || !node.bodies.empty() ||
        absl::StrContains(node.device, "CPU") || context_.accelerator->FindKernel(*node.def()) == nullptr) {
      return false;
    }
    const std::string attr = TypeAttr(node);
    return !attr.empty() && node.attrs().Type(attr) == DataType::kFloat && node.output_types[0] == DataType::kFloat;
  }

  // Whether the value will be in two bytes.
  bool IsLow(const Output& value) const {
    return low_.contains(value.node) && !float_results_.contains(value.node) && (changed_.contains(value.node) ? TypeOf(value) == low_type_ : Typed(*value.node, value.index));
  }
  static bool Typed(const Node& node, int output) {
    return TypedBy(node.info->schema->outputs, node.attrs(), node.Is("_MatMulEpilogue") ? "Tout" : TypeAttr(node), node.output_types.size())[static_cast<size_t>(output)];
  }

  bool ReadsLow(const Node& node) const {
    const std::vector<char> typed = TypedBy(node.info->schema->inputs, node.attrs(), TypeAttr(node), node.inputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (typed[i] && IsLow(node.inputs[i])) return true;
    }
    return false;
  }

  bool ReadByLow(Node& node) const {
    for (int i = 0; i < node.num_outputs(); ++i) {
      for (const Node* reader : uses_.Of(node.output(i))) {
        if (reader != nullptr && low_.contains(reader)) return true;
      }
    }
    return false;
  }

  void Change(Node* node) {
    const std::string attr = TypeAttr(*node);
    const bool product = node->Is("_MatMulEpilogue"), float_result = float_results_.contains(node);
    const std::vector<char> in = TypedBy(node->info->schema->inputs, node->attrs(), attr, node->inputs.size());
    const std::vector<char> args = product ? TypedBy(node->info->schema->inputs, node->attrs(), "Tout", node->inputs.size()) : std::vector<char>(in.size(), 0);
    const std::vector<char> out = TypedBy(node->info->schema->outputs, node->attrs(), product ? "Tout" : attr, node->output_types.size());
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const bool wants_low = in[i] || (args[i] && !float_result);
      if (wants_low && !IsLow(node->inputs[i])) node->inputs[i] = Cast(node->inputs[i], low_type_);
      if (!wants_low && IsLow(node->inputs[i])) node->inputs[i] = Cast(node->inputs[i], DataType::kFloat);
    }
    SetAttr(node, attr, low_type_);
    if (product && !float_result) SetAttr(node, "Tout", low_type_);
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] && !float_result) node->output_types[i] = low_type_;
    }
    changed_.insert(node);
  }

  void RaiseInputs(Node* node) {
    for (Output& input : node->inputs) {
      if (IsLow(input)) input = Cast(input, DataType::kFloat);
    }
  }

  // The value in the other type, once for all readers; constants are converted here.
  Output Cast(const Output& value, DataType to) {
    auto found = casts_.find(value);
    if (found != casts_.end()) return found->second;
    Output made;
    if (const Tensor* constant = ConstantOf(value); constant != nullptr && to == low_type_) {
      made = AddConstant(graph_, context_, absl::StrCat(value.node->name, "/", DataTypeName(to)), Converted(*constant));
    } else {
      Attributes attributes;
      attributes.Set("SrcT", TypeOf(value));
      attributes.Set("DstT", to);
      attributes.Set("Truncate", false);
      Node* node = graph_->AddNode(absl::StrCat(value.node->name, "/", value.index, "/", DataTypeName(to)), context_.catalog->Find("Cast"),
                                   std::make_shared<const Attributes>(std::move(attributes)), {to});
      node->inputs = {value};
      node->output_shapes[0] = ShapeOf(value);
      node->device = value.node->device;
      made = {node, 0};
    }
    casts_.emplace(value, made);
    return made;
  }

  Tensor Converted(const Tensor& from) const {
    Tensor to = Tensor::Allocate(low_type_, from.shape()).value();
    for (int64_t i = 0; i < from.num_elements(); ++i) {
      if (low_type_ == DataType::kHalf) to.data<Half>()[i] = Half(from.data<float>()[i]);
      else to.data<BFloat16>()[i] = BFloat16(from.data<float>()[i]);
    }
    return to;
  }

  Graph* const graph_;
  PassContext& context_;
  const DataType low_type_;
  const Uses uses_;
  absl::flat_hash_set<const Node*> low_, float_results_, changed_;
  absl::flat_hash_map<Output, Output> casts_;
};

}  // namespace

// The graph itself only: what loops and branches hand over stays float.
absl::Status LowerPrecision(Graph* graph, PassContext& context) {
  if (context.accelerator == nullptr) return absl::OkStatus();
  const DataType low = context.accelerator->activations();
  if (low != DataType::kBFloat16 && low != DataType::kHalf) return absl::OkStatus();
  SM_RETURN_IF_ERROR(Lowering(graph, context, low).Run());
  RemoveUnreachable(graph);
  return absl::OkStatus();
}

}  // namespace savedmodel
