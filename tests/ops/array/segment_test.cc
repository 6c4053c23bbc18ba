#include <catch2/catch.hpp>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

OpCase Sorted(const char* op) { return OpCase(op).Type("T", DataType::kFloat).Type("Tindices", DataType::kInt32); }

TEST_CASE("Segment ops join rows") {
  const Tensor x = Floats({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), ids = Int32s({4}, {0, 0, 2, 2});
  Sorted("SegmentSum").In(x).In(ids).Gives({Floats({3, 2}, {4, 6, 0, 0, 12, 14})});
  Sorted("SegmentMean").In(x).In(ids).Gives({Floats({3, 2}, {2, 3, 0, 0, 6, 7})});
  Sorted("SegmentProd").In(x).In(ids).Gives({Floats({3, 2}, {3, 8, 1, 1, 35, 48})});
  Sorted("SegmentMax").In(x).In(ids).Gives({Floats({3, 2}, {3, 4, 0, 0, 7, 8})});
  Sorted("SegmentMin").In(x).In(ids).Gives({Floats({3, 2}, {1, 2, 0, 0, 5, 6})});
  Sorted("SegmentSum").In(Floats({0, 2}, {})).In(Int32s({0}, {})).Gives({Floats({0, 2}, {})});
  OpCase("SegmentMean").Type("T", DataType::kInt32).Type("Tindices", DataType::kInt32).In(Int32s({2}, {3, 4})).In(Int32s({2}, {0, 0})).Gives({Int32s({1}, {3})});
}

TEST_CASE("Segment ops refuse bad numbers") {
  const Tensor x = Floats({2}, {1, 2});
  Sorted("SegmentSum").In(x).In(Int32s({2}, {1, 0})).Refuses(absl::StatusCode::kInvalidArgument, "not increasing");
  Sorted("SegmentSum").In(x).In(Int32s({2}, {-1, 0})).Refuses(absl::StatusCode::kInvalidArgument, "must be >= 0");
  Sorted("SegmentSum").In(x).In(Int32s({1}, {0})).Refuses(absl::StatusCode::kInvalidArgument, "same size as dimension 0");
}

TEST_CASE("UnsortedSegment ops take segments in any order") {
  const Tensor x = Floats({4}, {1, 2, 3, 4}), ids = Int32s({4}, {2, 0, 2, -1}), three = Tensor::Scalar<int32_t>(3);
  Sorted("UnsortedSegmentSum").In(x).In(ids).In(three).Gives({Floats({3}, {2, 0, 4})});
  Sorted("UnsortedSegmentProd").In(x).In(ids).In(three).Gives({Floats({3}, {2, 1, 3})});
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  Sorted("UnsortedSegmentMax").In(Floats({4}, {1, nan, nan, 3})).In(Int32s({4}, {0, 0, 1, 1})).In(Int32s({}, {2})).Gives({Floats({2}, {nan, 3})});
  Sorted("SegmentMin").In(Floats({4}, {1, nan, nan, 3})).In(Int32s({4}, {0, 0, 1, 1})).Gives({Floats({2}, {nan, 3})});
  std::vector<float> rows(27, nan);
  rows[0] = rows[17] = 1;
  Sorted("SegmentMax").In(Floats({3, 9}, rows)).In(Int32s({3}, {0, 0, 1}))
      .Gives({Floats({2, 9}, {1, -inf, -inf, -inf, -inf, -inf, -inf, -inf, 1, nan, nan, nan, nan, nan, nan, nan, nan, nan})});
  Sorted("UnsortedSegmentMax").In(x).In(ids).In(three).Gives({Floats({3}, {2, -3.4028235e38f, 3})});
  Sorted("UnsortedSegmentMin").In(x).In(ids).In(three).Gives({Floats({3}, {2, 3.4028235e38f, 1})});
  Sorted("SegmentSumV2").In(x).In(Int32s({4}, {0, 0, 2, 2})).In(three).Gives({Floats({3}, {3, 0, 7})});
  Sorted("UnsortedSegmentSum").In(Floats({2, 2}, {1, 2, 3, 4})).In(Int32s({2, 2}, {0, 1, 1, 0})).In(three).Gives({Floats({3}, {5, 5, 0})});
  Sorted("UnsortedSegmentSum").In(x).In(Int32s({4}, {0, 0, 0, 3})).In(three).Refuses(absl::StatusCode::kInvalidArgument, "out of range");
  Sorted("UnsortedSegmentSum").In(x).In(Int32s({3}, {0, 0, 0})).In(three).Refuses(absl::StatusCode::kInvalidArgument, "does not start with");
  Sorted("UnsortedSegmentSum").In(x).In(ids).In(Tensor::Scalar<int32_t>(-1)).Refuses(absl::StatusCode::kInvalidArgument, "must not be negative");
}

}  // namespace
}  // namespace savedmodel
