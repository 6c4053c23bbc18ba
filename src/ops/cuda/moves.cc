// Ops on the GPU that only move elements: each is one strided copy, or a few.
#include <algorithm>

#include "kernels/cuda/elementwise.h"
#include "ops/arguments.h"
#include "ops/array/pad_sizes.h"
#include "ops/array/strided_slice_plan.h"
#include "ops/cuda/cuda_kernel.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

// A copy that goes over `shape`, which has few enough dimensions.
absl::StatusOr<cuda::StridedCopy> CopyOver(const TensorShape& shape, const std::vector<int64_t>& from, const std::vector<int64_t>& to, DataType type) {
  if (shape.rank() > cuda::kMaxCopyDims) return absl::UnimplementedError(absl::StrCat("no CUDA kernel for ", shape.rank(), " dimensions"));
  cuda::StridedCopy copy;
  copy.size = SizeOf(type);
  for (int d = 0; d < shape.rank(); ++d) copy.Add(shape.dim(d), from[static_cast<size_t>(d)], to[static_cast<size_t>(d)]);
  return copy;
}

absl::Status Copy(CudaRun& run, const cuda::StridedCopy& copy, const Tensor& from, Tensor* to) {
  return run.Done(cuda::RunStridedCopy(run.handle(), copy, from.raw(), to->raw()));
}

absl::Status FillZeros(CudaRun& run, Tensor* tensor) {
  const uint64_t zero[2] = {};
  return run.Done(cuda::RunFill(run.handle(), SizeOf(tensor->dtype()), zero, tensor->raw(), tensor->num_elements()));
}

// Wraps a function that needs nothing from before the run; inputs of too many dimensions are the CPU's.
template <absl::Status (*kRun)(CudaRun&), int kTensor = 0, int kRank = 8>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, kTensor, kRank));
  return MakeCudaKernel([](CudaRun& run) { return kRun(run); });
}

absl::Status Transpose(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> perm, IntVector(run.context(), 1, "perm"));
  SM_CHECK_ARGUMENT(static_cast<int>(perm.size()) == x.rank(), "transpose expects a vector of size ", x.rank(), ". But input(1) is a vector of size ", perm.size());
  const std::vector<int64_t> steps = StepsOf(x.shape());
  TensorShape shape;
  std::vector<int64_t> from;
  std::vector<char> seen(perm.size(), 0);
  for (int64_t p : perm) {
    SM_ASSIGN_OR_RETURN(const int d, NormalizeAxis(p, x.rank(), "perm"));
    SM_CHECK_ARGUMENT(!seen[static_cast<size_t>(d)], "dimension ", d, " stands twice in perm");
    seen[static_cast<size_t>(d)] = 1;
    shape.AddDim(x.dim(d));
    from.push_back(steps[static_cast<size_t>(d)]);
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  SM_ASSIGN_OR_RETURN(const cuda::StridedCopy copy, CopyOver(shape, from, StepsOf(shape), x.dtype()));
  return Copy(run, copy, x, out);
}

absl::Status Slice(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, IntVector(run.context(), 1, "begin"));
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> size, IntVector(run.context(), 2, "size"));
  SM_CHECK_ARGUMENT(static_cast<int>(begin.size()) == x.rank() && static_cast<int>(size.size()) == x.rank(),
                    "Expected begin and size arguments to be 1-D tensors of size ", x.rank(), ", but got ", begin.size(), " and ", size.size());
  const std::vector<int64_t> steps = StepsOf(x.shape());
  TensorShape shape;
  int64_t offset = 0;
  for (int d = 0; d < x.rank(); ++d) {
    const size_t i = static_cast<size_t>(d);
    SM_CHECK_ARGUMENT(begin[i] >= 0 && begin[i] <= x.dim(d), "Expected begin[", d, "] in [0, ", x.dim(d), "], but got ", begin[i]);
    if (size[i] == -1) size[i] = x.dim(d) - begin[i];
    SM_CHECK_ARGUMENT(size[i] >= 0 && size[i] <= x.dim(d) - begin[i], "Expected size[", d, "] in [0, ", x.dim(d) - begin[i], "], but got ", size[i]);
    shape.AddDim(size[i]);
    offset += begin[i] * steps[i];
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  SM_ASSIGN_OR_RETURN(cuda::StridedCopy copy, CopyOver(shape, steps, StepsOf(shape), x.dtype()));
  copy.from_offset = offset;
  return Copy(run, copy, x, out);
}

