#include "kernels/cpu/conv2d_transpose.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

// Every number of the input is spread over the output through the forward kernel.
double WorstError(const Conv2dShape& f, const float* in, const float* filter, const float* bias, const float* out) {
  const int64_t out_pixels = f.batch * f.in_h * f.in_w;
  std::vector<double> sums(out_pixels * f.in_c), sizes(out_pixels * f.in_c, 1);
  for (int64_t n = 0; n < f.batch; ++n) {
    for (int64_t iy = 0; iy < f.out_h(); ++iy) {
      for (int64_t ix = 0; ix < f.out_w(); ++ix) {
        for (int64_t ky = 0; ky < f.kernel_h; ++ky) {
          for (int64_t kx = 0; kx < f.kernel_w; ++kx) {
            const int64_t y = iy * f.stride_h + ky * f.dilation_h - f.pad_top,
                          x = ix * f.stride_w + kx * f.dilation_w - f.pad_left;
            if (y < 0 || y >= f.in_h || x < 0 || x >= f.in_w) continue;
            for (int64_t o = 0; o < f.in_c; ++o) {
              for (int64_t c = 0; c < f.out_c; ++c) {
                const double product = static_cast<double>(in[((n * f.out_h() + iy) * f.out_w() + ix) * f.out_c + c]) *
                                       filter[((ky * f.kernel_w + kx) * f.in_c + o) * f.out_c + c];
                sums[((n * f.in_h + y) * f.in_w + x) * f.in_c + o] += product;
                sizes[((n * f.in_h + y) * f.in_w + x) * f.in_c + o] += std::abs(product);
              }
            }
          }
        }
      }
    }
  }
  double worst = 0;
  for (size_t i = 0; i < sums.size(); ++i) {
    const double error = std::abs(out[i] - std::max(0.0, sums[i] + bias[i % f.in_c])) / (sizes[i] * 4e-6);
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

TEST_CASE("kernels/conv2d_transpose: kernels, strides, dilations and paddings", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t kernel : {1, 2, 3, 4, 5}) {
      for (int64_t stride : {1, 2, 3, 4}) {
        for (int64_t pad : {0, 1, 2}) {
          for (int64_t channels : {3, 20}) {
            Conv2dShape f;
            f.batch = 2, f.in_h = 11, f.in_w = 8, f.in_c = 5, f.out_c = channels;
            f.kernel_h = kernel, f.kernel_w = kernel == 4 ? 3 : kernel;
            f.stride_h = stride, f.stride_w = stride == 3 ? 1 : stride;
            f.pad_top = f.pad_left = pad, f.pad_bottom = pad / 2, f.pad_right = pad;
            f.dilation_w = f.stride_w == 1 ? 2 : 1;
            const auto in = RandomFloats(f.batch * f.out_h() * f.out_w() * f.out_c, 1), bias = RandomFloats(f.in_c, 3);
            const auto filter = RandomFloats(f.kernel_h * f.kernel_w * f.in_c * f.out_c, 2);
            std::vector<float> out(f.batch * f.in_h * f.in_w * f.in_c, NAN);
            absl::StatusOr<Conv2dTransposePlan> plan = Conv2dTransposePlan::Make(f, 2);
            REQUIRE(plan.ok());
            absl::StatusOr<PackedTransposeFilter> packed = plan->PackFilter(filter.data(), *pool);
            REQUIRE(packed.ok());
            std::vector<float> scratch(plan->scratch_bytes() / 4, NAN);
            Epilogue epilogue;
            epilogue.bias = bias.data();
            epilogue.activation = Activation::kRelu;
            plan->Run(in.data(), *packed, epilogue, out.data(), scratch.data(), *pool);
            INFO(CpuLevelName(level) << " kernel " << kernel << " stride " << stride << " pad " << pad << " channels "
                                     << channels);
            CHECK(WorstError(f, in.data(), filter.data(), bias.data(), out.data()) <= 1);
          }
        }
      }
    }
  }
}

TEST_CASE("kernels/conv2d_transpose: windows side by side", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t stride : {1, 2, 3}) {
      for (int64_t channels : {1, 7, 32}) {
        Conv2dShape f;
        f.batch = 2, f.in_h = 4 * stride, f.in_w = 5 * stride, f.in_c = channels, f.out_c = 9;
        f.kernel_h = f.stride_h = stride, f.kernel_w = f.stride_w = stride;
        const auto in = RandomFloats(f.batch * f.out_h() * f.out_w() * f.out_c, 1), bias = RandomFloats(f.in_c, 3);
        const auto filter = RandomFloats(f.kernel_h * f.kernel_w * f.in_c * f.out_c, 2);
        std::vector<float> out(f.batch * f.in_h * f.in_w * f.in_c, NAN);
        Conv2dTransposePlan plan = Conv2dTransposePlan::Make(f, 2).value();
        PackedTransposeFilter packed = plan.PackFilter(filter.data(), *pool).value();
        std::vector<float> scratch(plan.scratch_bytes() / 4, NAN);
        Epilogue epilogue;
        epilogue.bias = bias.data();
        epilogue.activation = Activation::kRelu;
        plan.Run(in.data(), packed, epilogue, out.data(), scratch.data(), *pool);
        INFO(CpuLevelName(level) << " stride " << stride << " channels " << channels);
        CHECK(WorstError(f, in.data(), filter.data(), bias.data(), out.data()) <= 1);
      }
    }
  }
}

TEST_CASE("kernels/conv2d_transpose: refusals", "[kernels]") {
  Conv2dShape f;
  f.in_h = f.in_w = 8, f.in_c = f.out_c = 4, f.kernel_h = f.kernel_w = 3, f.stride_h = 2, f.dilation_h = 2;
  CHECK(Conv2dTransposePlan::Make(f, 1).status().code() == absl::StatusCode::kUnimplemented);
  f.dilation_h = 1, f.groups = 2;
  CHECK(Conv2dTransposePlan::Make(f, 1).status().code() == absl::StatusCode::kUnimplemented);
  f.groups = 3;
  CHECK(Conv2dTransposePlan::Make(f, 1).status().code() == absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace savedmodel
