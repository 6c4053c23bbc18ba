#include "api/examine_model.h"

#include <catch2/catch.hpp>
#include <limits>

#include "checkpoint_writer.h"
#include "model_builder.h"
#include "op_case.h"
#include "savedmodel/chunk.pb.h"

namespace savedmodel {
namespace {

// Signature "good" reads v; "bad" has an unknown op in a function and one that needs no kernel here.
proto::SavedModel Model() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Node("v", "VarHandleOp").Type("dtype", DataType::kFloat);
  b.Node("unused", "VarHandleOp").Type("dtype", DataType::kFloat);
  for (int i : {1, 2}) {
    auto* node = b.meta_graph()->mutable_graph_def()->mutable_node(i);
    (*node->mutable_attr())["shape"].mutable_shape()->add_dim()->set_size(i == 1 ? 2 : 1 << 20);
  }
  b.Node("r", "ReadVariableOp", {"v"}).Type("dtype", DataType::kFloat);
  b.Node("y", "AddV2", {"x", "r"}).Type("T", DataType::kFloat);
  b.Node("z", "PartitionedCall", {"x"});
  auto* call = b.meta_graph()->mutable_graph_def()->mutable_node(5);
  (*call->mutable_attr())["f"].mutable_func()->set_name("f");
  for (const char* name : {"f", "never_called"}) {
    auto* function = b.meta_graph()->mutable_graph_def()->mutable_library()->add_function();
    function->mutable_signature()->set_name(name);
    auto* node = function->add_node_def();
    node->set_name("strange");
    node->set_op("NobodyKnowsThisOp");
  }
  b.Const("large", *Tensor::Allocate(DataType::kFloat, TensorShape({1 << 19})));
  auto sign = [&](const char* key, const char* output) {
    proto::SignatureDef& signature = (*b.meta_graph()->mutable_signature_def())[key];
    (*signature.mutable_inputs())["x"].set_name("x:0");
    (*signature.mutable_outputs())["o"].set_name(output);
  };
  sign("good", "y:0");
  sign("bad", "z:0");
  b.Const("names", Strings({1}, {"v"}));
  b.Const("slices", Strings({1}, {""}));
  b.Placeholder("prefix", DataType::kString);
  b.Node("restore", "RestoreV2", {"prefix", "names", "slices"});
  b.meta_graph()->mutable_saver_def()->set_filename_tensor_name("prefix:0");
  b.meta_graph()->mutable_saver_def()->set_restore_op_name("restore");
  proto::SavedModel model;
  *model.add_meta_graphs() = *b.meta_graph();
  return model;
}

ModelReport Examine(std::map<std::string, std::string> files) {
  auto report = ExamineModel({MakeMemorySource(std::move(files), "m"), -1, ""}, *BuiltinOps());
  REQUIRE(report.ok());
  return *report;
}

std::map<std::string, std::string> Files(bool damaged) {
  CheckpointWriter writer;
  writer.Add("v", Floats({2}, {1, std::numeric_limits<float>::quiet_NaN()})).Add("slot", Floats({3}, {1, 2, 3}));
  if (damaged) writer.data(0)[1] ^= 1;
  std::map<std::string, std::string> files = writer.Files();
  files["saved_model.pb"] = Model().SerializeAsString();
  return files;
}

TEST_CASE("doctor: ops that cannot run, by signature") {
  const ModelReport report = Examine(Files(false));
  REQUIRE(report.meta_graphs.size() == 1);
  const MetaGraphReport& graph = report.meta_graphs[0];
  REQUIRE(graph.entries.size() == 3);  // bad, good, (restore)
  CHECK(graph.entries[1].name == "good");
  CHECK(graph.entries[1].problems.empty());
  REQUIRE(graph.entries[0].problems.size() == 1);
  const OpProblem& problem = graph.entries[0].problems[0];
  CHECK(problem.op == "NobodyKnowsThisOp");
  CHECK(problem.function == "f");
  CHECK(problem.first_node == "strange");
  CHECK(problem.nodes == 1);
  CHECK(report.problems.size() == 1);
  CHECK(report.problems[0] == "meta graph {serve}, signature \"bad\": NobodyKnowsThisOp cannot run");
  CHECK(report.advice.size() == 4);
}

TEST_CASE("doctor: what is superfluous") {
  const ModelReport report = Examine(Files(false));
  const MetaGraphReport& graph = report.meta_graphs[0];
  CHECK(graph.functions == 2);
  CHECK(graph.unused_functions == 1);
  REQUIRE(graph.large_constants.size() == 1);
  CHECK(graph.large_constants[0].name == "large");
  REQUIRE(graph.unused_variables.size() == 1);
  CHECK(graph.unused_variables[0].name == "unused");
  CHECK(graph.unused_variables[0].bytes == 4 << 20);
  REQUIRE(report.checkpoint.unused_tensors.size() == 1);
  CHECK(report.checkpoint.unused_tensors[0].name == "slot");
}

TEST_CASE("doctor: the checkpoint's values and checksums") {
  const CheckpointReport good = Examine(Files(false)).checkpoint;
  CHECK(good.there);
  CHECK(good.tensors == 2);
  CHECK(good.bytes == 20);
  CHECK(good.damaged.empty());
  REQUIRE(good.not_finite.size() == 1);
  CHECK(good.not_finite[0].name == "v");
  const ModelReport report = Examine(Files(true));
  REQUIRE(report.checkpoint.damaged.size() == 1);
  CHECK(report.checkpoint.damaged[0].detail.find("Checksum does not match") != std::string::npos);
  CHECK(report.problems.size() == 2);
  auto files = Files(false);
  files["variables/variables.index"] = "short";
  CHECK(Examine(files).checkpoint.problem.find("too short") != std::string::npos);
  CHECK_FALSE(Examine({{"saved_model.pb", Model().SerializeAsString()}}).checkpoint.there);
}

TEST_CASE("doctor: fingerprint and Keras metadata are read when they make sense") {
  auto files = Files(false);
  proto::FingerprintDef fingerprint;
  fingerprint.set_saved_model_checksum(77);
  fingerprint.set_uuid("id");
  files["fingerprint.pb"] = fingerprint.SerializeAsString();
  proto::SavedKerasMetadata keras;
  auto* node = keras.add_nodes();
  node->set_node_path("root");
  node->set_identifier("_tf_keras_model");
  node->set_metadata(R"({"name": "net", "trainable": true, "class_name": "Functional"})");
  files["keras_metadata.pb"] = keras.SerializeAsString();
  const ModelReport report = Examine(files);
  REQUIRE(report.fingerprint.has_value());
  CHECK(report.fingerprint->saved_model_checksum == 77);
  REQUIRE(report.meta_graphs[0].keras.size() == 1);
  CHECK(report.meta_graphs[0].keras[0].class_name == "Functional");
  CHECK(report.meta_graphs[0].keras[0].name == "net");
  files["fingerprint.pb"] = "\xff\xff";
  files["keras_metadata.pb"] = "\xff\xff";
  CHECK_FALSE(Examine(files).fingerprint.has_value());
  CHECK(Examine(files).meta_graphs[0].keras.empty());
}

TEST_CASE("doctor: no model is an error, an empty one a problem") {
  CHECK(absl::IsNotFound(ExamineModel({MakeMemorySource({}), -1, ""}, *BuiltinOps()).status()));
  CHECK(Examine({{"saved_model.pb", ""}}).problems == std::vector<std::string>{"the model holds no meta graphs"});
}

}  // namespace
}  // namespace savedmodel
