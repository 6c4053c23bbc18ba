#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

OpCase Case(const char* op, DataType type) { return OpCase(op).Type("T", type); }
OpCase Float(const char* op) { return Case(op, DataType::kFloat); }

TEST_CASE("Sum over any axes") {
  const Tensor x = Int32s({2, 3}, {0, 1, 2, 3, 4, 5});
  Case("Sum", DataType::kInt32).In(x).In(Int32s({1}, {1})).Gives({Int32s({2}, {3, 12})});
  Case("Sum", DataType::kInt32).In(x).In(Int32s({}, {-2})).Gives({Int32s({3}, {3, 5, 7})});
  Case("Sum", DataType::kInt32).Bool("keep_dims", true).In(x).In(Int32s({2}, {0, 1})).Gives({Int32s({1, 1}, {15})});
  Case("Sum", DataType::kInt32).In(x).In(Int32s({0}, {})).Gives({x});
  Case("Sum", DataType::kInt32).In(x).In(Int32s({1}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "Invalid reduction dimension");
  Case("Sum", DataType::kInt32).In(x).In(Int32s({2}, {0, -2})).Refuses(absl::StatusCode::kInvalidArgument, "duplicate dimension: 0");
}

TEST_CASE("Reductions follow the plain loop for every set of axes") {
  const std::vector<int64_t> dims = {3, 1, 5, 2, 7, 4};
  const TensorShape shape(dims);
  std::vector<int64_t> in(shape.num_elements());
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<int64_t>(i * i % 1009) - 500;
  for (int set = 0; set < 64; ++set) {
    std::vector<int32_t> axes;
    TensorShape out;
    for (int d = 0; d < 6; ++d) {
      if (set >> d & 1) axes.push_back(d - (d % 2 ? 6 : 0)); else out.AddDim(dims[d]);
    }
    std::vector<int64_t> sum(out.num_elements(), 0), top(out.num_elements(), INT64_MIN);
    for (size_t i = 0; i < in.size(); ++i) {
      int64_t rest = static_cast<int64_t>(i), at = 0, step = 1;
      for (int d = 5; d >= 0; --d) {
        if (!(set >> d & 1)) {
          at += rest % dims[d] * step;
          step *= dims[d];
        }
        rest /= dims[d];
      }
      sum[at] += in[i];
      top[at] = std::max(top[at], in[i]);
    }
    const Tensor indices = Int32s({static_cast<int64_t>(axes.size())}, axes);
    Case("Sum", DataType::kInt64).In(Int64s(shape, in)).In(indices).Gives({Int64s(out, sum)});
    Case("Max", DataType::kInt64).In(Int64s(shape, in)).In(indices).Gives({Int64s(out, top)});
  }
}

TEST_CASE("Large float sums stay accurate in all layouts") {
  const int64_t n = 1 << 20;
  const Tensor x = Floats({n}, std::vector<float>(n, 0.1f));
  const double exact = 0.1f * static_cast<double>(n);
  const float total = static_cast<float>(exact);
  Float("Sum").In(x).In(Int32s({1}, {0})).Within(1e-6, 0).Gives({Floats({}, {total})});
  Float("Sum").In(x.Reshaped({n / 2, 2})).In(Int32s({1}, {0})).Within(1e-6, 0).Gives({Floats({2}, {total / 2, total / 2})});
  Float("Mean").In(x.Reshaped({4, n / 4})).In(Int32s({1}, {1})).Within(1e-6, 0).Gives({Floats({4}, {0.1f, 0.1f, 0.1f, 0.1f})});
  Float("Mean").In(x.Reshaped({2, n / 4, 2})).In(Int32s({1}, {1})).Within(1e-6, 0).Gives({Floats({2, 2}, {0.1f, 0.1f, 0.1f, 0.1f})});
}

TEST_CASE("Global average pooling: Mean over the middle axes, more columns than a strip holds") {
  const int64_t c = 300;
  std::vector<float> x(2 * 6 * c), y(2 * c);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 97);
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t p = 0; p < 6; ++p) {
      for (int64_t j = 0; j < c; ++j) y[n * c + j] += x[(n * 6 + p) * c + j] / 6;
    }
  }
  Float("Mean").In(Floats({2, 2, 3, c}, x)).In(Int32s({2}, {1, 2})).Gives({Floats({2, c}, y)});
}

TEST_CASE("Means of integers truncate, and do not overflow") {
  Case("Mean", DataType::kInt8).In(Values<int8_t>({2, 3}, {100, 127, 126, -128, -128, -3})).In(Int32s({1}, {1})).Gives({Values<int8_t>({2}, {117, -86})});
  Case("Mean", DataType::kInt64).In(Int64s({2}, {-7, 2})).In(Int32s({1}, {0})).Gives({Int64s({}, {-2})});
  Case("Mean", DataType::kUInt64).In(Values<uint64_t>({2}, {UINT64_MAX, 4})).In(Int32s({1}, {0})).Gives({Values<uint64_t>({}, {1})});
}

