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

namespace savedmodel {

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

  // One field at most of `one_of` is expected, and one value of each field that is no list.
  constexpr Form(std::initializer_list<Row> rows, std::initializer_list<int> one_of = {}) {
    uint8_t messages = 0;
    for (const Row& row : rows) {
      kinds_[row.number] = row.kind;
      if (row.kind != kMessage && row.kind != kMessages) continue;
      messages_[messages] = row.message;
      slots_[row.number] = messages++;
    }
    for (int number : one_of) alternatives_ |= uint64_t{1} << number;
  }

  Kind kind(uint32_t number) const { return kinds_[number]; }
  const Form& message(uint32_t number) const { return *messages_[slots_[number]]; }
  uint64_t alternatives() const { return alternatives_; }  // as bits

 private:
  Kind kinds_[kNumbersBelow] = {};
  uint8_t slots_[kNumbersBelow] = {};
  const Form* messages_[13] = {};
  uint64_t alternatives_ = 0;
};

// Whether the bytes are known fields alone, with values as they should be, text in ASCII, not in too many levels. Then protobuf
// parses them, and a look at the bytes shows what the message would hold. Otherwise it may parse them or not.
bool IsUsual(absl::string_view bytes, const Form& form);

// Calls `visit` with the fields of a usual message that have their length before them, in their order.
void VisitFields(absl::string_view bytes, absl::FunctionRef<void(int number, absl::string_view value)> visit);
// The last of them with this number, as a map keeps it; data() is null if there is none.
absl::string_view FieldOf(absl::string_view bytes, int number);

// A map is a list of messages with these fields.
constexpr int kMapKey = 1, kMapValue = 2;

// Forms of messages of tensor.proto.
extern const Form kShapeForm, kTensorForm;

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_WIRE_FORM_H_
