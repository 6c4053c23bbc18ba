#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("SparseTensorDenseMatMul") {
  auto product = [](int64_t k, Tensor b) {
    OpCase op("SparseTensorDenseMatMul");
    op.Type("T", DataType::kFloat).In(Int64s({2, 2}, {0, 1, 1, k})).In(Floats({2}, {2, 3})).In(Int64s({2}, {2, 3})).In(b);
    return op;
  };
  product(2, Floats({3, 1}, {1, 10, 100})).Gives({Floats({2, 1}, {20, 300})});
  product(2, Floats({1, 3}, {1, 10, 100})).Bool("adjoint_b", true).Gives({Floats({2, 1}, {20, 300})});
  product(2, Floats({2, 1}, {1, 10})).Bool("adjoint_a", true).Gives({Floats({3, 1}, {0, 2, 30})});
  product(3, Floats({3, 1}, {1, 10, 100})).Refuses(absl::StatusCode::kInvalidArgument, "out of bounds");
  product(2, Floats({2, 1}, {1, 10})).Refuses(absl::StatusCode::kInvalidArgument, "inner dimension");
}

TEST_CASE("SparseDenseCwise broadcasts the dense side") {
  auto cwise = [](const char* name, Tensor dense) {
    OpCase op(name);
    op.Type("T", DataType::kInt32).In(Int64s({2, 2}, {0, 1, 1, 0})).In(Int32s({2}, {6, 9})).In(Int64s({2}, {2, 2})).In(dense);
    return op;
  };
  cwise("SparseDenseCwiseMul", Int32s({2}, {2, 3})).Gives({Int32s({2}, {18, 18})});
  cwise("SparseDenseCwiseAdd", Int32s({2, 1}, {2, 3})).Gives({Int32s({2}, {8, 12})});
  cwise("SparseDenseCwiseDiv", Int32s({}, {2})).Gives({Int32s({2}, {3, 4})});
  cwise("SparseDenseCwiseDiv", Int32s({}, {0})).Refuses(absl::StatusCode::kInvalidArgument, "division by zero");
  OpCase("SparseDenseCwiseDiv").Type("T", DataType::kFloat).In(Int64s({1, 1}, {1})).In(Floats({1}, {1})).In(Int64s({1}, {2})).In(Floats({2}, {1, 0}))
      .Refuses(absl::StatusCode::kInvalidArgument, "division by zero");
  cwise("SparseDenseCwiseMul", Int32s({3}, {2, 3, 4})).Refuses(absl::StatusCode::kInvalidArgument, "incompatible shapes");
  OpCase("SparseDenseCwiseMul").Type("T", DataType::kInt32).In(Int64s({0, 6}, {})).In(Int32s({0}, {})).In(Int64s({6}, {1, 1, 1, 1, 1, 1})).In(Int32s({}, {2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "ranks between 1 and 5");
  cwise("SparseDenseCwiseMul", Int32s({1, 1, 1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "incompatible shapes");
}

}  // namespace
}  // namespace savedmodel
