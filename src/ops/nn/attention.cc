// _Attention: what the fusing passes make of softmax(scale * q k' + mask) v. The layouts name the dimensions of each
// operand with the letters b (batch), h (heads, may be absent), s (rows) and d (depth), d last; keys may have s last.
// The mask is broadcast to [b, h, rows of q, rows of k]; its last dimension is that of k.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/nn/attention_shape.h"

namespace savedmodel {
namespace {

absl::Status Run(KernelContext& context, const AttentionLayouts& layouts, float scale) {
  SM_ASSIGN_OR_RETURN(const SizedAttention sized, SizeAttention(layouts, scale, context));
  const float* mask = context.num_inputs() > 3 ? context.input(3).data<float>() : nullptr;
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, sized.output));
  if (out->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(const AttentionPlan plan, AttentionPlan::Make(sized.shape, context.pool().num_threads()));
  SM_ASSIGN_OR_RETURN(Tensor scratch, context.Scratch(DataType::kUInt8, {plan.scratch_bytes()}));
  plan.Run(context.input(0).data<float>(), context.input(1).data<float>(), context.input(2).data<float>(), mask, out->data<float>(),
           static_cast<float*>(scratch.raw()), context.pool());
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("the CPU computes this in float32 alone");
  SM_ASSIGN_OR_RETURN(AttentionLayouts layouts, ReadAttentionLayouts(init.attrs()));
  const float scale = init.attrs().Float("scale");
  return MakeKernel([layouts = std::move(layouts), scale](KernelContext& context) { return Run(context, layouts, scale); });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(AttentionLayouts layouts, ReadAttentionLayouts(context.attrs()));
  const PartialShape &q = context.input(0), &v = context.input(2);
  if (!q.fully_known() || !v.fully_known() || q.rank() != layouts.q.rank() || v.rank() != layouts.v.rank()) return absl::OkStatus();
  absl::InlinedVector<int64_t, 4> dims;
  layouts.out.Fill([&](char letter) { return letter == 'd' ? layouts.v.Size(v.shape(), 'd') : layouts.q.Size(q.shape(), letter); }, &dims);
  context.set_output(0, PartialShape::Of(dims));
  return absl::OkStatus();
}

}  // namespace

void DefineAttention(OpTable& ops) {
  ops.Add({.name = "_Attention",
           .inputs = "q: T; k: T; v: T; mask: num_args * T",
           .outputs = "output: T",
           .attrs = "T: {float, half, bfloat16}; num_args: int >= 0; q_layout: string; k_layout: string; v_layout: string; out_layout: string; scale: float",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
