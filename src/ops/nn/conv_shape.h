// From the sizes of a convolution op to those of the fast kernels.
#ifndef SAVEDMODEL_OPS_NN_CONV_SHAPE_H_
#define SAVEDMODEL_OPS_NN_CONV_SHAPE_H_

#include "kernels/cpu/conv2d_shape.h"
#include "ops/nn/convolution.h"

namespace savedmodel {

// Two spatial dimensions. For a depthwise filter `groups` stays 1: DepthwisePlan knows.
absl::StatusOr<Conv2dShape> ConvShapeOf(const ConvSizes& sizes);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_CONV_SHAPE_H_
