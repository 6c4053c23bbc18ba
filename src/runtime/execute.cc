#include "runtime/execute.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

// What a kernel sees of the step being run.
class StepContext final : public DeviceContext {
 public:
  StepContext(const Plan& plan, Frame* frame, const RunState& run) : plan_(plan), frame_(frame), run_(run) {}

  void Enter(const Step& step, size_t index) {
    step_ = &step;
    row_ = &plan_.rows[index];
    inputs_ = frame_->pointers.data() + frame_->first_pointer[index];
    num_inputs_ = row_->num_inputs;
  }

  int num_outputs() const override { return row_->num_outputs; }
  DataType output_dtype(int i) const override { return row_->outputs[i].type; }

  absl::StatusOr<Tensor*> Output(int i, const TensorShape& shape) override {
    const StepRow::Place& place = row_->outputs[i];
    Tensor& value = frame_->values[place.slot];
    if (value.initialized() && value.shape() == shape && (place.in_arena || (value.unique() && value.dtype() == place.type))) {
      return &value;
    }
    SM_ASSIGN_OR_RETURN(Tensor made, Tensor::Allocate(RemoveRef(place.type), shape, MemoryOf(place.slot)));
    frame_->Replace(place.slot, std::move(made));
    return &value;
  }

  absl::Status SetOutput(int i, Tensor tensor) override {
    const int slot = row_->outputs[i].slot;
    if (ABSL_PREDICT_FALSE(recorded_scratch_ != nullptr)) {
      SM_ASSIGN_OR_RETURN(Tensor * out, Output(i, tensor.shape()));
      return CopyTo(tensor, plan_.slots[slot].device, out);
    }
    if (!tensor.owns()) {
      SM_ASSIGN_OR_RETURN(tensor, CopyOf(tensor, plan_.slots[slot].device));
    }
    frame_->Replace(slot, std::move(tensor));
    return absl::OkStatus();
  }

  absl::Status Forward(int i, int o, const TensorShape& shape) override {
    const auto [slot, type, in_arena] = row_->outputs[o];
    const Tensor& from = input(i);
    const Tensor& to = frame_->values[slot];
    if (in_arena && to.raw() == from.raw() && to.shape() == shape) return absl::OkStatus();
    // A recording must write the fixed place: what is done here is not done again when it is replayed.
    if (from.owns() && recorded_scratch_ == nullptr) {
      frame_->Replace(slot, from.Reshaped(shape));
      return absl::OkStatus();
    }
    SM_ASSIGN_OR_RETURN(Tensor * out, Output(o, shape));
    return CopyTo(from, plan_.slots[slot].device, out);
  }

  Stream* stream() const override { return StreamOf(step_->device); }
  // While a segment is recorded, scratch memory is taken from here and stays.
  void set_recorded_scratch(std::vector<Tensor>* scratch) { recorded_scratch_ = scratch; }

  absl::StatusOr<Tensor> Retain(int i) override {
    if (input(i).owns()) return input(i);
    return CopyOf(input(i), plan_.slots[step_->inputs[i]].device);
  }

  absl::StatusOr<Tensor> Take(int i) override {
    const Slot::Kind kind = plan_.slots[step_->inputs[i]].kind;
    if (step_->last_use[i] && input(i).owns() && kind != Slot::Kind::kConstant && kind != Slot::Kind::kArena) {
      return std::move(frame_->values[step_->inputs[i]]);
    }
    return Retain(i);
  }

  absl::StatusOr<Tensor> Scratch(DataType type, const TensorShape& shape) override {
    if (ABSL_PREDICT_FALSE(recorded_scratch_ != nullptr)) return RecordedScratch(type, shape);
    return Tensor::Allocate(type, shape, MemoryOn(step_->device));
  }
  Allocator* allocator() const override { return run_.allocator; }
  ThreadPool& pool() const override { return *run_.pool; }
  SessionState& state() const override { return *run_.state; }
  absl::Status Interrupted() const override { return run_.watched ? run_.Interrupted() : absl::OkStatus(); }

