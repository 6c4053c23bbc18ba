// Messages as bytes: whether they are as programs write them, and what lies in them, without making them.
//
// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding/): a message is fields one after the other, each a tag
// (number and wire type) and a value, whose length stands before it unless it is a number.
#ifndef SAVEDMODEL_LOADER_WIRE_FORM_H_
#define SAVEDMODEL_LOADER_WIRE_FORM_H_

#include <cstdint>
#include <initializer_list>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace savedmodel {

enum WireType : uint32_t { kVarint = 0, kEightBytes = 1, kLengthDelimited = 2, kFourBytes = 5 };

// Takes a field off the front of `bytes`: its number and wire type (tag >> 3 and tag & 7), and in `value` what has its length before
// it, else nothing. False where the bytes end too early, for groups, and for tags and lengths of more than four bytes.
bool TakeField(absl::string_view* bytes, uint32_t* tag, absl::string_view* value);

// What the fields of a message are, by their numbers. Forms are constants that point to each other.
class Form {
 public:
  enum Kind : uint8_t { kUnknown, kNumber, kFixed32, kFixed64, kText, kBytes, kMessage, kLists, kNumbers, kFixed32s, kFixed64s, kTexts, kByteses, kMessages };
  struct Row {
    int number;
    Kind kind;
    const Form* message = nullptr;  // of kMessage and kMessages
  };
  static constexpr uint32_t kNumbersBelow = 57;

  // One value of each field that is no list is expected, and of all fields of `one_of` together.
  constexpr Form(std::initializer_list<Row> rows, std::initializer_list<Row> one_of = {}) {
    for (const Row& row : rows) Add(row);
    for (const Row& row : one_of) {
      Add(row);
      alternatives_ |= uint64_t{1} << row.number;
    }
  }

  Kind kind(uint32_t number) const { return kinds_[number]; }
  const Form& message(uint32_t number) const { return *messages_[slots_[number]]; }
  uint64_t alternatives() const { return alternatives_; }  // as bits

 private:
  constexpr void Add(const Row& row) {
    kinds_[row.number] = row.kind;
    if (row.kind != kMessage && row.kind != kMessages) return;
    messages_[count_] = row.message;
    slots_[row.number] = count_++;
  }

  Kind kinds_[kNumbersBelow] = {};
  uint8_t slots_[kNumbersBelow] = {};
  const Form* messages_[13] = {};
  uint8_t count_ = 0;  // of messages_
  uint64_t alternatives_ = 0;
};

// Whether the bytes are known fields alone, with values as they should be, text in ASCII, not in too many levels. Then protobuf
// parses them, and a look at the bytes shows what the message would hold. Otherwise it may parse them or not.
bool IsUsual(absl::string_view bytes, const Form& form);

// Calls `visit` with the fields of a usual message that have their length before them, in their order.
void VisitFields(absl::string_view bytes, absl::FunctionRef<void(int number, absl::string_view value)> visit);
// The last of them with this number, as a map keeps it.
absl::optional<absl::string_view> FieldOf(absl::string_view bytes, int number);

// A map is a list of messages with these fields.
constexpr int kMapKey = 1, kMapValue = 2;

// Forms of messages of tensor.proto.
extern const Form kShapeForm, kTensorForm;

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_WIRE_FORM_H_
