// Reductions, positions of extremes, scans, softmax, batch norm and the k largest on the GPU.
#include "kernels/cuda/reduce.h"

#include <algorithm>
#include <limits>

#include "ops/arguments.h"
#include "ops/cuda/cuda_kernel.h"

namespace savedmodel {
namespace {

using cuda::Reduction;

// The kept and the reduced dimensions of x as the kernel wants them, neighbours of one kind joined.
absl::StatusOr<cuda::ReduceShape> ReduceShapeOf(const TensorShape& x, const std::vector<char>& reduced) {
  cuda::ReduceShape shape;
  const std::vector<int64_t> steps = StepsOf(x);
  char last = 2;
  for (int d = 0; d < x.rank(); ++d) {
    const size_t i = static_cast<size_t>(d);
    (reduced[i] ? shape.count : shape.outputs) *= x.dim(d);
    if (x.dim(d) == 1) continue;
    int& rank = reduced[i] ? shape.reduced_rank : shape.kept_rank;
    int64_t *dims = reduced[i] ? shape.reduced : shape.kept, *to = reduced[i] ? shape.reduced_steps : shape.kept_steps;
    if (last != reduced[i]) {
      if (rank == 8) return absl::UnimplementedError("no CUDA kernel for so many dimensions");
      dims[rank++] = 1;
    }
    dims[rank - 1] *= x.dim(d);
    to[rank - 1] = steps[i];
    last = reduced[i];
  }
  return shape;
}

template <Reduction kReduction>
absl::StatusOr<KernelPtr> MakeReduce(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  const bool logical = kReduction == Reduction::kAll || kReduction == Reduction::kAny;
  if (kReduction == Reduction::kEuclidean && !IsCudaFloat(type)) return WrongType(type);
  if (logical ? type != DataType::kBool : !IsCudaNumber(type)) return WrongType(type);
  // Small types round each step on the CPU's way, or not: sums in float are as good.
  return MakeCudaKernel([element = ElementOf(type), keep = init.attrs().Bool("keep_dims")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntsOf(run.input(1)));
    std::vector<char> reduced(static_cast<size_t>(x.rank()), 0);
    for (int64_t a : axes) {
      SM_CHECK_ARGUMENT(a >= -x.rank() && a < x.rank(), "Invalid reduction dimension (", a, " for input with ", x.rank(), " dimension(s)");
      char& mark = reduced[static_cast<size_t>(a < 0 ? a + x.rank() : a)];
      SM_CHECK_ARGUMENT(!mark, "Invalid reduction arguments: Axes contains duplicate dimension: ", a);
      mark = 1;
    }
    TensorShape shape;
    for (int d = 0; d < x.rank(); ++d) {
      if (!reduced[static_cast<size_t>(d)]) shape.AddDim(x.dim(d));
      else if (keep) shape.AddDim(1);
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    SM_ASSIGN_OR_RETURN(const cuda::ReduceShape plan, ReduceShapeOf(x.shape(), reduced));
    return run.Done(cuda::RunReduce(run.handle(), kReduction, element, plan, x.raw(), out->raw()));
  });
}

template <bool kLargest>
absl::StatusOr<KernelPtr> MakeArgExtreme(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsCudaNumber(type) && type != DataType::kBool) return WrongType(type);
  return MakeCudaKernel([element = ElementOf(type)](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const int64_t dimension, IntScalar(run.context(), 1, "dimension"));
    SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(dimension, x.rank(), "dimension"));
    SM_CHECK_ARGUMENT(x.dim(axis) > 0, "Reduction axis ", axis, " is empty in shape ", x.shape().ToString());
    TensorShape shape = x.shape();
    shape.RemoveDim(axis);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    return run.Done(cuda::RunArgExtreme(run.handle(), kLargest, element, x.shape().Product(0, axis), x.dim(axis), x.shape().Product(axis + 1, x.rank()), x.raw(),
                                        SizeOf(out->dtype()), out->raw()));
  });
}

template <cuda::Scan kScan>
absl::StatusOr<KernelPtr> MakeScan(KernelInit& init) {
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0)), exclusive = init.attrs().Bool("exclusive"),
                         reverse = init.attrs().Bool("reverse")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const int64_t dimension, IntScalar(run.context(), 1, "axis"));
    SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(dimension, x.rank()));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    return run.Done(cuda::RunScan(run.handle(), kScan, element, x.shape().Product(0, axis), x.dim(axis), x.shape().Product(axis + 1, x.rank()), exclusive, reverse,
                                  x.raw(), out->raw()));
  });
}

