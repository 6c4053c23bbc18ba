// TopK, TopKV2 and ApproxTopK (exact here, as in the reference): the k largest of each row and where they are, largest
// first, of equal ones the first. Not sorted, they come in the order of the heap that selects them.
#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// The places of the k largest of row[0, n), k < n, in `heap`, which has room for k + 1.
template <typename T>
void Select(const T* row, int32_t n, int64_t k, bool sorted, std::vector<int32_t>* heap) {
  // True if a is to be kept rather than b.
  const auto better = [row](int32_t a, int32_t b) {
    if (row[b] < row[a]) return true;
    if (row[a] < row[b]) return false;
    return a < b;
  };
  // The heap has the worst in front. The first k + 1 places make a heap that the worst leaves; after that a new one takes the
  // place of the worst.
  heap->resize(static_cast<size_t>(k) + 1);
  std::iota(heap->begin(), heap->end(), 0);
  std::make_heap(heap->begin(), heap->end(), better);
  std::pop_heap(heap->begin(), heap->end(), better);
  heap->pop_back();
  for (int32_t i = static_cast<int32_t>(k) + 1; i < n; ++i) {
    if (!better(i, heap->front())) continue;
    std::pop_heap(heap->begin(), heap->end(), better);
    heap->back() = i;
    std::push_heap(heap->begin(), heap->end(), better);
  }
  if (sorted) std::sort_heap(heap->begin(), heap->end(), better);
}

template <typename T>
void RowPlaces(const T* row, int32_t n, int64_t k, bool sorted, std::vector<int32_t>* places) {
  if (k == 1) {
    // The first of the largest; with no NaN at the start, a NaN never wins.
    places->assign(1, 0);
    for (int32_t i = 1; i < n; ++i) {
      if (row[places->front()] < row[i]) places->front() = i;
    }
  } else if (k == n) {
    places->resize(static_cast<size_t>(n));
    std::iota(places->begin(), places->end(), 0);
    std::stable_sort(places->begin(), places->end(), [row](int32_t a, int32_t b) { return row[b] < row[a]; });
  } else {
    Select(row, n, k, sorted, places);
  }
}

void WritePlaces(const std::vector<int32_t>& places, int64_t offset, Tensor* out) {
  switch (out->dtype()) {
    case DataType::kInt16: std::copy(places.begin(), places.end(), out->data<int16_t>() + offset); break;
    case DataType::kInt32: std::copy(places.begin(), places.end(), out->data<int32_t>() + offset); break;
    default: std::copy(places.begin(), places.end(), out->data<int64_t>() + offset);
  }
}

template <typename T>
absl::Status Run(KernelContext& context, int64_t k, bool sorted) {
  const Tensor& input = context.input(0);
  SM_CHECK_ARGUMENT(k >= 0, "Need k >= 0, got ", k);
  SM_CHECK_ARGUMENT(input.rank() >= 1, "input must be >= 1-D, got shape ", input.shape().ToString());
  const int64_t n = input.dim(input.rank() - 1);
  SM_CHECK_ARGUMENT(n >= k, "input must have at least k columns. Had ", n, ", needed ", k);
  const int64_t most = context.output_dtype(1) == DataType::kInt16 ? std::numeric_limits<int16_t>::max() : std::numeric_limits<int32_t>::max();
  SM_CHECK_ARGUMENT(n < most, "Second dimension of flattened input must be <= ", most, ", got ", n);
  TensorShape shape = input.shape();
  shape.set_dim(input.rank() - 1, k);
  SM_ASSIGN_OR_RETURN(Tensor* values, context.Output(0, shape));
  SM_ASSIGN_OR_RETURN(Tensor* indices, context.Output(1, shape));
  if (values->num_elements() == 0) return absl::OkStatus();
  context.pool().ParallelFor(input.num_elements() / n, 4096 / n + 1, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> places;
    for (int64_t r = begin; r < end; ++r) {
      const T* row = input.data<T>() + r * n;
      RowPlaces(row, static_cast<int32_t>(n), k, sorted, &places);
      for (size_t i = 0; i < places.size(); ++i) values->data<T>()[r * k + static_cast<int64_t>(i)] = row[places[i]];
      WritePlaces(places, r * k, indices);
    }
  });
  return absl::OkStatus();
}

