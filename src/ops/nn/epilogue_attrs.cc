#include "ops/nn/epilogue_attrs.h"

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

struct ActivationRow {
  const char* name;
  Activation activation;
};

constexpr ActivationRow kActivations[] = {
    {"", Activation::kNone},           {"Relu", Activation::kRelu},       {"Relu6", Activation::kRelu6},
    {"LeakyRelu", Activation::kLeakyRelu}, {"Elu", Activation::kElu},     {"Sigmoid", Activation::kSigmoid},
    {"Tanh", Activation::kTanh},       {"Swish", Activation::kSwish},     {"HardSwish", Activation::kHardSwish},
    {"GeluErf", Activation::kGeluErf}, {"GeluTanh", Activation::kGeluTanh},
};

}  // namespace

absl::StatusOr<EpilogueAttrs> ReadEpilogueAttrs(const Attributes& attrs) {
  SM_ASSIGN_OR_RETURN(EpilogueAttrs read, ReadActivation(attrs, ""));
  read.bias = attrs.Bool("bias");
  read.residual = attrs.Bool("residual");
  read.scaled = attrs.Bool("scaled");
  SM_CHECK_ARGUMENT(attrs.Int("num_args") == (read.bias ? 1 : 0) + (read.residual ? 1 : 0) + (read.scaled ? 1 : 0), "num_args is ", attrs.Int("num_args"),
                    ", bias and residual want another number");
  return read;
}

int ResidualInput(const Attributes& attrs) {
  if (!attrs.Bool("residual")) return -1;
  return attrs.Bool("bias") ? 3 : 2;
}

absl::StatusOr<EpilogueAttrs> ReadActivation(const Attributes& attrs, const std::string& prefix) {
  EpilogueAttrs read;
  read.alpha = attrs.Float(prefix + "alpha");
  read.bfloat16 = attrs.Bool(prefix + "bfloat16");
  read.factor = attrs.TensorValue(prefix + "factor");
  if (read.factor.initialized()) {
    SM_CHECK_ARGUMENT(read.factor.dtype() == DataType::kFloat, "the factor is of dtype ", DataTypeName(read.factor.dtype()), ", float is wanted");
    const absl::string_view bytes(static_cast<const char*>(read.factor.raw()), read.factor.bytes());
    read.factor_key = absl::StrCat(" times ", absl::HashOf(bytes));
  }
  const std::string& name = attrs.String(prefix + "activation");
  for (const ActivationRow& row : kActivations) {
    if (name == row.name) {
      read.activation = row.activation;
      return read;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("activation \"", name, "\" is unknown"));
}

Epilogue EpilogueOf(const EpilogueAttrs& attrs) {
  Epilogue epilogue;
  epilogue.activation = attrs.activation;
  epilogue.alpha = attrs.alpha;
  return epilogue;
}

absl::StatusOr<Epilogue> MakeEpilogue(const KernelContext& context, const EpilogueAttrs& attrs, int64_t channels, const TensorShape& output) {
  Epilogue epilogue = EpilogueOf(attrs);
  int next = 2;
  if (attrs.bias) {
    const Tensor& bias = context.input(next++);
    SM_CHECK_ARGUMENT(bias.num_elements() == channels, "the bias has shape ", bias.shape().ToString(), ", ", channels, " channels want one number each");
    epilogue.bias = bias.data<float>();
  }
  if (attrs.residual) {
    const Tensor& residual = context.input(next++);
    SM_CHECK_ARGUMENT(residual.shape() == output, "the residual has shape ", residual.shape().ToString(), ", the output ", output.ToString());
    epilogue.residual = residual.data<float>();
    epilogue.residual_stride = channels;
  }
  return epilogue;
}

}  // namespace savedmodel
