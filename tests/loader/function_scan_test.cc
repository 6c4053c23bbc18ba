#include "loader/function_scan.h"

#include <catch2/catch.hpp>

#include "loader/saved_model.h"
#include "message_bytes.h"

namespace savedmodel {
namespace {

// What ScanFunction says if it says anything is what the parsed function says.
bool Agrees(const std::string& bytes) {
  const absl::optional<FunctionDefs::About> scanned = ScanFunction(bytes);
  if (!scanned.has_value()) return true;
  auto library = std::make_shared<proto::FunctionDefLibrary>();
  if (!MergePart(bytes, 4, library->add_function())) return false;
  const FunctionDefs parsed(library);
  const FunctionDefs::About& about = parsed.about(0);
  return scanned->name == about.name && scanned->polymorphic == about.polymorphic && scanned->calls_itself == about.calls_itself &&
         scanned->constants == about.constants;
}

void FillTensor(proto::TensorProto* tensor) {
  tensor->set_dtype(proto::DT_FLOAT);
  tensor->mutable_tensor_shape()->add_dim()->set_size(2);
  tensor->mutable_tensor_shape()->mutable_dim(0)->set_name("rows");
  tensor->set_version_number(-1);
  tensor->set_tensor_content("\xff\x01");
  tensor->add_float_val(1);
  tensor->add_double_val(2);
  tensor->add_int_val(-3);
  tensor->add_string_val("\xff");
  tensor->add_scomplex_val(4);
  tensor->add_int64_val(int64_t{1} << 62);
  tensor->add_bool_val(true);
  tensor->add_dcomplex_val(5);
  tensor->add_half_val(6);
  tensor->add_uint32_val(7);
  tensor->add_uint64_val(~uint64_t{0});
  tensor->set_float8_val("8");
}

// Every field that a program writes into a function.
proto::FunctionDef Rich() {
  proto::FunctionDef f;
  proto::OpDef* signature = f.mutable_signature();
  signature->set_name("f");
  proto::OpDef::ArgDef* arg = signature->add_input_arg();
  arg->set_name("x");
  arg->set_description("what goes in");
  arg->set_type(proto::DT_RESOURCE);
  arg->set_number_attr("N");
  arg->add_handle_data()->mutable_shape()->set_unknown_rank(true);
  arg->mutable_experimental_full_type()->add_args()->set_s("t");
  signature->add_output_arg()->set_type_attr("T");
  signature->add_attr()->mutable_default_value()->set_type(proto::DT_INT8);
  signature->mutable_attr(0)->set_has_minimum(true);
  signature->mutable_attr(0)->set_minimum(-5);
  signature->add_control_output("done");
  signature->set_is_stateful(true);
  signature->set_summary("s");
  for (int i = 0; i < 3; ++i) {
    proto::NodeDef* node = f.add_node_def();
    node->set_name("node" + std::to_string(i));
    node->set_op("Const");
    node->add_input("a:0");
    node->add_input("^b");
    node->set_device("/cpu:0");
    node->mutable_experimental_debug_info()->add_original_node_names("n");
    node->mutable_experimental_type()->set_type_id(proto::TFT_PRODUCT);
    auto& attrs = *node->mutable_attr();
    FillTensor(attrs["value"].mutable_tensor());
    attrs["dtype"].set_type(proto::DT_FLOAT);
    attrs["s"].set_s("\xfe");
    attrs["i"].set_i(-1);
    attrs["f"].set_f(0.5f);
    attrs["b"].set_b(true);
    attrs["shape"].mutable_shape()->add_dim()->set_size(-1);
    attrs["func"].mutable_func()->set_name("g");
    (*attrs["func"].mutable_func()->mutable_attr())["T"].set_placeholder("U");
    proto::AttrValue::ListValue* list = attrs["list"].mutable_list();
    list->add_s("x");
    list->add_i(-7);
    list->add_f(1);
    list->add_b(false);
    list->add_type(proto::DT_HALF);
    list->add_shape()->set_unknown_rank(true);
    FillTensor(list->add_tensor());
    list->add_func()->set_name("h");
  }
  (*f.mutable_ret())["out"] = "node0:output:0";
  (*f.mutable_control_ret())["done"] = "node1";
  (*f.mutable_attr())["_XlaMustCompile"].set_b(false);
  (*(*f.mutable_arg_attr())[0].mutable_attr())["_outer"].set_s("x");
  (*f.mutable_resource_arg_unique_id())[2] = 3;
  return f;
}

absl::optional<FunctionDefs::About> Scan(const proto::FunctionDef& f) {
  CHECK(Agrees(f.SerializeAsString()));
  return ScanFunction(f.SerializeAsString());
}

}  // namespace

TEST_CASE("function scan: all that programs write is usual") {
  const auto rich = Scan(Rich());
  REQUIRE(rich.has_value());
  CHECK((rich->name == "f" && rich->polymorphic && !rich->calls_itself && rich->constants.ok()));
  const auto empty = Scan(proto::FunctionDef());
  REQUIRE(empty.has_value());
  CHECK((empty->name.empty() && !empty->polymorphic && !empty->calls_itself));
}

TEST_CASE("function scan: constants and calls of itself are seen") {
  proto::FunctionDef f = Rich();
  f.mutable_node_def(1)->mutable_attr()->erase("value");
  CHECK(Scan(f)->constants.code() == absl::StatusCode::kFailedPrecondition);
  f.mutable_node_def(1)->set_op("NoOp");
  CHECK(Scan(f)->constants.ok());
  (*f.mutable_node_def(1)->mutable_attr())["value"].set_i(3);
  CHECK(Scan(f)->constants.ok());
  f.mutable_node_def(1)->set_op("Const");
  CHECK_FALSE(Scan(f)->constants.ok());
  f.mutable_node_def(1)->set_op("f");
  CHECK(Scan(f)->calls_itself);
  (*f.mutable_node_def(2)->mutable_attr())["value"].mutable_tensor()->mutable_tensor_shape()->mutable_dim(0)->set_size(-1);
  CHECK(Scan(f)->constants.message() == "Saved model contains node \"node2\" (op \"Const\") which initializes from a tensor with -1 elements");
}

TEST_CASE("function scan: what is unusual is left to the parser") {
  proto::FunctionDef f;
  f.mutable_signature()->set_name("na\xc3\xafve");
  CHECK_FALSE(Scan(f).has_value());
  const std::string good = Rich().SerializeAsString();
  CHECK_FALSE(ScanFunction(good + good).has_value());                             // two signatures, which are merged
  CHECK_FALSE(ScanFunction(good + std::string("\xf8\x07\x01", 3)).has_value());   // an unknown field
  CHECK_FALSE(ScanFunction(good + std::string("\x0b\x0c", 2)).has_value());       // a group
  CHECK_FALSE(ScanFunction(good + std::string("\x18\x01", 2)).has_value());       // a number where a node is wanted
  CHECK_FALSE(ScanFunction(good + std::string("\x1a\x85\x80\x80\x80\x80\x00", 7)).has_value());  // a length of six bytes
  for (int levels : {40, 80}) {
    std::string type;
    for (int i = 0; i < levels; ++i) type = Field(2, type);  // full types in each other
    CHECK(ScanFunction(Field(3, Field(7, type))).has_value() == (levels == 40));
  }
}

TEST_CASE("function scan: damaged bytes are never called usual unless they parse") {
  int usual = 0, wrong = 0;
  ForEachDamage(Rich().SerializeAsString(), [&](const std::string& bytes) {
    usual += ScanFunction(bytes).has_value() ? 1 : 0;
    wrong += Agrees(bytes) ? 0 : 1;
  });
  CHECK(wrong == 0);
  CHECK(usual > 1000);
}

}  // namespace savedmodel
