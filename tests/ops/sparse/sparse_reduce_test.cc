#include <catch2/catch.hpp>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

OpCase Reduce(const std::string& name, Tensor axes, int64_t at = 1) {
  OpCase op(name);
  op.Type("T", DataType::kInt32).In(Int64s({3, 2}, {0, 0, 0, 2, at, 1})).In(Int32s({3}, {1, 2, -3})).In(Int64s({2}, {2, 3})).In(axes);
  return op;
}

TEST_CASE("SparseReduceSum and SparseReduceMax") {
  Reduce("SparseReduceSum", Int32s({1}, {1})).Gives({Int32s({2}, {3, -3})});
  Reduce("SparseReduceSum", Int32s({1}, {-2})).Bool("keep_dims", true).Gives({Int32s({1, 3}, {1, -3, 2})});
  Reduce("SparseReduceMax", Int32s({2}, {0, 1})).Gives({Int32s({}, {2})});
  Reduce("SparseReduceSumSparse", Int32s({1}, {1})).Gives({Int64s({2, 1}, {0, 1}), Int32s({2}, {3, -3}), Int64s({1}, {2})});
  Reduce("SparseReduceMaxSparse", Int32s({1}, {1})).Bool("keep_dims", true).Gives({Int64s({2, 2}, {0, 0, 1, 0}), Int32s({2}, {2, -3}), Int64s({2}, {2, 1})});
  Reduce("SparseReduceSum", Int32s({1, 1}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "scalar or a vector");
  Reduce("SparseReduceSum", Int32s({1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "reduction dimension");
  Reduce("SparseReduceSum", Int32s({1}, {1}), 7).Refuses(absl::StatusCode::kInternal, "outside of bounds");
}

TEST_CASE("SparseReduceMax takes what comes after NaN, or NaN at the end") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OpCase("SparseReduceMax").Type("T", DataType::kFloat).Bool("keep_dims", false).In(Int64s({5, 2}, {0, 0, 0, 1, 0, 2, 1, 0, 1, 1})).In(Floats({5}, {2, nan, 1, 2, nan}))
      .In(Int64s({2}, {2, 3})).In(Int32s({1}, {1})).Gives({Floats({2}, {1, nan})});
}

TEST_CASE("SparseSoftmax") {
  OpCase("SparseSoftmax").Type("T", DataType::kFloat).In(Int64s({3, 2}, {0, 0, 0, 2, 1, 1})).In(Floats({3}, {1, 1, 5})).In(Int64s({2}, {2, 3}))
      .Gives({Floats({3}, {0.5f, 0.5f, 1})});
  OpCase("SparseSoftmax").Type("T", DataType::kFloat).In(Int64s({1, 1}, {0})).In(Floats({1}, {1})).In(Int64s({1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "rank >= 2");
}

}  // namespace
}  // namespace savedmodel
