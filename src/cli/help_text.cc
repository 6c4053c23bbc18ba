#include "cli/help_text.h"

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace savedmodel::cli {
namespace {

constexpr size_t kWidth = 100;
constexpr char kAbout[] =
    "Looks into TensorFlow SavedModels and runs them, without TensorFlow. Commands and flags are those of TensorFlow's saved_model_cli, and more. "
    "Flags may stand anywhere; --flag=value and --flag value are the same, --noflag switches a switch off, the last one of a repeated flag counts.";
constexpr struct {
  int code;
  const char* meaning;
} kExits[] = {{0, "all went well"},
              {1, "an error: one line on stderr says what and where"},
              {2, "the command line lacks a flag that the command needs, or has a word too many"}};

const Flag* FindFlag(absl::string_view name) {
  for (const Flag& flag : Flags()) {
    if (name == flag.name) return &flag;
  }
  return nullptr;
}

bool Hidden(const Command& command) { return command.summary[0] == '\0'; }

std::string FlagHead(const Flag& flag) { return absl::StrCat("--", flag.name, flag.value != nullptr ? " " : "", flag.value != nullptr ? flag.value : ""); }

std::string Usage(const Command& command) {
  std::string text = absl::StrCat("savedmodel ", command.name);
  if (command.words > 0) absl::StrAppend(&text, command.words == 1 ? " DIR" : " PATH OUT");
  for (const char* name : command.required) {
    if (command.words == 0) absl::StrAppend(&text, " ", FlagHead(*FindFlag(name)));
  }
  return text + (command.optional.empty() ? "" : " [flags]");
}

template <typename Use>  // (const Flag&, bool required)
void ForFlags(const Command& command, Use use) {
  for (const char* name : command.required) use(*FindFlag(name), true);
  for (const char* name : command.optional) use(*FindFlag(name), false);
}

std::string FlagLines(const Command& command) {
  std::string text;
  ForFlags(command, [&](const Flag& flag, bool required) {
    const std::string head = absl::StrCat("  ", FlagHead(flag));
    const std::string help = absl::StrCat(flag.help, required ? " (needed)" : "");
    absl::StrAppend(&text, head, std::string(head.size() < 26 ? 26 - head.size() : 1, ' '), help, "\n");
  });
  return text;
}

// Text for troff: no line begins with a dot, dashes stay dashes.
std::string Troff(absl::string_view text) { return absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"\n.", "\n\\&."}}); }

void ManCommand(const Command& command, std::string* out) {
  absl::StrAppend(out, ".SS ", command.name, "\n", Troff(Usage(command)), "\n.PP\n", Troff(command.about), "\n");
  ForFlags(command, [&](const Flag& flag, bool required) {
    absl::StrAppend(out, ".TP\n.B ", Troff(FlagHead(flag)), "\n", Troff(flag.help), required ? " (needed)" : "", "\n");
  });
  absl::StrAppend(out, ".PP\nExamples:\n");
  for (absl::string_view line : absl::StrSplit(command.examples, '\n', absl::SkipEmpty())) {
    const bool comment = absl::StartsWith(line, "# ");
    absl::StrAppend(out, comment ? ".PP\n" : ".nf\n.RS\n", Troff(comment ? line.substr(2) : line), comment ? ":\n" : "\n.RE\n.fi\n");
  }
}

}  // namespace

std::string Wrapped(const std::string& text, size_t indent, size_t width) {
  const std::string blanks(indent, ' ');
  std::string out, line = blanks;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (line.size() + 1 + word.size() > width && line.size() > indent) {
      absl::StrAppend(&out, line, "\n");
      line = blanks;
    }
    absl::StrAppend(&line, line.size() > indent ? " " : "", word);
  }
  return absl::StrCat(out, line, "\n");
}

std::string HelpText() {
  std::string text = absl::StrCat("usage: savedmodel COMMAND [flags]\n\n", Wrapped(kAbout, 0, kWidth), "\nCommands:\n");
  for (const Command& command : Commands()) {
    if (!Hidden(command)) {
      absl::StrAppend(&text, "  ", command.name, std::string(10 - std::min<size_t>(9, std::string(command.name).size()), ' '), command.summary, "\n");
    }
  }
  absl::StrAppend(&text, "\n`savedmodel COMMAND --help` shows a command's flags and examples; `savedmodel --version` the version.\n\nExit codes:\n");
  for (const auto& exit : kExits) absl::StrAppend(&text, "  ", exit.code, "  ", exit.meaning, "\n");
  return text;
}

std::string HelpText(const Command& command) {
  std::string text = absl::StrCat("usage: ", Usage(command), "\n\n", Wrapped(command.about, 0, kWidth), "\nFlags:\n", FlagLines(command), "\nExamples:\n");
  for (absl::string_view line : absl::StrSplit(command.examples, '\n', absl::SkipEmpty())) {
    const bool comment = absl::StartsWith(line, "# ");
    absl::StrAppend(&text, comment ? "  " : "    ", comment ? line.substr(2) : line, comment ? ":\n" : "\n");
  }
  return text;
}

std::string ManPage() {
  std::string out = absl::StrCat(".TH SAVEDMODEL 1 \"\" \"", kVersion,
                                 "\" \"User Commands\"\n.SH NAME\nsavedmodel \\- looks into TensorFlow SavedModels and runs them\n",
                                 ".SH SYNOPSIS\n.B savedmodel\n.I COMMAND\n[flags]\n.SH DESCRIPTION\n", Troff(kAbout), "\n.SH COMMANDS\n");
  for (const Command& command : Commands()) {
    if (!Hidden(command)) ManCommand(command, &out);
  }
  absl::StrAppend(&out, ".SH EXIT STATUS\n");
  for (const auto& exit : kExits) absl::StrAppend(&out, ".TP\n", exit.code, "\n", Troff(exit.meaning), "\n");
  absl::StrAppend(&out, ".SH ENVIRONMENT\n.TP\nNO_COLOR\nSet to anything: no colour, also on a terminal.\n");
  return out;
}

std::string CompletionScript() {
  std::string names, cases;
  for (const Command& command : Commands()) {
    if (Hidden(command)) continue;
    absl::StrAppend(&names, names.empty() ? "" : " ", command.name);
    absl::StrAppend(&cases, "    ", command.name, ") flags=\"");
    ForFlags(command, [&](const Flag& flag, bool) { absl::StrAppend(&cases, "--", flag.name, " "); });
    absl::StrAppend(&cases, "--help\" ;;\n");
  }
  return absl::StrCat(R"(# bash completion for savedmodel
_savedmodel() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" flags="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in -*) ;; *) command="${COMP_WORDS[i]}"; break ;; esac
  done
  case "$before" in
    --dir | --outdir) COMPREPLY=($(compgen -d -- "$word")); return ;;
    --trace) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --scale) COMPREPLY=($(compgen -W "0..1 -1..1 raw" -- "$word")); return ;;
  esac
  case "$command" in
    "") COMPREPLY=($(compgen -W ")", names, R"( --help --version" -- "$word")); return ;;
)", cases, R"(  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _savedmodel savedmodel
)");
}

absl::Status PrintManPage(const Arguments&) { return std::fputs(ManPage().c_str(), stdout), absl::OkStatus(); }
absl::Status PrintCompletion(const Arguments&) { return std::fputs(CompletionScript().c_str(), stdout), absl::OkStatus(); }

}  // namespace savedmodel::cli
