#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

OpCase V2(bool sorted = true) { return OpCase("TopKV2").Type("T", DataType::kFloat).Bool("sorted", sorted); }

TEST_CASE("TopK gives the largest, of equal ones the first") {
  const Tensor x = Floats({2, 4}, {1, 4, 4, 2, -1, -3, -2, -2});
  V2().In(x).In(Tensor::Scalar<int32_t>(1)).Gives({Floats({2, 1}, {4, -1}), Int32s({2, 1}, {1, 0})});
  V2().In(x).In(Tensor::Scalar<int32_t>(3)).Gives({Floats({2, 3}, {4, 4, 2, -1, -2, -2}), Int32s({2, 3}, {1, 2, 3, 0, 2, 3})});
  V2().In(x).In(Tensor::Scalar<int32_t>(4)).Gives({Floats({2, 4}, {4, 4, 2, 1, -1, -2, -2, -3}), Int32s({2, 4}, {1, 2, 3, 0, 0, 2, 3, 1})});
  V2().In(x).In(Tensor::Scalar<int32_t>(0)).Gives({Floats({2, 0}, {}), Int32s({2, 0}, {})});
  OpCase("TopK").Type("T", DataType::kFloat).Int("k", 2).In(Floats({3}, {1, 3, 2})).Gives({Floats({2}, {3, 2}), Int32s({2}, {1, 2})});
  OpCase("ApproxTopK").Type("T", DataType::kFloat).Int("k", 2).In(Floats({3}, {1, 3, 2})).Gives({Floats({2}, {3, 2}), Int32s({2}, {1, 2})});
}

TEST_CASE("TopK refuses") {
  V2().In(Floats({2}, {1, 2})).In(Tensor::Scalar<int32_t>(3)).Refuses(absl::StatusCode::kInvalidArgument, "input must have");
  V2().In(Floats({2}, {1, 2})).In(Tensor::Scalar<int32_t>(-1)).Refuses(absl::StatusCode::kInvalidArgument, "Need k >= 0");
  V2().In(Tensor::Scalar(1.f)).In(Tensor::Scalar<int32_t>(0)).Refuses(absl::StatusCode::kInvalidArgument, ">= 1-D");
  OpCase("ApproxTopK").Type("T", DataType::kFloat).Int("k", 1).Bool("is_max_k", false).In(Floats({3}, {1, 3, 2})).Refuses(absl::StatusCode::kUnimplemented);
}

TEST_CASE("TopKV2 without sorting keeps the order of the heap") {
  const Tensor x = Floats({11}, {5, 3, 9, 1, 7, 7, 2, 8, 9, 0, 4});
  V2(false).In(x).In(Tensor::Scalar<int32_t>(3)).Gives({Floats({3}, {8, 9, 9}), Int32s({3}, {7, 2, 8})});
  V2(false).In(x).In(Tensor::Scalar<int32_t>(5)).Gives({Floats({5}, {7, 7, 8, 9, 9}), Int32s({5}, {5, 4, 7, 2, 8})});
  V2(false).In(x).In(Tensor::Scalar<int32_t>(10)).Gives({Floats({10}, {1, 3, 2, 5, 4, 7, 9, 8, 9, 7}), Int32s({10}, {3, 1, 6, 0, 10, 5, 2, 7, 8, 4})});
}

}  // namespace
}  // namespace savedmodel
