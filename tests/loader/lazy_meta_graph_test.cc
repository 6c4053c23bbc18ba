#include "loader/lazy_meta_graph.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "loader/saved_model.h"
#include "message_bytes.h"

namespace savedmodel {
namespace {

proto::FunctionDef Function(const std::string& name, int nodes) {
  proto::FunctionDef function;
  function.mutable_signature()->set_name(name);
  for (int i = 0; i < nodes; ++i) {
    proto::NodeDef* node = function.add_node_def();
    node->set_name(absl::StrCat("node", i));
    node->set_op("Const");
    (*node->mutable_attr())["value"].mutable_tensor()->set_tensor_content(std::string(static_cast<size_t>(i), 'x'));
    (*node->mutable_attr())["dtype"].set_type(proto::DT_FLOAT);
  }
  (*function.mutable_ret())["out"] = "node0:output:0";
  return function;
}

// Two meta graphs, tagged "a" and "b", with everything around their functions.
proto::SavedModel Model() {
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  for (const char* tag : {"a", "b"}) {
    proto::MetaGraphDef* meta_graph = model.add_meta_graphs();
    meta_graph->mutable_meta_info_def()->add_tags(tag);
    proto::GraphDef* graph = meta_graph->mutable_graph_def();
    graph->add_node()->set_name(absl::StrCat("node of ", tag));
    graph->mutable_versions()->set_producer(2474);
    for (int i = 0; i < 40; ++i) *graph->mutable_library()->add_function() = Function(absl::StrCat(tag, i), i);
    graph->mutable_library()->add_gradient()->set_function_name("g");
    (*meta_graph->mutable_signature_def())["serve"].set_method_name("m");
    meta_graph->mutable_object_graph_def()->add_nodes()->mutable_user_object()->set_identifier(tag);
  }
  return model;
}

std::string BytesOf(const google::protobuf::Message& message) {  // maps in a fixed order
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

std::shared_ptr<FileSource> Source(const std::string& bytes) { return MakeMemorySource({{"saved_model.pb", bytes}}); }

absl::StatusOr<std::shared_ptr<LazyMetaGraph>> Read(const std::string& bytes, const std::string& tag) {
  return LazyMetaGraph::Read(*Source(bytes), {tag}, *MakeThreadPool(2));
}

std::string Library(const std::string& library) {  // as saved_model.pb
  return Field(2, Field(1, Field(4, "a")) + Field(2, Field(2, library)));
}

TEST_CASE("lazy meta graph: functions stay bytes until they are asked for") {
  const proto::SavedModel model = Model();
  const auto lazy = *Read(model.SerializeAsString(), "b");
  const proto::FunctionDefLibrary& library = model.meta_graphs(1).graph_def().library();
  CHECK(lazy->outline().graph_def().library().function_size() == 0);
  CHECK(lazy->outline().graph_def().node(0).name() == "node of b");
  CHECK(lazy->outline().object_graph_def().nodes_size() == 0);
  CHECK(lazy->object_graph().nodes(0).user_object().identifier() == "b");
  REQUIRE(lazy->functions()->size() == library.function_size());
  for (int i = 0; i < library.function_size(); ++i) {
    CHECK(lazy->functions()->about(i).name == library.function(i).signature().name());
    CHECK(BytesOf(*lazy->functions()->Get(i)) == BytesOf(library.function(i)));
  }
  CHECK(BytesOf(lazy->whole()) == BytesOf(model.meta_graphs(1)));
  CHECK(BytesOf(lazy->whole()) == BytesOf(model.meta_graphs(1)));  // not twice
}

TEST_CASE("lazy meta graph: the whole is asked for by several threads at once") {
  const proto::SavedModel model = Model();
  const auto lazy = *Read(model.SerializeAsString(), "a");
  std::vector<std::string> seen(4);
  std::atomic<int> graphs{0};
  std::vector<std::thread> threads;
  for (std::string& text : seen) {
    threads.emplace_back([&] {
      if (lazy->object_graph().nodes_size() == 1) ++graphs;
      text = BytesOf(lazy->whole());
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(graphs == 4);
  for (const std::string& text : seen) CHECK(text == BytesOf(model.meta_graphs(0)));
}

TEST_CASE("lazy meta graph: what is asked before one looks into a body") {
  proto::FunctionDefLibrary library;
  *library.add_function() = Function("plain", 2);
  *library.add_function() = Function("typed", 0);
  library.mutable_function(1)->mutable_signature()->add_attr()->set_name("T");
  *library.add_function() = Function("endless", 1);
  library.mutable_function(2)->add_node_def()->set_op("endless");
  *library.add_function() = Function("bare", 1);
  library.mutable_function(3)->mutable_node_def(0)->clear_attr();
  const auto lazy = *Read(Library(library.SerializeAsString()), "a");
  const FunctionDefs parsed(std::make_shared<proto::FunctionDefLibrary>(library));
  for (const FunctionDefs* defs : {lazy->functions().get(), &parsed}) {
    REQUIRE(defs->size() == 4);
    CHECK((!defs->about(0).polymorphic && !defs->about(0).calls_itself && defs->about(0).constants.ok()));
    CHECK((defs->about(1).polymorphic && defs->about(2).calls_itself));
    CHECK(defs->about(3).constants.message() == "Saved model contains node \"node0\" which is a constant tensor but no value has been provided");
    CHECK(defs->CheckConstants() == defs->about(3).constants);
  }
}

TEST_CASE("lazy meta graph: parts of a message that lie apart are one message") {
  const std::string f = Field(1, Function("f", 3).SerializeAsString()), g = Field(1, Function("g", 2).SerializeAsString());
  proto::GraphDef node;
  node.add_node()->set_name("n");
  const std::string libraries = Field(2, f) + node.SerializeAsString() + Field(2, g);
  const std::string objects = Field(7, "") + Field(7, Field(1, ""));
  const std::string unknown("\xf8\x07\x01", 3);  // field 127, a number
  const std::string bytes = Field(2, Field(2, libraries) + objects + Field(1, Field(4, "a")) + unknown + Field(2, Field(2, f)));
  proto::SavedModel model;
  REQUIRE(model.ParseFromString(bytes));
  const auto lazy = *Read(bytes, "a");
  CHECK(lazy->functions()->size() == 3);
  CHECK(lazy->outline().graph_def().library().function_size() == 0);
  CHECK(BytesOf(lazy->whole()) == BytesOf(model.meta_graphs(0)));
  // An empty library is there, a missing one is not.
  CHECK((*Read(Library(""), "a"))->whole().graph_def().has_library());
  CHECK_FALSE((*Read(Field(2, Field(1, Field(4, "a"))), "a"))->whole().has_graph_def());
}

TEST_CASE("lazy meta graph: an object graph that is unusual is parsed at once") {
  const std::string usual = Field(1, Field(4, Field(1, "plain"))), unusual = Field(1, Field(4, Field(1, "na\xc3\xafve")));
  for (const std::string& objects : {Field(7, usual) + Field(7, unusual), Field(7, usual) + Field(7, usual), Field(7, "")}) {
    const std::string bytes = Field(2, objects + Field(1, Field(4, "a")));
    proto::SavedModel model;
    REQUIRE(model.ParseFromString(bytes));
    const auto lazy = *Read(bytes, "a");
    CHECK(BytesOf(lazy->object_graph()) == BytesOf(model.meta_graphs(0).object_graph_def()));
    CHECK(BytesOf(lazy->whole()) == BytesOf(model.meta_graphs(0)));
  }
}

TEST_CASE("lazy meta graph: groups are read the plain way") {
  const std::string group("\xf3\x07\x08\x01\xf4\x07", 6);  // field 126, a group of one number, as nothing writes them
  const std::string bytes = Library(Field(1, Function("f", 2).SerializeAsString())) + group;
  const auto lazy = *Read(bytes, "a");
  CHECK(lazy->outline().graph_def().library().function_size() == 1);
  CHECK(BytesOf(*lazy->functions()->Get(0)) == BytesOf(Function("f", 2)));
  CHECK(lazy->whole().graph_def().library().function_size() == 1);
}

TEST_CASE("lazy meta graph: text has its functions as messages") {
  const proto::SavedModel model = Model();
  auto source = MakeMemorySource({{"saved_model.pbtxt", BytesOf(model)}});
  const auto lazy = *LazyMetaGraph::Read(*source, {"b"}, *MakeThreadPool(1));
  CHECK(lazy->functions()->size() == 40);
  CHECK(BytesOf(lazy->whole()) == BytesOf(model.meta_graphs(1)));
}

TEST_CASE("lazy meta graph: damage is told as if all were parsed") {
  const std::string good = Model().SerializeAsString();
  auto same = [&](const std::string& bytes) {
    proto::SavedModel model;
    const absl::Status plain = ReadSavedModel(*Source(bytes), &model);
    const absl::Status lazy = Read(bytes, "a").status();
    INFO(plain << " and " << lazy);
    CHECK((plain.ok() || plain == lazy));
    return plain;
  };
  CHECK_FALSE(same(Library(Field(1, "\x0a\x7f"))).ok());               // a signature longer than its function
  CHECK_FALSE(same(Library(Field(1, Field(1, Field(1, "\xff"))))).ok());  // a name that is no UTF-8
  CHECK(same(Library(Field(1, ""))).ok());
  CHECK_FALSE(same(Field(2, Field(7, Field(1, "\x0a\x7f")) + Field(1, Field(4, "a")))).ok());  // an object longer than the graph
  CHECK(absl::IsNotFound(Read(good, "c").status()));
  for (size_t at = 0; at < good.size(); at += 7) {
    same(good.substr(0, at)).IgnoreError();
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x84);
    same(bad).IgnoreError();
  }
  // As deep as protobuf reads, and one deeper: full types lie in each other.
  auto nested = [](int levels) {
    std::string type;
    for (int i = 0; i < levels; ++i) type = Field(2, type);
    return Library(Field(1, Field(3, Field(7, type))));
  };
  CHECK(same(nested(93)).ok());
  CHECK(Read(nested(93), "a").ok());
  CHECK_FALSE(same(nested(96)).ok());
}

}  // namespace
}  // namespace savedmodel
