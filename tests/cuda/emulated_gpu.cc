#include "emulated_gpu.h"

#include <atomic>
#include <cstdlib>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/libraries.h"
#include "kernels/cuda/window.h"
#include "ops/cuda/cuda_kernel.h"

namespace savedmodel {
namespace {

using Work = std::function<void()>;

struct Graph {
  std::vector<Work> work;
};

struct Queue {
  std::mutex mutex;
  std::vector<Work> work;
  std::unique_ptr<Graph> captured;  // while capturing
};

// All of the machine. Tests run one after the other; sessions inside a test may run at once.
struct Machine {
  std::mutex mutex;
  std::map<char*, size_t> device, pinned;
  std::vector<Queue*> queues;
  EmulatedCounts counts;
  EmulatedFaults faults;
};
Machine& TheMachine() {
  static Machine* const machine = new Machine();
  return *machine;
}

void Ask(void* stream, Work work) {
  Queue* queue = static_cast<Queue*>(stream);
  std::lock_guard<std::mutex> lock(queue->mutex);
  if (queue->captured != nullptr) queue->captured->work.push_back(std::move(work));
  else queue->work.push_back(std::move(work));
}

void Drain(Queue* queue) {
  std::vector<Work> work;
  {
    std::lock_guard<std::mutex> lock(queue->mutex);
    work.swap(queue->work);
  }
  for (const Work& one : work) one();
}

bool Inside(const std::map<char*, size_t>& blocks, const void* memory, size_t bytes) {
  char* at = static_cast<char*>(const_cast<void*>(memory));
  auto it = blocks.upper_bound(at);
  if (it == blocks.begin()) return false;
  --it;
  return at + bytes <= it->first + it->second;
}

int TakeMemory(std::map<char*, size_t>* blocks, void** memory, size_t bytes, int spoil) {
  void* data = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  std::memset(data, spoil, bytes);
  (*blocks)[static_cast<char*>(data)] = bytes;
  *memory = data;
  return 0;
}

int Allocate(void** memory, size_t bytes) {
  Machine& m = TheMachine();
  std::lock_guard<std::mutex> lock(m.mutex);
  if (m.faults.allocate_error != 0) return m.faults.allocate_error;
  if (m.counts.live_bytes + static_cast<int64_t>(bytes) > m.faults.memory) return cuda_error::kOutOfMemory;
  ++m.counts.allocations;
  m.counts.live_bytes += static_cast<int64_t>(bytes);
  return TakeMemory(&m.device, memory, bytes, 0xff);
}

int Release(void* memory) {
  Machine& m = TheMachine();
  std::vector<Queue*> queues;
  {
    std::lock_guard<std::mutex> lock(m.mutex);
    queues = m.queues;
  }
  for (Queue* queue : queues) Drain(queue);  // as cudaFree waits for the device
  std::lock_guard<std::mutex> lock(m.mutex);
  auto it = m.device.find(static_cast<char*>(memory));
  if (it == m.device.end()) return 1;
  m.counts.live_bytes -= static_cast<int64_t>(it->second);
  m.device.erase(it);
  std::free(memory);
  return 0;
}

int AllocatePinned(void** memory, size_t bytes) {
  Machine& m = TheMachine();
  std::lock_guard<std::mutex> lock(m.mutex);
  ++m.counts.pinned;
  return TakeMemory(&m.pinned, memory, bytes, 0xff);
}

int ReleasePinned(void* memory) {
  Machine& m = TheMachine();
  std::lock_guard<std::mutex> lock(m.mutex);
  if (m.pinned.erase(static_cast<char*>(memory)) == 0) return 1;
  --m.counts.pinned;
  std::free(memory);
  return 0;
}

int CreateStream(void** stream) {
  Machine& m = TheMachine();
  auto* queue = new Queue();
  std::lock_guard<std::mutex> lock(m.mutex);
  m.queues.push_back(queue);
  ++m.counts.streams;
  *stream = queue;
  return 0;
}

int DestroyStream(void* stream) {
  Machine& m = TheMachine();
  Queue* queue = static_cast<Queue*>(stream);
  Drain(queue);
  std::lock_guard<std::mutex> lock(m.mutex);
  m.queues.erase(std::find(m.queues.begin(), m.queues.end(), queue));
  --m.counts.streams;
  delete queue;
  return 0;
}

int SynchronizeStream(void* stream) {
  const int error = TheMachine().faults.synchronize_error;
  if (error != 0) return error;
  Drain(static_cast<Queue*>(stream));
  return 0;
}

int Copy(void* to, const void* from, size_t bytes, CopyKind kind, void* stream) {
  Machine& m = TheMachine();
  Queue* queue = static_cast<Queue*>(stream);
  std::lock_guard<std::mutex> lock(m.mutex);
  ++(kind == CopyKind::kHostToDevice ? m.counts.to_device : kind == CopyKind::kDeviceToHost ? m.counts.to_host : m.counts.on_device);
  const bool to_fits = kind == CopyKind::kDeviceToHost || Inside(m.device, to, bytes);
  const bool from_fits = kind == CopyKind::kHostToDevice || Inside(m.device, from, bytes);
  // Outside of runs (weights) the host side may be any memory; kernels' results never are.
  if (!to_fits || !from_fits) {
    ++m.counts.bad_copies;
    return 1;
  }
  Ask(queue, [to, from, bytes] { std::memmove(to, from, bytes); });
  return 0;
}

int BeginCapture(void* stream) {
  if (TheMachine().faults.capture_error != 0) return TheMachine().faults.capture_error;
  Queue* queue = static_cast<Queue*>(stream);
  std::lock_guard<std::mutex> lock(queue->mutex);
  if (queue->captured != nullptr) return 900;
  queue->captured = std::make_unique<Graph>();
  return 0;
}

int EndCapture(void* stream, void** graph) {
  Queue* queue = static_cast<Queue*>(stream);
  {
    std::lock_guard<std::mutex> lock(queue->mutex);
    *graph = queue->captured.release();
  }
  Machine& m = TheMachine();
  std::lock_guard<std::mutex> lock(m.mutex);
  ++m.counts.recordings;
  ++m.counts.live_graphs;
  return 0;
}

int LaunchGraph(void* graph, void* stream) {
  const std::vector<Work> work = static_cast<Graph*>(graph)->work;
  {
    Machine& m = TheMachine();
    std::lock_guard<std::mutex> lock(m.mutex);
    ++m.counts.replays;
  }
  Ask(stream, [work] {
    for (const Work& one : work) one();
  });
  return 0;
}

int DestroyGraph(void* graph) {
  delete static_cast<Graph*>(graph);
  Machine& m = TheMachine();
  std::lock_guard<std::mutex> lock(m.mutex);
  --m.counts.live_graphs;
  return 0;
}

int Properties(int, GpuProperties* properties) {
  *properties = {"Emulated GPU", TheMachine().faults.capability, 0, 1, static_cast<size_t>(TheMachine().faults.memory)};
  return 0;
}

using cuda::Element;

template <typename T>
float At(const void* data, int64_t i) { return static_cast<float>(static_cast<const T*>(data)[i]); }
float At(Element type, const void* data, int64_t i) {
  return type == Element::kBFloat16 ? At<cuda::BF16>(data, i) : type == Element::kHalf ? At<cuda::F16>(data, i) : At<float>(data, i);
}
void Set(Element type, void* data, int64_t i, float value) {
  if (type == Element::kBFloat16) static_cast<cuda::BF16*>(data)[i] = value;
  else if (type == Element::kHalf) static_cast<cuda::F16*>(data)[i] = value;
  else static_cast<float*>(data)[i] = value;
}

// The formula of BlasShape, with Relu as the only activation that is fused.
class EmulatedProduct final : public cuda::BlasProduct {
 public:
  explicit EmulatedProduct(const cuda::BlasShape& shape) : s_(shape) {}
  size_t workspace_bytes() const override { return 1024; }
  bool has_activation() const override { return s_.activation == cuda::Unary::kRelu; }
  int Run(void* stream, const void* a, const void* b, const void* bias, const void* residual, void* out, void* workspace) const override {
    cuda::EmulatedEnqueue(stream, [=, s = s_, relu = has_activation()] {
      std::memset(workspace, 0x7f, 1024);
      const int64_t a_row = s.a_row != 0 ? s.a_row : s.transpose_a ? s.m : s.k, b_row = s.b_row != 0 ? s.b_row : s.transpose_b ? s.k : s.n;
      const int64_t out_row = s.out_row != 0 ? s.out_row : s.n, out_step = s.out_step != 0 ? s.out_step : s.m * s.n;
      for (int64_t p = 0; p < s.batch; ++p) {
        for (int64_t i = 0; i < s.m; ++i) {
          for (int64_t j = 0; j < s.n; ++j) {
            double sum = 0;
            for (int64_t k = 0; k < s.k; ++k) {
              sum += static_cast<double>(At(s.type, a, p * s.a_step + (s.transpose_a ? k * a_row + i : i * a_row + k))) *
                     At(s.type, b, p * s.b_step + (s.transpose_b ? j * b_row + k : k * b_row + j));
            }
            const int64_t at = p * out_step + i * out_row + j;
            if (bias != nullptr) sum += At(s.out_type, bias, j);
            if (residual != nullptr) sum += At(s.out_type, residual, at);
            Set(s.out_type, out, at, static_cast<float>(relu && sum < 0 ? 0 : sum));
          }
        }
      }
    });
    return 0;
  }

