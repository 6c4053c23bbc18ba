#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("RaggedBincount and SparseBincount count") {
  OpCase("RaggedBincount").Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(Int64s({3}, {0, 2, 3})).In(Int32s({3}, {1, 1, 5})).In(Int32s({}, {3})).In(Int32s({0}, {}))
      .Gives({Int32s({2, 3}, {0, 2, 0, 0, 0, 0})});
  OpCase("RaggedBincount").Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(Int64s({2}, {0, 2})).In(Int32s({2}, {1, 1})).In(Int32s({}, {3})).In(Int32s({1}, {4}))
      .Refuses(absl::StatusCode::kInvalidArgument, "weights");
  OpCase("RaggedBincount").Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(Int64s({2}, {0, 2})).In(Int32s({2}, {-1, 1})).In(Int32s({}, {3})).In(Int32s({0}, {}))
      .Refuses(absl::StatusCode::kInvalidArgument, "non-negative");
  OpCase("SparseBincount").Type("Tidx", DataType::kInt64).Type("T", DataType::kFloat).In(Int64s({2, 2}, {0, 0, 1, 1})).In(Int64s({2}, {1, 0})).In(Int64s({2}, {2, 3}))
      .In(Int64s({}, {2})).In(Floats({2}, {3, 4})).Gives({Floats({2, 2}, {0, 3, 4, 0})});
  // Of splits only the ends count, and the values may have any rank.
  OpCase("RaggedBincount").Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(Int64s({4}, {0, 2, 1, 3})).In(Int32s({1, 3}, {1, 1, 0})).In(Int32s({}, {2})).In(Int32s({0}, {}))
      .Gives({Int32s({3, 2}, {0, 2, 0, 0, 1, 0})});
  OpCase("RaggedBincount").Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(Int64s({2}, {0, 1})).In(Int32s({2}, {1, 1})).In(Int32s({}, {2})).In(Int32s({0}, {}))
      .Refuses(absl::StatusCode::kInvalidArgument, "end with the number of values");
  // Rows leave out negative values, a vector refuses them.
  auto sparse = [](Tensor indices, Tensor shape) {
    OpCase op("SparseBincount");
    return op.Type("Tidx", DataType::kInt32).Type("T", DataType::kInt32).In(indices).In(Int32s({2}, {1, -3})).In(shape).In(Int32s({}, {2})).In(Int32s({0}, {}));
  };
  sparse(Int64s({2, 2}, {0, 0, 1, 1}), Int64s({2}, {2, 2})).Gives({Int32s({2, 2}, {0, 1, 0, 0})});
  sparse(Int64s({2, 3}, {0, 0, 0, 1, 1, 0}), Int64s({3}, {2, 2, 1})).Gives({Int32s({2, 2}, {0, 1, 0, 0})});
  sparse(Int64s({2, 1}, {0, 1}), Int64s({1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "non-negative");
  sparse(Int64s({2, 2}, {0, 0, 1, 2}), Int64s({2}, {2, 2})).Refuses(absl::StatusCode::kInvalidArgument, "[0, 2)");
  OpCase("SparseBincount").Type("Tidx", DataType::kInt64).Type("T", DataType::kFloat).Bool("binary_output", true).In(Int64s({2, 1}, {0, 1})).In(Int64s({2}, {1, 1}))
      .In(Int64s({1}, {2})).In(Int64s({}, {2})).In(Floats({0}, {})).Gives({Floats({2}, {0, 1})});
}

}  // namespace
}  // namespace savedmodel
