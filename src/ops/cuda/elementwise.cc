// Elementwise ops on the GPU: unary and binary functions, comparisons, choices, casts. Divisions of integers run there only
// when the divisor is known and has no zero, since a zero must stop the run.
#include "kernels/cuda/elementwise.h"

#include "ops/cuda/cuda_kernel.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

using cuda::Binary;
using cuda::Comparison;
using cuda::Test;
using cuda::Unary;

bool KnowsIntegers(Unary op) {
  switch (op) {
    case Unary::kAbs: case Unary::kNeg: case Unary::kSign: case Unary::kSquare: case Unary::kRelu: case Unary::kRelu6: case Unary::kInvert: return true;
    default: return false;
  }
}

template <Unary kOp>
absl::StatusOr<KernelPtr> MakeUnary(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  const bool integer = IsInteger(type);
  if (kOp == Unary::kInvert ? !integer : !(IsCudaFloat(type) || (KnowsIntegers(kOp) && integer))) return WrongType(type);
  const float alpha = kOp == Unary::kLeakyRelu ? init.attrs().Float("alpha") : 1.0f;
  return MakeCudaKernel([element = ElementOf(type), alpha](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    return run.Done(cuda::RunUnary(run.handle(), kOp, element, alpha, x.raw(), out->raw(), x.num_elements()));
  });
}

// Round and Rint of integers hand them on.
absl::StatusOr<KernelPtr> MakeRound(KernelInit& init) {
  if (!IsInteger(init.input_dtype(0))) return MakeUnary<Unary::kRint>(init);
  return MakeCudaKernel([](CudaRun& run) { return run.context().Forward(0, 0, run.input(0).shape()); });
}

template <Test kOp>
absl::StatusOr<KernelPtr> MakeTest(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (kOp == Test::kNot ? type != DataType::kBool : !IsCudaFloat(type)) return WrongType(type);
  return MakeCudaKernel([element = ElementOf(type)](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    return run.Done(cuda::RunTest(run.handle(), kOp, element, x.raw(), out->raw(), x.num_elements()));
  });
}

absl::StatusOr<TensorShape> BroadcastOf(const CudaRun& run) { return Broadcast(run.input(0).shape(), run.input(1).shape()); }

template <Binary kOp>
KernelPtr BinaryKernelOf(DataType type) {
  return MakeCudaKernel([element = ElementOf(type)](CudaRun& run) -> absl::Status {
    const Tensor &a = run.input(0), &b = run.input(1);
    SM_ASSIGN_OR_RETURN(const TensorShape shape, BroadcastOf(run));
    SM_ASSIGN_OR_RETURN(const cuda::Broadcast plan, BroadcastTo(shape, {&a.shape(), &b.shape()}));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    return run.Done(cuda::RunBinary(run.handle(), kOp, element, plan, a.raw(), b.raw(), out->raw()));
  });
}

absl::Status WantsFewDims(const KernelInit& init) {
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, 0, cuda::kMaxDims));
  return WantsRankUpTo(init, 1, cuda::kMaxDims);
}

// Types: 'n' numbers, 'f' floats, 'i' integers.
template <Binary kOp, char kTypes>
absl::StatusOr<KernelPtr> MakeBinary(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (kTypes == 'n' ? !IsCudaNumber(type) : kTypes == 'f' ? !IsCudaFloat(type) : !IsInteger(type)) return WrongType(type);
  SM_RETURN_IF_ERROR(WantsFewDims(init));
  return BinaryKernelOf<kOp>(type);
}

bool HasZero(const Tensor& tensor) {
  const char* bytes = static_cast<const char*>(tensor.raw());
  const size_t size = DataTypeSize(tensor.dtype());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    bool zero = true;
    for (size_t b = 0; b < size; ++b) zero = zero && bytes[static_cast<size_t>(i) * size + b] == 0;
    if (zero) return true;
  }
  return false;
}

