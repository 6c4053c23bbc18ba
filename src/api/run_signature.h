// What a tensor must be to be given to a signature.
#ifndef SAVEDMODEL_API_RUN_SIGNATURE_H_
#define SAVEDMODEL_API_RUN_SIGNATURE_H_

#include <string>

#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

// InvalidArgument when the tensor's dtype or shape is not what the signature says of the input `key`.
absl::Status CheckInput(const std::string& key, const TensorInfo& info, const Tensor& tensor);

// The signature of this name; NotFound with the names there are.
absl::StatusOr<const Signature*> FindSignature(const SignatureMap& signatures, const std::string& name);

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_RUN_SIGNATURE_H_
