// Reverse and ReverseV2: a tensor with some dimensions back to front. Reverse names them by flags, ReverseV2 by axes.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/array/strided_copy.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// The reversal of one shape, prepared.
class Reversal {
 public:
  Reversal(DataType type, const TensorShape& shape, const std::vector<bool>& reversed) : shape_(shape) {
    const Dims steps = RowMajorStrides(shape);
    Dims from = steps;
    for (size_t d = 0; d < steps.size(); ++d) {
      if (!reversed[d]) continue;
      start_ += (shape.dim(static_cast<int>(d)) - 1) * steps[d] * static_cast<int64_t>(DataTypeSize(type));
      from[d] = -steps[d];
    }
    copy_ = StridedCopy(type, shape.dims(), from, steps);
  }
  const TensorShape& shape() const { return shape_; }
  absl::Status Run(KernelContext& context) const {
    const Tensor& input = context.input(0);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape_));
    if (out->num_elements() > 0) copy_.Run(static_cast<const char*>(input.raw()) + start_, out->raw(), context.pool());
    return absl::OkStatus();
  }

 private:
  TensorShape shape_;
  int64_t start_ = 0;  // in bytes
  StridedCopy copy_;
};

absl::Status ReverseDims(KernelContext& context, const std::vector<bool>& reversed) {
  return Reversal(context.input(0).dtype(), context.input(0).shape(), reversed).Run(context);
}

absl::Status RunReverse(KernelContext& context) {
  const Tensor& input = context.input(0);
  const Tensor& flags = context.input(1);
  if (input.rank() == 0) return context.Forward(0, 0, input.shape());
  SM_CHECK_ARGUMENT(input.dim(0) != 0, "Invalid input first dimension. Found 0.");
  SM_CHECK_ARGUMENT(flags.rank() == 1, "'dims' must be 1-dimension, not ", flags.rank());
  SM_CHECK_ARGUMENT(flags.dim(0) == input.rank(), "'dims' must have the same number of values as 'input' has dimensions. 'input' has ",
                    input.rank(), ", 'dims' has ", flags.dim(0), " values");
  return ReverseDims(context, std::vector<bool>(flags.data<bool>(), flags.data<bool>() + flags.num_elements()));
}

absl::StatusOr<std::vector<bool>> Flags(const std::vector<int64_t>& axes, int rank) {
  std::vector<bool> reversed(static_cast<size_t>(rank), false);
  for (size_t i = 0; i < axes.size(); ++i) {
    SM_CHECK_ARGUMENT(axes[i] >= -rank && axes[i] < rank, "'axis'[", i, "] = ", axes[i], " is out of valid range [", -rank, ", ", rank, ")");
    const size_t axis = static_cast<size_t>(axes[i] < 0 ? axes[i] + rank : axes[i]);
    SM_CHECK_ARGUMENT(!reversed[axis], "axis ", axis, " specified more than once.");
    reversed[axis] = true;
  }
  return reversed;
}

absl::Status RunReverseV2(KernelContext& context) {
  SM_RETURN_IF_ERROR(CheckRank(context, 1, 1, "axis"));
  if (context.input(0).num_elements() == 0 || context.input(0).rank() == 0) return context.Forward(0, 0, context.input(0).shape());
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntsOf(context.input(1)));
  SM_ASSIGN_OR_RETURN(const std::vector<bool> reversed, Flags(axes, context.input(0).rank()));
  return ReverseDims(context, reversed);
}

absl::StatusOr<KernelPtr> MakeReverseV2(KernelInit& init) {
  std::vector<int64_t> axes;
  const PartialShape& input = init.input_shape(0);
  if (init.constant(1) != nullptr && init.constant(1)->rank() == 1 && input.fully_known() && input.shape().valid() && ConstantInts(init.constant(1), &axes)) {
    SM_ASSIGN_OR_RETURN(const std::vector<bool> reversed, Flags(axes, input.rank()));
    return MakeKernel([reversal = Reversal(init.input_dtype(0), input.shape(), reversed)](KernelContext& context) {
      return context.input(0).shape() == reversal.shape() ? reversal.Run(context) : RunReverseV2(context);
    });
  }
  return MakeKernel(RunReverseV2);
}

absl::Status InferReverseV2(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  std::vector<int64_t> axes;
  if (context.input(0).known_rank() && ConstantInts(context, 1, &axes)) SM_RETURN_IF_ERROR(Flags(axes, context.input(0).rank()).status());
  context.set_output(0, context.input(0));
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeReverse(KernelInit&) { return MakeKernel(RunReverse); }

}  // namespace

void DefineReverse(OpTable& ops) {
  ops.Add({.name = "Reverse",
           .inputs = "tensor: T; dims: bool",
           .outputs = "output: T",
           .attrs = "T: {uint8, int8, uint16, int16, uint32, int32, uint64, int64, bool, bfloat16, half, float, double, complex64, "
                    "complex128, string}",
           .infer = SameShape,
           .cpu = MakeReverse});
  ops.Add({.name = "ReverseV2",
           .inputs = "tensor: T; axis: Tidx",
           .outputs = "output: T",
           .attrs = "Tidx: {int32, int64} = DT_INT32; T: {uint8, int8, uint16, int16, int32, uint32, int64, uint64, bool, bfloat16, "
                    "half, float, double, complex64, complex128, string}",
           .infer = InferReverseV2,
           .cpu = MakeReverseV2});
}

}  // namespace savedmodel
