// QuantizeAndDequantize, V2, V3 and V4 (with V4Grad): values rounded to what codes of num_bits can express, for the whole
// tensor or for each slice along an axis.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

using RealFloats = TypeList<float, double>;

struct Config {
  bool is_signed = true, range_given = false, narrow_range = false, half_up = false;
  int64_t bits = 8, axis = -1;
};

absl::Status CheckBits(const Config& config) {
  SM_CHECK_ARGUMENT(config.bits > 0 && config.bits < (config.is_signed ? 62 : 63), "num_bits is out of range: ", config.bits,
                    " with `signed_input_` ", config.is_signed);
  return absl::OkStatus();
}

Config ReadConfig(const Attributes& attrs) {
  Config config;
  config.is_signed = attrs.Bool("signed_input");
  config.range_given = attrs.Bool("range_given");
  config.narrow_range = attrs.Bool("narrow_range");
  config.half_up = attrs.String("round_mode") == "HALF_UP";
  if (attrs.Has("num_bits")) config.bits = attrs.Int("num_bits");
  config.axis = attrs.Has("axis") ? attrs.Int("axis") : -1;
  return config;
}

// The tensor as [outer, channels, inner]: slices along the axis.
struct Slices {
  int64_t outer, channels, inner;
};

absl::StatusOr<Slices> SlicesOf(const TensorShape& shape, int64_t axis) {
  SM_CHECK_ARGUMENT(axis >= -1, "Axis must be at least -1. Found ", axis);
  SM_CHECK_ARGUMENT(axis < shape.rank(), "Axis requested is larger than input dimensions. Axis: ", axis,
                    " Input Dimensions: ", shape.rank());
  if (axis == -1) return Slices{1, 1, shape.num_elements()};
  const int at = static_cast<int>(axis);
  return Slices{shape.Product(0, at), shape.dim(at), shape.Product(at + 1, shape.rank())};
}

template <typename T>
struct Scale {
  T min, max, scale, inverse;
};

template <typename T>
Scale<T> ScaleOf(const Config& config, T min, T max) {
  const int64_t one = 1;
  const int64_t low = config.is_signed ? -(one << (config.bits - 1)) + (config.narrow_range ? 1 : 0) : 0;
  const int64_t high = config.is_signed ? (one << (config.bits - 1)) - 1 : (one << config.bits) - 1;
  const T low_code = static_cast<T>(low), high_code = static_cast<T>(high);
  const T from_min = low_code * min > 0 ? low_code / min : std::numeric_limits<T>::max();
  const T from_max = high_code * max > 0 ? high_code / max : std::numeric_limits<T>::max();
  Scale<T> s{min, max, 0, 0};
  if (from_min < from_max) {
    s.scale = from_min;
    s.inverse = min / low_code;
    s.max = high_code * s.inverse;
  } else {
    s.scale = from_max;
    s.inverse = max / high_code;
    s.min = low_code * s.inverse;
  }
  return s;
}

// The least and the greatest of n values. NaN is left out of whole vectors; among the rest, what comes last counts, as in the
// reference.
template <typename T>
std::pair<T, T> RangeOf(const T* in, int64_t n) {
  T min = std::numeric_limits<T>::infinity(), max = -min;
  const int64_t vectors = n / (32 / static_cast<int64_t>(sizeof(T))) * (32 / static_cast<int64_t>(sizeof(T)));
  for (int64_t i = 0; i < vectors; ++i) {
    min = in[i] < min ? in[i] : min;
    max = in[i] > max ? in[i] : max;
  }
  for (int64_t i = vectors; i < n; ++i) {
    min = min < in[i] ? min : in[i];
    max = max > in[i] ? max : in[i];
  }
  return {min, max};
}

template <typename T>
void QuantizeSlice(const T* in, const Slices& slices, int64_t channel, const Config& config, T min, T max, T* out) {
  auto for_each = [&](auto visit) {
    for (int64_t o = 0; o < slices.outer; ++o) {
      for (int64_t i = (o * slices.channels + channel) * slices.inner, end = i + slices.inner; i < end; ++i) visit(i);
    }
  };
  if (!config.range_given && slices.channels == 1 && slices.outer == 1) {
    std::tie(min, max) = RangeOf(in, slices.inner);
  } else if (!config.range_given) {
    min = std::numeric_limits<T>::infinity();
    max = -min;
    for_each([&](int64_t i) {
      min = in[i] < min ? in[i] : min;
      max = in[i] > max ? in[i] : max;
    });
  }
  const Scale<T> s = ScaleOf(config, min, max);
  for_each([&](int64_t i) {
    T x = in[i];
    if (config.range_given) {
      x = s.max < x ? s.max : x;
      x = x < s.min ? s.min : x;
    }
    x *= s.scale;
    out[i] = (config.half_up ? std::floor(x + T(0.5)) : std::nearbyint(x)) * s.inverse;
  });
}

