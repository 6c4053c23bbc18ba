// numpy's dtypes as text ("<f4", "|S3") and the bytes of its arrays.
#ifndef SAVEDMODEL_CLI_NUMPY_DATA_H_
#define SAVEDMODEL_CLI_NUMPY_DATA_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

struct NumpyType {
  DataType type = DataType::kInvalid;  // kString for S and U
  Array::Text text = Array::Text::kNone;
  bool objects = false;
  bool swap = false;   // big-endian
  int64_t units = 0;   // letters of S and U
  size_t bytes() const;  // of one element
};

// "<f4", "f4", "|O", ">U3". An error for records, dates and other dtypes that no tensor has.
absl::StatusOr<NumpyType> ParseNumpyType(absl::string_view code);
// "<f4", "|b1"; empty where numpy has no such dtype. bfloat16 is "<V2", as the reference's tool writes it.
std::string NumpyCode(DataType type);

// The array whose bytes begin at data's; longer data is no error, shorter is.
absl::StatusOr<Array> DecodeArray(const NumpyType& type, const TensorShape& shape, bool fortran, absl::string_view data);

// Where element i (row-major) of a Fortran-ordered array lies.
int64_t FortranPlace(const TensorShape& shape, int64_t i);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_NUMPY_DATA_H_
