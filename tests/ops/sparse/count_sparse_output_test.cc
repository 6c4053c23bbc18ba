#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("CountSparseOutput counts per row") {
  auto typed = [](const char* name) {
    OpCase op(name);
    op.Type("T", DataType::kInt32).Type("output_type", DataType::kInt64).Bool("binary_output", false);
    return op;
  };
  typed("DenseCountSparseOutput").In(Int32s({2, 3}, {1, 1, 4, 0, 2, 2})).In(Int64s({0}, {}))
      .Gives({Int64s({4, 2}, {0, 1, 0, 4, 1, 0, 1, 2}), Int64s({4}, {2, 1, 1, 2}), Int64s({2}, {2, 5})});
  typed("DenseCountSparseOutput").Int("maxlength", 3).In(Int32s({3}, {1, 1, 4})).In(Int64s({3}, {5, 6, 7})).Gives({Int64s({1, 1}, {1}), Int64s({1}, {11}), Int64s({1}, {3})});
  typed("DenseCountSparseOutput").Int("maxlength", 0).In(Int32s({2}, {0, 1})).In(Int64s({0}, {})).Gives({Int64s({0, 1}, {}), Int64s({0}, {}), Int64s({1}, {0})});
  typed("DenseCountSparseOutput").In(Int32s({2}, {0, -1})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "non-negative");
  typed("DenseCountSparseOutput").In(Int32s({0, 2}, {})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "cannot be 0");
  typed("SparseCountSparseOutput").In(Int64s({1, 2}, {0, 1})).In(Int32s({1}, {2})).In(Int64s({2}, {2, 1})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "[0, 1)");
  typed("DenseCountSparseOutput").In(Int32s({}, {1})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "1 or 2-dimensional");
  typed("DenseCountSparseOutput").In(Int32s({2}, {1, 1})).In(Int64s({1}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "same shape");
  typed("RaggedCountSparseOutput").In(Int64s({3}, {0, 1, 3})).In(Int32s({3}, {1, 0, 0})).In(Int64s({0}, {}))
      .Gives({Int64s({2, 2}, {0, 1, 1, 0}), Int64s({2}, {1, 2}), Int64s({2}, {2, 2})});
  typed("RaggedCountSparseOutput").In(Int64s({2}, {0, 2})).In(Int32s({3}, {1, 0, 0})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument);
  typed("RaggedCountSparseOutput").In(Int64s({2, 2}, {0, 2, 1, 3})).In(Int32s({3}, {1, 1, 0})).In(Int64s({0}, {}))
      .Gives({Int64s({2, 2}, {0, 1, 2, 0}), Int64s({2}, {2, 1}), Int64s({2}, {3, 2})});
  typed("RaggedCountSparseOutput").In(Int64s({1}, {0})).In(Int32s({0}, {})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "at least 2");
  typed("SparseCountSparseOutput").In(Int64s({1, 3}, {1, 0, 0})).In(Int32s({1}, {2})).In(Int64s({3}, {2, 1, 1})).In(Int64s({0}, {}))
      .Gives({Int64s({1, 2}, {1, 2}), Int64s({1}, {1}), Int64s({2}, {2, 3})});
  typed("SparseCountSparseOutput").In(Int64s({1, 1}, {2})).In(Int32s({1}, {2})).In(Int64s({1}, {2})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "[0, 2)");
  typed("SparseCountSparseOutput").In(Int64s({0, 2}, {})).In(Int32s({0}, {})).In(Int64s({2}, {0, 1})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "0 batches");
  typed("SparseCountSparseOutput").In(Int64s({1, 2}, {1, 0})).In(Int32s({1}, {2})).In(Int64s({2}, {2, 1})).In(Int64s({0}, {}))
      .Gives({Int64s({1, 2}, {1, 2}), Int64s({1}, {1}), Int64s({2}, {2, 3})});
  typed("SparseCountSparseOutput").In(Int64s({1, 2}, {2, 0})).In(Int32s({1}, {2})).In(Int64s({2}, {2, 1})).In(Int64s({0}, {})).Refuses(absl::StatusCode::kInvalidArgument, "[0, 2)");
}

}  // namespace
}  // namespace savedmodel
