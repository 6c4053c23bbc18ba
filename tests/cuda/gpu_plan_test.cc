// What passes and planner make of a graph for the emulated GPU: chains of functions, values in two bytes, one recording.
#include <catch2/catch.hpp>
#include <cmath>

#include "emulated_gpu.h"
#include "fusion_case.h"
#include "kernels/cuda/attention.h"
#include "kernels/cuda/chain.h"
#include "ops/cuda/cuda_kernel.h"
#include "ops/math/elementwise_chain.h"

namespace savedmodel {
namespace {

constexpr DataType kF = DataType::kFloat;

SessionOptions OnGpu(const CudaOptions& cuda = {}, std::vector<std::string> disabled = {}) {
  SessionOptions options;
  options.devices = {EmulatedGpu(cuda).value()};
  options.disabled_passes = std::move(disabled);
  return options;
}

// Kernels that the second run asks the device for (the first makes the plan), and its result.
int64_t KernelsOf(SavedModelBundle& bundle, const Feeds& feeds, Tensor* out) {
  REQUIRE(bundle.session->Run(feeds, {"out"}).ok());
  const int64_t before = Counts().kernels;
  auto outputs = bundle.session->Run(feeds, {"out"});
  INFO(outputs.status().ToString());
  REQUIRE(outputs.ok());
  *out = (*outputs)[0];
  return Counts().kernels - before;
}

// x * sigmoid(1.702 x) + b * tanh(x) - 1, x read by three.
ModelBuilder Branching() {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("slope", Floats({}, {1.702f}));
  b.Const("row", Floats({4}, {1, -2, 3, 0.5f}));
  b.Const("one", Floats({}, {1}));
  b.Node("scaled", "Mul", {"slope", "x"}).Type("T", kF);
  b.Node("gate", "Sigmoid", {"scaled"}).Type("T", kF);
  b.Node("left", "Mul", {"x", "gate"}).Type("T", kF);
  b.Node("squashed", "Tanh", {"x"}).Type("T", kF);
  b.Node("right", "Mul", {"squashed", "row"}).Type("T", kF);
  b.Node("sum", "AddV2", {"left", "right"}).Type("T", kF);
  b.Node("out", "Sub", {"sum", "one"}).Type("T", kF);
  return b;
}

TEST_CASE("gpu chains: seven functions are one kernel") {
  for (const TensorShape& shape : {TensorShape({3, 4}), TensorShape({2, 5, 4}), TensorShape({4})}) {
    const Tensor x = Random(shape, 1, -3, 3);
    SavedModelBundle cpu = Branching().Load().value(), gpu = Branching().Load(OnGpu()).value(), apart = Branching().Load(OnGpu({}, {"fuse_chains"})).value();
    const Tensor expected = cpu.session->Run({{"x", x}}, {"out"}).value()[0];
    Tensor fused, plain;
    CHECK(KernelsOf(gpu, {{"x", x}}, &fused) == 1);
    CHECK(KernelsOf(apart, {{"x", x}}, &plain) == 7);
    CHECK(Difference(fused, expected) == "");
    CHECK(Difference(plain, expected) == "");
  }
  CheckOnGpu(Branching(), {{"x", Random({3, 4}, 2)}}, Branching().Load().value().session->Run({{"x", Random({3, 4}, 2)}}, {"out"}).value()[0]);
}

TEST_CASE("gpu chains: a value that others read, or of another shape, ends the chain") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Placeholder("y", kF);
  b.Node("row", "Exp", {"y"}).Type("T", kF);
  b.Node("twice", "AddV2", {"row", "row"}).Type("T", kF);
  b.Node("sum", "AddV2", {"x", "twice"}).Type("T", kF);
  b.Node("kept", "Abs", {"sum"}).Type("T", kF);
  b.Node("out", "Sqrt", {"kept"}).Type("T", kF);
  SavedModelBundle cpu = b.Load().value(), gpu = b.Load(OnGpu()).value();
  const Feeds feeds = {{"x", Random({6, 3}, 1)}, {"y", Random({6, 1}, 2)}};
  const auto expected = cpu.session->Run(feeds, {"out", "kept"}).value();
  for (int i = 0; i < 3; ++i) {
    const auto outputs = gpu.session->Run(feeds, {"out", "kept"}).value();
    CHECK(Difference(outputs[0], expected[0]) == "");
    CHECK(Difference(outputs[1], expected[1]) == "");
  }
}

TEST_CASE("gpu chains: every function that passes put into chains has its code") {
  for (const std::string op : {"Abs", "Neg", "Sign", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Inv", "Exp", "Expm1", "Log", "Log1p", "Sin", "Cos", "Tanh", "Sigmoid",
                                "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Erf", "Erfc", "Ceil", "Floor", "Rint", "Round", "Add", "AddV2",
                                "Sub", "Mul", "RealDiv", "Div", "DivNoNan", "Maximum", "Minimum", "Pow", "SquaredDifference"}) {
    INFO(op);
    const int operands = ChainOperands(op);
    REQUIRE(operands > 0);
    ModelBuilder b;
    b.Placeholder("x", kF);
    b.Node("first", "Abs", {"x"}).Type("T", kF);
    NodeBuilder node = operands == 1 ? b.Node("out", op, {"first"}) : b.Node("out", op, {"first", "x"});
    node.Type("T", kF);
    if (op == "LeakyRelu") node.Float("alpha", 0.3f);
    const Tensor x = Random({2, 6}, 3, 0.1f, 2);
    SavedModelBundle cpu = b.Load().value(), gpu = b.Load(OnGpu()).value();
    Tensor out;
    CHECK(KernelsOf(gpu, {{"x", x}}, &out) == 1);
    CHECK(Difference(out, cpu.session->Run({{"x", x}}, {"out"}).value()[0]) == "");
  }
  CHECK(ChainOperands("Softmax") == 0);
  CHECK(ChainOperands("BitwiseAnd") == 0);
}

TEST_CASE("chain programs are checked, and find their places") {
  ChainProgram program{2, {{"Exp", 0, ChainProgram::kNone}, {"AddV2", 2, 1}, {"Mul", 3, 2}, {"Sub", ChainProgram::kValue, 4, 1.0f}}};
  Attributes attributes;
  WriteChain(program, &attributes);
  CHECK(ReadChain(attributes, 2).ok());
  CHECK(absl::IsInvalidArgument(ReadChain(attributes, 1).status()));  // operand 1 is then a later step
  auto placed = PlaceChain(program, 2, 8);
  CHECK(absl::IsResourceExhausted(PlaceChain(program, 1, 8).status()));
  CHECK(absl::IsResourceExhausted(PlaceChain(program, 8, 5).status()));
  REQUIRE(placed.ok());
  CHECK(placed->size() == 6);  // four steps, two inputs
  for (const PlacedStep& step : *placed) CHECK(step.to < 2);
  Attributes wrong = attributes;
  wrong.Set("operands", std::vector<int64_t>{0, -2, 2, 1, 3});
  CHECK(absl::IsInvalidArgument(ReadChain(wrong, 2).status()));
  wrong.Set("operands", std::vector<int64_t>{0, -2, -1, -1, 3, 2, -1, 4});
  CHECK(absl::IsInvalidArgument(ReadChain(wrong, 2).status()));
  wrong = attributes;
  wrong.Set("functions", std::vector<std::string>{"Exp", "AddV2", "Softmax", "Sub"});
  CHECK(absl::IsInvalidArgument(ReadChain(wrong, 2).status()));
}

// A convolution with batch norm and Relu, a pool, a residual, a dense layer, softmax.
ModelBuilder Network() {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("f1", Random({3, 3, 4, 8}, 1, -0.3f, 0.3f));
  b.Const("f2", Random({1, 1, 8, 8}, 2, -0.3f, 0.3f));
  b.Const("bias", Random({8}, 3));
  b.Node("c1", "Conv2D", {"x", "f1"}).Type("T", kF).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Node("b1", "BiasAdd", {"c1", "bias"}).Type("T", kF);
  b.Node("r1", "Relu", {"b1"}).Type("T", kF);
  b.Node("p1", "MaxPool", {"r1"}).Type("T", kF).Ints("ksize", {1, 2, 2, 1}).Ints("strides", {1, 2, 2, 1}).String("padding", "VALID");
  b.Node("c2", "Conv2D", {"p1", "f2"}).Type("T", kF).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Node("sum", "AddV2", {"c2", "p1"}).Type("T", kF);
  b.Node("r2", "Relu", {"sum"}).Type("T", kF);
  b.Const("axes", Int32s({2}, {1, 2}));
  b.Node("mean", "Mean", {"r2", "axes"}).Type("T", kF).Type("Tidx", DataType::kInt32);
  b.Const("w", Random({8, 5}, 4));
  b.Node("logits", "MatMul", {"mean", "w"}).Type("T", kF);
  b.Node("out", "Softmax", {"logits"}).Type("T", kF);
  return b;
}

TEST_CASE("gpu precision: values between convolutions are in two bytes, feeds and fetches are not") {
  const Tensor x = Random({2, 8, 8, 4}, 9);
  const Tensor expected = Network().Load().value().session->Run({{"x", x}}, {"out"}).value()[0];
  CheckOnGpu(Network(), {{"x", x}}, expected);
  for (Precision precision : {Precision::kBFloat16, Precision::kFloat16}) {
    CudaOptions cuda;
    cuda.precision = precision;
    SavedModelBundle gpu = Network().Load(OnGpu(cuda)).value();
    RunMetadata metadata;
    RunOptions traced;
    traced.trace = true;
    std::vector<Tensor> outputs;
    REQUIRE(gpu.session->Run(traced, {{"x", x}}, {"out"}, {}, &outputs, &metadata).ok());
    CHECK(outputs[0].dtype() == kF);
    // The image goes in as two bytes; the last product gives float by itself.
    int casts = 0;
    for (const StepTrace& step : metadata.steps) casts += step.op == "Cast";
    CHECK(casts == 1);
    CHECK(Difference(outputs[0], expected, 3e-2, 3e-2) == "");
    CHECK(Difference(outputs[0], expected, 1e-6, 1e-6) != "");
  }
  CudaOptions cuda;
  cuda.precision = Precision::kBFloat16;
  SavedModelBundle off = Network().Load(OnGpu(cuda, {"lower_precision"})).value();
  CHECK(Difference(off.session->Run({{"x", x}}, {"out"}).value()[0], expected) == "");
}

TEST_CASE("gpu precision: a value that is read in both types is cast once, one that is fetched comes in float") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("w", Random({4, 4}, 1));
  b.Const("v", Random({4, 3}, 2));
  b.Node("a", "MatMul", {"x", "w"}).Type("T", kF);
  b.Node("r", "Relu", {"a"}).Type("T", kF);
  b.Node("l", "Log1p", {"r"}).Type("T", kF);
  b.Node("s", "Log1p", {"l"}).Type("T", kF);
  b.Node("out", "MatMul", {"r", "v"}).Type("T", kF);
  const Tensor x = Random({5, 4}, 3);
  SavedModelBundle cpu = b.Load().value();
  CudaOptions cuda;
  cuda.precision = Precision::kBFloat16;
  SavedModelBundle gpu = b.Load(OnGpu(cuda)).value();
  const auto expected = cpu.session->Run({{"x", x}}, {"out", "s", "r"}).value(), outputs = gpu.session->Run({{"x", x}}, {"out", "s", "r"}).value();
  for (size_t i = 0; i < 3; ++i) {
    CHECK(outputs[i].dtype() == kF);
    CHECK(Difference(outputs[i], expected[i], 5e-2, 5e-2) == "");
  }
}

