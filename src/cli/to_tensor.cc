#include "cli/to_tensor.h"

#include <cmath>

#include "absl/strings/str_join.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;
constexpr size_t kMaxRank = 64;              // numpy's
constexpr int64_t kMaxElements = 1 << 22;    // of arrays inside lists

absl::Status Expand(const Value& value, int64_t* left, Value* out);

absl::Status ExpandArray(const Array& array, int64_t* left, Value* out) {
  const TensorShape& shape = array.objects ? array.shape : array.tensor.shape();
  if (shape.num_elements() > *left) return PythonError("MemoryError", "arrays inside a list hold too many elements; give one array instead");
  *left -= shape.num_elements() + 1;
  std::vector<Value> level;
  for (int64_t i = 0; i < shape.num_elements(); ++i) level.push_back(ElementOf(array, i));
  if (shape.rank() == 0) return *out = std::move(level[0]), absl::OkStatus();
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const int64_t outer = shape.Product(0, axis), n = shape.dim(axis);
    if (outer > *left) return PythonError("MemoryError", "arrays inside a list hold too many elements; give one array instead");
    *left -= outer;
    std::vector<Value> above;
    for (int64_t i = 0; i < outer; ++i) {
      auto from = std::make_move_iterator(level.begin() + i * n);
      above.push_back(Value::Of(Kind::kList, std::vector<Value>(from, from + n)));
    }
    level = std::move(above);
  }
  return *out = std::move(level[0]), absl::OkStatus();
}

// Arrays become lists, so that all is lists and leaves.
absl::Status Expand(const Value& value, int64_t* left, Value* out) {
  if (value.kind == Kind::kArray) return ExpandArray(*value.array, left, out);
  if (!value.IsSequence()) return *out = value, absl::OkStatus();
  out->kind = value.kind;
  for (const Value& item : value.items) SM_RETURN_IF_ERROR(Expand(item, left, &out->items.emplace_back()));
  return absl::OkStatus();
}

// The shape that all parts agree on, as numpy finds it.
class Discovery {
 public:
  explicit Discovery(const Value& value) {
    Walk(value, 0);
    Collect(value, 0);
  }
  absl::Status Check() const {
    if (deep_)
      return PythonError("ValueError",
                         "setting an array element with a sequence. The requested array would exceed the maximum number of dimension of 64.");
    if (!ragged_) return absl::OkStatus();
    return PythonError("ValueError", "setting an array element with a sequence. The requested array has an inhomogeneous shape after ", sizes_.size(),
                       " dimensions. The detected shape was (", absl::StrJoin(sizes_, ", "), sizes_.size() == 1 ? ",)" : ")", " + inhomogeneous part.");
  }
  TensorShape shape() const { return TensorShape(absl::MakeConstSpan(sizes_)); }
  const std::vector<const Value*>& leaves() const { return leaves_; }

 private:
  void Walk(const Value& value, size_t depth) {
    if (!value.IsSequence()) {
      if (depth < limit_) Limit(depth);
      return;
    }
    if (depth >= limit_) {
      (depth >= kMaxRank ? deep_ : ragged_) = true;
      return;
    }
    const int64_t size = static_cast<int64_t>(value.items.size());
    if (sizes_.size() == depth) {
      sizes_.push_back(size);
    } else if (sizes_[depth] != size) {
      return Limit(depth);
    }
    for (const Value& item : value.items) Walk(item, depth + 1);
  }
  void Limit(size_t depth) {
    limit_ = depth;
    if (sizes_.size() > depth) {
      ragged_ = true;
      sizes_.resize(depth);
    }
  }
  void Collect(const Value& value, size_t depth) {
    if (depth == sizes_.size()) return leaves_.push_back(&value);
    for (const Value& item : value.items) Collect(item, depth + 1);
  }

  size_t limit_ = kMaxRank;
  bool ragged_ = false, deep_ = false;
  std::vector<int64_t> sizes_;
  std::vector<const Value*> leaves_;
};

bool FitsUnsigned(const Value& value) {  // a kBigInt of at most 64 bits without a sign
  return value.text[0] != '-' && (value.text.size() < 20 || (value.text.size() == 20 && value.text <= "18446744073709551615"));
}

// What numpy makes of the leaves together.
enum class Common { kNumbers, kUnsigned, kTexts, kObjects };

