// Division of integers, rounded up.
#ifndef SAVEDMODEL_KERNELS_CPU_CEIL_DIV_H_
#define SAVEDMODEL_KERNELS_CPU_CEIL_DIV_H_

#include <cstdint>

namespace savedmodel {

inline int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_CEIL_DIV_H_