template <bool kLog>
absl::StatusOr<KernelPtr> MakeSoftmax(KernelInit& init) {
  if (!IsCudaFloat(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0))](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() >= 1, "logits must have >= 1 dimension, got ", x.shape().ToString());
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    const int64_t count = x.dim(x.rank() - 1);
    return run.Done(cuda::RunSoftmax(run.handle(), kLog, element, x.num_elements() / count, count, x.raw(), out->raw()));
  });
}

absl::Status TopK(CudaRun& run, int64_t k, cuda::Element element) {
  const Tensor& x = run.input(0);
  SM_CHECK_ARGUMENT(x.rank() >= 1, "input must be >= 1-D, got shape ", x.shape().ToString());
  const int64_t count = x.dim(x.rank() - 1);
  SM_CHECK_ARGUMENT(k >= 0, "Need k >= 0, got ", k);
  SM_CHECK_ARGUMENT(k <= count, "input must have at least k columns. Had ", count, ", needed ", k);
  TensorShape shape = x.shape();
  shape.set_dim(x.rank() - 1, k);
  SM_ASSIGN_OR_RETURN(Tensor * values, run.Output(0, shape));
  SM_ASSIGN_OR_RETURN(Tensor * indices, run.Output(1, shape));
  if (values->num_elements() == 0) return absl::OkStatus();
  const int64_t rows = x.num_elements() / count;
  // A few of the largest: the row is looked at once for each. Many: it is sorted.
  constexpr int64_t kFew = 64;
  if (k <= kFew) return run.Done(cuda::RunTopK(run.handle(), element, rows, count, k, x.raw(), values->raw(), SizeOf(indices->dtype()), indices->raw()));
  SM_ASSIGN_OR_RETURN(Tensor scratch, run.context().Scratch(DataType::kInt64, {rows, cuda::SortedRow(count), 2}));
  return run.Done(cuda::RunTopKSorted(run.handle(), element, rows, count, k, x.raw(), scratch.raw(), values->raw(), SizeOf(indices->dtype()), indices->raw()));
}

// Unsorted results have the order of the CPU's heap.
bool Unsorted(const Attributes& attrs) { return attrs.Has("sorted") && !attrs.Bool("sorted"); }

absl::StatusOr<KernelPtr> MakeTopKV2(KernelInit& init) {
  if (Unsorted(init.attrs())) return absl::UnimplementedError("results without order are the CPU's");
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0))](CudaRun& run) -> absl::Status {
    SM_CHECK_ARGUMENT(run.input(1).rank() == 0, "k must be scalar, got shape ", run.input(1).shape().ToString());
    SM_ASSIGN_OR_RETURN(const int64_t k, IntScalar(run.context(), 1, "k"));
    return TopK(run, k, element);
  });
}
absl::StatusOr<KernelPtr> MakeTopK(KernelInit& init) {
  if (Unsorted(init.attrs())) return absl::UnimplementedError("results without order are the CPU's");
  if (!IsCudaNumber(init.input_dtype(0))) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([element = ElementOf(init.input_dtype(0)), k = init.attrs().Int("k")](CudaRun& run) { return TopK(run, k, element); });
}