// The ranges, inputs 1 and 2, where they are used.
absl::Status CheckRanges(const KernelContext& context, const Config& config, int64_t channels) {
  static const char* const kNames[] = {"", "input_min", "input_max"};
  for (int i = 1; i <= 2; ++i) {
    const TensorShape& shape = context.input(i).shape();
    if (config.axis == -1) {
      SM_CHECK_ARGUMENT(shape.rank() == 0, kNames[i], " must be a scalar, is ", shape.ToString());
    } else {
      SM_CHECK_ARGUMENT(shape.rank() == 1, "Shape must be rank 1 for ", kNames[i], "_tensor when the axis is specified, is ",
                        shape.ToString());
      SM_CHECK_ARGUMENT(shape.dim(0) == channels, kNames[i], " has incorrect size, expected ", channels, " was ", shape.dim(0));
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status Run(KernelContext& context, Config config) {
  const Tensor& input = context.input(0);
  if (context.num_inputs() == 4) {
    SM_CHECK_ARGUMENT(context.input(3).rank() == 0,
                      "Invalid shape. The `num_bits` tensor should be a scalar. Got dimensions: ", context.input(3).rank());
    config.bits = context.input(3).data<int32_t>()[0];
  }
  SM_RETURN_IF_ERROR(CheckBits(config));
  SM_ASSIGN_OR_RETURN(Slices slices, SlicesOf(input.shape(), config.axis));
  // V2 and V4 take a given range for the whole tensor only.
  SM_CHECK_ARGUMENT(!config.range_given || context.num_inputs() == 4 || context.input(1).rank() == 0,
                    "input_min must be a scalar, is ", context.input(1).shape().ToString());
  SM_CHECK_ARGUMENT(context.num_inputs() != 4 || input.rank() > 0, "Axis requested is larger than input dimensions. Axis: ", config.axis,
                    " Input Dimensions: 0");
  if (config.range_given) SM_RETURN_IF_ERROR(CheckRanges(context, config, slices.channels));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  for (int64_t c = 0; c < slices.channels; ++c) {
    T min = 0, max = 0;
    if (config.range_given) {
      min = context.input(1).data<T>()[c];
      max = context.input(2).data<T>()[c];
      SM_CHECK_ARGUMENT(min <= max, "Invalid range: input_min ", min, " > input_max ", max);
    }
    QuantizeSlice(input.data<T>(), slices, c, config, min, max, output->data<T>());
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status RunV1(KernelContext& context, const Config& config, float min, float max) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  QuantizeSlice<T>(input.data<T>(), {1, 1, input.num_elements()}, 0, config, static_cast<T>(min), static_cast<T>(max),
                   output->data<T>());
  return absl::OkStatus();
}

// The gradient passes where the input lies in the range; the ranges get none.
template <typename T>
absl::Status RunGrad(KernelContext& context, const Config& config) {
  const Tensor& gradient = context.input(0);
  const Tensor& input = context.input(1);
  SM_CHECK_ARGUMENT(gradient.shape() == input.shape(), "gradient and input must be the same size: ", gradient.shape().ToString(),
                    " vs ", input.shape().ToString());
  SM_ASSIGN_OR_RETURN(Slices slices, SlicesOf(input.shape(), config.axis));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  for (int i = 2; i <= 3; ++i) {
    const TensorShape& shape = context.input(i).shape();
    SM_CHECK_ARGUMENT(shape.rank() == (config.axis == -1 ? 0 : 1) && shape.num_elements() == slices.channels,
                      "input range must have ", slices.channels, " elements, is ", shape.ToString());
    SM_ASSIGN_OR_RETURN(Tensor * zero, context.Output(i - 1, shape));
    std::fill_n(zero->data<T>(), zero->num_elements(), T(0));
  }
  for (int64_t i = 0; i < input.num_elements(); ++i) {
    const int64_t c = i / slices.inner % slices.channels;
    const T x = input.data<T>()[i];
    output->data<T>()[i] =
        gradient.data<T>()[i] * (x >= context.input(2).data<T>()[c] && x <= context.input(3).data<T>()[c] ? T(1) : T(0));
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const Config config = ReadConfig(init.attrs());
  SM_CHECK_ARGUMENT(config.axis >= -1, "Axis must be at least -1. Found ", config.axis);
  SM_RETURN_IF_ERROR(CheckBits(config));
  return DispatchAs<absl::StatusOr<KernelPtr>, RealFloats>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([config](KernelContext& context) { return Run<T>(context, config); });
  });
}

absl::StatusOr<KernelPtr> MakeV1(KernelInit& init) {
  const Config config = ReadConfig(init.attrs());
  const float min = init.attrs().Float("input_min"), max = init.attrs().Float("input_max");
  SM_RETURN_IF_ERROR(CheckBits(config));
  SM_CHECK_ARGUMENT(!config.range_given || min <= max, "Invalid range: input_min ", min, " > input_max ", max);
  return DispatchAs<absl::StatusOr<KernelPtr>, RealFloats>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([=](KernelContext& context) { return RunV1<T>(context, config, min, max); });
  });
}

absl::StatusOr<KernelPtr> MakeGrad(KernelInit& init) {
  const Config config = ReadConfig(init.attrs());
  SM_CHECK_ARGUMENT(config.axis >= -1, "Axis must be at least -1. Found ", config.axis);
  return DispatchAs<absl::StatusOr<KernelPtr>, RealFloats>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([config](KernelContext& context) { return RunGrad<T>(context, config); });
  });
}

