// numpy's file formats: .npy arrays and .npz archives of them.
#ifndef SAVEDMODEL_CLI_NPY_H_
#define SAVEDMODEL_CLI_NPY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// Versions 1 to 3, both byte orders, C and Fortran order; numbers, bools, S and U texts, and objects as far as the pickle
// reader knows them.
absl::StatusOr<Value> ReadNpy(absl::string_view bytes);
bool IsNpy(absl::string_view bytes);

// Version 1, as numpy.save writes the array that the reference's session gives: strings as an array of pickled objects, a
// single one as dtype S. Unimplemented for dtypes that numpy has not.
absl::StatusOr<std::string> WriteNpy(const Tensor& tensor);

// Name -> bytes of the member, in the archive's order; stored and deflated members, each at most 1 GiB.
struct NpzMember {
  std::string name;  // with ".npy"
  std::string bytes;
};
absl::StatusOr<std::vector<NpzMember>> ReadNpz(absl::string_view bytes);
bool IsNpz(absl::string_view bytes);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_NPY_H_
