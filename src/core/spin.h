// Waiting for another thread that is about to be done: a fraction of a microsecond, unless it was set aside.
#ifndef SAVEDMODEL_CORE_SPIN_H_
#define SAVEDMODEL_CORE_SPIN_H_

#include <thread>

namespace savedmodel {

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Asks `ready` until it holds; after `pauses` times it leaves the processor to others in between.
template <typename Ready>
void SpinUntil(int pauses, const Ready& ready) {
  for (int spins = 0; !ready();) {
    if (spins < pauses) {
      ++spins;
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_CORE_SPIN_H_
