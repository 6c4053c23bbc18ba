#include "ops/nn/image_means.h"

#include "core/status_macros.h"

namespace savedmodel {

absl::StatusOr<ImageMeans> ReadImageMeans(const Attributes& attrs) {
  SM_CHECK_ARGUMENT(attrs.Int("num_means") <= 1, "num_means is ", attrs.Int("num_means"), ", there is one mean of an image");
  return ImageMeans{attrs.Int("num_means") == 1, attrs.Bool("keep_dims")};
}

PartialShape ShapeOfMeans(const ImageMeans& means, const PartialShape& images) {
  if (means.keep_dims) return PartialShape::Of({images.dim(0), 1, 1, images.dim(3)});
  return PartialShape::Of({images.dim(0), images.dim(3)});
}

absl::Status GiveImageMeans(KernelContext& context, const ImageMeans& means, const DepthwisePlan& depthwise, const TensorShape& images, const float* row_sums) {
  SM_ASSIGN_OR_RETURN(Tensor* output, context.Output(1, ShapeOfMeans(means, images).shape()));
  depthwise.MeansOf(row_sums, output->data<float>());
  return absl::OkStatus();
}

absl::Status InferImageMeans(InferContext& context, const PartialShape& images) {
  SM_ASSIGN_OR_RETURN(const ImageMeans means, ReadImageMeans(context.attrs()));
  if (means.wanted && images.known_rank() && images.rank() == 4) context.set_output(1, ShapeOfMeans(means, images));
  return absl::OkStatus();
}

}  // namespace savedmodel
