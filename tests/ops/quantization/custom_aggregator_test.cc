#include <catch2/catch.hpp>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("CustomAggregator gives range and histogram") {
  const auto aggregate = [](int method, int bins, const Tensor& x) {
    OpCase op("CustomAggregator");
    op.String("id", "a").Int("calibration_method", method).Int("num_bins", bins).In(x);
    return op;
  };
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = Floats({1, 5}, {1, -2, 3.5f, 0.25f, -0.7f});
  const Tensor least = Tensor::Scalar(-2.0f), most = Tensor::Scalar(3.5f);
  aggregate(1, 0, x).Gives({x, least, most, Int64s({0}, {})});
  aggregate(3, 1, x).Gives({x, least, most, Int64s({1}, {5})});
  aggregate(3, 4, x).Gives({x, least, most, Int64s({4}, {2, 2, 1, 0})});
  aggregate(4, 3, Floats({0}, {})).Gives({Floats({0}, {}), Tensor::Scalar(inf), Tensor::Scalar(-inf), Int64s({3}, {0, 0, 0})});
  aggregate(4, 2, Floats({2}, {nan, 1})).Gives({Floats({2}, {nan, 1}), Tensor::Scalar(1.0f), Tensor::Scalar(1.0f), Int64s({2}, {2, 0})});
  aggregate(4, 2, Floats({2}, {inf, 1})).Gives({Floats({2}, {inf, 1}), Tensor::Scalar(1.0f), Tensor::Scalar(inf), Int64s({2}, {2, 0})});
  aggregate(0, 0, x).Refuses(absl::StatusCode::kAborted, "calibration_method");
  aggregate(3, -1, x).Refuses(absl::StatusCode::kInvalidArgument, "num_bins");
}

}  // namespace
}  // namespace savedmodel
