// The value of a variant that holds the tensors of a composite one (ragged, sparse), as CompositeTensorVariantFromComponents
// packs it.
#ifndef SAVEDMODEL_OPS_LISTS_COMPOSITE_TENSOR_H_
#define SAVEDMODEL_OPS_LISTS_COMPOSITE_TENSOR_H_

#include <string>
#include <vector>

#include "ops/lists/nested_value.h"

namespace savedmodel {

class CompositeTensor final : public NestedValue {
 public:
  const char* kind() const override { return "CompositeTensor"; }
  std::string metadata;  // a serialized CompositeTensorVariantMetadata: the type, kept as it came
  std::vector<Tensor> components;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_LISTS_COMPOSITE_TENSOR_H_
