#include "cli/command_line.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"

namespace savedmodel::cli {
namespace {

CommandLine Read(const std::vector<std::string>& words) {
  CommandLine line;
  const LineError error = ReadCommandLine(words, &line);
  INFO(error.text);
  CHECK(error.code == 0);
  return line;
}

TEST_CASE("command line: flags stand anywhere, with = or without, and may be empty") {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"show", "--dir", "m", "--tag_set", "", "--all"}, {"--tag_set=", "--all", "--dir=m", "show"}, {"--dir=x", "show", "--noall", "--all=true", "--dir=m", "--tag_set="}}) {
    const CommandLine line = Read(words);
    CHECK(line.words == std::vector<std::string>{"show"});
    CHECK(line.arguments.dir == "m");
    CHECK(line.arguments.tag_set == "");
    CHECK(line.arguments.all);
  }
  CHECK_FALSE(Read({"show", "--all", "--all=False"}).arguments.all);
  CHECK(Read({"run", "--input_exprs", "x=-1;y=[--2]", "--scale", "-1..1"}).arguments.scale == "-1..1");
  CHECK(Read({"run", "--inputs=x=a=b.npy"}).arguments.inputs == "x=a=b.npy");
}

TEST_CASE("command line: refusals") {
  struct {
    std::vector<std::string> words;
    int code;
    const char* text;
  } cases[] = {{{"show", "--bogus"}, 1, "Unknown command line flag 'bogus'"},
               {{"show", "--dir"}, 1, "Missing value for flag --dir"},
               {{"show", "--tag_set", "--all"}, 2, "expected one argument"},
               {{"show", "--all=perhaps"}, 1, "Non-boolean argument"},
               {{"show", "--all="}, 1, "Non-boolean argument"},
               {{"show", "-dir", "m"}, 2, "unrecognized arguments: -dir m"},
               {{"show", "--precision_mode=FP64"}, 1, "FP32|FP16|INT8"},
               {{"show", "--minimum_segment_size", "1.5"}, 1, "invalid literal"}};
  for (const auto& c : cases) {
    CommandLine line;
    const LineError error = ReadCommandLine(c.words, &line);
    INFO(error.text);
    CHECK(error.code == c.code);
    CHECK(absl::StrContains(error.text, c.text));
  }
}

}  // namespace
}  // namespace savedmodel::cli
