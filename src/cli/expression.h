// The expressions of --input_exprs beyond literals: np.ones((1, 3)) * 2, np.random.rand(2, 3).astype(np.float32) ...
// A small grammar of its own that knows the functions listed in docs/cli.md; nothing else can be called.
#ifndef SAVEDMODEL_CLI_EXPRESSION_H_
#define SAVEDMODEL_CLI_EXPRESSION_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// RuntimeError `Expression "E" is not a valid python literal.`, with the reason where there is one.
// `seed`: of the random numbers; the same seed gives the same numbers.
absl::StatusOr<Value> EvaluateExpression(const std::string& text, uint64_t seed = 0);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_EXPRESSION_H_
