#include "cli/numpy_functions.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/numpy_arithmetic.h"
#include "cli/numpy_data.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;

// Arguments by place or name, as Python binds them.
class Bound {
 public:
  static absl::StatusOr<Bound> Bind(const std::string& function, const CallArguments& arguments, std::vector<std::string> names) {
    Bound bound;
    bound.function_ = function;
    bound.names_ = std::move(names);
    bound.values_.resize(bound.names_.size());
    if (arguments.positional.size() > bound.names_.size()) return Cannot(function, " takes at most ", bound.names_.size(), " arguments");
    for (size_t i = 0; i < arguments.positional.size(); ++i) bound.values_[i] = &arguments.positional[i];
    for (const auto& [name, value] : arguments.named) {
      size_t i = 0;
      while (i < bound.names_.size() && bound.names_[i] != name) ++i;
      if (i == bound.names_.size() || bound.values_[i] != nullptr) return Cannot(function, " takes no argument ", name, " here");
      bound.values_[i] = &value;
    }
    return bound;
  }
  const Value* operator[](size_t i) const { return values_[i] != nullptr && values_[i]->kind == Kind::kNone ? nullptr : values_[i]; }
  absl::Status Need(size_t i) const { return (*this)[i] != nullptr ? absl::OkStatus() : Cannot(function_, " needs ", names_[i]); }
  absl::StatusOr<double> Number(size_t i, double otherwise) const {
    if ((*this)[i] == nullptr) return otherwise;
    const Value& value = *(*this)[i];
    if (!value.IsNumber() || value.kind == Kind::kComplex) return Cannot(function_, ": ", names_[i], " is no number");
    return value.number.real();
  }

 private:
  std::string function_;
  std::vector<std::string> names_;
  std::vector<const Value*> values_;
};

absl::StatusOr<DataType> DtypeOf(const Value* value, DataType otherwise) {
  if (value == nullptr) return otherwise;
  if (value->kind == Kind::kDtype) return value->dtype;
  if (value->kind == Kind::kString) {
    absl::StatusOr<Value> named = NumpyConstant(value->text);
    if (named.ok() && named->kind == Kind::kDtype) return named->dtype;
    absl::StatusOr<NumpyType> type = ParseNumpyType(value->text);
    if (type.ok() && !type->objects) return type->type;
  }
  return Cannot("a dtype is expected, for example np.float32");
}

absl::StatusOr<TensorShape> ShapeOf(const std::vector<Value>& sizes) {
  TensorShape shape;
  if (sizes.size() > 32) return Cannot("more than 32 dimensions");
  for (const Value& size : sizes) {
    if (size.kind != Kind::kInt || size.integer < 0 || size.integer > kMaxArrayElements) {
      return Cannot("a shape is made of sizes from 0 to ", kMaxArrayElements);
    }
    shape.AddDim(size.integer);
  }
  if (!shape.valid() || shape.num_elements() > kMaxArrayElements) return Cannot("an array is larger than ", kMaxArrayElements, " elements");
  return shape;
}
absl::StatusOr<TensorShape> ShapeOf(const Value& value) { return value.IsSequence() ? ShapeOf(value.items) : ShapeOf(std::vector<Value>{value}); }

Value OfTensor(Tensor tensor) {
  Array array;
  if (tensor.dtype() == DataType::kString) array.text = Array::Text::kUnicode;
  array.tensor = std::move(tensor);
  return Value::Of(std::move(array));
}

absl::StatusOr<Value> Cast(const Value& value, DataType type) {
  SM_ASSIGN_OR_RETURN(Tensor tensor, ToTensor(value.IsNumber() ? Value::Of(Kind::kList, {value}) : value, type));
  return OfTensor(value.IsNumber() ? tensor.Reshaped({}) : std::move(tensor));
}

absl::StatusOr<Value> Filled(const TensorShape& shape, const Value& fill, DataType type) {
  SM_ASSIGN_OR_RETURN(const Value one, Cast(fill, type));
  if (one.array->tensor.num_elements() != 1) return Cannot("the value to fill with is no single number");
  SM_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, shape));
  const size_t size = DataTypeSize(type);
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    if (type == DataType::kString) {
      tensor.data<std::string>()[i] = one.array->tensor.data<std::string>()[0];
    } else {
      std::memcpy(static_cast<char*>(tensor.raw()) + static_cast<size_t>(i) * size, one.array->tensor.raw(), size);
    }
  }
  return OfTensor(std::move(tensor));
}

