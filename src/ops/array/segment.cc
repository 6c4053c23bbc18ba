// SegmentSum, Mean, Prod, Max and Min join the rows of each segment, whose numbers do not decrease; missing segments are
// zero (one for Prod). UnsortedSegmentSum, Prod, Max and Min take segments in any order, skip negative numbers, and give
// missing segments the neutral value. The V2 forms, for which the reference has no CPU kernel, are the same.
#include <complex>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/array/combine.h"
#include "ops/array/strided_copy.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

enum class Fold { kSum, kMean, kProd, kMax, kMin };

Combine CombineOf(Fold fold) {
  switch (fold) {
    case Fold::kProd: return Combine::kMul;
    case Fold::kMax: return Combine::kMax;
    case Fold::kMin: return Combine::kMin;
    default: return Combine::kAdd;
  }
}

template <typename T>
T Limit(bool highest) {
  if constexpr (std::is_same_v<T, Half>) {
    return Half(highest ? 65504.f : -65504.f);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    BFloat16 value;
    value.bits = highest ? 0x7f7f : 0xff7f;
    return value;
  } else {
    return highest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
  }
}

// Fills `out` with what joins to nothing.
absl::Status FillNeutral(Fold fold, Tensor* out, ThreadPool& pool) {
  return DispatchAs<absl::Status, NumberTypes>(out->dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T value = T(fold == Fold::kProd ? 1 : 0);
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
      if (fold == Fold::kMax || fold == Fold::kMin) value = Limit<T>(fold == Fold::kMin);
    }
    FillRun(out->dtype(), &value, out->raw(), out->num_elements(), pool);
    return absl::OkStatus();
  });
}

// Fills `count` floats with what is below all others, or above.
absl::Status FillLimit(Fold fold, DataType type, void* data, int64_t count) {
  return Dispatch<FloatTypes>(type, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    const float infinity = std::numeric_limits<float>::infinity();
    std::fill_n(static_cast<T*>(data), count, static_cast<T>(fold == Fold::kMin ? infinity : -infinity));
    return absl::OkStatus();
  });
}

// Divides `count` elements by the number of rows that they are the sum of.
absl::Status Divide(DataType type, void* data, int64_t count, int64_t rows) {
  return DispatchAs<absl::Status, NumberTypes>(type, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T* values = static_cast<T*>(data);
    T divisor;
    if constexpr (std::is_integral_v<T> || std::is_same_v<T, double>) {
      divisor = static_cast<T>(rows);
    } else {
      divisor = T(static_cast<float>(rows));
    }
    if constexpr (std::is_integral_v<T>) {
      if (divisor == 0) return absl::OkStatus();  // as many rows as T has values
      if (std::is_signed_v<T> && divisor == static_cast<T>(-1)) {
        for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(0 - static_cast<uint64_t>(values[i]));
        return absl::OkStatus();
      }
    }
    for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(values[i] / divisor);
    return absl::OkStatus();
  });
}

// How elements join. Of two where one is NaN, `join` keeps the older unless that is NaN, `last` takes the newer: the reference does
// the former to whole vectors of `vector` elements of sorted segments, and the latter to the rest and to unsorted ones.
struct Joins {
  CombineFunction join, last;
  int64_t vector = 0;  // 0: no dtype with NaN, or an operation that keeps it
};

template <typename T, bool kMax>
void JoinLast(const void* in, void* out, int64_t count) {
  const T* newer = static_cast<const T*>(in);
  T* older = static_cast<T*>(out);
  for (int64_t i = 0; i < count; ++i) {
    const bool keep = kMax ? older[i] > newer[i] : older[i] < newer[i];
    if (!keep) older[i] = newer[i];
  }
}

absl::StatusOr<Joins> JoinsOf(DataType type, Fold fold) {
  SM_ASSIGN_OR_RETURN(const CombineFunction join, CombineFor(type, CombineOf(fold)));
  Joins joins{join, join};
  if ((fold != Fold::kMax && fold != Fold::kMin) || !IsFloating(type)) return joins;
  SM_RETURN_IF_ERROR(Dispatch<FloatTypes>(type, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    joins.last = fold == Fold::kMax ? &JoinLast<T, true> : &JoinLast<T, false>;
    return absl::OkStatus();
  }));
  joins.vector = type == DataType::kDouble ? 4 : 8;
  return joins;
}

// Rows [begin, end) of the data make row `id` of the result.
struct Segment {
  int64_t id, begin, end;
};

