#include <catch2/catch.hpp>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

OpCase Pair(const std::string& name, Tensor ai, Tensor av, Tensor bi, Tensor bv) {
  OpCase op(name);
  op.Type("T", av.dtype()).In(ai).In(av).In(Int64s({1}, {4})).In(bi).In(bv).In(Int64s({1}, {4}));
  return op;
}

TEST_CASE("SparseAdd, SparseSparseMaximum, SparseSparseMinimum") {
  const Tensor ai = Int64s({2, 1}, {0, 2}), bi = Int64s({2, 1}, {2, 3}), av = Floats({2}, {1, -2}), bv = Floats({2}, {2, -5});
  Pair("SparseAdd", ai, av, bi, bv).Type("Treal", DataType::kFloat).In(Floats({}, {0.5f})).Gives({Int64s({2, 1}, {0, 3}), Floats({2}, {1, -5}), Int64s({1}, {4})});
  // Only sums can be too small to keep.
  Pair("SparseAdd", ai, Floats({2}, {0.25f, -2}), bi, bv).Type("Treal", DataType::kFloat).In(Floats({}, {0.5f})).Gives({Int64s({2, 1}, {0, 3}), Floats({2}, {0.25f, -5}), Int64s({1}, {4})});
  Pair("SparseSparseMaximum", ai, av, bi, bv).Gives({Int64s({3, 1}, {0, 2, 3}), Floats({3}, {1, 2, 0})});
  Pair("SparseSparseMinimum", ai, av, bi, bv).Gives({Int64s({3, 1}, {0, 2, 3}), Floats({3}, {0, -2, -5})});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Pair("SparseSparseMaximum", ai, Floats({2}, {nan, 1}), bi, Floats({2}, {nan, nan})).Gives({Int64s({3, 1}, {0, 2, 3}), Floats({3}, {nan, nan, nan})});
  Pair("SparseSparseMinimum", ai, av, Int64s({2, 1}, {-1, 3}), bv).Refuses(absl::StatusCode::kInvalidArgument, "out of bounds");
  Pair("SparseAdd", ai, Floats({1}, {1}), bi, bv).Type("Treal", DataType::kFloat).In(Floats({}, {0})).Refuses(absl::StatusCode::kInvalidArgument, "do not match");
  OpCase("SparseAddGrad").Type("T", DataType::kFloat).In(Floats({2}, {7, 8})).In(ai).In(bi).In(Int64s({2, 1}, {0, 3})).Gives({Floats({2}, {7, 0}), Floats({2}, {0, 8})});
}

TEST_CASE("SparseTensorDenseAdd") {
  auto add = [](int64_t at, int64_t size) {
    OpCase op("SparseTensorDenseAdd");
    op.Type("T", DataType::kInt32).Type("Tindices", DataType::kInt64).In(Int64s({1, 1}, {at})).In(Int32s({1}, {5})).In(Int64s({1}, {size})).In(Int32s({2}, {1, 2}));
    return op;
  };
  add(1, 2).Gives({Int32s({2}, {1, 7})});
  add(2, 2).Refuses(absl::StatusCode::kInvalidArgument, "invalid index on dimension 0");
  add(1, 3).Refuses(absl::StatusCode::kInvalidArgument, "not compatible");
}

}  // namespace
}  // namespace savedmodel
