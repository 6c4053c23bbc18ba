// cuDNN's graph interface for convolutions: convolution -> + bias -> + residual -> activation as one graph where an engine
// takes it, else the convolution alone.
#include <cudnn.h>
#include <cudnn_graph.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "kernels/cuda/libraries.h"
#include "kernels/cuda/library_file.h"

namespace savedmodel::cuda {
namespace {

struct Functions {
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnBackendCreateDescriptor) desc_create;
  decltype(&cudnnBackendDestroyDescriptor) desc_destroy;
  decltype(&cudnnBackendSetAttribute) desc_set;
  decltype(&cudnnBackendGetAttribute) desc_get;
  decltype(&cudnnBackendFinalize) desc_finalize;
  decltype(&cudnnBackendExecute) execute;
};

bool LoadAll(void* library, Functions* f, std::string* problem) {
  return LoadFunction(library, "cudnnCreate", &f->create, problem) && LoadFunction(library, "cudnnDestroy", &f->destroy, problem) &&
         LoadFunction(library, "cudnnSetStream", &f->set_stream, problem) &&
         LoadFunction(library, "cudnnBackendCreateDescriptor", &f->desc_create, problem) &&
         LoadFunction(library, "cudnnBackendDestroyDescriptor", &f->desc_destroy, problem) &&
         LoadFunction(library, "cudnnBackendSetAttribute", &f->desc_set, problem) &&
         LoadFunction(library, "cudnnBackendGetAttribute", &f->desc_get, problem) &&
         LoadFunction(library, "cudnnBackendFinalize", &f->desc_finalize, problem) && LoadFunction(library, "cudnnBackendExecute", &f->execute, problem);
}

// The functions, and a handle for planning. Each stream has a handle of its own for running.
struct Context {
  Functions f;
  std::mutex mutex;  // of the handle
  cudnnHandle_t handle = nullptr;
  ~Context() {
    if (handle != nullptr) f.destroy(handle);
  }
};

// A descriptor, filled attribute by attribute; remembers the first failure.
class Descriptor {
 public:
  Descriptor(const Functions& f, cudnnBackendDescriptorType_t type) : f_(&f) { status_ = f.desc_create(type, &raw_); }
  Descriptor(Descriptor&& other) noexcept : f_(other.f_), raw_(other.raw_), status_(other.status_) { other.raw_ = nullptr; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(f_, other.f_);
    std::swap(raw_, other.raw_);
    std::swap(status_, other.status_);
    return *this;
  }
  ~Descriptor() {
    if (raw_ != nullptr) f_->desc_destroy(raw_);
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values) {
    if (status_ == CUDNN_STATUS_SUCCESS) status_ = f_->desc_set(raw_, name, type, count, values);
    return *this;
  }
  Descriptor& Set(cudnnBackendAttributeName_t name, int64_t value) { return Set(name, CUDNN_TYPE_INT64, 1, &value); }
  Descriptor& Set(cudnnBackendAttributeName_t name, double value) { return Set(name, CUDNN_TYPE_DOUBLE, 1, &value); }
  Descriptor& Set(cudnnBackendAttributeName_t name, const Descriptor& other) { return Set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.raw_); }
  bool Finalize() {
    if (status_ == CUDNN_STATUS_SUCCESS) status_ = f_->desc_finalize(raw_);
    return status_ == CUDNN_STATUS_SUCCESS;
  }
  cudnnBackendDescriptor_t raw() const { return raw_; }
  cudnnStatus_t status() const { return status_; }

 private:
  const Functions* f_;
  cudnnBackendDescriptor_t raw_ = nullptr;
  cudnnStatus_t status_ = CUDNN_STATUS_SUCCESS;
};

// Names of the tensors that a run gives.
enum Id : int64_t { kX = 1, kFilter = 2, kBias = 3, kResidual = 4, kOut = 5, kVirtual = 100 };