Common CommonOf(const std::vector<const Value*>& leaves, DataType* type) {
  bool text = false, object = false, unsigned_ = false, negative = false;
  int rank = 0;  // bool, int, float, complex
  bool unicode = false;
  for (const Value* leaf : leaves) {
    switch (leaf->kind) {
      case Kind::kBool: rank = std::max(rank, 1); break;
      case Kind::kInt: rank = std::max(rank, 2); negative = negative || leaf->integer < 0; break;
      case Kind::kBigInt: rank = std::max(rank, 2); (FitsUnsigned(*leaf) ? unsigned_ : object) = true; break;
      case Kind::kFloat: rank = std::max(rank, 3); break;
      case Kind::kComplex: rank = std::max(rank, 4); break;
      case Kind::kString: unicode = true; [[fallthrough]];
      case Kind::kBytes: text = true; break;
      default: object = true;
    }
  }
  *type = rank == 1 ? DataType::kBool : rank == 2 ? DataType::kInt64 : rank == 4 ? DataType::kComplex128 : DataType::kDouble;
  if (object) return Common::kObjects;
  if (text) return *type = unicode ? DataType::kString : DataType::kInvalid, Common::kTexts;
  if (unsigned_ && rank == 2 && !negative) return *type = DataType::kUInt64, Common::kUnsigned;
  if (unsigned_ && rank == 2) *type = DataType::kDouble;
  return Common::kNumbers;
}

uint64_t UnsignedOf(const Value& value) {
  if (value.kind != Kind::kBigInt) return static_cast<uint64_t>(value.integer);
  uint64_t number = 0;
  for (char c : value.text) number = number * 10 + static_cast<uint64_t>(c - '0');
  return number;
}

absl::Status NoSuch(DataType type) { return PythonError("TypeError", "a tensor of dtype ", DataTypeName(type), " cannot be fed here"); }

bool Truth(const Value& v) {
  if (v.IsNumber()) return v.kind == Kind::kBigInt || v.number != 0.0;
  return !v.text.empty() || !v.items.empty();
}

// One leaf of an array of objects: Python's own float() or int().
absl::Status StoreObject(const Value& leaf, Tensor* t, int64_t i) {
  const bool integer = IsInteger(t->dtype());
  const std::complex<double> none(std::nan(""), std::nan(""));
  if (leaf.kind == Kind::kNone && !integer) return StoreNumber(none, 0, false, t, i) ? absl::OkStatus() : NoSuch(t->dtype());
  if (leaf.kind == Kind::kBigInt && integer) return PythonError("OverflowError", "Python int too large to convert to C long");
  if (leaf.kind == Kind::kString || leaf.kind == Kind::kBytes) {
    return StoreText(leaf.text, ValueRepr(leaf), t, i);
  }
  if (leaf.IsSequence()) return PythonError("ValueError", "setting an array element with a sequence.");
  if (!leaf.IsNumber()) {
    return integer ? PythonError("TypeError", "int() argument must be a string, a bytes-like object or a real number, not '", KindName(leaf.kind), "'")
                   : PythonError("TypeError", "float() argument must be a string or a real number, not '", KindName(leaf.kind), "'");
  }
  const bool exact = leaf.kind <= Kind::kInt;
  return StoreNumber(leaf.number, leaf.integer, exact, t, i) ? absl::OkStatus() : NoSuch(t->dtype());
}

absl::Status Overflow(const Value& value, DataType type) {
  if (type != DataType::kString && value.kind == Kind::kBigInt && !FitsUnsigned(value)) {
    return PythonError("OverflowError", "Python int too large to convert to C long");
  }
  return PythonError("TypeError", "Type of feed value ", ValueRepr(value), " with type ", TypeText(value), " is not compatible with Tensor type <class '",
                     type == DataType::kString ? "object" : absl::StrCat("numpy.", DataTypeName(type)),
                     "'>. Try explicitly setting the type of the feed tensor to a larger type (e.g. int64).");
}

// The session refuses a single Python int that does not survive the cast.
absl::Status CheckScalar(const Value& value, DataType type) {
  if (value.kind != Kind::kBool && value.kind != Kind::kInt && value.kind != Kind::kBigInt) return absl::OkStatus();
  if (type == DataType::kString) return Overflow(value, type);
  if (type == DataType::kBool) return value.kind != Kind::kBigInt && (value.integer == 0 || value.integer == 1) ? absl::OkStatus() : Overflow(value, type);
  if (!IsInteger(type)) return absl::OkStatus();
  bool same = value.kind != Kind::kBigInt || (type == DataType::kUInt64 && FitsUnsigned(value));
  if (same && value.kind != Kind::kBigInt) {
    SM_ASSIGN_OR_RETURN(Tensor t, Tensor::Allocate(type, {}));
    if (!StoreNumber(value.number, value.integer, true, &t, 0)) return NoSuch(type);
    const Value back = ElementOf(t, 0, Array::Text::kNone);
    same = back.kind == Kind::kInt && back.integer == value.integer;
  }
  return same ? absl::OkStatus() : Overflow(value, type);
}

absl::StatusOr<Tensor> Texts(const Discovery& found) {
  SM_ASSIGN_OR_RETURN(Tensor texts, Tensor::Allocate(DataType::kString, found.shape()));
  int64_t i = 0;
  for (const Value* leaf : found.leaves()) {
    std::string& text = texts.data<std::string>()[i++];
    text = leaf->kind == Kind::kBytes ? leaf->text : ValueText(*leaf);
  }
  return texts;
}

