// Incomplete gamma and beta functions, the Hurwitz zeta function and polygamma. Betainc takes scalars or tensors of one
// shape; the others broadcast.
#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/math/elementwise.h"

namespace savedmodel {
namespace {

struct IgammaOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a, T x) {
    if (std::isinf(x) && x > 0 && a > 0 && std::isfinite(a)) return T(1);
    return Eigen::numext::igamma(a, x);
  }
};
struct IgammacOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a, T x) {
    if (std::isinf(x) && x > 0 && a > 0 && std::isfinite(a)) return T(0);
    return Eigen::numext::igammac(a, x);
  }
};
struct IgammaGradAOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a, T x) { return Eigen::numext::igamma_der_a(a, x); }
};
struct ZetaOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T x, T q) {
    const bool pole_or_undefined = q == std::floor(q) || x != std::floor(x) || !(x > 1);
    if (x > 1 && q > 0 && std::pow(q + 1, -x) == 0) return std::pow(q, -x);  // the tail is zero; its formula would overflow
    if (pole_or_undefined || !(q < -16)) return Eigen::numext::zeta(x, q);
    // The series has a term for each step from q up to 0. Those terms mirror the first ones of a series that begins above 0.
    const T steps = std::ceil(-q);
    const T mirrored = Eigen::numext::zeta(x, -q - (steps - 1)) - Eigen::numext::zeta(x, 1 - q);
    return Eigen::numext::zeta(x, steps + q) + (std::fmod(x, T(2)) == 0 ? mirrored : -mirrored);
  }
};
struct PolygammaOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T n, T x) {
    if (!(n > 0) || n != std::floor(n)) return Eigen::numext::polygamma(n, x);
    const T factorial = std::exp(Eigen::numext::lgamma(n + 1)), value = factorial * ZetaOp::Do(n + 1, x);
    return std::fmod(n, T(2)) == 0 ? -value : value;
  }
};

template <typename T>
absl::Status Betainc(KernelContext& context) {
  const Tensor *inputs[3] = {&context.input(0), &context.input(1), &context.input(2)};
  constexpr const char* kNames[] = {"a", "b", "x"};
  TensorShape shape;
  for (int i = 0; i < 3; ++i) {
    if (inputs[i]->rank() == 0) continue;
    for (int j = 0; j < i; ++j) {
      SM_CHECK_ARGUMENT(inputs[j]->rank() == 0 || inputs[j]->shape() == inputs[i]->shape(), "Shapes of ", kNames[j], " and ", kNames[i],
                        " are inconsistent: ", inputs[j]->shape().ToString(), " vs. ", inputs[i]->shape().ToString());
    }
    shape = inputs[i]->shape();
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  T* to = out->data<T>();
  context.pool().ParallelFor(shape.num_elements(), GrainFor(64), [&](int64_t begin, int64_t end) {
    // In double always: the float version takes a step for each unit of its parameters.
    auto at = [&](int k, int64_t i) { return static_cast<double>(inputs[k]->data<T>()[inputs[k]->rank() == 0 ? 0 : i]); };
    for (int64_t i = begin; i < end; ++i) to[i] = static_cast<T>(Eigen::numext::betainc(at(0, i), at(1, i), at(2, i)));
  });
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> BetaincKernel(KernelInit& init) {
  return Dispatch<SingleDoubleTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel(Betainc<T>);
  });
}

absl::Status BetaincShape(InferContext& context) {
  PartialShape shape = TensorShape();
  for (int i = 0; i < 3; ++i) {
    const PartialShape& in = context.input(i);
    if (!in.known_rank()) {
      // A scalar or not: the others may tell.
      if (shape.known_rank() && shape.rank() == 0) shape = PartialShape();
    } else if (in.rank() > 0) {
      if (!shape.known_rank() || shape.rank() == 0) {
        shape = in;
      } else {
        SM_ASSIGN_OR_RETURN(shape, shape.MergeWith(in));
      }
    }
  }
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

void AddBinary(OpTable& ops, const char* name, const char* inputs, const char* attrs, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = inputs, .outputs = "z: T", .attrs = attrs, .infer = BroadcastShape, .cpu = cpu, .in_place = true});
}

}  // namespace

void DefineIncompleteGamma(OpTable& ops) {
  constexpr char kFloats[] = "T: {bfloat16, half, float, double}", kSingleDouble[] = "T: {float, double}";
  AddBinary(ops, "Igamma", "a: T; x: T", kFloats, BinaryKernel<IgammaOp, SingleDoubleTypes>);
  AddBinary(ops, "Igammac", "a: T; x: T", kFloats, BinaryKernel<IgammacOp, SingleDoubleTypes>);
  AddBinary(ops, "IgammaGradA", "a: T; x: T", kSingleDouble, BinaryKernel<IgammaGradAOp, SingleDoubleTypes>);
  AddBinary(ops, "Zeta", "x: T; q: T", kSingleDouble, BinaryKernel<ZetaOp, SingleDoubleTypes>);
  AddBinary(ops, "Polygamma", "a: T; x: T", kSingleDouble, BinaryKernel<PolygammaOp, SingleDoubleTypes>);
  ops.Add({.name = "Betainc", .inputs = "a: T; b: T; x: T", .outputs = "z: T", .attrs = kSingleDouble, .infer = BetaincShape,
           .cpu = BetaincKernel});
}

}  // namespace savedmodel