template <typename Make>  // double(int64_t i)
absl::StatusOr<Value> Made(const TensorShape& shape, DataType type, Make make) {
  SM_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, shape));
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    if (!StoreNumber(make(i), 0, false, &tensor, i)) return Cannot(DataTypeName(type), " holds no numbers");
  }
  return OfTensor(std::move(tensor));
}

absl::StatusOr<Value> Arange(const CallArguments& arguments) {
  SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np.arange", arguments, {"start", "stop", "step", "dtype"}));
  SM_RETURN_IF_ERROR(bound.Need(0));
  const bool alone = bound[1] == nullptr;
  bool integers = true;
  for (size_t i = 0; i < 3; ++i) integers = integers && (bound[i] == nullptr || bound[i]->kind == Kind::kInt);
  SM_ASSIGN_OR_RETURN(const double first, bound.Number(0, 0));
  SM_ASSIGN_OR_RETURN(const double second, bound.Number(1, 0));
  SM_ASSIGN_OR_RETURN(const double step, bound.Number(2, 1));
  const double start = alone ? 0 : first, stop = alone ? first : second;
  const double count = std::ceil((stop - start) / step);
  if (!(step != 0) || !std::isfinite(count) || count > static_cast<double>(kMaxArrayElements)) return Cannot("np.arange would not end or is too long");
  SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[3], integers ? DataType::kInt64 : DataType::kDouble));
  return Made({static_cast<int64_t>(std::max(count, 0.0))}, type, [&](int64_t i) { return start + static_cast<double>(i) * step; });
}

absl::StatusOr<Value> Linspace(const CallArguments& arguments) {
  SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np.linspace", arguments, {"start", "stop", "num", "endpoint", "retstep", "dtype"}));
  SM_RETURN_IF_ERROR(bound.Need(1));
  SM_ASSIGN_OR_RETURN(const double start, bound.Number(0, 0));
  SM_ASSIGN_OR_RETURN(const double stop, bound.Number(1, 0));
  SM_ASSIGN_OR_RETURN(const double num, bound.Number(2, 50));
  SM_ASSIGN_OR_RETURN(const double endpoint, bound.Number(3, 1));
  if (!(num >= 0) || num > static_cast<double>(kMaxArrayElements)) return Cannot("np.linspace: num is not from 0 to ", kMaxArrayElements);
  SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[5], DataType::kDouble));
  const int64_t n = static_cast<int64_t>(num), parts = endpoint != 0 ? n - 1 : n;
  return Made({n}, type, [&](int64_t i) {
    return i == parts && endpoint != 0 && n > 1 ? stop : start + (parts > 0 ? static_cast<double>(i) * ((stop - start) / static_cast<double>(parts)) : 0.0);
  });
}

absl::StatusOr<Value> Eye(const std::string& name, const CallArguments& arguments) {
  SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind(name, arguments, {"N", "M", "k", "dtype"}));
  SM_RETURN_IF_ERROR(bound.Need(0));
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf({*bound[0], bound[1] != nullptr ? *bound[1] : *bound[0]}));
  SM_ASSIGN_OR_RETURN(const double k, bound.Number(2, 0));
  SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[3], DataType::kDouble));
  return Made(shape, type, [&](int64_t i) { return static_cast<double>(i % shape.dim(1) - i / shape.dim(1)) == k ? 1.0 : 0.0; });
}

absl::StatusOr<Value> Random(const std::string& name, const CallArguments& arguments, RandomNumbers* random) {
  if (name == "rand" || name == "randn") {
    if (!arguments.named.empty()) return Cannot("np.random.", name, " takes sizes only");
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf(arguments.positional));
    return Made(shape, DataType::kDouble, [&](int64_t) { return name == "rand" ? random->Uniform() : random->Normal(); });
  }
  const bool unit = name == "random" || name == "random_sample", integers = name == "randint", normal = name == "normal";
  if (!unit && !integers && !normal && name != "uniform") return Cannot("np.random.", name, " is not known here");
  std::vector<std::string> names = {"low", "high", "size", "dtype"};
  if (unit) names = {"size"};
  if (normal) names = {"loc", "scale", "size"};
  SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np.random." + name, arguments, names));
  const Value* size = bound[unit ? 0 : 2];
  TensorShape shape;
  if (size != nullptr) {
    SM_ASSIGN_OR_RETURN(shape, ShapeOf(*size));
  }
  if (unit) return Made(shape, DataType::kDouble, [&](int64_t) { return random->Uniform(); });
  SM_ASSIGN_OR_RETURN(const double first, bound.Number(0, 0));
  SM_ASSIGN_OR_RETURN(const double second, bound.Number(1, 1));
  if (normal) return Made(shape, DataType::kDouble, [&](int64_t) { return first + second * random->Normal(); });
  if (!integers) return Made(shape, DataType::kDouble, [&](int64_t) { return first + (second - first) * random->Uniform(); });
  SM_RETURN_IF_ERROR(bound.Need(0));
  const double low = bound[1] == nullptr ? 0 : first, high = bound[1] == nullptr ? first : second;
  if (!(low < high) || std::fabs(low) > 9e15 || std::fabs(high) > 9e15) return Cannot("np.random.randint: low is not below high");
  SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[3], DataType::kInt64));
  const uint64_t range = static_cast<uint64_t>(high - low);
  return Made(shape, type, [&](int64_t) { return low + static_cast<double>(random->Next() % range); });
}

