// Gathering, scattering and segments on the GPU. An index out of range is noticed there and stops the run when it ends; the
// message names the node, not the index.
#include "ops/arguments.h"
#include "ops/array/gather.h"
#include "ops/cuda/cuda_kernel.h"

namespace savedmodel {
namespace {

using cuda::Update;

absl::Status RunGather(CudaRun& run, int64_t axis_value, int64_t batch_dims, int alarm) {
  const Tensor &params = run.input(0), &indices = run.input(1);
  SM_CHECK_ARGUMENT(params.rank() >= 1, "params must be at least 1 dimensional");
  SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(axis_value, params.rank()));
  if (batch_dims < 0) batch_dims += indices.rank();
  SM_ASSIGN_OR_RETURN(const PartialShape partial, GatherShape(params.shape(), indices.shape(), axis, batch_dims));
  SM_CHECK_ARGUMENT(partial.fully_known() && batch_dims >= 0 && batch_dims <= axis && batch_dims <= indices.rank(), "batch_dims is ", batch_dims, ", axis ", axis,
                    ", indices have ", indices.rank(), " dimensions");
  const int batch = static_cast<int>(batch_dims);
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, partial.shape()));
  if (out->num_elements() == 0) return absl::OkStatus();
  cuda::GatherShape shape;
  shape.size = SizeOf(params.dtype());
  shape.index_size = SizeOf(indices.dtype());
  shape.batch = params.shape().Product(0, batch);
  shape.outer = params.shape().Product(batch, axis);
  shape.axis = params.dim(axis);
  shape.inner = params.shape().Product(axis + 1, params.rank());
  shape.count = indices.shape().Product(batch, indices.rank());
  return run.Done(cuda::RunGather(run.handle(), shape, params.raw(), indices.raw(), run.Alarm(alarm), out->raw()));
}

absl::StatusOr<KernelPtr> MakeGatherV2(KernelInit& init) {
  const int alarm = IndexAlarm(init, "an index of indices is not in [0, the dimension of params)");
  return MakeCudaKernel([alarm, batch_dims = init.attrs().Int("batch_dims")](CudaRun& run) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const int64_t axis, IntScalar(run.context(), 2, "axis"));
    return RunGather(run, axis, batch_dims, alarm);
  });
}
absl::StatusOr<KernelPtr> MakeGather(KernelInit& init) {
  const int alarm = IndexAlarm(init, "an index of indices is not in [0, the dimension of params)");
  return MakeCudaKernel([alarm](CudaRun& run) { return RunGather(run, 0, 0, alarm); });
}

// Rows of indices into the first dimensions of `shape`.
absl::StatusOr<cuda::NdShape> NdShapeOf(const Tensor& indices, const TensorShape& shape, DataType type) {
  SM_CHECK_ARGUMENT(indices.rank() >= 1, "indices must be at least a vector");
  const int64_t depth = indices.dim(indices.rank() - 1);
  SM_CHECK_ARGUMENT(depth <= shape.rank(), "index innermost dimension length must be <= params rank; saw: ", depth, " vs. ", shape.rank());
  if (depth > 8) return absl::UnimplementedError("no CUDA kernel for more than 8 index dimensions");
  cuda::NdShape nd;
  nd.size = SizeOf(type);
  nd.index_size = SizeOf(indices.dtype());
  nd.depth = static_cast<int>(depth);
  nd.rows = indices.shape().Product(0, indices.rank() - 1);
  nd.inner = shape.Product(nd.depth, shape.rank());
  for (int d = 0; d < nd.depth; ++d) nd.dims[d] = shape.dim(d);
  return nd;
}

bool Ignores(const KernelInit& init) { return init.attrs().String("bad_indices_policy") == "IGNORE"; }

absl::StatusOr<KernelPtr> MakeGatherNd(KernelInit& init) {
  if (Ignores(init)) return absl::UnimplementedError("no CUDA kernel that ignores bad indices");
  const int alarm = IndexAlarm(init, "indices has a row that does not index into params");
  return MakeCudaKernel([alarm](CudaRun& run) -> absl::Status {
    const Tensor &params = run.input(0), &indices = run.input(1);
    SM_ASSIGN_OR_RETURN(const cuda::NdShape nd, NdShapeOf(indices, params.shape(), params.dtype()));
    TensorShape shape = indices.shape();
    shape.RemoveDim(shape.rank() - 1);
    for (int d = nd.depth; d < params.rank(); ++d) shape.AddDim(params.dim(d));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_CHECK_ARGUMENT(params.num_elements() > 0, "Requested more than 0 entries, but params is empty. Params shape: ", params.shape().ToString());
    return run.Done(cuda::RunGatherNd(run.handle(), nd, params.raw(), indices.raw(), run.Alarm(alarm), out->raw()));
  });
}

bool CanJoin(DataType type) { return IsCudaFloat(type) || ((type == DataType::kInt32 || type == DataType::kInt64 || type == DataType::kUInt32 || type == DataType::kUInt64)); }

