#include <catch2/catch.hpp>
#include <thread>

#include "google/protobuf/text_format.h"
#include "model_builder.h"
#include "op_case.h"

namespace savedmodel {
namespace {

// z = x * y + 1, and w = relu(x).
ModelBuilder Arithmetic() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Placeholder("y", DataType::kFloat);
  b.Const("one", Tensor::Scalar(1.f));
  b.Node("xy", "Mul", {"x", "y"}).Type("T", DataType::kFloat);
  b.Node("z", "AddV2", {"xy", "one"}).Type("T", DataType::kFloat);
  b.Node("w", "Relu", {"x"}).Type("T", DataType::kFloat);
  return b;
}

// i counts up for ever, or to `limit`, in a version 1 loop.
ModelBuilder Counter(int limit) {
  ModelBuilder b;
  b.Const("zero", Tensor::Scalar(0));
  b.Node("enter", "Enter", {"zero"}).Type("T", DataType::kInt32).String("frame_name", "loop");
  b.Node("merge", "Merge", {"enter", "next"}).Type("T", DataType::kInt32).Int("N", 2);
  b.Const("limit", Tensor::Scalar(limit));
  b.Node("limit_in", "Enter", {"limit"}).Type("T", DataType::kInt32).String("frame_name", "loop").Bool("is_constant", true);
  b.Node("differs", "NotEqual", {"merge", "limit_in"}).Type("T", DataType::kInt32);
  b.Node("cond", "LoopCond", {"differs"});
  b.Node("switch", "Switch", {"merge", "cond"}).Type("T", DataType::kInt32);
  b.Node("body", "Identity", {"switch:1"}).Type("T", DataType::kInt32);
  b.Node("zero_in", "Enter", {"zero"}).Type("T", DataType::kInt32).String("frame_name", "loop").Bool("is_constant", true);
  b.Node("step", "Cast", {"cond"}).Type("SrcT", DataType::kBool).Type("DstT", DataType::kInt32);
  b.Const("one", Tensor::Scalar(1));
  b.Node("one_in", "Enter", {"one"}).Type("T", DataType::kInt32).String("frame_name", "loop").Bool("is_constant", true);
  b.Node("more", "AddV2", {"body", limit < 0 ? "zero_in" : "one_in"}).Type("T", DataType::kInt32);
  b.Node("next", "NextIteration", {"more"}).Type("T", DataType::kInt32);
  b.Node("exit", "Exit", {"switch"}).Type("T", DataType::kInt32);
  return b;
}

void CheckFails(Session& session, const Feeds& feeds, const std::vector<std::string>& fetches, const std::vector<std::string>& targets,
                absl::StatusCode code, const std::string& text) {
  std::vector<Tensor> outputs;
  absl::Status status = session.Run(feeds, fetches, targets, &outputs);
  INFO(status.ToString());
  CHECK(status.code() == code);
  CHECK(std::string(status.message()).find(text) != std::string::npos);
  CHECK(outputs.empty());
}

TEST_CASE("A session feeds and fetches any tensor") {
  SavedModelBundle bundle = Arithmetic().Load().value();
  const Tensor x = Floats({2}, {1, 2}), y = Floats({2}, {3, 4});
  auto outputs = bundle.session->Run({{"x", x}, {"y:0", y}}, {"z", "xy:0", "z"});
  REQUIRE(outputs.ok());
  CHECK(Difference((*outputs)[0], Floats({2}, {4, 9})) == "");
  CHECK(Difference((*outputs)[1], Floats({2}, {3, 8})) == "");
  CHECK(Difference((*outputs)[2], Floats({2}, {4, 9})) == "");
  // Feeding an inner tensor cuts the graph there.
  outputs = bundle.session->Run({{"xy", Floats({1}, {41})}}, {"z:0"});
  REQUIRE(outputs.ok());
  CHECK(Difference((*outputs)[0], Floats({1}, {42})) == "");
  // Another shape makes another plan.
  outputs = bundle.session->Run({{"x", Floats({1, 2}, {1, 2})}, {"y", Tensor::Scalar(2.f)}}, {"z"});
  REQUIRE(outputs.ok());
  CHECK(Difference((*outputs)[0], Floats({1, 2}, {3, 5})) == "");
}

TEST_CASE("A session refuses what makes no sense, and goes on") {
  SavedModelBundle bundle = Arithmetic().Load().value();
  Session& s = *bundle.session;
  const Tensor x = Floats({2}, {1, 2});
  CheckFails(s, {}, {}, {}, absl::StatusCode::kInvalidArgument, "Must specify at least one target");
  CheckFails(s, {{"x:0", x}, {"x:0", x}}, {"w"}, {}, absl::StatusCode::kInvalidArgument, "fed more than once");
  CheckFails(s, {{"x:0", x}}, {"x:0"}, {}, absl::StatusCode::kInvalidArgument, "is both fed and fetched");
  CheckFails(s, {{"nobody", x}}, {"w"}, {}, absl::StatusCode::kInvalidArgument, "was not found in the Graph");
  CheckFails(s, {{"x", x}}, {"w:1"}, {}, absl::StatusCode::kOutOfRange, "does not have output 1");
  CheckFails(s, {{"x", x}}, {}, {"nobody"}, absl::StatusCode::kNotFound, "Some target nodes not found: nobody");
  CheckFails(s, {{"x", Int32s({2}, {1, 2})}}, {"w"}, {}, absl::StatusCode::kInvalidArgument, "to be float32 but int32 is provided");
  CheckFails(s, {{"x", x}}, {"z"}, {}, absl::StatusCode::kInvalidArgument, "You must feed a value for placeholder tensor 'y'");
  CheckFails(s, {{"x", x}, {"y", Floats({3}, {1, 2, 3})}}, {"z"}, {}, absl::StatusCode::kInvalidArgument, "ncompatible shapes");
  CHECK(s.Run({{"x", x}}, {"w"}).ok());
  CHECK(s.Close().ok());
  CheckFails(s, {{"x", x}}, {"w"}, {}, absl::StatusCode::kCancelled, "closed");
}

TEST_CASE("An argument that a function does not use need not be fed") {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Placeholder("y", DataType::kFloat);
  b.Node("call", "PartitionedCall", {"x", "y"});
  auto* graph = b.meta_graph()->mutable_graph_def();
  auto* attributes = graph->mutable_node(2)->mutable_attr();
  (*attributes)["f"].mutable_func()->set_name("first");
  for (const char* name : {"Tin", "Tin", "Tout"}) (*attributes)[name].mutable_list()->add_type(proto::DT_FLOAT);
  auto* function = graph->mutable_library()->add_function();
  REQUIRE(google::protobuf::TextFormat::ParseFromString(
      R"(signature { name: "first" input_arg { name: "a" type: DT_FLOAT } input_arg { name: "b" type: DT_FLOAT } output_arg { name: "o" type: DT_FLOAT } }
         ret { key: "o" value: "a" })",
      function));
  SavedModelBundle bundle = b.Load().value();
  CHECK(bundle.session->Run({{"x", Floats({1}, {3})}}, {"call"}).ok());
  CheckFails(*bundle.session, {{"y", Floats({1}, {3})}}, {"call"}, {}, absl::StatusCode::kInvalidArgument, "You must feed a value for placeholder tensor 'x'");
}