bool TypeOf(Element element, cudnnDataType_t* type) {
  switch (element) {
    case Element::kFloat: *type = CUDNN_DATA_FLOAT; return true;
    case Element::kHalf: *type = CUDNN_DATA_HALF; return true;
    case Element::kBFloat16: *type = CUDNN_DATA_BFLOAT16; return true;
    default: return false;
  }
}

bool ModeOf(Unary activation, cudnnPointwiseMode_t* mode) {
  switch (activation) {
    case Unary::kRelu: case Unary::kRelu6: case Unary::kLeakyRelu: *mode = CUDNN_POINTWISE_RELU_FWD; return true;
    case Unary::kTanh: *mode = CUDNN_POINTWISE_TANH_FWD; return true;
    case Unary::kSigmoid: *mode = CUDNN_POINTWISE_SIGMOID_FWD; return true;
    case Unary::kElu: *mode = CUDNN_POINTWISE_ELU_FWD; return true;
    case Unary::kSwish: *mode = CUDNN_POINTWISE_SWISH_FWD; return true;
    case Unary::kGeluErf: *mode = CUDNN_POINTWISE_GELU_FWD; return true;
    case Unary::kGeluTanh: *mode = CUDNN_POINTWISE_GELU_APPROX_TANH_FWD; return true;
    default: return false;
  }
}

class GraphConvolution final : public DnnConvolution {
 public:
  GraphConvolution(std::shared_ptr<Context> context, const DnnShape& shape) : context_(std::move(context)), f_(context_->f), s_(shape) {}

  bool Make(Trial* trial, std::string* why) {
    trial_ = trial;
    if (!TypeOf(s_.type, &type_)) {
      *why = "no such type";
      return false;
    }
    cudnnPointwiseMode_t mode;
    const bool wanted = s_.bias || s_.residual || s_.activation != Unary::kNone;
    if (wanted && (s_.activation == Unary::kNone || ModeOf(s_.activation, &mode)) && PlanGraph(true)) {
      whole_ = true;
    } else if (!PlanGraph(false)) {
      *why = "cuDNN has no way to do this convolution: status " + std::to_string(static_cast<int>(status_));
      return false;
    } else {
      whole_ = !wanted;
    }
    // The graph's pieces are no longer needed; the plan holds what it took of them.
    pieces_.clear();
    trial_ = nullptr;
    return true;
  }

  size_t workspace_bytes() const override { return static_cast<size_t>(workspace_); }
  bool has_epilogue() const override { return whole_; }

  int Run(void* stream, std::shared_ptr<void>* attachment, const void* x, const void* filter, const void* bias, const void* residual, void* out,
          void* workspace) const override {
    return RunBy(plan_.front(), whole_, stream, attachment, x, filter, bias, residual, out, workspace);
  }

