// ScatterUpdate ... ScatterMin on reference variables and ResourceScatterUpdate ... ResourceScatterMin: rows of the variable
// changed by rows of `updates`, or by one scalar. Indices are checked before anything is written.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/state/combine.h"
#include "ops/state/variable_access.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status Change(Tensor* params, const Tensor& indices, const Tensor& updates, Combine combine) {
  SM_CHECK_ARGUMENT(params->rank() >= 1, "params must be at least 1-D, got shape ", params->shape().ToString());
  const bool scalar = updates.rank() == 0;
  TensorShape wanted = indices.shape();
  for (int i = 1; i < params->rank(); ++i) wanted.AddDim(params->dim(i));
  SM_CHECK_ARGUMENT(scalar || updates.shape() == wanted,
                    "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape ",
                    updates.shape().ToString(), ", indices.shape ", indices.shape().ToString(), ", params.shape ", params->shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> rows, IntsOf(indices));
  for (size_t i = 0; i < rows.size(); ++i) {
    SM_CHECK_ARGUMENT(rows[i] >= 0 && rows[i] < params->dim(0), "indices[", i, "] = ", rows[i], " is not in [0, ", params->dim(0), ")");
  }
  const int64_t size = params->shape().Product(1, params->rank());
  const int64_t bytes = size * static_cast<int64_t>(DataTypeSize(params->dtype()));
  char* to = static_cast<char*>(params->raw());
  const char* from = static_cast<const char*>(updates.raw());
  for (size_t i = 0; i < rows.size(); ++i) {
    SM_CHECK_ARGUMENT(combine(to + rows[i] * bytes, scalar ? from : from + static_cast<int64_t>(i) * bytes, size, scalar),
                      "Integer division by zero");
  }
  return absl::OkStatus();
}

// Resources are not divided by zero, floats neither.
absl::Status CheckDivisors(const Tensor& updates) {
  return DispatchAs<absl::Status, NumberTypes>(updates.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < updates.num_elements(); ++i) SM_CHECK_ARGUMENT(!(updates.data<T>()[i] == T{}), "updates must not contain 0");
    return absl::OkStatus();
  });
}

template <Combination kCombination, bool kReference>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const DataType dtype = init.attrs().Type(kReference ? "T" : "dtype");
  SM_ASSIGN_OR_RETURN(Combine combine, FindCombine(kCombination, dtype));
  return MakeKernel([=](KernelContext& context) -> absl::Status {
    if (kCombination == Combination::kDiv && !kReference && context.input(1).num_elements() > 0) SM_RETURN_IF_ERROR(CheckDivisors(context.input(2)));
    SM_RETURN_IF_ERROR(ChangeVariable(context, 0, dtype, kReference, [&](Tensor* value) {
      return Change(value, context.input(1), context.input(2), combine);
    }));
    return kReference ? PassReference(context) : absl::OkStatus();
  });
}

template <Combination kCombination>
void Add(OpTable& ops, const char* name) {
  const bool update = kCombination == Combination::kUpdate;
  const bool order = kCombination == Combination::kMax || kCombination == Combination::kMin;
  ops.Add({.name = absl::StrCat("Scatter", name),
           .inputs = "ref: Ref(T); indices: Tindices; updates: T",
           .outputs = "output_ref: Ref(T)",
           .attrs = absl::StrCat("T: ", update ? "type" : order ? "{half, bfloat16, float, double, int32, int64}" : "numbertype",
                                 "; Tindices: {int32, int64}; use_locking: bool = ", update ? "true" : "false"),
           .infer = ScalarShape,
           .cpu = Make<kCombination, true>,
           .effect = Effect::kStateful});
  ops.Add({.name = absl::StrCat("ResourceScatter", name),
           .inputs = "resource: resource; indices: Tindices; updates: dtype",
           .attrs = absl::StrCat("dtype: ", update ? "type" : "numbertype", "; Tindices: {int32, int64}"),
           .infer = NoShape,
           .cpu = Make<kCombination, false>,
           .effect = Effect::kStateful});
}

}  // namespace

void DefineVariableScatter(OpTable& ops) {
  Add<Combination::kUpdate>(ops, "Update");
  Add<Combination::kAdd>(ops, "Add");
  Add<Combination::kSub>(ops, "Sub");
  Add<Combination::kMul>(ops, "Mul");
  Add<Combination::kDiv>(ops, "Div");
  Add<Combination::kMax>(ops, "Max");
  Add<Combination::kMin>(ops, "Min");
}

}  // namespace savedmodel