TEST_CASE("gpu plan: what the host can do first does not cut the recording") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Placeholder("y", kF);
  b.Placeholder("n", DataType::kInt32);
  b.Const("w", Random({4, 4}, 1));
  b.Node("a", "MatMul", {"x", "w"}).Type("T", kF);
  b.Node("r", "Tanh", {"a"}).Type("T", kF);
  b.Node("s", "Softmax", {"r"}).Type("T", kF);
  b.Node("p", "MatMul", {"s", "w"}).Type("T", kF);
  b.Node("m", "MatMul", {"p", "y"}).Type("T", kF);  // y is wanted late
  b.Node("out", "Softmax", {"m"}).Type("T", kF);
  SavedModelBundle gpu = b.Load(OnGpu()).value(), cpu = b.Load().value();
  const Feeds feeds = {{"x", Random({2, 4}, 2)}, {"y", Random({4, 4}, 3)}};
  const Tensor expected = cpu.session->Run(feeds, {"out"}).value()[0];
  const int64_t recordings = Counts().recordings, replays = Counts().replays;
  for (int i = 0; i < 3; ++i) CHECK(Difference(gpu.session->Run(feeds, {"out"}).value()[0], expected) == "");
  CHECK(Counts().recordings == recordings + 1);
  CHECK(Counts().replays == replays + 2);
}

