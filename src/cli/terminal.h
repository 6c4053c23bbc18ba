// Colour, for people at a terminal. What goes into a file or a pipe never has any.
#ifndef SAVEDMODEL_CLI_TERMINAL_H_
#define SAVEDMODEL_CLI_TERMINAL_H_

#include <cstdio>
#include <string>

namespace savedmodel::cli {

enum class Style { kPlain, kHead, kName, kGood, kBad, kWarn };

// True when lines may be redrawn there: a terminal that is not "dumb".
bool IsTerminal(std::FILE* to);
// True when besides NO_COLOR is not set, or empty (no-color.org).
bool TakesColour(std::FILE* to);

// The text in that style, where `to` takes colour.
std::string Paint(Style style, const std::string& text, std::FILE* to = stdout);

// Text as `show` prints it: heads, and the names before their values, painted.
std::string PaintListing(const std::string& text);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_TERMINAL_H_
