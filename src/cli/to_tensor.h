// From Python values, and from arrays of another dtype, to the tensor that is fed: what the reference's session does with
// numpy's asarray and astype.
#ifndef SAVEDMODEL_CLI_TO_TENSOR_H_
#define SAVEDMODEL_CLI_TO_TENSOR_H_

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

absl::StatusOr<Tensor> ToTensor(const Value& value, DataType type);

// numpy's array(value): its own dtype. Objects give an array of objects.
absl::StatusOr<Array> ToArray(const Value& value);

// Elements as `type`. `text` says which texts a tensor of strings holds.
absl::StatusOr<Tensor> CastTensor(const Tensor& from, DataType type, Array::Text text = Array::Text::kNone);

// Reads a text as Python's int(), float() or complex() do and writes the number at `i`. `shown`: the text in errors.
absl::Status StoreText(const std::string& text, const std::string& shown, Tensor* t, int64_t i);
// Writes a number at `i`: reals are cut off towards zero, integers wrap. False for a dtype that holds no numbers.
bool StoreNumber(std::complex<double> number, int64_t integer, bool exact, Tensor* t, int64_t i);
// Element `i` of numbers, bools or texts as a Python value.
Value ElementOf(const Array& array, int64_t i);
Value ElementOf(const Tensor& tensor, int64_t i, Array::Text text);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_TO_TENSOR_H_
