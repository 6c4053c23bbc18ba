// Tensors as serialized TensorProtos.
#ifndef SAVEDMODEL_OPS_PARSING_TENSOR_PROTO_H_
#define SAVEDMODEL_OPS_PARSING_TENSOR_PROTO_H_

#include <string>

#include "absl/strings/string_view.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

// The tensor that these bytes describe; InvalidArgument for bytes that are no TensorProto, or one of a tensor that has no
// serialized form here (resources, variants).
absl::StatusOr<Tensor> TensorFromProto(absl::string_view proto, Allocator* allocator);

// The bytes of a tensor of numbers or strings. Strings are written one by one, or as the reference's packed content.
std::string TensorToProto(const Tensor& tensor, bool strings_as_content);

// The same with the elements in the list that belongs to the dtype, as the reference writes tensors inside other messages.
std::string TensorToListProto(const Tensor& tensor);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_PARSING_TENSOR_PROTO_H_
