#include "savedmodel/frozen_graph.h"

#include <catch2/catch.hpp>

#include "google/protobuf/text_format.h"
#include "model_builder.h"
#include "op_case.h"
#include "savedmodel/freeze.h"

namespace savedmodel {
namespace {

ModelBuilder Builder() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("two", Floats({2}, {2, 3}));
  b.Node("y", "Mul", {"x", "two"}).Type("T", DataType::kFloat);
  b.Node("parts", "Split", {"axis", "y"}).Type("T", DataType::kFloat).Int("num_split", 2);
  b.Const("axis", Tensor::Scalar(0));
  b.Node("done", "NoOp", {"^y"});
  return b;
}

TEST_CASE("frozen graph: binary and text load, run, and tell what goes in and out") {
  ModelBuilder b = Builder();
  const proto::GraphDef& graph = b.meta_graph()->graph_def();
  std::string text;
  google::protobuf::TextFormat::PrintToString(graph, &text);
  auto source = MakeMemorySource({{"g.pb", graph.SerializeAsString()}, {"g.pbtxt", text}});
  for (const char* path : {"g.pb", "g.pbtxt"}) {
    auto loaded = LoadFrozenGraph({}, source, path);
    REQUIRE(loaded.ok());
    REQUIRE(loaded->inputs().size() == 1);
    CHECK(loaded->inputs()[0].name == "x:0");
    CHECK(loaded->inputs()[0].dtype == DataType::kFloat);
    REQUIRE(loaded->outputs().size() == 2);
    CHECK(loaded->outputs()[0].name == "parts:0");
    CHECK(loaded->outputs()[1].name == "parts:1");
    CHECK(loaded->graph_def().node_size() == graph.node_size());
    auto result = loaded->session->Run({{"x", Floats({2}, {10, 100})}}, {"parts:1", "y"});
    REQUIRE(result.ok());
    CHECK((*result)[0].data<float>()[0] == 300);
    CHECK((*result)[1].data<float>()[0] == 20);
    FrozenGraph moved = std::move(*loaded);
    CHECK(moved.inputs().size() == 1);
    CHECK(moved.session->Run({{"x", Floats({2}, {1, 1})}}, {"y"}).ok());
  }
}

TEST_CASE("frozen graph: shapes are inferred, placeholders say theirs") {
  proto::GraphDef graph = Builder().meta_graph()->graph_def();
  auto* shape = (*graph.mutable_node(0)->mutable_attr())["shape"].mutable_shape();
  shape->add_dim()->set_size(2);
  auto loaded = LoadFrozenGraph({}, MakeMemorySource({{"g", graph.SerializeAsString()}}), "g");
  REQUIRE(loaded.ok());
  CHECK(loaded->inputs()[0].shape.ToString() == "[2]");
  CHECK(loaded->outputs()[0].shape.ToString() == "[1]");
}

TEST_CASE("frozen graph: what is none is refused") {
  proto::GraphDef cyclic;
  for (const char* pair : {"ab", "ba"}) {
    proto::NodeDef* node = cyclic.add_node();
    node->set_name(std::string(1, pair[0]));
    node->set_op("NoOp");
    node->add_input(std::string("^") + pair[1]);
  }
  proto::GraphDef newer = Builder().meta_graph()->graph_def();
  newer.mutable_versions()->set_min_consumer(1 << 30);
  auto source = MakeMemorySource({{"empty", ""}, {"noise", "\x01\x02\x03\xff"}, {"text", "nodes {}"}, {"cyclic", cyclic.SerializeAsString()}, {"newer", newer.SerializeAsString()}});
  CHECK(absl::IsNotFound(LoadFrozenGraph({}, source, "gone").status()));
  CHECK(absl::IsNotFound(LoadFrozenGraph({}, "/does/not/exist.pb").status()));
  CHECK(absl::IsInvalidArgument(LoadFrozenGraph({}, source, "empty").status()));
  CHECK_FALSE(LoadFrozenGraph({}, source, "noise").ok());
  CHECK(absl::IsDataLoss(LoadFrozenGraph({}, source, "text").status()));
  CHECK(absl::IsInvalidArgument(LoadFrozenGraph({}, source, "cyclic").status()));
  CHECK(absl::IsInvalidArgument(LoadFrozenGraph({}, source, "newer").status()));
}

std::vector<std::string> OutputNames(const FrozenModel& model) {
  std::vector<std::string> names;
  for (const auto& item : model.outputs) names.push_back(item.second.name);
  return names;
}

TEST_CASE("freeze: a model of the tree gives what it gave") {
  auto bundle = LoadSavedModel({}, {}, {"serve"}, std::string(SAVEDMODEL_SOURCE_ROOT "/models/blazeface"));
  REQUIRE(bundle.ok());
  CHECK(bundle->location() == SAVEDMODEL_SOURCE_ROOT "/models/blazeface");
  CHECK(absl::IsNotFound(FreezeSignature(*bundle, "gone").status()));
  auto frozen = FreezeSignature(*bundle, "serving_default");
  REQUIRE(frozen.ok());
  auto graph = LoadFrozenGraph({}, MakeMemorySource({{"g", frozen->graph_def->SerializeAsString()}}), "g");
  REQUIRE(graph.ok());
  REQUIRE(graph->inputs().size() == 1);
  CHECK(graph->inputs()[0].name == frozen->inputs.at("input").name);
  CHECK(graph->outputs().size() == 4);
  auto picture = Tensor::Allocate(DataType::kFloat, TensorShape({1, 256, 256, 3}));
  REQUIRE(picture.ok());
  for (int64_t i = 0; i < picture->num_elements(); ++i) picture->data<float>()[i] = static_cast<float>(i % 511) / 255 - 1;
  const Feeds feeds = {{graph->inputs()[0].name, *picture}};
  auto expected = bundle->session->Run(feeds, OutputNames(*frozen)), got = graph->session->Run(feeds, OutputNames(*frozen));
  REQUIRE(expected.ok());
  REQUIRE(got.ok());
  for (size_t i = 0; i < expected->size(); ++i) {
    CHECK(std::equal((*expected)[i].flat<float>().begin(), (*expected)[i].flat<float>().end(), (*got)[i].flat<float>().begin()));
  }
}

}  // namespace
}  // namespace savedmodel
