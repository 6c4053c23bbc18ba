// 32-bit codes to codes of 8 bits: Requantize (into a given range), QuantizeDownAndShrinkRange (into the range in use),
// RequantizationRange (which that is), RequantizePerChannel and RequantizationRangePerChannel.
#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/quantization/quantized_range.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

void RequantizeTensor(const Tensor& input, FloatRange from, FloatRange to, Tensor* output) {
  const int32_t* in = input.data<int32_t>();
  if (output->dtype() == DataType::kQUInt8) {
    RequantizeToUInt8(in, input.num_elements(), from, to, output->data<uint8_t>());
    return;
  }
  const QuantizedToFloatMap<int32_t> to_float(from.min, from.max);
  const FloatToQuantizedMap<int8_t> to_code(to.min, to.max);
  for (int64_t i = 0; i < input.num_elements(); ++i) output->data<int8_t>()[i] = to_code(to_float(in[i]));
}

// The floats that the smallest and the largest code stand for, the smallest not above 0.
FloatRange UsedRange(const Tensor& input, FloatRange range) {
  const int32_t* in = input.data<int32_t>();
  int32_t low = std::numeric_limits<int32_t>::max(), high = std::numeric_limits<int32_t>::lowest();  // what no elements give
  for (int64_t i = 0; i < input.num_elements(); ++i) {
    low = std::min(low, in[i]);
    high = std::max(high, in[i]);
  }
  return {std::min(0.f, QuantizedToFloat(low, range.min, range.max)), QuantizedToFloat(high, range.min, range.max)};
}

absl::Status RunRequantize(KernelContext& context) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(FloatRange from, RangeInputs(context, 1, "input_min", "input_max"));
  SM_ASSIGN_OR_RETURN(FloatRange to, RangeInputs(context, 3, "requested_output_min", "requested_output_max"));
  SM_CHECK_ARGUMENT(to.min <= 0.f, "requested_output_min must be <= 0, but got ", to.min);
  SM_CHECK_ARGUMENT(to.max >= to.min, "requested_output_max must be >= requested_output_min, but got ", to.max, " and ", to.min);
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  SM_RETURN_IF_ERROR(StoreRange(context, 1, to));
  RequantizeTensor(input, from, to, output);
  return absl::OkStatus();
}

absl::Status RunShrink(KernelContext& context) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(FloatRange from, RangeInputs(context, 1, "input_min", "input_max"));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  const FloatRange used = UsedRange(input, from);
  SM_RETURN_IF_ERROR(StoreRange(context, 1, used));
  RequantizeTensor(input, from, used, output);
  return absl::OkStatus();
}

absl::Status RunRange(KernelContext& context) {
  SM_CHECK_ARGUMENT(context.input(1).num_elements() > 0, "Input min must not be empty.");
  SM_CHECK_ARGUMENT(context.input(2).num_elements() > 0, "Input max must not be empty.");
  SM_ASSIGN_OR_RETURN(FloatRange range, RangeInputs(context, 1, "input_min", "input_max"));
  return StoreRange(context, 0, UsedRange(context.input(0), range));
}

// Input 0 as [rows, depth]; inputs 1 and 2 have a number for each of depth.
absl::StatusOr<int64_t> CheckChannels(const KernelContext& context) {
  const TensorShape& input = context.input(0).shape();
  SM_CHECK_ARGUMENT(input.rank() == 4, "input must be in NHWC format, is ", input.ToString());
  const int64_t depth = input.dim(input.rank() - 1);
  static const char* const kNames[] = {"", "input_min", "input_max"};
  for (int i = 1; i <= 2; ++i) {
    SM_CHECK_ARGUMENT(context.input(i).rank() == 1 && context.input(i).dim(0) == depth, kNames[i],
                      " has incorrect size, expected ", depth, " was ", context.input(i).num_elements());
  }
  return depth;
}

float LargestMagnitude(float a, float b) { return std::max(std::fabs(a), std::fabs(b)); }

template <typename T>
void RequantizeColumns(const Tensor& input, const std::vector<float>& scales, T* out) {
  const int64_t depth = static_cast<int64_t>(scales.size());
  for (int64_t i = 0; i < input.num_elements(); ++i) {
    const float code = std::nearbyint(static_cast<float>(input.data<int32_t>()[i]) * scales[i % depth]);
    const float low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    out[i] = static_cast<T>(code >= low ? (code <= high ? code : high) : low);
  }
}