absl::StatusOr<KernelPtr> MakeStridedSlice(KernelInit& init) {
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, 0, 8));
  return MakeCudaKernel([masks = StridedSliceMasks::Of(init.attrs())](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const StridedSlicePlan plan, PlanStridedSlice(x.shape(), run.input(1), run.input(2), run.input(3), masks));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, plan.shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    const Dims steps = plan.Steps(x.shape());
    SM_ASSIGN_OR_RETURN(cuda::StridedCopy copy,
                        CopyOver(TensorShape(plan.size), std::vector<int64_t>(steps.begin(), steps.end()), StepsOf(TensorShape(plan.size)), x.dtype()));
    copy.from_offset = plan.Offset(x.shape());
    return Copy(run, copy, x, out);
  });
}

// Inputs first .. first + n - 1 one behind the other along dimension `axis` of output 0.
absl::Status Concatenate(CudaRun& run, int first, int n, int64_t axis_value) {
  const TensorShape& head = run.input(first).shape();
  SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(axis_value, head.rank(), "concat_dim"));
  TensorShape shape = head;
  int64_t total = 0;
  for (int i = first; i < first + n; ++i) {
    const TensorShape& part = run.input(i).shape();
    TensorShape same = part;
    SM_CHECK_ARGUMENT(part.rank() == head.rank(), "ConcatOp : Ranks of all input tensors should match: shape[0] = ", head.ToString(), " vs. shape[", i - first,
                      "] = ", part.ToString());
    same.set_dim(axis, head.dim(axis));
    SM_CHECK_ARGUMENT(same == head, "ConcatOp : Dimension ", axis, " in both shapes must be equal: shape[0] = ", head.ToString(), " vs. shape[", i - first,
                      "] = ", part.ToString());
    total += part.dim(axis);
  }
  shape.set_dim(axis, total);
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  if (out->num_elements() == 0) return absl::OkStatus();
  const int64_t outer = shape.Product(0, axis), inner = shape.Product(axis + 1, shape.rank());
  int64_t at = 0;
  for (int i = first; i < first + n; ++i) {
    const Tensor& part = run.input(i);
    const int64_t width = part.dim(axis) * inner;
    if (part.num_elements() == 0) continue;
    cuda::StridedCopy copy;
    copy.size = SizeOf(part.dtype());
    copy.to_offset = at;
    copy.Add(outer, width, total * inner);
    copy.Add(width, 1, 1);
    SM_RETURN_IF_ERROR(Copy(run, copy, part, out));
    at += width;
  }
  return absl::OkStatus();
}

absl::Status ConcatV2(CudaRun& run) {
  const int n = run.context().num_inputs() - 1;
  SM_ASSIGN_OR_RETURN(const int64_t axis, IntScalar(run.context(), n, "axis"));
  return Concatenate(run, 0, n, axis);
}
absl::Status Concat(CudaRun& run) {
  SM_ASSIGN_OR_RETURN(const int64_t axis, IntScalar(run.context(), 0, "concat_dim"));
  return Concatenate(run, 1, run.context().num_inputs() - 1, axis);
}

