#include "ops/nn/shared_matrix.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shared_object.h"

namespace savedmodel {

absl::StatusOr<std::shared_ptr<const PackedMatrix>> SharedMatrix(const KernelInit& init, const Tensor& constant, int64_t k, bool transposed,
                                                                 const EpilogueAttrs& epilogue) {
  const int64_t n = constant.num_elements() / k;
  const std::string key = absl::StrCat("matrix ", k, " ", transposed, epilogue.bfloat16 ? " bfloat16" : "", epilogue.factor_key);
  return SharedObject<PackedMatrix>(init, constant, key, [&] {
    return PackedMatrix::Pack(k, n, constant.data<float>(), transposed ? k : n, transposed, init.pool(),
                              epilogue.precision(), epilogue.factors());
  });
}

absl::StatusOr<std::shared_ptr<const PackedLater<PackedMatrix>>> MatrixPackedLater(const KernelInit& init, const Tensor& constant, int64_t k,
                                                                                  bool transposed, const EpilogueAttrs& epilogue) {
  using Later = PackedLater<PackedMatrix>;
  const int64_t n = constant.num_elements() / k;
  const PanelLayout layout = PanelLayout::For(k, n, epilogue.precision());
  if (transposed || !PackedMatrix::HasRows(layout) || !Later::Pays(constant)) {
    EpilogueAttrs in_weights = epilogue;
    if (!layout.bf16) in_weights.factor = Tensor(), in_weights.factor_key.clear();
    SM_ASSIGN_OR_RETURN(std::shared_ptr<const PackedMatrix> packed, SharedMatrix(init, constant, k, transposed, in_weights));
    return std::make_shared<const Later>(*packed);
  }
  return SharedPointerBy<Later>(ShareOf(init), constant, absl::StrCat("matrix later ", k), [&]() -> absl::StatusOr<std::shared_ptr<const Later>> {
    SM_ASSIGN_OR_RETURN(PackedMatrix in_place, PackedMatrix::Rows(layout, constant.data<float>(), n, init.pool()));
    return std::make_shared<const Later>(constant, std::move(in_place), [k, n](const float* weights, ThreadPool& pool, PackedStretch done) {
      return PackedMatrix::Pack(k, n, weights, n, false, pool, GemmPrecision::kFloat, nullptr, &done);
    });
  });
}

std::string FilterKey(const PanelLayout& layout, const std::string& factor_key) {
  return absl::StrCat("conv ", static_cast<int>(layout.level), " ", layout.k, " ", layout.n, " ", layout.lanes, " ", layout.panel,
                      layout.tiles ? " tiles" : layout.bf16 ? " bfloat16" : "", factor_key);
}

}  // namespace savedmodel
