// The second output of our depthwise convolutions, where somebody wants it: the mean over the pixels of each image, taken
// while the rows are near. Attributes num_means (0 or 1) and keep_dims, as Mean has it.
#ifndef SAVEDMODEL_OPS_NN_IMAGE_MEANS_H_
#define SAVEDMODEL_OPS_NN_IMAGE_MEANS_H_

#include "kernels/cpu/depthwise.h"
#include "savedmodel/op.h"

namespace savedmodel {

constexpr char kMeansOutput[] = "; means: num_means * T";
constexpr char kMeansAttrs[] = "; num_means: int >= 0 = 0; keep_dims: bool = false";

struct ImageMeans {
  bool wanted = false, keep_dims = false;
};
absl::StatusOr<ImageMeans> ReadImageMeans(const Attributes& attrs);

// [batch, channels], or with dimensions of 1 between them, for images [batch, height, width, channels] of known rank 4.
PartialShape ShapeOfMeans(const ImageMeans& means, const PartialShape& images);
// Gives output 1 out of the sums of rows that `depthwise` made of `images`.
absl::Status GiveImageMeans(KernelContext& context, const ImageMeans& means, const DepthwisePlan& depthwise, const TensorShape& images, const float* row_sums);
// Sets the shape of output 1 where it is wanted.
absl::Status InferImageMeans(InferContext& context, const PartialShape& images);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_IMAGE_MEANS_H_
