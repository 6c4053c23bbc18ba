// The command line, read as the reference reads it: on CLI11, after its spellings of flags have been made plain.
#ifndef SAVEDMODEL_CLI_COMMAND_LINE_H_
#define SAVEDMODEL_CLI_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "cli/commands.h"

namespace savedmodel::cli {

struct CommandLine {
  Arguments arguments;
  std::vector<std::string> words;  // the command and what follows it
  bool version = false, help = false;
};

struct LineError {
  int code = 0;      // the program's exit code; 0: no error
  std::string text;  // for stderr
};

// `words`: without the program's name.
LineError ReadCommandLine(const std::vector<std::string>& words, CommandLine* line);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_COMMAND_LINE_H_
