// Python's and numpy's + - * / // % ** on values: Python numbers, texts and lists among themselves, arrays element by
// element with broadcasting.
#ifndef SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_
#define SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/value.h"

namespace savedmodel::cli {

inline constexpr int64_t kMaxArrayElements = int64_t{1} << 26;  // of one array in an expression
inline constexpr int64_t kMaxListItems = int64_t{1} << 20;

// The error of an expression: a reason in words.
template <typename... Parts>
absl::Status Cannot(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// Errors are those of Cannot.
absl::StatusOr<Value> Arithmetic(absl::string_view sign, const Value& a, const Value& b);
absl::StatusOr<Value> Negated(const Value& value);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_
