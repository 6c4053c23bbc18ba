#include "loader/freeze_graph.h"

#include <catch2/catch.hpp>

#include "google/protobuf/text_format.h"
#include "op_case.h"
#include "savedmodel/frozen_graph.h"

namespace savedmodel {
namespace {

// Nodes as text: "name op input,input attr=value ...", one a line; values are those of the text format.
void AddNodes(const std::string& lines, google::protobuf::RepeatedPtrField<proto::NodeDef>* nodes) {
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    std::vector<std::string> words;
    std::string word;
    for (char c : lines.substr(at, end - at) + " ") {
      if (c != ' ') {
        word += c;
      } else if (!word.empty()) {
        words.push_back(std::move(word));
        word.clear();
      }
    }
    at = end + 1;
    if (words.size() < 2) continue;
    std::string text = "name: \"" + words[0] + "\" op: \"" + words[1] + "\"";
    for (size_t i = 2; i < words.size(); ++i) {
      const size_t equals = words[i].find('=');
      if (equals == std::string::npos) {
        text += " input: \"" + words[i] + "\"";
      } else {
        text += " attr { key: \"" + words[i].substr(0, equals) + "\" value { " + words[i].substr(equals + 1) + " } }";
      }
    }
    REQUIRE(google::protobuf::TextFormat::ParseFromString(text, nodes->Add()));
  }
}

constexpr char kF[] = "T=type:DT_FLOAT ";
const std::string kVariable = "VarHandleOp dtype=type:DT_FLOAT shape=shape{dim{size:2}} ";
const std::string kRead = "dtype=type:DT_FLOAT ";

struct Model {
  proto::GraphDef graph;
  std::map<std::string, Tensor> values = {{"v", Floats({2}, {3, 5})}, {"w", Floats({2}, {10, 20})}};

