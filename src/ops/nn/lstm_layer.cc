// _LstmLayer: what the fusing passes make of a loop over time around an LSTM cell.
//   x [steps, batch, inputs], h and c [batch, units], w [inputs, 4 units], u [units, 4 units], bias [4 units]
//   outputs: h of all steps (of the last alone unless `all_outputs`), the last h, the last c
// `gates` says which quarter of x w + h u + bias are the input, forget, candidate and output gates.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/vector_math.h"
#include "ops/nn/shared_matrix.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct Layer {
  int64_t inputs = 0, units = 0;
  int64_t gates[4] = {};
  bool all_outputs = true;
  std::shared_ptr<const PackedMatrix> w, u;
};

// One row: the gates are activated in place, c becomes the new one.
void Cell(const Layer& layer, float* z, float* c, float* squashed, float* h) {
  const int64_t n = layer.units;
  for (int gate : {0, 1, 3}) VectorSigmoid(z + layer.gates[gate] * n, z + layer.gates[gate] * n, n);
  float* candidate = z + layer.gates[2] * n;
  VectorTanh(candidate, candidate, n);
  const float *in = z + layer.gates[0] * n, *forget = z + layer.gates[1] * n, *out = z + layer.gates[3] * n;
  for (int64_t k = 0; k < n; ++k) c[k] = forget[k] * c[k] + in[k] * candidate[k];
  VectorTanh(c, squashed, n);
  for (int64_t k = 0; k < n; ++k) h[k] = out[k] * squashed[k];
}

absl::Status Run(KernelContext& context, const Layer& layer) {
  const Tensor &x = context.input(0), &h0 = context.input(1), &c0 = context.input(2);
  SM_CHECK_ARGUMENT(x.rank() == 3 && x.dim(2) == layer.inputs && x.dim(0) > 0, "x is ", x.shape().ToString(), ", wants [steps, batch, ", layer.inputs, "]");
  const int64_t steps = x.dim(0), batch = x.dim(1), n = layer.units;
  const TensorShape state({batch, n});
  SM_CHECK_ARGUMENT(h0.shape() == state && c0.shape() == state, "the states are ", h0.shape().ToString(), " and ", c0.shape().ToString(), ", wanted is ",
                    state.ToString());
  SM_ASSIGN_OR_RETURN(Tensor* all, context.Output(0, {layer.all_outputs ? steps : 1, batch, n}));
  SM_ASSIGN_OR_RETURN(Tensor* last_h, context.Output(1, state));
  SM_ASSIGN_OR_RETURN(Tensor* last_c, context.Output(2, state));
  if (batch == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(Tensor sums, context.Scratch(DataType::kFloat, {steps * batch, 4 * n}));
  SM_ASSIGN_OR_RETURN(Tensor row, context.Scratch(DataType::kFloat, {n}));
  float* z = sums.data<float>();
  Epilogue bias;
  bias.bias = context.input(5).data<float>();
  Gemm(steps * batch, x.data<float>(), layer.inputs, *layer.w, bias, z, 4 * n, context.pool());
  float* c = last_c->data<float>();
  std::copy_n(c0.data<float>(), batch * n, c);
  const float* before = h0.data<float>();
  for (int64_t t = 0; t < steps; ++t, z += batch * 4 * n) {
    if (t % 16 == 0) SM_RETURN_IF_ERROR(context.Interrupted());
    Epilogue add;
    add.residual = z;
    add.residual_stride = 4 * n;
    Gemm(batch, before, n, *layer.u, add, z, 4 * n, context.pool());
    // With the last output alone, h alternates between no two places: it is read before it is written.
    float* h = layer.all_outputs ? all->data<float>() + t * batch * n : last_h->data<float>();
    for (int64_t b = 0; b < batch; ++b) Cell(layer, z + b * 4 * n, c + b * n, row.data<float>(), h + b * n);
    before = h;
  }
  if (layer.all_outputs) {
    std::copy_n(before, batch * n, last_h->data<float>());
  } else {
    std::copy_n(before, batch * n, all->data<float>());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const PackedMatrix>> Packed(KernelInit& init, int i) {
  const Tensor* matrix = init.constant(i);
  if (matrix == nullptr || matrix->rank() != 2 || matrix->num_elements() == 0) return absl::UnimplementedError("the fused layer wants weights known before the run");
  return SharedMatrix(init, *matrix, matrix->dim(0), false, {});
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  auto layer = std::make_shared<Layer>();
  SM_ASSIGN_OR_RETURN(layer->w, Packed(init, 3));
  SM_ASSIGN_OR_RETURN(layer->u, Packed(init, 4));
  layer->inputs = layer->w->layout().inner;
  layer->units = layer->u->layout().inner;
  layer->all_outputs = init.attrs().Bool("all_outputs");
  const std::vector<int64_t>& gates = init.attrs().Ints("gates");
  const Tensor* bias = init.constant(5);
  SM_CHECK_ARGUMENT(layer->w->n() == 4 * layer->units && layer->u->n() == 4 * layer->units && bias != nullptr && bias->num_elements() == 4 * layer->units,
                    "w, u and bias do not have four columns for each of ", layer->units, " units");
  SM_CHECK_ARGUMENT(gates.size() == 4, "gates has ", gates.size(), " numbers, wants 4");
  for (size_t i = 0; i < 4; ++i) {
    SM_CHECK_ARGUMENT(gates[i] >= 0 && gates[i] < 4, "gates[", i, "] is ", gates[i]);
    layer->gates[i] = gates[i];
  }
  return MakeKernel([layer](KernelContext& context) { return Run(context, *layer); });
}

absl::Status Infer(InferContext& context) {
  const PartialShape &x = context.input(0), &h = context.input(1);
  if (!x.fully_known() || x.rank() != 3 || !h.fully_known() || h.rank() != 2) return absl::OkStatus();
  context.set_output(0, TensorShape({context.attrs().Bool("all_outputs") ? x.dim(0) : 1, x.dim(1), h.dim(1)}));
  context.set_output(1, h);
  context.set_output(2, h);
  return absl::OkStatus();
}

}  // namespace

void DefineLstmLayer(OpTable& ops) {
  ops.Add({.name = "_LstmLayer",
           .inputs = "x: T; h: T; c: T; w: T; u: T; bias: T",
           .outputs = "outputs: T; last_h: T; last_c: T",
           .attrs = "T: {float}; gates: list(int) >= 4; all_outputs: bool",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
