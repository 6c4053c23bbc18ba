#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("SparseConcat joins in order") {
  OpCase op("SparseConcat");
  op.Type("T", DataType::kInt32).Int("N", 2).Int("concat_dim", -1);
  op.In(Int64s({2, 2}, {0, 1, 1, 0})).In(Int64s({1, 2}, {0, 0})).In(Int32s({2}, {1, 2})).In(Int32s({1}, {3})).In(Int64s({2}, {2, 2})).In(Int64s({2}, {2, 1}));
  op.Gives({Int64s({3, 2}, {0, 1, 0, 2, 1, 0}), Int32s({3}, {1, 3, 2}), Int64s({2}, {2, 3})});
  op.Int("concat_dim", 2).Refuses(absl::StatusCode::kInvalidArgument, "Concat dimension");
  op.Int("concat_dim", 0).Refuses(absl::StatusCode::kInvalidArgument, "must match");
}

TEST_CASE("SparseSplit cuts, the first parts longer") {
  auto split = [](int64_t axis) {
    OpCase op("SparseSplit");
    op.Type("T", DataType::kInt32).Int("num_split", 2).In(Int64s({}, {axis})).In(Int64s({2, 1}, {1, 2})).In(Int32s({2}, {5, 6})).In(Int64s({1}, {3}));
    return op;
  };
  split(0).Gives({Int64s({1, 1}, {1}), Int64s({1, 1}, {0}), Int32s({1}, {5}), Int32s({1}, {6}), Int64s({1}, {2}), Int64s({1}, {1})});
  split(1).Refuses(absl::StatusCode::kInvalidArgument, "[-1, 1)");
  OpCase("SparseSplit").Type("T", DataType::kInt32).Int("num_split", 2).In(Int64s({1}, {0})).In(Int64s({1, 1}, {1})).In(Int32s({1}, {5})).In(Int64s({1}, {3}))
      .Refuses(absl::StatusCode::kInvalidArgument, "split_dim");
}

TEST_CASE("SparseSlice and its gradient") {
  OpCase("SparseSlice").Type("T", DataType::kInt32).In(Int64s({2, 1}, {1, 3})).In(Int32s({2}, {5, 6})).In(Int64s({1}, {4})).In(Int64s({1}, {2})).In(Int64s({1}, {9}))
      .Gives({Int64s({1, 1}, {1}), Int32s({1}, {6}), Int64s({1}, {2})});
  OpCase("SparseSlice").Type("T", DataType::kInt32).In(Int64s({2, 1}, {1, 3})).In(Int32s({2}, {5, 6})).In(Int64s({1}, {4})).In(Int64s({1}, {2})).In(Int64s({1}, {-9}))
      .Refuses(absl::StatusCode::kInvalidArgument, "non-negative");
  // Indices outside of the shape are cut by the size alone.
  OpCase("SparseSlice").Type("T", DataType::kInt32).In(Int64s({2, 1}, {1, 5})).In(Int32s({2}, {5, 6})).In(Int64s({1}, {4})).In(Int64s({1}, {2})).In(Int64s({1}, {9}))
      .Gives({Int64s({1, 1}, {3}), Int32s({1}, {6}), Int64s({1}, {2})});
  OpCase("SparseSliceGrad").Type("T", DataType::kFloat).In(Floats({1}, {7})).In(Int64s({2, 1}, {1, 3})).In(Int64s({1}, {2})).In(Int64s({1, 1}, {1}))
      .Gives({Floats({2}, {0, 7})});
  OpCase("SparseSliceGrad").Type("T", DataType::kFloat).In(Floats({1}, {7})).In(Int64s({2, 1}, {1, 3})).In(Int64s({1}, {0})).In(Int64s({1, 1}, {2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "propagated");
}

}  // namespace
}  // namespace savedmodel
