// The command-line tool: saved_model_cli's commands show, scan and run with its flags and texts, and more of our own.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command_line.h"
#include "cli/help_text.h"
#include "cli/python_error.h"
#include "cli/terminal.h"

namespace savedmodel::cli {
namespace {

int Fail(int code, const std::string& text) {
  std::fflush(stdout);
  const size_t end = std::min(text.find(": "), text.size());
  std::fprintf(stderr, "%s%s\n", Paint(Style::kBad, text.substr(0, end), stderr).c_str(), text.substr(end).c_str());
  return code;
}

bool IsGiven(const Arguments& arguments, const char* name) {
  for (const Flag& flag : Flags()) {
    if (std::string(name) != flag.name) continue;
    const auto* text = std::get_if<0>(&flag.to);
    return text == nullptr || (arguments.**text).has_value();
  }
  return false;
}

// What follows the command stands for --dir, or is what to read and what to write.
LineError PlacePaths(const Command& command, Arguments* arguments) {
  std::vector<std::string>& paths = arguments->paths;
  const std::string tool = absl::StrCat("savedmodel ", command.name, ": error: ");
  if (command.words == 1 && !arguments->dir.has_value() && paths.size() == 1) {
    arguments->dir = paths[0];
    paths.clear();
  }
  if (command.words == 2) {
    if (!paths.empty() && paths.back() == "tensorrt") return {};  // the reference's conversion, which says why not
    if (arguments->output_dir.has_value()) return {2, absl::StrCat(tool, "--output_dir belongs to `convert tensorrt`; here IN and OUT were wanted")};
    if (arguments->dir.has_value()) paths.insert(paths.begin(), *arguments->dir);
    if (paths.size() != 2) {
      return {2, absl::StrCat(tool, paths.size(), paths.size() == 1 ? " path is" : " paths are", " given, two were wanted: what to read, what to write")};
    }
  }
  std::string missing;
  for (const char* flag : command.required) {
    if (IsGiven(*arguments, flag) || (command.run == Show && arguments->checkpoint.has_value())) continue;
    absl::StrAppend(&missing, missing.empty() ? tool : "\n", "flag --", flag, "=None: Flag --", flag, " must have a value other than None.");
  }
  if (!missing.empty()) return {2, missing};
  if (paths.size() > command.words) {
    paths.erase(paths.begin(), paths.begin() + static_cast<int64_t>(command.words));
    return {2, absl::StrCat("savedmodel: error: unrecognized arguments: ", absl::StrJoin(paths, " "))};
  }
  return {};
}

int Dispatch(const CommandLine& line) {
  if (line.words.empty()) {
    return Fail(2, "usage: savedmodel COMMAND [flags]; savedmodel --help lists the commands\nsavedmodel: error: Too few arguments.");
  }
  const std::string& name = line.words[0];
  for (const Command& command : Commands()) {
    if (name != command.name) continue;
    if (line.help) return std::fputs(HelpText(command).c_str(), stdout), 0;
    Arguments arguments = line.arguments;
    arguments.paths.assign(line.words.begin() + 1, line.words.end());
    if (const LineError error = PlacePaths(command, &arguments); error.code != 0) return Fail(error.code, error.text);
    const absl::Status status = command.run(arguments);
    if (std::fflush(stdout) != 0 && status.ok()) return Fail(1, "OSError: the output could not be written");
    return status.ok() ? 0 : Fail(1, ErrorLine(status));
  }
  return Fail(1, absl::StrCat("KeyError: '", name, "'"));
}

int Main(int argc, char** argv) {
  CommandLine line;
  const LineError error = ReadCommandLine({argv + std::min(argc, 1), argv + argc}, &line);
  if (error.code != 0) return Fail(error.code, error.text);
  if (line.version) return std::puts(kVersion), 0;
  if (line.help && line.words.empty()) return std::fputs(HelpText().c_str(), stdout), 0;
  return Dispatch(line);
}

}  // namespace
}  // namespace savedmodel::cli

int main(int argc, char** argv) {
  try {
    return savedmodel::cli::Main(argc, argv);
  } catch (const std::exception& error) {  // memory, or a flag that CLI11 cannot take
    std::fprintf(stderr, "RuntimeError: %s\n", error.what());
    return 1;
  }
}