TEST_CASE("Unknown ops are told together, where a fetch reaches them") {
  ModelBuilder b = Arithmetic();
  b.Node("odd", "NoSuchOp", {"x"});
  b.Node("odder", "NoSuchOp", {"odd"});
  b.Node("other", "OtherOp", {"odder"});
  b.Node("end", "Relu", {"other"}).Type("T", DataType::kFloat);
  SavedModelBundle bundle = b.Load().value();
  const Tensor x = Floats({1}, {1});
  CHECK(bundle.session->Run({{"x", x}}, {"w"}).ok());
  CheckFails(*bundle.session, {{"x", x}}, {"end"}, {}, absl::StatusCode::kNotFound, "NoSuchOp (2 nodes, first \"odd\"), OtherOp (1 node, \"other\")");
}

TEST_CASE("A callable writes into the tensors it is given") {
  SavedModelBundle bundle = Arithmetic().Load().value();
  auto callable = bundle.session->MakeCallable({{"x", "y"}, {"z"}, {}, {}});
  REQUIRE(callable.ok());
  std::vector<Tensor> outputs;
  REQUIRE((*callable)->Run({Floats({2}, {1, 2}), Floats({2}, {3, 4})}, &outputs).ok());
  const void* memory = outputs[0].raw();
  REQUIRE((*callable)->Run({Floats({2}, {5, 6}), Floats({2}, {1, 1})}, &outputs).ok());
  CHECK(outputs[0].raw() == memory);
  CHECK(Difference(outputs[0], Floats({2}, {6, 7})) == "");
  const Tensor kept = outputs[0];
  REQUIRE((*callable)->Run({Floats({2}, {0, 0}), Floats({2}, {1, 1})}, &outputs).ok());
  CHECK(outputs[0].raw() != memory);  // somebody still reads the old one
  CHECK(Difference(kept, Floats({2}, {6, 7})) == "");
}

