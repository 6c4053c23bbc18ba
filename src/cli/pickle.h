// Python's pickles, protocols 0 to 5. A pickle is a program that may call anything; this reader calls nothing: it knows
// None, bools, numbers, texts, bytes, lists, tuples, sets, dicts and numpy's arrays, and refuses the rest by name.
#ifndef SAVEDMODEL_CLI_PICKLE_H_
#define SAVEDMODEL_CLI_PICKLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// `_pickle.UnpicklingError` for bytes that are no pickle and for objects that are not read.
absl::StatusOr<Value> ReadPickle(absl::string_view bytes);

// The pickle (protocol 4) that numpy.save makes of an array of bytes objects; `tensor` holds strings.
std::string WriteObjectArray(const Tensor& tensor);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_PICKLE_H_
