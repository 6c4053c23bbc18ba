// The command-line tool: saved_model_cli's commands show, scan and run with its flags and texts, and more of our own.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/help_text.h"
#include "cli/python_error.h"

namespace savedmodel::cli {
namespace {

struct CommandLine {
  Arguments arguments;
  std::vector<std::string> words;  // the command and what follows it
  bool version = false, help = false;
};

void Define(CLI::App& app, CommandLine* line) {
  Arguments* a = &line->arguments;
  for (const Flag& flag : Flags()) {
    const std::string name = absl::StrCat("--", flag.name);
    CLI::Option* option = nullptr;
    if (const auto* text = std::get_if<0>(&flag.to)) {
      option = app.add_option_function<std::string>(name, [to = &(a->**text)](const std::string& value) { *to = value; });
    } else if (const auto* plain = std::get_if<1>(&flag.to)) {
      option = app.add_option(name, a->**plain);
    } else {
      option = app.add_flag(absl::StrCat(name, ",!--no", flag.name), a->*std::get<2>(flag.to));
    }
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  app.set_help_flag();
  app.add_flag("-h,--help,--helpshort,--helpfull", line->help);
  app.add_flag("-v,--version", line->version);
  app.add_option("command", line->words);
}

int Fail(int code, const std::string& text) {
  std::fflush(stdout);
  const size_t end = text.find(": ");
  const bool colour = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr && end != text.npos;
  if (colour) {
    std::fprintf(stderr, "\x1b[1;31m%s\x1b[0m%s\n", text.substr(0, end).c_str(), text.substr(end).c_str());
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
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

int Dispatch(const CommandLine& line) {
  if (line.words.empty()) return Fail(2, "usage: savedmodel COMMAND [flags]; savedmodel --help lists the commands\nsavedmodel: error: Too few arguments.");
  const std::string& name = line.words[0];
  for (const Command& command : Commands()) {
    if (name != command.name) continue;
    if (line.help) return std::fputs(HelpText(command).c_str(), stdout), 0;
    Arguments arguments = line.arguments;
    arguments.paths.assign(line.words.begin() + 1, line.words.end());
    if (command.words == 1 && !arguments.dir.has_value() && arguments.paths.size() == 1) {
      arguments.dir = arguments.paths[0];
      arguments.paths.clear();
    }
    if (command.words == 2) {
      if (arguments.dir.has_value()) arguments.paths.insert(arguments.paths.begin(), *arguments.dir);
      const bool converts = !arguments.paths.empty() && arguments.paths.back() == "tensorrt";  // the reference's, which says why not
      if (arguments.paths.size() < 2 && !converts) {
        return Fail(2, absl::StrCat("savedmodel ", name, ": error: ", arguments.paths.size(), " paths are given, two were wanted: what to read, what to write"));
      }
    }
    std::string missing;
    for (const char* flag : command.required) {
      if (IsGiven(arguments, flag) || (command.run == Show && arguments.checkpoint.has_value())) continue;
      absl::StrAppend(&missing, missing.empty() ? absl::StrCat("savedmodel ", name, ": error: ") : "\n", "flag --", flag, "=None: Flag --", flag,
                      " must have a value other than None.");
    }
    if (!missing.empty()) return Fail(2, missing);
    if (arguments.paths.size() > command.words) return Fail(2, absl::StrCat("savedmodel: error: unrecognized arguments: ", arguments.paths[command.words]));
    const absl::Status status = command.run(arguments);
    if (std::fflush(stdout) != 0 && status.ok()) return Fail(1, "OSError: the output could not be written");
    return status.ok() ? 0 : Fail(1, ErrorLine(status));
  }
  return Fail(1, absl::StrCat("KeyError: '", name, "'"));
}

int Main(int argc, char** argv) {
  CLI::App app("", "savedmodel");
  CommandLine line;
  Define(app, &line);
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Fail(1, absl::StrCat("FATAL Flags parsing error: ", error.what()));
  }
  if (line.version) return std::puts(kVersion), 0;
  if (line.help && line.words.empty()) return std::fputs(HelpText().c_str(), stdout), 0;
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra[1] != '-') {
      return Fail(2, absl::StrCat("savedmodel: error: unrecognized arguments: ", extra, line.words.size() > 1 ? " " : "", line.words.size() > 1 ? line.words[1] : ""));
    }
    const std::string name = extra.substr(std::min(extra.find_first_not_of('-'), extra.size()));
    return Fail(1, absl::StrCat("FATAL Flags parsing error: Unknown command line flag '", name.substr(0, name.find('=')),
                                "'\nPass --helpshort or --helpfull to see help on flags."));
  }
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