  explicit Model(const std::string& nodes) {
    AddNodes(nodes, graph.mutable_node());
    graph.mutable_versions()->set_producer(2474);
  }
  // `signature`: the OpDef's text; `ret`: out -> tensor.
  Model& Function(const std::string& signature, const std::string& nodes, const std::map<std::string, std::string>& ret) {
    proto::FunctionDef* function = graph.mutable_library()->add_function();
    REQUIRE(google::protobuf::TextFormat::ParseFromString(signature, function->mutable_signature()));
    AddNodes(nodes, function->mutable_node_def());
    for (const auto& [name, tensor] : ret) (*function->mutable_ret())[name] = tensor;
    return *this;
  }
  absl::StatusOr<FrozenDef> Freeze(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches, const std::string& kept = "") {
    FreezeRequest request;
    request.keep = [kept](const std::string& node) { return node == kept; };
    for (const std::string& feed : feeds) request.feeds.push_back({feed, DataType::kFloat, PartialShape()});
    for (const std::string& fetch : fetches) request.fetches.push_back({fetch, DataType::kFloat, PartialShape()});
    request.value = [this](const std::string&, const std::string& name) -> absl::StatusOr<Tensor> {
      auto found = values.find(name);
      if (found == values.end()) return absl::FailedPreconditionError("has no value");
      return found->second;
    };
    return FreezeGraphDef(graph, request);
  }
  // Freezes, then runs the result alone.
  Tensor Run(const Feeds& feeds, const std::string& fetch) {
    std::vector<std::string> names;
    for (const auto& feed : feeds) names.push_back(feed.first);
    absl::StatusOr<FrozenDef> frozen = Freeze(names, {fetch});
    INFO(frozen.status().ToString());
    REQUIRE(frozen.ok());
    for (const proto::NodeDef& node : frozen->graph->node()) CHECK(node.op().find("Var") == std::string::npos);
    absl::StatusOr<FrozenGraph> loaded = LoadFrozenGraph({}, MakeMemorySource({{"g", frozen->graph->SerializeAsString()}}), "g");
    INFO(loaded.status().ToString());
    REQUIRE(loaded.ok());
    absl::StatusOr<std::vector<Tensor>> result = loaded->session->Run(feeds, {fetch});
    INFO(result.status().ToString());
    REQUIRE(result.ok());
    return (*result)[0];
  }
};

void CheckFloats(const Tensor& tensor, const std::vector<float>& expected) {
  REQUIRE(tensor.dtype() == DataType::kFloat);
  const auto values = tensor.flat<float>();
  CHECK(std::vector<float>(values.begin(), values.end()) == expected);
}

const Tensor kX = Floats({2}, {1, 2});
const std::string kPlaceholder = "x Placeholder dtype=type:DT_FLOAT\n";

TEST_CASE("freeze: a variable that is read becomes a constant of its name") {
  Model model(kPlaceholder + "v " + kVariable + "\nr ReadVariableOp v " + kRead + "\ny AddV2 x r " + kF + "\nunused NoOp\nw " + kVariable);
  CheckFloats(model.Run({{"x:0", kX}}, "y:0"), {4, 7});
  auto frozen = model.Freeze({"x"}, {"y"});
  REQUIRE(frozen.ok());
  CHECK(frozen->graph->node_size() == 4);
  CHECK(frozen->variables == std::vector<std::string>{"v"});
  CHECK(frozen->variable_bytes == 8);
}

TEST_CASE("freeze: a variable that is to stay stays, with what writes it") {
  Model model(kPlaceholder + "v " + kVariable + "\nw " + kVariable + "\nr ReadVariableOp v " + kRead + "\ns ReadVariableOp w " + kRead +
              "\na AssignAddVariableOp w x " + kRead + "\nsum AddV2 r s " + kF + "\ny Identity sum ^a " + kF);
  auto frozen = model.Freeze({"x"}, {"y"}, "w");
  REQUIRE(frozen.ok());
  CHECK(frozen->variables == std::vector<std::string>{"v"});
  std::vector<std::string> ops;
  for (const proto::NodeDef& node : frozen->graph->node()) ops.push_back(node.op());
  CHECK(ops == std::vector<std::string>{"Placeholder", "Const", "VarHandleOp", "Identity", "ReadVariableOp", "AssignAddVariableOp", "AddV2", "Identity"});
  CHECK_FALSE(model.Freeze({"x"}, {"y"}, "v").ok());
}

TEST_CASE("freeze: variables go through functions, also by name and nested") {
  const std::string inner = R"(name: "inner" input_arg { name: "a" type: DT_FLOAT } input_arg { name: "h" type: DT_RESOURCE } output_arg { name: "sum" type: DT_FLOAT })";
  const std::string outer = R"(name: "outer" input_arg { name: "a" type: DT_FLOAT } input_arg { name: "h" type: DT_RESOURCE } input_arg { name: "g" type: DT_RESOURCE }
                              output_arg { name: "out" type: DT_FLOAT } output_arg { name: "handle" type: DT_RESOURCE })";
  Model model(kPlaceholder + "v " + kVariable + "\nw " + kVariable +
              "\ncall StatefulPartitionedCall x v w Tin=list{type:[DT_FLOAT,DT_RESOURCE,DT_RESOURCE]} Tout=list{type:[DT_FLOAT,DT_RESOURCE]} f=func{name:\"outer\"} "
              "_read_only_resource_inputs=list{i:[1,2]}\nr ReadVariableOp call:1 " + kRead + "\ny AddV2 call r " + kF);
  model.Function(inner, "read ReadVariableOp h " + kRead + "\nadd AddV2 a read:value:0 " + kF, {{"sum", "add:z:0"}});
  model.Function(outer, "one inner a h\ntwo PartitionedCall one:sum:0 g Tin=list{type:[DT_FLOAT,DT_RESOURCE]} Tout=list{type:DT_FLOAT} f=func{name:\"inner\"}\npass Identity g T=type:DT_RESOURCE",
                 {{"out", "two:output:0"}, {"handle", "pass:output:0"}});
  CheckFloats(model.Run({{"x:0", kX}}, "y:0"), {1 + 3 + 10 + 10, 2 + 5 + 20 + 20});
  auto frozen = model.Freeze({"x"}, {"y"});
  CHECK(frozen->graph->library().function_size() == 2);  // inner once: its arguments have the same dtypes
}

