// A plan: the steps of one kind of run for given feed shapes, with everything decided that can be decided before it.
#ifndef SAVEDMODEL_RUNTIME_PLAN_H_
#define SAVEDMODEL_RUNTIME_PLAN_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "savedmodel/device.h"
#include "savedmodel/op.h"

namespace savedmodel {

class Frame;
class Plan;

// Where a value is while a plan runs.
struct Slot {
  enum class Kind : uint8_t {
    kDynamic,   // a tensor of its own, made when its step runs
    kArena,     // a fixed place in the frame's arena: shape known
    kArg,       // given by the caller
    kConstant,  // known, held by the plan
  };
  Kind kind = Kind::kDynamic;
  DataType dtype = DataType::kInvalid;
  int device = 0;
  TensorShape shape;   // kArena
  size_t offset = 0;   // kArena: bytes from the arena's start
  Tensor constant;     // kConstant
};

struct Step {
  enum class Kind : uint8_t { kKernel, kSwitch, kSwitchN, kMerge, kBranch, kWhile, kFor, kMap, kCopy };
  Kind kind = Kind::kKernel;
  int device = 0;
  std::unique_ptr<Kernel> kernel;
  std::vector<int> inputs, outputs;       // slots
  std::vector<DataType> output_types;
  std::vector<char> last_use;             // per input: nobody reads the slot after this step
  std::vector<int> releases;              // slots whose tensors go after this step
  bool checks_dead = false;               // some input or control may be dead
  std::vector<int> controls;              // steps whose deadness makes this one dead (only where checks_dead)
  std::vector<std::unique_ptr<Plan>> bodies;
  bool branch_by_index = false;           // kBranch: Case, not If
  bool scalar_condition = false;          // kBranch, kWhile: what decides must be a scalar
  size_t sliced = 0;                      // kMap: how many inputs, from the first on, are cut along dimension 0
  std::vector<PartialShape> item_shapes;  // kMap: what each output's items must be
  bool recordable = false;                // kKernel on a device: see DeviceKernel
  bool reads_host = false;                // some input is a value in host memory that is made during the run
  std::string name, op;
};

// What running a kernel step reads, side by side for all steps: with thousands of small ones, steps and slots themselves are
// in no near cache when their turn comes.
struct StepRow {
  struct Place {
    int slot;
    DataType type;
    bool in_arena;
  };
  const Kernel* kernel = nullptr;   // null where the step is more than its kernel
  const Place* outputs = nullptr;
  int num_inputs = 0, num_outputs = 0;
};

// Steps one after the other on one device that only use fixed places: what a stream can record.
struct Segment {
  size_t first = 0, count = 0;
  int device = 0;
};

class Plan {
 public:
  Plan();
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  std::vector<Slot> slots;
  std::vector<Step> steps;
  std::vector<StepRow> rows;                 // of the steps
  std::vector<StepRow::Place> places;        // what they point to
  std::vector<int> args, results;            // slots; a result may be an argument or a constant
  std::vector<DataType> result_types;
  std::vector<std::shared_ptr<Device>> devices;  // 0 is the CPU
  std::vector<size_t> arena_bytes;           // per device
  std::vector<int> reset_slots;               // dynamic ones and arguments: emptied after each run
  std::vector<char> uses_device;             // per device: this plan or one of its bodies has steps there
  std::vector<Segment> segments;
  std::vector<int> segment_at;               // per step: the segment that begins there, or -1
  std::deque<Tensor> constants;              // what kernels point to
  std::vector<std::shared_ptr<const void>> shared;  // what the plan keeps of the session's shared objects
  bool has_branches = false;                 // version 1: values may be dead
  std::string report;                        // what the passes and the planner did, for people

  // A frame for one run, from those that earlier runs left or new. Thread-safe.
  absl::StatusOr<std::unique_ptr<Frame>> AcquireFrame(Allocator* host) const;
  void ReleaseFrame(std::unique_ptr<Frame> frame) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Frame>> free_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_RUNTIME_PLAN_H_