// k as an attribute.
template <bool kSorted>
absl::StatusOr<KernelPtr> MakeFixed(KernelInit& init) {
  const int64_t k = init.attrs().Int("k");
  const bool sorted = kSorted || init.attrs().Bool("sorted");
  return Dispatch<RealTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([k, sorted](KernelContext& context) { return Run<T>(context, k, sorted); });
  });
}

absl::StatusOr<KernelPtr> MakeV2(KernelInit& init) {
  const bool sorted = init.attrs().Bool("sorted");
  return Dispatch<RealTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([sorted](KernelContext& context) -> absl::Status {
      SM_RETURN_IF_ERROR(CheckScalar(context, 1, "k"));
      SM_ASSIGN_OR_RETURN(const int64_t k, IntScalar(context, 1, "k"));
      return Run<T>(context, k, sorted);
    });
  });
}

absl::StatusOr<KernelPtr> MakeApprox(KernelInit& init) {
  const PartialShape& input = init.input_shape(0);
  const int64_t dim = init.attrs().Int("reduction_dimension");
  if (!init.attrs().Bool("is_max_k") || (dim != -1 && !(input.known_rank() && dim == input.rank() - 1))) {
    return absl::UnimplementedError("ApproxTopK is there for the largest of the last dimension only");
  }
  return MakeFixed<true>(init);
}

absl::Status InferWith(InferContext& context, int64_t k) {
  PartialShape shape = context.input(0);
  SM_CHECK_ARGUMENT(shape.rank() != 0, "input must be >= 1-D, got shape ", shape.ToString());
  if (!shape.known_rank()) return absl::OkStatus();
  const int64_t n = shape.dim(shape.rank() - 1);
  SM_CHECK_ARGUMENT(n < 0 || n >= k, "input must have last dimension >= k = ", k, " but is ", n);
  shape.set_dim(shape.rank() - 1, k);
  context.set_output(0, shape);
  context.set_output(1, shape);
  return absl::OkStatus();
}

absl::Status InferFixed(InferContext& context) {
  const int64_t k = context.attrs().Int("k");
  SM_CHECK_ARGUMENT(k >= 0, "Need k >= 0, got ", k);
  return InferWith(context, k);
}

absl::Status InferV2(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 0));
  int64_t k = -1;
  if (context.constant(1) != nullptr && context.constant(1)->num_elements() == 1) {
    SM_ASSIGN_OR_RETURN(const std::vector<int64_t> values, IntsOf(*context.constant(1)));
    k = values[0];
    SM_CHECK_ARGUMENT(k >= 0, "Need k >= 0, got ", k);
  }
  return InferWith(context, k);
}

// Along another dimension than the last, the rule still holds: what cannot run is refused by the factory.
absl::Status InferApprox(InferContext& context) {
  PartialShape shape = context.input(0);
  SM_CHECK_ARGUMENT(shape.rank() != 0, "input must be >= 1-D, got shape ", shape.ToString());
  if (!shape.known_rank()) return absl::OkStatus();
  int64_t dim = context.attrs().Int("reduction_dimension");
  SM_CHECK_ARGUMENT(dim >= -shape.rank() && dim < shape.rank(), "reduction_dimension is ", dim, ", the input has rank ", shape.rank());
  if (dim < 0) dim += shape.rank();
  if (dim != shape.rank() - 1) return absl::OkStatus();
  return InferFixed(context);
}

}  // namespace

void DefineTopK(OpTable& ops) {
  ops.Add({.name = "TopK",
           .inputs = "input: T",
           .outputs = "values: T; indices: int32",
           .attrs = "k: int >= 0; sorted: bool = true; T: realnumbertype",
           .infer = InferFixed,
           .cpu = MakeFixed<false>});
  ops.Add({.name = "TopKV2",
           .inputs = "input: T; k: Tk",
           .outputs = "values: T; indices: index_type",
           .attrs = "sorted: bool = true; T: realnumbertype; Tk: {int16, int32, int64} = DT_INT32; index_type: {int16, int32, int64} = DT_INT32",
           .infer = InferV2,
           .cpu = MakeV2});
  ops.Add({.name = "ApproxTopK",
           .inputs = "input: T",
           .outputs = "values: T; indices: int32",
           .attrs = "k: int >= 0; reduction_dimension: int = -1; recall_target: float = 0.95; is_max_k: bool = true; "
                    "reduction_input_size_override: int = -1; aggregate_to_topk: bool = true; T: {half, bfloat16, float}",
           .infer = InferApprox,
           .cpu = MakeApprox});
}

}  // namespace savedmodel
