#include "cli/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace savedmodel::cli {
namespace {

const char* Code(Style style) {
  switch (style) {
    case Style::kHead: return "\x1b[1m";
    case Style::kName: return "\x1b[36m";
    case Style::kGood: return "\x1b[32m";
    case Style::kBad: return "\x1b[1;31m";
    case Style::kWarn: return "\x1b[33m";
    case Style::kPlain: break;
  }
  return "";
}

std::string Painted(Style style, absl::string_view text) { return absl::StrCat(Code(style), text, "\x1b[0m"); }

}  // namespace

bool IsTerminal(std::FILE* to) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(to)) != 0 && term != nullptr && std::string(term) != "dumb";
}

bool TakesColour(std::FILE* to) {
  const char* no_color = std::getenv("NO_COLOR");
  return IsTerminal(to) && (no_color == nullptr || no_color[0] == '\0');
}

std::string Paint(Style style, const std::string& text, std::FILE* to) {
  return style == Style::kPlain || text.empty() || !TakesColour(to) ? text : Painted(style, text);
}

std::string PaintListing(const std::string& text) {
  if (!TakesColour(stdout)) return text;
  std::string out;
  bool first = true;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!first) out += '\n';
    first = false;
    const absl::string_view words = absl::StripLeadingAsciiWhitespace(line);
    const size_t colon = words.find(": ");
    const size_t indent = line.size() - words.size();
    if (absl::EndsWith(line, ":")) {
      absl::StrAppend(&out, line.substr(0, indent), Painted(Style::kHead, words));
    } else if (colon != words.npos) {
      absl::StrAppend(&out, line.substr(0, indent), Painted(Style::kName, words.substr(0, colon + 1)), words.substr(colon + 1));
    } else {
      absl::StrAppend(&out, line);
    }
  }
  return out;
}

}  // namespace savedmodel::cli
