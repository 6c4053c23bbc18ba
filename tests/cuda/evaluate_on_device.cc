#include "evaluate_on_device.h"

#include <algorithm>
#include <cstdlib>

#include "core/status_macros.h"
#include "emulated_gpu.h"
#include "ops/init_of_tensors.h"
#include "ops/schema.h"
#include "savedmodel/cuda.h"

namespace savedmodel {
namespace {

class Init final : public InitOfTensors<DeviceInit> {
 public:
  Init(const std::string& name, const Attributes& attrs, const std::vector<Tensor>& inputs, std::vector<DataType> outputs, SessionState& state, ThreadPool& pool,
       Device& device)
      : InitOfTensors(name, attrs, inputs, std::move(outputs), state, pool), device_(device) {}
  const Tensor* constant(int i) const override { return &inputs()[static_cast<size_t>(i)]; }
  Device* device() const override { return &device_; }

 private:
  Device& device_;
};

class Context final : public DeviceContext {
 public:
  Context(std::vector<Tensor>& inputs, std::vector<DataType> types, std::vector<char> host_outputs, SessionState& state, ThreadPool& pool, Stream& stream)
      : types_(std::move(types)), host_(std::move(host_outputs)), outputs_(types_.size()), state_(state), pool_(pool), stream_(stream) {
    for (const Tensor& t : inputs) pointers_.push_back(&t);
    inputs_ = pointers_.data();
    num_inputs_ = static_cast<int>(pointers_.size());
  }
  Stream* stream() const override { return &stream_; }
  int num_outputs() const override { return static_cast<int>(types_.size()); }
  DataType output_dtype(int i) const override { return types_[static_cast<size_t>(i)]; }
  absl::StatusOr<Tensor*> Output(int i, const TensorShape& shape) override {
    const size_t o = static_cast<size_t>(i);
    SM_ASSIGN_OR_RETURN(outputs_[o], Tensor::Allocate(RemoveRef(types_[o]), shape, host_[o] ? HostAllocator() : stream_.allocator()));
    return &outputs_[o];
  }
  absl::Status SetOutput(int i, Tensor tensor) override {
    outputs_[static_cast<size_t>(i)] = std::move(tensor);
    return absl::OkStatus();
  }
  absl::Status Forward(int i, int o, const TensorShape& shape) override { return SetOutput(o, input(i).Reshaped(shape)); }
  absl::StatusOr<Tensor> Retain(int i) override { return input(i); }
  absl::StatusOr<Tensor> Take(int i) override { return input(i); }
  absl::StatusOr<Tensor> Scratch(DataType type, const TensorShape& shape) override { return Tensor::Allocate(type, shape, stream_.allocator()); }
  Allocator* allocator() const override { return HostAllocator(); }
  ThreadPool& pool() const override { return pool_; }
  SessionState& state() const override { return state_; }
  absl::Status Interrupted() const override { return absl::OkStatus(); }

  absl::StatusOr<std::vector<Tensor>> OnHost() {
    std::vector<Tensor> results;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (host_[i]) {
        results.push_back(outputs_[i]);
        continue;
      }
      if (!outputs_[i].initialized()) return absl::InternalError("an output was not set");
      SM_ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(outputs_[i].dtype(), outputs_[i].shape()));
      if (result.bytes() > 0) SM_RETURN_IF_ERROR(stream_.CopyToHost(outputs_[i].raw(), result.raw(), result.bytes()));
      results.push_back(std::move(result));
    }
    SM_RETURN_IF_ERROR(stream_.Synchronize());
    return results;
  }

 private:
  std::vector<const Tensor*> pointers_;
  std::vector<DataType> types_;
  std::vector<char> host_;
  std::vector<Tensor> outputs_;
  SessionState& state_;
  ThreadPool& pool_;
  Stream& stream_;
};

std::vector<char> Marked(const std::vector<ArgSchema>& args, const Attributes& attrs, const std::vector<std::string>& names, size_t count) {
  std::vector<int> counts;
  std::vector<char> marks;
  if (!FlatTypes(args, attrs, &counts).ok()) return std::vector<char>(count, 0);
  for (size_t a = 0; a < args.size(); ++a) {
    marks.insert(marks.end(), static_cast<size_t>(counts[a]), std::find(names.begin(), names.end(), args[a].name) != names.end());
  }
  marks.resize(count);
  return marks;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> EvaluateOnDevice(const OpDef& op, const Attributes& attributes, const std::vector<Tensor>& inputs, SessionState& state,
                                                     ThreadPool& pool, Device& device) {
  const DeviceKernel* kernel = device.FindKernel(op);
  if (kernel == nullptr) return absl::UnimplementedError("no kernel for this op");
  SM_ASSIGN_OR_RETURN(OpSchema schema, ParseSchema(op));
  SM_ASSIGN_OR_RETURN(std::vector<DataType> types, FlatTypes(schema.outputs, attributes));
  for (const Tensor& input : inputs) {
    if (!IsPlainData(input.dtype())) return absl::UnimplementedError("no plain data");
  }
  for (DataType type : types) {
    if (!IsPlainData(RemoveRef(type))) return absl::UnimplementedError("no plain data");
  }
  const std::string name = "case";
  Init init(name, attributes, inputs, types, state, pool, device);
  SM_ASSIGN_OR_RETURN(KernelPtr made, kernel->factory(init));
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Stream> stream, device.NewStream());
  const std::vector<char> host_inputs = Marked(schema.inputs, attributes, kernel->host_inputs, inputs.size());
  std::vector<Tensor> there = inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (host_inputs[i]) continue;
    SM_ASSIGN_OR_RETURN(there[i], Tensor::Allocate(inputs[i].dtype(), inputs[i].shape(), stream->allocator()));
    if (inputs[i].bytes() > 0) SM_RETURN_IF_ERROR(stream->CopyFromHost(inputs[i].raw(), there[i].raw(), inputs[i].bytes()));
  }
  Context context(there, types, Marked(schema.outputs, attributes, kernel->host_outputs, types.size()), state, pool, *stream);
  SM_RETURN_IF_ERROR(made->Run(context));
  return context.OnHost();
}

Device& TestDevice() {
  static const std::shared_ptr<Device>* const device = [] {
    CudaOptions options;
    options.allow_tf32 = false;
    const char* plugin = std::getenv("SAVEDMODEL_CUDA_PLUGIN");
    if (plugin == nullptr) return new std::shared_ptr<Device>(EmulatedGpu(options).value());
    options.plugin = plugin;
    return new std::shared_ptr<Device>(CudaDevice(options).value());
  }();
  return **device;
}

}  // namespace savedmodel
