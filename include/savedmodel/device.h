// A device: where memory lies, how it is copied, and which ops have kernels there.
#ifndef SAVEDMODEL_DEVICE_H_
#define SAVEDMODEL_DEVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "savedmodel/export.h"
#include "savedmodel/op.h"

namespace savedmodel {

// A device's way to compute an op.
struct DeviceKernel {
  KernelFactory factory = nullptr;
  // Arguments of the schema (by name) whose tensors are in host memory even on this device: shapes, indices, sizes.
  std::vector<std::string> host_inputs, host_outputs;
  // Run only asks the stream for work, and always for the same work when the addresses are the same: such steps are
  // recorded once and replayed. False for a kernel that waits for results or draws numbers.
  bool recordable = true;
};

// Work that a stream recorded, with its addresses.
class SAVEDMODEL_EXPORT Recording {
 public:
  virtual ~Recording() = default;
};

// Work for a device, done in the order in which it was asked for. A run has one stream per device, and uses it from one
// thread at a time. Errors of work show at the next Synchronize, or at a later call.
class SAVEDMODEL_EXPORT Stream {
 public:
  virtual ~Stream() = default;
  // Memory for this stream's work. A freed block may be given out again while work that uses it is still to be done,
  // since that is done first.
  virtual Allocator* allocator() = 0;
  // The host memory may be changed as soon as the call returns.
  virtual absl::Status CopyFromHost(const void* host, void* device, size_t bytes) = 0;
  // The host memory holds the bytes after the next Synchronize; host_pending() until then.
  virtual absl::Status CopyToHost(const void* device, void* host, size_t bytes) = 0;
  virtual absl::Status CopyOnDevice(const void* from, void* to, size_t bytes) = 0;
  virtual bool host_pending() const = 0;
  // Waits until all work is done.
  virtual absl::Status Synchronize() = 0;

  // Between Begin and End, work is written down instead of done (copies from and to the host are not allowed there).
  virtual bool can_record() const { return false; }
  virtual absl::Status BeginRecording() { return absl::UnimplementedError("this device records nothing"); }
  virtual absl::StatusOr<std::unique_ptr<Recording>> EndRecording() { return absl::UnimplementedError("this device records nothing"); }
  virtual absl::Status Replay(const Recording&) { return absl::UnimplementedError("this device records nothing"); }
};

class Device;

// What a device's kernel factories get: their KernelInit is one of these.
class DeviceInit : public KernelInit {
 public:
  virtual Device* device() const = 0;
};

// What a device's kernels get in Run: their KernelContext is one of these.
class DeviceContext : public KernelContext {
 public:
  virtual Stream* stream() const = 0;  // null where the device has no streams
};

// Implement this to add hardware. The host never touches memory from allocator() but by the copy calls, unless
// host_memory() says that it may. Methods may be called by several threads at once.
class SAVEDMODEL_EXPORT Device {
 public:
  virtual ~Device() = default;
  virtual const std::string& name() const = 0;  // unique in a session: "CPU:0", "GPU:0"
  virtual const std::string& type() const = 0;  // "CPU", "GPU"
  virtual std::string description() const { return name(); }  // for people: the hardware, what is missing
  virtual bool host_memory() const { return false; }
  // What a plan keeps float values between convolutions and products in on this device: kFloat as the model says, or kBFloat16
  // or kHalf where the device was opened so. Fed and fetched values stay float.
  virtual DataType activations() const { return DataType::kFloat; }
  virtual Allocator* allocator() = 0;
  virtual absl::Status CopyFromHost(const void* host, void* device, size_t bytes) = 0;
  virtual absl::Status CopyToHost(const void* device, void* host, size_t bytes) = 0;
  // A stream for runs, or null: then the copies above are used, and kernels have done their work when Run returns.
  virtual absl::StatusOr<std::unique_ptr<Stream>> NewStream() { return std::unique_ptr<Stream>(); }
  // Waits until everything asked of the device is done.
  virtual absl::Status Synchronize() { return absl::OkStatus(); }
  // The kernel for an op, or null: the planner then takes the CPU's.
  virtual const DeviceKernel* FindKernel(const OpDef& op) const = 0;
};

// The host itself, computing with the CPU kernels of the op definitions.
SAVEDMODEL_EXPORT std::shared_ptr<Device> CpuDevice();

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICE_H_
