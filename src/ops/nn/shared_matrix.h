// Packed matrices and filters that all plans of a session share.
#ifndef SAVEDMODEL_OPS_NN_SHARED_MATRIX_H_
#define SAVEDMODEL_OPS_NN_SHARED_MATRIX_H_

#include <string>

#include "kernels/cpu/packed_matrix.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/packed_later.h"

namespace savedmodel {

// The constant as a matrix [k, n] ([n, k] if `transposed`), k > 0, packed on first use; columns multiplied
// by the epilogue's factor and rounded where it says so. ResourceExhausted if there is no memory.
absl::StatusOr<std::shared_ptr<const PackedMatrix>> SharedMatrix(const KernelInit& init, const Tensor& constant, int64_t k, bool transposed,
                                                                 const EpilogueAttrs& epilogue);

// The same for products that run again and again: packed at the second use, and the factor is not in it but is left to the
// epilogue, unless operands are rounded.
absl::StatusOr<std::shared_ptr<const PackedLater<PackedMatrix>>> MatrixPackedLater(const KernelInit& init, const Tensor& constant, int64_t k,
                                                                                  bool transposed, const EpilogueAttrs& epilogue);

// The key of a filter in that layout, multiplied by the factor that `factor_key` names (may be empty).
std::string FilterKey(const PanelLayout& layout, const std::string& factor_key);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_SHARED_MATRIX_H_
