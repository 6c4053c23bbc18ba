// Runs one op on host tensors, outside any plan: for constant folding and for the tests of ops.
#ifndef SAVEDMODEL_OPS_EVALUATE_H_
#define SAVEDMODEL_OPS_EVALUATE_H_

#include <string>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

struct EvaluateOptions {
  std::string node_name = "node";
  const std::vector<DataType>* output_types = nullptr;  // where known: else they are found by the schema, which takes longer
  Allocator* allocator = HostAllocator();
  bool check_inferred_shapes = false;  // Internal error where the shape rule contradicts the kernel
};

// `attributes` must be complete (CompleteAttributes). The outputs own their memory.
absl::StatusOr<std::vector<Tensor>> Evaluate(const OpDef& op, const Attributes& attributes, std::vector<Tensor> inputs,
                                             SessionState& state, ThreadPool& pool, const EvaluateOptions& options = {});

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_EVALUATE_H_
