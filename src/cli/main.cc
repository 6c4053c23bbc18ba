// The command-line tool: saved_model_cli's commands show, scan and run with its flags and texts, and two of our own.
// Flags may stand anywhere, before the command too; a repeated flag: the last one wins.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/python_error.h"

namespace savedmodel::cli {
namespace {

constexpr char kVersion[] = "savedmodel 0.1.0";

struct CommandLine {
  Arguments arguments;
  std::vector<std::string> words;  // the command and what follows it
  bool version = false;
};

void AddText(CLI::App& app, const char* name, std::optional<std::string>* value, const char* help) {
  app.add_option_function<std::string>(name, [value](const std::string& text) { *value = text; }, help)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Define(CLI::App& app, CommandLine* line) {
  Arguments& a = line->arguments;
  AddText(app, "--dir", &a.dir, "directory of the SavedModel");
  AddText(app, "--tag_set", &a.tag_set, "tags of the meta graph, comma separated");
  AddText(app, "--signature_def", &a.signature_def, "key of the signature");
  AddText(app, "--op_denylist", &a.op_denylist, "scan: ops to look for, comma separated");
  AddText(app, "--outdir", &a.outdir, "run: write each output to OUTDIR/KEY.npy");
  auto text = [&app](const char* name, std::string* value, const char* help) {
    app.add_option(name, *value, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  text("--inputs", &a.inputs, "run: key=file.npy; key=file.npz[name] ...");
  text("--input_exprs", &a.input_exprs, "run: key=literal; ...");
  text("--input_examples", &a.input_examples, "run: key=[{\"feature\":[1.0]}]; ...");
  auto flag = [&app](const char* names, bool* value, const char* help) {
    app.add_flag(names, *value, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  flag("--all,!--noall", &a.all, "show: everything");
  flag("--list_ops,!--nolist_ops", &a.list_ops, "show: the ops too");
  flag("--overwrite,!--nooverwrite", &a.overwrite, "run: overwrite output files");
  AddText(app, "--checkpoint", &a.checkpoint, "show: list the tensors of the checkpoint with this prefix");
  flag("--json,!--nojson", &a.json, "freeze, doctor, show --checkpoint: answer in JSON");
  flag("-v,--version", &line->version, "print the version");
  app.add_option("command", line->words, "show | run | scan | ops | doctor | freeze | convert");
}

int Fail(int code, const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
  return code;
}

int Missing(const std::string& command, const char* flag) {
  return Fail(2, absl::StrCat("savedmodel ", command, ": error: flag --", flag, "=None: Flag --", flag, " must have a value other than None."));
}

int Finish(const absl::Status& status) { return status.ok() ? 0 : Fail(1, ErrorLine(status)); }

// freeze and convert: what to read, then what to write.
int ReadAndWrite(const CommandLine& line) {
  Arguments arguments = line.arguments;
  if (arguments.dir.has_value()) arguments.paths.push_back(*arguments.dir);
  arguments.paths.insert(arguments.paths.end(), line.words.begin() + 1, line.words.end());
  if (arguments.paths.size() != 2) {
    return Fail(2, absl::StrCat("savedmodel ", line.words[0], ": error: ", arguments.paths.size(), " paths are given, two were wanted: what to read, what to write"));
  }
  return Finish(line.words[0] == "freeze" ? Freeze(arguments) : Convert(arguments));
}

int Dispatch(const CommandLine& line, const std::string& usage) {
  if (line.words.empty()) return Fail(2, absl::StrCat(usage, "Too few arguments."));
  const std::string& command = line.words[0];
  Arguments arguments = line.arguments;
  const bool known = command == "show" || command == "run" || command == "scan" || command == "ops" || command == "doctor" ||
                     command == "freeze" || command == "convert";
  if (command == "aot_compile_cpu" || command == "freeze_model") {
    return Fail(1, absl::StrCat("NotImplementedError: this tool has no command ", command, "; TensorFlow's saved_model_cli does that."));
  }
  if (!known) return Fail(1, absl::StrCat("KeyError: '", command, "'"));
  size_t words = 1;
  if (command == "freeze" || command == "convert") return ReadAndWrite(line);
  if (command == "doctor" && !arguments.dir.has_value() && line.words.size() > 1) arguments.dir = line.words[words++];
  if (line.words.size() > words) return Fail(2, absl::StrCat("savedmodel: error: unrecognized arguments: ", line.words[words]));
  if (command != "ops" && !arguments.dir.has_value() && !(command == "show" && arguments.checkpoint.has_value())) return Missing(command, "dir");
  if (command == "run" && !arguments.tag_set.has_value()) return Missing(command, "tag_set");
  if (command == "run" && !arguments.signature_def.has_value()) return Missing(command, "signature_def");
  if (command == "show" && arguments.checkpoint.has_value()) return Finish(ShowCheckpoint(arguments));
  const absl::Status status = command == "show"   ? Show(arguments)
                              : command == "scan" ? Scan(arguments)
                              : command == "run"  ? RunModel(arguments)
                              : command == "ops"  ? ListOps()
                                                  : Doctor(arguments);
  return Finish(status);
}

int Main(int argc, char** argv) {
  CLI::App app("Looks into TensorFlow SavedModels and runs them.", "savedmodel");
  CommandLine line;
  Define(app, &line);
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return Fail(1, absl::StrCat("FATAL Flags parsing error: ", error.what()));
  }
  if (line.version) {
    std::puts(kVersion);
    return 0;
  }
  for (const std::string& extra : app.remaining()) {
    const std::string name = extra.substr(std::min(extra.find_first_not_of('-'), extra.size()));
    return Fail(1, absl::StrCat("FATAL Flags parsing error: Unknown command line flag '", name.substr(0, name.find('=')),
                                "'\nPass --helpshort or --helpfull to see help on flags."));
  }
  return Dispatch(line, app.help());
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
