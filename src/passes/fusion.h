// What the fusing passes share: who uses a value, and how a fused product is changed.
//
// A fused product is a node _ConvEpilogue, _ConvTransposeEpilogue (without residual) or _MatMulEpilogue: activation(product + bias + residual). fuse_products makes
// them; the passes after it draw in what follows, in the order of that formula.
#ifndef SAVEDMODEL_PASSES_FUSION_H_
#define SAVEDMODEL_PASSES_FUSION_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "graph/graph.h"
#include "passes/pass.h"

namespace savedmodel {

// The uses of values as they are when this is made; Replace keeps them current.
class Uses {
 public:
  explicit Uses(Graph* graph);
  // Nodes that read the value, once per input; results of the graph count with a null node.
  const std::vector<Node*>& Of(const Output& value) const;
  bool Once(const Output& value) const { return Of(value).size() == 1; }
  // All readers of `from` read `to` from now on.
  void Replace(const Output& from, const Output& to);

 private:
  Graph* graph_;
  absl::flat_hash_map<Output, std::vector<Node*>> uses_;
};

inline bool IsFusedProduct(const Node& node) { return node.Is("_ConvEpilogue") || node.Is("_MatMulEpilogue") || node.Is("_ConvTransposeEpilogue"); }
inline bool HasBias(const Node& node) { return node.attrs().Bool("bias"); }
inline bool HasResidual(const Node& node) { return node.attrs().Bool("residual"); }
inline bool TakesResidual(const Node& node) { return !node.Is("_ConvTransposeEpilogue"); }
inline bool HasActivation(const Node& node) { return !node.attrs().String("activation").empty(); }
// Channels of the output: what a bias has one number for.
int64_t ChannelsOf(const Node& product);

// Changes one attribute (attributes are shared, so the node gets a changed copy).
void SetAttr(Node* node, const std::string& name, AttrValue value);
// Gives the product a bias, or replaces the one it has.
void SetBias(Graph* graph, PassContext& context, Node* product, Tensor bias);
void SetResidual(Node* product, const Output& residual);
void SetActivation(Node* product, const std::string& activation, float alpha = 0);
// The product's bias, zeros if it has none; null if it is not known before the run.
absl::StatusOr<Tensor> BiasOf(const Node& product);

// Whether every stride or dilation is 1.
bool AllOnes(const std::vector<int64_t>& values);
// Whether a fused convolution (not depthwise) is one pixel wide and visits every pixel.
bool IsPointwise(const Node& convolution);

// A new constant.
Output AddConstant(Graph* graph, PassContext& context, const std::string& name, Tensor value);

// Makes the node a Reshape of `from` to `shape`.
void BecomeReshape(Graph* graph, PassContext& context, Node* node, const Output& from, const TensorShape& shape);
// Makes the node another op with these inputs; dtype and shape of its one output stay.
void Become(PassContext& context, Node* node, const char* op, std::vector<Output> inputs, Attributes attributes);

// Float constants: the single value of a tensor of one element; false otherwise.
bool ScalarOf(const Output& value, float* scalar);
// A float constant that broadcasts along the last dimension only and has `channels` values there.
const Tensor* ChannelVector(const Output& value, int64_t channels);

// Calls `fuse` for the graph and all bodies in it.
absl::Status ForEachGraph(Graph* graph, const std::function<absl::Status(Graph*)>& fuse);

}  // namespace savedmodel

#endif  // SAVEDMODEL_PASSES_FUSION_H_
