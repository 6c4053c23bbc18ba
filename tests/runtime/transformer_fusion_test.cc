// The spellings of transformers: layer norm, GELU, attention, dense layers between reshapes. Each fused graph gives the
// answers of the graph as it was written.
#include <catch2/catch.hpp>

#include "fusion_case.h"
#include "op_case.h"

namespace savedmodel {
namespace {

const DataType kF = DataType::kFloat;

void Binary(ModelBuilder& b, const std::string& name, const std::string& op, const std::string& x, const std::string& y) {
  b.Node(name, op, {x, y}).Type("T", kF);
}

void Moments(ModelBuilder& b) {
  b.Placeholder("x", kF);
  b.Const("axis", Int32s({1}, {-1}));
  b.Const("epsilon", Floats({}, {1e-3f}));
  b.Const("gamma", Random({37}, 1));
  b.Const("beta", Random({37}, 2));
  b.Node("mean", "Mean", {"x", "axis"}).Type("T", kF).Bool("keep_dims", true);
  Binary(b, "difference", "SquaredDifference", "x", "mean");
  b.Node("variance", "Mean", {"difference", "axis"}).Type("T", kF).Bool("keep_dims", true);
  Binary(b, "shifted", "AddV2", "variance", "epsilon");
  b.Node("root", "Rsqrt", {"shifted"}).Type("T", kF);
}

const Tensor kRows = Random({2, 5, 37}, 3);

TEST_CASE("fuse_norms: batch_normalization over moments") {
  ModelBuilder b;
  Moments(b);
  Binary(b, "factor", "Mul", "root", "gamma");
  Binary(b, "scaled", "Mul", "x", "factor");
  Binary(b, "moved", "Mul", "mean", "factor");
  Binary(b, "shift", "Sub", "beta", "moved");
  Binary(b, "out", "AddV2", "scaled", "shift");
  CheckPass(b, kRows, "fuse_norms", 1);
}

TEST_CASE("fuse_norms: centred, with and without gamma and beta") {
  ModelBuilder b;
  Moments(b);
  Binary(b, "centred", "Sub", "x", "mean");
  Binary(b, "normal", "Mul", "centred", "root");
  Binary(b, "scaled", "Mul", "normal", "gamma");
  SECTION("all") { Binary(b, "out", "AddV2", "beta", "scaled"); }
  SECTION("without beta") { b.Node("out", "Identity", {"scaled"}).Type("T", kF); }
  SECTION("neither") { b.Node("out", "Identity", {"normal"}).Type("T", kF); }
  CheckPass(b, kRows, "fuse_norms", 1);
}

TEST_CASE("fuse_norms: division by the root of a mean square") {
  ModelBuilder b;
  Moments(b);
  Binary(b, "centred", "Sub", "x", "mean");
  Binary(b, "square", "Mul", "centred", "centred");
  b.Node("power", "Mean", {"square", "axis"}).Type("T", kF).Bool("keep_dims", true);
  Binary(b, "above", "AddV2", "epsilon", "power");
  b.Node("deviation", "Sqrt", {"above"}).Type("T", kF);
  Binary(b, "normal", "RealDiv", "centred", "deviation");
  Binary(b, "out", "AddV2", "normal", "beta");
  CheckPass(b, kRows, "fuse_norms", 1);
}

TEST_CASE("fuse_norms: rows as images, as Keras 2 writes it") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("images", Int32s({4}, {1, 10, 37, 1}));
  b.Const("rows", Int32s({3}, {2, 5, 37}));
  b.Const("ones", Floats({10}, std::vector<float>(10, 1)));
  b.Const("zeros", Floats({10}, std::vector<float>(10, 0)));
  b.Const("none", Floats({0}, {}));
  b.Const("gamma", Random({37}, 1));
  b.Const("beta", Random({37}, 2));
  b.Node("image", "Reshape", {"x", "images"}).Type("T", kF);
  b.Node("norm", "FusedBatchNormV3", {"image", "ones", "zeros", "none", "none"}).Type("T", kF).Type("U", kF).String("data_format", "NCHW")
      .Bool("is_training", true).Float("epsilon", 1e-3f);
  b.Node("back", "Reshape", {"norm", "rows"}).Type("T", kF);
  Binary(b, "scaled", "Mul", "back", "gamma");
  Binary(b, "out", "AddV2", "scaled", "beta");
  CheckPass(b, kRows, "fuse_norms", 1);
}

TEST_CASE("fuse_norms leaves what is not the norm of a row") {
  ModelBuilder b;
  Moments(b);
  b.Const("other", Random({2, 5, 1}, 9));
  Binary(b, "centred", "Sub", "x", "other");
  Binary(b, "out", "Mul", "centred", "root");
  CheckPass(b, kRows, "fuse_norms", 7);
}

// y = x w + bias, then a function of y.
ModelBuilder Dense() {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("w", Random({8, 24}, 1));
  b.Const("bias", Random({24}, 2));
  b.Node("product", "MatMul", {"x", "w"}).Type("T", kF);
  b.Node("y", "BiasAdd", {"product", "bias"}).Type("T", kF);
  b.Const("half", Floats({}, {0.5f}));
  b.Const("one", Floats({}, {1}));
  return b;
}

TEST_CASE("fuse_activations knows GELU by erf") {
  ModelBuilder b = Dense();
  b.Const("root_two", Floats({}, {1.4142135f}));
  Binary(b, "argument", "RealDiv", "y", "root_two");
  b.Node("erf", "Erf", {"argument"}).Type("T", kF);
  Binary(b, "sum", "AddV2", "one", "erf");
  SECTION("half first") {
    Binary(b, "halved", "Mul", "half", "y");
    Binary(b, "out", "Mul", "halved", "sum");
  }
  SECTION("half last") {
    Binary(b, "halved", "Mul", "sum", "half");
    Binary(b, "out", "Mul", "y", "halved");
  }
  CheckPass(b, Random({3, 8}, 3), "fuse_activations", 1);
}

TEST_CASE("fuse_activations knows GELU by tanh") {
  ModelBuilder b = Dense();
  b.Const("c", Floats({}, {0.044715f}));
  b.Const("s", Floats({}, {0.7978846f}));
  SECTION("Pow") {
    b.Const("three", Floats({}, {3}));
    Binary(b, "cube", "Pow", "y", "three");
  }
  SECTION("products") {
    Binary(b, "square", "Mul", "y", "y");
    Binary(b, "cube", "Mul", "square", "y");
  }
  Binary(b, "small", "Mul", "c", "cube");
  Binary(b, "inner", "AddV2", "y", "small");
  Binary(b, "argument", "Mul", "s", "inner");
  b.Node("tanh", "Tanh", {"argument"}).Type("T", kF);
  Binary(b, "sum", "AddV2", "one", "tanh");
  Binary(b, "halved", "Mul", "half", "y");
  Binary(b, "out", "Mul", "halved", "sum");
  CheckPass(b, Random({3, 8}, 3), "fuse_activations", 1);
}

TEST_CASE("fuse_activations leaves a GELU whose argument is read elsewhere") {
  ModelBuilder b = Dense();
  b.Const("root_two", Floats({}, {1.4142135f}));
  Binary(b, "argument", "RealDiv", "y", "root_two");
  b.Node("erf", "Erf", {"argument"}).Type("T", kF);
  Binary(b, "sum", "AddV2", "one", "erf");
  Binary(b, "halved", "Mul", "half", "y");
  Binary(b, "gelu", "Mul", "halved", "sum");
  Binary(b, "out", "Sub", "gelu", "y");
  CheckPass(b, Random({3, 8}, 3), "fuse_activations", 7);
}

TEST_CASE("fuse_reshapes and simplify: Tensordot") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("w", Random({8, 24}, 1));
  b.Const("bias", Random({24}, 2));
  b.Const("order", Int32s({3}, {0, 1, 2}));
  b.Const("flat", Int32s({2}, {15, 8}));
  b.Const("back", Int32s({3}, {3, 5, 24}));
  b.Const("one", Floats({}, {1}));
  b.Node("same", "Transpose", {"x", "order"}).Type("T", kF);
  b.Node("rows", "Reshape", {"same", "flat"}).Type("T", kF);
  b.Node("product", "MatMul", {"rows", "w"}).Type("T", kF);
  b.Node("turned", "Reshape", {"product", "back"}).Type("T", kF);
  Binary(b, "biased", "AddV2", "turned", "bias");
  b.Node("relu", "Relu", {"biased"}).Type("T", kF);
  Binary(b, "out", "Mul", "relu", "one");
  for (const char* pass : {"fuse_reshapes", "simplify"}) CheckPass(b, Random({3, 5, 8}, 3), pass, 1);
}

