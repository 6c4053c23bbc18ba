// RestoreV2, Restore, RestoreSlice: tensors of the model's own checkpoint, whatever path the graph names.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/one_by_one.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::StatusOr<std::string> Text(const KernelContext& context, int i, const char* name) {
  SM_CHECK_ARGUMENT(context.input(i).num_elements() == 1, name, " must have 1 element, has shape ", context.input(i).shape().ToString());
  return context.input(i).data<std::string>()[0];
}

std::string WrongType(const std::string& key, DataType wanted, DataType stored) {
  return absl::StrCat("tensor_name = ", key, "; expected dtype ", DataTypeName(wanted), " does not equal original dtype ", DataTypeName(stored));
}

absl::Status RestoreAll(KernelContext& context, const std::vector<DataType>& types) {
  const Tensor &names = context.input(1), &slices = context.input(2);
  const int64_t n = static_cast<int64_t>(types.size());
  SM_CHECK_ARGUMENT(context.input(0).num_elements() == 1, "Input prefix should be a scalar tensor, got ", context.input(0).shape().ToString());
  SM_CHECK_ARGUMENT(names.rank() == 1 && slices.rank() == 1, "tensor_names and shape_and_slices must be vectors, are ",
                    names.shape().ToString(), " and ", slices.shape().ToString());
  SM_CHECK_ARGUMENT(names.dim(0) == n && slices.dim(0) == n, "Got ", n, " expected dtypes, but ", names.dim(0), " tensor_names and ",
                    slices.dim(0), " shape_and_slices");
  const std::string& prefix = context.input(0).data<std::string>()[0];
  // Reading is copying and hashing: all threads take part, a tensor at a time, for one may be larger than all others together. Errors
  // are told in the order of the names.
  std::vector<absl::StatusOr<Tensor>> tensors(static_cast<size_t>(n), absl::UnknownError("not read"));
  OneByOne(context.pool(), n, [&](int64_t i) {
    tensors[static_cast<size_t>(i)] = context.state().ReadCheckpoint(prefix, names.data<std::string>()[i], slices.data<std::string>()[i]);
  });
  std::vector<std::string> wrong;
  for (int64_t i = 0; i < n; ++i) {
    absl::StatusOr<Tensor>& tensor = tensors[static_cast<size_t>(i)];
    if (!tensor.ok()) return tensor.status();
    const DataType wanted = types[static_cast<size_t>(i)];
    if (tensor->dtype() != wanted) {
      wrong.push_back(WrongType(names.data<std::string>()[i], wanted, tensor->dtype()));
    } else {
      SM_RETURN_IF_ERROR(context.SetOutput(static_cast<int>(i), *std::move(tensor)));
    }
  }
  SM_CHECK_ARGUMENT(wrong.empty(), absl::StrJoin(wrong, "\n"));
  return absl::OkStatus();
}

absl::Status RestoreOne(KernelContext& context, DataType dtype) {
  SM_ASSIGN_OR_RETURN(std::string prefix, Text(context, 0, "file_pattern"));
  SM_ASSIGN_OR_RETURN(std::string name, Text(context, 1, "tensor_name"));
  std::string slice;
  if (context.num_inputs() > 2) {
    SM_ASSIGN_OR_RETURN(slice, Text(context, 2, "shape_and_slice"));
  }
  SM_ASSIGN_OR_RETURN(Tensor tensor, context.state().ReadCheckpoint(prefix, name, slice));
  SM_CHECK_ARGUMENT(tensor.dtype() == dtype, WrongType(name, dtype, tensor.dtype()));
  return context.SetOutput(0, std::move(tensor));
}

absl::StatusOr<KernelPtr> MakeAll(KernelInit& init) {
  const std::vector<DataType> types = init.attrs().Types("dtypes");
  return MakeKernel([types](KernelContext& context) { return RestoreAll(context, types); });
}

absl::StatusOr<KernelPtr> MakeOne(KernelInit& init) {
  const DataType dtype = init.attrs().Type("dt");
  return MakeKernel([dtype](KernelContext& context) { return RestoreOne(context, dtype); });
}

}  // namespace

void DefineRestore(OpTable& ops) {
  ops.Add({.name = "RestoreV2",
           .inputs = "prefix: string; tensor_names: string; shape_and_slices: string",
           .outputs = "tensors: dtypes",
           .attrs = "dtypes: list(type) >= 1",
           .infer = NoShape,
           .cpu = MakeAll,
           .effect = Effect::kReadsState});
  ops.Add({.name = "Restore",
           .inputs = "file_pattern: string; tensor_name: string",
           .outputs = "tensor: dt",
           .attrs = "dt: type; preferred_shard: int = -1",
           .infer = NoShape,
           .cpu = MakeOne,
           .effect = Effect::kReadsState});
  ops.Add({.name = "RestoreSlice",
           .inputs = "file_pattern: string; tensor_name: string; shape_and_slice: string",
           .outputs = "tensor: dt",
           .attrs = "dt: type; preferred_shard: int = -1",
           .infer = NoShape,
           .cpu = MakeOne,
           .effect = Effect::kReadsState});
}

}  // namespace savedmodel
