#include "savedmodel/model_source.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "archive_writer.h"
#include "core/files.h"

namespace savedmodel {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<ModelLocation> Find(std::map<std::string, std::string> files, bool enter = false) { return FindModel(MakeMemorySource(std::move(files), "models/m"), enter); }

TEST_CASE("model source: a directory that holds a model is the model") {
  for (const char* file : {"saved_model.pb", "saved_model.pbtxt", "saved_model.cpb"}) {
    auto found = Find({{file, ""}, {"7/saved_model.pb", ""}});
    REQUIRE(found.ok());
    CHECK(found->version == -1);
    CHECK(found->note.empty());
    CHECK(found->source->name() == "models/m");
  }
}

TEST_CASE("model source: the newest version is taken by number") {
  auto found = Find({{"9/saved_model.pb", "nine"}, {"10/saved_model.pb", "ten"}, {"0003/saved_model.pb", "three"}, {"11/readme", ""}, {"12a/saved_model.pb", ""}, {"-13/saved_model.pb", ""},
                     {"99999999999999999999/saved_model.pb", ""}});
  REQUIRE(found.ok());
  CHECK(found->version == 10);
  CHECK(found->source->name() == "models/m/10");
  CHECK(found->note == "models/m: version 10 is taken, the newest of 3 (0003, 9, 10)");
  CHECK(*ReadFile(*found->source, "saved_model.pb") == "ten");
  CHECK(found->source->Exists("saved_model.pb"));
  CHECK_FALSE(found->source->Exists("../9/saved_model.pb"));
  CHECK(*found->source->List("") == std::vector<std::string>{"saved_model.pb"});
  CHECK(Find({{"5/saved_model.pbtxt", ""}})->note == "models/m: version 5, the only one there, is taken");
}

TEST_CASE("model source: no model is said so") {
  CHECK(absl::IsNotFound(Find({{"readme", ""}}).status()));
  CHECK(absl::IsNotFound(Find({{"deep/saved_model.pb", ""}}).status()));
  CHECK(absl::IsNotFound(FindModel("/does/not/exist").status()));
  CHECK(absl::IsNotFound(FindModel(std::string("a\0b", 3)).status()));
}

TEST_CASE("model source: a single folder is entered where that is asked for") {
  auto found = Find({{"a/b/2/saved_model.pb", ""}, {"__MACOSX/x", ""}, {".DS_Store", ""}}, true);
  REQUIRE(found.ok());
  CHECK(found->version == 2);
  CHECK(found->source->name() == "models/m/a/b/2");
  CHECK(Find({{"a/saved_model.pb", ""}}, true)->note == "models/m: the folder a in it is taken");
  CHECK(absl::IsNotFound(Find({{"a/saved_model.pb", ""}, {"b/saved_model.pb", ""}}, true).status()));
}

TEST_CASE("model source: paths name directories and archives") {
  std::string pattern = fs::temp_directory_path() / "savedmodel-source-XXXXXX";
  const fs::path root = mkdtemp(pattern.data());
  fs::create_directories(root / "2");
  std::ofstream(root / "2" / "saved_model.pb") << "two";
  std::ofstream(root / "m.tar.gz", std::ios::binary) << Gzip(WriteTar({{"m/saved_model.pb", "packed"}}));
  std::ofstream(root / "text") << "no archive";
  auto directory = FindModel(root.string());
  REQUIRE(directory.ok());
  CHECK(directory->version == 2);
  auto archive = FindModel((root / "m.tar.gz").string());
  if (CanReadArchives()) {
    REQUIRE(archive.ok());
    CHECK(*ReadFile(*archive->source, "saved_model.pb") == "packed");
    CHECK(absl::IsNotFound(FindModel((root / "text").string()).status()));
  } else {
    CHECK(absl::IsUnimplemented(archive.status()));
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace savedmodel