absl::StatusOr<Value> Reshaped(const Value& value, const std::vector<Value>& sizes) {
  SM_ASSIGN_OR_RETURN(const Array array, ToArray(value));
  if (array.objects) return Cannot("an array of objects is not reshaped");
  int64_t known = 1;
  bool open = false;
  for (const Value& size : sizes) {
    if (size.kind != Kind::kInt || size.integer < -1 || size.integer > kMaxArrayElements || (size.integer == -1 && open)) {
      return Cannot("reshape takes sizes, one of them may be -1");
    }
    if (size.integer == -1) open = true;
    if (size.integer > 0 && known > kMaxArrayElements / size.integer) return Cannot("reshape: too large");
    if (size.integer >= 0) known *= size.integer;
  }
  std::vector<Value> dims = sizes;
  const int64_t n = array.tensor.num_elements();
  for (Value& size : dims) {
    if (size.integer == -1) size = Value::Int(known > 0 ? n / known : 0);
  }
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf(dims));
  if (shape.num_elements() != n) return Cannot("an array of ", n, " elements has no shape ", shape.ToString());
  Array out = array;
  out.tensor = array.tensor.Reshaped(shape);
  return Value::Of(std::move(out));
}

absl::StatusOr<Value> ExpandDims(const CallArguments& arguments) {
  SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np.expand_dims", arguments, {"a", "axis"}));
  SM_RETURN_IF_ERROR(bound.Need(0));
  SM_ASSIGN_OR_RETURN(const Array array, ToArray(*bound[0]));
  SM_ASSIGN_OR_RETURN(double axis, bound.Number(1, 0));
  const int rank = array.tensor.rank();
  if (axis < 0) axis += rank + 1;
  if (array.objects || !(axis >= 0 && axis <= rank)) return Cannot("np.expand_dims: the axis is not there");
  std::vector<Value> dims;
  for (int64_t dim : array.tensor.shape().dims()) dims.push_back(Value::Int(dim));
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), Value::Int(1));
  return Reshaped(*bound[0], dims);
}

absl::StatusOr<Value> ListOf(const Array& array, int axis, int64_t offset) {
  if (array.tensor.num_elements() > kMaxListItems) return Cannot("a list is longer than ", kMaxListItems, " items");
  if (axis == array.tensor.rank()) return ElementOf(array, offset);
  Value list;
  list.kind = Kind::kList;
  const int64_t stride = array.tensor.shape().Product(axis + 1, array.tensor.rank());
  for (int64_t i = 0; i < array.tensor.dim(axis); ++i) {
    SM_ASSIGN_OR_RETURN(list.items.emplace_back(), ListOf(array, axis + 1, offset + i * stride));
  }
  return list;
}

}  // namespace

uint64_t RandomNumbers::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
double RandomNumbers::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
double RandomNumbers::Normal() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(6.283185307179586 * Uniform());
}

absl::StatusOr<Value> NumpyConstant(const std::string& name) {
  if (name == "pi") return Value::Float(3.141592653589793);
  if (name == "e") return Value::Float(2.718281828459045);
  if (name == "inf" || name == "Inf") return Value::Float(HUGE_VAL);
  if (name == "nan" || name == "NaN") return Value::Float(std::nan(""));
  Value value;
  value.kind = Kind::kDtype;
  static constexpr struct {
    const char* name;
    DataType type;
  } kNames[] = {
      {"float16", DataType::kHalf},       {"half", DataType::kHalf},     {"float32", DataType::kFloat},       {"single", DataType::kFloat},
      {"float64", DataType::kDouble},     {"double", DataType::kDouble}, {"float", DataType::kDouble},        {"int8", DataType::kInt8},
      {"int16", DataType::kInt16},        {"int32", DataType::kInt32},   {"int64", DataType::kInt64},         {"int", DataType::kInt64},
      {"uint8", DataType::kUInt8},        {"uint16", DataType::kUInt16}, {"uint32", DataType::kUInt32},       {"uint64", DataType::kUInt64},
      {"bool", DataType::kBool},          {"bool_", DataType::kBool},    {"complex64", DataType::kComplex64}, {"complex128", DataType::kComplex128},
      {"complex", DataType::kComplex128}, {"str", DataType::kString},    {"str_", DataType::kString}};
  for (const auto& known : kNames) {
    if (name == known.name) value.dtype = known.type;
  }
  if (value.dtype == DataType::kInvalid) return Cannot("np.", name, " is not known here");
  return value;
}

