#include "kernels/cpu/cpu_features.h"

#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <atomic>

namespace savedmodel {
namespace {

// Sizes that a virtual machine reports can be absent (0 or -1) or absurd.
int64_t CacheBytes(int name, int64_t fallback, int64_t most) {
  const int64_t bytes = sysconf(name);
  return bytes > 0 ? std::clamp(bytes, fallback / 4, most) : fallback;
}

#if defined(__x86_64__)
// The family of a processor of AMD's, or 0.
unsigned AmdFamily() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0 || c != signature_AMD_ecx) return 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return 0;
  return ((a >> 8) & 15) + ((a >> 20) & 255);
}

// Tiles of 16 rows of 64 bytes with products of bfloat16, and an operating system that saves them.
bool HasTiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kOsxsave = 1u << 27, kAmxBf16 = 1u << 22, kAmxTile = 1u << 24, kState = 3u << 17;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsxsave) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if ((low & kState) != kState) return false;
  // Palette 1: bytes of a row, number of tiles, rows.
  if (__get_cpuid_count(0x1d, 1, &a, &b, &c, &d) == 0) return false;
  return (b & 0xffff) == 64 && b >> 16 >= 8 && (c & 0xffff) >= 16;
}
#endif

CpuFeatures Detect() {
  CpuFeatures features;
#if defined(__x86_64__)
  // These test the operating system's support for the wider registers, too.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    features.level = CpuLevel::kAvx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
      features.level = CpuLevel::kAvx512;
      features.avx512_vnni = __builtin_cpu_supports("avx512vnni");
      features.avx512_bf16 = __builtin_cpu_supports("avx512bf16");
      features.amx_bf16 = features.avx512_bf16 && HasTiles();
      constexpr unsigned kZen4 = 0x19;
      const unsigned amd = AmdFamily();
      features.fast_bf16 = features.avx512_bf16 && amd != 0;
      features.halved_512 = amd == kZen4;
    }
  }
#endif
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  features.l1_bytes = CacheBytes(_SC_LEVEL1_DCACHE_SIZE, 32 << 10, 256 << 10);
  features.l2_bytes = CacheBytes(_SC_LEVEL2_CACHE_SIZE, 512 << 10, 4 << 20);
#endif
  return features;
}

std::atomic<CpuLevel>& Cap() {
  static std::atomic<CpuLevel> cap{CpuLevel::kAvx512};
  return cap;
}

std::atomic<bool>& TilesCap() {
  static std::atomic<bool> allowed{true};
  return allowed;
}

}  // namespace

const CpuFeatures& DetectedCpu() {
  static const CpuFeatures features = Detect();
  return features;
}

CpuLevel ActiveCpuLevel() { return std::min(DetectedCpu().level, Cap().load(std::memory_order_relaxed)); }

bool TilesAllowed() { return ActiveCpuLevel() == CpuLevel::kAvx512 && TilesCap().load(std::memory_order_relaxed); }

const char* CpuLevelName(CpuLevel level) {
  switch (level) {
    case CpuLevel::kAvx512: return "avx512";
    case CpuLevel::kAvx2: return "avx2";
    case CpuLevel::kPlain: break;
  }
  return "plain";
}

ScopedCpuLevelCap::ScopedCpuLevelCap(CpuLevel cap, bool tiles)
    : saved_(Cap().exchange(cap)), saved_tiles_(TilesCap().exchange(tiles)) {}
ScopedCpuLevelCap::~ScopedCpuLevelCap() {
  Cap().store(saved_);
  TilesCap().store(saved_tiles_);
}

}  // namespace savedmodel
