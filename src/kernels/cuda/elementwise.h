// Element by element: unary and binary functions, comparisons, choices, casts, and what follows a product. Pointers are
// device memory; `out` may be an operand that is as large as it.
#ifndef SAVEDMODEL_KERNELS_CUDA_ELEMENTWISE_H_
#define SAVEDMODEL_KERNELS_CUDA_ELEMENTWISE_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

enum class Unary : int {
  kNone, kAbs, kNeg, kSign, kSquare, kSqrt, kRsqrt, kReciprocal, kExp, kExpm1, kLog, kLog1p, kSin, kCos, kTan, kAsin, kAcos, kAtan, kSinh, kCosh,
  kTanh, kAsinh, kAcosh, kAtanh, kSigmoid, kRelu, kRelu6, kLeakyRelu, kElu, kSelu, kSoftplus, kSoftsign, kSwish, kHardSwish, kGeluErf, kGeluTanh,
  kErf, kErfc, kErfinv, kNdtri, kCeil, kFloor, kRint, kLgamma, kInvert,
};
enum class Test : int { kIsNan, kIsInf, kIsFinite, kNot };
enum class Binary : int {
  kAdd, kSub, kMul, kDiv, kDivNoNan, kMulNoNan, kMaximum, kMinimum, kPow, kSquaredDifference, kFloorDiv, kFloorMod, kTruncateDiv, kTruncateMod,
  kAtan2, kXdivy, kXlogy, kXlog1py, kAnd, kOr, kXor, kReluGrad, kSigmoidGrad, kTanhGrad, kRsqrtGrad, kSqrtGrad,
};
enum class Comparison : int { kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual, kLogicalAnd, kLogicalOr };

// Dimensions of the result, and the steps (in elements; 0: repeated) of up to three operands in them.
inline constexpr int kMaxDims = 8;
struct Broadcast {
  int rank = 0;
  int64_t count = 1;
  int64_t dims[kMaxDims] = {};
  int64_t steps[3][kMaxDims] = {};
};

int RunUnary(void* stream, Unary op, Element type, float alpha, const void* x, void* out, int64_t n);
int RunTest(void* stream, Test op, Element type, const void* x, void* out, int64_t n);
int RunBinary(void* stream, Binary op, Element type, const Broadcast& shape, const void* a, const void* b, void* out);
int RunComparison(void* stream, Comparison op, Element type, const Broadcast& shape, const void* a, const void* b, void* out);
// Elements of `size` bytes: operand 0 is the condition.
int RunSelect(void* stream, int size, const Broadcast& shape, const void* condition, const void* yes, const void* no, void* out);
int RunCast(void* stream, Element from, Element to, const void* x, void* out, int64_t n);
// `value` is one element in host memory.
int RunFill(void* stream, int size, const void* value, void* out, int64_t n);
// out = min(max(x, low), high); low and high are full, or one element.
int RunClip(void* stream, Element type, const void* x, const void* low, bool one_low, const void* high, bool one_high, void* out, int64_t n);
// out[r, c] = activation(x[r, c] + bias[c] + residual[r, c]); bias and residual may be null. kFloat, kHalf, kBFloat16.
int RunEpilogue(void* stream, Element type, const void* x, const void* bias, const void* residual, Unary activation, float alpha, int64_t rows,
                int64_t channels, void* out);
// out[i] = start + i * delta, in the arithmetic of the type; both are one element in host memory.
int RunRange(void* stream, Element type, const void* start, const void* delta, void* out, int64_t n);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_ELEMENTWISE_H_
