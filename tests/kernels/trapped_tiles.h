// Runs the compiled tile instructions on processors without tiles: each raises the signal for an unknown instruction, whose
// handler takes it apart and emulates it. Slow, but it is the program's own machine code that is tested.
#ifndef SAVEDMODEL_TESTS_KERNELS_TRAPPED_TILES_H_
#define SAVEDMODEL_TESTS_KERNELS_TRAPPED_TILES_H_

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <ucontext.h>

#include <atomic>

#include "emulated_tiles.h"

namespace savedmodel {

// While this lives, unknown instructions that are no tile instructions end the program, as they do otherwise.
class TrappedTiles {
 public:
  TrappedTiles() {
    EmulatedTiles::OfThisThread();
    struct sigaction action = {};
    action.sa_sigaction = Handle;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, &before_);
  }
  ~TrappedTiles() { sigaction(SIGILL, &before_, nullptr); }
  TrappedTiles(const TrappedTiles&) = delete;
  TrappedTiles& operator=(const TrappedTiles&) = delete;

  static int64_t products() { return Products().load(); }

 private:
  static std::atomic<int64_t>& Products() {
    static std::atomic<int64_t> count{0};
    return count;
  }

  static void Handle(int, siginfo_t*, void* context) {
    auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const int length = Emulate(registers);
    if (length == 0) {
      signal(SIGILL, SIG_DFL);  // and return to the instruction
      return;
    }
    registers[REG_RIP] += length;
  }

  static int64_t Register(const greg_t* registers, int number) {
    constexpr int kPlaces[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return registers[kPlaces[number]];
  }

  // Carries out the instruction and returns its length, or 0 if it is none of ours or would be refused.
  static int Emulate(const greg_t* registers) {
    const auto* code = reinterpret_cast<const uint8_t*>(registers[REG_RIP]);
    // Three bytes of VEX prefix: map 0f38, W 0, 128 bits.
    if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || (code[2] & 0x84) != 0) return 0;
    const bool high_reg = (code[1] & 0x80) == 0, high_index = (code[1] & 0x40) == 0, high_base = (code[1] & 0x20) == 0;
    const int prefix = code[2] & 3, other = ~(code[2] >> 3) & 15, op = code[3];
    const int mode = code[4] >> 6, reg = (code[4] >> 3 & 7) + (high_reg ? 8 : 0), rm = code[4] & 7;
    EmulatedTiles& tiles = EmulatedTiles::OfThisThread();
    enum { kNone, k66, kF3, kF2 };
    if (op == 0x5c && prefix == kF3 && mode == 3) {
      Products().fetch_add(1, std::memory_order_relaxed);
      return tiles.MultiplyAdd(reg, rm, other) ? 5 : 0;
    }
    if (other != 0) return 0;
    if (op == 0x49 && mode == 3) {
      if (prefix == kF2 && rm == 0) return tiles.Zero(reg) ? 5 : 0;
      if (prefix != kNone || reg != 0 || rm != 0) return 0;
      tiles.Release();
      return 5;
    }

    // A memory operand.
    int length = 5;
    char* base = nullptr;
    int64_t stride = 0;
    const bool indexed = rm == 4;
    if (indexed) {
      const int scale = code[5] >> 6, index = (code[5] >> 3 & 7) + (high_index ? 8 : 0), low_base = code[5] & 7;
      length = 6;
      if (low_base == 5 && mode == 0) return 0;
      base = reinterpret_cast<char*>(Register(registers, low_base + (high_base ? 8 : 0)));
      if (index != 4) stride = Register(registers, index) * (1 << scale);
    } else {
      if (mode == 0 && rm == 5) return 0;
      base = reinterpret_cast<char*>(Register(registers, rm + (high_base ? 8 : 0)));
    }
    if (mode == 1) {
      base += static_cast<int8_t>(code[length]);
      length += 1;
    } else if (mode == 2) {
      int32_t distance;
      std::memcpy(&distance, code + length, sizeof distance);
      base += distance;
      length += 4;
    }
    if (op == 0x49 && prefix == kNone && reg == 0) return tiles.Configure(base + stride) ? length : 0;
    if (op != 0x4b || !indexed) return 0;
    if (prefix == kF2) return tiles.Load(reg, base, stride) ? length : 0;
    if (prefix == kF3) return tiles.Store(reg, base, stride) ? length : 0;
    return 0;
  }

  struct sigaction before_;
};

}  // namespace savedmodel

#endif
#endif  // SAVEDMODEL_TESTS_KERNELS_TRAPPED_TILES_H_