  Stream* StreamOf(int device) const { return run_.streams.empty() ? nullptr : run_.streams[device]; }
  Allocator* MemoryOn(int device) const {
    if (device == 0) return run_.allocator;
    Stream* stream = StreamOf(device);
    return stream != nullptr ? stream->allocator() : plan_.devices[device]->allocator();
  }
  Allocator* MemoryOf(int slot) const { return MemoryOn(plan_.slots[slot].device); }

 private:
  absl::StatusOr<Tensor> CopyOf(const Tensor& from, int device) const {
    if (device == 0) return from.Clone(run_.allocator);
    SM_ASSIGN_OR_RETURN(Tensor made, Tensor::Allocate(from.dtype(), from.shape(), MemoryOn(device)));
    SM_RETURN_IF_ERROR(CopyTo(from, device, &made));
    return made;
  }

  absl::Status CopyTo(const Tensor& from, int device, Tensor* to) const {
    if (device == 0) {
      CopyElements(from, to);
      return absl::OkStatus();
    }
    if (StreamOf(device) == nullptr) return absl::InternalError("a device kernel handed on memory that it does not own");
    return from.bytes() == 0 ? absl::OkStatus() : StreamOf(device)->CopyOnDevice(from.raw(), to->raw(), from.bytes());
  }

  // A block that no other scratch tensor of this step shares: work is in order, so the next step may use it again.
  absl::StatusOr<Tensor> RecordedScratch(DataType type, const TensorShape& shape) {
    const size_t bytes = shape.valid() ? static_cast<size_t>(shape.num_elements()) * DataTypeSize(type) : 0;
    for (const Tensor& block : *recorded_scratch_) {
      if (block.unique() && block.bytes() >= bytes) return Tensor::FromBuffer(type, shape, Shared(block), block.buffer()->data());
    }
    SM_ASSIGN_OR_RETURN(Tensor block, Tensor::Allocate(DataType::kUInt8, {static_cast<int64_t>(std::max<size_t>(bytes, 1))}, MemoryOn(step_->device)));
    recorded_scratch_->push_back(std::move(block));
    const Tensor& kept = recorded_scratch_->back();
    return Tensor::FromBuffer(type, shape, Shared(kept), kept.buffer()->data());
  }
  static Buffer* Shared(const Tensor& tensor) {
    tensor.buffer()->Ref();
    return tensor.buffer();
  }

  const Plan& plan_;
  Frame* frame_;
  const RunState& run_;
  const Step* step_ = nullptr;
  const StepRow* row_ = nullptr;
  std::vector<Tensor>* recorded_scratch_ = nullptr;
};

class Executor {
 public:
  Executor(const Plan& plan, Frame* frame, const RunState& run) : plan_(plan), frame_(*frame), run_(run), context_(plan, frame, run) {}

