// Layers that our passes put together, on the GPU: layer normalisation, attention, LSTMs.
#include "kernels/cuda/layers.h"

#include "kernels/cuda/attention.h"
#include "ops/cuda/epilogue.h"
#include "ops/nn/attention_shape.h"

namespace savedmodel {
namespace {

bool IsLayerFloat(DataType type) { return type == DataType::kFloat || type == DataType::kHalf || type == DataType::kBFloat16; }

absl::StatusOr<KernelPtr> MakeLayerNorm(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsLayerFloat(type)) return WrongType(type);
  const bool has_gamma = init.attrs().Bool("gamma"), has_beta = init.attrs().Bool("beta");
  SM_CHECK_ARGUMENT(init.num_inputs() == 1 + has_gamma + has_beta, "there are ", init.num_inputs(), " inputs, gamma and beta want another number");
  return MakeCudaKernel([=, element = ElementOf(type), epsilon = init.attrs().Float("epsilon")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() >= 1, "x must have at least one dimension");
    const int64_t n = x.dim(x.rank() - 1);
    for (int i = 1; i < run.context().num_inputs(); ++i) {
      SM_CHECK_ARGUMENT(run.input(i).num_elements() == n, "gamma or beta is ", run.input(i).shape().ToString(), ", rows have ", n, " elements");
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    const void *gamma = has_gamma ? run.input(1).raw() : nullptr, *beta = has_beta ? run.input(1 + has_gamma).raw() : nullptr;
    return run.Done(cuda::RunLayerNorm(run.handle(), element, x.num_elements() / n, n, x.raw(), gamma, beta, epsilon, out->raw()));
  });
}

cuda::HeadSteps StepsOf(const AttentionStrides& from) { return {from.batch, from.head, from.row}; }

cuda::AttentionSizes SizesOf(const AttentionShape& from) {
  cuda::AttentionSizes sizes;
  sizes.batch = from.batch;
  sizes.heads = from.heads;
  sizes.queries = from.queries;
  sizes.keys = from.keys;
  sizes.depth = from.depth;
  sizes.value_depth = from.value_depth;
  sizes.q = StepsOf(from.q);
  sizes.k = StepsOf(from.k);
  sizes.v = StepsOf(from.v);
  sizes.out = StepsOf(from.out);
  sizes.mask = StepsOf(from.mask);
  sizes.keys_transposed = from.keys_transposed;
  sizes.scale = from.scale;
  return sizes;
}

// All matrices of an operand at one distance from each other, in the order batch, head.
struct HeadMatrices {
  const void* data = nullptr;
  int64_t row = 0, step = 0;
  Tensor copy;
};

// The operand as it lies where its matrices are evenly spread, else a dense copy.
absl::StatusOr<HeadMatrices> MatricesOf(CudaRun& run, const cuda::AttentionSizes& s, const Tensor& operand, const cuda::HeadSteps& steps, int64_t rows,
                                        int64_t columns) {
  HeadMatrices matrices{operand.raw(), steps.row, s.heads > 1 ? steps.head : steps.batch, Tensor()};
  if (s.heads == 1 || s.batch == 1 || steps.batch == steps.head * s.heads) return matrices;
  SM_ASSIGN_OR_RETURN(matrices.copy, run.context().Scratch(operand.dtype(), {s.batch * s.heads, rows, columns}));
  cuda::StridedCopy copy;
  copy.size = SizeOf(operand.dtype());
  copy.Add(s.batch, steps.batch, s.heads * rows * columns);
  copy.Add(s.heads, steps.head, rows * columns);
  copy.Add(rows, steps.row, columns);
  copy.Add(columns, 1, 1);
  SM_RETURN_IF_ERROR(run.Done(cuda::RunStridedCopy(run.handle(), copy, operand.raw(), matrices.copy.raw())));
  matrices.data = matrices.copy.raw();
  matrices.row = columns;
  matrices.step = rows * columns;
  return matrices;
}

// Two products with a softmax between.
absl::Status RunPlainAttention(CudaRun& run, const cuda::AttentionSizes& s, const Tensor& mask, Tensor* out) {
  const Tensor &q = run.input(0), &k = run.input(1), &v = run.input(2);
  const cuda::Element type = ElementOf(q.dtype());
  const int64_t heads = s.batch * s.heads;
  SM_ASSIGN_OR_RETURN(const HeadMatrices queries, MatricesOf(run, s, q, s.q, s.queries, s.depth));
  SM_ASSIGN_OR_RETURN(const HeadMatrices keys, s.keys_transposed ? MatricesOf(run, s, k, s.k, s.depth, s.keys) : MatricesOf(run, s, k, s.k, s.keys, s.depth));
  SM_ASSIGN_OR_RETURN(const HeadMatrices values, MatricesOf(run, s, v, s.v, s.keys, s.value_depth));
  SM_ASSIGN_OR_RETURN(Tensor scores, run.context().Scratch(DataType::kFloat, {heads, s.queries, s.keys}));
  Tensor weights = scores;
  if (q.dtype() != DataType::kFloat) {
    SM_ASSIGN_OR_RETURN(weights, run.context().Scratch(q.dtype(), {heads, s.queries, s.keys}));
  }
  GpuDevice& device = *run.stream().device();
  cuda::BlasShape product;
  product.type = type;
  product.batch = heads;
  product.m = s.queries;
  product.k = s.depth;
  product.n = s.keys;
  product.transpose_b = !s.keys_transposed;
  product.tf32 = device.options().allow_tf32;
  product.a_row = queries.row;
  product.a_step = queries.step;
  product.b_row = keys.row;
  product.b_step = keys.step;
  SM_RETURN_IF_ERROR(CudaProduct::Plan(device, product, 0).Run(run, queries.data, keys.data, {}, scores.raw()));
  SM_RETURN_IF_ERROR(run.Done(cuda::RunMaskedSoftmax(run.handle(), cuda::Element::kFloat, type, s, scores.raw(), mask.raw(), weights.raw())));
  product.out_type = type;
  product.k = s.keys;
  product.n = s.value_depth;
  product.transpose_b = false;
  product.a_row = 0;
  product.a_step = s.queries * s.keys;
  product.b_row = values.row;
  product.b_step = values.step;
  const bool dense = s.out.row == s.value_depth && (s.heads == 1 || s.out.head == s.queries * s.value_depth) &&
                     (s.batch == 1 || s.out.batch == s.heads * s.queries * s.value_depth);
  if (dense) return CudaProduct::Plan(device, product, 0).Run(run, weights.raw(), values.data, {}, out->raw());
  SM_ASSIGN_OR_RETURN(Tensor results, run.context().Scratch(q.dtype(), {heads, s.queries, s.value_depth}));
  SM_RETURN_IF_ERROR(CudaProduct::Plan(device, product, 0).Run(run, weights.raw(), values.data, {}, results.raw()));
  cuda::StridedCopy copy;
  copy.size = SizeOf(q.dtype());
  copy.Add(s.batch, s.heads * s.queries * s.value_depth, s.out.batch);
  copy.Add(s.heads, s.queries * s.value_depth, s.out.head);
  copy.Add(s.queries, s.value_depth, s.out.row);
  copy.Add(s.value_depth, 1, 1);
  return run.Done(cuda::RunStridedCopy(run.handle(), copy, results.raw(), out->raw()));
}

bool AlignedForTiles(const Tensor& tensor) { return reinterpret_cast<uintptr_t>(tensor.raw()) % 32 == 0; }

absl::StatusOr<KernelPtr> MakeAttention(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsLayerFloat(type)) return WrongType(type);
  SM_ASSIGN_OR_RETURN(AttentionLayouts layouts, ReadAttentionLayouts(init.attrs()));
  return MakeCudaKernel([layouts = std::move(layouts), scale = init.attrs().Float("scale"), type](CudaRun& run) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const SizedAttention sized, SizeAttention(layouts, scale, run.context()));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, sized.output));
    if (out->num_elements() == 0) return absl::OkStatus();
    const cuda::AttentionSizes sizes = SizesOf(sized.shape);
    const Tensor mask = run.context().num_inputs() > 3 ? run.input(3) : Tensor();
    const bool rounds = type != DataType::kFloat || run.stream().device()->options().allow_tf32;
    if (rounds && cuda::TilesFit(ElementOf(type), sizes) && AlignedForTiles(run.input(0)) && AlignedForTiles(run.input(1)) && AlignedForTiles(run.input(2))) {
      return run.Done(cuda::RunTiledAttention(run.handle(), ElementOf(type), sizes, run.input(0).raw(), run.input(1).raw(), run.input(2).raw(), mask.raw(),
                                              out->raw()));
    }
    return RunPlainAttention(run, sizes, mask, out);
  });
}

