// When a depthwise convolution and its neighbours are one _DepthwiseBlock.
#ifndef SAVEDMODEL_OPS_NN_DEPTHWISE_BLOCK_H_
#define SAVEDMODEL_OPS_NN_DEPTHWISE_BLOCK_H_

#include "savedmodel/op.h"

namespace savedmodel {

// Whether the convolution before a depthwise one, or the pointwise one behind it, is quicker together with it, a few rows at a time.
struct DepthwiseBlockPays {
  bool head = false, projection = false;
};
// `depthwise` are the attributes of the depthwise convolution of `images` with `filter`.
DepthwiseBlockPays PaysAsDepthwiseBlock(const Attributes& depthwise, const TensorShape& images, const TensorShape& filter);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_DEPTHWISE_BLOCK_H_
