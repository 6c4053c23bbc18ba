#include "loader/object_scan.h"

#include <catch2/catch.hpp>

#include "loader/saved_model.h"
#include "message_bytes.h"
#include "savedmodel/saved_object_graph.pb.h"

namespace savedmodel {
namespace {

// Every kind of object and value that a program writes.
proto::SavedObjectGraph Rich() {
  proto::SavedObjectGraph graph;
  proto::SavedObject* root = graph.add_nodes();
  root->add_children()->set_local_name("layer");
  root->mutable_children(0)->set_node_id(3);
  root->add_dependencies()->set_node_id(1);
  root->add_slot_variables()->set_slot_name("m");
  root->mutable_user_object()->set_identifier("_tf_keras_model");
  root->mutable_user_object()->mutable_version()->add_bad_consumers(4);
  root->mutable_user_object()->set_metadata("{}");
  (*root->mutable_saveable_objects())["VARIABLE_VALUE"].set_save_function(7);
  root->set_registered_name("r");
  root->set_registered_saver("s");
  root->mutable_serialized_user_proto()->set_type_url("t");
  root->mutable_serialized_user_proto()->set_value("\xff");
  graph.add_nodes()->mutable_asset()->set_asset_file_def_index(1);
  graph.add_nodes()->mutable_constant()->set_operation("c");
  graph.add_nodes()->mutable_resource()->set_device("d");
  graph.add_nodes()->mutable_captured_tensor()->set_concrete_function("f");
  proto::SavedVariable* variable = graph.add_nodes()->mutable_variable();
  variable->set_dtype(proto::DT_FLOAT);
  variable->mutable_shape()->add_dim()->set_size(-1);
  variable->set_trainable(true);
  variable->add_experimental_distributed_variable_components()->set_name("v");
  proto::SavedFunction* function = graph.add_nodes()->mutable_function();
  function->add_concrete_functions("f");
  proto::StructuredValue* args = function->mutable_function_spec()->mutable_fullargspec();
  proto::NamedTupleValue* named = args->mutable_named_tuple_value();
  named->set_name("FullArgSpec");
  auto add = [&] { return named->add_values()->mutable_value(); };
  add()->mutable_none_value();
  add()->set_float64_value(0.5);
  add()->set_int64_value(-9);
  add()->set_string_value("x");
  add()->set_bool_value(true);
  add()->mutable_tensor_shape_value()->set_unknown_rank(true);
  add()->set_tensor_dtype_value(proto::DT_HALF);
  add()->mutable_tensor_spec_value()->set_name("spec");
  add()->mutable_type_spec_value()->mutable_type_state()->mutable_tuple_value()->add_values()->set_int64_value(1);
  add()->mutable_bounded_tensor_spec_value()->mutable_minimum()->add_float_val(1);
  add()->mutable_list_value()->add_values()->mutable_none_value();
  (*add()->mutable_dict_value()->mutable_fields())["k"].set_string_value("v");
  add()->mutable_tensor_value()->add_int_val(3);
  add()->mutable_numpy_value()->set_tensor_content("abc");
  proto::SavedBareConcreteFunction* bare = graph.add_nodes()->mutable_bare_concrete_function();
  bare->add_argument_keywords("x");
  bare->set_allowed_positional_arguments(1);
  *bare->mutable_function_spec() = function->function_spec();
  proto::SavedConcreteFunction& concrete = (*graph.mutable_concrete_functions())["f"];
  concrete.add_bound_inputs(5);
  *concrete.mutable_canonicalized_input_signature() = *args;
  return graph;
}

}  // namespace

TEST_CASE("object scan: all that programs write is usual") {
  CHECK(IsUsualObjectGraph(Rich().SerializeAsString()));
  CHECK(IsUsualObjectGraph(""));
}

TEST_CASE("object scan: two kinds of one object are left to the parser") {
  proto::SavedObjectGraph asset, constant;
  asset.add_nodes()->mutable_asset()->set_asset_file_def_index(1);
  constant.add_nodes()->mutable_constant()->set_operation("c");
  const std::string one = asset.nodes(0).SerializeAsString(), both = one + constant.nodes(0).SerializeAsString();
  CHECK(IsUsualObjectGraph(Field(1, one)));
  CHECK_FALSE(IsUsualObjectGraph(Field(1, both)));
}

TEST_CASE("object scan: damaged bytes are never called usual unless they parse") {
  int usual = 0, wrong = 0;
  ForEachDamage(Rich().SerializeAsString(), [&](const std::string& bytes) {
    if (!IsUsualObjectGraph(bytes)) return;
    ++usual;
    proto::SavedObjectGraph graph;
    if (!MergePart(bytes, 2, &graph)) ++wrong;
  });
  CHECK(wrong == 0);
  CHECK(usual > 500);
}

}  // namespace savedmodel
