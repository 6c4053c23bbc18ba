#include "cli/image_input.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/python_error.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

struct Layout {
  int64_t height = -1, width = -1, channels = 3;
  bool batch = true, channels_first = false;
};

bool IsChannels(int64_t size) { return size == 1 || size == 3 || size == 4; }

absl::StatusOr<Layout> LayoutOf(const PartialShape& shape, const std::string& file) {
  Layout layout;
  if (!shape.known_rank()) return layout;
  const auto bad = [&] {
    return PythonError("ValueError", "Input file ", file, " is a picture, but the input wants shape ", shape.ToString(),
                       "; pictures fit [?,height,width,channels], [height,width,channels] and [?,channels,height,width]");
  };
  layout.batch = shape.rank() == 4;
  if (shape.rank() != 3 && shape.rank() != 4) return bad();
  const int first = shape.rank() - 3;
  if (layout.batch && shape.dim(0) > 1) return bad();
  layout.channels_first = IsChannels(shape.dim(first)) && !IsChannels(shape.dim(first + 2));
  const int c = layout.channels_first ? first : first + 2, h = layout.channels_first ? first + 1 : first;
  if (shape.dim(c) >= 0 && !IsChannels(shape.dim(c))) return bad();
  if (shape.dim(c) >= 0) layout.channels = shape.dim(c);
  layout.height = shape.dim(h);
  layout.width = shape.dim(h + 1);
  return layout;
}

// A graph of two ops: the bytes of a file to a picture, and a picture to another size.
std::string Graph(int64_t channels) {
  return absl::StrCat(R"(meta_graphs { meta_info_def { tags: "pictures" } graph_def { versions { producer: 1882 }
    node { name: "bytes" op: "Placeholder" attr { key: "dtype" value { type: DT_STRING } } attr { key: "shape" value { shape { } } } }
    node { name: "picture" op: "DecodeImage" input: "bytes" attr { key: "channels" value { i: )", channels, R"( } }
      attr { key: "dtype" value { type: DT_UINT8 } } attr { key: "expand_animations" value { b: false } } }
    node { name: "size" op: "Placeholder" attr { key: "dtype" value { type: DT_INT32 } } }
    node { name: "pictures" op: "Placeholder" attr { key: "dtype" value { type: DT_UINT8 } } }
    node { name: "resized" op: "ResizeBilinear" input: "pictures" input: "size" attr { key: "T" value { type: DT_UINT8 } }
      attr { key: "half_pixel_centers" value { b: true } } attr { key: "align_corners" value { b: false } } } } })");
}

}  // namespace

bool IsImage(absl::string_view bytes) {
  return absl::StartsWith(bytes, "\xff\xd8\xff") || absl::StartsWith(bytes, "\x89PNG\r\n") || absl::StartsWith(bytes, "GIF8") ||
         (absl::StartsWith(bytes, "BM") && bytes.size() > 14 && bytes.substr(6, 4) == absl::string_view("\0\0\0\0", 4));
}

absl::StatusOr<Tensor> ImageTensor(const std::string& bytes, DataType type, const PartialShape& wanted, const std::string& scale, const std::string& file) {
  if (type == DataType::kString) {
    const bool scalar = wanted.known_rank() && wanted.rank() == 0;
    return scalar ? Tensor::Scalar<std::string>(bytes) : Tensor::Vector<std::string>({bytes});
  }
  if (!scale.empty() && scale != "0..1" && scale != "-1..1" && scale != "raw") {
    return PythonError("ValueError", "--scale is \"", scale, "\"; it is one of 0..1, -1..1, raw");
  }
  SM_ASSIGN_OR_RETURN(const Layout layout, LayoutOf(wanted, file));
  SM_ASSIGN_OR_RETURN(SavedModelBundle bundle, LoadSavedModel({}, {}, {"pictures"}, MakeMemorySource({{"saved_model.pbtxt", Graph(layout.channels)}})));
  absl::StatusOr<std::vector<Tensor>> read = bundle.session->Run({{"bytes", Tensor::Scalar<std::string>(bytes)}}, {"picture"});
  if (!read.ok()) return PythonError("ValueError", "Input file ", file, ": ", read.status().message());
  const Tensor& picture = (*read)[0];
  if (picture.rank() != 3) return PythonError("ValueError", "Input file ", file, " holds no single picture");
  const int64_t height = layout.height < 0 ? picture.dim(0) : layout.height, width = layout.width < 0 ? picture.dim(1) : layout.width;
  const Tensor pixels = picture.Reshaped({1, picture.dim(0), picture.dim(1), picture.dim(2)});
  const Tensor size = Tensor::Vector<int32_t>({static_cast<int32_t>(height), static_cast<int32_t>(width)});
  SM_ASSIGN_OR_RETURN(std::vector<Tensor> resized, bundle.session->Run({{"pictures", pixels}, {"size", size}}, {"resized"}));
  const bool raw = scale == "raw" || (scale.empty() && IsInteger(type));
  const int64_t c = layout.channels, area = height * width;
  TensorShape shape = layout.channels_first ? TensorShape{1, c, height, width} : TensorShape{1, height, width, c};
  SM_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(type, shape));
  for (int64_t i = 0; i < out.num_elements(); ++i) {
    const int64_t from = layout.channels_first ? i % area * c + i / area : i;
    float value = resized[0].data<float>()[from];
    if (!raw) value = scale == "-1..1" ? value / 127.5f - 1 : value / 255;
    if (IsInteger(type)) value = std::round(value);
    if (!StoreNumber(value, 0, false, &out, i)) return PythonError("TypeError", "a picture cannot be fed as ", DataTypeName(type));
  }
  return layout.batch ? out : out.Reshaped(layout.channels_first ? TensorShape{c, height, width} : TensorShape{height, width, c});
}

}  // namespace savedmodel::cli
