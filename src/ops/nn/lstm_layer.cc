// _LstmLayer: what the fusing passes make of a loop over time around an LSTM cell.
//   x [steps, batch, inputs], h and c [batch, units], w [inputs, 4 units], u [units, 4 units], bias [4 units]
//   outputs: h of all steps (of the last alone unless `all_outputs`), the last h, the last c
// `gates` says which quarter of x w + h u + bias are the input, forget, candidate and output gates.
#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/lstm_step.h"
#include "ops/nn/shared_matrix.h"
#include "ops/shared_object.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct Layer {
  int64_t inputs = 0, units = 0;
  bool all_outputs = true;
  std::shared_ptr<const PackedMatrix> w;
  std::shared_ptr<const LstmWeights> u;
};

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
  SM_ASSIGN_OR_RETURN(Tensor spare, context.Scratch(DataType::kFloat, state));
  Epilogue bias;
  bias.bias = context.input(5).data<float>();
  Gemm(steps * batch, x.data<float>(), layer.inputs, *layer.w, bias, sums.data<float>(), 4 * n, context.pool());
  std::copy_n(c0.data<float>(), batch * n, last_c->data<float>());
  const int64_t most = layer.u->max_rows(), parts = (batch + most - 1) / most;
  std::atomic<bool> stopped{false};
  const auto run = [&](int64_t part, ThreadPool& pool) {
    const int64_t row = part * most;
    LstmSequences s;
    s.z = sums.data<float>() + row * 4 * n;
    s.z_step = batch * 4 * n;
    s.z_row = 4 * n;
    s.h = h0.data<float>() + row * n;
    s.c = last_c->data<float>() + row * n;
    s.out = (layer.all_outputs ? all : last_h)->data<float>() + row * n;
    s.out_step = layer.all_outputs ? batch * n : 0;
    s.spare = spare.data<float>() + row * n;
    s.steps = steps;
    s.rows = static_cast<int>(std::min(most, batch - row));
    layer.u->Run(s, [&] {
      if (!context.Interrupted().ok()) stopped.store(true, std::memory_order_relaxed);
      return stopped.load(std::memory_order_relaxed);
    }, pool);
    std::copy_n(s.Out(steps - 1), s.rows * n, (layer.all_outputs ? last_h : all)->data<float>() + row * n);
  };
  if (parts == 1) {
    run(0, context.pool());
  } else {
    context.pool().ParallelFor(parts, 1, [&](int64_t begin, int64_t end) {
      CallerOnly alone;
      for (int64_t part = begin; part < end; ++part) run(part, alone);
    });
  }
  return stopped.load(std::memory_order_relaxed) ? context.Interrupted() : absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const PackedMatrix>> Packed(KernelInit& init, int i) {
  const Tensor* matrix = init.constant(i);
  if (matrix == nullptr || matrix->rank() != 2 || matrix->num_elements() == 0) return absl::UnimplementedError("the fused layer wants weights known before the run");
  return SharedMatrix(init, *matrix, matrix->dim(0), false, {});
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  auto layer = std::make_shared<Layer>();
  SM_ASSIGN_OR_RETURN(layer->w, Packed(init, 3));
  layer->inputs = layer->w->layout().inner;
  layer->units = layer->w->n() / 4;
  layer->all_outputs = init.attrs().Bool("all_outputs");
  const std::vector<int64_t>& gates = init.attrs().Ints("gates");
  const Tensor *u = init.constant(4), *bias = init.constant(5);
  if (u == nullptr || bias == nullptr) return absl::UnimplementedError("the fused layer wants weights known before the run");
  SM_CHECK_ARGUMENT(layer->w->n() == 4 * layer->units && u->shape() == TensorShape({layer->units, 4 * layer->units}) && bias->num_elements() == 4 * layer->units,
                    "w, u and bias do not have four columns for each of ", layer->units, " units");
  SM_CHECK_ARGUMENT(gates.size() == 4, "gates has ", gates.size(), " numbers, wants 4");
  for (size_t i = 0; i < 4; ++i) {
    SM_CHECK_ARGUMENT(gates[i] >= 0 && gates[i] < 4, "gates[", i, "] is ", gates[i]);
  }
  SM_ASSIGN_OR_RETURN(layer->u, SharedObject<LstmWeights>(init, *u, absl::StrCat("lstm ", absl::StrJoin(gates, " ")),
                                                         [&] { return LstmWeights::Pack(u->data<float>(), layer->units, gates.data()); }));
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