// Cuts `x` into the outputs along `axis`, output i taking sizes[i].
absl::Status Cut(CudaRun& run, const Tensor& x, int axis, const std::vector<int64_t>& sizes) {
  const int64_t outer = x.shape().Product(0, axis), inner = x.shape().Product(axis + 1, x.rank()), total = x.dim(axis) * inner;
  int64_t at = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    TensorShape shape = x.shape();
    shape.set_dim(axis, sizes[i]);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(static_cast<int>(i), shape));
    const int64_t width = sizes[i] * inner;
    if (out->num_elements() > 0) {
      cuda::StridedCopy copy;
      copy.size = SizeOf(x.dtype());
      copy.from_offset = at;
      copy.Add(outer, total, width);
      copy.Add(width, 1, 1);
      SM_RETURN_IF_ERROR(Copy(run, copy, x, out));
    }
    at += width;
  }
  return absl::OkStatus();
}

absl::Status Split(CudaRun& run) {
  const Tensor& x = run.input(1);
  SM_ASSIGN_OR_RETURN(const int64_t dim, IntScalar(run.context(), 0, "split_dim"));
  SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(dim, x.rank(), "split_dim"));
  const int64_t n = run.context().num_outputs();
  SM_CHECK_ARGUMENT(x.dim(axis) % n == 0, "Number of ways to split should evenly divide the split dimension, but got split_dim ", axis, " (size = ", x.dim(axis),
                    ") and num_split ", n);
  return Cut(run, x, axis, std::vector<int64_t>(static_cast<size_t>(n), x.dim(axis) / n));
}

absl::Status SplitV(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, IntVector(run.context(), 1, "size_splits"));
  SM_ASSIGN_OR_RETURN(const int64_t dim, IntScalar(run.context(), 2, "split_dim"));
  SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(dim, x.rank(), "split_dim"));
  SM_CHECK_ARGUMENT(static_cast<int>(sizes.size()) == run.context().num_outputs(), "size_splits must have ", run.context().num_outputs(), " entries, has ",
                    sizes.size());
  int64_t rest = x.dim(axis);
  int64_t* open = nullptr;
  for (int64_t& size : sizes) {
    if (size == -1) {
      SM_CHECK_ARGUMENT(open == nullptr, "There can only be one -1 in the input.");
      open = &size;
      continue;
    }
    SM_CHECK_ARGUMENT(size >= 0 && size <= rest, "Split size at index must be >= 0 and the sizes must sum to the dimension along the axis: ", size, " of ",
                      x.dim(axis));
    rest -= size;
  }
  if (open != nullptr) *open = rest;
  SM_CHECK_ARGUMENT(open != nullptr || rest == 0, "Determined shape must either match input shape along split_dim exactly if fully specified: ", rest,
                    " elements are left");
  return Cut(run, x, axis, sizes);
}

absl::StatusOr<KernelPtr> MakePack(KernelInit& init) {
  return MakeCudaKernel([axis = init.attrs().Int("axis")](CudaRun& run) -> absl::Status {
    const TensorShape& part = run.input(0).shape();
    const int n = run.context().num_inputs();
    SM_ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, part.rank() + 1));
    TensorShape shape = part;
    shape.InsertDim(at, n);
    for (int i = 1; i < n; ++i) {
      SM_CHECK_ARGUMENT(run.input(i).shape() == part, "Shapes of all inputs must match: values[0].shape = ", part.ToString(), " != values[", i,
                        "].shape = ", run.input(i).shape().ToString());
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    const int64_t outer = part.Product(0, at), inner = part.Product(at, part.rank());
    for (int i = 0; i < n; ++i) {
      cuda::StridedCopy copy;
      copy.size = SizeOf(out->dtype());
      copy.to_offset = i * inner;
      copy.Add(outer, inner, n * inner);
      copy.Add(inner, 1, 1);
      SM_RETURN_IF_ERROR(Copy(run, copy, run.input(i), out));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeUnpack(KernelInit& init) {
  return MakeCudaKernel([axis = init.attrs().Int("axis")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, x.rank()));
    const int n = run.context().num_outputs();
    SM_CHECK_ARGUMENT(x.dim(at) == n, "Input shape axis ", at, " must equal ", n, ", got shape ", x.shape().ToString());
    TensorShape shape = x.shape();
    shape.RemoveDim(at);
    const int64_t outer = x.shape().Product(0, at), inner = x.shape().Product(at + 1, x.rank());
    for (int i = 0; i < n; ++i) {
      SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(i, shape));
      if (out->num_elements() == 0) continue;
      cuda::StridedCopy copy;
      copy.size = SizeOf(x.dtype());
      copy.from_offset = i * inner;
      copy.Add(outer, n * inner, inner);
      copy.Add(inner, 1, 1);
      SM_RETURN_IF_ERROR(Copy(run, copy, x, out));
    }
    return absl::OkStatus();
  });
}

