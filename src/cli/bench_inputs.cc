#include "cli/bench_inputs.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/numpy_functions.h"
#include "cli/python_error.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

absl::StatusOr<Tensor> MakeInput(DataType type, const TensorShape& shape, RandomNumbers* random) {
  SM_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, shape));
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    if (type == DataType::kString) {
      tensor.data<std::string>()[i] = "a b";
    } else if (!StoreNumber(IsInteger(type) ? 0 : random->Uniform(), 0, false, &tensor, i)) {
      return PythonError("TypeError", "no input of dtype ", DataTypeName(type), " can be made up");
    }
  }
  return tensor;
}

}  // namespace

absl::StatusOr<ShapeMap> ParseShapes(const std::string& text) {
  ShapeMap shapes;
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ',', absl::SkipEmpty()))) {
    const size_t equals = piece.rfind('=');
    TensorShape shape;
    bool good = equals != piece.npos && equals > 0;
    for (absl::string_view size : absl::StrSplit(good ? piece.substr(equals + 1) : "", 'x', absl::SkipEmpty())) {
      int64_t number = 0;
      good = good && absl::SimpleAtoi(size, &number) && number >= 0 && shape.rank() < 32;
      shape.AddDim(number);
    }
    if (!good || !shape.valid()) return PythonError("ValueError", "--shape \"", piece, "\" is not KEY=1x224x224x3");
    shapes[piece.substr(0, equals)] = shape;
  }
  return shapes;
}

absl::StatusOr<NamedTensors> MakeInputs(const Signature& signature, const ShapeMap& shapes) {
  NamedTensors inputs;
  RandomNumbers random(1);
  for (const auto& item : shapes) {
    if (signature.inputs.count(item.first) > 0) continue;
    const std::string keys = absl::StrJoin(signature.inputs, "\", \"", [](std::string* out, const auto& input) { out->append(input.first); });
    return PythonError("ValueError", "--shape: \"", item.first, "\" is no input key; there are \"", keys, "\"");
  }
  for (const auto& [key, info] : signature.inputs) {
    const auto given = shapes.find(key);
    if (given == shapes.end() && signature.defaults.count(key) > 0) continue;
    TensorShape shape;
    if (given != shapes.end()) {
      shape = given->second;
      if (!info.shape.CompatibleWith(PartialShape(shape))) {
        return PythonError("ValueError", "--shape: input \"", key, "\" is ", info.shape.ToString(), " in the signature, which ", shape.ToString(),
                           " does not fit");
      }
    } else if (info.shape.known_rank()) {
      for (int64_t dim : info.shape.dims()) shape.AddDim(dim < 0 ? 1 : dim);
    } else {
      shape.AddDim(1);
    }
    SM_ASSIGN_OR_RETURN(inputs[key], MakeInput(RemoveRef(info.dtype), shape, &random));
  }
  return inputs;
}

}  // namespace savedmodel::cli
