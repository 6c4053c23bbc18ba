// Tensors of variants as serialized TensorProtos.
#ifndef SAVEDMODEL_OPS_PARSING_VARIANT_PROTO_H_
#define SAVEDMODEL_OPS_PARSING_VARIANT_PROTO_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

// The bytes of a tensor of composite tensors; Unimplemented for variants that hold anything else.
absl::StatusOr<std::string> VariantsToProto(const Tensor& tensor);

// What VariantsToProto wrote; InvalidArgument for anything else.
absl::StatusOr<Tensor> VariantsFromProto(absl::string_view proto, Allocator* allocator);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_PARSING_VARIANT_PROTO_H_