absl::Status Pad(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const std::vector<PadSize> sizes, PadSizes(run.input(1), x.rank()));
  TensorShape shape;
  for (int d = 0; d < x.rank(); ++d) {
    const int64_t padded = PaddedDimension(x.dim(d), sizes[static_cast<size_t>(d)]);
    SM_CHECK_ARGUMENT(padded >= 0, "the padded dimension ", d, " is too large");
    shape.AddDim(padded);
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  const uint64_t zero[2] = {};
  const bool has_value = run.context().num_inputs() > 2;  // on the host
  SM_CHECK_ARGUMENT(!has_value || run.input(2).rank() == 0, "constant_values must be a scalar. Found: ", run.context().num_inputs() > 2 ? run.input(2).shape().ToString() : "");
  SM_RETURN_IF_ERROR(run.Done(
      cuda::RunFill(run.handle(), SizeOf(x.dtype()), has_value ? run.input(2).raw() : static_cast<const void*>(zero), out->raw(), out->num_elements())));
  if (x.num_elements() == 0) return absl::OkStatus();
  const std::vector<int64_t> to = StepsOf(shape);
  SM_ASSIGN_OR_RETURN(cuda::StridedCopy copy, CopyOver(x.shape(), StepsOf(x.shape()), to, x.dtype()));
  for (int d = 0; d < x.rank(); ++d) copy.to_offset += sizes[static_cast<size_t>(d)].before * to[static_cast<size_t>(d)];
  return Copy(run, copy, x, out);
}

absl::StatusOr<KernelPtr> MakeMirrorPad(KernelInit& init) {
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, 0, 8));
  const bool reflect = init.attrs().String("mode") == "REFLECT";
  return MakeCudaKernel([reflect](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const std::vector<PadSize> sizes, PadSizes(run.input(1), x.rank()));
    if (x.rank() > 8) return absl::UnimplementedError("no CUDA kernel for more than 8 dimensions");
    cuda::MirrorShape plan;
    plan.size = SizeOf(x.dtype());
    plan.rank = x.rank();
    plan.skip_edge = reflect ? 1 : 0;
    TensorShape shape;
    for (int d = 0; d < x.rank(); ++d) {
      const PadSize& size = sizes[static_cast<size_t>(d)];
      const int64_t most = x.dim(d) - plan.skip_edge;
      SM_CHECK_ARGUMENT(size.before <= most && size.after <= most, "paddings must be no greater than the dimension size", reflect ? " - 1" : "", ": ", size.before,
                        ", ", size.after, " greater than ", most);
      plan.in[d] = x.dim(d);
      plan.before[d] = size.before;
      plan.out[d] = x.dim(d) + size.before + size.after;
      shape.AddDim(plan.out[d]);
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    return run.Done(cuda::RunMirrorPad(run.handle(), plan, x.raw(), out->raw()));
  });
}