template <Binary kOp>
absl::StatusOr<KernelPtr> MakeDivision(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsCudaNumber(type)) return WrongType(type);
  SM_RETURN_IF_ERROR(WantsFewDims(init));
  if (!IsCudaFloat(type) && (init.constant(1) == nullptr || HasZero(*init.constant(1)))) {
    return absl::UnimplementedError("integers are divided on the GPU only by known numbers other than 0");
  }
  // The CPU rounds the quotient to the small type before it takes the floor.
  if (kOp == Binary::kFloorDiv && (type == DataType::kHalf || type == DataType::kBFloat16)) return WrongType(type);
  return BinaryKernelOf<kOp>(type);
}

template <Comparison kOp>
absl::StatusOr<KernelPtr> MakeComparison(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  const bool equality = kOp == Comparison::kEqual || kOp == Comparison::kNotEqual, logical = kOp == Comparison::kLogicalAnd || kOp == Comparison::kLogicalOr;
  if (logical ? type != DataType::kBool : !(IsCudaNumber(type) || (equality && type == DataType::kBool))) return WrongType(type);
  if (equality && !init.attrs().Bool("incompatible_shape_error")) return absl::UnimplementedError("shapes that may not fit are the CPU's");
  SM_RETURN_IF_ERROR(WantsFewDims(init));
  return MakeCudaKernel([element = ElementOf(type)](CudaRun& run) -> absl::Status {
    const Tensor &a = run.input(0), &b = run.input(1);
    SM_ASSIGN_OR_RETURN(const TensorShape shape, BroadcastOf(run));
    SM_ASSIGN_OR_RETURN(const cuda::Broadcast plan, BroadcastTo(shape, {&a.shape(), &b.shape()}));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    return run.Done(cuda::RunComparison(run.handle(), kOp, element, plan, a.raw(), b.raw(), out->raw()));
  });
}

absl::Status Choose(CudaRun& run, const TensorShape& condition, const TensorShape& result) {
  const Tensor &yes = run.input(1), &no = run.input(2);
  SM_ASSIGN_OR_RETURN(const cuda::Broadcast plan, BroadcastTo(result, {&condition, &yes.shape(), &no.shape()}));
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, result));
  return run.Done(cuda::RunSelect(run.handle(), SizeOf(yes.dtype()), plan, run.input(0).raw(), yes.raw(), no.raw(), out->raw()));
}

absl::StatusOr<KernelPtr> MakeSelectV2(KernelInit& init) {
  for (int i = 0; i < 3; ++i) SM_RETURN_IF_ERROR(WantsRankUpTo(init, i, cuda::kMaxDims));
  return MakeCudaKernel([](CudaRun& run) -> absl::Status {
    SM_ASSIGN_OR_RETURN(TensorShape shape, Broadcast(run.input(1).shape(), run.input(2).shape()));
    SM_ASSIGN_OR_RETURN(shape, Broadcast(run.input(0).shape(), shape));
    return Choose(run, run.input(0).shape(), shape);
  });
}

absl::StatusOr<KernelPtr> MakeSelect(KernelInit& init) {
  for (int i = 0; i < 3; ++i) SM_RETURN_IF_ERROR(WantsRankUpTo(init, i, cuda::kMaxDims));
  return MakeCudaKernel([](CudaRun& run) -> absl::Status {
    TensorShape condition = run.input(0).shape();
    const TensorShape &yes = run.input(1).shape(), &no = run.input(2).shape();
    SM_CHECK_ARGUMENT(yes == no, "'then' and 'else' must have the same size and shape. Input 1: ", yes.ToString(), " != input 2: ", no.ToString());
    if (condition.rank() == 1 && yes.rank() != 1) {
      SM_CHECK_ARGUMENT(yes.rank() >= 1, "'then' must be at least a vector, but saw shape: ", yes.ToString());
      SM_CHECK_ARGUMENT(yes.dim(0) == condition.dim(0), "Number of batches of 'then' must match size of 'cond', but saw: ", yes.dim(0), " vs. ",
                        condition.dim(0));
      while (condition.rank() < yes.rank()) condition.AddDim(1);
    } else {
      SM_CHECK_ARGUMENT(condition.rank() == 0 || condition == yes, "the inputs must have the same size and shape. Input 0: ", condition.ToString(),
                        " != input 1: ", yes.ToString());
    }
    return Choose(run, condition, yes);
  });
}