absl::Status RunLstm(CudaRun& run, const cuda::LstmGates& gates, bool all_outputs) {
  const Tensor &x = run.input(0), &h0 = run.input(1), &c0 = run.input(2), &w = run.input(3), &u = run.input(4);
  SM_CHECK_ARGUMENT(w.rank() == 2 && u.rank() == 2 && u.dim(1) == 4 * u.dim(0) && w.dim(1) == u.dim(1) && run.input(5).num_elements() == u.dim(1),
                    "w, u and bias do not have four columns for each of ", u.rank() == 2 ? u.dim(0) : 0, " units");
  const int64_t inputs = w.dim(0), n = u.dim(0);
  SM_CHECK_ARGUMENT(x.rank() == 3 && x.dim(2) == inputs && x.dim(0) > 0, "x is ", x.shape().ToString(), ", wants [steps, batch, ", inputs, "]");
  const int64_t steps = x.dim(0), batch = x.dim(1);
  const TensorShape state({batch, n});
  SM_CHECK_ARGUMENT(h0.shape() == state && c0.shape() == state, "the states are ", h0.shape().ToString(), " and ", c0.shape().ToString(), ", wanted is ",
                    state.ToString());
  SM_ASSIGN_OR_RETURN(Tensor * all, run.Output(0, {all_outputs ? steps : 1, batch, n}));
  SM_ASSIGN_OR_RETURN(Tensor * last_h, run.Output(1, state));
  SM_ASSIGN_OR_RETURN(Tensor * last_c, run.Output(2, state));
  if (batch == 0 || n == 0) return absl::OkStatus();
  GpuDevice& device = *run.stream().device();
  cuda::BlasShape product;
  product.tf32 = device.options().allow_tf32;
  product.n = 4 * n;
  product.bias = true;
  product.m = steps * batch;
  product.k = inputs;
  const CudaProduct of_inputs = CudaProduct::Plan(device, product, 0);
  product.bias = false;
  product.residual = true;
  product.m = batch;
  product.k = n;
  const CudaProduct of_states = CudaProduct::Plan(device, product, 0);
  SM_ASSIGN_OR_RETURN(Tensor sums, run.context().Scratch(DataType::kFloat, {steps * batch, 4 * n}));
  SM_ASSIGN_OR_RETURN(Tensor z, run.context().Scratch(DataType::kFloat, {batch, 4 * n}));
  SM_RETURN_IF_ERROR(of_inputs.Run(run, x.raw(), w.raw(), {run.input(5).raw(), nullptr}, sums.raw()));
  SM_RETURN_IF_ERROR(run.stream().CopyOnDevice(c0.raw(), last_c->raw(), c0.bytes()));
  const float* before = h0.data<float>();
  for (int64_t t = 0; t < steps; ++t) {
    const float* added = sums.data<float>() + t * batch * 4 * n;
    SM_RETURN_IF_ERROR(of_states.Run(run, before, u.raw(), {nullptr, added}, z.raw()));
    const bool last = t + 1 == steps;
    float* h = all_outputs ? all->data<float>() + t * batch * n : last_h->data<float>();
    float* also = !last ? nullptr : all_outputs ? last_h->data<float>() : all->data<float>();
    SM_RETURN_IF_ERROR(run.Done(cuda::RunLstmCell(run.handle(), batch, n, gates, z.data<float>(), last_c->data<float>(), h, also)));
    before = h;
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeLstmLayer(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return WrongType(init.input_dtype(0));
  cuda::LstmGates gates;
  const std::vector<int64_t>& parts = init.attrs().Ints("gates");
  SM_CHECK_ARGUMENT(parts.size() == 4, "gates has ", parts.size(), " numbers, wants 4");
  for (size_t i = 0; i < 4; ++i) {
    SM_CHECK_ARGUMENT(parts[i] >= 0 && parts[i] < 4, "gates[", i, "] is ", parts[i]);
    gates.of[i] = static_cast<int>(parts[i]);
  }
  return MakeCudaKernel([gates, all_outputs = init.attrs().Bool("all_outputs")](CudaRun& run) { return RunLstm(run, gates, all_outputs); });
}

}  // namespace

void AddLayers(DeviceKernels* kernels) {
  AddKernel(kernels, "_LayerNorm", MakeLayerNorm);
  AddKernel(kernels, "_Attention", MakeAttention);
  AddKernel(kernels, "_LstmLayer", MakeLstmLayer);
}

}  // namespace savedmodel