// Checks the ranges `first` and `first` + 1 of input `input`.
absl::Status InferRanges(InferContext& context, int input, int first) {
  const int64_t axis = context.attrs().Has("axis") ? context.attrs().Int("axis") : -1;
  SM_CHECK_ARGUMENT(axis >= -1, "axis should be at least -1, got ", axis);
  SM_RETURN_IF_ERROR(RequireRank(context, first, axis == -1 ? 0 : 1));
  SM_RETURN_IF_ERROR(context.input(first).MergeWith(context.input(first + 1)).status());
  SM_CHECK_ARGUMENT(!context.input(input).known_rank() || axis < context.input(input).rank(), "Shape must be at least rank ",
                    axis + 1, " but is rank ", context.input(input).rank());
  return absl::OkStatus();
}

absl::Status Infer(InferContext& context) {
  SM_RETURN_IF_ERROR(InferRanges(context, 0, 1));
  if (context.num_inputs() == 4) SM_RETURN_IF_ERROR(RequireRank(context, 3, 0));
  context.set_output(0, context.input(0));
  return absl::OkStatus();
}

absl::Status InferGrad(InferContext& context) {
  SM_RETURN_IF_ERROR(InferRanges(context, 1, 2));
  context.set_output(0, context.input(1));
  context.set_output(1, context.input(2));
  context.set_output(2, context.input(3));
  return absl::OkStatus();
}

}  // namespace

void DefineQuantizeAndDequantize(OpTable& ops) {
  const std::string attrs =
      "signed_input: bool = true; num_bits: int = 8; range_given: bool = false; T: {bfloat16, half, float, double}; round_mode: "
      "{'HALF_TO_EVEN', 'HALF_UP'} = 'HALF_TO_EVEN'; narrow_range: bool = false; axis: int = -1";
  ops.Add({.name = "QuantizeAndDequantize",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "signed_input: bool = true; num_bits: int = 8; range_given: bool = false; input_min: float = 0.0; input_max: "
                    "float = 0.0; T: "
                    "{bfloat16, half, float, double}",
           .infer = SameShape<0>,
           .cpu = MakeV1});
  ops.Add({.name = "QuantizeAndDequantizeV2",
           .inputs = "input: T; input_min: T; input_max: T",
           .outputs = "output: T",
           .attrs = attrs,
           .infer = Infer,
           .cpu = Make});
  ops.Add({.name = "QuantizeAndDequantizeV3",
           .inputs = "input: T; input_min: T; input_max: T; num_bits: int32",
           .outputs = "output: T",
           .attrs = "signed_input: bool = true; range_given: bool = true; T: {bfloat16, half, float, double}; narrow_range: bool "
                    "= false; axis: int = -1",
           .infer = Infer,
           .cpu = Make});
  ops.Add({.name = "QuantizeAndDequantizeV4",
           .inputs = "input: T; input_min: T; input_max: T",
           .outputs = "output: T",
           .attrs = attrs,
           .infer = Infer,
           .cpu = Make});
  ops.Add({.name = "QuantizeAndDequantizeV4Grad",
           .inputs = "gradients: T; input: T; input_min: T; input_max: T",
           .outputs = "input_backprop: T; input_min_backprop: T; input_max_backprop: T",
           .attrs = "T: {bfloat16, half, float, double}; axis: int = -1",
           .infer = InferGrad,
           .cpu = MakeGrad});
}

}  // namespace savedmodel