absl::StatusOr<KernelPtr> MakeCast(KernelInit& init) {
  const DataType from = init.input_dtype(0), to = init.output_dtype(0);
  auto known = [](DataType type) { return IsCudaNumber(type) || type == DataType::kBool; };
  if (!known(from) || !known(to)) return WrongType(known(from) ? to : from);
  if (init.attrs().Bool("Truncate")) return absl::UnimplementedError("truncating casts are the CPU's");
  return MakeCudaKernel([from = ElementOf(from), to = ElementOf(to)](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    if (from == to) return run.context().Forward(0, 0, x.shape());
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    return run.Done(cuda::RunCast(run.handle(), from, to, x.raw(), out->raw(), x.num_elements()));
  });
}

absl::StatusOr<KernelPtr> MakeAddN(KernelInit& init) {
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0))](CudaRun& run) -> absl::Status {
    const TensorShape& shape = run.input(0).shape();
    const int n = run.context().num_inputs();
    for (int i = 1; i < n; ++i) {
      SM_CHECK_ARGUMENT(run.input(i).shape() == shape, "Inputs to operation must have the same size and shape. Input 0: ", shape.ToString(), " != input ", i,
                        ": ", run.input(i).shape().ToString());
    }
    if (n == 1) return run.context().Forward(0, 0, shape);
    cuda::Broadcast flat;
    flat.rank = 1;
    flat.count = flat.dims[0] = shape.num_elements();
    flat.steps[0][0] = flat.steps[1][0] = 1;
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    for (int i = 1; i < n; ++i) {
      const void* sum = i == 1 ? run.input(0).raw() : out->raw();
      SM_RETURN_IF_ERROR(run.Done(cuda::RunBinary(run.handle(), Binary::kAdd, element, flat, sum, run.input(i).raw(), out->raw())));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeClip(KernelInit& init) {
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0))](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &low = run.input(1), &high = run.input(2);
    for (const Tensor* limit : {&low, &high}) {
      SM_CHECK_ARGUMENT(limit->rank() == 0 || limit->shape() == x.shape(), "clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. input shape: ",
                        x.shape().ToString(), " limit: ", limit->shape().ToString());
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    return run.Done(cuda::RunClip(run.handle(), element, x.raw(), low.raw(), low.rank() == 0, high.raw(), high.rank() == 0, out->raw(), x.num_elements()));
  });
}

absl::StatusOr<KernelPtr> MakeBiasAdd(KernelInit& init) {
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  const bool channels_first = init.attrs().String("data_format") == "NCHW";
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0)), channels_first](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &bias = run.input(1);
    SM_CHECK_ARGUMENT(x.rank() >= 2, "Input tensor must be at least 2D: ", x.shape().ToString());
    SM_CHECK_ARGUMENT(bias.rank() == 1, "Biases must be 1D: ", bias.shape().ToString());
    const int at = channels_first ? 1 : x.rank() - 1;
    SM_CHECK_ARGUMENT(x.dim(at) == bias.dim(0), "Must provide as many biases as the channel dimension of the input tensor: ", bias.shape().ToString(), " vs. ",
                      x.dim(at), " channels in ", x.shape().ToString());
    TensorShape aligned = bias.shape();
    for (int d = at + 1; d < x.rank(); ++d) aligned.AddDim(1);
    SM_ASSIGN_OR_RETURN(const cuda::Broadcast plan, BroadcastTo(x.shape(), {&x.shape(), &aligned}));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    return run.Done(cuda::RunBinary(run.handle(), Binary::kAdd, element, plan, x.raw(), bias.raw(), out->raw()));
  });
}

}  // namespace

