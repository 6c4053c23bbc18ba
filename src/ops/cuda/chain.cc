// _ElementwiseChain on the GPU.
#include "kernels/cuda/chain.h"

#include "ops/cuda/cuda_kernel.h"
#include "ops/math/elementwise_chain.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

using cuda::Binary;
using cuda::ChainStep;
using cuda::Unary;

absl::StatusOr<uint8_t> FunctionOf(const std::string& op) {
  static const auto* const kNames = new absl::flat_hash_map<std::string, int>{
      {"Abs", int(Unary::kAbs)}, {"Neg", int(Unary::kNeg)}, {"Sign", int(Unary::kSign)}, {"Square", int(Unary::kSquare)}, {"Sqrt", int(Unary::kSqrt)},
      {"Rsqrt", int(Unary::kRsqrt)}, {"Reciprocal", int(Unary::kReciprocal)}, {"Inv", int(Unary::kReciprocal)}, {"Exp", int(Unary::kExp)},
      {"Expm1", int(Unary::kExpm1)}, {"Log", int(Unary::kLog)}, {"Log1p", int(Unary::kLog1p)}, {"Sin", int(Unary::kSin)}, {"Cos", int(Unary::kCos)},
      {"Tanh", int(Unary::kTanh)}, {"Sigmoid", int(Unary::kSigmoid)}, {"Relu", int(Unary::kRelu)}, {"Relu6", int(Unary::kRelu6)},
      {"LeakyRelu", int(Unary::kLeakyRelu)}, {"Elu", int(Unary::kElu)}, {"Selu", int(Unary::kSelu)}, {"Softplus", int(Unary::kSoftplus)},
      {"Softsign", int(Unary::kSoftsign)}, {"Erf", int(Unary::kErf)}, {"Erfc", int(Unary::kErfc)}, {"Ceil", int(Unary::kCeil)}, {"Floor", int(Unary::kFloor)},
      {"Rint", int(Unary::kRint)}, {"Round", int(Unary::kRint)},
      {"Add", int(Binary::kAdd)}, {"AddV2", int(Binary::kAdd)}, {"Sub", int(Binary::kSub)}, {"Mul", int(Binary::kMul)}, {"RealDiv", int(Binary::kDiv)},
      {"Div", int(Binary::kDiv)}, {"DivNoNan", int(Binary::kDivNoNan)}, {"Maximum", int(Binary::kMaximum)}, {"Minimum", int(Binary::kMinimum)},
      {"Pow", int(Binary::kPow)}, {"SquaredDifference", int(Binary::kSquaredDifference)}};
  auto it = kNames->find(op);
  if (it == kNames->end()) return absl::UnimplementedError(absl::StrCat("no CUDA kernel for ", op, " in a chain"));
  return static_cast<uint8_t>(it->second);
}

// The program without shapes.
absl::StatusOr<cuda::Chain> ChainOf(const ChainProgram& program) {
  if (program.inputs > cuda::kChainInputs) return absl::UnimplementedError("a chain has too many inputs");
  absl::StatusOr<std::vector<PlacedStep>> placed = PlaceChain(program, cuda::kChainPlaces, cuda::kChainSteps);
  if (!placed.ok()) return absl::UnimplementedError(placed.status().message());
  cuda::Chain chain;
  chain.inputs = program.inputs;
  for (const PlacedStep& from : *placed) {
    ChainStep& step = chain.step[chain.steps++];
    step.to = static_cast<uint8_t>(from.to);
    if (from.input >= 0) {
      step.a = static_cast<uint8_t>(from.input);
      continue;
    }
    const ChainProgram::Step& function = program.steps[static_cast<size_t>(from.step)];
    SM_ASSIGN_OR_RETURN(step.op, FunctionOf(function.op));
    step.value = function.value;
    step.kind = ChainOperands(function.op) == 1              ? ChainStep::Kind::kUnary
                : function.left == ChainProgram::kValue      ? ChainStep::Kind::kBinaryLeft
                : function.right == ChainProgram::kValue     ? ChainStep::Kind::kBinaryRight
                                                             : ChainStep::Kind::kBinary;
    if (from.left >= 0) step.a = static_cast<uint8_t>(from.left);
    if (from.right >= 0) step.b = static_cast<uint8_t>(from.right);
  }
  return chain;
}

// The dimensions of the result, joined where all inputs step through them evenly.
absl::Status Shape(const TensorShape& result, const CudaRun& run, cuda::Chain* chain) {
  chain->rank = 0;
  chain->count = result.num_elements();
  for (int d = 0; d < result.rank(); ++d) {
    if (result.dim(d) == 1) continue;
    int64_t here[cuda::kChainInputs];
    bool joins = chain->rank > 0;
    for (int i = 0; i < chain->inputs; ++i) {
      const TensorShape& shape = run.input(i).shape();
      const int own = d - (result.rank() - shape.rank());
      here[i] = own >= 0 && shape.dim(own) != 1 ? shape.Product(own + 1, shape.rank()) : 0;
      joins = joins && chain->input_steps[i][chain->rank - 1] == here[i] * result.dim(d);
    }
    if (!joins) {
      if (chain->rank == cuda::kMaxDims) return absl::UnimplementedError("a chain over more than 8 dimensions");
      chain->dims[chain->rank++] = 1;
    }
    chain->dims[chain->rank - 1] *= result.dim(d);
    for (int i = 0; i < chain->inputs; ++i) chain->input_steps[i][chain->rank - 1] = here[i];
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeChain(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (type == DataType::kDouble || !IsCudaFloat(type)) return WrongType(type);
  SM_ASSIGN_OR_RETURN(const ChainProgram program, ReadChain(init.attrs(), init.num_inputs()));
  SM_ASSIGN_OR_RETURN(const cuda::Chain chain, ChainOf(program));
  for (int i = 0; i < init.num_inputs(); ++i) SM_RETURN_IF_ERROR(WantsRankUpTo(init, i, cuda::kMaxDims));
  return MakeCudaKernel([chain, element = ElementOf(type)](CudaRun& run) -> absl::Status {
    TensorShape result = run.input(0).shape();
    for (int i = 1; i < chain.inputs; ++i) {
      SM_ASSIGN_OR_RETURN(result, Broadcast(result, run.input(i).shape()));
    }
    cuda::Chain sized = chain;
    SM_RETURN_IF_ERROR(Shape(result, run, &sized));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, result));
    const void* inputs[cuda::kChainInputs] = {};
    for (int i = 0; i < chain.inputs; ++i) inputs[i] = run.input(i).raw();
    return run.Done(cuda::RunChain(run.handle(), element, sized, inputs, out->raw()));
  });
}

}  // namespace

void AddChains(DeviceKernels* kernels) { AddKernel(kernels, "_ElementwiseChain", MakeChain); }

}  // namespace savedmodel