absl::Status Scatter(CudaRun& run, Update update, const Tensor& indices, const Tensor& updates, int alarm, Tensor* out) {
  SM_ASSIGN_OR_RETURN(const cuda::NdShape nd, NdShapeOf(indices, out->shape(), out->dtype()));
  TensorShape wanted = indices.shape();
  wanted.RemoveDim(wanted.rank() - 1);
  for (int d = nd.depth; d < out->rank(); ++d) wanted.AddDim(out->dim(d));
  const bool one = updates.rank() == 0 && wanted.rank() != 0;
  SM_CHECK_ARGUMENT(one || updates.shape() == wanted, "Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got updates.shape: ",
                    updates.shape().ToString(), ", indices.shape: ", indices.shape().ToString(), ", params_shape: ", out->shape().ToString());
  SM_CHECK_ARGUMENT(out->num_elements() > 0 || wanted.num_elements() == 0, "Indices and updates specified for empty output. indices shape: ",
                    indices.shape().ToString());
  return run.Done(cuda::RunScatterNd(run.handle(), update, ElementOf(out->dtype()), nd, indices.raw(), updates.raw(), one, run.Alarm(alarm), out->raw()));
}

absl::StatusOr<KernelPtr> MakeScatterNd(KernelInit& init) {
  if (Ignores(init)) return absl::UnimplementedError("no CUDA kernel that ignores bad indices");
  if (!CanJoin(init.input_dtype(1))) return WrongType(init.input_dtype(1));
  const int alarm = IndexAlarm(init, "indices has a row that does not index into shape");
  return MakeCudaKernel([alarm](CudaRun& run) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeInput(run.context(), 2, "shape"));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    const uint64_t zero[2] = {};
    SM_RETURN_IF_ERROR(run.Done(cuda::RunFill(run.handle(), SizeOf(out->dtype()), zero, out->raw(), out->num_elements())));
    return Scatter(run, Update::kAdd, run.input(0), run.input(1), alarm, out);
  });
}

