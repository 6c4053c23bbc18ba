// Every fusion gives the answers of the graph as it was written.
#include <catch2/catch.hpp>

#include "fusion_case.h"
#include "op_case.h"

namespace savedmodel {
namespace {

ModelBuilder Convolution(const std::string& input = "x") {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  if (input == "pad") {
    b.Const("paddings", Int32s({4, 2}, {0, 0, 1, 2, 2, 1, 0, 0}));
    b.Node("pad", "Pad", {"x", "paddings"}).Type("T", DataType::kFloat);
  }
  b.Const("filter", Random({3, 3, 4, 6}, 1));
  b.Node("conv", "Conv2D", {input, "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 2, 1, 1}).String("padding", input == "pad" ? "VALID" : "SAME");
  return b;
}

const Tensor kImage = Random({2, 9, 7, 4}, 2);

TEST_CASE("fuse_pads") {
  ModelBuilder b = Convolution("pad");
  b.Node("out", "Identity", {"conv"}).Type("T", DataType::kFloat);
  CheckPass(b, kImage, "fuse_pads", 1);
  for (const char* padding : {"VALID", "SAME"}) {  // around a pool whose padding is not zeros
    ModelBuilder pool;
    pool.Placeholder("x", DataType::kFloat);
    pool.Const("paddings", Int32s({4, 2}, {0, 0, 1, 2, 2, 1, 0, 0}));
    pool.Node("pad", "Pad", {"x", "paddings"}).Type("T", DataType::kFloat);
    pool.Node("out", "MaxPool", {"pad"}).Type("T", DataType::kFloat).Ints("ksize", {1, 3, 3, 1}).Ints("strides", {1, 2, 1, 1}).String("padding", padding);
    CheckPass(pool, Random({2, 9, 7, 70}, 3, -2, 1), "fuse_pads", *padding == 'V' ? 1 : 2);
  }
}

TEST_CASE("fuse_batch_norms") {
  ModelBuilder b = Convolution();
  b.Const("scale", Random({6}, 3));
  b.Const("offset", Random({6}, 4));
  b.Const("mean", Random({6}, 5));
  b.Const("variance", Random({6}, 6, 0.5f, 2));
  b.Node("out", "FusedBatchNormV3", {"conv", "scale", "offset", "mean", "variance"}).Type("T", DataType::kFloat).Type("U", DataType::kFloat)
      .Bool("is_training", false);
  CheckPass(b, kImage, "fuse_batch_norms", 1);
}

TEST_CASE("fuse_biases, fuse_residuals, fuse_activations") {
  ModelBuilder b = Convolution();
  b.Const("bias", Random({6}, 7));
  b.Node("biased", "BiasAdd", {"conv", "bias"}).Type("T", DataType::kFloat);
  b.Const("other_filter", Random({1, 1, 4, 6}, 8));
  b.Node("other", "Conv2D", {"x", "other_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 2, 1, 1}).String("padding", "SAME");
  b.Node("sum", "AddV2", {"biased", "other"}).Type("T", DataType::kFloat);
  b.Node("out", "Relu", {"sum"}).Type("T", DataType::kFloat);
  for (const char* pass : {"fuse_biases", "fuse_residuals", "fuse_activations"}) CheckPass(b, kImage, pass, 2);
}

// Outputs go over residuals that nobody reads later, but not over one that the convolution itself reads.
TEST_CASE("fuse_residuals: memory") {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  const auto convolve = [&](const std::string& name, const std::string& input, int size, int seed, const char* op = "Conv2D") {
    b.Const(name + "_filter", op[0] == 'C' ? Random({size, size, 20, 20}, static_cast<unsigned>(seed), -0.1f, 0.1f) : Random({size, size, 20, 1}, static_cast<unsigned>(seed)));
    b.Node(name, op, {input, name + "_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  };
  const auto add = [&](const std::string& name, const std::string& sum, const std::string& residual) {
    b.Node(name + "_sum", "AddV2", {sum, residual}).Type("T", DataType::kFloat);
    b.Node(name, "Relu", {name + "_sum"}).Type("T", DataType::kFloat);
  };
  convolve("a", "x", 1, 11);
  convolve("b", "a", 3, 12);
  add("c", "b", "a");  // a is read by b with its neighbours
  convolve("d", "c", 3, 13);
  convolve("e", "d", 1, 14);
  add("f", "e", "c");  // over c
  convolve("g", "f", 1, 15);
  convolve("h", "g", 3, 16);
  add("i", "h", "f");
  convolve("j", "i", 1, 17);
  convolve("k", "j", 3, 18, "DepthwiseConv2dNative");
  add("l", "k", "i");
  b.Node("out", "Neg", {"l"}).Type("T", DataType::kFloat);
  for (int64_t size : {5, 21}) CheckPass(b, Random({2, size, size + 3, 20}, 19), "fuse_residuals", 9);
}

TEST_CASE("fuse_dilations") {
  for (const char* op : {"Conv2D", "DepthwiseConv2dNative"}) {
    ModelBuilder b;
    b.Placeholder("x", DataType::kFloat);
    b.Const("block", Int32s({2}, {2, 3}));
    b.Const("paddings", Int32s({2, 2}, {2, 3, 3, 8}));
    b.Const("crops", Int32s({2, 2}, {0, 1, 0, 5}));
    b.Const("filter", Random({3, 3, 4, 6}, 1));
    b.Node("spread", "SpaceToBatchND", {"x", "block", "paddings"}).Type("T", DataType::kFloat);
    b.Node("conv", op, {"spread", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "VALID");
    b.Node("out", "BatchToSpaceND", {"conv", "block", "crops"}).Type("T", DataType::kFloat);
    CheckPass(b, kImage, "fuse_dilations", 1);
  }
}

TEST_CASE("transposed convolutions take batch norm, bias and activation") {
  const std::vector<std::vector<int64_t>> windows = {{2, 2}, {3, 2}};  // kernel, stride
  for (const auto& window : windows) {
    ModelBuilder b;
    b.Placeholder("x", DataType::kFloat);
    b.Const("sizes", Int32s({4}, {2, 18, 14, 6}));
    b.Const("filter", Random({window[0], window[0], 6, 4}, 1));
    b.Const("factor", Random({6}, 2));
    b.Const("bias", Random({6}, 3));
    b.Node("conv", "Conv2DBackpropInput", {"sizes", "filter", "x"}).Type("T", DataType::kFloat).Ints("strides", {1, window[1], window[1], 1}).String("padding", "SAME");
    b.Node("scaled", "Mul", {"conv", "factor"}).Type("T", DataType::kFloat);
    b.Node("biased", "BiasAdd", {"scaled", "bias"}).Type("T", DataType::kFloat);
    b.Node("out", "Relu", {"biased"}).Type("T", DataType::kFloat);
    for (const char* pass : {"fuse_products", "fuse_batch_norms", "fuse_biases", "fuse_activations"}) CheckPass(b, kImage, pass, 1);
  }
}

// Before the depthwise convolution: nothing, a pointwise convolution, the first convolution of a picture. Behind it: nothing, a projection,
// a projection with a residual.
TEST_CASE("fuse_depthwise_blocks") {
  struct Head {
    int64_t kernel, stride, channels;  // kernel 0: none
    const char* padding;
  };
  for (const Head& head : {Head{0, 1, 96, ""}, Head{1, 1, 5, "SAME"}, Head{3, 2, 3, "SAME"}, Head{3, 2, 3, "VALID"}}) {
    for (int behind : {0, 1, 2}) {
      for (int64_t stride : {1, 2}) {
        if (head.kernel == 0 && behind == 0) continue;
        if (*head.padding == 'V' && behind == 2) continue;  // nothing else gives an image of that size
        INFO("head " << head.kernel << ", stride " << stride << ", behind " << behind);
        const int64_t scale = head.kernel == 3 ? 2 : 1;
        const Tensor image = Random({2, 61 * scale, 67 * scale, head.channels}, 2);
        ModelBuilder b;
        b.Placeholder("x", DataType::kFloat);
        std::string wide = "x";
        if (head.kernel > 0) {
          b.Const("wide_filter", Random({head.kernel, head.kernel, head.channels, 96}, 1));
          b.Const("wide_bias", Random({96}, 2));
          b.Node("wide", "Conv2D", {"x", "wide_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, head.stride, head.stride, 1}).String("padding", head.padding);
          b.Node("wide_biased", "BiasAdd", {"wide", "wide_bias"}).Type("T", DataType::kFloat);
          b.Node("relu", "Relu6", {"wide_biased"}).Type("T", DataType::kFloat);
          wide = "relu";
        }
        b.Const("filter", Random({5, 5, 96, 1}, 3, -0.3f, 0.3f));
        b.Const("bias", Random({96}, 4));
        b.Node("conv", "DepthwiseConv2dNative", {wide, "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, stride, stride, 1}).String("padding", "SAME");
        b.Node("biased", "BiasAdd", {"conv", "bias"}).Type("T", DataType::kFloat);
        b.Node(behind == 0 ? "out" : "deep", "Tanh", {"biased"}).Type("T", DataType::kFloat);
        if (behind > 0) {
          b.Const("narrow", Random({1, 1, 96, 7}, 5, -0.1f, 0.1f));
          b.Const("narrow_bias", Random({7}, 6));
          b.Node("project", "Conv2D", {"deep", "narrow"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
          b.Node("projected", "BiasAdd", {"project", "narrow_bias"}).Type("T", DataType::kFloat);
          if (behind == 2) {
            b.Const("other", Random({1, 1, head.channels, 7}, 7));
            b.Node("side", "Conv2D", {"x", "other"}).Type("T", DataType::kFloat).Ints("strides", {1, head.stride * stride, head.stride * stride, 1}).String("padding", "SAME");
            b.Node("sum", "AddV2", {"projected", "side"}).Type("T", DataType::kFloat);
          }
          b.Node("out", "Relu", {behind == 2 ? "sum" : "projected"}).Type("T", DataType::kFloat);
        }
        CheckPass(b, image, "fuse_depthwise_blocks", behind == 2 ? 2 : 1);
      }
    }
  }
}

TEST_CASE("a block of convolutions in a file has the inputs that it speaks of, or is refused") {
  for (const char* lacking : {"head", "project", "residual"}) {
    ModelBuilder b;
    b.Placeholder("x", DataType::kFloat);
    b.Const("filter", Random({3, 3, 4, 1}, 1));
    b.Const("bias", Random({4}, 2));
    b.Node("out", "_DepthwiseBlock", {"x", "filter", "bias"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME").Int("num_args", 0)
        .Bool("head", *lacking == 'h').Bool("project", *lacking == 'p').Bool("residual", *lacking == 'r');
    absl::StatusOr<SavedModelBundle> bundle = b.Load();
    REQUIRE(bundle.ok());
    auto outputs = bundle->session->Run({{"x", Random({1, 5, 6, 4}, 3)}}, {"out"});
    INFO(outputs.status().ToString());
    CHECK(outputs.status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("fuse_means") {
  for (bool expanded : {false, true}) {
    for (bool keep_dims : {false, true}) {
      ModelBuilder b;
      b.Placeholder("x", DataType::kFloat);
      b.Const("axes", expanded ? Int32s({2}, {-2, 1}) : Int32s({2}, {1, 2}));
      b.Const("wide_filter", Random({1, 1, 5, 96}, 1));
      b.Const("wide_bias", Random({96}, 2));
      b.Const("filter", Random({3, 3, expanded ? 96 : 5, 1}, 3));
      b.Const("bias", Random({expanded ? 96 : 5}, 4));
      b.Node("wide", "Conv2D", {"x", "wide_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
      b.Node("wide_biased", "BiasAdd", {"wide", "wide_bias"}).Type("T", DataType::kFloat);
      b.Node("conv", "DepthwiseConv2dNative", {expanded ? "wide_biased" : "x", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 2, 2, 1}).String("padding", "SAME");
      b.Node("biased", "BiasAdd", {"conv", "bias"}).Type("T", DataType::kFloat);
      b.Node("relu", "Relu", {"biased"}).Type("T", DataType::kFloat);
      b.Node("mean", "Mean", {"relu", "axes"}).Type("T", DataType::kFloat).Bool("keep_dims", keep_dims);
      b.Const("shape", Int32s({4}, {2, 1, 1, expanded ? 96 : 5}));
      b.Node("means", "Reshape", {"mean", "shape"}).Type("T", DataType::kFloat);
      b.Node("out", "Sub", {"relu", "means"}).Type("T", DataType::kFloat);
      CheckPass(b, Random({2, 61, 67, 5}, 2), "fuse_means", keep_dims ? 2 : 3);
    }
  }
}

TEST_CASE("fuse_scales") {
  for (int64_t filters : {3, 90}) {  // the image or the filter is the smaller
    ModelBuilder b;
    b.Placeholder("x", DataType::kFloat);
    b.Const("axes", Int32s({2}, {1, 2}));
    b.Const("filter", Random({1, 1, 4, filters}, 1));
    b.Const("bias", Random({filters}, 2));
    b.Node("mean", "Mean", {"x", "axes"}).Type("T", DataType::kFloat).Bool("keep_dims", true);
    b.Node("gate", "Sigmoid", {"mean"}).Type("T", DataType::kFloat);
    b.Node("scaled", "Mul", {"x", "gate"}).Type("T", DataType::kFloat);
    b.Node("conv", "Conv2D", {"scaled", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
    b.Node("biased", "BiasAdd", {"conv", "bias"}).Type("T", DataType::kFloat);
    b.Node("out", "Relu", {"biased"}).Type("T", DataType::kFloat);
    CheckPass(b, kImage, "fuse_scales", 3);
  }
}

TEST_CASE("scales and expansions are fused in bfloat16, too") {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("axes", Int32s({2}, {1, 2}));
  b.Const("wide_filter", Random({1, 1, 18, 96}, 1));
  b.Const("wide_bias", Random({96}, 2));
  b.Const("filter", Random({3, 3, 96, 1}, 3));
  b.Const("bias", Random({96}, 4));
  b.Const("narrow", Random({1, 1, 96, 40}, 5));
  b.Node("wide", "Conv2D", {"x", "wide_filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Node("wide_biased", "BiasAdd", {"wide", "wide_bias"}).Type("T", DataType::kFloat);
  b.Node("relu", "Relu6", {"wide_biased"}).Type("T", DataType::kFloat);
  b.Node("conv", "DepthwiseConv2dNative", {"relu", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  b.Node("biased", "BiasAdd", {"conv", "bias"}).Type("T", DataType::kFloat);
  b.Node("mean", "Mean", {"biased", "axes"}).Type("T", DataType::kFloat).Bool("keep_dims", true);
  b.Node("gate", "Sigmoid", {"mean"}).Type("T", DataType::kFloat);
  b.Node("scaled", "Mul", {"biased", "gate"}).Type("T", DataType::kFloat);
  b.Node("out", "Conv2D", {"scaled", "narrow"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  SessionOptions rounded;
  rounded.precision = Precision::kBFloat16;
  SavedModelBundle bundle = b.Load(rounded).value(), judge = b.Load().value();
  const Tensor x = Random({1, 61, 67, 18}, 6);
  Tensor y, wanted;
  CHECK(StepsOf(bundle, {{"x", x}}, &y) == StepsOf(judge, {{"x", x}}, &wanted));
  double dot = 0, own = 0, other = 0;
  for (int64_t i = 0; i < y.num_elements(); ++i) {
    const double p = y.data<float>()[i], q = wanted.data<float>()[i];
    dot += p * q, own += p * p, other += q * q;
  }
  CHECK(dot / std::sqrt(own * other) > 0.9999);
}

TEST_CASE("fuse_activations knows swish") {
  ModelBuilder b = Convolution();
  b.Node("sigmoid", "Sigmoid", {"conv"}).Type("T", DataType::kFloat);
  b.Node("out", "Mul", {"conv", "sigmoid"}).Type("T", DataType::kFloat);
  CheckPass(b, kImage, "fuse_activations", 1);
}

TEST_CASE("fuse_products takes depthwise convolutions, matrices and Einsum") {
  ModelBuilder depthwise;
  depthwise.Placeholder("x", DataType::kFloat);
  depthwise.Const("filter", Random({3, 3, 4, 2}, 1));
  depthwise.Node("out", "DepthwiseConv2dNative", {"x", "filter"}).Type("T", DataType::kFloat).Ints("strides", {1, 1, 1, 1}).String("padding", "SAME");
  CheckPass(depthwise, kImage, "fuse_products", 1);

  ModelBuilder matrix;
  matrix.Placeholder("x", DataType::kFloat);
  matrix.Const("w", Random({5, 33}, 1));
  matrix.Const("bias", Random({5}, 2));
  matrix.Node("product", "MatMul", {"x", "w"}).Type("T", DataType::kFloat).Bool("transpose_b", true);
  matrix.Node("biased", "BiasAdd", {"product", "bias"}).Type("T", DataType::kFloat);
  matrix.Node("out", "Tanh", {"biased"}).Type("T", DataType::kFloat);
  CheckPass(matrix, Random({3, 33}, 3), "fuse_products", 1);

  ModelBuilder einsum;
  einsum.Placeholder("x", DataType::kFloat);
  einsum.Const("w", Random({6, 2, 5}, 1));
  einsum.Const("bias", Random({2, 5}, 2));
  einsum.Node("product", "Einsum", {"x", "w"}).Type("T", DataType::kFloat).Int("N", 2).String("equation", "abc,cde->abde");
  einsum.Node("out", "AddV2", {"product", "bias"}).Type("T", DataType::kFloat);
  CheckPass(einsum, Random({2, 3, 6}, 3), "fuse_products", 1);
}

// x / c at the top, and in a called function.
TEST_CASE("multiply_reciprocals changes called functions only") {
  ModelBuilder b;
  proto::FunctionDef* f = b.meta_graph()->mutable_graph_def()->mutable_library()->add_function();
  f->mutable_signature()->set_name("f");
  for (auto* arg : {f->mutable_signature()->add_input_arg(), f->mutable_signature()->add_output_arg()}) {
    arg->set_name(arg == &f->signature().input_arg(0) ? "x" : "y");
    arg->set_type(proto::DT_FLOAT);
  }
  b.Placeholder("x", DataType::kFloat);
  b.Const("c", Tensor::Scalar(2.3025851f));
  b.Node("top", "RealDiv", {"x", "c"}).Type("T", DataType::kFloat);
  proto::GraphDef* graph = b.meta_graph()->mutable_graph_def();
  for (int i : {1, 2}) *f->add_node_def() = graph->node(i);
  f->mutable_node_def(1)->set_input(1, "c:output:0");
  (*f->mutable_ret())["y"] = "top:z:0";
  b.Node("call", "PartitionedCall", {"x"});
  proto::NodeDef* call = graph->mutable_node(graph->node_size() - 1);
  for (const char* list : {"Tin", "Tout"}) (*call->mutable_attr())[list].mutable_list()->add_type(proto::DT_FLOAT);
  (*call->mutable_attr())["f"].mutable_func()->set_name("f");

  SavedModelBundle bundle = b.Load().value();
  auto outputs = bundle.session->Run({{"x", Tensor::Scalar(-23.0258503f)}}, {"top", "call"});
  INFO(outputs.status().ToString());
  REQUIRE(outputs.ok());
  CHECK((*outputs)[0].scalar<float>() == -10.0f);
  CHECK((*outputs)[1].scalar<float>() == -9.99999905f);
}

}  // namespace
}  // namespace savedmodel