  absl::Status Run() {
    const bool plain = !run_.watched && !run_.trace && run_.streams.empty();
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      if (const Kernel* kernel = plan_.rows[i].kernel; plain && ABSL_PREDICT_TRUE(kernel != nullptr)) {
        Prefetch(i);
        context_.Enter(step, i);
        absl::Status status = kernel->Run(context_);
        if (ABSL_PREDICT_FALSE(!status.ok())) return Named(step, status);
        continue;
      }
      if (ABSL_PREDICT_FALSE(run_.watched)) SM_RETURN_IF_ERROR(run_.Interrupted());
      if (ABSL_PREDICT_FALSE(step.checks_dead) && Dead(step, i)) {
        SM_RETURN_IF_ERROR(SettleHost());
        Release(step);
        continue;
      }
      if (ABSL_PREDICT_FALSE(!run_.streams.empty())) {
        if (plan_.segment_at[i] >= 0 && !run_.trace) {
          const Segment& segment = plan_.segments[plan_.segment_at[i]];
          SM_ASSIGN_OR_RETURN(bool replayed, RunSegment(segment, &frame_.segments[plan_.segment_at[i]]));
          if (replayed) {
            i += segment.count - 1;
            continue;
          }
        }
        if (step.reads_host) SM_RETURN_IF_ERROR(SettleHost());
      }
      absl::Status status = ABSL_PREDICT_FALSE(run_.trace) ? Traced(step, i) : RunStep(step, i);
      if (ABSL_PREDICT_FALSE(!status.ok())) return Named(step, status);
      Release(step);
    }
    return SettleHost();
  }

 private:
  // What the steps behind step i will touch first.
  void Prefetch(size_t i) const {
    constexpr size_t kAhead = 3;
    if (i + kAhead >= plan_.rows.size()) return;
    const StepRow& row = plan_.rows[i + kAhead];
    __builtin_prefetch(row.kernel);
    if (row.num_outputs > 0) __builtin_prefetch(&frame_.values[row.outputs->slot]);
  }

  // Waits for copies to host memory that are under way.
  absl::Status SettleHost() const {
    for (Stream* stream : run_.streams) {
      if (stream != nullptr && stream->host_pending()) SM_RETURN_IF_ERROR(stream->Synchronize());
    }
    return absl::OkStatus();
  }

  // The first run of a segment goes step by step, the second is recorded, and from then on the recording is replayed.
  absl::StatusOr<bool> RunSegment(const Segment& segment, RecordedSegment* state) {
    Stream* stream = run_.streams[segment.device];
    if (segment.count < 2 || state->failed || stream == nullptr || !stream->can_record()) return false;
    if (state->recording == nullptr) {
      if (state->runs++ == 0) return false;
      if (!Record(segment, stream, state).ok()) {
        state->failed = true;
        return false;
      }
    }
    if (state->stream != stream) return false;  // a body's frame that another run recorded
    SM_RETURN_IF_ERROR(stream->Replay(*state->recording));
    return true;
  }

  absl::Status Record(const Segment& segment, Stream* stream, RecordedSegment* state) {
    SM_RETURN_IF_ERROR(stream->BeginRecording());
    context_.set_recorded_scratch(&state->scratch);
    absl::Status status;
    for (size_t i = segment.first; status.ok() && i < segment.first + segment.count; ++i) status = RunStep(plan_.steps[i], i);
    context_.set_recorded_scratch(nullptr);
    absl::StatusOr<std::unique_ptr<Recording>> recording = stream->EndRecording();
    SM_RETURN_IF_ERROR(status);
    if (!recording.ok()) return recording.status();
    state->recording = *std::move(recording);
    state->stream = stream;
    return absl::OkStatus();
  }

  absl::Status RunStep(const Step& step, size_t i) {
    if (ABSL_PREDICT_TRUE(step.kind == Step::Kind::kKernel)) {
      context_.Enter(step, i);
      return step.kernel->Run(context_);
    }
    switch (step.kind) {
      case Step::Kind::kSwitch: return RunSwitch(step, 1);
      case Step::Kind::kSwitchN: return RunSwitch(step, static_cast<int>(step.outputs.size()));
      case Step::Kind::kMerge: return RunMerge(step);
      case Step::Kind::kBranch: return RunBranch(step);
      case Step::Kind::kWhile: return RunWhile(step);
      case Step::Kind::kFor: return RunFor(step);
      case Step::Kind::kMap: return RunMap(step);
      case Step::Kind::kCopy: return RunCopy(step);
      default: return absl::OkStatus();
    }
  }

  absl::Status Traced(const Step& step, size_t i) {
    const auto begin = std::chrono::steady_clock::now();
    absl::Status status = RunStep(step, i);
    if (status.ok() && step.device != 0) status = run_.Synchronize();
    const auto end = std::chrono::steady_clock::now();
    run_.metadata->steps.push_back({step.name, step.op, plan_.devices[step.device]->name(),
                                    std::chrono::nanoseconds(begin - run_.start).count(), std::chrono::nanoseconds(end - begin).count()});
    return status;
  }

  void Release(const Step& step) {
    for (int slot : step.releases) frame_.values[slot] = Tensor();
  }

  static absl::Status Named(const Step& step, const absl::Status& status) {
    if (absl::IsCancelled(status) || absl::IsDeadlineExceeded(status)) return status;
    return absl::Status(status.code(), absl::StrCat("node \"", step.name, "\" (", step.op, "): ", status.message(), "\n\t [[{{node ", step.name, "}}]]"));
  }

  // A step with a dead input or control does not run, and its outputs are dead; a Merge wants one living input.
  bool Dead(const Step& step, size_t index) {
    bool dead = false;
    for (int control : step.controls) dead = dead || frame_.step_dead[control];
    if (step.kind == Step::Kind::kMerge) {
      bool living = false;
      for (int slot : step.inputs) living = living || !frame_.dead[slot];
      dead = dead || !living;
    } else {
      for (int slot : step.inputs) dead = dead || frame_.dead[slot];
    }
    frame_.step_dead[index] = dead;
    for (int slot : step.outputs) frame_.dead[slot] = dead;
    return dead;
  }

  // The tensor of a slot for another slot: shared if it owns its memory, copied if it lies in the arena.
  absl::StatusOr<Tensor> Share(int slot) {
    const Tensor& value = frame_.values[slot];
    if (value.owns() || plan_.slots[slot].kind == Slot::Kind::kArg) return value;
    return value.Clone(run_.allocator);
  }

  absl::Status RunSwitch(const Step& step, int last) {
    const Tensor& selector = frame_.values[step.inputs[1]];
    SM_CHECK_ARGUMENT(selector.rank() == 0, "The second input must be a scalar, but it has shape ", selector.shape().ToString());
    int taken;
    if (step.kind == Step::Kind::kSwitch) {
      taken = selector.scalar<bool>() ? 1 : 0;
    } else {
      taken = selector.scalar<int32_t>();
      if (taken < 0 || taken >= last) taken = last - 1;
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) frame_.dead[step.outputs[i]] = static_cast<int>(i) != taken;
    SM_ASSIGN_OR_RETURN(Tensor value, Share(step.inputs[0]));
    frame_.Replace(step.outputs[taken], std::move(value));
    return absl::OkStatus();
  }

  absl::Status RunMerge(const Step& step) {
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (!frame_.dead.empty() && frame_.dead[step.inputs[i]]) continue;
      SM_ASSIGN_OR_RETURN(Tensor value, Share(step.inputs[i]));
      frame_.Replace(step.outputs[0], std::move(value));
      frame_.Replace(step.outputs[1], Tensor::Scalar<int32_t>(static_cast<int32_t>(i)));
      return absl::OkStatus();
    }
    return absl::InternalError("no input has a value");
  }

  // Runs a sub-plan with these arguments, moved in, and takes its results.
  absl::Status Call(const Plan& body, std::vector<Tensor>* values, bool want_results) {
    SM_ASSIGN_OR_RETURN(std::unique_ptr<Frame> frame, body.AcquireFrame(run_.allocator));
    absl::Status status = CallOn(body, frame.get(), values, want_results);
    absl::Status settled = run_.Synchronize();  // the frame's memory may be another run's from here on
    body.ReleaseFrame(std::move(frame));
    return status.ok() ? settled : status;
  }

  absl::Status CallOn(const Plan& body, Frame* frame, std::vector<Tensor>* values, bool want_results) {
    for (size_t i = 0; i < body.args.size(); ++i) frame->values[body.args[i]] = std::move((*values)[i]);
    SM_RETURN_IF_ERROR(Execute(body, frame, run_));
    values->clear();
    for (size_t i = 0; want_results && i < body.results.size(); ++i) {
      SM_ASSIGN_OR_RETURN(Tensor result, TakeResult(body, frame, i));
      values->push_back(std::move(result));
    }
    return absl::OkStatus();
  }

  std::vector<Tensor> Arguments(const Step& step, size_t first) {
    std::vector<Tensor> values;
    values.reserve(step.inputs.size());
    for (size_t i = first; i < step.inputs.size(); ++i) {
      const Slot::Kind kind = plan_.slots[step.inputs[i]].kind;
      if (step.last_use[i] && (kind == Slot::Kind::kDynamic || kind == Slot::Kind::kArg)) {
        values.push_back(std::move(frame_.values[step.inputs[i]]));
      } else {
        values.push_back(frame_.values[step.inputs[i]]);
      }
    }
    return values;
  }

  absl::Status SetResults(const Step& step, std::vector<Tensor> values) {
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (!values[i].owns()) {
        SM_ASSIGN_OR_RETURN(values[i], values[i].Clone(run_.allocator));
      }
      frame_.Replace(step.outputs[i], std::move(values[i]));
    }
    return absl::OkStatus();
  }

  absl::Status RunBranch(const Step& step) {
    const Tensor& selector = frame_.values[step.inputs[0]];
    size_t taken = 0;
    SM_RETURN_IF_ERROR(CheckCondition(step, selector));
    if (step.branch_by_index) {
      SM_CHECK_ARGUMENT(selector.num_elements() == 1, "branch_index must be a scalar, has shape ", selector.shape().ToString());
      const int32_t index = selector.scalar<int32_t>();
      taken = index < 0 || static_cast<size_t>(index) >= step.bodies.size() ? step.bodies.size() - 1 : static_cast<size_t>(index);
    } else {
      SM_ASSIGN_OR_RETURN(bool truth, Truth(selector));
      taken = truth ? 0 : 1;
    }
    std::vector<Tensor> values = Arguments(step, 1);
    SM_RETURN_IF_ERROR(Call(*step.bodies[taken], &values, true));
    return SetResults(step, std::move(values));
  }

  // The reference makes a Switch of what it lowers, and a Switch wants a bool and a scalar.
  static absl::Status CheckCondition(const Step& step, const Tensor& condition) {
    SM_CHECK_ARGUMENT(!step.scalar_condition || step.branch_by_index || condition.dtype() == DataType::kBool, "the condition is ",
                      DataTypeName(condition.dtype()), ", expected bool");
    SM_CHECK_ARGUMENT(!step.scalar_condition || condition.rank() == 0, "The second input must be a scalar, but it has shape ",
                      condition.shape().ToString());
    return absl::OkStatus();
  }

  // A condition of any dtype: a scalar is true if not zero (a string if not empty), other shapes if not empty.
  static absl::StatusOr<bool> Truth(const Tensor& tensor) {
    if (tensor.rank() > 0) return tensor.num_elements() > 0;
    switch (tensor.dtype()) {
      case DataType::kBool: return tensor.scalar<bool>();
      case DataType::kString: return !tensor.scalar<std::string>().empty();
      case DataType::kFloat: return tensor.scalar<float>() != 0;
      case DataType::kDouble: return tensor.scalar<double>() != 0;
      case DataType::kHalf: return static_cast<float>(tensor.scalar<Half>()) != 0;
      case DataType::kBFloat16: return static_cast<float>(tensor.scalar<BFloat16>()) != 0;
      case DataType::kComplex64: return tensor.scalar<std::complex<float>>() != std::complex<float>();
      case DataType::kComplex128: return tensor.scalar<std::complex<double>>() != std::complex<double>();
      default: break;
    }
    SM_CHECK_ARGUMENT(IsPlainData(tensor.dtype()), "a condition must not be of dtype ", DataTypeName(tensor.dtype()));
    const unsigned char* bytes = static_cast<const unsigned char*>(tensor.raw());
    return std::any_of(bytes, bytes + tensor.bytes(), [](unsigned char b) { return b != 0; });
  }

  absl::Status RunWhile(const Step& step) {
    const Plan& cond = *step.bodies[0];
    const Plan& body = *step.bodies[1];
    SM_ASSIGN_OR_RETURN(std::unique_ptr<Frame> cond_frame, cond.AcquireFrame(run_.allocator));
    SM_ASSIGN_OR_RETURN(std::unique_ptr<Frame> body_frame, body.AcquireFrame(run_.allocator));
    std::vector<Tensor> values = Arguments(step, 0);
    absl::Status status;
    while (true) {
      if (run_.watched) status = run_.Interrupted();
      if (!status.ok()) break;
      for (size_t i = 0; i < cond.args.size(); ++i) cond_frame->values[cond.args[i]] = values[i];
      status = Execute(cond, cond_frame.get(), run_);
      if (!status.ok()) break;
      absl::StatusOr<Tensor> go_on = TakeResult(cond, cond_frame.get(), 0);
      if (go_on.ok()) {
        if (absl::Status bad = CheckCondition(step, *go_on); !bad.ok()) go_on = bad;
      }
      absl::StatusOr<bool> truth = go_on.ok() ? Truth(*go_on) : go_on.status();
      cond_frame->Reset();
      if (!truth.ok()) {
        status = truth.status();
        break;
      }
      if (!*truth) break;
      status = CallOn(body, body_frame.get(), &values, true);
      if (!status.ok()) break;
      // A result that lies in the caller's memory is fine; one in the body's frame is not there (results are no arena).
      body_frame->Reset();
    }
    if (absl::Status settled = run_.Synchronize(); status.ok()) status = settled;
    cond.ReleaseFrame(std::move(cond_frame));
    body.ReleaseFrame(std::move(body_frame));
    if (!status.ok()) return status;
    return SetResults(step, std::move(values));
  }

  absl::Status RunFor(const Step& step) {
    int64_t bounds[3];
    for (int i = 0; i < 3; ++i) {
      const Tensor& bound = frame_.values[step.inputs[i]];
      SM_CHECK_ARGUMENT(bound.rank() == 0, "start, limit and delta must be scalars, one has shape ", bound.shape().ToString());
      bounds[i] = bound.scalar<int32_t>();
    }
    const auto [start, limit, delta] = bounds;
    SM_CHECK_ARGUMENT(delta != 0 || start == limit, "delta must not be 0 when start is not limit");
    SM_CHECK_ARGUMENT((delta >= 0 || start >= limit) && (delta <= 0 || start <= limit), "start ", start, " does not lead to limit ", limit, " by delta ", delta);
    std::vector<Tensor> values = Arguments(step, 3);
    for (int64_t i = start; delta > 0 ? i < limit : i > limit; i += delta) {
      if (run_.watched) SM_RETURN_IF_ERROR(run_.Interrupted());
      values.insert(values.begin(), Tensor::Scalar<int32_t>(static_cast<int32_t>(i)));
      SM_RETURN_IF_ERROR(Call(*step.bodies[0], &values, true));
    }
    return SetResults(step, std::move(values));
  }

  // Runs the body once for each row of the sliced inputs and stacks what it gives.
  absl::Status RunMap(const Step& step) {
    int64_t rows = -1;
    for (size_t i = 0; i < step.sliced; ++i) {
      const Tensor& argument = frame_.values[step.inputs[i]];
      SM_CHECK_ARGUMENT(argument.rank() >= 1, "All inputs must have rank at least 1. Input ", i, " has a rank of 0");
      SM_CHECK_ARGUMENT(rows < 0 || rows == argument.dim(0), "All inputs must have the same dimension 0. Input ", i, " has leading dimension ",
                        argument.dim(0), ", while all previous inputs have leading dimension ", rows);
      rows = argument.dim(0);
    }
    std::vector<Tensor> stacked(step.outputs.size());
    for (size_t o = 0; rows <= 0 && o < stacked.size(); ++o) {
      TensorShape shape({0});
      for (int64_t d : step.item_shapes[o].dims()) shape.AddDim(std::max<int64_t>(d, 0));
      SM_ASSIGN_OR_RETURN(stacked[o], Tensor::Allocate(step.output_types[o], shape, run_.allocator));
    }
    for (int64_t row = 0; row < rows; ++row) {
      if (run_.watched) SM_RETURN_IF_ERROR(run_.Interrupted());
      std::vector<Tensor> values;
      for (size_t i = 0; i < step.inputs.size(); ++i) {
        const Tensor& input = frame_.values[step.inputs[i]];
        values.push_back(i < step.sliced ? Row(input, row) : input);
      }
      SM_RETURN_IF_ERROR(Call(*step.bodies[0], &values, true));
      for (size_t o = 0; o < stacked.size(); ++o) SM_RETURN_IF_ERROR(Stack(step, o, values[o], row, rows, &stacked[o]));
    }
    return SetResults(step, std::move(stacked));
  }

  static Tensor Row(const Tensor& tensor, int64_t row) {
    const TensorShape shape(tensor.shape().dims().subspan(1));
    return tensor.Slice(row * shape.num_elements(), shape);
  }

  absl::Status Stack(const Step& step, size_t o, const Tensor& item, int64_t row, int64_t rows, Tensor* stacked) {
    SM_CHECK_ARGUMENT(step.item_shapes[o].CompatibleWith(item.shape()), "output ", o, " is ", item.shape().ToString(), ", its declared shape is ",
                      step.item_shapes[o].ToString());
    if (row == 0) {
      TensorShape shape = item.shape();
      shape.InsertDim(0, rows);
      SM_ASSIGN_OR_RETURN(*stacked, Tensor::Allocate(item.dtype(), shape, run_.allocator));
    }
    Tensor place = Row(*stacked, row);
    SM_CHECK_ARGUMENT(place.shape() == item.shape(), "output ", o, " is ", item.shape().ToString(), " in row ", row, ", it was ", place.shape().ToString(),
                      " before");
    CopyElements(item, &place);
    return absl::OkStatus();
  }

  absl::Status RunCopy(const Step& step) {
    const Slot& to = plan_.slots[step.outputs[0]];
    const int from_device = plan_.slots[step.inputs[0]].device;
    const Tensor& from = frame_.values[step.inputs[0]];
    context_.Enter(step, static_cast<size_t>(&step - plan_.steps.data()));
    SM_ASSIGN_OR_RETURN(Tensor * out, context_.Output(0, from.shape()));
    if (run_.metadata != nullptr) {
      ++run_.metadata->copies;
      run_.metadata->copied_bytes += static_cast<int64_t>(from.bytes());
    }
    if (from.bytes() == 0) return absl::OkStatus();
    if (from_device == 0) {
      Stream* stream = context_.StreamOf(to.device);
      return stream != nullptr ? stream->CopyFromHost(from.raw(), out->raw(), from.bytes())
                               : plan_.devices[to.device]->CopyFromHost(from.raw(), out->raw(), from.bytes());
    }
    Stream* stream = context_.StreamOf(from_device);
    return stream != nullptr ? stream->CopyToHost(from.raw(), out->raw(), from.bytes())
                             : plan_.devices[from_device]->CopyToHost(from.raw(), out->raw(), from.bytes());
  }

  const Plan& plan_;
  Frame& frame_;
  const RunState& run_;
  StepContext context_;
};

}  // namespace

