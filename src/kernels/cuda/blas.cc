// cuBLASLt. It counts columns first: our row-major out = a x b is its out' = b' x a', where a prime reads the same memory as
// a column-major matrix. A bias along our columns is then one along its rows, which is what its epilogue adds.
#include <cublasLt.h>

#include <memory>
#include <mutex>
#include <string>

#include "kernels/cuda/libraries.h"
#include "kernels/cuda/library_file.h"

namespace savedmodel::cuda {
namespace {

struct Functions {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtMatmul) matmul;
  decltype(&cublasLtMatmulDescCreate) desc_create;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set;
  decltype(&cublasLtMatrixLayoutCreate) layout_create;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&cublasLtMatrixLayoutSetAttribute) layout_set;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
};

bool LoadAll(void* library, Functions* f, std::string* problem) {
  return LoadFunction(library, "cublasLtCreate", &f->create, problem) && LoadFunction(library, "cublasLtDestroy", &f->destroy, problem) &&
         LoadFunction(library, "cublasLtMatmul", &f->matmul, problem) && LoadFunction(library, "cublasLtMatmulDescCreate", &f->desc_create, problem) &&
         LoadFunction(library, "cublasLtMatmulDescDestroy", &f->desc_destroy, problem) &&
         LoadFunction(library, "cublasLtMatmulDescSetAttribute", &f->desc_set, problem) &&
         LoadFunction(library, "cublasLtMatrixLayoutCreate", &f->layout_create, problem) &&
         LoadFunction(library, "cublasLtMatrixLayoutDestroy", &f->layout_destroy, problem) &&
         LoadFunction(library, "cublasLtMatrixLayoutSetAttribute", &f->layout_set, problem) &&
         LoadFunction(library, "cublasLtMatmulPreferenceCreate", &f->preference_create, problem) &&
         LoadFunction(library, "cublasLtMatmulPreferenceDestroy", &f->preference_destroy, problem) &&
         LoadFunction(library, "cublasLtMatmulPreferenceSetAttribute", &f->preference_set, problem) &&
         LoadFunction(library, "cublasLtMatmulAlgoGetHeuristic", &f->heuristic, problem);
}

// The handle and the functions; products share it.
struct Context {
  Functions f;
  cublasLtHandle_t handle = nullptr;
  ~Context() {
    if (handle != nullptr) f.destroy(handle);
  }
};

bool TypeOf(Element element, cudaDataType_t* type) {
  switch (element) {
    case Element::kFloat: *type = CUDA_R_32F; return true;
    case Element::kDouble: *type = CUDA_R_64F; return true;
    case Element::kHalf: *type = CUDA_R_16F; return true;
    case Element::kBFloat16: *type = CUDA_R_16BF; return true;
    default: return false;
  }
}

class LtProduct final : public BlasProduct {
 public:
  LtProduct(std::shared_ptr<const Context> context, const BlasShape& shape) : context_(std::move(context)), s_(shape) {}
  ~LtProduct() override {
    const Functions& f = context_->f;
    if (desc_ != nullptr) f.desc_destroy(desc_);
    for (cublasLtMatrixLayout_t layout : {left_, right_, out_}) {
      if (layout != nullptr) f.layout_destroy(layout);
    }
  }

  bool Make(Trial* trial, std::string* why) {
    fused_ = s_.activation == Unary::kNone || s_.activation == Unary::kRelu || s_.activation == Unary::kGeluTanh;
    if (Prepare(trial)) return true;
    if (fused_ && s_.activation != Unary::kNone) {  // without the activation, then
      fused_ = false;
      if (Prepare(trial)) return true;
    }
    *why = "cuBLASLt has no way to do this product: status " + std::to_string(status_);
    return false;
  }

  size_t workspace_bytes() const override { return algorithm_.workspaceSize; }
  bool has_activation() const override { return fused_; }

  int Run(void* stream, const void* a, const void* b, const void* bias, const void* residual, void* out, void* workspace) const override {
    return RunBy(algorithm_, stream, a, b, bias, residual, out, workspace);
  }

