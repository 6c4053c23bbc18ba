// Small files that ask for large graphs: they are refused, and what else is in them works.
#include <catch2/catch.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "model_builder.h"

namespace savedmodel {
namespace {

constexpr int64_t kMillion = int64_t{1} << 20;

absl::Status Fetch(const SavedModelBundle& bundle, const std::string& name) { return bundle.session->Run({}, {name}).status(); }

void CheckRefused(const absl::Status& status, const std::string& part) {
  INFO(status.ToString());
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(absl::StrContains(status.message(), part));
}

void AddFunction(ModelBuilder* b, const std::string& text) {
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, b->meta_graph()->mutable_graph_def()->mutable_library()->add_function()));
}

// A function of a float that ends in the body's `nodes`, of which "last" is what it returns.
std::string FunctionText(const std::string& name, const std::string& nodes) {
  return absl::StrCat("signature { name: \"", name, "\" input_arg { name: \"a\" type: DT_FLOAT } output_arg { name: \"o\" type: DT_FLOAT } } ", nodes,
                      " ret { key: \"o\" value: \"last:output:0\" }");
}

proto::NodeDef* LastNode(ModelBuilder* b) {
  proto::GraphDef* graph = b->meta_graph()->mutable_graph_def();
  return graph->mutable_node(graph->node_size() - 1);
}

// Gives the constant that was added last, a scalar, `size` elements like its own.
void Repeat(ModelBuilder* b, int64_t size) { LastNode(b)->mutable_attr()->at("value").mutable_tensor()->mutable_tensor_shape()->add_dim()->set_size(size); }

// 3,000 times "split" and "sum" with a number, which ask for a million outputs and a million inputs.
ModelBuilder Millions() {
  ModelBuilder b;
  b.Const("one", Tensor::Scalar<float>(1));
  b.Const("axis", Tensor::Scalar<int32_t>(0));
  for (int i = 0; i < 3000; ++i) {
    b.Node(absl::StrCat("split", i), "Split", {"axis", "one"}).Type("T", DataType::kFloat).Int("num_split", kMillion);
    b.Node(absl::StrCat("sum", i), "AddN", {"one"}).Type("T", DataType::kFloat).Int("N", kMillion);
  }
  return b;
}

TEST_CASE("hostile graph: attributes of a few bytes do not make lists of gigabytes") {
  absl::StatusOr<SavedModelBundle> bundle = Millions().Load();
  REQUIRE(bundle.ok());
  CheckRefused(Fetch(*bundle, "split2999"), "attribute 'num_split' is 1048576, must be in [0, ");
  CheckRefused(Fetch(*bundle, "sum0"), "attribute 'N' is 1048576, must be in [0, 4097]");
  CHECK(Fetch(*bundle, "one").ok());
}

TEST_CASE("hostile graph: nor do uses of outputs of ops that nobody knows") {
  ModelBuilder b = Millions();
  for (int i = 0; i < 3000; ++i) {
    b.Node(absl::StrCat("unknown", i), "NoSuchOp", {});
    b.Node(absl::StrCat("user", i), "Identity", {absl::StrCat("unknown", i, ":1000000")}).Type("T", DataType::kFloat);
  }
  CheckRefused(b.Load().status(), "Connecting to invalid output 1000000 of source node unknown0");
}

TEST_CASE("hostile graph: constants of a few bytes stay below the session's memory limit") {
  ModelBuilder b;
  b.Const("strings", Tensor::Scalar<std::string>(std::string(100000, 'x')));
  Repeat(&b, 1 << 20);
  for (int i = 0; i < 1000; ++i) {
    b.Const(absl::StrCat("large", i), Tensor::Scalar<float>(7));
    auto* tensor = LastNode(&b)->mutable_attr()->at("value").mutable_tensor();
    tensor->clear_tensor_content();
    tensor->add_float_val(7);
    Repeat(&b, 10 << 20);
  }
  SessionOptions options;
  options.memory_limit = 100 << 20;
  absl::StatusOr<SavedModelBundle> bundle = b.Load(options);
  REQUIRE(bundle.ok());
  CHECK(Fetch(*bundle, "large0").ok());
  CheckRefused(Fetch(*bundle, "large999"), "above the memory limit of 104857600 bytes");
  CheckRefused(Fetch(*bundle, "strings"), "a string of 100000 bytes is repeated 1048575 times");
}

