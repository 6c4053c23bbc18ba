// Weights are used where they lie in the first run and packed in the second: no run may answer otherwise.
#include <catch2/catch.hpp>
#include <thread>

#include "fusion_case.h"

namespace savedmodel {
namespace {

// Two convolutions, one with a batch norm and one that Winograd's algorithm suits, and a product.
ModelBuilder Network() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("filter", Random({1, 1, 256, 288}, 1));
  b.Node("conv", "Conv2D", {"x", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Const("scale", Random({288}, 3));
  b.Const("offset", Random({288}, 4));
  b.Const("mean", Random({288}, 5));
  b.Const("variance", Random({288}, 6, 0.5f, 2));
  b.Node("norm", "FusedBatchNormV3", {"conv", "scale", "offset", "mean", "variance"}).Type("T", DataType::kFloat).Type("U", DataType::kFloat)
      .Bool("is_training", false);
  b.Node("relu", "Relu", {"norm"}).Type("T", DataType::kFloat);
  b.Const("second_filter", Random({3, 3, 288, 256}, 7));
  b.Node("second", "Conv2D", {"relu", "second_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Const("axes", Int32s({2}, {1, 2}));
  b.Node("pooled", "Mean", {"second", "axes"}).Type("T", DataType::kFloat).Type("Tidx", DataType::kInt32);
  b.Const("matrix", Random({256, 512}, 8));
  b.Node("out", "MatMul", {"pooled", "matrix"}).Type("T", DataType::kFloat);
  return b;
}

TEST_CASE("weights that are packed later give the same answers, run by run and to every thread") {
  const Feeds feeds = {{"x", Random({2, 14, 14, 256}, 9)}};
  SessionOptions none;
  none.disabled_passes = PassNames();
  const Tensor judge = (*Network().Load(none).value().session->Run(feeds, {"out"}))[0];
  SavedModelBundle bundle = Network().Load().value();
  const Tensor first = (*bundle.session->Run(feeds, {"out"}))[0];
  CHECK(Difference(first, judge, 1e-4, 1e-2) == "");
  std::vector<Tensor> answers(6);
  std::vector<std::thread> threads;
  for (Tensor& answer : answers) threads.emplace_back([&] { answer = (*bundle.session->Run(feeds, {"out"}))[0]; });
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& answer : answers) CHECK(Difference(answer, first, 0, 0) == "");

  // A smaller batch shares the weights, packed by now.
  const Feeds one = {{"x", Random({1, 14, 14, 256}, 10)}};
  const Tensor packed = (*bundle.session->Run(one, {"out"}))[0];
  const Tensor in_place = (*Network().Load().value().session->Run(one, {"out"}))[0];
  CHECK(Difference(packed, in_place, 0, 0) == "");
}

}  // namespace
}  // namespace savedmodel
