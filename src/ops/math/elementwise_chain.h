// Chains of elementwise functions as one op, _ElementwiseChain: what the passes write into its attributes and devices read.
#ifndef SAVEDMODEL_OPS_MATH_ELEMENTWISE_CHAIN_H_
#define SAVEDMODEL_OPS_MATH_ELEMENTWISE_CHAIN_H_

#include <string>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

// How many operands the op has if chains may hold it (it computes floats, element by element, alone from its inputs): 1, 2,
// else 0.
int ChainOperands(absl::string_view op);

struct ChainProgram {
  // An operand: an input of the chain, the result of an earlier step (counted from `inputs` on), or one of these.
  static constexpr int kValue = -1, kNone = -2;
  struct Step {
    std::string op;
    int left = kNone, right = kNone;
    float value = 0;  // of the operand that is kValue; of a unary function its alpha
  };
  int inputs = 0;
  std::vector<Step> steps;  // the result is the last one's
};
void WriteChain(const ChainProgram& program, Attributes* attributes);
// InvalidArgument for what is no program over `inputs` inputs.
absl::StatusOr<ChainProgram> ReadChain(const Attributes& attributes, int inputs);

// The program for a machine with few places, each holding one value: inputs are loaded right before a step wants them.
struct PlacedStep {
  int input = -1;  // loaded into `to`; else -1
  int step = -1;   // of the program
  int left = -1, right = -1, to = -1;
};
// ResourceExhausted where `places` or `most_steps` are too few.
absl::StatusOr<std::vector<PlacedStep>> PlaceChain(const ChainProgram& program, int places, size_t most_steps);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_MATH_ELEMENTWISE_CHAIN_H_