TEST_CASE("gpu libraries: a shape is planned once, and tried out if that is wanted") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("w1", Random({4, 4}, 1));
  b.Const("w2", Random({4, 4}, 2));
  b.Node("a", "MatMul", {"x", "w1"}).Type("T", kF);
  b.Node("r", "Softmax", {"a"}).Type("T", kF);
  b.Node("out", "MatMul", {"r", "w2"}).Type("T", kF);
  const Tensor x = Random({3, 4}, 3);
  const Tensor expected = b.Load().value().session->Run({{"x", x}}, {"out"}).value()[0];
  for (bool autotune : {false, true}) {
    const EmulatedCounts before = Counts();
    CudaOptions cuda;
    cuda.autotune = autotune;
    {
      SavedModelBundle gpu = b.Load(OnGpu(cuda)).value();
      for (int i = 0; i < 3; ++i) CHECK(Difference(gpu.session->Run({{"x", x}}, {"out"}).value()[0], expected) == "");
    }
    CHECK(Counts().plans == before.plans + 1);
    CHECK(Counts().trials == before.trials + (autotune ? 1 : 0));
    CHECK(Counts().live_bytes == before.live_bytes);
    CHECK(Counts().streams == before.streams);
  }
}

TEST_CASE("gpu attention: whole tiles go to the tensor cores' kernel, other sizes and strict float32 to products") {
  cuda::AttentionSizes sizes;
  sizes.queries = sizes.keys = 32;
  sizes.depth = sizes.value_depth = 16;
  sizes.q = sizes.k = sizes.v = sizes.out = {32 * 16, 0, 16};
  CHECK(cuda::TilesFit(cuda::Element::kBFloat16, sizes));
  CHECK(cuda::TilesFit(cuda::Element::kFloat, sizes));
  CHECK(!cuda::TilesFit(cuda::Element::kDouble, sizes));
  sizes.keys = 33;
  CHECK(!cuda::TilesFit(cuda::Element::kBFloat16, sizes));
  sizes.keys = 4096;
  CHECK(!cuda::TilesFit(cuda::Element::kFloat, sizes));  // does not fit into a block's memory
  sizes.keys = 32;
  sizes.k.row = 17;
  CHECK(!cuda::TilesFit(cuda::Element::kHalf, sizes));

  // Heads inside rows, as BERT has them; a mask for each batch.
  for (int64_t length : {16, 9}) {
    ModelBuilder b;
    b.Placeholder("x", kF);
    b.Const("wq", Random({2, 16, 16}, 1, -0.5f, 0.5f));
    b.Const("mask", Random({2, 1, 1, length}, 2));
    b.Const("perm", Int32s({4}, {0, 2, 1, 3}));
    b.Const("scale", Floats({}, {0.25f}));
    b.Node("h", "Transpose", {"x", "perm"}).Type("T", kF).Type("Tperm", DataType::kInt32);
    b.Node("scores", "BatchMatMulV2", {"h", "h"}).Type("T", kF).Bool("adj_x", false).Bool("adj_y", true);
    b.Node("scaled", "Mul", {"scores", "scale"}).Type("T", kF);
    b.Node("masked", "AddV2", {"scaled", "mask"}).Type("T", kF);
    b.Node("weights", "Softmax", {"masked"}).Type("T", kF);
    b.Node("context", "BatchMatMulV2", {"weights", "h"}).Type("T", kF).Bool("adj_x", false).Bool("adj_y", false);
    b.Node("out", "Transpose", {"context", "perm"}).Type("T", kF).Type("Tperm", DataType::kInt32);
    CheckPass(b, Random({2, length, 3, 16}, 4), "fuse_attention", 1);
  }
}