 private:
  int RunBy(const Descriptor& plan, bool whole, void* stream, std::shared_ptr<void>* attachment, const void* x, const void* filter, const void* bias,
            const void* residual, void* out, void* workspace) const {
    if (*attachment == nullptr) {
      cudnnHandle_t made = nullptr;
      cudnnStatus_t status = f_.create(&made);
      if (status == CUDNN_STATUS_SUCCESS) status = f_.set_stream(made, static_cast<cudaStream_t>(stream));
      if (status != CUDNN_STATUS_SUCCESS) return kDnnError + static_cast<int>(status);
      *attachment = std::shared_ptr<void>(made, [context = context_](void* handle) { context->f.destroy(static_cast<cudnnHandle_t>(handle)); });
    }
    std::vector<void*> pointers = {const_cast<void*>(x), const_cast<void*>(filter), out};
    std::vector<int64_t> ids = {kX, kFilter, kOut};
    if (whole && s_.bias) {
      pointers.push_back(const_cast<void*>(bias));
      ids.push_back(kBias);
    }
    if (whole && s_.residual) {
      pointers.push_back(const_cast<void*>(residual));
      ids.push_back(kResidual);
    }
    Descriptor pack(f_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    const int64_t count = static_cast<int64_t>(ids.size());
    pack.Set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, pointers.data())
        .Set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids.data())
        .Set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    if (!pack.Finalize()) return kDnnError + static_cast<int>(pack.status());
    const cudnnStatus_t status = f_.execute(static_cast<cudnnHandle_t>(attachment->get()), plan.raw(), pack.raw());
    return status == CUDNN_STATUS_SUCCESS ? 0 : kDnnError + static_cast<int>(status);
  }

  // Keeps a piece of the graph alive while it is planned.
  Descriptor& Piece(cudnnBackendDescriptorType_t type) { return *pieces_.emplace_back(std::make_unique<Descriptor>(f_, type)); }
  bool Finalized(Descriptor& piece) {
    const bool good = piece.Finalize();
    if (!good) status_ = piece.status();
    return good;
  }

  // Sizes are given as [batch, channels, height, width]; the steps say that channels lie innermost.
  Descriptor* Image(int64_t id, int64_t n, int64_t c, int64_t h, int64_t w, bool is_virtual) {
    const int64_t dims[4] = {n, c, h, w}, steps[4] = {c * h * w, 1, w * c, c};
    Descriptor& tensor = Piece(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    // Between the steps of the graph values stay float.
    const cudnnDataType_t type = is_virtual ? CUDNN_DATA_FLOAT : type_;
    tensor.Set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type)
        .Set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims)
        .Set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, steps)
        .Set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
        .Set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64_t{16})
        .Set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    return Finalized(tensor) ? &tensor : nullptr;
  }
  Descriptor* Out(bool last) { return Image(last ? kOut : static_cast<int64_t>(kVirtual) + next_virtual_++, s_.batch, s_.out_channels, s_.out[0], s_.out[1], !last); }

  Descriptor* Pointwise(cudnnPointwiseMode_t mode) {
    Descriptor& pointwise = Piece(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    const cudnnDataType_t precision = CUDNN_DATA_FLOAT;
    pointwise.Set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode).Set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &precision);
    if (mode == CUDNN_POINTWISE_RELU_FWD) {
      pointwise.Set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, 0.0);
      if (s_.activation == Unary::kRelu6) pointwise.Set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, 6.0);
      if (s_.activation == Unary::kLeakyRelu) pointwise.Set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, static_cast<double>(s_.alpha));
    }
    if (mode == CUDNN_POINTWISE_ELU_FWD) pointwise.Set(CUDNN_ATTR_POINTWISE_ELU_ALPHA, static_cast<double>(s_.alpha));
    if (mode == CUDNN_POINTWISE_SWISH_FWD) pointwise.Set(CUDNN_ATTR_POINTWISE_SWISH_BETA, 1.0);
    return Finalized(pointwise) ? &pointwise : nullptr;
  }

  // y = mode(x, b); b may be null.
  Descriptor* Step(cudnnPointwiseMode_t mode, Descriptor* x, Descriptor* b, Descriptor* y) {
    Descriptor* pointwise = Pointwise(mode);
    if (pointwise == nullptr || x == nullptr || y == nullptr) return nullptr;
    Descriptor& operation = Piece(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, *pointwise).Set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x);
    if (b != nullptr) operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
    operation.Set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *y);
    return Finalized(operation) ? &operation : nullptr;
  }

  bool Operations(bool with_epilogue, std::vector<cudnnBackendDescriptor_t>* operations) {
    int steps = with_epilogue ? (s_.bias ? 1 : 0) + (s_.residual ? 1 : 0) + (s_.activation != Unary::kNone ? 1 : 0) : 0;
    Descriptor* x = Image(kX, s_.batch, s_.in_channels, s_.in[0], s_.in[1], false);
    Descriptor* filter = Image(kFilter, s_.out_channels, s_.in_channels / s_.groups, s_.window[0], s_.window[1], false);
    Descriptor* y = Out(steps == 0);
    if (x == nullptr || filter == nullptr || y == nullptr) return false;
    Descriptor& convolution = Piece(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    convolution.Set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2})
        .Set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute)
        .Set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
        .Set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, s_.padding)
        .Set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, s_.padding)
        .Set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, s_.dilation)
        .Set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, s_.stride);
    if (!Finalized(convolution)) return false;
    Descriptor& forward = Piece(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    const float alpha = 1, beta = 0;
    forward.Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, *x)
        .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, *filter)
        .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *y)
        .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
        .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &alpha)
        .Set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &beta);
    if (!Finalized(forward)) return false;
    operations->push_back(forward.raw());
    auto add = [&](cudnnPointwiseMode_t step_mode, Descriptor* operand) {
      Descriptor* to = Out(--steps == 0);
      Descriptor* operation = Step(step_mode, y, operand, to);
      if (operation != nullptr) operations->push_back(operation->raw());
      y = to;
      return operation != nullptr;
    };
    if (!with_epilogue) return true;
    if (s_.bias) {
      Descriptor* bias = Image(kBias, 1, s_.out_channels, 1, 1, false);
      if (bias == nullptr || !add(CUDNN_POINTWISE_ADD, bias)) return false;
    }
    if (s_.residual) {
      Descriptor* residual = Image(kResidual, s_.batch, s_.out_channels, s_.out[0], s_.out[1], false);
      if (residual == nullptr || !add(CUDNN_POINTWISE_ADD, residual)) return false;
    }
    cudnnPointwiseMode_t activation;
    return s_.activation == Unary::kNone || (ModeOf(s_.activation, &activation) && add(activation, nullptr));
  }

  // Float without TF32 must not meet a tensor core.
  bool Allowed(const Descriptor& config) {
    if (s_.type != Element::kFloat || s_.tf32) return true;
    Descriptor engine(f_, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t raw = engine.raw();
    int64_t count = 0;
    if (f_.desc_get(config.raw(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &raw) != CUDNN_STATUS_SUCCESS) return false;
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    if (f_.desc_get(raw, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes) != CUDNN_STATUS_SUCCESS) {
      return false;
    }
    for (int64_t i = 0; i < count; ++i) {
      if (notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE || notes[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) return false;
    }
    return true;
  }

  bool TryConfigs(const Descriptor& graph, cudnnBackendHeurMode_t mode, bool with_epilogue) {
    Descriptor heuristic(f_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.Set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).Set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (!Finalized(heuristic)) return false;
    constexpr int64_t kMost = 16;
    std::vector<Descriptor> configs;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (int64_t i = 0; i < kMost; ++i) {
      configs.emplace_back(f_, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
      raw.push_back(configs.back().raw());
    }
    int64_t count = 0;
    status_ = f_.desc_get(heuristic.raw(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, kMost, &count, raw.data());
    const size_t wanted = trial_ != nullptr ? 6 : 1;
    std::vector<Descriptor> plans;
    std::vector<int64_t> workspaces;
    for (int64_t i = 0; status_ == CUDNN_STATUS_SUCCESS && i < count && i < kMost && plans.size() < wanted; ++i) {
      if (!Allowed(configs[static_cast<size_t>(i)])) continue;
      Descriptor plan(f_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.Set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &context_->handle)
          .Set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configs[static_cast<size_t>(i)]);
      if (!plan.Finalize()) continue;
      int64_t given = 0, workspace = 0;
      if (f_.desc_get(plan.raw(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &given, &workspace) != CUDNN_STATUS_SUCCESS) continue;
      constexpr int64_t kMostWorkspace = int64_t{1} << 30;
      if (workspace > kMostWorkspace) continue;
      plans.push_back(std::move(plan));
      workspaces.push_back(workspace);
    }
    if (plans.empty()) return false;
    const size_t best = plans.size() > 1 ? Quickest(plans, workspaces, with_epilogue) : 0;
    workspace_ = workspaces[best];
    plan_.push_back(std::move(plans[best]));
    return true;
  }

  // The first where there is no memory to try them.
  size_t Quickest(const std::vector<Descriptor>& plans, const std::vector<int64_t>& workspaces, bool with_epilogue) const {
    const int64_t size = s_.type == Element::kFloat ? 4 : 2, results = s_.batch * s_.out[0] * s_.out[1] * s_.out_channels;
    auto memory = [&](int64_t elements) { return trial_->Memory(static_cast<size_t>(elements * size)); };
    void* x = memory(s_.batch * s_.in[0] * s_.in[1] * s_.in_channels);
    void* filter = memory(s_.out_channels * s_.window[0] * s_.window[1] * (s_.in_channels / s_.groups));
    void *out = memory(results), *residual = memory(results), *bias = memory(s_.out_channels);
    void* workspace = trial_->Memory(static_cast<size_t>(std::max<int64_t>(*std::max_element(workspaces.begin(), workspaces.end()), 1)));
    if (x == nullptr || filter == nullptr || out == nullptr || residual == nullptr || bias == nullptr || workspace == nullptr) return 0;
    std::shared_ptr<void> attachment;
    size_t best = 0;
    double least = 0;
    for (size_t i = 0; i < plans.size(); ++i) {
      const double time = trial_->Time([&](void* stream) { return RunBy(plans[i], with_epilogue, stream, &attachment, x, filter, bias, residual, out, workspace); });
      if (i == 0 || time < least) {
        best = i;
        least = time;
      }
    }
    return best;
  }

  bool PlanGraph(bool with_epilogue) {
    std::lock_guard<std::mutex> lock(context_->mutex);
    next_virtual_ = 0;
    pieces_.clear();
    std::vector<cudnnBackendDescriptor_t> operations;
    if (!Operations(with_epilogue, &operations)) return false;
    Descriptor& graph = Piece(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.Set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &context_->handle)
        .Set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(operations.size()), operations.data());
    if (!Finalized(graph)) return false;
    return TryConfigs(graph, CUDNN_HEUR_MODE_A, with_epilogue) || TryConfigs(graph, CUDNN_HEUR_MODE_FALLBACK, with_epilogue);
  }

  const std::shared_ptr<Context> context_;
  const Functions& f_;
  const DnnShape s_;
  cudnnDataType_t type_ = CUDNN_DATA_FLOAT;
  cudnnStatus_t status_ = CUDNN_STATUS_SUCCESS;
  std::vector<std::unique_ptr<Descriptor>> pieces_;
  std::vector<Descriptor> plan_;  // one, once made
  int64_t workspace_ = 0;
  int next_virtual_ = 0;
  Trial* trial_ = nullptr;  // while planning
  bool whole_ = false;
};

class GraphDnn final : public Dnn {
 public:
  explicit GraphDnn(std::shared_ptr<Context> context) : context_(std::move(context)) {}
  std::shared_ptr<const DnnConvolution> Plan(const DnnShape& shape, Trial* trial, std::string* why) override {
    auto convolution = std::make_shared<GraphConvolution>(context_, shape);
    if (!convolution->Make(trial, why)) return nullptr;
    return convolution;
  }

 private:
  const std::shared_ptr<Context> context_;
};

}  // namespace

std::unique_ptr<Dnn> OpenDnn(const std::string& path, std::string* problem) {
  const std::string name = "libcudnn.so." + std::to_string(CUDNN_MAJOR);
  void* library = OpenLibraryFile(path, name.c_str(), problem);
  auto context = std::make_shared<Context>();
  if (library == nullptr || !LoadAll(library, &context->f, problem)) return nullptr;
  if (const cudnnStatus_t status = context->f.create(&context->handle); status != CUDNN_STATUS_SUCCESS) {
    context->handle = nullptr;
    *problem = "cudnnCreate: status " + std::to_string(static_cast<int>(status));
    return nullptr;
  }
  return std::make_unique<GraphDnn>(std::move(context));
}

}  // namespace savedmodel::cuda