TEST_CASE("hostile graph: what is computed before the run stays below the limit, too, and the run computes the rest") {
  ModelBuilder b;
  b.Const("shape", Tensor::Of<int32_t>({1}, {10 << 20}));
  b.Const("value", Tensor::Scalar<float>(1));
  b.Const("axis", Tensor::Of<int32_t>({1}, {0}));
  std::vector<std::string> sums;
  for (int i = 0; i < 100; ++i) {
    b.Node(absl::StrCat("fill", i), "Fill", {"shape", "value"}).Type("T", DataType::kFloat).Type("index_type", DataType::kInt32);
    sums.push_back(absl::StrCat("sum", i));
    b.Node(sums.back(), "Sum", {absl::StrCat("fill", i), "axis"}).Type("T", DataType::kFloat).Type("Tidx", DataType::kInt32);
  }
  b.Node("total", "AddN", sums).Type("T", DataType::kFloat).Int("N", 100);
  SessionOptions options;
  options.memory_limit = 200 << 20;
  absl::StatusOr<SavedModelBundle> bundle = b.Load(options);
  REQUIRE(bundle.ok());
  const auto total = bundle->session->Run({}, {"total"});
  INFO(total.status().ToString());
  REQUIRE(total.ok());
  CHECK((*total)[0].scalar<float>() == 100.0f * (10 << 20));
}

TEST_CASE("hostile graph: calls and branches that double end") {
  ModelBuilder b;
  constexpr int kDepth = 60;
  b.Const("x", Tensor::Scalar<float>(1));
  for (int i = 0; i < kDepth; ++i) {
    const std::string call = absl::StrCat("op: \"PartitionedCall\" attr { key: \"Tin\" value { list { type: DT_FLOAT } } } ",
                                          "attr { key: \"Tout\" value { list { type: DT_FLOAT } } } attr { key: \"f\" value { func { name: \"call", i + 1, "\" } } }");
    const auto branch = [&](const std::string& name) {
      return absl::StrCat("attr { key: \"", name, "\" value { func { name: \"branch", i + 1, "\" } } } ");
    };
    AddFunction(&b, FunctionText(absl::StrCat("call", i), absl::StrCat("node_def { name: \"first\" input: \"a\" ", call, " } node_def { name: \"last\" input: \"first:output:0\" ", call, " }")));
    AddFunction(&b, FunctionText(absl::StrCat("branch", i),
                                 absl::StrCat("node_def { name: \"yes\" op: \"Const\" attr { key: \"dtype\" value { type: DT_BOOL } } attr { key: \"value\" value { tensor { dtype: DT_BOOL tensor_shape {} bool_val: true } } } } ",
                                              "node_def { name: \"last\" op: \"If\" input: \"yes:output:0\" input: \"a\" attr { key: \"Tcond\" value { type: DT_BOOL } } ",
                                              "attr { key: \"Tin\" value { list { type: DT_FLOAT } } } attr { key: \"Tout\" value { list { type: DT_FLOAT } } } ", branch("then_branch"), branch("else_branch"), "}")));
  }
  for (const char* name : {"call", "branch"}) {
    AddFunction(&b, FunctionText(absl::StrCat(name, kDepth), "node_def { name: \"last\" op: \"Identity\" input: \"a\" attr { key: \"T\" value { type: DT_FLOAT } } }"));
    b.Node(name, "PartitionedCall", {"x"});
    auto& attributes = *LastNode(&b)->mutable_attr();
    attributes["f"].mutable_func()->set_name(absl::StrCat(name, 0));
    for (const char* types : {"Tin", "Tout"}) attributes[types].mutable_list()->add_type(proto::DT_FLOAT);
  }
  absl::StatusOr<SavedModelBundle> bundle = b.Load();
  REQUIRE(bundle.ok());
  CheckRefused(Fetch(*bundle, "call"), "makes a graph of more than");
  CheckRefused(Fetch(*bundle, "branch"), "makes a graph of more than");
  CHECK(Fetch(*bundle, "x").ok());
}

}  // namespace
}  // namespace savedmodel