TEST_CASE("gpu: transposes by tiles") {
  for (const std::vector<int32_t>& order : {std::vector<int32_t>{0, 2, 1}, {2, 0, 1}, {1, 2, 0}, {2, 1, 0}}) {
    for (DataType type : {kF, DataType::kInt8, DataType::kHalf, DataType::kInt64}) {
      ModelBuilder b;
      b.Placeholder("x", type);
      b.Const("order", Int32s({3}, order));
      b.Node("out", "Transpose", {"x", "order"}).Type("T", type).Type("Tperm", DataType::kInt32);
      Tensor x = Tensor::Allocate(type, {3, 33, 50}).value();
      for (size_t i = 0; i < x.bytes(); ++i) static_cast<uint8_t*>(x.raw())[i] = static_cast<uint8_t>(i * 31 % 101);
      SavedModelBundle cpu = b.Load().value(), gpu = b.Load(OnGpu()).value();
      CHECK(Difference(gpu.session->Run({{"x", x}}, {"out"}).value()[0], cpu.session->Run({{"x", x}}, {"out"}).value()[0]) == "");
    }
  }
}

TEST_CASE("gpu: many of the largest are sorted, few are looked for") {
  for (int k : {1, 64, 65, 300}) {
    ModelBuilder b;
    b.Placeholder("x", kF);
    b.Const("k", Int32s({}, {k}));
    b.Node("out", "TopKV2", {"x", "k"}).Type("T", kF).Type("Tk", DataType::kInt32).Bool("sorted", true);
    Tensor x = Random({3, 300}, 5);
    for (float& v : x.flat<float>()) v = std::round(v * 20);  // many equal ones
    SavedModelBundle cpu = b.Load().value(), gpu = b.Load(OnGpu()).value();
    const auto expected = cpu.session->Run({{"x", x}}, {"out", "out:1"}).value(), outputs = gpu.session->Run({{"x", x}}, {"out", "out:1"}).value();
    CHECK(Difference(outputs[0], expected[0]) == "");
    CHECK(Difference(outputs[1], expected[1]) == "");
    CHECK(gpu.session->LastPlanReport().find("runs on the CPU") == std::string::npos);
  }
}

