// When a pointwise convolution and the depthwise convolution behind it are one _ExpandDepthwise.
#ifndef SAVEDMODEL_OPS_NN_EXPAND_DEPTHWISE_H_
#define SAVEDMODEL_OPS_NN_EXPAND_DEPTHWISE_H_

#include "savedmodel/op.h"

namespace savedmodel {

// Whether that is quicker, for the depthwise convolution's attributes, its input [batch, height, width, channels] and its
// filter [height, width, channels, multiplier]: the image between them is too large for the caches.
bool ExpansionIsWorthIt(const Attributes& depthwise, const TensorShape& wide, const TensorShape& filter);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_EXPAND_DEPTHWISE_H_
