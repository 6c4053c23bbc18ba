#include "cli/help_text.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"

namespace savedmodel::cli {
namespace {

TEST_CASE("help: each flag that a command names is there, with a text") {
  for (const Command& command : Commands()) {
    std::vector<const char*> names = command.required;
    names.insert(names.end(), command.optional.begin(), command.optional.end());
    for (const char* name : names) {
      bool found = false;
      for (const Flag& flag : Flags()) found = found || std::string(flag.name) == name;
      CHECK(found);
    }
    if (command.summary[0] == '\0') continue;
    CHECK(absl::StrContains(HelpText(), command.name));
    CHECK(absl::StrContains(ManPage(), command.name));
    CHECK(absl::StrContains(CompletionScript(), command.name));
    CHECK(absl::StrContains(HelpText(command), command.examples[0] == '#' ? "Examples" : "no examples"));
  }
}

TEST_CASE("help: lines are wrapped") { CHECK(Wrapped("aa bb cc", 2, 7) == "  aa bb\n  cc\n"); }

}  // namespace
}  // namespace savedmodel::cli