absl::Status Tile(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> multiples, IntVector(run.context(), 1, "multiples"));
  SM_CHECK_ARGUMENT(static_cast<int>(multiples.size()) == x.rank(), "Expected multiples argument to be a vector of length ", x.rank(), " but got length ",
                    multiples.size());
  if (x.rank() * 2 > cuda::kMaxCopyDims) return absl::UnimplementedError("no CUDA kernel for so many dimensions");
  TensorShape shape;
  for (int d = 0; d < x.rank(); ++d) {
    const int64_t times = multiples[static_cast<size_t>(d)];
    int64_t size;
    SM_CHECK_ARGUMENT(times >= 0, "Expected multiples[", d, "] >= 0, but got ", times);
    SM_CHECK_ARGUMENT(!__builtin_mul_overflow(times, x.dim(d), &size), "dimension ", d, " of the result is too large");
    shape.AddDim(size);
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  if (out->num_elements() == 0) return absl::OkStatus();
  const std::vector<int64_t> from = StepsOf(x.shape()), to = StepsOf(shape);
  cuda::StridedCopy copy;
  copy.size = SizeOf(x.dtype());
  for (size_t d = 0; d < multiples.size(); ++d) {
    copy.Add(multiples[d], 0, x.dim(static_cast<int>(d)) * to[d]);
    copy.Add(x.dim(static_cast<int>(d)), from[d], to[d]);
  }
  return Copy(run, copy, x, out);
}

absl::Status BroadcastToShape(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeInput(run.context(), 1, "shape"));
  SM_CHECK_ARGUMENT(x.rank() <= shape.rank(), "Rank of input (", x.rank(), ") must be no greater than rank of output shape (", shape.rank(), ").");
  std::vector<int64_t> from(static_cast<size_t>(shape.rank()), 0);
  const std::vector<int64_t> steps = StepsOf(x.shape());
  for (int d = 0; d < x.rank(); ++d) {
    const int at = d + shape.rank() - x.rank();
    SM_CHECK_ARGUMENT(x.dim(d) == shape.dim(at) || x.dim(d) == 1, "Incompatible shapes: ", x.shape().ToString(), " vs. ", shape.ToString());
    if (x.dim(d) != 1) from[static_cast<size_t>(at)] = steps[static_cast<size_t>(d)];
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  SM_ASSIGN_OR_RETURN(const cuda::StridedCopy copy, CopyOver(shape, from, StepsOf(shape), x.dtype()));
  return Copy(run, copy, x, out);
}

absl::Status Reverse(CudaRun& run, const std::vector<char>& reversed) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const std::vector<int64_t> steps = StepsOf(x.shape());
  SM_ASSIGN_OR_RETURN(cuda::StridedCopy copy, CopyOver(x.shape(), steps, steps, x.dtype()));
  for (size_t d = 0; d < reversed.size(); ++d) {
    if (!reversed[d]) continue;
    copy.from_offset += (x.dim(static_cast<int>(d)) - 1) * steps[d];
    copy.from_steps[d] = -steps[d];
  }
  return Copy(run, copy, x, out);
}

absl::Status ReverseV2(CudaRun& run) {
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntVector(run.context(), 1, "axis"));
  std::vector<char> reversed(static_cast<size_t>(run.input(0).rank()), 0);
  for (int64_t a : axes) {
    SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(a, run.input(0).rank()));
    SM_CHECK_ARGUMENT(!reversed[static_cast<size_t>(axis)], "axis ", axis, " specified more than once.");
    reversed[static_cast<size_t>(axis)] = 1;
  }
  return Reverse(run, reversed);
}

