// What the processor's tile instructions do, in plain C++, one set of tiles a thread. Each refuses what the processor would
// refuse, by returning false.
#ifndef SAVEDMODEL_TESTS_KERNELS_EMULATED_TILES_H_
#define SAVEDMODEL_TESTS_KERNELS_EMULATED_TILES_H_

#include <cmath>
#include <cstdint>
#include <cstring>

namespace savedmodel {

class EmulatedTiles {
 public:
  // The 64 bytes of LDTILECFG.
  bool Configure(const void* shapes) {
    uint8_t bytes[64];
    std::memcpy(bytes, shapes, sizeof bytes);
    Release();
    if (bytes[0] != 1 || bytes[1] != 0) return false;
    for (int i = 2; i < 16; ++i) {
      if (bytes[i] != 0) return false;
    }
    for (int t = 0; t < 16; ++t) {
      const int row_bytes = bytes[16 + 2 * t] + 256 * bytes[17 + 2 * t], rows = bytes[48 + t];
      if (t >= 8 ? row_bytes != 0 || rows != 0 : row_bytes > 64 || rows > 16 || (row_bytes == 0) != (rows == 0)) return false;
      if (t < 8) tiles_[t].rows = rows, tiles_[t].row_bytes = row_bytes;
    }
    return configured_ = true;
  }
  void Release() {
    configured_ = false;
    for (Tile& tile : tiles_) tile = {};
  }
  bool configured() const { return configured_; }

  bool Zero(int t) {
    if (!Valid(t)) return false;
    std::memset(tiles_[t].data, 0, sizeof tiles_[t].data);
    return true;
  }
  bool Load(int t, const char* base, int64_t stride) {
    if (!Zero(t)) return false;
    for (int i = 0; i < tiles_[t].rows; ++i) std::memcpy(tiles_[t].data[i], base + i * stride, tiles_[t].row_bytes);
    return true;
  }
  bool Store(int t, char* base, int64_t stride) const {
    if (!Valid(t)) return false;
    for (int i = 0; i < tiles_[t].rows; ++i) std::memcpy(base + i * stride, tiles_[t].data[i], tiles_[t].row_bytes);
    return true;
  }
  // TDPBF16PS: even and odd places are summed apart, then added to c. Denormals count as zero, whatever the thread's setting.
  bool MultiplyAdd(int c, int a, int b) {
    if (!Valid(a) || !Valid(b) || !Valid(c) || a == b || a == c || b == c) return false;
    Tile &to = tiles_[c], &left = tiles_[a], &right = tiles_[b];
    if (to.rows != left.rows || to.row_bytes != right.row_bytes || left.row_bytes != 4 * right.rows) return false;
    float factors[16][32];
    for (int k = 0; k < 16; ++k) {
      for (int j = 0; j < 32; ++j) factors[k][j] = Bf16(right.data[k], j);
    }
    for (int i = 0; i < to.rows; ++i) {
      float sums[32] = {};
      for (int k = 0; k < right.rows; ++k) {
        const float pair[2] = {Bf16(left.data[i], 2 * k), Bf16(left.data[i], 2 * k + 1)};
        // The product of two bfloat16 is exact, so that this is a fused multiply-add.
        for (int j = 0; j < 32; ++j) sums[j] = Flush(pair[j % 2] * factors[k][j] + sums[j]);
      }
      float* row = to.data[i];
      for (int j = 0; j < to.row_bytes / 4; ++j) row[j] = Flush(Flush(row[j]) + Flush(sums[2 * j] + sums[2 * j + 1]));
    }
    return true;
  }

  static EmulatedTiles& OfThisThread() {
    static thread_local EmulatedTiles tiles;
    return tiles;
  }

 private:
  struct Tile {
    int rows = 0, row_bytes = 0;
    float data[16][16] = {};
  };

  bool Valid(int t) const { return configured_ && t >= 0 && t < 8 && tiles_[t].rows > 0; }
  static float Flush(float x) { return std::abs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }
  static float Bf16(const float* row, int i) {
    uint16_t bits;
    std::memcpy(&bits, reinterpret_cast<const char*>(row) + 2 * i, sizeof bits);
    const uint32_t wide = uint32_t{bits} << 16;
    float x;
    std::memcpy(&x, &wide, sizeof x);
    return Flush(x);
  }

  bool configured_ = false;
  Tile tiles_[8];
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_KERNELS_EMULATED_TILES_H_
