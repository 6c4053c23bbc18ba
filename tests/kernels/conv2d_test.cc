#include "kernels/cpu/conv2d.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

// The obvious loops; out = relu(conv + bias + residual). Returns the largest error in units of what rounding may do.
double WorstError(const Conv2dShape& s, const float* in, const float* filter, const float* bias, const float* residual,
                  const float* out) {
  double worst = 0;
  const int64_t group_in = s.in_c / s.groups, group_out = s.out_c / s.groups;
  int64_t at = 0;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_h(); ++oy) {
      for (int64_t ox = 0; ox < s.out_w(); ++ox) {
        for (int64_t oc = 0; oc < s.out_c; ++oc, ++at) {
          double sum = bias[oc], size = 1;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const int64_t y = oy * s.stride_h - s.pad_top + ky * s.dilation_h,
                            x = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) continue;
              const float* pixel = in + ((n * s.in_h + y) * s.in_w + x) * s.in_c + oc / group_out * group_in;
              for (int64_t c = 0; c < group_in; ++c) {
                const double product =
                    static_cast<double>(pixel[c]) * filter[((ky * s.kernel_w + kx) * group_in + c) * s.out_c + oc];
                sum += product;
                size += std::abs(product);
              }
            }
          }
          const double error = std::abs(out[at] - std::max(0.0, sum + residual[at])) / (size * 1e-6);
          if (!(error <= worst)) worst = error;
        }
      }
    }
  }
  return worst;
}

void CheckConv(const Conv2dShape& s, ThreadPool& pool, ConvAlgorithm algorithm = ConvAlgorithm::kDirect,
               GemmPrecision precision = GemmPrecision::kFloat) {
  INFO(CpuLevelName(ActiveCpuLevel()) << " in " << s.batch << "x" << s.in_h << "x" << s.in_w << "x" << s.in_c << " kernel "
                                      << s.kernel_h << "x" << s.kernel_w << " out " << s.out_c << " stride " << s.stride_h << ","
                                      << s.stride_w << " dilation " << s.dilation_h << "," << s.dilation_w << " pad " << s.pad_top
                                      << "," << s.pad_bottom << "," << s.pad_left << "," << s.pad_right << " groups "
                                      << s.groups);
  auto in = RandomFloats(s.batch * s.in_h * s.in_w * s.in_c, 1);
  auto filter = RandomFloats(s.kernel_h * s.kernel_w * s.in_c / s.groups * s.out_c, 2);
  if (precision == GemmPrecision::kBf16) {  // numbers that bfloat16 holds exactly, so that only the order of the sums differs
    for (auto* v : {&in, &filter}) {
      for (float& x : *v) x = std::round(x * 64) / 64;
    }
  }
  const auto bias = RandomFloats(s.out_c, 3);
  std::vector<float> out = RandomFloats(s.batch * s.out_h() * s.out_w() * s.out_c, 4);
  const std::vector<float> before = out;
  absl::StatusOr<Conv2dPlan> plan = Conv2dPlan::Make(s, pool.num_threads(), algorithm, precision);
  REQUIRE(plan.ok());
  absl::StatusOr<PackedFilter> packed = plan->PackFilter(filter.data(), pool);
  REQUIRE(packed.ok());
  std::vector<float> scratch(plan->scratch_bytes() / 4, NAN);
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.residual = out.data();
  epilogue.residual_stride = s.out_c;
  epilogue.activation = Activation::kRelu;
  plan->Run(in.data(), *packed, epilogue, out.data(), scratch.data(), pool);
  const double allowed = algorithm == ConvAlgorithm::kWinograd ? 4 : 1;
  CHECK(WorstError(s, in.data(), filter.data(), bias.data(), before.data(), out.data()) <= allowed);
  if (precision == GemmPrecision::kBf16) return;

  // The same from a filter that is not packed, bit for bit, where that is possible.
  if (plan->reads_in_place()) {
    const absl::StatusOr<PackedFilter> in_place = plan->FilterInPlace(filter.data(), pool);
    REQUIRE(in_place.ok());
    std::vector<float> again = before;
    epilogue.residual = again.data();
    plan->Run(in.data(), *in_place, epilogue, again.data(), scratch.data(), pool);
    CHECK(again == out);
  }
  // Sums that are scaled are those of a scaled filter.
  const auto scale = RandomFloats(s.out_c, 5);
  out = before;
  epilogue.scale = scale.data();
  epilogue.residual = out.data();
  plan->Run(in.data(), *packed, epilogue, out.data(), scratch.data(), pool);
  for (size_t i = 0; i < filter.size(); ++i) filter[i] *= scale[i % static_cast<size_t>(s.out_c)];
  CHECK(WorstError(s, in.data(), filter.data(), bias.data(), before.data(), out.data()) <= allowed);
}

TEST_CASE("kernels/conv2d: kernels, strides, dilations and paddings", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t channels : {1, 3, 15, 16, 20}) {
      for (int64_t kernel : {1, 2, 3, 5, 7}) {
        for (int64_t stride : {1, 2, 3}) {
          for (int64_t pad : {0, 1, 3, 8}) {
            Conv2dShape s;
            s.batch = 2, s.in_h = 9, s.in_w = 11, s.in_c = channels, s.out_c = 18;
            s.kernel_h = kernel, s.kernel_w = kernel == 5 ? 2 : kernel;
            s.stride_h = stride, s.stride_w = stride == 3 ? 1 : stride;
            s.pad_top = pad, s.pad_bottom = pad / 2, s.pad_left = pad, s.pad_right = (pad + 1) / 2;
            CheckConv(s, *pool);
            s.dilation_h = 2, s.dilation_w = stride;
            CheckConv(s, *pool);
          }
        }
      }
    }
  }
}

