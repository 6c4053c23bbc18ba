// MaxPoolWithArgmax (the maximum and its index, flat in its image or in the batch), and its gradients, which trust but
// check those indices.
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/nn/convolution.h"
#include "ops/nn/pooling.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::StatusOr<PoolAttrs> ReadAttrs(const Attributes& attributes) {
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(attributes, 2));
  attrs.ksize[3] = 1;  // a window over the channels is checked and has no effect, as in the reference
  return attrs;
}

absl::Status Run(KernelContext& context, const PoolAttrs& attrs, bool include_batch) {
  const Tensor& input = context.input(0);
  SM_CHECK_ARGUMENT(input.rank() != 4 || input.num_elements() > 0, "tensor_in must not be empty, is ", input.shape().ToString());
  SM_ASSIGN_OR_RETURN(PoolSizes sizes, SizePool(attrs, input.shape()));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, sizes.output));
  SM_ASSIGN_OR_RETURN(Tensor * argmax, context.Output(1, sizes.output));
  if (output->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(Tensor indices, context.Scratch(DataType::kInt64, sizes.output));
  return Dispatch<RealTypes>(input.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    MaxPoolIndices<T>(sizes.shape, input.data<T>(), indices.data<int64_t>(), context.pool());
    for (int64_t i = 0; i < output->num_elements(); ++i) {
      const int64_t base = i / sizes.shape.out_size() * sizes.shape.in_size(),
                    at = std::max<int64_t>(indices.data<int64_t>()[i], 0);
      output->data<T>()[i] = input.data<T>()[base + at];
      const int64_t index = include_batch ? base + at : at;
      if (argmax->dtype() == DataType::kInt32) {
        argmax->data<int32_t>()[i] = static_cast<int32_t>(index);
      } else {
        argmax->data<int64_t>()[i] = index;
      }
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadAttrs(init.attrs()));
  SM_ASSIGN_OR_RETURN(PoolAttrs as_given, ReadPoolAttrs(init.attrs(), 2));
  const bool include_batch = init.attrs().Bool("include_batch_in_index");
  return MakeKernel([=](KernelContext& context) -> absl::Status {
    SM_RETURN_IF_ERROR(SizePool(as_given, context.input(0).shape()).status());
    return Run(context, attrs, include_batch);
  });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadAttrs(context.attrs()));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferPool(attrs, context.input(0)));
  context.set_output(0, shape);
  context.set_output(1, shape);
  return absl::OkStatus();
}

// The input element that each output came from; InvalidArgument for indices outside.
absl::StatusOr<std::vector<int64_t>> Sources(const Tensor& argmax, const PoolSizes& sizes, bool include_batch,
                                             int64_t input_size) {
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> sources, IntsOf(argmax));
  for (size_t i = 0; i < sources.size(); ++i) {
    const int64_t limit = include_batch ? input_size : sizes.shape.in_size();
    SM_CHECK_ARGUMENT(sources[i] >= 0 && sources[i] < limit, "Invalid index of argmax: ", sources[i], ", must be in [0, ", limit,
                      ")");
    if (!include_batch) sources[i] += static_cast<int64_t>(i) / sizes.shape.out_size() * sizes.shape.in_size();
  }
  return sources;
}

absl::Status RunGrad(KernelContext& context, const PoolAttrs& attrs, bool include_batch, bool second) {
  const Tensor& input = context.input(0);
  const Tensor& gradient = context.input(1);
  SM_ASSIGN_OR_RETURN(PoolSizes sizes, SizePool(attrs, input.shape()));
  const TensorShape& wanted = second ? input.shape() : sizes.output;
  SM_CHECK_ARGUMENT(gradient.shape() == wanted, "Expected grad shape to be ", wanted.ToString(), ", but got ",
                    gradient.shape().ToString());
  SM_CHECK_ARGUMENT(context.input(2).shape() == sizes.output, "Expected argmax shape to be ", sizes.output.ToString(),
                    ", but got ", context.input(2).shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> sources, Sources(context.input(2), sizes, include_batch, input.num_elements()));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, second ? sizes.output : input.shape()));
  FillZero(output);
  return Dispatch<RealTypes>(output->dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T* to = output->data<T>();
    const T* from = gradient.data<T>();
    for (size_t i = 0; i < sources.size(); ++i) {
      if (second) {
        to[i] = from[sources[i]];
      } else if constexpr (std::is_integral_v<T>) {
        to[sources[i]] = static_cast<T>(static_cast<uint64_t>(to[sources[i]]) + static_cast<uint64_t>(from[i]));
      } else {
        to[sources[i]] = static_cast<T>(to[sources[i]] + from[i]);
      }
    }
    return absl::OkStatus();
  });
}

template <bool kSecond>
absl::StatusOr<KernelPtr> MakeGrad(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadAttrs(init.attrs()));
  const bool include_batch = init.attrs().Bool("include_batch_in_index");
  return MakeKernel([attrs, include_batch](KernelContext& context) { return RunGrad(context, attrs, include_batch, kSecond); });
}

template <bool kSecond>
absl::Status InferGrad(InferContext& context) {
  SM_RETURN_IF_ERROR(ReadAttrs(context.attrs()).status());
  for (int i = 0; i < 3; ++i) SM_RETURN_IF_ERROR(RequireRank(context, i, 4));
  context.set_output(0, context.input(kSecond ? 2 : 0));
  return absl::OkStatus();
}

}  // namespace

void DefineMaxPoolWithArgmax(OpTable& ops) {
  ops.Add({.name = "MaxPoolWithArgmax",
           .inputs = "input: T",
           .outputs = "output: T; argmax: Targmax",
           .attrs =
               "ksize: list(int) >= 4; strides: list(int) >= 4; Targmax: {int32, int64} = DT_INT64; padding: {'SAME', 'VALID'}; "
               "include_batch_in_index: bool = false; T: realnumbertype",
           .infer = Infer,
           .cpu = Make});
  const std::string attrs =
      "ksize: list(int) >= 4; strides: list(int) >= 4; padding: {'SAME', 'VALID'}; include_batch_in_index: bool = false; "
      "Targmax: {int32, int64}; T: realnumbertype";
  ops.Add({.name = "MaxPoolGradWithArgmax",
           .inputs = "input: T; grad: T; argmax: Targmax",
           .outputs = "output: T",
           .attrs = attrs,
           .infer = InferGrad<false>,
           .cpu = MakeGrad<false>});
  ops.Add({.name = "MaxPoolGradGradWithArgmax",
           .inputs = "input: T; grad: T; argmax: Targmax",
           .outputs = "output: T",
           .attrs = attrs,
           .infer = InferGrad<true>,
           .cpu = MakeGrad<true>});
}

}  // namespace savedmodel