 private:
  int RunBy(const cublasLtMatmulHeuristicResult_t& algorithm, void* stream, const void* a, const void* b, const void* bias, const void* residual, void* out,
            void* workspace) const {
    const double one64 = 1, beta64 = residual != nullptr ? 1 : 0;
    const float one32 = 1, beta32 = residual != nullptr ? 1 : 0;
    const bool wide = s_.type == Element::kDouble;
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    // The pointer to the bias is part of the description, which runs share. It is read while the work is asked for.
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    if (bias != nullptr) {
      lock.lock();
      status = context_->f.desc_set(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof(bias));
    }
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = context_->f.matmul(context_->handle, desc_, wide ? static_cast<const void*>(&one64) : &one32, b, left_, a, right_,
                                  wide ? static_cast<const void*>(&beta64) : &beta32, residual != nullptr ? residual : out, out_, out, out_, &algorithm.algo,
                                  workspace, algorithm.workspaceSize, static_cast<cudaStream_t>(stream));
    }
    return status == CUBLAS_STATUS_SUCCESS ? 0 : kBlasError + static_cast<int>(status);
  }

  bool Ok(cublasStatus_t status) {
    status_ = static_cast<int>(status);
    return status == CUBLAS_STATUS_SUCCESS;
  }

  // `distance` from column to column (our rows); 0: dense.
  bool Layout(cublasLtMatrixLayout_t* layout, cudaDataType_t type, int64_t rows, int64_t columns, int64_t distance, int64_t step) {
    const Functions& f = context_->f;
    if (*layout != nullptr) f.layout_destroy(*layout);
    *layout = nullptr;
    if (!Ok(f.layout_create(layout, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), distance != 0 ? distance : rows))) return false;
    if (s_.batch <= 1) return true;
    const int32_t count = static_cast<int32_t>(s_.batch);
    return Ok(f.layout_set(*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count))) &&
           Ok(f.layout_set(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof(step)));
  }

  bool Prepare(Trial* trial) {
    const Functions& f = context_->f;
    cudaDataType_t in, out;
    if (!TypeOf(s_.type, &in) || !TypeOf(s_.out_type, &out) || s_.batch > INT32_MAX) return false;
    const bool wide = s_.type == Element::kDouble;
    const cublasComputeType_t compute = wide ? CUBLAS_COMPUTE_64F : in == CUDA_R_32F && s_.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    if (desc_ != nullptr) f.desc_destroy(desc_);
    desc_ = nullptr;
    if (!Ok(f.desc_create(&desc_, compute, wide ? CUDA_R_64F : CUDA_R_32F))) return false;
    const cublasOperation_t left = s_.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, right = s_.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (!Ok(f.desc_set(desc_, CUBLASLT_MATMUL_DESC_TRANSA, &left, sizeof(left))) || !Ok(f.desc_set(desc_, CUBLASLT_MATMUL_DESC_TRANSB, &right, sizeof(right)))) {
      return false;
    }
    const Unary activation = fused_ ? s_.activation : Unary::kNone;
    const cublasLtEpilogue_t epilogue = activation == Unary::kRelu       ? (s_.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU)
                                        : activation == Unary::kGeluTanh ? (s_.bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU)
                                        : s_.bias                        ? CUBLASLT_EPILOGUE_BIAS
                                                                         : CUBLASLT_EPILOGUE_DEFAULT;
    if (!Ok(f.desc_set(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue)))) return false;
    if (s_.bias) {
      // The search wants to see some pointer, well aligned; the real one comes with each run.
      const void* some = reinterpret_cast<const void*>(uintptr_t{4096});
      if (!Ok(f.desc_set(desc_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &out, sizeof(out))) ||
          !Ok(f.desc_set(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &some, sizeof(some)))) {
        return false;
      }
    }
    // b', a' and out' as they lie in memory.
    if (!Layout(&left_, in, s_.transpose_b ? s_.k : s_.n, s_.transpose_b ? s_.n : s_.k, s_.b_row, s_.b_step)) return false;
    if (!Layout(&right_, in, s_.transpose_a ? s_.m : s_.k, s_.transpose_a ? s_.k : s_.m, s_.a_row, s_.a_step)) return false;
    if (!Layout(&out_, out, s_.n, s_.m, s_.out_row, s_.out_step != 0 ? s_.out_step : s_.n * s_.m)) return false;

    cublasLtMatmulPreference_t preference = nullptr;
    if (!Ok(f.preference_create(&preference))) return false;
    const size_t most = size_t{32} << 20;
    const uint32_t alignment = 16;
    bool good = Ok(f.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof(most)));
    for (cublasLtMatmulPreferenceAttributes_t which : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                                       CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      good = good && Ok(f.preference_set(preference, which, &alignment, sizeof(alignment)));
    }
    constexpr int kTried = 8;
    cublasLtMatmulHeuristicResult_t ways[kTried] = {};
    int found = 0;
    good = good && Ok(f.heuristic(context_->handle, desc_, left_, right_, out_, out_, preference, trial != nullptr ? kTried : 1, ways, &found));
    f.preference_destroy(preference);
    if (!good || found == 0 || !Ok(ways[0].state)) return false;
    algorithm_ = trial != nullptr && found > 1 ? Quickest(ways, found, trial) : ways[0];
    return true;
  }

  // The first where there is no memory to try them.
  const cublasLtMatmulHeuristicResult_t& Quickest(const cublasLtMatmulHeuristicResult_t* ways, int count, Trial* trial) const {
    auto bytes = [&](int64_t elements, Element type) { return static_cast<size_t>(elements) * (type == Element::kDouble ? 8 : type == Element::kFloat ? 4 : 2); };
    auto span = [&](int64_t rows, int64_t columns, int64_t row, int64_t step) { return (s_.batch - 1) * step + (rows - 1) * (row != 0 ? row : columns) + columns; };
    size_t most = 0;
    for (int i = 0; i < count; ++i) most = ways[i].workspaceSize > most ? ways[i].workspaceSize : most;
    void* a = trial->Memory(bytes(s_.transpose_a ? span(s_.k, s_.m, s_.a_row, s_.a_step) : span(s_.m, s_.k, s_.a_row, s_.a_step), s_.type));
    void* b = trial->Memory(bytes(s_.transpose_b ? span(s_.n, s_.k, s_.b_row, s_.b_step) : span(s_.k, s_.n, s_.b_row, s_.b_step), s_.type));
    void* out = trial->Memory(bytes(span(s_.m, s_.n, s_.out_row, s_.out_step != 0 ? s_.out_step : s_.m * s_.n), s_.out_type));
    void* bias = trial->Memory(bytes(s_.n, s_.out_type));
    void* workspace = trial->Memory(most > 0 ? most : 1);
    if (a == nullptr || b == nullptr || out == nullptr || bias == nullptr || workspace == nullptr) return ways[0];
    int best = 0;
    double least = 0;
    for (int i = 0; i < count; ++i) {
      if (ways[i].state != CUBLAS_STATUS_SUCCESS) continue;
      const double time = trial->Time([&](void* stream) {
        return RunBy(ways[i], stream, a, b, s_.bias ? bias : nullptr, s_.residual ? out : nullptr, out, workspace);
      });
      if (i == 0 || time < least) {
        best = i;
        least = time;
      }
    }
    return ways[best];
  }

  const std::shared_ptr<const Context> context_;
  const BlasShape s_;
  mutable std::mutex mutex_;
  bool fused_ = false;
  int status_ = 0;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatrixLayout_t left_ = nullptr, right_ = nullptr, out_ = nullptr;
  cublasLtMatmulHeuristicResult_t algorithm_ = {};
};

class LtBlas final : public Blas {
 public:
  explicit LtBlas(std::shared_ptr<const Context> context) : context_(std::move(context)) {}
  std::shared_ptr<const BlasProduct> Plan(const BlasShape& shape, Trial* trial, std::string* why) override {
    auto product = std::make_shared<LtProduct>(context_, shape);
    if (!product->Make(trial, why)) return nullptr;
    return product;
  }

 private:
  const std::shared_ptr<const Context> context_;
};

}  // namespace

std::unique_ptr<Blas> OpenBlas(const std::string& path, std::string* problem) {
  const std::string name = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
  void* library = OpenLibraryFile(path, name.c_str(), problem);
  auto context = std::make_shared<Context>();
  if (library == nullptr || !LoadAll(library, &context->f, problem)) return nullptr;
  if (const cublasStatus_t status = context->f.create(&context->handle); status != CUBLAS_STATUS_SUCCESS) {
    context->handle = nullptr;
    *problem = "cublasLtCreate: status " + std::to_string(static_cast<int>(status));
    return nullptr;
  }
  return std::make_unique<LtBlas>(std::move(context));
}

}  // namespace savedmodel::cuda
