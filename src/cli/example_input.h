// --input_examples: dictionaries of features as serialized tf.train.Example messages.
#ifndef SAVEDMODEL_CLI_EXAMPLE_INPUT_H_
#define SAVEDMODEL_CLI_EXAMPLE_INPUT_H_

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// A list of dictionaries -> a list of bytes. The errors are the reference tool's.
absl::StatusOr<Value> ExamplesOf(const Value& value);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_EXAMPLE_INPUT_H_
