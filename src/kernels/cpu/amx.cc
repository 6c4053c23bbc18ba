#include "kernels/cpu/amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>
#include <cmath>
#include <vector>

#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/gemm_blocks.h"

namespace savedmodel {
namespace {

std::atomic<const GemmKernels*>& StandIn() {
  static std::atomic<const GemmKernels*> kernels{nullptr};
  return kernels;
}

#if defined(__x86_64__) && defined(__linux__)
// Without this a thread that touches a tile is killed. The permission is the whole process's, for good.
bool AskForTiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool FindTiles() { return DetectedCpu().amx_bf16 && AskForTiles() && MultipliesRight(kGemmAmx); }
#endif

}  // namespace

bool MultipliesRight(const GemmKernels& kernels) {
  // Small whole numbers, so that every order of the sums gives the same: two taps, tiles that overlap, a rest of the depth.
  constexpr int kRows = 37, kTaps = 2, kPairs = 41, kWidth = 32, kColumns = 29;
  std::vector<float> a(kRows * kTaps * kPairs), b(kTaps * kPairs * kWidth), c(kRows * kColumns, 5.0f);
  const auto left = [](int i, int k) { return static_cast<float>((i * 7 + k * 3) % 11 - 5); };
  const auto right = [](int k, int j) { return static_cast<float>((k * 5 + j) % 13 - 6); };
  const auto pair = [](float low, float high) {
    const uint32_t bits = Bf16Bits(low) | Bf16Bits(high) << 16;
    float both;
    std::memcpy(&both, &bits, sizeof both);
    return both;
  };
  for (int k = 0; k < kTaps * kPairs; ++k) {
    for (int i = 0; i < kRows; ++i) a[i * kTaps * kPairs + k] = pair(left(i, 2 * k), left(i, 2 * k + 1));
    for (int j = 0; j < kWidth; ++j) b[k * kWidth + j] = pair(right(2 * k, j), right(2 * k + 1, j));
  }
  std::vector<const float*> rows(kTaps * kRows);
  for (int tap = 0; tap < kTaps; ++tap) {
    // The second tap reads its rows in no order.
    for (int i = 0; i < kRows; ++i) rows[tap * kRows + i] = a.data() + ((tap == 0 ? i : i * 5 % kRows) * kTaps + tap) * kPairs;
  }
  PanelJob job = {};
  job.rows = rows.data();
  job.row_stride = job.m = kRows;
  job.taps = kTaps;
  job.depth = kPairs;
  job.b = b.data();
  job.b_stride = kWidth;
  job.columns = kColumns;
  job.c = c.data();
  job.c_stride = kColumns;
  job.last = true;
  job.epilogue.activation = Activation::kRelu;
  kernels.run_panel(job);
  if (kernels.release != nullptr) kernels.release();
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) {
      float sum = 5;
      for (int k = 0; k < 2 * kPairs; ++k) {
        sum += left(i, k) * right(k, j) + left(i * 5 % kRows, 2 * kPairs + k) * right(2 * kPairs + k, j);
      }
      if (!(c[i * kColumns + j] == std::fmax(sum, 0.0f))) return false;
    }
  }
  return true;
}

bool UsesTiles() {
  if (StandIn().load(std::memory_order_relaxed) != nullptr) return true;
#if defined(__x86_64__) && defined(__linux__)
  if (!TilesAllowed()) return false;
  static const bool found = FindTiles();
  return found;
#else
  return false;
#endif
}

const GemmKernels& TileKernels() {
  const GemmKernels* stand_in = StandIn().load(std::memory_order_relaxed);
  if (stand_in != nullptr) return *stand_in;
#if defined(__x86_64__)
  return kGemmAmx;
#else
  return kGemmPlain;  // no layout asks for it
#endif
}

ScopedTileKernels::ScopedTileKernels(const GemmKernels& kernels) : saved_(StandIn().exchange(&kernels)) {}
ScopedTileKernels::~ScopedTileKernels() { StandIn().store(saved_); }

}  // namespace savedmodel
