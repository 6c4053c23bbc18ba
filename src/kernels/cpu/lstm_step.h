// The steps of an LSTM for a few sequences at once.
//   i, f, g, o = parts of z + h U;  c = sigmoid(f) c + sigmoid(i) tanh(g);  h = sigmoid(o) tanh(c)
// A step reads all of U, which the second cache gives at 32 bytes a cycle: everything else happens meanwhile. Threads keep a part
// of U each and meet after every step; one that does not come costs nothing, its part is done by the first.
#ifndef SAVEDMODEL_KERNELS_CPU_LSTM_STEP_H_
#define SAVEDMODEL_KERNELS_CPU_LSTM_STEP_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kernels/cpu/cpu_features.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// `rows` sequences of `steps` steps, steps > 0; distances in floats. z: [4 units] for each step and row, quarters in the order of
// U's columns. h and c: [rows, units]; c is written. h after step t goes to Out(t).
struct LstmSequences {
  const float* z = nullptr;
  int64_t z_step = 0, z_row = 0;
  const float* h = nullptr;
  float* c = nullptr;
  float* out = nullptr;
  int64_t out_step = 0;    // 0: only the last h is kept, at `out`; `spare` takes turns with it
  float* spare = nullptr;  // [rows, units]
  int64_t steps = 0;
  int rows = 0;

  const float* Before(int64_t t) const { return t == 0 ? h : Out(t - 1); }
  float* Out(int64_t t) const { return out_step > 0 ? out + t * out_step : (steps - t) % 2 == 1 ? out : spare; }
};

// U [units, 4 units] as the steps read it, for the active level. Immutable; shares its memory with copies of itself.
class LstmWeights {
 public:
  // `gates` says which quarter of the columns is the input, forget, candidate and output gate. ResourceExhausted if there is no memory.
  static absl::StatusOr<LstmWeights> Pack(const float* u, int64_t units, const int64_t gates[4]);

  // How many rows a call takes at most.
  int max_rows() const;
  // All steps. `stop` is asked now and then; once true, the rest is left undone.
  void Run(const LstmSequences& sequences, absl::FunctionRef<bool()> stop, ThreadPool& pool) const;

 private:
  void RunPart(const LstmSequences& sequences, int64_t t, int part, int parts) const;

  CpuLevel level_ = CpuLevel::kPlain;
  int64_t units_ = 0;
  int64_t gates_[4] = {};
  std::shared_ptr<float> u_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_LSTM_STEP_H_