TEST_CASE("Version 1 loops run, and end at the deadline or when they are cancelled") {
  SavedModelBundle bundle = Counter(1000).Load().value();
  auto outputs = bundle.session->Run({}, {"exit"});
  INFO(outputs.status().ToString());
  REQUIRE(outputs.ok());
  CHECK((*outputs)[0].scalar<int32_t>() == 1000);

  SavedModelBundle endless = Counter(-1).Load().value();
  RunOptions options;
  options.timeout = std::chrono::milliseconds(20);
  std::vector<Tensor> values;
  CHECK(endless.session->Run(options, {}, {"exit"}, {}, &values, nullptr).code() == absl::StatusCode::kDeadlineExceeded);
  CancellationToken token;
  RunOptions cancellable;
  cancellable.cancellation = &token;
  std::thread other([&] { token.Cancel(); });
  CHECK(endless.session->Run(cancellable, {}, {"exit"}, {}, &values, nullptr).code() == absl::StatusCode::kCancelled);
  other.join();
}

TEST_CASE("The memory limit ends a run, not the session") {
  ModelBuilder b;
  b.Placeholder("dims", DataType::kInt32);
  b.Const("value", Tensor::Scalar(1.f));
  b.Node("fill", "Fill", {"dims", "value"}).Type("T", DataType::kFloat).Type("index_type", DataType::kInt32);
  SessionOptions options;
  options.memory_limit = 1 << 20;
  SavedModelBundle bundle = b.Load(options).value();
  CheckFails(*bundle.session, {{"dims", Int32s({2}, {1 << 12, 1 << 12})}}, {"fill"}, {}, absl::StatusCode::kResourceExhausted, "memory limit");
  CHECK(bundle.session->Run({{"dims", Int32s({1}, {8})}}, {"fill"}).ok());
}

TEST_CASE("A trace names the steps") {
  SavedModelBundle bundle = Arithmetic().Load().value();
  RunOptions options;
  options.trace = true;
  RunMetadata metadata;
  std::vector<Tensor> outputs;
  REQUIRE(bundle.session->Run(options, {{"x", Floats({1}, {1})}}, {"w"}, {}, &outputs, &metadata).ok());
  REQUIRE(metadata.steps.size() == 1);
  CHECK(metadata.steps[0].op == "Relu");
  CHECK(metadata.ChromeTraceJson().find("\"name\":\"Relu\"") != std::string::npos);
}

TEST_CASE("Eight threads share a session") {
  SavedModelBundle bundle = Arithmetic().Load().value();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const int64_t n = 1 + (t + i) % 3;
        const Tensor x = Floats({n}, std::vector<float>(static_cast<size_t>(n), static_cast<float>(t)));
        auto outputs = bundle.session->Run({{"x", x}, {"y", x}}, {"z"});
        if (outputs.ok() && (*outputs)[0].data<float>()[n - 1] == static_cast<float>(t * t + 1)) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 400);
}

// What TensorFlow refuses from the shapes that a file declares, whatever is fed.
TEST_CASE("declared shapes are held to what the reference infers") {
  const auto refused = [](const ModelBuilder& b, const Feeds& feeds, const std::string& text) {
    SavedModelBundle bundle = b.Load().value();
    absl::Status status = bundle.session->Run(feeds, {"out"}).status();
    INFO(status.ToString());
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(std::string(status.message()).find(text) != std::string::npos);
  };
  ModelBuilder range;
  range.Const("start", Int32s({1}, {0}));
  range.Const("limit", Int32s({}, {3}));
  range.Placeholder("delta", DataType::kInt32);
  range.Node("out", "Range", {"start", "limit", "delta"}).Type("Tidx", DataType::kInt32);
  refused(range, {{"delta", Int32s({}, {1})}}, "rank 0 but is rank 1");

  ModelBuilder given;
  given.Const("default", Int32s({2}, {0, 0}));
  given.Node("out", "PlaceholderWithDefault", {"default"}).Type("dtype", DataType::kInt32);
  auto* shape = (*given.meta_graph()->mutable_graph_def()->mutable_node(1)->mutable_attr())["shape"].mutable_shape();
  shape->add_dim()->set_size(3);
  refused(given, {}, "");

  ModelBuilder reshape;
  reshape.Placeholder("x", DataType::kFloat);
  reshape.Const("shape", Int32s({}, {2}));
  reshape.Node("out", "Reshape", {"x", "shape"}).Type("T", DataType::kFloat).Type("Tshape", DataType::kInt32);
  refused(reshape, {{"x", Floats({2}, {1, 2})}}, "rank 1 but is rank 0");

  ModelBuilder list;
  list.Const("rows", Floats({2, 3}, {1, 2, 3, 4, 5, 6}));
  list.Const("element", Int32s({2}, {-1, 3}));
  list.Node("out", "TensorListFromTensor", {"rows", "element"}).Type("element_dtype", DataType::kFloat).Type("shape_type", DataType::kInt32);
  refused(list, {}, "Shapes must be equal rank");

  ModelBuilder variable;
  variable.Node("v", "VarHandleOp").Type("dtype", DataType::kFloat);
  variable.Node("out", "ReadVariableOp", {"v"}).Type("dtype", DataType::kInt32);
  refused(variable, {}, "wrong dtype");

  ModelBuilder join;
  join.Const("x", Strings({2}, {"a", "b"}));
  join.Const("axis", Int32s({1}, {1}));
  join.Node("out", "ReduceJoin", {"x", "axis"});
  refused(join, {}, "Invalid reduction dimension 1");

  // The same kernel takes a vector of one where nothing is declared.
  ModelBuilder open;
  for (const char* name : {"start", "limit", "delta"}) open.Placeholder(name, DataType::kInt32);
  open.Node("out", "Range", {"start", "limit", "delta"}).Type("Tidx", DataType::kInt32);
  SavedModelBundle bundle = open.Load().value();
  CHECK(bundle.session->Run({{"start", Int32s({1}, {0})}, {"limit", Int32s({}, {2})}, {"delta", Int32s({}, {1})}}, {"out"}).ok());
}