// Two halves for each dimension that is rolled: copies for all combinations.
absl::Status Roll(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_CHECK_ARGUMENT(x.rank() >= 1, "input must be 1-D or higher");
  SM_CHECK_ARGUMENT(run.input(1).shape() == run.input(2).shape(), "shift and axis must have the same size");
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> shifts, IntVector(run.context(), 1, "shift"));
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntVector(run.context(), 2, "axis"));
  std::vector<int64_t> by(static_cast<size_t>(x.rank()), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    SM_ASSIGN_OR_RETURN(const int axis, NormalizeAxis(axes[i], x.rank()));
    const int64_t size = std::max<int64_t>(x.dim(axis), 1);
    int64_t& sum = by[static_cast<size_t>(axis)];
    sum = ((sum + shifts[i] % size) % size + size) % size;
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const std::vector<int64_t> steps = StepsOf(x.shape());
  for (int part = 0; part < (1 << x.rank()); ++part) {
    cuda::StridedCopy copy;
    copy.size = SizeOf(x.dtype());
    bool empty = false;
    for (int d = 0; d < x.rank(); ++d) {
      const size_t i = static_cast<size_t>(d);
      const bool second = ((part >> d) & 1) != 0;  // what comes round to the front
      const int64_t size = second ? by[i] : x.dim(d) - by[i];
      empty = empty || size == 0;
      copy.from_offset += (second ? x.dim(d) - by[i] : 0) * steps[i];
      copy.to_offset += (second ? 0 : by[i]) * steps[i];
      copy.Add(size, steps[i], steps[i]);
    }
    if (!empty) SM_RETURN_IF_ERROR(Copy(run, copy, x, out));
  }
  return absl::OkStatus();
}

// Blocks of pixels to channels (or back): a transposition of six dimensions. NHWC.
template <bool kToDepth>
absl::StatusOr<KernelPtr> MakeDepth(KernelInit& init) {
  if (init.attrs().String("data_format") != "NHWC") return absl::UnimplementedError("no CUDA kernel for this data_format");
  return MakeCudaKernel([block = init.attrs().Int("block_size")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() == 4, "Input rank should be 4 instead of: ", x.rank());
    const int64_t b = x.dim(0), squared = block * block;
    SM_CHECK_ARGUMENT(block > 1 && block < 1 << 20, "Block size should be > 1, is ", block);
    // Small: the picture with few pixels and many channels.
    const int64_t h = kToDepth ? x.dim(1) / block : x.dim(1), w = kToDepth ? x.dim(2) / block : x.dim(2), c = kToDepth ? x.dim(3) : x.dim(3) / squared;
    SM_CHECK_ARGUMENT(kToDepth ? x.dim(1) % block == 0 && x.dim(2) % block == 0 : x.dim(3) % squared == 0, "Input shape ", x.shape().ToString(),
                      " should be divisible by the block size ", block);
    const TensorShape large({b, h * block, w * block, c}), small({b, h, w, c * squared});
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, kToDepth ? small : large));
    cuda::StridedCopy copy;
    copy.size = SizeOf(x.dtype());
    const int64_t row = w * block * c, pixels = h * w;
    auto add = [&](int64_t dim, int64_t in_large, int64_t in_small) { copy.Add(dim, kToDepth ? in_large : in_small, kToDepth ? in_small : in_large); };
    add(b, h * block * row, pixels * squared * c);
    add(h, block * row, w * squared * c);
    add(block, row, block * c);
    add(w, block * c, squared * c);
    add(block, c, c);
    add(c, 1, 1);
    return Copy(run, copy, x, out);
  });
}

