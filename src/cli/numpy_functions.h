// The functions of numpy that expressions may call.
#ifndef SAVEDMODEL_CLI_NUMPY_FUNCTIONS_H_
#define SAVEDMODEL_CLI_NUMPY_FUNCTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// Random numbers of our own (splitmix64): not numpy's sequence.
class RandomNumbers {
 public:
  explicit RandomNumbers(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  double Uniform();  // [0, 1)
  double Normal();   // Box-Muller

 private:
  uint64_t state_;
};

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// "ones", "random.rand", "float32" ...; InvalidArgument with a reason.
absl::StatusOr<Value> CallNumpy(const std::string& name, const CallArguments& arguments, RandomNumbers* random);
// value.astype(...), .reshape(...), .flatten(), .tolist(), .copy().
absl::StatusOr<Value> CallMethod(const Value& value, const std::string& name, const CallArguments& arguments);
// pi, e, inf, nan and the dtypes.
absl::StatusOr<Value> NumpyConstant(const std::string& name);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_NUMPY_FUNCTIONS_H_
