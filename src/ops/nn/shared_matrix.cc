#include "ops/nn/shared_matrix.h"

#include "absl/strings/str_cat.h"

namespace savedmodel {

absl::StatusOr<std::shared_ptr<const PackedMatrix>> SharedMatrix(const KernelInit& init, const Tensor& constant, int64_t k, bool transposed,
                                                                 const EpilogueAttrs& epilogue) {
  const int64_t n = constant.num_elements() / k;
  const std::string key = absl::StrCat("matrix ", k, " ", transposed, epilogue.bfloat16 ? " bfloat16" : "", epilogue.factor_key);
  absl::Status status;
  std::shared_ptr<const void> packed = init.Shared(constant, key, [&]() -> std::shared_ptr<const void> {
    absl::StatusOr<PackedMatrix> made = PackedMatrix::Pack(k, n, constant.data<float>(), transposed ? k : n, transposed, init.pool(),
                                                           epilogue.bfloat16 ? GemmPrecision::kBf16 : GemmPrecision::kFloat, epilogue.factors());
    if (made.ok()) return std::make_shared<PackedMatrix>(*std::move(made));
    status = made.status();
    return nullptr;
  });
  if (packed == nullptr) return status.ok() ? absl::InternalError("packing a matrix failed") : status;
  return std::static_pointer_cast<const PackedMatrix>(packed);
}

}  // namespace savedmodel