TEST_CASE("kernels/conv2d: groups, kernels larger than the image, empty images", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t groups : {2, 4, 24}) {
      Conv2dShape s;
      s.in_h = 6, s.in_w = 7, s.in_c = 24, s.out_c = 48, s.groups = groups;
      s.kernel_h = s.kernel_w = 3;
      s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
      CheckConv(s, *pool);
    }
    for (int64_t channels : {2, 32}) {
      Conv2dShape s;
      s.in_h = 3, s.in_w = 2, s.in_c = channels, s.out_c = 5;
      s.kernel_h = s.kernel_w = 13;
      s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 6;
      CheckConv(s, *pool);
      s.pad_left = s.pad_right = 0;
      CheckConv(s, *pool);  // no output
      s.in_h = 0;
      CheckConv(s, *pool);
      s.batch = 0;
      CheckConv(s, *pool);
    }
  }
}

TEST_CASE("kernels/conv2d: layers of real size", "[kernels]") {
  for (int threads : {1, 3}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      Conv2dShape s;
      s.in_h = s.in_w = 56, s.in_c = 3, s.out_c = 64, s.kernel_h = s.kernel_w = 7, s.stride_h = s.stride_w = 2;
      s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 3;
      CheckConv(s, *pool);
      s.in_c = 64, s.in_h = 20, s.out_c = 70, s.kernel_h = s.kernel_w = 3, s.stride_h = s.stride_w = 1;
      s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
      CheckConv(s, *pool);
      s.in_h = s.in_w = 7, s.in_c = 300, s.out_c = 130;
      CheckConv(s, *pool);
      s.kernel_h = s.kernel_w = 12, s.in_c = 20, s.pad_right = s.pad_bottom = 11;  // more taps than one table of pointers holds
      CheckConv(s, *pool);
    }
  }
}

TEST_CASE("kernels/conv2d: Winograd", "[kernels]") {
  for (int threads : {1, 2, 5}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      for (int64_t height = 1; height <= 9; ++height) {
        for (int64_t channels : {1, 8, 19, 33}) {
          Conv2dShape s;
          s.batch = 1 + height % 3, s.in_h = height, s.in_w = 10 - height, s.in_c = channels, s.out_c = 70 - channels,
          s.kernel_h = s.kernel_w = 3;
          s.pad_top = s.pad_left = s.pad_right = 1;
          s.pad_bottom = height == 1 ? 2 : height % 2;
          CheckConv(s, *pool, ConvAlgorithm::kWinograd);
        }
      }
      Conv2dShape s;
      s.in_h = 30, s.in_w = 29, s.in_c = 64, s.out_c = 64, s.kernel_h = s.kernel_w = 3;
      s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
      CheckConv(s, *pool, ConvAlgorithm::kWinograd);
      s.in_h = s.in_w = 14, s.in_c = s.out_c = 200;
      CheckConv(s, *pool, ConvAlgorithm::kWinograd);
      s.in_h = s.in_w = 7, s.pad_top = 5, s.pad_right = 4;
      CheckConv(s, *pool, ConvAlgorithm::kWinograd);
    }
  }
}

TEST_CASE("kernels/conv2d: bfloat16 where it is fast", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (int64_t channels : {15, 16, 50}) {
    for (int64_t kernel : {1, 3}) {
      for (int64_t stride : {1, 2}) {
        Conv2dShape s;
        s.batch = 2, s.in_h = 19, s.in_w = 21, s.in_c = channels, s.out_c = 40, s.kernel_h = s.kernel_w = kernel;
        s.stride_h = s.stride_w = stride, s.pad_top = s.pad_left = kernel / 2;
        CheckConv(s, *pool, ConvAlgorithm::kDirect, GemmPrecision::kBf16);
      }
    }
  }
}

TEST_CASE("kernels/conv2d: refusals", "[kernels]") {
  Conv2dShape s;
  s.in_h = s.in_w = 4, s.in_c = 6, s.out_c = 6;
  CHECK(Conv2dPlan::Make(s, 1).ok());
  const auto refused = [&](auto change) {
    Conv2dShape bad = s;
    change(bad);
    return Conv2dPlan::Make(bad, 1).status().code() == absl::StatusCode::kInvalidArgument;
  };
  CHECK(Conv2dPlan::Make(s, 1, ConvAlgorithm::kWinograd).status().code() == absl::StatusCode::kInvalidArgument);
  Conv2dShape square = s;
  square.kernel_h = square.kernel_w = 3;
  const std::vector<float> filter(9 * 6 * 6), factor(6);
  auto pool = MakeThreadPool(1);
  const auto packed = Conv2dPlan::Make(square, 1, ConvAlgorithm::kWinograd)->PackFilter(filter.data(), *pool, factor.data());
  CHECK(packed.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(refused([](Conv2dShape& b) { b.groups = 4; }));
  CHECK(refused([](Conv2dShape& b) { b.groups = 0; }));
  CHECK(refused([](Conv2dShape& b) { b.stride_h = 0; }));
  CHECK(refused([](Conv2dShape& b) { b.dilation_w = -1; }));
  CHECK(refused([](Conv2dShape& b) { b.kernel_h = 0; }));
  CHECK(refused([](Conv2dShape& b) { b.in_w = -1; }));
  CHECK(refused([](Conv2dShape& b) { b.pad_left = int64_t{1} << 40; }));
  CHECK(refused([](Conv2dShape& b) { b.kernel_h = b.kernel_w = 1 << 20; }));
}

}  // namespace
}  // namespace savedmodel
