// ResourceGather, ResourceGatherNd: rows and elements of a variable, without reading all of it.
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/state/variable_access.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

int64_t Index(const Tensor& indices, int64_t i) {
  return indices.dtype() == DataType::kInt32 ? indices.data<int32_t>()[i] : indices.data<int64_t>()[i];
}

// Copies `size` elements from each of the places to the output, one after the other.
absl::Status CopyRows(KernelContext& context, const Tensor& from, const std::vector<int64_t>& places, int64_t size, Tensor* out) {
  return DispatchBySize(from.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* source = from.data<T>();
    T* to = out->data<T>();
    context.pool().ParallelFor(static_cast<int64_t>(places.size()), 16384 / (size + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) std::copy_n(source + places[static_cast<size_t>(i)], size, to + i * size);
    });
    return absl::OkStatus();
  });
}

absl::Status Gather(KernelContext& context, DataType dtype, int64_t batch_attr) {
  SM_ASSIGN_OR_RETURN(Tensor params, VariableValue(context, 0, dtype));
  const Tensor& indices = context.input(1);
  SM_CHECK_ARGUMENT(params.rank() >= 1, "params must be at least 1 dimensional, is ", params.shape().ToString());
  const int64_t batch = batch_attr < 0 ? batch_attr + indices.rank() : batch_attr;
  SM_CHECK_ARGUMENT(batch >= 0 && batch <= indices.rank(), "batch_dims is ", batch_attr, ", must lie within the rank of indices ",
                    indices.shape().ToString());
  SM_CHECK_ARGUMENT(batch < params.rank(), "batch_dims (", batch, ") must be less than rank(params) (", params.rank(), ")");
  const int b = static_cast<int>(batch);
  TensorShape shape;
  for (int i = 0; i < b; ++i) {
    SM_CHECK_ARGUMENT(params.dim(i) == indices.dim(i), "params.shape[", i, "]: ", params.dim(i), " should be equal to indices.shape[", i,
                      "]: ", indices.dim(i));
    shape.AddDim(params.dim(i));
  }
  for (int i = b; i < indices.rank(); ++i) shape.AddDim(indices.dim(i));
  for (int i = b + 1; i < params.rank(); ++i) shape.AddDim(params.dim(i));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));

  const int64_t rows = params.dim(b), size = params.shape().Product(b + 1, params.rank());
  const int64_t n = indices.num_elements(), per_batch = indices.shape().Product(b, indices.rank());
  std::vector<int64_t> places(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = Index(indices, i);
    SM_CHECK_ARGUMENT(row >= 0 && row < rows, "indices[", i, "] = ", row, " is not in [0, ", rows, ")");
    places[static_cast<size_t>(i)] = (i / per_batch * rows + row) * size;
  }
  return CopyRows(context, params, places, size, out);
}

absl::Status GatherNd(KernelContext& context, DataType dtype) {
  SM_ASSIGN_OR_RETURN(Tensor params, VariableValue(context, 0, dtype));
  const Tensor& indices = context.input(1);
  SM_CHECK_ARGUMENT(params.rank() >= 1, "params must be at least a vector, is ", params.shape().ToString());
  SM_CHECK_ARGUMENT(indices.rank() >= 1, "indices must be at least a vector, is ", indices.shape().ToString());
  const int64_t depth = indices.dim(indices.rank() - 1);
  SM_CHECK_ARGUMENT(depth <= params.rank(), "index innermost dimension length must be <= params rank; saw: ", depth, " vs. ", params.rank());
  TensorShape shape;
  for (int i = 0; i + 1 < indices.rank(); ++i) shape.AddDim(indices.dim(i));
  const int64_t n = shape.num_elements();
  for (int i = static_cast<int>(depth); i < params.rank(); ++i) shape.AddDim(params.dim(i));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  if (shape.num_elements() == 0) return absl::OkStatus();

  const int64_t size = params.shape().Product(static_cast<int>(depth), params.rank());
  std::vector<int64_t> places(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    int64_t place = 0;
    for (int d = 0; d < depth; ++d) {
      const int64_t at = Index(indices, i * depth + d);
      SM_CHECK_ARGUMENT(at >= 0 && at < params.dim(d), "indices[", i, "] component ", d, " = ", at, " does not index into param shape ",
                        params.shape().ToString());
      place = place * params.dim(d) + at;
    }
    places[static_cast<size_t>(i)] = place * size;
  }
  return CopyRows(context, params, places, size, out);
}

absl::StatusOr<KernelPtr> MakeGather(KernelInit& init) {
  const DataType dtype = init.attrs().Type("dtype");
  const int64_t batch = init.attrs().Int("batch_dims");
  return MakeKernel([=](KernelContext& context) { return Gather(context, dtype, batch); });
}

absl::StatusOr<KernelPtr> MakeGatherNd(KernelInit& init) {
  const DataType dtype = init.attrs().Type("dtype");
  return MakeKernel([=](KernelContext& context) { return GatherNd(context, dtype); });
}

// The shape of the variable behind input 0, as declared; unknown where the handle is not known before the run.
PartialShape VariableShape(InferContext& context) {
  const Tensor* handle = context.constant(0);
  if (handle == nullptr || handle->dtype() != DataType::kResource || handle->num_elements() != 1) return {};
  const Variable* variable = dynamic_cast<const Variable*>(handle->data<ResourceHandle>()[0].get());
  return variable == nullptr ? PartialShape() : variable->shape();
}

absl::Status InferGather(InferContext& context) {
  const PartialShape params = VariableShape(context), &indices = context.input(1);
  if (!params.known_rank() || !indices.known_rank()) return absl::OkStatus();
  const int64_t batch = context.attrs().Int("batch_dims") + (context.attrs().Int("batch_dims") < 0 ? indices.rank() : 0);
  if (batch < 0 || batch > indices.rank() || batch >= params.rank()) return absl::OkStatus();
  PartialShape shape = indices;
  for (int i = static_cast<int>(batch) + 1; i < params.rank(); ++i) shape.AddDim(params.dim(i));
  context.set_output(0, shape);
  return absl::OkStatus();
}

absl::Status InferGatherNd(InferContext& context) {
  const PartialShape params = VariableShape(context), &indices = context.input(1);
  if (!params.known_rank() || !indices.known_rank() || indices.rank() < 1) return absl::OkStatus();
  const int64_t depth = indices.dim(indices.rank() - 1);
  if (depth < 0 || depth > params.rank()) return absl::OkStatus();
  PartialShape shape = PartialShape::Of(indices.dims().subspan(0, static_cast<size_t>(indices.rank() - 1)));
  for (int i = static_cast<int>(depth); i < params.rank(); ++i) shape.AddDim(params.dim(i));
  context.set_output(0, shape);
  return absl::OkStatus();
}

}  // namespace

void DefineResourceGather(OpTable& ops) {
  ops.Add({.name = "ResourceGather",
           .inputs = "resource: resource; indices: Tindices",
           .outputs = "output: dtype",
           .attrs = "batch_dims: int = 0; validate_indices: bool = true; dtype: type; Tindices: {int32, int64}",
           .infer = InferGather,
           .cpu = MakeGather,
           .effect = Effect::kReadsState});
  ops.Add({.name = "ResourceGatherNd",
           .inputs = "resource: resource; indices: Tindices",
           .outputs = "output: dtype",
           .attrs = "dtype: type; Tindices: {int32, int64}",
           .infer = InferGatherNd,
           .cpu = MakeGatherNd,
           .effect = Effect::kReadsState});
}

}  // namespace savedmodel
