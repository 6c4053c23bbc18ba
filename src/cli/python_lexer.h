// Splits Python's text of literals and expressions into tokens. Numbers and strings come out as values.
#ifndef SAVEDMODEL_CLI_PYTHON_LEXER_H_
#define SAVEDMODEL_CLI_PYTHON_LEXER_H_

#include <string>
#include <vector>

#include "cli/value.h"

namespace savedmodel::cli {

struct Token {
  enum class Kind { kEnd, kNumber, kString, kName, kSign };
  Kind kind = Kind::kEnd;
  std::string text;  // of names and signs ("[", "**")
  Value value;       // of numbers and strings
  bool Is(absl::string_view sign) const { return kind == Kind::kSign && text == sign; }
  bool IsName(absl::string_view name) const { return kind == Kind::kName && text == name; }
};

// False for text that is no Python. Line ends and comments are blanks inside brackets; elsewhere only the last line may
// end. The last token is kEnd.
bool Tokenize(absl::string_view text, std::vector<Token>* tokens);

void AppendUtf8(uint32_t code, std::string* out);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_PYTHON_LEXER_H_
