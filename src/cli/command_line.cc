#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace savedmodel::cli {
namespace {

bool IsSwitch(const Flag& flag) { return flag.to.index() == 2; }

const Flag* FindFlag(const std::string& name) {
  for (const Flag& flag : Flags()) {
    if (name == flag.name) return &flag;
  }
  return nullptr;
}

// The flag that "--name", "--name=value" or "--noname" means; null if it is none.
const Flag* FlagOf(const std::string& word) {
  if (!absl::StartsWith(word, "--")) return nullptr;
  const std::string name = word.substr(2, word.find('=') == word.npos ? word.npos : word.find('=') - 2);
  if (const Flag* flag = FindFlag(name); flag != nullptr) return flag;
  const Flag* negated = absl::StartsWith(name, "no") ? FindFlag(name.substr(2)) : nullptr;
  return negated != nullptr && IsSwitch(*negated) ? negated : nullptr;
}

LineError FlagError(const std::string& text) {
  return {1, absl::StrCat("FATAL Flags parsing error: ", text, "\nPass --helpshort or --helpfull to see help on flags.")};
}

// Flags of the reference that are not used here, but must be spelled right.
std::string WrongValue(const Flag& flag, const std::string& value) {
  const std::string name = flag.name;
  int64_t number = 0;
  if ((name == "max_workspace_size_bytes" || name == "minimum_segment_size") && !absl::SimpleAtoi(value, &number) &&
      !(absl::StartsWith(value, "0x") && absl::SimpleHexAtoi(value, &number))) {
    return absl::StrCat("flag --", name, "=", value, ": invalid literal for int() with base 10: '", value, "'");
  }
  if (name == "precision_mode" && value != "FP32" && value != "FP16" && value != "INT8") {
    return absl::StrCat("flag --", name, "=", value, ": value should be one of <FP32|FP16|INT8>");
  }
  return "";
}

// Each flag becomes "--name" "value", each switch "--name" or "--noname": CLI11 drops an empty value after "=", and takes other
// words for true and false.
LineError MakePlain(const std::vector<std::string>& words, std::vector<std::string>* plain) {
  for (size_t i = 0; i < words.size(); ++i) {
    const Flag* flag = FlagOf(words[i]);
    if (flag == nullptr) {
      plain->push_back(words[i]);
      continue;
    }
    const size_t equals = words[i].find('=');
    std::string value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
    const std::string name = words[i].substr(0, equals);
    if (IsSwitch(*flag)) {
      const std::string lower = absl::AsciiStrToLower(value);
      const bool yes = equals == std::string::npos || lower == "true" || lower == "t" || lower == "1";
      if (!yes && lower != "false" && lower != "f" && lower != "0") {
        return FlagError(absl::StrCat("flag ", words[i], ": Non-boolean argument to boolean flag"));
      }
      plain->push_back(yes || name != absl::StrCat("--", flag->name) ? name : absl::StrCat("--no", flag->name));
      continue;
    }
    if (equals == std::string::npos) {
      if (i + 1 == words.size()) return FlagError(absl::StrCat("Missing value for flag ", name));
      if (FlagOf(words[i + 1]) != nullptr) {
        return {2, absl::StrCat("savedmodel: error: argument ", name, ": expected one argument, but ", words[i + 1], " follows it")};
      }
      value = words[++i];
    }
    if (const std::string why = WrongValue(*flag, value); !why.empty()) return FlagError(why);
    plain->push_back(name);
    plain->push_back(value);
  }
  return {};
}

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
  app.allow_extras();
}

}  // namespace

LineError ReadCommandLine(const std::vector<std::string>& words, CommandLine* line) {
  std::vector<std::string> plain;
  if (LineError error = MakePlain(words, &plain); error.code != 0) return error;
  CLI::App app("", "savedmodel");
  Define(app, line);
  std::reverse(plain.begin(), plain.end());  // CLI11 takes them from the end
  try {
    app.parse(plain);
  } catch (const CLI::ParseError& error) {
    return FlagError(error.what());
  }
  if (line->version || line->help) return {};
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra[1] != '-') {
      const char* after = line->words.size() > 1 ? line->words[1].c_str() : "";
      return {2, absl::StrCat("savedmodel: error: unrecognized arguments: ", extra, line->words.size() > 1 ? " " : "", after)};
    }
    const std::string name = extra.substr(std::min(extra.find_first_not_of('-'), extra.size()));
    return FlagError(absl::StrCat("Unknown command line flag '", name.substr(0, name.find('=')), "'"));
  }
  return {};
}

}  // namespace savedmodel::cli
