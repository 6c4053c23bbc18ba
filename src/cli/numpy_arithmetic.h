// Python's and numpy's + - * / // % ** on values: Python numbers, texts and lists among themselves, arrays element by
// element with broadcasting.
#ifndef SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_
#define SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

inline constexpr int64_t kMaxArrayElements = int64_t{1} << 26;  // of one array in an expression
inline constexpr int64_t kMaxListItems = int64_t{1} << 20;

// Errors are InvalidArgument with a reason in words.
absl::StatusOr<Value> Arithmetic(absl::string_view sign, const Value& a, const Value& b);
absl::StatusOr<Value> Negated(const Value& value);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_NUMPY_ARITHMETIC_H_