// Batch norm with float parameters. Outputs: y, mean and variance (the batch's, unbiased, in training), what gradients want.
absl::StatusOr<KernelPtr> MakeBatchNorm(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (type != DataType::kFloat && type != DataType::kHalf && type != DataType::kBFloat16) return WrongType(type);
  if (init.input_dtype(1) != DataType::kFloat) return WrongType(init.input_dtype(1));
  const std::string& format = init.attrs().String("data_format");
  const bool training = init.attrs().Bool("is_training");
  if (training && init.attrs().Float("exponential_avg_factor") != 1.0f && init.attrs().Has("exponential_avg_factor")) {
    return absl::UnimplementedError("moving averages are the CPU's");
  }
  const bool channels_first = format == "NCHW" || format == "NCDHW";
  return MakeCudaKernel([element = ElementOf(type), training, channels_first, epsilon = init.attrs().Float("epsilon")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() == 4 || x.rank() == 5, "input must be 4 or 5-dimensional: ", x.shape().ToString());
    const int channel = channels_first ? 1 : x.rank() - 1;
    const int64_t channels = x.dim(channel), outer = x.shape().Product(0, channel), inner = x.shape().Product(channel + 1, x.rank());
    const TensorShape vector({channels});
    static const char* const kNames[] = {"", "scale", "offset", "estimated_mean", "estimated_variance"};
    for (int i = 1; i < 5; ++i) {
      SM_CHECK_ARGUMENT(run.input(i).rank() == 1, kNames[i], " must be 1-dimensional, is ", run.input(i).shape().ToString());
      SM_CHECK_ARGUMENT(run.input(i).shape() == vector || (training && i > 2 && run.input(i).num_elements() == 0), "input ", i,
                        " must have the same number of elements as the channels of x, got ", run.input(i).num_elements(), " and ", channels);
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    std::vector<Tensor*> moments;
    for (int i = 1; i < std::min(run.context().num_outputs(), 5); ++i) {
      SM_ASSIGN_OR_RETURN(Tensor * moment, run.Output(i, vector));
      moments.push_back(moment);
    }
    auto fill = [&](Tensor* tensor, float value) { return run.Done(cuda::RunFill(run.handle(), 4, &value, tensor->raw(), tensor->num_elements())); };
    if (run.context().num_outputs() > 5) {
      SM_ASSIGN_OR_RETURN(Tensor * reserved, run.Output(5, TensorShape()));
      SM_RETURN_IF_ERROR(fill(reserved, 0));
    }
    if (x.num_elements() == 0) {
      for (size_t i = 0; i < moments.size(); ++i) SM_RETURN_IF_ERROR(fill(moments[i], i < 2 ? std::numeric_limits<float>::quiet_NaN() : 0));
      return absl::OkStatus();
    }
    const float *mean = run.input(3).data<float>(), *variance = run.input(4).data<float>();
    Tensor scratch;
    if (training) {
      SM_ASSIGN_OR_RETURN(scratch, run.context().Scratch(DataType::kFloat, {2, channels}));
      float *batch_mean = scratch.data<float>(), *batch_variance = batch_mean + channels;
      SM_RETURN_IF_ERROR(run.Done(cuda::RunMoments(run.handle(), element, outer, channels, inner, x.raw(), batch_mean, batch_variance)));
      mean = batch_mean;
      variance = batch_variance;
    }
    SM_RETURN_IF_ERROR(run.Done(cuda::RunNormalize(run.handle(), element, outer, channels, inner, x.raw(), run.input(1).data<float>(), run.input(2).data<float>(),
                                                   mean, variance, epsilon, out->raw())));
    const float count = static_cast<float>(outer * inner);
    for (size_t i = 0; i < moments.size(); ++i) {
      if (!training && i >= 2) {  // nothing reads them after inference
        SM_RETURN_IF_ERROR(fill(moments[i], 0));
        continue;
      }
      const bool is_variance = i % 2 == 1;
      const float factor = training && i == 1 && count > 1 ? count / (count - 1) : 1.0f;
      SM_RETURN_IF_ERROR(run.Done(cuda::RunScale(run.handle(), channels, is_variance ? variance : mean, factor, moments[i]->data<float>())));
    }
    return absl::OkStatus();
  });
}

}  // namespace

void AddReductions(DeviceKernels* kernels) {
  AddKernel(kernels, "Sum", MakeReduce<Reduction::kSum>, {"reduction_indices"});
  AddKernel(kernels, "Mean", MakeReduce<Reduction::kMean>, {"reduction_indices"});
  AddKernel(kernels, "Prod", MakeReduce<Reduction::kProd>, {"reduction_indices"});
  AddKernel(kernels, "Max", MakeReduce<Reduction::kMax>, {"reduction_indices"});
  AddKernel(kernels, "Min", MakeReduce<Reduction::kMin>, {"reduction_indices"});
  AddKernel(kernels, "All", MakeReduce<Reduction::kAll>, {"reduction_indices"});
  AddKernel(kernels, "Any", MakeReduce<Reduction::kAny>, {"reduction_indices"});
  AddKernel(kernels, "EuclideanNorm", MakeReduce<Reduction::kEuclidean>, {"reduction_indices"});
  AddKernel(kernels, "ArgMax", MakeArgExtreme<true>, {"dimension"});
  AddKernel(kernels, "ArgMin", MakeArgExtreme<false>, {"dimension"});
  AddKernel(kernels, "Cumsum", MakeScan<cuda::Scan::kSum>, {"axis"});
  AddKernel(kernels, "Cumprod", MakeScan<cuda::Scan::kProd>, {"axis"});
  AddKernel(kernels, "Softmax", MakeSoftmax<false>);
  AddKernel(kernels, "LogSoftmax", MakeSoftmax<true>);
  AddKernel(kernels, "TopK", MakeTopK);
  AddKernel(kernels, "TopKV2", MakeTopKV2, {"k"});
  AddKernel(kernels, "FusedBatchNorm", MakeBatchNorm);
  AddKernel(kernels, "FusedBatchNormV2", MakeBatchNorm);
  AddKernel(kernels, "FusedBatchNormV3", MakeBatchNorm);
}

}  // namespace savedmodel