 private:
  const cuda::BlasShape s_;
};

// What a library does with a trial: memory, a way that works and one that does not.
void TryOut(cuda::Trial* trial) {
  void* memory = trial->Memory(1 << 16);
  const double works = trial->Time([&](void* stream) {
    cuda::EmulatedEnqueue(stream, [memory] { std::memset(memory, 1, 1 << 16); });
    return 0;
  });
  const double fails = trial->Time([](void*) { return cuda::kBlasError + 15; });
  if (memory != nullptr && std::isfinite(works) && !std::isfinite(fails)) ++Counts().trials;
}

class EmulatedBlas final : public cuda::Blas {
 public:
  std::shared_ptr<const cuda::BlasProduct> Plan(const cuda::BlasShape& shape, cuda::Trial* trial, std::string* why) override {
    ++Counts().plans;
    if (trial != nullptr) TryOut(trial);
    if (shape.type == Element::kFloat || shape.type == Element::kHalf || shape.type == Element::kBFloat16) return std::make_shared<EmulatedProduct>(shape);
    *why = "not these types";
    return nullptr;
  }
};

class EmulatedConvolution final : public cuda::DnnConvolution {
 public:
  explicit EmulatedConvolution(const cuda::DnnShape& shape) : s_(shape) {}
  size_t workspace_bytes() const override { return 512; }
  bool has_epilogue() const override { return s_.activation == cuda::Unary::kNone || s_.activation == cuda::Unary::kRelu; }
  int Run(void* stream, std::shared_ptr<void>* attachment, const void* x, const void* filter, const void* bias, const void* residual, void* out,
          void* workspace) const override {
    if (*attachment == nullptr) *attachment = std::make_shared<int>(1);
    cuda::EmulatedEnqueue(stream, [=, s = s_, whole = has_epilogue()] {
      std::memset(workspace, 0x7f, 512);
      const int64_t depth = s.in_channels / s.groups, width = s.out_channels / s.groups;
      int64_t at = 0;
      for (int64_t n = 0; n < s.batch; ++n) {
        for (int64_t p = 0; p < s.out[0]; ++p) {
          for (int64_t q = 0; q < s.out[1]; ++q) {
            for (int64_t o = 0; o < s.out_channels; ++o, ++at) {
              double sum = 0;
              for (int64_t a = 0; a < s.window[0]; ++a) {
                for (int64_t b = 0; b < s.window[1]; ++b) {
                  const int64_t y = p * s.stride[0] - s.padding[0] + a * s.dilation[0], z = q * s.stride[1] - s.padding[1] + b * s.dilation[1];
                  if (y < 0 || y >= s.in[0] || z < 0 || z >= s.in[1]) continue;
                  for (int64_t c = 0; c < depth; ++c) {
                    sum += static_cast<double>(At(s.type, x, ((n * s.in[0] + y) * s.in[1] + z) * s.in_channels + o / width * depth + c)) *
                           At(s.type, filter, ((o * s.window[0] + a) * s.window[1] + b) * depth + c);
                  }
                }
              }
              if (whole && bias != nullptr) sum += At(s.type, bias, o);
              if (whole && residual != nullptr) sum += At(s.type, residual, at);
              Set(s.type, out, at, static_cast<float>(whole && s.activation == cuda::Unary::kRelu && sum < 0 ? 0 : sum));
            }
          }
        }
      }
    });
    return 0;
  }

