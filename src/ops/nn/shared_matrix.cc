#include "ops/nn/shared_matrix.h"

#include "absl/strings/str_cat.h"
#include "ops/shared_object.h"

namespace savedmodel {

absl::StatusOr<std::shared_ptr<const PackedMatrix>> SharedMatrix(const KernelInit& init, const Tensor& constant, int64_t k, bool transposed,
                                                                 const EpilogueAttrs& epilogue) {
  const int64_t n = constant.num_elements() / k;
  const std::string key = absl::StrCat("matrix ", k, " ", transposed, epilogue.bfloat16 ? " bfloat16" : "", epilogue.factor_key);
  return SharedObject<PackedMatrix>(init, constant, key, [&] {
    return PackedMatrix::Pack(k, n, constant.data<float>(), transposed ? k : n, transposed, init.pool(),
                              epilogue.bfloat16 ? GemmPrecision::kBf16 : GemmPrecision::kFloat, epilogue.factors());
  });
}

}  // namespace savedmodel