TEST_CASE("Reductions of nothing") {
  const Tensor axis = Int32s({1}, {1});
  Float("Sum").In(Floats({2, 0}, {})).In(axis).Gives({Floats({2}, {0, 0})});
  Float("Mean").In(Floats({2, 0}, {})).In(axis).Gives({Floats({2}, {kNan, kNan})});
  Case("Mean", DataType::kInt32).In(Int32s({2, 0}, {})).In(axis).Gives({Int32s({2}, {0, 0})});
  Float("Prod").In(Floats({2, 0}, {})).In(axis).Gives({Floats({2}, {1, 1})});
  Float("Max").In(Floats({2, 0}, {})).In(axis).Gives({Floats({2}, {-kInf, -kInf})});
  Case("Min", DataType::kInt8).In(Values<int8_t>({2, 0}, {})).In(axis).Gives({Values<int8_t>({2}, {127, 127})});
  OpCase("All").In(Bools({2, 0}, {})).In(axis).Gives({Bools({2}, {1, 1})});
  Float("Mean").In(Floats({0, 3}, {})).In(axis).Gives({Floats({0}, {})});
  Float("L2Loss").In(Floats({0}, {})).Gives({Floats({}, {0})});
}

TEST_CASE("Max and Min pass NaN on") {
  const Tensor x = Floats({3, 3}, {1, kNan, 3, kNan, -kInf, 2, -kInf, -kInf, -kInf});
  Float("Max").In(x).In(Int32s({1}, {1})).Gives({Floats({3}, {kNan, kNan, -kInf})});
  Float("Min").In(x).In(Int32s({1}, {0})).Gives({Floats({3}, {kNan, kNan, -kInf})});
}

TEST_CASE("Norms and logic") {
  Float("EuclideanNorm").In(Floats({1, 2}, {3, -4})).In(Int32s({1}, {1})).Gives({Floats({1}, {5})});
  Float("EuclideanNorm").In(Floats({2}, {3, -4})).In(Int32s({0}, {})).Gives({Floats({2}, {3, 4})});
  Case("EuclideanNorm", DataType::kInt8).In(Values<int8_t>({3}, {100, 4, 5})).In(Int32s({1}, {0})).Gives({Values<int8_t>({}, {7})});
  using C = std::complex<float>;
  Case("EuclideanNorm", DataType::kComplex64).In(Values<C>({2}, {C(3, 4), C(0, 1)})).In(Int32s({1}, {0})).Gives({Values<C>({}, {C(5.0990195f, 0)})});
  Float("L2Loss").In(Floats({3}, {1, 2, 3})).Gives({Floats({}, {7})});
  OpCase("Any").In(Bools({2, 2}, {0, 1, 0, 0})).In(Int64s({1}, {1})).Type("Tidx", DataType::kInt64).Gives({Bools({2}, {1, 0})});
}

TEST_CASE("ArgMax and ArgMin give the first of equals and pass over NaN") {
  const Tensor x = Floats({3, 3}, {1, kNan, 3, 3, 3, 1, kNan, kNan, 2});
  Float("ArgMax").In(x).In(Int32s({}, {1})).Gives({Int64s({3}, {2, 0, 2})});
  Float("ArgMin").In(x).In(Int32s({}, {-1})).Gives({Int64s({3}, {0, 2, 2})});
  Float("ArgMax").Type("output_type", DataType::kInt32).In(x).In(Int32s({}, {0})).Gives({Int32s({3}, {1, 1, 0})});
  Float("ArgMax").In(Floats({2, 0}, {})).In(Int32s({}, {0})).Gives({Int64s({0}, {})});
  Float("ArgMax").In(Floats({2, 0}, {})).In(Int32s({}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "Reduction axis 1 is empty");
  Float("ArgMax").In(x).In(Int32s({}, {2})).Refuses(absl::StatusCode::kInvalidArgument);
  Float("ArgMax").In(x).In(Int32s({1}, {1})).Refuses(absl::StatusCode::kInvalidArgument);
  Float("ArgMax").In(Floats({}, {1})).In(Int32s({}, {0})).Refuses(absl::StatusCode::kInvalidArgument);
}

TEST_CASE("Scans, exclusive and reversed") {
  const Tensor x = Floats({2, 3}, {1, 2, 3, 4, 5, 6});
  Float("Cumsum").In(x).In(Int32s({}, {1})).Gives({Floats({2, 3}, {1, 3, 6, 4, 9, 15})});
  Float("Cumsum").In(x).In(Int32s({}, {0})).Gives({Floats({2, 3}, {1, 2, 3, 5, 7, 9})});
  Float("Cumsum").Bool("exclusive", true).Bool("reverse", true).In(x).In(Int32s({}, {-1})).Gives({Floats({2, 3}, {5, 3, 0, 11, 6, 0})});
  Float("Cumsum").Bool("exclusive", true).Bool("reverse", true).In(x).In(Int32s({}, {0})).Gives({Floats({2, 3}, {4, 5, 6, 0, 0, 0})});
  Float("Cumsum").Bool("exclusive", true).In(x).In(Int32s({}, {0})).Gives({Floats({2, 3}, {0, 0, 0, 1, 2, 3})});
  Case("Cumprod", DataType::kInt8).In(Values<int8_t>({3}, {100, 2, 2})).In(Int32s({}, {0})).Gives({Values<int8_t>({3}, {100, -56, -112})});
  Float("CumulativeLogsumexp").In(Floats({3}, {1, kNan, 2})).In(Int32s({}, {0})).Gives({Floats({3}, {1, 1.6931472f, 2.5514448f})});
  Float("CumulativeLogsumexp").In(Floats({5}, {-kInf, 0, 0, kInf, 2})).In(Int32s({}, {0})).Gives({Floats({5}, {-kInf, 0, 0.6931472f, kInf, kInf})});
  Float("Cumsum").In(x).In(Int32s({}, {2})).Refuses(absl::StatusCode::kInvalidArgument, "Expected scan axis");
  Float("Cumsum").In(x).In(Int32s({1}, {0})).Refuses(absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace savedmodel
