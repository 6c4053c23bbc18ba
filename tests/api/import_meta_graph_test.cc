#include "savedmodel/meta_graph_import.h"

#include <catch2/catch.hpp>

#include "checkpoint_writer.h"
#include "loader/tensor_proto.h"
#include "model_builder.h"
#include "op_case.h"

namespace savedmodel {
namespace {

// y = x * a + b with a reference variable and a resource variable, and a saver that restores both; p is half of "whole".
proto::MetaGraphDef Model(bool with_saver) {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Node("a", "VariableV2").Type("dtype", DataType::kFloat);
  b.Node("b", "VarHandleOp").Type("dtype", DataType::kFloat).String("shared_name", "named");
  b.Node("p", "VariableV2").Type("dtype", DataType::kFloat);
  for (const char* name : {"a", "b", "p"}) {
    for (auto& node : *b.meta_graph()->mutable_graph_def()->mutable_node()) {
      if (node.name() == name) (*node.mutable_attr())["shape"].mutable_shape()->add_dim()->set_size(2);
    }
  }
  b.Node("rb", "ReadVariableOp", {"b"}).Type("dtype", DataType::kFloat);
  b.Node("xa", "Mul", {"x", "a"}).Type("T", DataType::kFloat);
  b.Node("y", "AddV2", {"xa", "rb"}).Type("T", DataType::kFloat);
  b.Node("z", "Identity", {"p"}).Type("T", DataType::kFloat);
  if (with_saver) {
    b.Const("save/Const", Tensor::Scalar<std::string>("model"));
    b.Const("names", Strings({2}, {"a", "named"}));
    b.Const("slices", Strings({2}, {"", ""}));
    b.Node("save/RestoreV2", "RestoreV2", {"save/Const", "names", "slices"});
    auto* node = b.meta_graph()->mutable_graph_def()->mutable_node(b.meta_graph()->graph_def().node_size() - 1);
    for (int i = 0; i < 2; ++i) (*node->mutable_attr())["dtypes"].mutable_list()->add_type(static_cast<proto::DataType>(DataType::kFloat));
    b.Node("save/Assign", "Assign", {"a", "save/RestoreV2"}).Type("T", DataType::kFloat);
    b.Node("save/Assign_1", "AssignVariableOp", {"b", "save/RestoreV2:1"}).Type("dtype", DataType::kFloat);
    b.Node("save/restore_all", "NoOp", {"^save/Assign", "^save/Assign_1"});
    b.meta_graph()->mutable_saver_def()->set_filename_tensor_name("save/Const:0");
    b.meta_graph()->mutable_saver_def()->set_restore_op_name("save/restore_all");
  }
  proto::VariableDef variable;
  variable.set_variable_name("p:0");
  auto* slice = variable.mutable_save_slice_info_def();
  slice->set_full_name("whole");
  slice->add_full_shape(4);
  slice->add_var_offset(2);
  slice->add_var_shape(2);
  (*b.meta_graph()->mutable_collection_def())["variables"].mutable_bytes_list()->add_value(variable.SerializeAsString());
  return *b.meta_graph();
}

std::shared_ptr<FileSource> Files(bool with_saver) {
  CheckpointWriter writer;
  writer.Add("a", Floats({2}, {2, 3})).Add("named", Floats({2}, {10, 20})).Add("bad_shape", Floats({3}, {1, 2, 3}));
  writer.AddSlices("whole", TensorShape({4}), {{"0,2", Floats({2}, {1, 2})}, {"2,2", Floats({2}, {7, 8})}});
  std::map<std::string, std::string> files = writer.Files("ckpt-2");
  proto::TensorProto old_values;
  old_values.set_dtype(proto::DT_FLOAT);
  for (float value : {5.f, 6.f}) old_values.add_float_val(value);
  files["ckpt-1"] = OldCheckpointWriter().Add("a", TensorShape({2}), "-", old_values).Add("named", TensorShape({2}), "-", old_values).File();
  files["m.meta"] = Model(with_saver).SerializeAsString();
  return MakeMemorySource(std::move(files));
}

std::vector<float> Run(MetaGraph& graph, const std::string& fetch) {
  auto result = graph.session->Run({{"x", Floats({2}, {1, 1})}}, {fetch});
  if (!result.ok()) return {};
  const auto values = (*result)[0].flat<float>();
  return {values.begin(), values.end()};
}

TEST_CASE("meta graph: all variables, by the graph's saver or by name, from both versions") {
  for (bool with_saver : {true, false}) {
    auto source = Files(with_saver);
    auto graph = ImportMetaGraph({}, source, "m.meta");
    REQUIRE(graph.ok());
    REQUIRE(graph->variables().size() == 3);
    CHECK(graph->variables()[1].name == "named");
    CHECK(graph->variables()[1].shape.ToString() == "[2]");
    CHECK(Run(*graph, "y").empty());  // nothing has a value yet
    REQUIRE(graph->Restore(source, "ckpt-2").ok());
    CHECK(Run(*graph, "y") == std::vector<float>{12, 23});
    CHECK(Run(*graph, "z") == (with_saver ? std::vector<float>{} : std::vector<float>{7, 8}));
    CHECK(graph->Restore(source, "ckpt-1") == absl::OkStatus());  // plans that took the old values for constants are gone
    CHECK(Run(*graph, "y") == std::vector<float>{10, 12});
  }
}

TEST_CASE("meta graph: a named subset") {
  auto source = Files(true);
  auto graph = ImportMetaGraph({}, source, "m.meta");
  REQUIRE(graph.ok());
  REQUIRE(graph->Restore(source, "ckpt-2", {"p", "a"}).ok());
  CHECK(Run(*graph, "z") == std::vector<float>{7, 8});
  CHECK(Run(*graph, "y").empty());
  REQUIRE(graph->Restore(source, "ckpt-1", {"named"}).ok());
  CHECK(Run(*graph, "y") == std::vector<float>{7, 9});
  REQUIRE(graph->Restore(source, "ckpt-1", {"a"}).ok());
  CHECK(Run(*graph, "y") == std::vector<float>{10, 12});
}

TEST_CASE("meta graph: what cannot be restored changes nothing") {
  auto source = Files(false);
  auto graph = ImportMetaGraph({}, source, "m.meta");
  REQUIRE(graph.ok());
  REQUIRE(graph->Restore(source, "ckpt-2").ok());
  CHECK(absl::IsNotFound(graph->Restore(source, "gone")));
  CHECK(absl::IsNotFound(graph->Restore(source, "ckpt-1", {"a", "gone"})));
  CHECK(absl::IsNotFound(graph->Restore(source, "ckpt-1", {"named", "p"})));
  CHECK(Run(*graph, "y") == std::vector<float>{12, 23});
  CheckpointWriter wrong;
  wrong.Add("a", Floats({3}, {1, 2, 3})).Add("named", Tensor::Scalar(1));
  auto bad = MakeMemorySource(wrong.Files("c"));
  CHECK(absl::IsInvalidArgument(graph->Restore(bad, "c", {"a"})));
  CHECK(absl::IsInvalidArgument(graph->Restore(bad, "c", {"named"})));
  CheckpointWriter other;
  other.Add("other", Tensor::Scalar(1.f));
  CHECK(absl::IsNotFound(graph->Restore(MakeMemorySource(other.Files("c")), "c")));
  CHECK(absl::IsNotFound(ImportMetaGraph({}, source, "none.meta").status()));
  CHECK(absl::IsNotFound(ImportMetaGraph({}, "/does/not/exist.meta").status()));
}

}  // namespace
}  // namespace savedmodel