absl::StatusOr<std::vector<Segment>> Segments(const std::vector<int64_t>& ids) {
  std::vector<Segment> segments;
  for (size_t i = 0; i < ids.size(); ++i) {
    SM_CHECK_ARGUMENT(ids[i] >= 0, "segment ids must be >= 0");
    SM_CHECK_ARGUMENT(i == 0 || ids[i] >= ids[i - 1], "segment ids are not increasing");
    const int64_t row = static_cast<int64_t>(i);
    if (segments.empty() || ids[i] != segments.back().id) segments.push_back({ids[i], row, row});
    segments.back().end = row + 1;
  }
  return segments;
}

// Joins rows [begin, end) of `run` elements each.
absl::Status JoinRows(const Joins& joins, Fold fold, DataType type, const char* from, int64_t rows, int64_t run, char* to) {
  const int64_t size = static_cast<int64_t>(DataTypeSize(type));
  const int64_t vectors = joins.vector > 0 && rows > 1 ? run / joins.vector * joins.vector : 0;
  CopyRun(type, from, to, run);
  if (vectors > 0) {
    SM_RETURN_IF_ERROR(FillLimit(fold, type, to, vectors));
    joins.join(from, to, vectors);
  }
  for (int64_t r = 1; r < rows; ++r) {
    const char* row = from + r * run * size;
    if (vectors > 0) joins.join(row, to, vectors);
    joins.last(row + vectors * size, to + vectors * size, run - vectors);
  }
  return fold == Fold::kMean ? Divide(type, to, run, rows) : absl::OkStatus();
}

absl::Status RunSorted(KernelContext& context, Fold fold, const Joins& joins) {
  const Tensor& data = context.input(0);
  SM_CHECK_ARGUMENT(data.rank() >= 1, "input must be at least rank 1");
  SM_CHECK_ARGUMENT(context.input(1).rank() == 1, "segment_ids should be a vector.");
  SM_CHECK_ARGUMENT(context.input(1).dim(0) == data.dim(0), "segment_ids should be the same size as dimension 0 of input.");
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> ids, IntsOf(context.input(1)));
  SM_ASSIGN_OR_RETURN(const std::vector<Segment> segments, Segments(ids));
  TensorShape shape = data.shape();
  SM_CHECK_ARGUMENT(ids.empty() || ids.back() < std::numeric_limits<int64_t>::max(), "the last segment id is too large");
  shape.set_dim(0, ids.empty() ? 0 : ids.back() + 1);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  if (data.num_elements() == 0) return absl::OkStatus();
  if (static_cast<int64_t>(segments.size()) != shape.dim(0)) {
    SM_RETURN_IF_ERROR(FillNeutral(fold == Fold::kProd ? Fold::kProd : Fold::kSum, out, context.pool()));
  }
  const int64_t run = data.num_elements() / data.dim(0), bytes = run * static_cast<int64_t>(DataTypeSize(data.dtype()));
  const char* from = static_cast<const char*>(data.raw());
  char* to = static_cast<char*>(out->raw());
  const int64_t n = static_cast<int64_t>(segments.size());
  context.pool().ParallelFor(n, 16384 / std::max<int64_t>(1, data.num_elements() / n) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const Segment& segment = segments[static_cast<size_t>(s)];
      char* row = to + segment.id * bytes;
      (void)JoinRows(joins, fold, data.dtype(), from + segment.begin * bytes, segment.end - segment.begin, run, row);
    }
  });
  return absl::OkStatus();
}

absl::Status RunUnsorted(KernelContext& context, Fold fold, const Joins& joins) {
  const Tensor& data = context.input(0);
  const Tensor& ids_tensor = context.input(1);
  SM_RETURN_IF_ERROR(CheckScalar(context, 2, "num_segments"));
  SM_ASSIGN_OR_RETURN(const int64_t rows, IntScalar(context, 2, "num_segments"));
  const int lead = ids_tensor.rank();
  SM_CHECK_ARGUMENT(lead <= data.rank() && data.shape().dims().subspan(0, static_cast<size_t>(lead)) == ids_tensor.shape().dims(),
                    "data.shape = ", data.shape().ToString(), " does not start with segment_ids.shape = ", ids_tensor.shape().ToString());
  SM_CHECK_ARGUMENT(rows >= 0, "Input num_segments == ", rows, " must not be negative.");
  TensorShape shape({rows});
  for (int d = lead; d < data.rank(); ++d) shape.AddDim(data.dim(d));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  SM_RETURN_IF_ERROR(FillNeutral(fold, out, context.pool()));
  if (data.num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> ids, IntsOf(ids_tensor));
  for (size_t i = 0; i < ids.size(); ++i) {
    SM_CHECK_ARGUMENT(ids[i] < rows, "segment_ids element ", i, " = ", ids[i], " is out of range [0, ", rows, ")");
  }
  const int64_t n = static_cast<int64_t>(ids.size()), run = data.num_elements() / n;
  const int64_t bytes = run * static_cast<int64_t>(DataTypeSize(data.dtype()));
  // Each piece of the result looks at all ids: rows keep their order, and no two threads write one place.
  const int64_t threads = data.num_elements() < 65536 ? 1 : context.pool().num_threads();
  context.pool().ParallelFor(rows, rows / threads + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t id = ids[static_cast<size_t>(i)];
      if (id >= begin && id < end) joins.last(static_cast<const char*>(data.raw()) + i * bytes, static_cast<char*>(out->raw()) + id * bytes, run);
    }
  });
  return absl::OkStatus();
}