 private:
  const cuda::DnnShape s_;
};

class EmulatedDnn final : public cuda::Dnn {
 public:
  std::shared_ptr<const cuda::DnnConvolution> Plan(const cuda::DnnShape& shape, cuda::Trial* trial, std::string* why) override {
    ++Counts().plans;
    if (trial != nullptr) TryOut(trial);
    if (shape.type != Element::kDouble) return std::make_shared<EmulatedConvolution>(shape);
    *why = "not double";
    return nullptr;
  }
};

}  // namespace

EmulatedCounts& Counts() { return TheMachine().counts; }
EmulatedFaults& Faults() { return TheMachine().faults; }

const CudaDriver& EmulatedDriver() {
  static const CudaDriver* const kDriver = new CudaDriver{
      .driver_version = [](int* version) -> int { *version = TheMachine().faults.driver_version; return 0; },
      .runtime_version = [](int* version) -> int { *version = 13000; return 0; },
      .device_count = [](int* count) -> int { *count = TheMachine().faults.device_count; return TheMachine().faults.device_count_error; },
      .set_device = [](int device) -> int { return device < TheMachine().faults.device_count ? 0 : cuda_error::kInvalidDevice; },
      .properties = Properties,
      .allocate = Allocate,
      .release = Release,
      .allocate_pinned = AllocatePinned,
      .release_pinned = ReleasePinned,
      .create_stream = CreateStream,
      .destroy_stream = DestroyStream,
      .synchronize = SynchronizeStream,
      .copy = Copy,
      .begin_capture = BeginCapture,
      .end_capture = EndCapture,
      .launch_graph = LaunchGraph,
      .destroy_graph = DestroyGraph,
      .error_name = [](int) -> const char* { return "emulatedError"; },
      .error_text = [](int) -> const char* { return "as the test wanted"; },
      .last_error = []() -> int { return 0; },
  };
  return *kDriver;
}

absl::StatusOr<std::shared_ptr<GpuDevice>> EmulatedGpu(const CudaOptions& options, bool libraries) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<GpuDevice> device, GpuDevice::Open(EmulatedDriver(), options, CudaKernels()));
  if (libraries) {
    auto both = std::make_shared<cuda::CudaLibraries>();
    both->blas = std::make_unique<EmulatedBlas>();
    both->dnn = std::make_unique<EmulatedDnn>();
    device->libraries() = both;
  }
  return device;
}

namespace cuda {
void EmulatedEnqueue(void* stream, std::function<void()> work) {
  {
    std::lock_guard<std::mutex> lock(TheMachine().mutex);
    ++TheMachine().counts.kernels;
  }
  Ask(stream, std::move(work));
}
}  // namespace cuda

}  // namespace savedmodel