absl::Status RunPerChannel(KernelContext& context) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(int64_t depth, CheckChannels(context));
  for (int i = 3; i <= 4; ++i) {
    SM_CHECK_ARGUMENT(context.input(i).rank() == 0, i == 3 ? "requested_output_min" : "requested_output_max",
                      " must be a scalar, is ", context.input(i).shape().ToString());
  }
  SM_ASSIGN_OR_RETURN(FloatRange to, RangeInputs(context, 3, "requested_output_min", "requested_output_max"));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  const bool is_signed = output->dtype() == DataType::kQInt8;
  SM_CHECK_ARGUMENT(!is_signed || to.min < 0, "If out_type is QINT8, requested_output_min must be negative, got ", to.min);
  SM_RETURN_IF_ERROR(StoreRange(context, 1, to));
  std::vector<float> scales(static_cast<size_t>(depth));
  for (int64_t c = 0; c < depth; ++c) {
    const float top = LargestMagnitude(context.input(1).data<float>()[c], context.input(2).data<float>()[c]);
    scales[c] = (is_signed ? 127.f : 255.f) * (top / LargestMagnitude(to.min, to.max) / 2147483648.f);
  }
  if (is_signed) {
    RequantizeColumns(input, scales, output->data<int8_t>());
  } else {
    RequantizeColumns(input, scales, output->data<uint8_t>());
  }
  return absl::OkStatus();
}

absl::Status RunRangePerChannel(KernelContext& context, float clip) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(int64_t depth, CheckChannels(context));
  bool negative = false;
  float top = 0;
  for (int64_t c = 0; c < depth; ++c) {
    int64_t largest = 0;
    for (int64_t i = c; i < input.num_elements(); i += depth) {
      const int64_t code = input.data<int32_t>()[i];
      negative = negative || code < 0;
      largest = std::max(largest, std::abs(code));
    }
    const float scale = LargestMagnitude(context.input(1).data<float>()[c], context.input(2).data<float>()[c]);
    top = std::max(top, scale * static_cast<float>(largest) / 2147483648.f);
  }
  top = std::min(top, clip);
  return StoreRange(context, 0, {negative ? -top : 0.f, top});
}

template <absl::Status (*kRun)(KernelContext&)>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const DataType out = init.num_outputs() == 3 ? init.output_dtype(0) : DataType::kQUInt8;
  if (init.input_dtype(0) != DataType::kQInt32 || (out != DataType::kQUInt8 && out != DataType::kQInt8)) {
    return absl::UnimplementedError(
        absl::StrCat("no kernel from ", DataTypeName(init.input_dtype(0)), " to ", DataTypeName(out)));
  }
  return MakeKernel([](KernelContext& context) { return kRun(context); });
}

absl::StatusOr<KernelPtr> MakeRangePerChannel(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kQInt32)
    return absl::UnimplementedError(absl::StrCat("no kernel for dtype ", DataTypeName(init.input_dtype(0))));
  const float clip = init.attrs().Float("clip_value_max");
  return MakeKernel([clip](KernelContext& context) { return RunRangePerChannel(context, clip); });
}

absl::Status Infer(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireScalars(context, 1, context.num_inputs() - 1));
  context.set_output(0, context.input(0));
  ScalarRangeOutputs(context);
  return absl::OkStatus();
}

absl::Status InferPerChannel(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  SM_RETURN_IF_ERROR(RequireRank(context, 2, 1));
  SM_RETURN_IF_ERROR(RequireScalars(context, 3, 4));
  context.set_output(0, context.input(0));
  ScalarRangeOutputs(context);
  return absl::OkStatus();
}

template <int kRank>
absl::Status InferRange(InferContext& context) {
  for (int i = 1; i <= 2; ++i) SM_RETURN_IF_ERROR(RequireRank(context, i, kRank));
  return ScalarShape(context);
}

}  // namespace

void DefineRequantize(OpTable& ops) {
  ops.Add(
      {.name = "Requantize",
       .inputs = "input: Tinput; input_min: float; input_max: float; requested_output_min: float; requested_output_max: float",
       .outputs = "output: out_type; output_min: float; output_max: float",
       .attrs = "Tinput: quantizedtype; out_type: quantizedtype",
       .infer = Infer,
       .cpu = Make<RunRequantize>});
  ops.Add({.name = "QuantizeDownAndShrinkRange",
           .inputs = "input: Tinput; input_min: float; input_max: float",
           .outputs = "output: out_type; output_min: float; output_max: float",
           .attrs = "Tinput: quantizedtype; out_type: quantizedtype",
           .infer = Infer,
           .cpu = Make<RunShrink>});
  ops.Add({.name = "RequantizationRange",
           .inputs = "input: Tinput; input_min: float; input_max: float",
           .outputs = "output_min: float; output_max: float",
           .attrs = "Tinput: quantizedtype",
           .infer = InferRange<0>,
           .cpu = Make<RunRange>});
  ops.Add({.name = "RequantizePerChannel",
           .inputs = "input: T; input_min: float; input_max: float; requested_output_min: float; requested_output_max: float",
           .outputs = "output: out_type; output_min: float; output_max: float",
           .attrs = "T: quantizedtype = DT_QINT32; out_type: quantizedtype = DT_QUINT8",
           .infer = InferPerChannel,
           .cpu = Make<RunPerChannel>});
  ops.Add({.name = "RequantizationRangePerChannel",
           .inputs = "input: T; input_min: float; input_max: float",
           .outputs = "output_min: float; output_max: float",
           .attrs = "T: quantizedtype = DT_QINT32; clip_value_max: float",
           .infer = InferRange<1>,
           .cpu = MakeRangePerChannel});
}

}  // namespace savedmodel