void AddElementwise(DeviceKernels* kernels) {
  AddKernel(kernels, "Abs", MakeUnary<Unary::kAbs>);
  AddKernel(kernels, "Neg", MakeUnary<Unary::kNeg>);
  AddKernel(kernels, "Sign", MakeUnary<Unary::kSign>);
  AddKernel(kernels, "Square", MakeUnary<Unary::kSquare>);
  AddKernel(kernels, "Sqrt", MakeUnary<Unary::kSqrt>);
  AddKernel(kernels, "Rsqrt", MakeUnary<Unary::kRsqrt>);
  AddKernel(kernels, "Reciprocal", MakeUnary<Unary::kReciprocal>);
  AddKernel(kernels, "Inv", MakeUnary<Unary::kReciprocal>);
  AddKernel(kernels, "Exp", MakeUnary<Unary::kExp>);
  AddKernel(kernels, "Expm1", MakeUnary<Unary::kExpm1>);
  AddKernel(kernels, "Log", MakeUnary<Unary::kLog>);
  AddKernel(kernels, "Log1p", MakeUnary<Unary::kLog1p>);
  AddKernel(kernels, "Sin", MakeUnary<Unary::kSin>);
  AddKernel(kernels, "Cos", MakeUnary<Unary::kCos>);
  AddKernel(kernels, "Tan", MakeUnary<Unary::kTan>);
  AddKernel(kernels, "Asin", MakeUnary<Unary::kAsin>);
  AddKernel(kernels, "Acos", MakeUnary<Unary::kAcos>);
  AddKernel(kernels, "Atan", MakeUnary<Unary::kAtan>);
  AddKernel(kernels, "Sinh", MakeUnary<Unary::kSinh>);
  AddKernel(kernels, "Cosh", MakeUnary<Unary::kCosh>);
  AddKernel(kernels, "Tanh", MakeUnary<Unary::kTanh>);
  AddKernel(kernels, "Asinh", MakeUnary<Unary::kAsinh>);
  AddKernel(kernels, "Acosh", MakeUnary<Unary::kAcosh>);
  AddKernel(kernels, "Atanh", MakeUnary<Unary::kAtanh>);
  AddKernel(kernels, "Sigmoid", MakeUnary<Unary::kSigmoid>);
  AddKernel(kernels, "Relu", MakeUnary<Unary::kRelu>);
  AddKernel(kernels, "Relu6", MakeUnary<Unary::kRelu6>);
  AddKernel(kernels, "LeakyRelu", MakeUnary<Unary::kLeakyRelu>);
  AddKernel(kernels, "Elu", MakeUnary<Unary::kElu>);
  AddKernel(kernels, "Selu", MakeUnary<Unary::kSelu>);
  AddKernel(kernels, "Softplus", MakeUnary<Unary::kSoftplus>);
  AddKernel(kernels, "Softsign", MakeUnary<Unary::kSoftsign>);
  AddKernel(kernels, "Erf", MakeUnary<Unary::kErf>);
  AddKernel(kernels, "Erfc", MakeUnary<Unary::kErfc>);
  AddKernel(kernels, "Erfinv", MakeUnary<Unary::kErfinv>);
  AddKernel(kernels, "Ndtri", MakeUnary<Unary::kNdtri>);
  AddKernel(kernels, "Ceil", MakeUnary<Unary::kCeil>);
  AddKernel(kernels, "Floor", MakeUnary<Unary::kFloor>);
  AddKernel(kernels, "Rint", MakeUnary<Unary::kRint>);
  AddKernel(kernels, "Round", MakeRound);
  AddKernel(kernels, "Lgamma", MakeUnary<Unary::kLgamma>);
  AddKernel(kernels, "Invert", MakeUnary<Unary::kInvert>);
  AddKernel(kernels, "IsNan", MakeTest<Test::kIsNan>);
  AddKernel(kernels, "IsInf", MakeTest<Test::kIsInf>);
  AddKernel(kernels, "IsFinite", MakeTest<Test::kIsFinite>);
  AddKernel(kernels, "LogicalNot", MakeTest<Test::kNot>);

  AddKernel(kernels, "Add", MakeBinary<Binary::kAdd, 'n'>);
  AddKernel(kernels, "AddV2", MakeBinary<Binary::kAdd, 'n'>);
  AddKernel(kernels, "Sub", MakeBinary<Binary::kSub, 'n'>);
  AddKernel(kernels, "Mul", MakeBinary<Binary::kMul, 'n'>);
  AddKernel(kernels, "Maximum", MakeBinary<Binary::kMaximum, 'n'>);
  AddKernel(kernels, "Minimum", MakeBinary<Binary::kMinimum, 'n'>);
  AddKernel(kernels, "SquaredDifference", MakeBinary<Binary::kSquaredDifference, 'n'>);
  AddKernel(kernels, "RealDiv", MakeBinary<Binary::kDiv, 'f'>);
  AddKernel(kernels, "DivNoNan", MakeBinary<Binary::kDivNoNan, 'f'>);
  AddKernel(kernels, "MulNoNan", MakeBinary<Binary::kMulNoNan, 'f'>);
  AddKernel(kernels, "Pow", MakeBinary<Binary::kPow, 'f'>);
  AddKernel(kernels, "Atan2", MakeBinary<Binary::kAtan2, 'f'>);
  AddKernel(kernels, "Xdivy", MakeBinary<Binary::kXdivy, 'f'>);
  AddKernel(kernels, "Xlogy", MakeBinary<Binary::kXlogy, 'f'>);
  AddKernel(kernels, "Xlog1py", MakeBinary<Binary::kXlog1py, 'f'>);
  AddKernel(kernels, "BitwiseAnd", MakeBinary<Binary::kAnd, 'i'>);
  AddKernel(kernels, "BitwiseOr", MakeBinary<Binary::kOr, 'i'>);
  AddKernel(kernels, "BitwiseXor", MakeBinary<Binary::kXor, 'i'>);
  AddKernel(kernels, "SigmoidGrad", MakeBinary<Binary::kSigmoidGrad, 'f'>);
  AddKernel(kernels, "TanhGrad", MakeBinary<Binary::kTanhGrad, 'f'>);
  AddKernel(kernels, "SqrtGrad", MakeBinary<Binary::kSqrtGrad, 'f'>);
  AddKernel(kernels, "Div", MakeDivision<Binary::kDiv>);
  AddKernel(kernels, "FloorDiv", MakeDivision<Binary::kFloorDiv>);
  AddKernel(kernels, "FloorMod", MakeDivision<Binary::kFloorMod>);
  AddKernel(kernels, "TruncateDiv", MakeDivision<Binary::kTruncateDiv>);
  AddKernel(kernels, "TruncateMod", MakeDivision<Binary::kTruncateMod>);
  AddKernel(kernels, "Mod", MakeDivision<Binary::kTruncateMod>);

  AddKernel(kernels, "Less", MakeComparison<Comparison::kLess>);
  AddKernel(kernels, "LessEqual", MakeComparison<Comparison::kLessEqual>);
  AddKernel(kernels, "Greater", MakeComparison<Comparison::kGreater>);
  AddKernel(kernels, "GreaterEqual", MakeComparison<Comparison::kGreaterEqual>);
  AddKernel(kernels, "Equal", MakeComparison<Comparison::kEqual>);
  AddKernel(kernels, "NotEqual", MakeComparison<Comparison::kNotEqual>);
  AddKernel(kernels, "LogicalAnd", MakeComparison<Comparison::kLogicalAnd>);
  AddKernel(kernels, "LogicalOr", MakeComparison<Comparison::kLogicalOr>);

  AddKernel(kernels, "Select", MakeSelect);
  AddKernel(kernels, "SelectV2", MakeSelectV2);
  AddKernel(kernels, "Cast", MakeCast);
  AddKernel(kernels, "AddN", MakeAddN);
  AddKernel(kernels, "AccumulateNV2", MakeAddN);
  AddKernel(kernels, "ClipByValue", MakeClip);
  AddKernel(kernels, "BiasAdd", MakeBiasAdd);
  AddKernel(kernels, "BiasAddV1", MakeBiasAdd);
}

}  // namespace savedmodel