// Queries, keys and values are three scalings of x, [2, 6, 3, 8]: batch, rows, heads, depth.
ModelBuilder Heads() {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("order", Int32s({4}, {0, 2, 1, 3}));
  b.Const("scale", Floats({}, {0.25f}));
  b.Const("mask", Random({2, 1, 1, 6}, 7, -4, 0));
  for (const char* name : {"q", "k", "v"}) {
    b.Const(std::string(name) + "_factor", Random({8}, static_cast<unsigned>(name[0])));
    Binary(b, name, "Mul", "x", std::string(name) + "_factor");
    b.Node(std::string(name) + "_turned", "Transpose", {name, "order"}).Type("T", kF);
  }
  return b;
}

const Tensor kHeads = Random({2, 6, 3, 8}, 5);

TEST_CASE("fuse_attention: batched products") {
  ModelBuilder b = Heads();
  b.Node("scores", "BatchMatMulV2", {"q_turned", "k_turned"}).Type("T", kF).Bool("adj_y", true);
  Binary(b, "scaled", "Mul", "scores", "scale");
  SECTION("masked") { Binary(b, "logits", "AddV2", "scaled", "mask"); }
  SECTION("not masked") { b.Node("logits", "Identity", {"scaled"}).Type("T", kF); }
  b.Node("weights", "Softmax", {"logits"}).Type("T", kF);
  b.Node("context", "BatchMatMulV2", {"weights", "v_turned"}).Type("T", kF);
  b.Node("out", "Transpose", {"context", "order"}).Type("T", kF);
  CheckPass(b, kHeads, "fuse_attention", 4);
}

