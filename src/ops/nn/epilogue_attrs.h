// What our own fused products do after the sum: attributes bias, residual, activation and alpha.
#ifndef SAVEDMODEL_OPS_NN_EPILOGUE_ATTRS_H_
#define SAVEDMODEL_OPS_NN_EPILOGUE_ATTRS_H_

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/packed_matrix.h"
#include "savedmodel/op.h"

namespace savedmodel {

struct EpilogueAttrs {
  bool bias = false, residual = false, scaled = false;  // inputs 2 and the next
  bool bfloat16 = false;  // operands are rounded where that is quicker
  Activation activation = Activation::kNone;
  float alpha = 0;
  Tensor factor;            // what each channel is multiplied with: its sums, or its weights before the run; not initialized(): nothing
  std::string factor_key;   // names the factor among those of the same weights
  GemmPrecision precision() const { return bfloat16 ? GemmPrecision::kBf16 : GemmPrecision::kFloat; }
  const float* factors() const { return factor.initialized() ? factor.data<float>() : nullptr; }
};

// InvalidArgument for a factor that is not float, for an activation that is none of Relu, Relu6, LeakyRelu, Elu, Sigmoid, Tanh, Swish, HardSwish, GeluErf,
// GeluTanh, or if num_args differs from what is used.
absl::StatusOr<EpilogueAttrs> ReadEpilogueAttrs(const Attributes& attrs);

// The residual's place among the inputs, which the output may be written over where each element is added and stored once; -1: none.
int ResidualInput(const Attributes& attrs);

// Only what needs no further input: attributes PREFIXactivation, PREFIXalpha, PREFIXfactor and PREFIXbfloat16.
absl::StatusOr<EpilogueAttrs> ReadActivation(const Attributes& attrs, const std::string& prefix);

// An epilogue without tensors.
Epilogue EpilogueOf(const EpilogueAttrs& attrs);
// The epilogue of one run, with its tensors checked: a bias of `channels` floats, a residual as large as the output.
absl::StatusOr<Epilogue> MakeEpilogue(const KernelContext& context, const EpilogueAttrs& attrs, int64_t channels, const TensorShape& output);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_EPILOGUE_ATTRS_H_
