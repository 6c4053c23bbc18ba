// _ElementwiseChain: several elementwise functions in one kernel, where a device has one. The CPU keeps them apart.
//   functions  the ops, in order
//   operands   two numbers a function: see ChainProgram
//   values     one number a function
#include "ops/math/elementwise_chain.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

absl::StatusOr<KernelPtr> Make(KernelInit&) { return absl::UnimplementedError("chains are made for devices"); }

absl::Status Infer(InferContext& context) {
  PartialShape shape = context.input(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    SM_ASSIGN_OR_RETURN(shape, Broadcast(shape, context.input(i)));
  }
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

}  // namespace

int ChainOperands(absl::string_view op) {
  static constexpr absl::string_view kUnary[] = {
      "Abs", "Neg", "Sign", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Inv", "Exp", "Expm1", "Log", "Log1p", "Sin", "Cos", "Tanh", "Sigmoid", "Relu", "Relu6",
      "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Erf", "Erfc", "Ceil", "Floor", "Rint", "Round"};
  static constexpr absl::string_view kBinary[] = {"Add", "AddV2", "Sub", "Mul", "RealDiv", "Div", "DivNoNan", "Maximum", "Minimum", "Pow", "SquaredDifference"};
  if (std::find(std::begin(kUnary), std::end(kUnary), op) != std::end(kUnary)) return 1;
  return std::find(std::begin(kBinary), std::end(kBinary), op) != std::end(kBinary) ? 2 : 0;
}

void WriteChain(const ChainProgram& program, Attributes* attributes) {
  std::vector<std::string> functions;
  std::vector<int64_t> operands;
  std::vector<float> values;
  for (const ChainProgram::Step& step : program.steps) {
    functions.push_back(step.op);
    operands.push_back(step.left);
    operands.push_back(step.right);
    values.push_back(step.value);
  }
  attributes->Set("functions", std::move(functions));
  attributes->Set("operands", std::move(operands));
  attributes->Set("values", std::move(values));
}

absl::StatusOr<ChainProgram> ReadChain(const Attributes& attributes, int inputs) {
  const std::vector<std::string>& functions = attributes.Strings("functions");
  const std::vector<int64_t>& operands = attributes.Ints("operands");
  const std::vector<float>& values = attributes.Floats("values");
  SM_CHECK_ARGUMENT(!functions.empty() && operands.size() == 2 * functions.size() && values.size() == functions.size(), "a chain of ", functions.size(),
                    " functions has ", operands.size(), " operands and ", values.size(), " values");
  ChainProgram program;
  program.inputs = inputs;
  for (size_t i = 0; i < functions.size(); ++i) {
    const int wanted = ChainOperands(functions[i]);
    SM_CHECK_ARGUMENT(wanted != 0, "a chain cannot hold ", functions[i]);
    const int64_t left = operands[2 * i], right = operands[2 * i + 1], end = inputs + static_cast<int64_t>(i);
    const bool fits = left >= (wanted == 2 ? ChainProgram::kValue : 0) && left < end &&
                      (wanted == 1 ? right == ChainProgram::kNone : right >= ChainProgram::kValue && right < end) && (left >= 0 || right >= 0);
    SM_CHECK_ARGUMENT(fits, "function ", i, " (", functions[i], ") of a chain has operands ", left, " and ", right);
    program.steps.push_back({functions[i], static_cast<int>(left), static_cast<int>(right), values[i]});
  }
  return program;
}

absl::StatusOr<std::vector<PlacedStep>> PlaceChain(const ChainProgram& program, int places, size_t most_steps) {
  const size_t n = program.steps.size();
  std::vector<size_t> last_use(n, n);
  for (size_t i = 0; i < n; ++i) {
    for (int operand : {program.steps[i].left, program.steps[i].right}) {
      if (operand >= program.inputs) last_use[static_cast<size_t>(operand - program.inputs)] = i;
    }
  }
  std::vector<PlacedStep> placed;
  std::vector<char> taken(static_cast<size_t>(places), 0);
  std::vector<int> place_of(n, -1);
  auto take = [&]() -> int {
    const auto free = std::find(taken.begin(), taken.end(), 0);
    if (free == taken.end()) return -1;
    *free = 1;
    return static_cast<int>(free - taken.begin());
  };
  const absl::Status too_many = absl::ResourceExhaustedError(absl::StrCat("a chain needs more than ", places, " places or ", most_steps, " steps"));
  for (size_t i = 0; i < n; ++i) {
    const ChainProgram::Step& step = program.steps[i];
    PlacedStep made;
    made.step = static_cast<int>(i);
    std::vector<int> freed;
    for (bool is_left : {true, false}) {
      const int operand = is_left ? step.left : step.right;
      int& at = is_left ? made.left : made.right;
      if (operand < 0) continue;
      if (operand >= program.inputs) {
        const size_t producer = static_cast<size_t>(operand - program.inputs);
        at = place_of[producer];
        if (last_use[producer] == i) freed.push_back(at);
      } else if (!is_left && operand == step.left) {
        at = made.left;
      } else {
        at = take();
        if (at < 0) return too_many;
        placed.push_back({.input = operand, .to = at});
        freed.push_back(at);
      }
    }
    // A step reads its operands before it writes.
    for (int at : freed) taken[static_cast<size_t>(at)] = 0;
    made.to = place_of[i] = take();
    if (made.to < 0) return too_many;
    placed.push_back(made);
    if (placed.size() > most_steps) return too_many;
  }
  return placed;
}

void DefineElementwiseChain(OpTable& ops) {
  ops.Add({.name = "_ElementwiseChain",
           .inputs = "args: num_args * T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float}; num_args: int >= 1; functions: list(string); operands: list(int); values: list(float)",
           .infer = Infer,
           .cpu = Make,
           .in_place = true});
}

}  // namespace savedmodel
