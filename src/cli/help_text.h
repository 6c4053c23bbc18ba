// Help, man page and shell completion, all from the table of commands.
#ifndef SAVEDMODEL_CLI_HELP_TEXT_H_
#define SAVEDMODEL_CLI_HELP_TEXT_H_

#include <string>

#include "cli/commands.h"

namespace savedmodel::cli {

inline constexpr char kVersion[] = "savedmodel 0.1.0";

std::string HelpText();
std::string HelpText(const Command& command);
std::string ManPage();
std::string CompletionScript();  // for bash

// Text of at most `width` columns a line, each with `indent`.
std::string Wrapped(const std::string& text, size_t indent, size_t width);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_HELP_TEXT_H_
