// cuBLASLt and cuDNN as our ops use them: a product or a convolution is planned once and run many times. Both libraries are
// looked for at run time; without them our own, slower kernels do the work. Errors of Run are CUDA's, or of the library
// (kBlasError + its status, kDnnError + its status).
#ifndef SAVEDMODEL_KERNELS_CUDA_LIBRARIES_H_
#define SAVEDMODEL_KERNELS_CUDA_LIBRARIES_H_

#include <compare>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

inline constexpr int kBlasError = 100000, kDnnError = 200000;

// Memory of the device and a clock, for trying out the ways that a library offers.
class Trial {
 public:
  virtual ~Trial() = default;
  // Memory that stays as long as the trial, a multiple of 64; null: there is none left.
  virtual void* Memory(size_t bytes) = 0;
  // Milliseconds that the work takes which `run` asks the stream for; infinity if it fails.
  virtual double Time(const std::function<int(void* stream)>& run) = 0;
};

// out[m, n] = activation(a[m, k] x b[k, n] + bias[n] + residual[m, n]), row-major and dense; transposed operands are stored
// [k, m] and [n, k]. `batch` products follow each other by the steps (0: the same matrix for all).
struct BlasShape {
  Element type = Element::kFloat;      // of a and b
  Element out_type = Element::kFloat;  // of the rest
  int64_t m = 1, n = 1, k = 1, batch = 1, a_step = 0, b_step = 0;
  // From one stored row to the next, and between the batch's results; 0: dense.
  int64_t a_row = 0, b_row = 0, out_row = 0, out_step = 0;
  bool transpose_a = false, transpose_b = false, bias = false, residual = false, tf32 = true;
  Unary activation = Unary::kNone;
  friend auto operator<=>(const BlasShape&, const BlasShape&) = default;
};

class BlasProduct {
 public:
  virtual ~BlasProduct() = default;
  virtual size_t workspace_bytes() const = 0;
  // False: the caller applies the activation afterwards. Bias and residual are always in.
  virtual bool has_activation() const = 0;
  // All pointers are multiples of 16.
  virtual int Run(void* stream, const void* a, const void* b, const void* bias, const void* residual, void* out, void* workspace) const = 0;
};

class Blas {
 public:
  virtual ~Blas() = default;
  // Null, with the reason, where the library has no way. With a trial the quickest of several ways is taken, else the first
  // that the library names.
  virtual std::shared_ptr<const BlasProduct> Plan(const BlasShape& shape, Trial* trial, std::string* why) = 0;
};

// A convolution of images, channels last: x [batch, in_h, in_w, in_channels], filter [out_channels, window_h, window_w,
// in_channels / groups], out [batch, out_h, out_w, out_channels]. The padding is the same on both sides.
struct DnnShape {
  Element type = Element::kFloat;
  int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  int64_t in[2] = {}, out[2] = {}, window[2] = {}, stride[2] = {1, 1}, dilation[2] = {1, 1}, padding[2] = {};
  bool bias = false, residual = false, tf32 = true;
  Unary activation = Unary::kNone;
  float alpha = 0;
  friend auto operator<=>(const DnnShape&, const DnnShape&) = default;
};

class DnnConvolution {
 public:
  virtual ~DnnConvolution() = default;
  virtual size_t workspace_bytes() const = 0;
  // False: the plain convolution; the caller adds bias and residual and applies the activation.
  virtual bool has_epilogue() const = 0;
  // `attachment` belongs to the stream and is the library's to fill; work of one stream is asked for by one thread.
  virtual int Run(void* stream, std::shared_ptr<void>* attachment, const void* x, const void* filter, const void* bias, const void* residual, void* out,
                  void* workspace) const = 0;
};

class Dnn {
 public:
  virtual ~Dnn() = default;
  virtual std::shared_ptr<const DnnConvolution> Plan(const DnnShape& shape, Trial* trial, std::string* why) = 0;
};

// The libraries of a device, and what was planned with them: each shape once, failures too. Thread-safe.
struct CudaLibraries {
  std::unique_ptr<Blas> blas;
  std::unique_ptr<Dnn> dnn;
  std::string blas_problem, dnn_problem;  // why there is none

  // Null where the library is not there or has no way. `make_trial` is called where something is to be tried out; it may
  // give null.
  using MakeTrial = std::function<std::unique_ptr<Trial>()>;
  std::shared_ptr<const BlasProduct> Product(const BlasShape& shape, const MakeTrial& make_trial) { return Get(blas.get(), &products_, shape, make_trial); }
  std::shared_ptr<const DnnConvolution> Convolution(const DnnShape& shape, const MakeTrial& make_trial) {
    return Get(dnn.get(), &convolutions_, shape, make_trial);
  }

 private:
  template <typename Library, typename Shape, typename Planned>
  std::shared_ptr<const Planned> Get(Library* library, std::map<Shape, std::shared_ptr<const Planned>>* known, const Shape& shape, const MakeTrial& make_trial) {
    if (library == nullptr) return nullptr;
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = known->find(shape);
    if (it != known->end()) return it->second;
    constexpr size_t kKept = 4096;
    if (known->size() >= kKept) known->clear();
    std::string why;
    const std::unique_ptr<Trial> trial = make_trial != nullptr ? make_trial() : nullptr;
    return known->emplace(shape, library->Plan(shape, trial.get(), &why)).first->second;
  }

  std::mutex mutex_;
  std::map<BlasShape, std::shared_ptr<const BlasProduct>> products_;
  std::map<DnnShape, std::shared_ptr<const DnnConvolution>> convolutions_;
};

// Look in the folders of `path` (separated by ':') first. Null with the reason. The current device is the one they work for.
std::unique_ptr<Blas> OpenBlas(const std::string& path, std::string* problem);
std::unique_ptr<Dnn> OpenDnn(const std::string& path, std::string* problem);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_LIBRARIES_H_
