#include "passes/fusion.h"

#include <algorithm>
#include <cstring>

#include "core/status_macros.h"

namespace savedmodel {

Uses::Uses(Graph* graph) : graph_(graph) {
  for (const auto& node : graph->nodes()) {
    for (const Output& input : node->inputs) uses_[input].push_back(node.get());
  }
  for (const Output& result : graph->results) uses_[result].push_back(nullptr);
}

const std::vector<Node*>& Uses::Of(const Output& value) const {
  static const std::vector<Node*>* const kNone = new std::vector<Node*>();
  auto it = uses_.find(value);
  return it == uses_.end() ? *kNone : it->second;
}

void Uses::Replace(const Output& from, const Output& to) {
  const std::vector<Node*> readers = Of(from);
  for (Node* reader : readers) {
    if (reader == nullptr) {
      std::replace(graph_->results.begin(), graph_->results.end(), from, to);
    } else {
      std::replace(reader->inputs.begin(), reader->inputs.end(), from, to);
    }
  }
  // `to` may have been read by `from`'s node alone, which nobody reads any more.
  std::vector<Node*>& now = uses_[to];
  now.erase(std::remove(now.begin(), now.end(), from.node), now.end());
  now.insert(now.end(), readers.begin(), readers.end());
  uses_.erase(from);
}

int64_t ChannelsOf(const Node& product) {
  const Tensor* weights = ConstantOf(product.inputs[1]);
  if (product.Is("_MatMulEpilogue")) return weights->num_elements() / product.attrs().Int("k");
  if (product.Is("_ConvTransposeEpilogue")) return weights->dim(2);
  return product.attrs().Bool("depthwise") ? weights->dim(2) * weights->dim(3) : weights->dim(3);
}

bool AllOnes(const std::vector<int64_t>& values) {
  return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 1; });
}

bool IsPointwise(const Node& convolution) {
  const Tensor& filter = *ConstantOf(convolution.inputs[1]);
  const std::string& padding = convolution.attrs().String("padding");
  return filter.dim(0) == 1 && filter.dim(1) == 1 && AllOnes(convolution.attrs().Ints("strides")) && (padding == "SAME" || padding == "VALID");
}

void SetAttr(Node* node, const std::string& name, AttrValue value) {
  auto changed = std::make_shared<Attributes>(node->attrs());
  changed->Set(name, std::move(value));
  node->attributes = std::move(changed);
}

Output AddConstant(Graph* graph, PassContext& context, const std::string& name, Tensor value) {
  Attributes attributes;
  attributes.Set("dtype", value.dtype());
  attributes.Set("value", value);
  Node* node = graph->AddNode(name, context.catalog->Find("Const"), std::make_shared<const Attributes>(std::move(attributes)), {value.dtype()});
  node->SetConstant(0, std::move(value));
  return {node, 0};
}

void SetBias(Graph* graph, PassContext& context, Node* product, Tensor bias) {
  const Output value = AddConstant(graph, context, product->name + "/bias", std::move(bias));
  if (HasBias(*product)) {
    product->inputs[2] = value;
    return;
  }
  product->inputs.insert(product->inputs.begin() + 2, value);
  SetAttr(product, "bias", true);
  SetAttr(product, "num_args", static_cast<int64_t>(product->inputs.size()) - 2);
}

void SetResidual(Node* product, const Output& residual) {
  product->inputs.push_back(residual);
  SetAttr(product, "residual", true);
  SetAttr(product, "num_args", static_cast<int64_t>(product->inputs.size()) - 2);
}

void SetActivation(Node* product, const std::string& activation, float alpha) {
  SetAttr(product, "activation", activation);
  SetAttr(product, "alpha", alpha);
}

absl::StatusOr<Tensor> BiasOf(const Node& product) {
  const int64_t channels = ChannelsOf(product);
  if (HasBias(product)) {
    const Tensor* bias = ConstantOf(product.inputs[2]);
    if (bias == nullptr) return absl::NotFoundError("the bias is not known before the run");
    return bias->Reshaped({channels});
  }
  SM_ASSIGN_OR_RETURN(Tensor zeros, Tensor::Allocate(DataType::kFloat, {channels}));
  std::memset(zeros.raw(), 0, zeros.bytes());
  return zeros;
}

void Become(PassContext& context, Node* node, const char* op, std::vector<Output> inputs, Attributes attributes) {
  node->info = context.catalog->Find(op);
  node->attributes = std::make_shared<const Attributes>(std::move(attributes));
  node->inputs = std::move(inputs);
}

void BecomeReshape(Graph* graph, PassContext& context, Node* node, const Output& from, const TensorShape& shape) {
  Tensor dims = Tensor::Allocate(DataType::kInt64, {shape.rank()}).value();
  std::copy(shape.dims().begin(), shape.dims().end(), dims.data<int64_t>());
  Attributes attributes;
  attributes.Set("T", TypeOf(from));
  attributes.Set("Tshape", DataType::kInt64);
  const Output size = AddConstant(graph, context, node->name + "/shape", std::move(dims));
  Become(context, node, "Reshape", {from, size}, std::move(attributes));
  node->output_shapes[0] = shape;
}

bool ScalarOf(const Output& value, float* scalar) {
  const Tensor* constant = ConstantOf(value);
  if (constant == nullptr || constant->dtype() != DataType::kFloat || constant->num_elements() != 1) return false;
  *scalar = constant->scalar<float>();
  return true;
}

const Tensor* ChannelVector(const Output& value, int64_t channels) {
  const Tensor* constant = ConstantOf(value);
  if (constant == nullptr || constant->dtype() != DataType::kFloat || constant->num_elements() != channels || constant->rank() < 1) return nullptr;
  return constant->dim(constant->rank() - 1) == channels ? constant : nullptr;
}

absl::Status ForEachGraph(Graph* graph, const std::function<absl::Status(Graph*)>& fuse) {
  SM_RETURN_IF_ERROR(fuse(graph));
  for (size_t i = 0; i < graph->size(); ++i) {
    for (const auto& body : graph->nodes()[i]->bodies) SM_RETURN_IF_ERROR(ForEachGraph(body.get(), fuse));
  }
  RemoveUnreachable(graph);
  return absl::OkStatus();
}

}  // namespace savedmodel
