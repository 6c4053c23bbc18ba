// What --inputs, --input_exprs and --input_examples give for each input key.
#ifndef SAVEDMODEL_CLI_RUN_INPUTS_H_
#define SAVEDMODEL_CLI_RUN_INPUTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/commands.h"
#include "cli/value.h"

namespace savedmodel::cli {

struct Given {
  enum class Form { kValue, kImage, kLines };
  std::string key;
  Form form = Form::kValue;
  Value value;        // of kValue; the lines of kLines
  std::string bytes;  // of kImage
  std::string file;
};

// In the order of the flags; of a key given twice the last counts, later flags win over earlier ones (with a warning).
absl::StatusOr<std::vector<Given>> ReadInputs(const Arguments& arguments);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_RUN_INPUTS_H_