absl::Status RunState::Interrupted() const {
  if (cancellation != nullptr && cancellation->cancelled()) return absl::CancelledError("Run call was cancelled");
  if (deadline != std::chrono::steady_clock::time_point::max() && std::chrono::steady_clock::now() >= deadline) {
    return absl::DeadlineExceededError("Timed out waiting for notification: the run took longer than its timeout");
  }
  return absl::OkStatus();
}

absl::Status RunState::Synchronize() const {
  absl::Status status;
  for (Stream* stream : streams) {
    if (stream == nullptr) continue;
    if (absl::Status one = stream->Synchronize(); status.ok()) status = one;
  }
  return status;
}

absl::Status Execute(const Plan& plan, Frame* frame, const RunState& run) {
  absl::Status status = Executor(plan, frame, run).Run();
  // Copies under way point into the frame.
  if (!status.ok()) run.Synchronize().IgnoreError();
  return status;
}

absl::StatusOr<Tensor> TakeResult(const Plan& plan, Frame* frame, size_t i) {
  const int slot = plan.results[i];
  if (plan.has_branches && frame->dead[slot]) return absl::InvalidArgumentError(absl::StrCat("Retval[", i, "] does not have value"));
  if (!frame->values[slot].initialized()) return absl::InternalError(absl::StrCat("result ", i, " was not computed"));
  const bool again = std::find(plan.results.begin() + static_cast<std::ptrdiff_t>(i) + 1, plan.results.end(), slot) != plan.results.end();
  if (plan.slots[slot].kind == Slot::Kind::kConstant || again) return frame->values[slot];
  return std::move(frame->values[slot]);
}

}  // namespace savedmodel
