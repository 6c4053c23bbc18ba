// The table of ops as a whole: its schemas can be read, ops without a kernel say why, and docs/ops.md tells the truth.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "model_builder.h"
#include "ops/known_ops.h"
#include "ops/schema.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

TEST_CASE("ops_table: every schema can be read") {
  for (const auto& op : BuiltinOps()->All()) {
    const absl::StatusOr<OpSchema> schema = ParseSchema(*op);
    INFO(op->name << ": " << schema.status().ToString());
    CHECK(schema.ok());
  }
}

TEST_CASE("ops_table: an op without a kernel says why, and only that") {
  for (const auto& op : BuiltinOps()->All()) {
    INFO(op->name);
    CHECK((op->cpu == nullptr && !op->structural) == !op->refusal.empty());
  }
}

TEST_CASE("ops_table: ops known by name only") {
  const std::pair<const char*, const char*> reasons[] = {
      {"SaveV2", "files"}, {"ReadFile", "files"}, {"TFRecordDataset", "files"},  {"EagerPyFunc", "Python"},      {"RangeDataset", "tf.data"},
      {"XlaLaunch", "XLA"}, {"TPUExecute", "TPU"}, {"ResourceApplyAdam", "training"}, {"CollectiveReduce", "collective"}, {"FIFOQueueV2", "queue"},
      {"WriteScalarSummary", "summary"}, {"DebugIdentityV2", "debugging"}, {"DataServiceDatasetV4", "machines"}};
  for (const auto& [name, reason] : reasons) {
    INFO(name);
    std::shared_ptr<const OpDef> op = BuiltinOps()->Find(name);
    REQUIRE(op != nullptr);
    CHECK(op->cpu == nullptr);
    CHECK(absl::StrContains(op->refusal, reason));
  }
  CHECK(BuiltinOps()->Find("SaveV2")->effect == Effect::kStateful);
  CHECK(BuiltinOps()->Find("SaveV2")->inputs == "prefix: string; tensor_names: string; shape_and_slices: string; tensors: dtypes");
}

TEST_CASE("ops_table: what is added wins over what is known, and over what was added before") {
  OpTable ops;
  ops.Add({.name = "WriteFile", .inputs = "mine: string"});
  AddKnownOps(ops);
  ops.Add({.name = "MatchingFiles", .inputs = "first: string"});
  ops.Add({.name = "MatchingFiles", .inputs = "mine, too: string"});
  const OpTable copy = ops;
  for (const OpTable* table : {static_cast<const OpTable*>(&ops), &copy}) {
    CHECK(table->Find("WriteFile")->inputs == "mine: string");
    CHECK(table->Find("MatchingFiles")->inputs == "mine, too: string");
    CHECK(table->Find("ReadFile") != nullptr);
    CHECK(table->Find("NoSuchOp") == nullptr);
    std::map<std::string, std::string> inputs;
    for (const auto& op : table->All()) CHECK(inputs.emplace(op->name, op->inputs).second);
    CHECK(inputs.size() == kKnownOpsCount);
    CHECK(inputs.at("WriteFile") == "mine: string");
    CHECK(inputs.at("MatchingFiles") == "mine, too: string");
  }
}

TEST_CASE("ops_table: every op known by name is found by its name") {
  OpTable ops;
  AddKnownOps(ops);
  const std::vector<std::shared_ptr<const OpDef>> all = ops.All();
  CHECK(all.size() == kKnownOpsCount);
  for (const auto& op : all) CHECK(ops.Find(op->name) == op);
}

TEST_CASE("ops_table: a model with an op known by name only loads, and a run that reaches it is refused") {
  ModelBuilder b;
  b.Placeholder("x", DataType::kString);
  b.Node("y", "Identity", {"x"}).Type("T", DataType::kString);
  b.Node("contents", "ReadFile", {"x"});
  absl::StatusOr<SavedModelBundle> bundle = b.Load();
  REQUIRE(bundle.ok());
  const Tensor x = Tensor::Of<std::string>({}, {"/etc/passwd"});
  CHECK(bundle->session->Run({{"x", x}}, {"y"}).ok());
  const absl::Status refused = bundle->session->Run({{"x", x}}, {"contents"}).status();
  INFO(refused.ToString());
  CHECK(refused.code() == absl::StatusCode::kUnimplemented);
  for (const char* part : {"ReadFile", "contents", "an op that reads or writes files, which a model may not"}) {
    CHECK(absl::StrContains(refused.message(), part));
  }
}

// If this fails: build tests/ops_dump and run scripts/ops_table.
TEST_CASE("ops_table: docs/ops.md lists the ops that run, no more and no less") {
  std::ifstream file(SAVEDMODEL_SOURCE_ROOT "/docs/ops.md");
  REQUIRE(file);
  std::set<std::string> listed, there;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    if (absl::StartsWith(line, "| `") && cells.size() == 4) listed.insert(cells[0].substr(3, cells[0].size() - 4) + " by " + cells[1]);
  }
  for (const auto& op : BuiltinOps()->All()) {
    if (op->cpu != nullptr) there.insert(op->name + " by kernel");
    if (op->cpu == nullptr && op->structural) there.insert(op->name + " by planner");
  }
  std::vector<std::string> missing, gone;
  std::set_difference(there.begin(), there.end(), listed.begin(), listed.end(), std::back_inserter(missing));
  std::set_difference(listed.begin(), listed.end(), there.begin(), there.end(), std::back_inserter(gone));
  INFO("run scripts/ops_table");
  CHECK(missing == std::vector<std::string>());
  CHECK(gone == std::vector<std::string>());
}

}  // namespace
}  // namespace savedmodel
