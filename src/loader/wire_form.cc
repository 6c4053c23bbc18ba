#include "loader/wire_form.h"

#include <cstring>

#include "loader/varint.h"
#include "savedmodel/tensor.pb.h"

namespace savedmodel {
namespace {

constexpr int kMostDepth = 60;  // protobuf reads 100 levels, of which others may lie around the message

bool TakeSmall(absl::string_view* bytes, uint32_t* value) {
  const size_t before = bytes->size();
  return TakeVarint32(bytes, value) && before - bytes->size() <= 4;
}

bool TakeBytes(absl::string_view* bytes, size_t n, absl::string_view* value) {
  if (n > bytes->size()) return false;
  *value = bytes->substr(0, n);
  bytes->remove_prefix(n);
  return true;
}

bool IsAscii(absl::string_view text) {
  uint64_t bits = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t eight;
    std::memcpy(&eight, text.data() + i, 8);
    bits |= eight;
  }
  for (; i < text.size(); ++i) bits |= static_cast<uint8_t>(text[i]);
  return (bits & 0x8080808080808080u) == 0;
}

bool AreVarints(absl::string_view packed) {
  uint64_t unused;
  while (!packed.empty()) {
    if (!TakeVarint64(&packed, &unused)) return false;
  }
  return true;
}

bool AreUsual(absl::string_view bytes, const Form& form, int depth);

// Whether a value that has its length before it is one for the field.
bool IsUsualValue(absl::string_view value, const Form& form, uint32_t number, int depth) {
  switch (form.kind(number)) {
    case Form::kText:
    case Form::kTexts: return IsAscii(value);
    case Form::kBytes:
    case Form::kByteses: return true;
    case Form::kMessage:
    case Form::kMessages: return AreUsual(value, form.message(number), depth + 1);
    case Form::kNumbers: return AreVarints(value);
    case Form::kFixed32s: return value.size() % 4 == 0;
    case Form::kFixed64s: return value.size() % 8 == 0;
    default: return false;
  }
}

bool AreUsual(absl::string_view bytes, const Form& form, int depth) {
  if (depth > kMostDepth) return false;
  uint64_t seen = 0;
  while (!bytes.empty()) {
    uint32_t tag;
    absl::string_view value;
    if (!TakeField(&bytes, &tag, &value) || tag >= Form::kNumbersBelow * 8) return false;
    const uint32_t number = tag >> 3;
    const Form::Kind kind = form.kind(number);
    if (kind < Form::kLists) {
      const uint64_t bit = uint64_t{1} << number;
      if ((seen & ((form.alternatives() & bit) != 0 ? form.alternatives() : bit)) != 0) return false;
      seen |= bit;
    }
    switch (tag & 7) {
      case kVarint:
        if (kind != Form::kNumber && kind != Form::kNumbers) return false;
        break;
      case kFourBytes:
        if (kind != Form::kFixed32 && kind != Form::kFixed32s) return false;
        break;
      case kEightBytes:
        if (kind != Form::kFixed64 && kind != Form::kFixed64s) return false;
        break;
      default:
        if (!IsUsualValue(value, form, number, depth)) return false;
    }
  }
  return true;
}

using proto::TensorProto;
using proto::TensorShapeProto;

constexpr Form kDim = {{TensorShapeProto::Dim::kSizeFieldNumber, Form::kNumber}, {TensorShapeProto::Dim::kNameFieldNumber, Form::kText}};

}  // namespace

bool IsUsual(absl::string_view bytes, const Form& form) { return AreUsual(bytes, form, 0); }

bool TakeField(absl::string_view* bytes, uint32_t* tag, absl::string_view* value) {
  *value = absl::string_view();
  uint64_t number;
  uint32_t length;
  absl::string_view fixed;
  if (!TakeSmall(bytes, tag)) return false;
  switch (*tag & 7) {
    case kVarint: return TakeVarint64(bytes, &number);
    case kFourBytes: return TakeBytes(bytes, 4, &fixed);
    case kEightBytes: return TakeBytes(bytes, 8, &fixed);
    case kLengthDelimited: return TakeSmall(bytes, &length) && TakeBytes(bytes, length, value);
    default: return false;
  }
}

void VisitFields(absl::string_view bytes, absl::FunctionRef<void(int number, absl::string_view value)> visit) {
  uint32_t tag;
  absl::string_view value;
  while (!bytes.empty() && TakeField(&bytes, &tag, &value)) {
    if ((tag & 7) == kLengthDelimited) visit(static_cast<int>(tag >> 3), value);
  }
}

absl::optional<absl::string_view> FieldOf(absl::string_view bytes, int wanted) {
  absl::optional<absl::string_view> found;
  VisitFields(bytes, [&](int number, absl::string_view value) {
    if (number == wanted) found = value;
  });
  return found;
}

constexpr Form kShapeForm = {{TensorShapeProto::kDimFieldNumber, Form::kMessages, &kDim}, {TensorShapeProto::kUnknownRankFieldNumber, Form::kNumber}};
// Without handles and variants, which no constant holds.
constexpr Form kTensorForm = {{TensorProto::kDtypeFieldNumber, Form::kNumber},
                              {TensorProto::kTensorShapeFieldNumber, Form::kMessage, &kShapeForm},
                              {TensorProto::kVersionNumberFieldNumber, Form::kNumber},
                              {TensorProto::kTensorContentFieldNumber, Form::kBytes},
                              {TensorProto::kFloatValFieldNumber, Form::kFixed32s},
                              {TensorProto::kDoubleValFieldNumber, Form::kFixed64s},
                              {TensorProto::kIntValFieldNumber, Form::kNumbers},
                              {TensorProto::kStringValFieldNumber, Form::kByteses},
                              {TensorProto::kScomplexValFieldNumber, Form::kFixed32s},
                              {TensorProto::kInt64ValFieldNumber, Form::kNumbers},
                              {TensorProto::kBoolValFieldNumber, Form::kNumbers},
                              {TensorProto::kDcomplexValFieldNumber, Form::kFixed64s},
                              {TensorProto::kHalfValFieldNumber, Form::kNumbers},
                              {TensorProto::kUint32ValFieldNumber, Form::kNumbers},
                              {TensorProto::kUint64ValFieldNumber, Form::kNumbers},
                              {TensorProto::kFloat8ValFieldNumber, Form::kBytes}};

}  // namespace savedmodel