TEST_CASE("two temporary variables of one name cannot live at once") {
  ModelBuilder b;
  b.Const("value", Floats({2}, {1, 2}));
  for (const char* name : {"a", "b"}) {
    b.Node(name, "TemporaryVariable").Type("dtype", DataType::kFloat).String("var_name", "dup");
    auto* graph = b.meta_graph()->mutable_graph_def();
    (*graph->mutable_node(graph->node_size() - 1)->mutable_attr())["shape"].mutable_shape()->add_dim()->set_size(2);
    b.Node(std::string(name) + "_set", "Assign", {name, "value"}).Type("T", DataType::kFloat);
  }
  b.Node("out", "AddV2", {"a_set", "b_set"}).Type("T", DataType::kFloat);
  SavedModelBundle bundle = b.Load().value();
  CHECK(bundle.session->Run({}, {"out"}).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(bundle.session->Run({}, {"a_set"}).ok());
}

TEST_CASE("NextIteration outside of a loop hands on; Switches of a loop may ask anything") {
  ModelBuilder b;
  b.Const("x", Int32s({}, {7}));
  b.Const("no", Bools({}, {0}));
  b.Node("next", "NextIteration", {"x"}).Type("T", DataType::kInt32);
  b.Node("enter", "Enter", {"x"}).Type("T", DataType::kInt32).String("frame_name", "f");
  b.Node("enter_no", "Enter", {"no"}).Type("T", DataType::kBool).String("frame_name", "f");
  b.Node("merge", "Merge", {"enter", "back"}).Type("T", DataType::kInt32).Int("N", 2);
  b.Node("switch", "Switch", {"merge", "enter_no"}).Type("T", DataType::kInt32);
  b.Node("back", "NextIteration", {"switch:1"}).Type("T", DataType::kInt32);
  b.Node("out", "Exit", {"switch"}).Type("T", DataType::kInt32);
  SavedModelBundle bundle = b.Load().value();
  for (const char* name : {"next", "out"}) {
    auto outputs = bundle.session->Run({}, {name});
    INFO(name << ": " << outputs.status().ToString());
    REQUIRE(outputs.ok());
    CHECK((*outputs)[0].scalar<int32_t>() == 7);
  }
}

TEST_CASE("what decides a loop must be a scalar") {
  ModelBuilder b;
  b.Const("x", Int32s({1}, {7}));
  b.Const("limit", Int32s({1}, {3}));
  b.Node("enter", "Enter", {"x"}).Type("T", DataType::kInt32).String("frame_name", "f");
  b.Node("enter_limit", "Enter", {"limit"}).Type("T", DataType::kInt32).String("frame_name", "f").Bool("is_constant", true);
  b.Node("merge", "Merge", {"enter", "back"}).Type("T", DataType::kInt32).Int("N", 2);
  b.Node("less", "Less", {"enter_limit", "merge"}).Type("T", DataType::kInt32);
  b.Node("cond", "LoopCond", {"less"});
  b.Node("switch", "Switch", {"merge", "cond"}).Type("T", DataType::kInt32);
  b.Node("neg", "Neg", {"switch:1"}).Type("T", DataType::kInt32);
  b.Node("back", "NextIteration", {"neg"}).Type("T", DataType::kInt32);
  b.Node("out", "Exit", {"switch"}).Type("T", DataType::kInt32);
  SavedModelBundle bundle = b.Load().value();
  absl::Status status = bundle.session->Run({}, {"out"}).status();
  INFO(status.ToString());
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace savedmodel