// SpaceToBatchND and BatchToSpaceND: the blocks' positions become (or were) the outermost part of the batch.
template <bool kToBatch>
absl::Status SpaceBatch(CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> block, IntVector(run.context(), 1, "block_shape"));
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, IntsOf(run.input(2)));
  const size_t m = block.size();
  SM_CHECK_ARGUMENT(run.input(2).rank() == 2 && run.input(2).dim(1) == 2 && pads.size() == 2 * m, "paddings should have shape [", m, ", 2] instead of ",
                    run.input(2).shape().ToString());
  SM_CHECK_ARGUMENT(x.rank() > static_cast<int>(m), "input rank should be >= ", m + 1, " instead of ", x.rank());
  if (m > 3 || x.rank() > 8) return absl::UnimplementedError("no CUDA kernel for so many block dimensions");
  int64_t blocks = 1;
  for (size_t i = 0; i < m; ++i) {
    SM_CHECK_ARGUMENT(block[i] >= 1 && block[i] < 1 << 20, "All values in block_shape must be positive, got value, ", block[i], " at index ", i, ".");
    SM_CHECK_ARGUMENT(pads[2 * i] >= 0 && pads[2 * i + 1] >= 0 && pads[2 * i] < int64_t{1} << 40 && pads[2 * i + 1] < int64_t{1} << 40,
                      "paddings must be non-negative: ", pads[2 * i], " ", pads[2 * i + 1]);
    blocks *= block[i];
    SM_CHECK_ARGUMENT(blocks < int64_t{1} << 40, "block_shape is too large");
  }
  SM_CHECK_ARGUMENT(kToBatch || x.dim(0) % blocks == 0, "Input batch dimension (", x.dim(0), ") is not divisible by product of block sizes (", blocks, ")");
  TensorShape shape = x.shape();
  shape.set_dim(0, kToBatch ? x.dim(0) * blocks : x.dim(0) / blocks);
  for (size_t i = 0; i < m; ++i) {
    const int d = static_cast<int>(i) + 1;
    if (kToBatch) {
      const int64_t padded = x.dim(d) + pads[2 * i] + pads[2 * i + 1];
      SM_CHECK_ARGUMENT(padded % block[i] == 0, "padded_shape[", i, "]=", padded, " is not divisible by block_shape[", i, "]=", block[i]);
      shape.set_dim(d, padded / block[i]);
    } else {
      const int64_t cropped = x.dim(d) * block[i] - pads[2 * i] - pads[2 * i + 1];
      SM_CHECK_ARGUMENT(cropped >= 0, "cropped_shape[", i, "]=", cropped, " must be non-negative");
      shape.set_dim(d, cropped);
    }
  }
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  if (kToBatch) SM_RETURN_IF_ERROR(FillZeros(run, out));
  if (out->num_elements() == 0 || x.num_elements() == 0) return absl::OkStatus();
  // For each place in a block, the pixels of the space side that are there, with a step of the block.
  const TensorShape &space = kToBatch ? x.shape() : shape, &batch = kToBatch ? shape : x.shape();
  const std::vector<int64_t> space_steps = StepsOf(space), batch_steps = StepsOf(batch);
  for (int64_t place = 0; place < blocks; ++place) {
    cuda::StridedCopy copy;
    copy.size = SizeOf(x.dtype());
    int64_t in_space = 0, in_batch = place * space.dim(0) * batch_steps[0];
    copy.Add(space.dim(0), kToBatch ? space_steps[0] : batch_steps[0], kToBatch ? batch_steps[0] : space_steps[0]);
    int64_t rest = place;
    std::vector<int64_t> at(m);
    for (size_t i = m; i-- > 0;) {
      at[i] = rest % block[i];
      rest /= block[i];
    }
    for (size_t i = 0; i < m; ++i) {
      const int d = static_cast<int>(i) + 1;
      // Pixel p of the space side is position (p + pads) / block of the batch side, in the place (p + pads) % block.
      const int64_t first = ((at[i] - pads[2 * i]) % block[i] + block[i]) % block[i];
      const int64_t count = first < space.dim(d) ? (space.dim(d) - first + block[i] - 1) / block[i] : 0;
      in_space += first * space_steps[i + 1];
      in_batch += (first + pads[2 * i]) / block[i] * batch_steps[i + 1];
      const int64_t space_step = block[i] * space_steps[i + 1];
      copy.Add(count, kToBatch ? space_step : batch_steps[i + 1], kToBatch ? batch_steps[i + 1] : space_step);
    }
    const int64_t inner = space_steps[m];
    copy.Add(inner, 1, 1);
    copy.from_offset = kToBatch ? in_space : in_batch;
    copy.to_offset = kToBatch ? in_batch : in_space;
    SM_RETURN_IF_ERROR(Copy(run, copy, x, out));
  }
  return absl::OkStatus();
}

