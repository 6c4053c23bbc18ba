#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

using absl::StatusCode;

Tensor Text(const std::string& bytes) { return Tensor::Scalar<std::string>(bytes); }
Tensor Bytes(const TensorShape& shape, const std::vector<uint8_t>& values) { return Values<uint8_t>(shape, values); }

std::string Encoded(const std::string& op, const Tensor& image) {
  OpCase c(op);
  const auto outputs = c.In(image).Run();
  REQUIRE(outputs.ok());
  return (*outputs)[0].scalar<std::string>();
}

TEST_CASE("PNG comes back as it was") {
  const Tensor image = Bytes({1, 2, 3}, {1, 2, 3, 250, 251, 252});
  const std::string file = Encoded("EncodePng", image);
  OpCase("DecodePng").In(Text(file)).Gives({image});
  OpCase("DecodeImage").Int("channels", 4).In(Text(file)).Gives({Bytes({1, 2, 4}, {1, 2, 3, 255, 250, 251, 252, 255})});
  OpCase("DecodePng").Type("dtype", DataType::kUInt16).In(Text(file)).Gives({Values<uint16_t>({1, 2, 3}, {257, 514, 771, 64250, 64507, 64764})});
  for (size_t length = 1; length + 1 < file.size(); ++length) {
    OpCase("DecodePng").In(Text(file.substr(0, length))).Refuses(StatusCode::kInvalidArgument);
  }
}

TEST_CASE("JPEG keeps its shape, and refuses what is cut off") {
  const Tensor image = Bytes({2, 2, 1}, {128, 128, 128, 128});
  const std::string file = Encoded("EncodeJpeg", image);
  OpCase("DecodeJpeg").In(Text(file)).Gives({image});
  OpCase("ExtractJpegShape").In(Text(file)).Gives({Int32s({3}, {2, 2, 1})});
  OpCase("DecodeAndCropJpeg").In(Text(file)).In(Int32s({4}, {1, 0, 1, 2})).Gives({Bytes({1, 2, 1}, {128, 128})});
  OpCase("DecodeAndCropJpeg").In(Text(file)).In(Int32s({4}, {1, 0, 2, 2})).Refuses(StatusCode::kInvalidArgument, "crop window");
  OpCase("DecodeJpeg").Int("channels", 4).In(Text(file)).Refuses(StatusCode::kInvalidArgument, "4 channels");
  for (size_t length = 1; length + 2 < file.size(); ++length) {
    OpCase("DecodeJpeg").In(Text(file.substr(0, length))).Refuses(StatusCode::kInvalidArgument);
  }
}

TEST_CASE("BMP sizes must fit the file") {
  std::string file = "BM" + std::string(52, '\0') + std::string({1, 2, 3, 0});
  file[10] = 54, file[18] = 1, file[22] = 1, file[28] = 24;
  OpCase("DecodeBmp").In(Text(file)).Gives({Bytes({1, 1, 3}, {3, 2, 1})});
  OpCase("DecodeBmp").In(Text(file + "x")).Refuses(StatusCode::kInvalidArgument, "differ by 1");
  OpCase("DecodeJpeg").In(Text(file)).Refuses(StatusCode::kInvalidArgument, "wrong op");
  OpCase("DecodeImage").In(Text("no picture")).Refuses(StatusCode::kInvalidArgument, "Unknown image file format");
  OpCase("DecodeGif").In(Text("GIF89a")).Refuses(StatusCode::kInvalidArgument, "GIF");
}

TEST_CASE("Colours turn and return") {
  OpCase("RGBToHSV").In(Floats({1, 3}, {1, .5f, .5f})).Gives({Floats({1, 3}, {0, .5f, 1})});
  OpCase("HSVToRGB").In(Floats({1, 3}, {0, .5f, 1})).Gives({Floats({1, 3}, {1, .5f, .5f})});
  OpCase("RGBToHSV").In(Floats({1, 2}, {0, 1})).Refuses(StatusCode::kFailedPrecondition, "3 channels");
  OpCase("AdjustHue").In(Floats({1, 1, 3}, {1, 0, 0})).In(Tensor::Scalar(1 / 3.f)).Gives({Floats({1, 1, 3}, {0, 1, 0})});
  OpCase("AdjustSaturation").In(Floats({1, 1, 3}, {1, .5f, .5f})).In(Tensor::Scalar(0.f)).Gives({Floats({1, 1, 3}, {1, 1, 1})});
  OpCase("AdjustContrastv2").In(Floats({1, 2, 1}, {1, 3})).In(Tensor::Scalar(2.f)).Gives({Floats({1, 2, 1}, {0, 4})});
}

}  // namespace
}  // namespace savedmodel
