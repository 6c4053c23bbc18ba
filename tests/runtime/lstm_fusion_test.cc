// A loop over time around an LSTM cell becomes one layer, with the answers of the loop.
#include <catch2/catch.hpp>

#include "fusion_case.h"
#include "op_case.h"

namespace savedmodel {
namespace {

const DataType kF = DataType::kFloat, kI = DataType::kInt32, kV = DataType::kVariant;
constexpr int64_t kSteps = 4, kBatch = 2, kInputs = 3, kUnits = 5;

// Loops of version 1: variables go round, constants stay.
class Loop {
 public:
  explicit Loop(ModelBuilder* b) : b_(*b) {}
  std::string Variable(const std::string& name, DataType type, const std::string& start) {
    b_.Node(name + "/enter", "Enter", {start}).Type("T", type).String("frame_name", "time");
    b_.Node(name + "/merge", "Merge", {name + "/enter", name + "/next"}).Type("T", type).Int("N", 2);
    b_.Node(name + "/switch", "Switch", {name + "/merge", "go_on"}).Type("T", type);
    b_.Node(name + "/exit", "Exit", {name + "/switch"}).Type("T", type);
    return name + "/switch:1";
  }
  void Next(const std::string& name, DataType type, const std::string& value) { b_.Node(name + "/next", "NextIteration", {value}).Type("T", type); }
  std::string Constant(const std::string& name, DataType type, const std::string& value) {
    b_.Node(name + "/enter", "Enter", {value}).Type("T", type).String("frame_name", "time").Bool("is_constant", true);
    return name + "/enter";
  }

 private:
  ModelBuilder& b_;
};

// `gates`: which quarter is the input, forget, candidate and output gate. `last_only`: the list holds the last h alone.
ModelBuilder Layer(const std::vector<int>& gates, bool last_only, bool tanh_output = true) {
  ModelBuilder b;
  b.Placeholder("x", kF);
  b.Const("zero", Int32s({}, {0}));
  b.Const("one", Int32s({}, {1}));
  b.Const("steps", Int32s({}, {kSteps}));
  b.Const("count", Int32s({}, {static_cast<int32_t>(last_only ? 1 : kSteps)}));
  b.Const("axis", Int32s({}, {1}));
  b.Const("row_shape", Int32s({2}, {kBatch, kInputs}));
  b.Const("state_shape", Int32s({2}, {kBatch, kUnits}));
  b.Const("w", Random({kInputs, 4 * kUnits}, 1));
  b.Const("u", Random({kUnits, 4 * kUnits}, 2));
  b.Const("bias", Random({4 * kUnits}, 3));
  b.Const("h0", Random({kBatch, kUnits}, 4));
  b.Const("c0", Random({kBatch, kUnits}, 5));
  b.Node("sequence", "TensorListFromTensor", {"x", "row_shape"}).Type("element_dtype", kF).Type("shape_type", kI);
  b.Node("reserve", "TensorListReserve", {"state_shape", "count"}).Type("element_dtype", kF).Type("shape_type", kI);
  Loop loop(&b);
  const std::string t = loop.Variable("t", kI, "zero"), list = loop.Variable("list", kV, "reserve");
  const std::string h = loop.Variable("h", kF, "h0"), c = loop.Variable("c", kF, "c0");
  const std::string items = loop.Constant("items", kV, "sequence"), limit = loop.Constant("limit", kI, "steps");
  b.Node("less", "Less", {"t/merge", limit}).Type("T", kI);
  b.Node("go_on", "LoopCond", {"less"});
  b.Node("item", "TensorListGetItem", {items, t, loop.Constant("item_shape", kI, "row_shape")}).Type("element_dtype", kF);
  b.Node("xw", "MatMul", {"item", loop.Constant("w_in", kF, "w")}).Type("T", kF);
  b.Node("hu", "MatMul", {h, loop.Constant("u_in", kF, "u")}).Type("T", kF);
  b.Node("sum", "AddV2", {"xw", "hu"}).Type("T", kF);
  b.Node("z", "BiasAdd", {"sum", loop.Constant("bias_in", kF, "bias")}).Type("T", kF);
  b.Node("split", "Split", {loop.Constant("axis_in", kI, "axis"), "z"}).Type("T", kF).Int("num_split", 4);
  auto part = [&](int gate) { return "split:" + std::to_string(gates[static_cast<size_t>(gate)]); };
  b.Node("i", "Sigmoid", {part(0)}).Type("T", kF);
  b.Node("f", "Sigmoid", {part(1)}).Type("T", kF);
  b.Node("g", "Tanh", {part(2)}).Type("T", kF);
  b.Node("o", "Sigmoid", {part(3)}).Type("T", kF);
  b.Node("kept", "Mul", {"f", c}).Type("T", kF);
  b.Node("added", "Mul", {"i", "g"}).Type("T", kF);
  b.Node("new_c", "AddV2", {"kept", "added"}).Type("T", kF);
  b.Node("squashed", tanh_output ? "Tanh" : "Relu", {"new_c"}).Type("T", kF);
  b.Node("new_h", "Mul", {"o", "squashed"}).Type("T", kF);
  b.Node("set", "TensorListSetItem", {list, last_only ? loop.Constant("first", kI, "zero") : t, "new_h"}).Type("element_dtype", kF);
  b.Node("t_plus", "AddV2", {t, loop.Constant("step", kI, "one")}).Type("T", kI);
  loop.Next("t", kI, "t_plus");
  loop.Next("list", kV, "set");
  loop.Next("h", kF, "new_h");
  loop.Next("c", kF, "new_c");
  b.Node("stack", "TensorListStack", {"list/exit", "state_shape"}).Type("element_dtype", kF).Int("num_elements", last_only ? 1 : kSteps);
  b.Node("states", "AddV2", {"h/exit", "c/exit"}).Type("T", kF);
  b.Node("out", "AddV2", {"stack", "states"}).Type("T", kF);
  return b;
}

const Tensor kSequence = Random({kSteps, kBatch, kInputs}, 6);

TEST_CASE("fuse_lstm: Keras' order of gates, all results") { CheckPass(Layer({0, 1, 2, 3}, false), kSequence, "fuse_lstm", 3); }
TEST_CASE("fuse_lstm: another order of gates, the last result") { CheckPass(Layer({3, 0, 1, 2}, true), kSequence, "fuse_lstm", 3); }

TEST_CASE("fuse_lstm leaves loops around other cells") {
  SavedModelBundle bundle = Layer({0, 1, 2, 3}, false, false).Load().value();
  Tensor out;
  CHECK(StepsOf(bundle, {{"x", kSequence}}, &out) > 20);
}

}  // namespace
}  // namespace savedmodel
