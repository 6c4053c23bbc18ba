// TensorMap: the value of a variant that maps tensors to tensors.
#ifndef SAVEDMODEL_OPS_LISTS_TENSOR_MAP_H_
#define SAVEDMODEL_OPS_LISTS_TENSOR_MAP_H_

#include <map>
#include <string>

#include "ops/lists/nested_value.h"

namespace savedmodel {

class TensorMap final : public NestedValue {
 public:
  const char* kind() const override { return "TensorMap"; }
  struct Entry {
    Tensor key, value;
  };
  absl::StatusOr<Variant> ZerosLike() const override { return Variant(std::make_shared<TensorMap>()); }  // the empty one
  absl::StatusOr<Variant> Add(const NestedValue& other) const override;
  std::map<std::string, Entry> entries;  // by the key's dtype, shape and bytes
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_LISTS_TENSOR_MAP_H_
