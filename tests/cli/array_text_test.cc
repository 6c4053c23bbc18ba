#include "cli/array_text.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace savedmodel::cli {
namespace {

TEST_CASE("array text: scalars as numpy writes them") {
  CHECK(ArrayText(Tensor::Scalar<float>(3.5f)) == "3.5");
  CHECK(ArrayText(Tensor::Scalar<float>(1e-5f)) == "1e-05");
  CHECK(ArrayText(Tensor::Scalar<float>(1e-4f)) == "1e-04");
  CHECK(ArrayText(Tensor::Scalar<float>(16777216.0f)) == "1.6777216e+07");
  CHECK(ArrayText(Tensor::Scalar<double>(16777216.0)) == "16777216.0");
  CHECK(ArrayText(Tensor::Scalar<Half>(Half(65504.0f))) == "6.55e+04");
  CHECK(ArrayText(Tensor::Scalar<bool>(true)) == "True");
  CHECK(ArrayText(Tensor::Scalar<std::string>("it's")) == "b\"it's\"");
  CHECK(ArrayText(Tensor::Scalar<std::complex<float>>({1, -2})) == "(1-2j)");
}

TEST_CASE("array text: columns are aligned, the longest number decides") {
  CHECK(ArrayText(Tensor::Of<float>({2, 2}, {1.5f, -2, 100, 0.25f})) == "[[  1.5   -2.  ]\n [100.     0.25]]");
  CHECK(ArrayText(Tensor::Vector<int64_t>({123, 4, 56789})) == "[  123     4 56789]");
  CHECK(ArrayText(Tensor::Vector<float>({INFINITY, 1, -INFINITY})) == "[ inf   1. -inf]");
}

TEST_CASE("array text: scientific form shows digits of the value, all as many") {
  CHECK(ArrayText(Tensor::Vector<float>({3.857143f, 0})) == "[3.857143 0.      ]");
  CHECK(ArrayText(Tensor::Vector<float>({3.857143f, 0.0003f})) == "[3.857143e+00 3.000000e-04]");
  CHECK(ArrayText(Tensor::Vector<Half>({Half(0.1f), Half(1000.5f)})) == "[9.9976e-02 1.0005e+03]");
  CHECK(ArrayText(Tensor::Vector<double>({1e300, 1})) == "[1.e+300 1.e+000]");
  CHECK(ArrayText(Tensor::Vector<float>({1e6f})) == "[1.e+06]");
  CHECK(ArrayText(Tensor::Vector<float>({999999.0f})) == "[999999.]");
}

TEST_CASE("array text: empty arrays, long ones, complex ones") {
  CHECK(ArrayText(Tensor::Allocate(DataType::kFloat, {2, 3, 0}).value()) == "[]");
  std::vector<int32_t> many(1001);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int32_t>(i);
  CHECK(ArrayText(Tensor::Vector<int32_t>(many)) == "[   0    1    2 ...  998  999 1000]");
  CHECK(ArrayText(Tensor::Vector<std::complex<float>>({{1, 1}, {2, -2.5f}, {-3.25f, 0}})) == "[ 1.  +1.j   2.  -2.5j -3.25+0.j ]");
  CHECK(ArrayText(Tensor::Vector<BFloat16>({BFloat16(3.0f), BFloat16(0.1f)})) == "[3 0.100098]");
}

TEST_CASE("array text: lines end before column 75") {
  std::vector<std::string> words;
  for (int i = 0; i < 13; ++i) words.push_back("w" + std::to_string(i));
  CHECK(ArrayText(Tensor::Vector<std::string>(words)) ==
        "[b'w0' b'w1' b'w2' b'w3' b'w4' b'w5' b'w6' b'w7' b'w8' b'w9' b'w10' b'w11'\n b'w12']");
}

}  // namespace
}  // namespace savedmodel::cli