template <Update kUpdate>
absl::StatusOr<KernelPtr> MakeTensorScatter(KernelInit& init) {
  if (Ignores(init)) return absl::UnimplementedError("no CUDA kernel that ignores bad indices");
  if (kUpdate != Update::kAssign && !CanJoin(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  const int alarm = IndexAlarm(init, "indices has a row that does not index into the tensor");
  return MakeCudaKernel([alarm](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (out->raw() != x.raw() && x.bytes() > 0) SM_RETURN_IF_ERROR(run.stream().CopyOnDevice(x.raw(), out->raw(), x.bytes()));
    return Scatter(run, kUpdate, run.input(1), run.input(2), alarm, out);
  });
}

template <Update kUpdate>
absl::StatusOr<KernelPtr> MakeUnsortedSegment(KernelInit& init) {
  if (!CanJoin(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  const int alarm = IndexAlarm(init, "segment_ids has a number that is not below num_segments");
  return MakeCudaKernel([alarm](CudaRun& run) -> absl::Status {
    const Tensor &data = run.input(0), &ids = run.input(1);
    SM_ASSIGN_OR_RETURN(const int64_t segments, IntScalar(run.context(), 2, "num_segments"));
    SM_CHECK_ARGUMENT(segments >= 0, "Input num_segments == ", segments, " must not be negative.");
    bool fits = ids.rank() <= data.rank();
    for (int d = 0; d < ids.rank() && fits; ++d) fits = ids.dim(d) == data.dim(d);
    SM_CHECK_ARGUMENT(fits, "data.shape = ", data.shape().ToString(), " does not start with segment_ids.shape = ", ids.shape().ToString());
    TensorShape shape({segments});
    for (int d = ids.rank(); d < data.rank(); ++d) shape.AddDim(data.dim(d));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    const uint64_t zero[2] = {};
    SM_RETURN_IF_ERROR(run.Done(cuda::RunFill(run.handle(), SizeOf(out->dtype()), zero, out->raw(), out->num_elements())));
    return run.Done(cuda::RunSegment(run.handle(), kUpdate, ElementOf(data.dtype()), SizeOf(ids.dtype()), data.raw(), ids.raw(), ids.num_elements(),
                                     data.shape().Product(ids.rank(), data.rank()), segments, run.Alarm(alarm), out->raw()));
  });
}

absl::StatusOr<KernelPtr> MakeOneHot(KernelInit& init) {
  if (!IsCudaPlain(init.output_dtype(0))) return WrongType(init.output_dtype(0));
  return MakeCudaKernel([axis = init.attrs().Int("axis")](CudaRun& run) -> absl::Status {
    const Tensor& indices = run.input(0);
    SM_ASSIGN_OR_RETURN(const int64_t depth, IntScalar(run.context(), 1, "depth"));
    SM_CHECK_ARGUMENT(axis >= -1 && axis <= indices.rank(), "Expected axis to be -1 or between [0, ", indices.rank() + 1, ").  But received: ", axis);
    SM_CHECK_ARGUMENT(depth >= 0, "depth must be non-negative, got: ", depth);
    SM_CHECK_ARGUMENT(run.input(2).rank() == 0 && run.input(3).rank() == 0, "on_value and off_value must be scalars");
    const int at = axis < 0 ? indices.rank() : static_cast<int>(axis);
    TensorShape shape = indices.shape();
    shape.InsertDim(at, depth);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    return run.Done(cuda::RunOneHot(run.handle(), SizeOf(out->dtype()), SizeOf(indices.dtype()), indices.shape().Product(0, at), depth,
                                    indices.shape().Product(at, indices.rank()), indices.raw(), run.input(2).raw(), run.input(3).raw(), out->raw()));
  });
}

absl::StatusOr<KernelPtr> MakeReverseSequence(KernelInit& init) {
  const int alarm = IndexAlarm(init, "seq_lengths has a length that is not in [0, the sequence dimension]");
  return MakeCudaKernel([alarm, sequence = init.attrs().Int("seq_dim"), batch = init.attrs().Int("batch_dim")](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &lengths = run.input(1);
    SM_CHECK_ARGUMENT(lengths.rank() == 1, "seq_lengths must be 1-dim, not ", lengths.rank());
    SM_CHECK_ARGUMENT(batch != sequence && batch >= 0 && batch < x.rank() && sequence >= 0 && sequence < x.rank(), "batch_dim ", batch, " and seq_dim ", sequence,
                      " must be two dimensions of the input ", x.shape().ToString());
    const int b = static_cast<int>(batch), s = static_cast<int>(sequence);
    SM_CHECK_ARGUMENT(lengths.dim(0) == x.dim(b), "Length of seq_lengths != input.dims(", b, "), (", lengths.dim(0), " vs. ", x.dim(b), ")");
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    cuda::ReverseSequenceShape shape;
    shape.size = SizeOf(x.dtype());
    shape.index_size = SizeOf(lengths.dtype());
    shape.count = x.num_elements();
    shape.batch = x.dim(b);
    shape.batch_step = x.shape().Product(b + 1, x.rank());
    shape.sequence = x.dim(s);
    shape.sequence_step = x.shape().Product(s + 1, x.rank());
    return run.Done(cuda::RunReverseSequence(run.handle(), shape, x.raw(), lengths.raw(), run.Alarm(alarm), out->raw()));
  });
}

absl::StatusOr<KernelPtr> MakeBandPart(KernelInit& init) {
  if (!IsCudaPlain(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() >= 2, "input must be at least 2-dim, received shape: ", x.shape().ToString());
    SM_ASSIGN_OR_RETURN(const int64_t lower, IntScalar(run.context(), 1, "num_lower"));
    SM_ASSIGN_OR_RETURN(const int64_t upper, IntScalar(run.context(), 2, "num_upper"));
    const int64_t rows = x.dim(x.rank() - 2), columns = x.dim(x.rank() - 1);
    SM_CHECK_ARGUMENT(lower <= rows, "num_lower must be negative or less or equal to number of rows (", rows, ") got: ", lower);
    SM_CHECK_ARGUMENT(upper <= columns, "num_upper must be negative or less or equal to number of columns (", columns, ") got: ", upper);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    return run.Done(cuda::RunBandPart(run.handle(), SizeOf(x.dtype()), x.num_elements() / (rows * columns), rows, columns, lower, upper, x.raw(), out->raw()));
  });
}

}  // namespace

void AddIndexing(DeviceKernels* kernels) {
  AddKernel(kernels, "Gather", MakeGather);
  AddKernel(kernels, "GatherV2", MakeGatherV2, {"axis"});
  AddKernel(kernels, "GatherNd", MakeGatherNd);
  AddKernel(kernels, "ScatterNd", MakeScatterNd, {"shape"});
  AddKernel(kernels, "TensorScatterUpdate", MakeTensorScatter<Update::kAssign>);
  AddKernel(kernels, "TensorScatterAdd", MakeTensorScatter<Update::kAdd>);
  AddKernel(kernels, "TensorScatterSub", MakeTensorScatter<Update::kSub>);
  AddKernel(kernels, "TensorScatterMin", MakeTensorScatter<Update::kMin>);
  AddKernel(kernels, "TensorScatterMax", MakeTensorScatter<Update::kMax>);
  AddKernel(kernels, "UnsortedSegmentSum", MakeUnsortedSegment<Update::kAdd>, {"num_segments"});
  AddKernel(kernels, "OneHot", MakeOneHot, {"depth"});
  AddKernel(kernels, "ReverseSequence", MakeReverseSequence);
  AddKernel(kernels, "MatrixBandPart", MakeBandPart, {"num_lower", "num_upper"});
}

}  // namespace savedmodel