absl::Status Fill(CudaRun& run) {
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeInput(run.context(), 0, "dims"));
  SM_CHECK_ARGUMENT(run.input(1).rank() == 0, "value must be a scalar, got shape ", run.input(1).shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
  return run.Done(cuda::RunFill(run.handle(), SizeOf(out->dtype()), run.input(1).raw(), out->raw(), out->num_elements()));
}

absl::Status ZerosLike(CudaRun& run) {
  SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, run.input(0).shape()));
  return FillZeros(run, out);
}

template <typename T>
absl::Status OnesOf(CudaRun& run, Tensor* out, T one) {
  return run.Done(cuda::RunFill(run.handle(), SizeOf(out->dtype()), &one, out->raw(), out->num_elements()));
}
absl::StatusOr<KernelPtr> MakeOnesLike(KernelInit& init) {
  if (!IsCudaNumber(init.input_dtype(0)) && init.input_dtype(0) != DataType::kBool) return WrongType(init.input_dtype(0));
  return MakeCudaKernel([](CudaRun& run) -> absl::Status {
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, run.input(0).shape()));
    switch (out->dtype()) {
      case DataType::kFloat: return OnesOf(run, out, 1.0f);
      case DataType::kDouble: return OnesOf(run, out, 1.0);
      case DataType::kHalf: return OnesOf(run, out, Half(1.0f));
      case DataType::kBFloat16: return OnesOf(run, out, BFloat16(1.0f));
      default: return OnesOf(run, out, uint64_t{1});  // little endian: the low bytes are the 1 of every width
    }
  });
}

}  // namespace

void AddMoves(DeviceKernels* kernels) {
  AddKernel(kernels, "Transpose", Make<Transpose>, {"perm"});
  AddKernel(kernels, "Slice", Make<Slice>, {"begin", "size"});
  AddKernel(kernels, "StridedSlice", MakeStridedSlice, {"begin", "end", "strides"});
  AddKernel(kernels, "ConcatV2", Make<ConcatV2>, {"axis"});
  AddKernel(kernels, "Concat", Make<Concat, 1>, {"concat_dim"});
  AddKernel(kernels, "Split", Make<Split, 1>, {"split_dim"});
  AddKernel(kernels, "SplitV", Make<SplitV>, {"size_splits", "split_dim"});
  AddKernel(kernels, "Pack", MakePack);
  AddKernel(kernels, "Unpack", MakeUnpack);
  AddKernel(kernels, "Pad", Make<Pad>, {"paddings"});
  AddKernel(kernels, "PadV2", Make<Pad>, {"paddings", "constant_values"});
  AddKernel(kernels, "MirrorPad", MakeMirrorPad, {"paddings"});
  AddKernel(kernels, "Tile", Make<Tile>, {"multiples"});
  AddKernel(kernels, "BroadcastTo", Make<BroadcastToShape>, {"shape"});
  AddKernel(kernels, "ReverseV2", Make<ReverseV2>, {"axis"});
  AddKernel(kernels, "Roll", Make<Roll>, {"shift", "axis"});
  AddKernel(kernels, "SpaceToDepth", MakeDepth<true>);
  AddKernel(kernels, "DepthToSpace", MakeDepth<false>);
  AddKernel(kernels, "SpaceToBatchND", Make<SpaceBatch<true>>, {"block_shape", "paddings"});
  AddKernel(kernels, "BatchToSpaceND", Make<SpaceBatch<false>>, {"block_shape", "crops"});
  AddKernel(kernels, "Fill", Make<Fill>, {"dims", "value"});
  AddKernel(kernels, "ZerosLike", Make<ZerosLike>);
  AddKernel(kernels, "OnesLike", MakeOnesLike);
}

}  // namespace savedmodel
