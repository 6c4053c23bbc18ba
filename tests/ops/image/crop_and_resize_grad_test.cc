#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

using D = DataType;

const Tensor kGrads = Floats({1, 2, 2, 1}, {1, 2, 3, 4});
const Tensor kBoxes = Floats({1, 4}, {0.1f, 0.2f, 0.8f, 0.7f});

OpCase Image(const char* method, const Tensor& index = Int32s({1}, {0}), const Tensor& size = Int32s({4}, {1, 3, 3, 1})) {
  OpCase op("CropAndResizeGradImage");
  op.Type("T", D::kFloat).String("method", method).In(kGrads).In(kBoxes).In(index).In(size);
  return op;
}

TEST_CASE("CropAndResizeGradImage spreads over the pixels that were read") {
  Image("bilinear").Gives({Floats({1, 3, 3, 1}, {0.48f, 1.28f, 0.64f, 0.84f, 1.76f, 0.8f, 1.08f, 2.16f, 0.96f})});
  Image("nearest").Gives({Floats({1, 3, 3, 1}, {1, 2, 0, 0, 0, 0, 3, 4, 0})});
  Image("bilinear", Int32s({1}, {1})).Refuses(absl::StatusCode::kOutOfRange, "box_index has values outside");
  Image("bilinear", Int32s({1}, {0}), Int32s({3}, {1, 3, 3})).Refuses(absl::StatusCode::kInvalidArgument, "4 elements");
  Image("bilinear", Int32s({1}, {0}), Int32s({4}, {1, 3, 3, 2})).Refuses(absl::StatusCode::kInvalidArgument, "incompatible");
  Image("bilinear", Int32s({1}, {0}), Int32s({4}, {1, 0, 3, 1})).Refuses(absl::StatusCode::kInvalidArgument, "positive");
  Image("bilinear", Int32s({2}, {0, 0})).Refuses(absl::StatusCode::kInvalidArgument, "incompatible shape");
}

TEST_CASE("CropAndResizeGradBoxes follows the slopes of the image") {
  const auto boxes = [](const Tensor& image) {
    OpCase op("CropAndResizeGradBoxes");
    op.Type("T", D::kFloat).In(kGrads).In(image).In(kBoxes).In(Int32s({1}, {0}));
    return op;
  };
  boxes(Floats({1, 3, 3, 1}, {1, 2, 4, 8, 16, 32, 64, 128, 256})).Gives({Floats({1, 4}, {98, 254.4f, 1724.8f, 684.8f})});
  boxes(Floats({1, 3, 3, 2}, std::vector<float>(18))).Refuses(absl::StatusCode::kInvalidArgument, "depth differ");
  boxes(Floats({1, 0, 3, 1}, {})).Refuses(absl::StatusCode::kInvalidArgument, "positive");
}

}  // namespace
}  // namespace savedmodel
