// BiasAdd, BiasAddV1 and BiasAddGrad: a vector added along the channels, and its gradient: the sum over all else.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

bool ChannelsFirst(const Attributes& attrs) { return attrs.String("data_format") == "NCHW"; }

// The value as [outer, channels, inner].
struct Split {
  int64_t outer, channels, inner;
};

absl::StatusOr<Split> SplitValue(const TensorShape& value, bool channels_first, const char* name) {
  SM_CHECK_ARGUMENT(value.rank() >= (channels_first ? 3 : 2), name, " must be at least ", channels_first ? 3 : 2, "D, is ",
                    value.ToString());
  const int channel = channels_first ? 1 : value.rank() - 1;
  return Split{value.Product(0, channel), value.dim(channel), value.Product(channel + 1, value.rank())};
}

// Integers wrap.
template <typename T>
T Add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(static_cast<U>(a) + static_cast<U>(b)));
  } else {
    return static_cast<T>(a + b);
  }
}

template <typename T>
void AddRows(const T* value, const T* bias, const Split& s, int64_t begin, int64_t end, T* out) {
  if (s.inner == 1) {
    for (int64_t o = begin; o < end; ++o) {
      const T* from = value + o * s.channels;
      T* to = out + o * s.channels;
      for (int64_t c = 0; c < s.channels; ++c) to[c] = Add(from[c], bias[c]);
    }
    return;
  }
  for (int64_t row = begin * s.channels; row < end * s.channels; ++row) {
    const T b = bias[row % s.channels];
    for (int64_t i = row * s.inner; i < (row + 1) * s.inner; ++i) out[i] = Add(value[i], b);
  }
}

struct BiasAdd {
  template <typename T>
  static absl::Status Run(KernelContext& context, bool channels_first) {
    const Tensor& value = context.input(0);
    const Tensor& bias = context.input(1);
    SM_ASSIGN_OR_RETURN(Split split, SplitValue(value.shape(), channels_first, "Input tensor"));
    SM_CHECK_ARGUMENT(bias.rank() == 1, "Biases must be 1D: ", bias.shape().ToString());
    SM_CHECK_ARGUMENT(bias.dim(0) == split.channels,
                      "Must provide as many biases as the last dimension of the input tensor: ", bias.shape().ToString(), " vs. ",
                      value.shape().ToString());
    SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(0, value.shape()));
    if (value.num_elements() == 0) return absl::OkStatus();
    context.pool().ParallelFor(split.outer, 16384 / (split.channels * split.inner) + 1, [&](int64_t begin, int64_t end) {
      AddRows(value.data<T>(), bias.data<T>(), split, begin, end, out->data<T>());
    });
    return absl::OkStatus();
  }
};

// Sums of half are float. Those of bfloat16 are rounded at every step where the channels come last, as the reference's.
struct BiasAddGrad {
  template <typename T>
  static absl::Status Run(KernelContext& context, bool channels_first) {
    using Sum = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;
    const Tensor& gradient = context.input(0);
    SM_ASSIGN_OR_RETURN(Split s, SplitValue(gradient.shape(), channels_first, "Input tensor"));
    SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(0, TensorShape({s.channels})));
    const T* from = gradient.data<T>();
    const bool rounded = std::is_same_v<T, BFloat16> && !channels_first;
    for (int64_t c = 0; c < s.channels; ++c) {
      Sum sum = Sum(0);
      for (int64_t o = 0; o < s.outer; ++o) {
        for (int64_t i = 0; i < s.inner; ++i) sum = Add<Sum>(sum, static_cast<Sum>(from[(o * s.channels + c) * s.inner + i]));
        if (rounded) sum = static_cast<Sum>(static_cast<T>(sum));
      }
      out->data<T>()[c] = static_cast<T>(sum);
    }
    return absl::OkStatus();
  }
};

template <typename Op>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool channels_first = ChannelsFirst(init.attrs());
  return Dispatch<NumberTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([channels_first](KernelContext& context) { return Op::template Run<T>(context, channels_first); });
  });
}

absl::Status Infer(InferContext& context) {
  const bool first = ChannelsFirst(context.attrs());
  PartialShape value = context.input(0);
  const PartialShape& bias = context.input(1);
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  if (value.known_rank()) {
    SM_CHECK_ARGUMENT(value.rank() >= (first ? 3 : 2), "Shape must be at least rank ", first ? 3 : 2, " but is ",
                      value.ToString());
    const int channel = first ? 1 : value.rank() - 1;
    if (bias.known_rank()) {
      SM_CHECK_ARGUMENT(value.dim(channel) < 0 || bias.dim(0) < 0 || value.dim(channel) == bias.dim(0),
                        "Dimensions must be equal, but are ", value.dim(channel), " and ", bias.dim(0));
      if (value.dim(channel) < 0) value.set_dim(channel, bias.dim(0));
    }
  }
  context.set_output(0, std::move(value));
  return absl::OkStatus();
}

absl::Status InferGrad(InferContext& context) {
  const PartialShape& gradient = context.input(0);
  const bool first = ChannelsFirst(context.attrs());
  SM_CHECK_ARGUMENT(!gradient.known_rank() || gradient.rank() >= (first ? 3 : 2), "Shape must be at least rank ", first ? 3 : 2,
                    " but is ", gradient.ToString());
  context.set_output(0, PartialShape::Of({gradient.known_rank() ? gradient.dim(first ? 1 : gradient.rank() - 1) : -1}));
  return absl::OkStatus();
}

}  // namespace

void DefineBiasAdd(OpTable& ops) {
  ops.Add({.name = "BiasAdd",
           .inputs = "value: T; bias: T",
           .outputs = "output: T",
           .attrs = "T: numbertype; data_format: {'NHWC', 'NCHW'} = 'NHWC'",
           .infer = Infer,
           .cpu = Make<BiasAdd>,
           .in_place = true});
  ops.Add({.name = "BiasAddV1",
           .inputs = "value: T; bias: T",
           .outputs = "output: T",
           .attrs = "T: numbertype",
           .infer = Infer,
           .cpu = Make<BiasAdd>,
           .in_place = true});
  ops.Add({.name = "BiasAddGrad",
           .inputs = "out_backprop: T",
           .outputs = "output: T",
           .attrs = "T: numbertype; data_format: {'NHWC', 'NCHW'} = 'NHWC'",
           .infer = InferGrad,
           .cpu = Make<BiasAddGrad>});
}

}  // namespace savedmodel