TEST_CASE("fuse_attention: keys transposed, heads kept in front") {
  ModelBuilder b = Heads();
  b.Const("keys_order", Int32s({4}, {0, 2, 3, 1}));
  b.Node("k_columns", "Transpose", {"k", "keys_order"}).Type("T", kF);
  b.Node("scores", "BatchMatMulV2", {"q_turned", "k_columns"}).Type("T", kF);
  b.Node("weights", "Softmax", {"scores"}).Type("T", kF);
  b.Node("context", "BatchMatMulV2", {"weights", "v_turned"}).Type("T", kF);
  b.Node("out", "Relu", {"context"}).Type("T", kF);
  CheckPass(b, kHeads, "fuse_attention", 5);
}

TEST_CASE("fuse_attention: Keras' Einsums") {
  ModelBuilder b = Heads();
  b.Node("scores", "Einsum", {"k", "q"}).Type("T", kF).Int("N", 2).String("equation", "aecd,abcd->acbe");
  Binary(b, "logits", "AddV2", "scores", "mask");
  b.Node("weights", "Softmax", {"logits"}).Type("T", kF);
  b.Node("out", "Einsum", {"weights", "v"}).Type("T", kF).Int("N", 2).String("equation", "acbe,aecd->abcd");
  CheckPass(b, kHeads, "fuse_attention", 4);
}

TEST_CASE("fuse_attention: one head of rank 3") {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Node("scores", "BatchMatMulV2", {"x", "x"}).Type("T", kF).Bool("adj_y", true);
  b.Node("weights", "Softmax", {"scores"}).Type("T", kF);
  b.Node("out", "BatchMatMulV2", {"weights", "x"}).Type("T", kF);
  CheckPass(b, Random({2, 9, 20}, 4), "fuse_attention", 1);
}

}  // namespace
}  // namespace savedmodel
