#include <catch2/catch.hpp>

#include "archive_writer.h"
#include "core/files.h"
#include "savedmodel/model_source.h"

namespace savedmodel {
namespace {

absl::StatusOr<std::shared_ptr<FileSource>> Open(const std::string& bytes, const ArchiveOptions& options = {}) {
  return MakeArchiveSource(*MakeMemorySource({{"a", bytes}})->Open("a"), "model.tar", options);
}

absl::StatusCode CodeOf(const std::string& bytes, const ArchiveOptions& options = {}) { return Open(bytes, options).status().code(); }

const std::vector<ArchiveEntry> kFiles = {{"m/", "", '5'}, {"m/saved_model.pb", "graph"}, {"./m/variables//variables.index", "index"}, {"m/empty", ""}};

TEST_CASE("archive: tar, tar.gz and zip give their files") {
  if (!CanReadArchives()) return;
  std::vector<ArchiveEntry> plain(kFiles.begin() + 1, kFiles.end());
  for (const std::string& bytes : {WriteTar(kFiles), Gzip(WriteTar(kFiles)), WriteZip(plain)}) {
    auto source = Open(bytes);
    REQUIRE(source.ok());
    CHECK((*source)->name() == "model.tar");
    CHECK(*ReadFile(**source, "m/saved_model.pb") == "graph");
    CHECK(*ReadFile(**source, "./m/variables/variables.index") == "index");
    CHECK(ReadFile(**source, "m/empty")->empty());
    CHECK(*(*source)->List("") == std::vector<std::string>{"m"});
    CHECK(*(*source)->List("m") == std::vector<std::string>{"empty", "saved_model.pb", "variables"});
    CHECK(absl::IsNotFound((*source)->Open("m/other").status()));
    CHECK(absl::IsNotFound((*source)->List("other").status()));
    CHECK(absl::IsInvalidArgument((*source)->Open("../m/saved_model.pb").status()));
  }
}

TEST_CASE("archive: its files can be shared by tensors") {
  if (!CanReadArchives()) return;
  auto source = Open(WriteTar(kFiles));
  REQUIRE(source.ok());
  CHECK((*(*source)->Open("m/saved_model.pb"))->mapping() != nullptr);
  char byte;
  CHECK(absl::IsOutOfRange((*(*source)->Open("m/saved_model.pb"))->Read(5, 1, &byte)));
}

TEST_CASE("archive: names that lead out are refused, links and devices left out") {
  if (!CanReadArchives()) return;
  CHECK(CodeOf(WriteTar({{"../x", "1"}})) == absl::StatusCode::kPermissionDenied);
  CHECK(CodeOf(WriteTar({{"a/../../x", "1"}})) == absl::StatusCode::kPermissionDenied);
  CHECK(CodeOf(WriteTar({{"/etc/passwd", "1"}})) == absl::StatusCode::kPermissionDenied);
  CHECK(CodeOf(WriteZip({{"../x", "1"}})) == absl::StatusCode::kPermissionDenied);
  CHECK(CodeOf(WriteZip({{"/x", "1"}})) == absl::StatusCode::kPermissionDenied);
  auto source = Open(WriteTar({{"a", "1"}, {"b", "", '2', "/etc/passwd"}, {"c", "", '1', "a"}, {"d", "", '3'}, {"e", "", '6'}}));
  REQUIRE(source.ok());
  CHECK(*(*source)->List("") == std::vector<std::string>{"a"});
}

TEST_CASE("archive: a name twice, no files, no archive, damage") {
  if (!CanReadArchives()) return;
  CHECK(CodeOf(WriteTar({{"a", "1"}, {"./a", "2"}})) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(WriteTar({{"a/", "", '5'}})) == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf("") == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf("this is no archive") == absl::StatusCode::kInvalidArgument);
  CHECK(CodeOf(std::string(1000, '\x1f')) == absl::StatusCode::kInvalidArgument);
  const std::string content(100000, 'x'), tar = WriteTar({{"a", content}});
  CHECK(CodeOf(tar.substr(0, 5000)) == absl::StatusCode::kDataLoss);
  std::string noise;
  for (uint32_t i = 0, x = 1; i < 100000; ++i) noise.push_back(static_cast<char>((x = x * 1664525 + 1013904223) >> 24));
  std::string packed = Gzip(WriteTar({{"a", noise}}));
  CHECK_FALSE(Open(packed.substr(0, packed.size() / 2)).ok());
  for (size_t i = 0; i < tar.size(); i += 37) {  // whatever it says, it says it
    std::string damaged = tar.substr(0, 2048);
    damaged[i % damaged.size()] ^= 0x55;
    (void)Open(damaged);
  }
}

TEST_CASE("archive: limits hold for what comes out") {
  if (!CanReadArchives()) return;
  const std::string bomb = Gzip(WriteTar({{"zeros", std::string(16 << 20, '\0')}}));
  REQUIRE(bomb.size() < 100000);
  ArchiveOptions options;
  options.max_bytes = 1 << 20;
  CHECK(CodeOf(bomb, options) == absl::StatusCode::kResourceExhausted);
  CHECK(Open(bomb).ok());
  options = {};
  options.max_files = 2;
  CHECK(CodeOf(WriteTar({{"a", ""}, {"b", ""}, {"c", ""}}), options) == absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace savedmodel
