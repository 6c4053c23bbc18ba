#include "cli/python_error.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace savedmodel::cli {

std::string ErrorLine(const absl::Status& status) {
  // In one line, and without the note that repeats a node's name ("\n\t [[{{node x}}]]").
  std::string message;
  for (absl::string_view line : absl::StrSplit(status.message(), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && !absl::StartsWith(line, "[[{{node")) absl::StrAppend(&message, message.empty() ? "" : " ", line);
  }
  if (status.code() == absl::StatusCode::kUnknown) return message;
  if (status.code() == absl::StatusCode::kResourceExhausted && (absl::StrContains(message, "cannot allocate") || absl::StrContains(message, "no memory for"))) {
    message += "; the model is too large for the memory that is free: free some, raise the limit, or take one signature by `savedmodel freeze`";
  }
  std::string name;
  bool upper = true;
  for (char c : absl::StatusCodeToString(status.code())) {
    if (c == '_') {
      upper = true;
    } else {
      name += upper || c < 'A' || c > 'Z' ? c : static_cast<char>(c - 'A' + 'a');
      upper = false;
    }
  }
  return absl::StrCat(name, "Error: ", message);
}

}  // namespace savedmodel::cli