template <Fold kFold, absl::Status (*kRun)(KernelContext&, Fold, const Joins&)>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(const Joins joins, JoinsOf(init.input_dtype(0), kFold));
  return MakeKernel([joins](KernelContext& context) { return kRun(context, kFold, joins); });
}

absl::Status InferSorted(InferContext& context) {
  PartialShape shape = context.input(0);
  SM_CHECK_ARGUMENT(shape.rank() != 0, "input must be at least rank 1");
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  if (shape.known_rank()) shape.set_dim(0, -1);
  context.set_output(0, shape);
  return absl::OkStatus();
}

absl::Status InferUnsorted(InferContext& context) {
  const PartialShape& data = context.input(0);
  const PartialShape& ids = context.input(1);
  SM_RETURN_IF_ERROR(RequireRank(context, 2, 0));
  if (!data.known_rank() || !ids.known_rank()) return absl::OkStatus();
  SM_CHECK_ARGUMENT(ids.rank() <= data.rank(), "data.shape = ", data.ToString(), " does not start with segment_ids.shape = ", ids.ToString());
  std::vector<int64_t> rows;
  const bool known = ConstantInts(context, 2, &rows) && rows.size() == 1;
  SM_CHECK_ARGUMENT(!known || rows[0] >= 0, "Input num_segments == ", rows[0], " must not be negative.");
  PartialShape shape = PartialShape::Of({known ? rows[0] : int64_t{-1}});
  for (int d = ids.rank(); d < data.rank(); ++d) shape.AddDim(data.dim(d));
  context.set_output(0, shape);
  return absl::OkStatus();
}

void AddSorted(OpTable& ops, const char* name, const char* types, KernelFactory cpu) {
  ops.Add({.name = name,
           .inputs = "data: T; segment_ids: Tindices",
           .outputs = "output: T",
           .attrs = absl::StrCat("T: ", types, "; Tindices: {int32, int64}"),
           .infer = InferSorted,
           .cpu = cpu});
}

void AddUnsorted(OpTable& ops, const char* name, const char* types, const char* indices, KernelFactory cpu) {
  ops.Add({.name = name,
           .inputs = "data: T; segment_ids: Tindices; num_segments: Tnumsegments",
           .outputs = "output: T",
           .attrs = absl::StrCat("T: ", types, "; Tindices: ", indices, "; Tnumsegments: {int32, int64} = DT_INT32"),
           .infer = InferUnsorted,
           .cpu = cpu});
}

}  // namespace

void DefineSegment(OpTable& ops) {
  AddSorted(ops, "SegmentSum", "numbertype", Make<Fold::kSum, RunSorted>);
  AddSorted(ops, "SegmentMean", "numbertype", Make<Fold::kMean, RunSorted>);
  AddSorted(ops, "SegmentProd", "numbertype", Make<Fold::kProd, RunSorted>);
  AddSorted(ops, "SegmentMax", "realnumbertype", Make<Fold::kMax, RunSorted>);
  AddSorted(ops, "SegmentMin", "realnumbertype", Make<Fold::kMin, RunSorted>);
  const char* small = "{int32, int64}";
  AddUnsorted(ops, "SegmentSumV2", "numbertype", small, Make<Fold::kSum, RunUnsorted>);
  AddUnsorted(ops, "SegmentProdV2", "numbertype", small, Make<Fold::kProd, RunUnsorted>);
  AddUnsorted(ops, "SegmentMaxV2", "realnumbertype", small, Make<Fold::kMax, RunUnsorted>);
  AddUnsorted(ops, "SegmentMinV2", "realnumbertype", small, Make<Fold::kMin, RunUnsorted>);
  AddUnsorted(ops, "UnsortedSegmentSum", "numbertype", "{int16, int32, int64}", Make<Fold::kSum, RunUnsorted>);
  AddUnsorted(ops, "UnsortedSegmentProd", "numbertype", small, Make<Fold::kProd, RunUnsorted>);
  AddUnsorted(ops, "UnsortedSegmentMax", "realnumbertype", small, Make<Fold::kMax, RunUnsorted>);
  AddUnsorted(ops, "UnsortedSegmentMin", "realnumbertype", small, Make<Fold::kMin, RunUnsorted>);
}

}  // namespace savedmodel
