#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("ReverseV2 turns axes around") {
  const Tensor x = Floats({2, 3}, {1, 2, 3, 4, 5, 6});
  OpCase("ReverseV2").Type("T", DataType::kFloat).In(x).In(Int32s({1}, {1})).Gives({Floats({2, 3}, {3, 2, 1, 6, 5, 4})});
  OpCase("ReverseV2").Type("T", DataType::kFloat).In(x).In(Int32s({2}, {-1, 0})).Gives({Floats({2, 3}, {6, 5, 4, 3, 2, 1})});
  OpCase("ReverseV2").Type("T", DataType::kString).In(Strings({2}, {"a", "b"})).In(Int32s({1}, {0})).Gives({Strings({2}, {"b", "a"})});
  OpCase("ReverseV2").Type("T", DataType::kFloat).In(x).In(Int32s({1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "out of valid range");
  OpCase("ReverseV2").Type("T", DataType::kFloat).In(Floats({}, {1})).In(Int32s({0}, {})).Gives({Floats({}, {1})});
  OpCase("ReverseV2").Type("T", DataType::kFloat).In(x).In(Int32s({2}, {0, -2})).Refuses(absl::StatusCode::kInvalidArgument, "specified more than once");
}

TEST_CASE("Reverse takes flags") {
  OpCase("Reverse").Type("T", DataType::kFloat).In(Floats({2, 2}, {1, 2, 3, 4})).In(Bools({2}, {1, 0})).Gives({Floats({2, 2}, {3, 4, 1, 2})});
  OpCase("Reverse").Type("T", DataType::kFloat).In(Floats({2, 2}, {1, 2, 3, 4})).In(Bools({1}, {1})).Refuses(absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace savedmodel