TEST_CASE("freeze: branches and loops carry the value") {
  const std::string branch = R"( input_arg { name: "a" type: DT_FLOAT } input_arg { name: "h" type: DT_RESOURCE } output_arg { name: "o" type: DT_FLOAT })";
  Model cond(kPlaceholder + "v " + kVariable + "\np Placeholder dtype=type:DT_BOOL\ny If p x v Tcond=type:DT_BOOL Tin=list{type:[DT_FLOAT,DT_RESOURCE]} Tout=list{type:DT_FLOAT} "
                            "then_branch=func{name:\"yes\"} else_branch=func{name:\"no\"}");
  cond.Function("name: \"yes\"" + branch, "r ReadVariableOp h " + kRead + "\nm Mul a r:value:0 " + kF, {{"o", "m:z:0"}});
  cond.Function("name: \"no\"" + branch, "n Neg a " + std::string(kF), {{"o", "n:y:0"}});
  CheckFloats(cond.Run({{"x:0", kX}, {"p:0", Tensor::Scalar(true)}}, "y:0"), {3, 10});
  CheckFloats(cond.Run({{"x:0", kX}, {"p:0", Tensor::Scalar(false)}}, "y:0"), {-1, -2});

  const std::string loop = R"( input_arg { name: "i" type: DT_INT32 } input_arg { name: "a" type: DT_FLOAT } input_arg { name: "h" type: DT_RESOURCE } )";
  const std::string three = "Const dtype=type:DT_INT32 value=tensor{dtype:DT_INT32,tensor_shape{},int_val:3}";
  Model sum(kPlaceholder + "v " + kVariable + "\nzero Const dtype=type:DT_INT32 value=tensor{dtype:DT_INT32,tensor_shape{},int_val:0}\n"
            "loop While zero x v T=list{type:[DT_INT32,DT_FLOAT,DT_RESOURCE]} cond=func{name:\"c\"} body=func{name:\"b\"} output_shapes=list{shape:[{},{dim{size:2}},{}]}\n"
            "y Identity loop:1 " + kF);
  sum.Function("name: \"c\"" + loop + "output_arg { name: \"go\" type: DT_BOOL }", "limit " + three + "\nless Less i limit:output:0 T=type:DT_INT32", {{"go", "less:z:0"}});
  sum.Function("name: \"b\"" + loop + R"(output_arg { name: "i2" type: DT_INT32 } output_arg { name: "a2" type: DT_FLOAT } output_arg { name: "h2" type: DT_RESOURCE })",
               "one Const dtype=type:DT_INT32 value=tensor{dtype:DT_INT32,tensor_shape{},int_val:1}\nnext AddV2 i one:output:0 T=type:DT_INT32\nr ReadVariableOp h " + kRead +
                   "\nadd AddV2 a r:value:0 " + kF,
               {{"i2", "next:z:0"}, {"a2", "add:z:0"}, {"h2", "h"}});
  CheckFloats(sum.Run({{"x:0", kX}}, "y:0"), {10, 17});
}

TEST_CASE("freeze: gathers, shapes and questions") {
  const std::string indices = "i Const dtype=type:DT_INT32 value=tensor{dtype:DT_INT32,tensor_shape{dim{size:2}},int_val:1}\n";
  Model gather("v " + kVariable + "\n" + indices + "y ResourceGather v i dtype=type:DT_FLOAT Tindices=type:DT_INT32 validate_indices=b:true");
  CheckFloats(gather.Run({}, "y:0"), {5, 5});
  Model in_function("v " + kVariable + "\n" + indices + "y PartitionedCall v i Tin=list{type:[DT_RESOURCE,DT_INT32]} Tout=list{type:DT_FLOAT} f=func{name:\"g\"}");
  in_function.Function(R"(name: "g" input_arg { name: "h" type: DT_RESOURCE } input_arg { name: "at" type: DT_INT32 } output_arg { name: "o" type: DT_FLOAT })",
                       "get ResourceGather h at dtype=type:DT_FLOAT Tindices=type:DT_INT32", {{"o", "get:output:0"}});
  CheckFloats(in_function.Run({}, "y:0"), {5, 5});
  Model shape("v " + kVariable + "\ny VariableShape v out_type=type:DT_INT64");
  CHECK(shape.Run({}, "y:0").data<int64_t>()[0] == 2);
  Model set("v " + kVariable + "\ny VarIsInitializedOp v");
  CHECK(set.Run({}, "y:0").data<bool>()[0]);
  const std::string pairs = "i Const dtype=type:DT_INT32 value=tensor{dtype:DT_INT32,tensor_shape{dim{size:1}dim{size:1}},int_val:1}\n";
  Model nd("v " + kVariable + "\n" + pairs + "y ResourceGatherNd v i dtype=type:DT_FLOAT Tindices=type:DT_INT32");
  CheckFloats(nd.Run({}, "y:0"), {5});
}