absl::StatusOr<Tensor> Numbers(const Discovery& found, DataType type) {
  SM_ASSIGN_OR_RETURN(Tensor t, Tensor::Allocate(type, found.shape()));
  int64_t i = 0;
  for (const Value* leaf : found.leaves()) {
    const bool exact = type == DataType::kUInt64 || (leaf->kind <= Kind::kInt);
    const int64_t integer = leaf->kind == Kind::kBigInt && type == DataType::kUInt64 ? static_cast<int64_t>(UnsignedOf(*leaf)) : leaf->integer;
    if (!StoreNumber(leaf->number, integer, exact, &t, i++)) return NoSuch(type);
  }
  return t;
}

// numpy knows bfloat16 by an extension that takes Python's bools, ints of 64 bits and floats.
absl::Status CheckReals(const std::vector<const Value*>& leaves) {
  for (const Value* leaf : leaves) {
    if (leaf->kind != Kind::kBool && leaf->kind != Kind::kInt && leaf->kind != Kind::kFloat) {
      return PythonError("TypeError", "expected number, got ", KindName(leaf->kind));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> ObjectsTo(const std::vector<const Value*>& leaves, const TensorShape& shape, DataType type) {
  SM_ASSIGN_OR_RETURN(Tensor t, Tensor::Allocate(type, shape));
  int64_t i = 0;
  for (const Value* leaf : leaves) {
    if (type == DataType::kBool) {
      t.data<bool>()[i++] = Truth(*leaf);
    } else if (type != DataType::kString) {
      SM_RETURN_IF_ERROR(StoreObject(*leaf, &t, i++));
    } else if (leaf->kind == Kind::kString || leaf->kind == Kind::kBytes) {
      t.data<std::string>()[i++] = leaf->text;
    } else {
      return absl::UnknownError(absl::StrCat("Unsupported object type ", KindName(leaf->kind)));
    }
  }
  return t;
}

}  // namespace

absl::StatusOr<Tensor> ToTensor(const Value& given, DataType type) {
  if (given.kind == Kind::kArray && !given.array->objects) return CastTensor(given.array->tensor, type, given.array->text);
  if (given.kind == Kind::kArray) {
    std::vector<const Value*> leaves;
    for (const Value& item : given.array->items) leaves.push_back(&item);
    return ObjectsTo(leaves, given.array->shape, type);
  }
  SM_RETURN_IF_ERROR(CheckScalar(given, type));
  Value value;
  int64_t left = kMaxElements;
  SM_RETURN_IF_ERROR(Expand(given, &left, &value));
  const Discovery found(value);
  if (type == DataType::kString) return ObjectsTo(found.leaves(), found.shape(), type);
  SM_RETURN_IF_ERROR(found.Check());
  if (type == DataType::kBFloat16) SM_RETURN_IF_ERROR(CheckReals(found.leaves()));
  if (type == DataType::kBool) return ObjectsTo(found.leaves(), found.shape(), type);
  DataType own;
  switch (CommonOf(found.leaves(), &own)) {
    case Common::kObjects: return ObjectsTo(found.leaves(), found.shape(), type);
    case Common::kTexts: {
      SM_ASSIGN_OR_RETURN(Tensor texts, Texts(found));
      return CastTensor(texts, type, own == DataType::kString ? Array::Text::kUnicode : Array::Text::kBytes);
    }
    default: break;
  }
  SM_ASSIGN_OR_RETURN(Tensor numbers, Numbers(found, own));
  return CastTensor(numbers, type);
}

absl::StatusOr<Array> ToArray(const Value& given) {
  if (given.kind == Kind::kArray) return *given.array;
  Value value;
  int64_t left = kMaxElements;
  SM_RETURN_IF_ERROR(Expand(given, &left, &value));
  const Discovery found(value);
  SM_RETURN_IF_ERROR(found.Check());
  Array array;
  DataType own;
  const Common common = CommonOf(found.leaves(), &own);
  if (common == Common::kObjects) {
    array.objects = true;
    array.shape = found.shape();
    for (const Value* leaf : found.leaves()) array.items.push_back(*leaf);
  } else if (common == Common::kTexts) {
    array.text = own == DataType::kString ? Array::Text::kUnicode : Array::Text::kBytes;
    SM_ASSIGN_OR_RETURN(array.tensor, Texts(found));
  } else {
    SM_ASSIGN_OR_RETURN(array.tensor, Numbers(found, own));
  }
  return array;
}

Value ElementOf(const Array& array, int64_t i) {
  return array.objects ? array.items[static_cast<size_t>(i)] : ElementOf(array.tensor, i, array.text);
}

}  // namespace savedmodel::cli
