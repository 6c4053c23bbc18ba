#include "kernels/cpu/lstm_step.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/aligned_memory.h"
#include "core/spin.h"
#include "kernels/cpu/lstm_step_kernels.h"

namespace savedmodel {
namespace {

constexpr int64_t kPartBytes = 96 << 10;  // of U that pay for a thread: meeting costs about as much as reading 10 kB
constexpr int64_t kStopInterval = 16;     // steps
constexpr int kPauses = 4096;             // before a thread that waits lets others run

// Threads that do the parts of each step together. The first publishes a step, does its own part, then those that nobody has
// taken, and waits for those that somebody has. So it never waits for a thread that did not come, and a part of a step is done once.
class Meeting {
 public:
  static constexpr int kMostParts = 8;
  using RunPart = absl::FunctionRef<void(int64_t t, int part)>;

  void Lead(int64_t steps, int parts, absl::FunctionRef<bool()> stop, RunPart run) {
    for (int64_t t = 0; t < steps && (t % kStopInterval != 0 || !stop()); ++t) {
      published_.store(t + 1, std::memory_order_release);
      run(t, 0);
      for (int p = 1; p < parts; ++p) {
        if (parts_[p].Take(t)) {
          run(t, p);
        } else {
          SpinUntil(kPauses, [&] { return parts_[p].done.load(std::memory_order_acquire) > t; });
        }
      }
    }
    published_.store(kOver, std::memory_order_release);
  }

  void Follow(int part, RunPart run) {
    for (int64_t seen = 0;;) {
      SpinUntil(kPauses, [&] { return published_.load(std::memory_order_acquire) != seen; });
      seen = published_.load(std::memory_order_acquire);
      if (seen == kOver) return;
      if (!parts_[part].Take(seen - 1)) continue;
      run(seen - 1, part);
      parts_[part].done.store(seen, std::memory_order_release);
    }
  }

 private:
  static constexpr int64_t kOver = -1;
  struct alignas(64) Part {
    // True for the one that may do the part of step t.
    bool Take(int64_t t) {
      return taken.compare_exchange_strong(t, t + 1, std::memory_order_acq_rel);
    }
    std::atomic<int64_t> taken{0}, done{0};
  };
  alignas(64) std::atomic<int64_t> published_{0};
  Part parts_[kMostParts];
};

const LstmStepKernels& KernelsFor(CpuLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case CpuLevel::kAvx512: return kLstmStepAvx512;
    case CpuLevel::kAvx2: return kLstmStepAvx2;
    case CpuLevel::kPlain: break;
  }
#else
  (void)level;
#endif
  return kLstmStepPlain;
}

int64_t GroupsOf(int64_t units, int lanes) { return (units + lanes - 1) / lanes; }

}  // namespace

absl::StatusOr<LstmWeights> LstmWeights::Pack(const float* u, int64_t units, const int64_t gates[4]) {
  LstmWeights weights;
  weights.level_ = ActiveCpuLevel();
  weights.units_ = units;
  std::copy_n(gates, 4, weights.gates_);
  const int lanes = KernelsFor(weights.level_).lanes;
  const int64_t groups = GroupsOf(units, lanes), floats = groups * units * 4 * lanes;
  weights.u_ = std::shared_ptr<float>(static_cast<float*>(AllocateAligned(static_cast<size_t>(floats) * sizeof(float))), std::free);
  if (weights.u_ == nullptr) return absl::ResourceExhaustedError(absl::StrCat("no memory for ", floats * 4, " bytes of packed recurrent weights"));
  float* to = weights.u_.get();
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t at = group * lanes, here = std::min<int64_t>(lanes, units - at);
    for (int64_t k = 0; k < units; ++k) {
      for (int g = 0; g < 4; ++g, to += lanes) {
        std::copy_n(u + k * 4 * units + gates[g] * units + at, here, to);
        std::fill(to + here, to + lanes, 0.0f);
      }
    }
  }
  return weights;
}

int LstmWeights::max_rows() const { return KernelsFor(level_).max_rows; }

// Groups of the part go forward and backward by turns: what one step reads last the next finds in the first cache.
void LstmWeights::RunPart(const LstmSequences& s, int64_t t, int part, int parts) const {
  const LstmStepKernels& kernels = KernelsFor(level_);
  const int64_t groups = GroupsOf(units_, kernels.lanes);
  LstmStepJob job;
  job.u = u_.get();
  job.units = units_;
  job.group_begin = groups * part / parts;
  job.group_end = groups * (part + 1) / parts;
  job.backward = t % 2 == 1;
  for (int g = 0; g < 4; ++g) job.z[g] = s.z + t * s.z_step + gates_[g] * units_;
  job.z_row = s.z_row;
  job.h = s.Before(t);
  job.c = s.c;
  job.out = s.Out(t);
  job.rows = s.rows;
  kernels.run(job);
}

void LstmWeights::Run(const LstmSequences& s, absl::FunctionRef<bool()> stop, ThreadPool& pool) const {
  const int64_t worth = units_ * units_ * 16 / kPartBytes, groups = GroupsOf(units_, KernelsFor(level_).lanes);
  const int parts = static_cast<int>(std::clamp<int64_t>(std::min(worth, groups), 1, std::min(pool.num_threads(), Meeting::kMostParts)));
  if (parts == 1) {
    for (int64_t t = 0; t < s.steps && (t % kStopInterval != 0 || !stop()); ++t) RunPart(s, t, 0, 1);
    return;
  }
  Meeting meeting;
  std::atomic<int> arrived{0};
  pool.ParallelFor(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int part = arrived.fetch_add(1, std::memory_order_relaxed);
      const auto run = [&](int64_t t, int p) { RunPart(s, t, p, parts); };
      if (part == 0) {
        meeting.Lead(s.steps, parts, stop, run);
      } else {
        meeting.Follow(part, run);
      }
    }
  });
}

}  // namespace savedmodel
