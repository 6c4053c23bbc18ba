// JSON: reading input files, and quoting what --json prints.
#ifndef SAVEDMODEL_CLI_JSON_VALUE_H_
#define SAVEDMODEL_CLI_JSON_VALUE_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/value.h"

namespace savedmodel::cli {

// A JSON text as lists, dicts, texts and numbers.
absl::StatusOr<Value> ParseJson(absl::string_view text);

// The array of a .json input file: the whole file, or the member `key` of an object, or of its "inputs" or "instances".
absl::StatusOr<Value> JsonInput(absl::string_view text, const std::string& file, const std::string& key);

// "text" with quotes; bytes that are no UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text);
// A number; null where JSON has none (nan, inf).
std::string JsonNumber(double value);
// ["a", "b"]
template <typename Texts>
std::string JsonStrings(const Texts& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + JsonString(text);
  return out + "]";
}
// A tensor as nested arrays.
std::string JsonTensor(const Tensor& tensor);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_JSON_VALUE_H_
