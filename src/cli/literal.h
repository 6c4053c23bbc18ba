// Python literals, as ast.literal_eval takes them: what --input_exprs and --input_examples hold.
#ifndef SAVEDMODEL_CLI_LITERAL_H_
#define SAVEDMODEL_CLI_LITERAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// RuntimeError `Expression "E" is not a valid python literal.`
absl::StatusOr<Value> ParseLiteral(const std::string& text);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_LITERAL_H_
