#include <catch2/catch.hpp>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("BiasAdd adds along the channels") {
  OpCase("BiasAdd")
      .Type("T", DataType::kFloat)
      .In(Floats({2, 2}, {1, 2, 3, 4}))
      .In(Floats({2}, {10, 20}))
      .Gives({Floats({2, 2}, {11, 22, 13, 24})});
  OpCase("BiasAdd")
      .Type("T", DataType::kInt32)
      .String("data_format", "NCHW")
      .In(Int32s({1, 2, 2}, {1, 2, 3, 2147483647}))
      .In(Int32s({2}, {10, 1}))
      .Gives({Int32s({1, 2, 2}, {11, 12, 4, -2147483647 - 1})});
  OpCase("BiasAddV1").Type("T", DataType::kFloat).In(Floats({0, 2}, {})).In(Floats({2}, {10, 20})).Gives({Floats({0, 2}, {})});
  OpCase("BiasAddGrad").Type("T", DataType::kFloat).In(Floats({2, 2}, {1, 2, 3, 4})).Gives({Floats({2}, {4, 6})});
  OpCase("BiasAddGrad").Type("T", DataType::kBFloat16).In(Values<BFloat16>({3, 1}, {BFloat16(128.f), BFloat16(0.6f), BFloat16(0.6f)})).Within(0, 0)
      .Gives({Values<BFloat16>({1}, {BFloat16(130.f)})});
  OpCase("BiasAdd")
      .Type("T", DataType::kFloat)
      .In(Floats({2}, {1, 2}))
      .In(Floats({2}, {1, 2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "rank 2");
  OpCase("BiasAdd")
      .Type("T", DataType::kFloat)
      .In(Floats({1, 2}, {1, 2}))
      .In(Floats({1}, {1}))
      .Refuses(absl::StatusCode::kInvalidArgument, "equal");
}

class Norm : public OpCase {
 public:
  explicit Norm(bool training) : OpCase("FusedBatchNormV3") {
    Type("T", DataType::kFloat).Type("U", DataType::kFloat).Float("epsilon", 0).Bool("is_training", training);
  }
};

class FusedMatMul : public OpCase {
 public:
  FusedMatMul() : OpCase("_FusedMatMul") {
    Type("T", DataType::kFloat).Int("num_args", 1).Attr("fused_ops", std::vector<std::string>{"BiasAdd", "Relu"});
  }
};

TEST_CASE("FusedBatchNormV3 uses the given moments, or the batch's") {
  const Tensor x = Floats({1, 2, 1, 1}, {1, 3}), one = Floats({1}, {1}), none = Floats({0}, {});
  Norm(false)
      .In(x)
      .In(Floats({1}, {2}))
      .In(Floats({1}, {10}))
      .In(one)
      .In(Floats({1}, {4}))
      .Gives({Floats({1, 2, 1, 1}, {10, 12}), one, Floats({1}, {4}), Floats({1}, {0}), Floats({1}, {0}), Tensor::Scalar(0.f)});
  Norm(true)
      .In(x)
      .In(one)
      .In(Floats({1}, {0}))
      .In(none)
      .In(none)
      .Gives({Floats({1, 2, 1, 1}, {-1, 1}), Floats({1}, {2}), Floats({1}, {2}), Floats({1}, {2}), one, Tensor::Scalar(0.f)});
  Norm(false).In(x).In(one).In(one).In(none).In(none).Refuses(absl::StatusCode::kInvalidArgument);
  Norm(false).In(Floats({1}, {1})).In(one).In(one).In(one).In(one).Refuses(absl::StatusCode::kInvalidArgument, "rank 4");
}

TEST_CASE("LRN divides by the neighbourhood's squares") {
  OpCase("LRN")
      .Int("depth_radius", 1)
      .Float("bias", 0)
      .Float("alpha", 1)
      .Float("beta", 0.5f)
      .In(Floats({1, 1, 1, 2}, {3, 4}))
      .Gives({Floats({1, 1, 1, 2}, {0.6f, 0.8f})});
  OpCase("LRN").In(Floats({1}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "rank 4");
}

TEST_CASE("Cross entropies and their gradients") {
  OpCase("SoftmaxCrossEntropyWithLogits")
      .Type("T", DataType::kFloat)
      .In(Floats({1, 2}, {0, 0}))
      .In(Floats({1, 2}, {1, 0}))
      .Gives({Floats({1}, {0.6931472f}), Floats({1, 2}, {-0.5f, 0.5f})});
  OpCase("SparseSoftmaxCrossEntropyWithLogits")
      .Type("T", DataType::kFloat)
      .In(Floats({1, 2}, {0, 0}))
      .In(Int64s({1}, {1}))
      .Gives({Floats({1}, {0.6931472f}), Floats({1, 2}, {0.5f, -0.5f})});
  OpCase("SparseSoftmaxCrossEntropyWithLogits")
      .Type("T", DataType::kFloat)
      .In(Floats({1, 2}, {0, 0}))
      .In(Int64s({1}, {2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "outside the valid range");
  OpCase("SoftmaxCrossEntropyWithLogits")
      .Type("T", DataType::kFloat)
      .In(Floats({2, 2}, {0, 0, 0, 0}))
      .In(Floats({3, 2}, {1, 0, 1, 0, 1, 0}))
      .Refuses(absl::StatusCode::kInvalidArgument, "broadcastable");
}

TEST_CASE("Dilation2D is the maximum of sums") {
  const std::vector<int64_t> ones = {1, 1, 1, 1};
  OpCase("Dilation2D")
      .Type("T", DataType::kFloat)
      .Attr("strides", ones)
      .Attr("rates", ones)
      .String("padding", "VALID")
      .In(Floats({1, 1, 3, 1}, {1, 5, 2}))
      .In(Floats({1, 2, 1}, {0, 2}))
      .Gives({Floats({1, 1, 2, 1}, {7, 5})});
  OpCase("Dilation2D")
      .Type("T", DataType::kFloat)
      .Attr("strides", ones)
      .Attr("rates", ones)
      .String("padding", "VALID")
      .In(Floats({1, 1, 1, 2}, {1, 5}))
      .In(Floats({1, 1, 1}, {0}))
      .Refuses(absl::StatusCode::kInvalidArgument, "same depth");
}

TEST_CASE("Fused products add a bias and apply an activation") {
  FusedMatMul()
      .In(Floats({1, 2}, {1, 2}))
      .In(Floats({2, 2}, {1, -1, 1, -1}))
      .In(Floats({2}, {10, 1}))
      .Gives({Floats({1, 2}, {13, 0})});
  FusedMatMul()
      .In(Floats({1, 2}, {1, 2}))
      .In(Floats({2, 2}, {1, -1, 1, -1}))
      .In(Floats({3}, {10, 1, 1}))
      .Refuses(absl::StatusCode::kInvalidArgument);
  FusedMatMul()
      .In(Floats({1, 3}, {1, 2, 3}))
      .In(Floats({2, 2}, {1, -1, 1, -1}))
      .In(Floats({2}, {10, 1}))
      .Refuses(absl::StatusCode::kInvalidArgument);
  OpCase("_FusedConv2D")
      .Type("T", DataType::kFloat)
      .Attr("TArgs", std::vector<DataType>{DataType::kFloat})
      .Int("num_args", 1)
      .Attr("strides", std::vector<int64_t>{1, 1, 1, 1})
      .String("padding", "VALID")
      .Attr("fused_ops", std::vector<std::string>{"BiasAdd", "Relu6"})
      .In(Floats({1, 1, 1, 1}, {3}))
      .In(Floats({1, 1, 1, 1}, {2}))
      .In(Floats({1}, {1}))
      .Gives({Floats({1, 1, 1, 1}, {6})});
}

}  // namespace
}  // namespace savedmodel
