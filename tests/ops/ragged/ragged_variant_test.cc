#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("RaggedTensorToVariant and back") {
  const Tensor splits = Int64s({3}, {0, 2, 3}), values = Int32s({3}, {1, 2, 3});
  for (bool batched : {false, true}) {
    auto encoded = OpCase("RaggedTensorToVariant").Int("RAGGED_RANK", 1).Type("Tvalues", DataType::kInt32).Bool("batched_input", batched).In(splits).In(values).Run();
    REQUIRE(encoded.ok());
    CHECK((*encoded)[0].rank() == (batched ? 1 : 0));
    OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", -1).Int("output_ragged_rank", 1).Type("Tvalues", DataType::kInt32).In((*encoded)[0])
        .Gives({splits, values});
    OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", -1).Int("output_ragged_rank", 1).Type("Tvalues", DataType::kFloat).In((*encoded)[0])
        .Refuses(absl::StatusCode::kInvalidArgument, "dtype");
  }
}

TEST_CASE("RaggedTensorFromVariant stacks dense rows and refuses what does not fit") {
  const Tensor matrix = Int32s({2, 2}, {1, 2, 3, 4});
  auto encoded = OpCase("RaggedTensorToVariant").Int("RAGGED_RANK", 0).Type("Tvalues", DataType::kInt32).Bool("batched_input", true).In(matrix).Run();
  REQUIRE(encoded.ok());
  OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", 0).Int("output_ragged_rank", 0).Type("Tvalues", DataType::kInt32).In((*encoded)[0]).Gives({matrix});
  OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", 0).Int("output_ragged_rank", 1).Type("Tvalues", DataType::kInt32).In((*encoded)[0])
      .Gives({Int64s({3}, {0, 2, 4}), Int32s({4}, {1, 2, 3, 4})});
  OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", 1).Int("output_ragged_rank", 1).Type("Tvalues", DataType::kInt32).In((*encoded)[0])
      .Refuses(absl::StatusCode::kInvalidArgument, "output_ragged_rank");
  OpCase("RaggedTensorFromVariant").Int("input_ragged_rank", 0).Int("output_ragged_rank", 0).Type("Tvalues", DataType::kInt32)
      .In(Tensor::Scalar<Variant>(nullptr)).Refuses(absl::StatusCode::kInvalidArgument, "RaggedTensorVariant");
  OpCase("RaggedTensorToVariant").Int("RAGGED_RANK", 1).Type("Tvalues", DataType::kInt32).Bool("batched_input", true).In(Int64s({2}, {0, 5})).In(Int32s({1}, {1}))
      .Refuses(absl::StatusCode::kInvalidArgument, "number of ragged values(1) but is 5");
  OpCase("RaggedTensorToVariant").Int("RAGGED_RANK", 1).Type("Tvalues", DataType::kInt32).Bool("batched_input", false).In(Int64s({2}, {0, 1})).In(Int32s({2}, {1, 2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "number of ragged values(2) but is 1");
}

}  // namespace
}  // namespace savedmodel
