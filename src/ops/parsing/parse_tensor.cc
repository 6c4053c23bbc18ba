// ParseTensor and SerializeTensor: tensors as serialized TensorProtos. Of variants, scalars that hold composite tensors have a
// serialized form; resources have none.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/parsing/tensor_proto.h"
#include "ops/parsing/variant_proto.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status RunParse(KernelContext& context) {
  const Tensor& serialized = context.input(0);
  SM_CHECK_ARGUMENT(serialized.rank() == 0, "Expected `serialized` to be a scalar, got shape: ", serialized.shape().ToString());
  if (context.output_dtype(0) == DataType::kVariant) {
    SM_ASSIGN_OR_RETURN(Tensor variants, VariantsFromProto(serialized.scalar<std::string>(), context.allocator()));
    return context.SetOutput(0, std::move(variants));
  }
  SM_ASSIGN_OR_RETURN(Tensor tensor, TensorFromProto(serialized.scalar<std::string>(), context.allocator()));
  SM_CHECK_ARGUMENT(tensor.dtype() == context.output_dtype(0), "Type mismatch between parsed tensor (", DataTypeName(tensor.dtype()),
                    ") and dtype (", DataTypeName(context.output_dtype(0)), ")");
  return context.SetOutput(0, std::move(tensor));
}

absl::StatusOr<KernelPtr> MakeParse(KernelInit&) {
  return MakeKernel([](KernelContext& context) { return RunParse(context); });
}

absl::Status InferParse(InferContext& context) { return RequireRank(context, 0, 0); }

absl::Status RunSerialize(KernelContext& context) {
  std::string text;
  if (context.input(0).dtype() == DataType::kVariant) {
    SM_ASSIGN_OR_RETURN(text, VariantsToProto(context.input(0)));
  } else {
    text = TensorToProto(context.input(0), false);
  }
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, {}));
  output->data<std::string>()[0] = std::move(text);
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeSerialize(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (type != DataType::kString && type != DataType::kVariant && !IsPlainData(type))
    return absl::UnimplementedError(absl::StrCat(DataTypeName(type), " has no serialized form"));
  return MakeKernel([](KernelContext& context) { return RunSerialize(context); });
}

}  // namespace

void DefineParseTensor(OpTable& ops) {
  ops.Add({.name = "ParseTensor",
           .inputs = "serialized: string",
           .outputs = "output: out_type",
           .attrs = "out_type: type",
           .infer = InferParse,
           .cpu = MakeParse});
  ops.Add({.name = "SerializeTensor",
           .inputs = "tensor: T",
           .outputs = "serialized: string",
           .attrs = "T: type",
           .infer = ScalarShape,
           .cpu = MakeSerialize});
}

}  // namespace savedmodel