absl::StatusOr<Value> CallNumpy(const std::string& name, const CallArguments& arguments, RandomNumbers* random) {
  if (absl::StartsWith(name, "random.")) return Random(name.substr(7), arguments, random);
  if (name == "ones" || name == "zeros" || name == "empty") {
    SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np." + name, arguments, {"shape", "dtype"}));
    SM_RETURN_IF_ERROR(bound.Need(0));
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf(*bound[0]));
    SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[1], DataType::kDouble));
    if (type == DataType::kString && shape.num_elements() > kMaxListItems) return Cannot("too many strings");
    return type == DataType::kString ? Filled(shape, Value::String(name == "ones" ? "1" : ""), type) : Filled(shape, Value::Int(name == "ones"), type);
  }
  if (name == "full") {
    SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np.full", arguments, {"shape", "fill_value", "dtype"}));
    SM_RETURN_IF_ERROR(bound.Need(1));
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf(*bound[0]));
    SM_ASSIGN_OR_RETURN(const Array fill, ToArray(*bound[1]));
    if (fill.objects) return Cannot("np.full fills with numbers and texts");
    SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[2], fill.tensor.dtype()));
    if (type == DataType::kString && shape.num_elements() > kMaxListItems) return Cannot("too many strings");
    return Filled(shape, *bound[1], type);
  }
  if (name == "array" || name == "asarray") {
    SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("np." + name, arguments, {"object", "dtype"}));
    SM_RETURN_IF_ERROR(bound.Need(0));
    SM_ASSIGN_OR_RETURN(Array array, ToArray(*bound[0]));
    if (bound[1] == nullptr) return Value::Of(std::move(array));
    SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[1], DataType::kDouble));
    return Cast(Value::Of(std::move(array)), type);
  }
  if (name == "arange") return Arange(arguments);
  if (name == "linspace") return Linspace(arguments);
  if (name == "eye" || name == "identity") return Eye("np." + name, arguments);
  if (name == "expand_dims") return ExpandDims(arguments);
  if (name == "reshape" && arguments.positional.size() == 2) {
    const Value& shape = arguments.positional[1];
    return Reshaped(arguments.positional[0], shape.IsSequence() ? shape.items : std::vector<Value>{shape});
  }
  absl::StatusOr<Value> type = NumpyConstant(name);
  if (type.ok() && type->kind == Kind::kDtype && arguments.positional.size() == 1 && arguments.named.empty()) {
    return Cast(arguments.positional[0], type->dtype);
  }
  return Cannot("np.", name, " is not known here; known are array, ones, zeros, full, arange, linspace, eye, expand_dims, reshape, "
                "random.rand, randn, random, randint, uniform, normal and the dtypes");
}

absl::StatusOr<Value> CallMethod(const Value& value, const std::string& name, const CallArguments& arguments) {
  if (name == "astype") {
    SM_ASSIGN_OR_RETURN(const Bound bound, Bound::Bind("astype", arguments, {"dtype"}));
    SM_RETURN_IF_ERROR(bound.Need(0));
    SM_ASSIGN_OR_RETURN(const DataType type, DtypeOf(bound[0], DataType::kDouble));
    return Cast(value, type);
  }
  if (name == "reshape" && arguments.named.empty()) {
    const bool tuple = arguments.positional.size() == 1 && arguments.positional[0].IsSequence();
    return Reshaped(value, tuple ? arguments.positional[0].items : arguments.positional);
  }
  if (!arguments.positional.empty() || !arguments.named.empty()) return Cannot(".", name, " is not known here");
  if (name == "copy") return value;
  if (name == "flatten" || name == "ravel") return Reshaped(value, {Value::Int(-1)});
  if (name == "tolist" && value.kind == Kind::kArray && !value.array->objects) return ListOf(*value.array, 0, 0);
  return Cannot(".", name, " is not known here; known are astype, reshape, flatten, tolist and copy");
}

}  // namespace savedmodel::cli
