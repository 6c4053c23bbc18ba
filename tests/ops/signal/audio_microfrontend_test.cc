#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

Tensor Samples() {
  std::vector<int16_t> samples;
  for (int i = 0; i < 70; ++i) samples.push_back(static_cast<int16_t>(i * i * 37 % 20001 - 10000));
  return Values<int16_t>({70}, samples);
}

OpCase Microfrontend() {
  OpCase made("AudioMicrofrontend");
  for (const char* name : {"left_context", "right_context"}) made.Int(name, 0);
  for (const char* name : {"frame_stride", "out_scale"}) made.Int(name, 1);
  for (const char* name : {"enable_pcan", "zero_padding"}) made.Bool(name, false);
  return made.Int("sample_rate", 1000).Int("window_size", 32).Int("window_step", 16).Int("num_channels", 3)
      .Float("lower_band_limit", 100).Float("upper_band_limit", 450).Int("smoothing_bits", 10).Float("even_smoothing", 0.025f)
      .Float("odd_smoothing", 0.06f).Float("min_signal_remaining", 0.05f).Float("pcan_strength", 0.95f).Float("pcan_offset", 80)
      .Int("gain_bits", 21).Bool("enable_log", true).Int("scale_shift", 6).Type("out_type", DataType::kUInt16);
}

TEST_CASE("AudioMicrofrontend: to the bit") {
  Microfrontend().In(Samples()).Gives({Values<uint16_t>({3, 3}, {618, 596, 587, 672, 652, 642, 696, 655, 657})});
  Microfrontend().Int("window_size", 64).In(Samples()).Gives({Values<uint16_t>({1, 3}, {720, 694, 690})});
  Microfrontend().Bool("enable_pcan", true).Bool("enable_log", false).Int("left_context", 1).Int("frame_stride", 2).In(Samples())
      .Gives({Values<uint16_t>({2, 6}, {2765, 1201, 2455, 2765, 1201, 2455, 2330, 965, 2172, 1784, 572, 1551})});
  Microfrontend().Bool("enable_pcan", true).Bool("zero_padding", true).Int("right_context", 1).Int("out_scale", 4)
      .Type("out_type", DataType::kFloat).In(Samples())
      .Gives({Floats({3, 6}, {115.75f, 102.25f, 113.75f, 113, 98.75f, 111.75f, 113, 98.75f, 111.75f, 108.75f, 90.5f, 106.5f, 108.75f, 90.5f, 106.5f, 0, 0, 0})});
  Microfrontend().In(Values<int16_t>({31}, std::vector<int16_t>(31))).Gives({Values<uint16_t>({0, 3}, {})});
}

TEST_CASE("AudioMicrofrontend: refusals") {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  Microfrontend().In(Values<int16_t>({1, 2}, {0, 0})).Refuses(invalid);
  Microfrontend().Int("window_step", 0).In(Samples()).Refuses(invalid, "window_step");
  Microfrontend().Int("window_step", 33).In(Samples()).Refuses(invalid, "window_step");
  Microfrontend().Int("out_scale", 0).In(Samples()).Refuses(invalid, "out_scale");
  Microfrontend().Int("left_context", -3).In(Samples()).Refuses(invalid, "left_context");
  Microfrontend().Float("upper_band_limit", 510).In(Samples()).Refuses(absl::StatusCode::kInternal, "band limits");
  Microfrontend().Int("window_size", 1).Int("window_step", 1).In(Samples()).Refuses(absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace savedmodel
