#include "loader/graph_file.h"

#include <catch2/catch.hpp>

#include "chunked_writer.h"
#include "google/protobuf/text_format.h"

namespace savedmodel {
namespace {

proto::GraphDef SmallGraph() {
  proto::GraphDef graph;
  for (const char* name : {"x", "y"}) {
    proto::NodeDef* node = graph.add_node();
    node->set_name(name);
    node->set_op("NoOp");
  }
  graph.mutable_versions()->set_producer(2474);
  return graph;
}

proto::MetaGraphDef SmallMetaGraph() {
  proto::MetaGraphDef meta_graph;
  meta_graph.mutable_meta_info_def()->set_tensorflow_version("1.15.0");
  *meta_graph.mutable_graph_def() = SmallGraph();
  return meta_graph;
}

std::string TextOf(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

TEST_CASE("graph file: binary and text are told apart by content") {
  const proto::GraphDef graph = SmallGraph();
  auto source = MakeMemorySource({{"a.pbtxt", graph.SerializeAsString()}, {"b.pb", TextOf(graph)}});
  CHECK_FALSE(*LooksLikeText(*source, "a.pbtxt"));
  CHECK(*LooksLikeText(*source, "b.pb"));
  for (const char* path : {"a.pbtxt", "b.pb"}) {
    auto read = ReadGraphFile(*source, path);
    REQUIRE(read.ok());
    CHECK((*read)->SerializeAsString() == graph.SerializeAsString());
  }
  CHECK(absl::IsNotFound(ReadGraphFile(*source, "c.pb").status()));
}

TEST_CASE("graph file: any of the three kinds is recognised") {
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  *model.add_meta_graphs() = SmallMetaGraph();
  const std::vector<std::pair<MessageKind, std::unique_ptr<google::protobuf::Message>>> kinds = [&] {
    std::vector<std::pair<MessageKind, std::unique_ptr<google::protobuf::Message>>> list;
    list.emplace_back(MessageKind::kSavedModel, std::make_unique<proto::SavedModel>(model));
    list.emplace_back(MessageKind::kGraph, std::make_unique<proto::GraphDef>(SmallGraph()));
    list.emplace_back(MessageKind::kMetaGraph, std::make_unique<proto::MetaGraphDef>(SmallMetaGraph()));
    return list;
  }();
  for (const auto& [kind, message] : kinds) {
    for (bool text : {false, true}) {
      const std::string bytes = text ? TextOf(*message) : message->SerializeAsString();
      auto any = ReadAnyMessage(*MakeMemorySource({{"f", bytes}}), "f");
      REQUIRE(any.ok());
      CHECK(any->kind == kind);
      CHECK(any->text == text);
      CHECK(any->message->SerializeAsString() == message->SerializeAsString());
    }
  }
}

TEST_CASE("graph file: another kind is named") {
  proto::SavedModel model;
  *model.add_meta_graphs() = SmallMetaGraph();
  auto source = MakeMemorySource({{"model", model.SerializeAsString()}, {"meta", SmallMetaGraph().SerializeAsString()}, {"graph", SmallGraph().SerializeAsString()},
                                  {"meta.txt", TextOf(SmallMetaGraph())}, {"empty", ""}, {"text", "node {"}, {"cut", SmallGraph().SerializeAsString().substr(0, 9)}});
  auto message = [&](const absl::Status& status) { return std::string(status.message()); };
  CHECK(message(ReadGraphFile(*source, "model").status()) == "memory/model: is a SavedModel, a GraphDef was wanted");
  CHECK(message(ReadGraphFile(*source, "meta").status()) == "memory/meta: is a MetaGraphDef, a GraphDef was wanted");
  CHECK(message(ReadGraphFile(*source, "meta.txt").status()) == "memory/meta.txt: is a MetaGraphDef, a GraphDef was wanted");
  CHECK(message(ReadMetaGraphFile(*source, "graph").status()) == "memory/graph: is a GraphDef, a MetaGraphDef was wanted");
  CHECK(absl::IsInvalidArgument(ReadGraphFile(*source, "empty").status()));
  CHECK(absl::IsOutOfRange(ReadGraphFile(*source, "text").status()));
  CHECK(absl::IsOutOfRange(ReadGraphFile(*source, "cut").status()));
  CHECK(absl::IsInvalidArgument(ReadAnyMessage(*source, "empty").status()));
}

TEST_CASE("graph file: bytes of any kind are refused or read") {
  std::string noise;
  for (uint32_t i = 0, x = 7; i < 3000; ++i) noise.push_back(static_cast<char>((x = x * 1664525 + 1013904223) >> 24));
  for (size_t n : {1, 2, 3, 10, 100, 3000}) CHECK_FALSE(ReadAnyMessage(*MakeMemorySource({{"f", noise.substr(0, n)}}), "f").ok());
}

}  // namespace
}  // namespace savedmodel
