#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("Set operations") {
  auto dense = [](const char* operation) {
    OpCase op("DenseToDenseSetOperation");
    op.Type("T", DataType::kInt32).String("set_operation", operation).In(Int32s({2, 2}, {3, 1, 5, 5})).In(Int32s({2, 3}, {1, 7, 7, 2, 2, 2}));
    return op;
  };
  dense("intersection").Gives({Int64s({1, 2}, {0, 0}), Int32s({1}, {1}), Int64s({2}, {2, 1})});
  dense("a-b").Gives({Int64s({2, 2}, {0, 0, 1, 0}), Int32s({2}, {3, 5}), Int64s({2}, {2, 1})});
  dense("B-A").Gives({Int64s({2, 2}, {0, 0, 1, 0}), Int32s({2}, {7, 2}), Int64s({2}, {2, 1})});
  dense("union").Gives({Int64s({5, 2}, {0, 0, 0, 1, 0, 2, 1, 0, 1, 1}), Int32s({5}, {1, 3, 7, 2, 5}), Int64s({2}, {2, 3})});
  dense("x").Refuses(absl::StatusCode::kInvalidArgument, "set_operation");
  OpCase("DenseToSparseSetOperation").Type("T", DataType::kString).String("set_operation", "intersection").In(Strings({1, 2}, {"a", "b"}))
      .In(Int64s({1, 2}, {0, 0})).In(Strings({1}, {"b"})).In(Int64s({2}, {1, 4})).Gives({Int64s({1, 2}, {0, 0}), Strings({1}, {"b"}), Int64s({2}, {1, 1})});
  OpCase("SparseToSparseSetOperation").Type("T", DataType::kInt64).String("set_operation", "a-b").In(Int64s({1, 2}, {0, 0})).In(Int64s({1}, {4})).In(Int64s({2}, {1, 1}))
      .In(Int64s({0, 2}, {})).In(Int64s({0}, {})).In(Int64s({2}, {2, 1})).Refuses(absl::StatusCode::kInvalidArgument, "Mismatched shapes");
}

TEST_CASE("Set operations with empty sets") {
  OpCase("DenseToDenseSetOperation").Type("T", DataType::kInt32).String("set_operation", "union").In(Int32s({2, 0}, {})).In(Int32s({2, 1}, {5, 6}))
      .Gives({Int64s({2, 2}, {0, 0, 1, 0}), Int32s({2}, {5, 6}), Int64s({2}, {2, 1})});
  OpCase("DenseToDenseSetOperation").Type("T", DataType::kInt32).String("set_operation", "union").In(Int32s({2, 1}, {5, 6})).In(Int32s({2, 0}, {}))
      .Gives({Int64s({2, 2}, {0, 0, 1, 0}), Int32s({2}, {5, 6}), Int64s({2}, {2, 1})});
}

// Groups of unsorted indices meet those of the other side in the order they come.
TEST_CASE("Set operations without validation") {
  OpCase("SparseToSparseSetOperation").Type("T", DataType::kInt64).String("set_operation", "b-a").Bool("validate_indices", false)
      .In(Int64s({5, 3}, {1, 2, 0, 2, 1, 0, 2, 1, 2, 2, 2, 2, 1, 2, 0})).In(Int64s({5}, {2, 5, 1, 6, 2})).In(Int64s({3}, {3, 3, 3}))
      .In(Int64s({5, 3}, {0, 1, 1, 1, 2, 0, 2, 0, 0, 2, 2, 1, 0, 1, 1})).In(Int64s({5}, {4, 3, 1, 6, 4})).In(Int64s({3}, {3, 3, 3}))
      .Gives({Int64s({4, 3}, {0, 1, 0, 1, 2, 0, 2, 0, 0, 0, 1, 0}), Int64s({4}, {4, 3, 1, 4}), Int64s({3}, {3, 3, 1})});
}

TEST_CASE("SetSize") {
  auto size = [](Tensor indices, bool validate) {
    OpCase op("SetSize");
    op.Type("T", DataType::kInt32).Bool("validate_indices", validate).In(indices).In(Int32s({2}, {4, 4})).In(Int64s({2}, {2, 3}));
    return op;
  };
  size(Int64s({2, 2}, {1, 0, 1, 2}), true).Gives({Int32s({2}, {0, 1})});
  size(Int64s({2, 2}, {1, 2, 1, 0}), true).Refuses(absl::StatusCode::kInvalidArgument, "out of order");
  size(Int64s({2, 2}, {1, 0, 2, 0}), true).Refuses(absl::StatusCode::kInvalidArgument, "out of bounds");
  size(Int64s({2, 2}, {1, 0, 2, 0}), false).Refuses(absl::StatusCode::kInternal, "expected < 2");
  size(Int64s({2, 2}, {1, 0, -1, 0}), false).Refuses(absl::StatusCode::kInvalidArgument);
  size(Int64s({2, 2, 1}, {1, 0, 1, 0}), true).Refuses(absl::StatusCode::kInvalidArgument, "matrix");
}

}  // namespace
}  // namespace savedmodel