TEST_CASE("freeze: reference variables and version 1 branches") {
  const std::string variable = "v VariableV2 dtype=type:DT_FLOAT shape=shape{dim{size:2}}\n";
  Model plain(kPlaceholder + variable + "r Identity v " + kF + "_class=list{s:\"loc:@gone\"}\ny AddV2 x r " + kF);
  CheckFloats(plain.Run({{"x:0", kX}}, "y:0"), {4, 7});
  CHECK(plain.Freeze({"x"}, {"y"})->graph->node(2).attr().count("_class") == 0);
  Model branch(kPlaceholder + variable + "p Placeholder dtype=type:DT_BOOL\nrs RefSwitch v p " + kF + "\na Identity rs " + kF + "\nb Neg rs:1 " + kF + "\ny Merge a b N=i:2 " + kF);
  CheckFloats(branch.Run({{"p:0", Tensor::Scalar(true)}}, "y:0"), {-3, -5});
  Model resource("v " + kVariable + "\np Placeholder dtype=type:DT_BOOL\ns Switch v p T=type:DT_RESOURCE\na ReadVariableOp s " + kRead + "\nb ReadVariableOp s:1 " + kRead +
                 "\nn Neg b " + kF + "\ny Merge a n N=i:2 " + kF);
  CheckFloats(resource.Run({{"p:0", Tensor::Scalar(false)}}, "y:0"), {3, 5});
  Model asked(variable + "y IsVariableInitialized v dtype=type:DT_FLOAT");
  CHECK(asked.Run({}, "y:0").data<bool>()[0]);
}

TEST_CASE("freeze: a fed node becomes a placeholder, and what it needed goes") {
  Model model(kPlaceholder + "half Neg x " + kF + "\nv " + kVariable + "\nr ReadVariableOp v " + kRead + "\ny AddV2 half r " + kF);
  CheckFloats(model.Run({{"half:0", kX}}, "y:0"), {4, 7});
  CHECK(model.Freeze({"half:0"}, {"y:0"})->graph->node_size() == 4);
}

TEST_CASE("freeze: what cannot be frozen is refused with its place") {
  auto message = [](Model model, absl::StatusCode code) {
    const absl::Status status = model.Freeze({}, {"y"}).status();
    CHECK(status.code() == code);
    return std::string(status.message());
  };
  const std::string v = "v " + kVariable + "\n", one = "one Const dtype=type:DT_FLOAT value=tensor{dtype:DT_FLOAT,tensor_shape{},float_val:1}\n";
  CHECK(message(Model(v + one + "a AssignAddVariableOp v one " + kRead + "\ny ReadVariableOp v ^a " + kRead), absl::StatusCode::kFailedPrecondition) ==
        "node \"a\" (AssignAddVariableOp): writes a variable, a frozen graph has constants that are only read");
  CHECK(message(Model("v VariableV2 dtype=type:DT_FLOAT shape=shape{}\n" + one + "y Assign v one " + kF), absl::StatusCode::kFailedPrecondition).find("\"y\" (Assign)") != std::string::npos);
  CHECK(message(Model("z " + kVariable + "\ny ReadVariableOp z " + kRead), absl::StatusCode::kFailedPrecondition) == "variable \"z\" (node \"z\"): has no value");
  CHECK(message(Model("y HashTableV2 key_dtype=type:DT_STRING value_dtype=type:DT_INT64"), absl::StatusCode::kFailedPrecondition).find("is a table") != std::string::npos);
  CHECK(message(Model(v + "y Pack v v N=i:2 T=type:DT_RESOURCE"), absl::StatusCode::kUnimplemented).find("takes the handle") != std::string::npos);
  CHECK(message(Model("y NoSuch gone"), absl::StatusCode::kInvalidArgument) == "node \"gone\" is not in the graph");
  CHECK(message(Model(v + "y PartitionedCall v Tin=list{type:DT_RESOURCE} Tout=list{type:DT_FLOAT} f=func{name:\"gone\"}"), absl::StatusCode::kNotFound) == "Function gone is not defined.");
  Model recursive(v + "y PartitionedCall v Tin=list{type:DT_RESOURCE} Tout=list{type:DT_FLOAT} f=func{name:\"r\"}");
  recursive.Function(R"(name: "r" input_arg { name: "h" type: DT_RESOURCE } output_arg { name: "o" type: DT_FLOAT })",
                     "again PartitionedCall h Tin=list{type:DT_RESOURCE} Tout=list{type:DT_FLOAT} f=func{name:\"r\"}", {{"o", "again:output:0"}});
  CHECK(message(recursive, absl::StatusCode::kUnimplemented).find("calls itself") != std::string::npos);
  Model too_many(v + "y PartitionedCall v v Tin=list{type:[DT_RESOURCE,DT_RESOURCE]} Tout=list{type:DT_FLOAT} f=func{name:\"f\"}");
  too_many.Function(R"(name: "f" input_arg { name: "h" type: DT_RESOURCE } output_arg { name: "o" type: DT_FLOAT })", "r ReadVariableOp h " + kRead, {{"o", "r:value:0"}});
  CHECK(message(too_many, absl::StatusCode::kInvalidArgument).find("too many arguments") != std::string::npos);
}

}  // namespace
}  // namespace savedmodel
