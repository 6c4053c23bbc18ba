#include "kernels/cpu/depthwise.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

double Activated(double x, Activation activation) {
  switch (activation) {
    case Activation::kSwish: return x / (1 + std::exp(-x));
    case Activation::kHardSwish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case Activation::kTanh: return std::tanh(x);
    default: return std::clamp(x, 0.0, 6.0);  // relu6
  }
}

// The obvious loops; out = activation(conv + bias + residual).
double WorstError(const Conv2dShape& s, const float* in, const float* filter, const float* bias, const float* residual,
                  Activation activation, const float* out) {
  double worst = 0;
  const int64_t multiplier = s.out_c / s.in_c;
  int64_t at = 0;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.out_h(); ++oy) {
      for (int64_t ox = 0; ox < s.out_w(); ++ox) {
        for (int64_t oc = 0; oc < s.out_c; ++oc, ++at) {
          double sum = bias[oc] + (residual != nullptr ? residual[at] : 0.0f), size = 1;
          for (int64_t ky = 0; ky < s.kernel_h; ++ky) {
            for (int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const int64_t y = oy * s.stride_h - s.pad_top + ky * s.dilation_h,
                            x = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) continue;
              const double product = static_cast<double>(in[((n * s.in_h + y) * s.in_w + x) * s.in_c + oc / multiplier]) *
                                     filter[(ky * s.kernel_w + kx) * s.out_c + oc];
              sum += product;
              size += std::abs(product);
            }
          }
          const double want = Activated(sum, activation);
          const double error = std::abs(out[at] - want) / (size * 1e-6);
          if (!(error <= worst)) worst = error;
        }
      }
    }
  }
  return worst;
}

// The largest difference to the plain means of the images, which hold numbers around 1.
double WorstMean(const Conv2dShape& s, const float* out, const float* means) {
  double worst = 0;
  const int64_t pixels = s.out_h() * s.out_w();
  for (int64_t i = 0; i < s.batch * s.out_c && pixels > 0; ++i) {
    double sum = 0, size = 1;
    for (int64_t p = 0; p < pixels; ++p) {
      const float value = out[(i / s.out_c * pixels + p) * s.out_c + i % s.out_c];
      sum += value;
      size += std::abs(value);
    }
    const double error = std::abs(means[i] - sum / pixels) / (size / pixels);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

void CheckDepthwise(const Conv2dShape& s, bool with_residual, Activation activation, ThreadPool& pool) {
  INFO(CpuLevelName(ActiveCpuLevel()) << " in " << s.batch << "x" << s.in_h << "x" << s.in_w << "x" << s.in_c << " kernel "
                                      << s.kernel_h << "x" << s.kernel_w << " out " << s.out_c << " stride " << s.stride_h << ","
                                      << s.stride_w << " dilation " << s.dilation_h << "," << s.dilation_w << " pad " << s.pad_top
                                      << "," << s.pad_bottom << "," << s.pad_left << "," << s.pad_right);
  const auto in = RandomFloats(s.batch * s.in_h * s.in_w * s.in_c, 1);
  const auto filter = RandomFloats(s.kernel_h * s.kernel_w * s.out_c, 2), bias = RandomFloats(s.out_c, 3);
  std::vector<float> out = RandomFloats(s.batch * s.out_h() * s.out_w() * s.out_c, 4);
  const std::vector<float> before = out;
  absl::StatusOr<DepthwisePlan> plan = DepthwisePlan::Make(s, pool.num_threads());
  REQUIRE(plan.ok());
  std::vector<float> scratch(plan->scratch_bytes() / 4, NAN);
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.activation = activation;
  if (with_residual) epilogue.residual = out.data(), epilogue.residual_stride = s.out_c;
  std::vector<float> row_sums(plan->row_sums_bytes() / 4, NAN), means(s.batch * s.out_c, NAN);
  plan->Run(in.data(), filter.data(), epilogue, out.data(), scratch.data(), pool, row_sums.data());
  plan->MeansOf(row_sums.data(), means.data());
  CHECK(WorstMean(s, out.data(), means.data()) <= 1e-6);
  CHECK(WorstError(s, in.data(), filter.data(), bias.data(), with_residual ? before.data() : nullptr, activation, out.data()) <= 1);
}

TEST_CASE("kernels/depthwise: kernels, strides, dilations and paddings", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t channels : {1, 3, 8, 17, 36}) {
      for (int64_t kernel : {1, 2, 3, 5, 7}) {
        for (int64_t stride : {1, 2, 3}) {
          for (int64_t pad : {0, 1, 2, 9}) {
            Conv2dShape s;
            s.batch = 2, s.in_h = 10, s.in_w = 13, s.in_c = s.out_c = channels;
            s.kernel_h = kernel, s.kernel_w = kernel;
            s.stride_h = s.stride_w = stride;
            s.pad_top = pad, s.pad_bottom = pad / 2, s.pad_left = pad, s.pad_right = (pad + 1) / 2;
            const Activation activation = pad == 0 ? Activation::kRelu6 : pad == 1 ? Activation::kSwish : pad == 2 ? Activation::kHardSwish : Activation::kTanh;
            CheckDepthwise(s, stride == 1, activation, *pool);
            CheckDepthwise(s, false, Activation::kRelu6, *pool);
            s.dilation_h = 2, s.dilation_w = 3;
            CheckDepthwise(s, false, activation, *pool);
            s.out_c = 3 * channels;
            CheckDepthwise(s, true, activation, *pool);
          }
        }
      }
    }
  }
}

TEST_CASE("kernels/depthwise: layers of real size, shared among threads", "[kernels]") {
  for (int threads : {1, 2, 5}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      for (int64_t size : {7, 28}) {
        for (int64_t kernel : {3, 5}) {
          for (int64_t stride : {1, 2}) {
            Conv2dShape s;
            s.in_h = s.in_w = size, s.in_c = s.out_c = 200, s.kernel_h = s.kernel_w = kernel, s.stride_h = s.stride_w = stride;
            s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = kernel / 2;
            for (Activation activation : {Activation::kRelu6, Activation::kSwish, Activation::kHardSwish, Activation::kTanh}) {
              CheckDepthwise(s, false, activation, *pool);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("kernels/depthwise: refusals", "[kernels]") {
  Conv2dShape s;
  s.in_h = s.in_w = 4, s.in_c = 4, s.out_c = 6;
  CHECK(DepthwisePlan::Make(s, 1).status().code() == absl::StatusCode::kInvalidArgument);
  s.out_c = 8;
  CHECK(DepthwisePlan::Make(s, 1).ok());
  s.stride_w = 0;
  CHECK(DepthwisePlan::Make(s, 1).status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace savedmodel
