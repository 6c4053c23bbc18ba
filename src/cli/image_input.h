// Pictures as inputs: decoded and resized by the library's own ops, to the shape that the signature wants.
#ifndef SAVEDMODEL_CLI_IMAGE_INPUT_H_
#define SAVEDMODEL_CLI_IMAGE_INPUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "savedmodel/tensor.h"
#include "savedmodel/tensor_shape.h"

namespace savedmodel::cli {

// JPEG, PNG, GIF and BMP, by their first bytes.
bool IsImage(absl::string_view bytes);

// `scale`: "0..1", "-1..1", "raw" (0..255); empty: 0..1 for reals, raw for integers. Shapes: [n,h,w,c], [h,w,c], [n,c,h,w]
// with c of 1, 3 or 4; unknown sizes take the picture's own, an unknown rank gives [1,h,w,3]. An input of strings gets the
// file's bytes.
absl::StatusOr<Tensor> ImageTensor(const std::string& bytes, DataType type, const PartialShape& shape, const std::string& scale, const std::string& file);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_IMAGE_INPUT_H_
