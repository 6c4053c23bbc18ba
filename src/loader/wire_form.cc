#include "loader/wire_form.h"

#include <cstring>

#include "savedmodel/tensor.pb.h"

namespace savedmodel {
namespace {

constexpr int kMostDepth = 60;  // protobuf reads 100 levels, of which others may lie around the message

enum WireType : uint32_t { kVarint = 0, kEightBytes = 1, kLengthDelimited = 2, kFourBytes = 5 };

// Reads from the front of what is left. Each returns false where the bytes end too early.
class Wire {
 public:
  explicit Wire(absl::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}
  bool empty() const { return at_ == end_; }
  // Tags and lengths, which have four bytes at most here.
  bool Small(uint32_t* value) {
    *value = 0;
    for (int shift = 0; shift < 28 && at_ != end_; shift += 7) {
      const uint32_t byte = static_cast<uint8_t>(*at_++);
      *value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool SkipNumber() {
    for (int i = 0; i < 9 && at_ != end_; ++i) {
      if (static_cast<uint8_t>(*at_++) < 0x80) return true;
    }
    return at_ != end_ && static_cast<uint8_t>(*at_++) <= 1;  // the 64th bit
  }
  bool Skip(size_t n) {
    if (n > static_cast<size_t>(end_ - at_)) return false;
    at_ += n;
    return true;
  }
  bool Delimited(absl::string_view* value) {
    uint32_t n;
    if (!Small(&n) || n > static_cast<size_t>(end_ - at_)) return false;
    *value = {at_, n};
    at_ += n;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

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
  for (Wire wire(packed); !wire.empty();) {
    if (!wire.SkipNumber()) return false;
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
  for (Wire wire(bytes); !wire.empty();) {
    uint32_t tag;
    if (!wire.Small(&tag) || tag >= Form::kNumbersBelow * 8) return false;
    const uint32_t number = tag >> 3;
    const Form::Kind kind = form.kind(number);
    if (kind < Form::kLists) {
      const uint64_t bit = uint64_t{1} << number;
      if ((seen & ((form.alternatives() & bit) != 0 ? form.alternatives() : bit)) != 0) return false;
      seen |= bit;
    }
    absl::string_view value;
    switch (tag & 7) {
      case kVarint:
        if ((kind != Form::kNumber && kind != Form::kNumbers) || !wire.SkipNumber()) return false;
        break;
      case kFourBytes:
        if ((kind != Form::kFixed32 && kind != Form::kFixed32s) || !wire.Skip(4)) return false;
        break;
      case kEightBytes:
        if ((kind != Form::kFixed64 && kind != Form::kFixed64s) || !wire.Skip(8)) return false;
        break;
      case kLengthDelimited:
        if (!wire.Delimited(&value) || !IsUsualValue(value, form, number, depth)) return false;
        break;
      default: return false;
    }
  }
  return true;
}

using proto::TensorProto;
using proto::TensorShapeProto;

constexpr Form kDim = {{TensorShapeProto::Dim::kSizeFieldNumber, Form::kNumber}, {TensorShapeProto::Dim::kNameFieldNumber, Form::kText}};

}  // namespace

bool IsUsual(absl::string_view bytes, const Form& form) { return AreUsual(bytes, form, 0); }

void VisitFields(absl::string_view bytes, absl::FunctionRef<void(int number, absl::string_view value)> visit) {
  for (Wire wire(bytes); !wire.empty();) {
    uint32_t tag = 0;
    absl::string_view value;
    wire.Small(&tag);
    switch (tag & 7) {
      case kVarint: wire.SkipNumber(); break;
      case kFourBytes: wire.Skip(4); break;
      case kEightBytes: wire.Skip(8); break;
      default:
        wire.Delimited(&value);
        visit(static_cast<int>(tag >> 3), value);
    }
  }
}

absl::string_view FieldOf(absl::string_view bytes, int wanted) {
  absl::string_view found;
  VisitFields(bytes, [&](int number, absl::string_view value) {
    if (number == wanted) found = value.data() == nullptr ? absl::string_view("") : value;
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
