#include <catch2/catch.hpp>

#include "state/variable_case.h"

namespace savedmodel {
namespace {

OpCase Scatter(const std::string& op_name, const VariableCase& v, Tensor indices, Tensor updates) {
  OpCase op("ResourceScatter" + op_name);
  op.Type("dtype", updates.dtype()).Type("Tindices", indices.dtype()).In(v.handle).In(indices).In(updates);
  return op;
}
std::string Changed(const std::string& name, const Tensor& before, Tensor indices, Tensor updates, const Tensor& after) {
  VariableCase v(*before.Clone());
  OpCase op = Scatter(name, v, indices, updates);
  return After(op, v, after);
}

TEST_CASE("ResourceScatter changes rows") {
  const Tensor four = Int32s({2, 2}, {1, 2, 3, 4}), rows = Int32s({2}, {1, 1}), updates = Int32s({2, 2}, {5, 6, 7, 2});
  CHECK(Changed("Update", four, rows, updates, Int32s({2, 2}, {1, 2, 7, 2})) == "");
  CHECK(Changed("Add", four, rows, updates, Int32s({2, 2}, {1, 2, 15, 12})) == "");
  CHECK(Changed("Sub", four, rows, updates, Int32s({2, 2}, {1, 2, -9, -4})) == "");
  CHECK(Changed("Mul", four, rows, updates, Int32s({2, 2}, {1, 2, 105, 48})) == "");
  CHECK(Changed("Max", four, rows, updates, Int32s({2, 2}, {1, 2, 7, 6})) == "");
  CHECK(Changed("Min", four, rows, updates, Int32s({2, 2}, {1, 2, 3, 2})) == "");
  CHECK(Changed("Div", Int32s({1}, {INT32_MIN}), Int64s({}, {0}), Int32s({}, {-1}), Int32s({1}, {INT32_MIN})) == "");
  CHECK(Changed("Add", four, Int64s({1}, {0}), Int32s({}, {5}), Int32s({2, 2}, {6, 7, 3, 4})) == "");
  CHECK(Changed("Update", Strings({2}, {"a", "b"}), Int32s({1}, {1}), Strings({1}, {"c"}), Strings({2}, {"a", "c"})) == "");
  CHECK(Changed("Add", four, Int32s({0}, {}), Int32s({0, 2}, {}), four) == "");
}

TEST_CASE("ResourceScatter refuses") {
  VariableCase v(Int32s({2, 2}, {1, 2, 3, 4})), scalar(Int32s({}, {1}));
  Scatter("Add", v, Int32s({1}, {2}), Int32s({}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "is not in [0, 2)");
  Scatter("Add", v, Int32s({1}, {0}), Int32s({1, 1}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "updates.shape");
  Scatter("Add", scalar, Int32s({1}, {0}), Int32s({1}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "at least 1-D");
  Scatter("Div", v, Int32s({1}, {0}), Int32s({}, {0})).Refuses(absl::StatusCode::kInvalidArgument, "must not contain 0");
  VariableCase floats(Floats({2}, {1, 2}));
  Scatter("Div", floats, Int32s({1}, {0}), Floats({1}, {-0.f})).Refuses(absl::StatusCode::kInvalidArgument, "must not contain 0");
  Scatter("Add", v, Int32s({1}, {0}), Floats({}, {0})).Refuses(absl::StatusCode::kInvalidArgument, "int32");
}

TEST_CASE("ScatterAdd gives its reference on") {
  VariableCase v(Floats({2}, {1, 2}));
  auto outputs = OpCase("ScatterAdd").Type("T", DataType::kFloat).Type("Tindices", DataType::kInt32).In(v.handle).In(Int32s({1}, {1})).In(Floats({1}, {3})).Run();
  REQUIRE(outputs.ok());
  CHECK((*outputs)[0].scalar<ResourceHandle>() == v.variable);
  CHECK(Difference(v.variable->Read(), Floats({2}, {1, 5})) == "");
}

}  // namespace
}  // namespace savedmodel