TEST_CASE("gpu: boxes are chosen there, with and without padding") {
  for (bool pad : {false, true}) {
    ModelBuilder b;
    b.Placeholder("boxes", kF);
    b.Placeholder("scores", kF);
    b.Const("most", Int32s({}, {20}));
    b.Const("overlap", Floats({}, {0.3f}));
    b.Const("lowest", Floats({}, {0.2f}));
    b.Const("sigma", Floats({}, {0}));
    b.Node("out", "NonMaxSuppressionV5", {"boxes", "scores", "most", "overlap", "lowest", "sigma"}).Type("T", kF).Bool("pad_to_max_output_size", pad);
    Tensor boxes = Random({400, 4}, 1, 0, 1), scores = Random({400}, 2, 0, 1);
    for (float& v : scores.flat<float>()) v = std::round(v * 50) / 50;  // ties
    SavedModelBundle cpu = b.Load().value(), gpu = b.Load(OnGpu()).value();
    const Feeds feeds = {{"boxes", boxes}, {"scores", scores}};
    const auto expected = cpu.session->Run(feeds, {"out", "out:1", "out:2"}).value();
    for (int run = 0; run < 3; ++run) {
      const auto outputs = gpu.session->Run(feeds, {"out", "out:1", "out:2"}).value();
      for (size_t i = 0; i < 3; ++i) CHECK(Difference(outputs[i], expected[i]) == "");
    }
    CHECK(gpu.session->LastPlanReport().find("runs on the CPU") == std::string::npos);
  }
}

TEST_CASE("gpu: the ops that models reach most have kernels") {
  CHECK(CudaKernels().size() >= 160);
}

}  // namespace
}  // namespace savedmodel
