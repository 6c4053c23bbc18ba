#include "cli/functions_text.h"

#include <catch2/catch.hpp>

#include "google/protobuf/text_format.h"

namespace savedmodel::cli {
namespace {

// What is printed for one positional argument of a function.
std::string Shown(const std::string& value) {
  proto::SavedObjectGraph graph;
  const std::string text = R"(nodes { children { node_id: 1 local_name: "f" } } nodes { function { concrete_functions: "c" } }
    concrete_functions { key: "c" value { canonicalized_input_signature { tuple_value { values { tuple_value { values { )" +
                           value + " } } } values { dict_value { } } } } } }";
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &graph));
  const std::string shown = FunctionsText(graph);
  return shown.substr(shown.find("DType: "));
}

TEST_CASE("functions: what is inside a list or a dictionary is shown as Python writes it") {
  CHECK(Shown("list_value { }") == "DType: list\n          Value: [\b\b]\n");
  CHECK(Shown("dict_value { }") == "DType: dict\n          Value: {\b\b}\n");
  CHECK(Shown(R"(tuple_value { values { string_value: "it's" } values { tuple_value { values { int64_value: 4 } } } values { list_value { } } })") ==
        "DType: tuple\n          Value: ['it's', (4,), [], \b\b]\n");
  CHECK(Shown(R"(dict_value { fields { key: "b" value { dict_value { fields { key: "q" value { string_value: "it's" } } } } }
                              fields { key: "a" value { tensor_dtype_value: DT_FLOAT } } })") ==
        "DType: dict\n          Value: {'a': <dtype: 'float32'>, 'b': {'q': \"it's\"}, \b\b}\n");
  CHECK(Shown("tensor_dtype_value: DT_FLOAT") == "DType: DType\n          Value: <dtype: 'float32'>\n");
  CHECK(Shown("tensor_shape_value { dim { size: 1 } dim { size: -1 } }") == "DType: TensorShape\n          Value: [1, None, \b\b]\n");
  CHECK(Shown(R"(named_tuple_value { name: "Pair" values { key: "l" value { int64_value: 1 } }
                 values { key: "r" value { named_tuple_value { name: "P" values { key: "k" value { none_value { } } } } } } })") ==
        "DType: Pair\n          Value: [1, P(k=None), \b\b]\n");
}

}  // namespace
}  // namespace savedmodel::cli
