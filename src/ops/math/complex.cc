// Complex numbers and their parts.
#include <cmath>
#include <memory>

#include "core/status_macros.h"
#include "ops/math/elementwise.h"
#include "ops/sparse/csr_matrix.h"

namespace savedmodel {
namespace {

template <typename C>
using PartOf = typename C::value_type;

struct ComplexOp {
  static constexpr bool kSimple = true;
  template <typename T>
  SM_INLINE static std::complex<T> Do(T real, T imaginary) { return std::complex<T>(real, imaginary); }
};
struct RealOp {
  static constexpr bool kSimple = true;
  template <typename C>
  SM_INLINE static PartOf<C> Do(const C& c) { return c.real(); }
};
struct ImagOp {
  static constexpr bool kSimple = true;
  template <typename C>
  SM_INLINE static PartOf<C> Do(const C& c) { return c.imag(); }
};
struct AbsOp {
  static constexpr bool kSimple = false;
  template <typename C>
  SM_INLINE static PartOf<C> Do(const C& c) { return std::abs(c); }
};
struct AngleOp {
  static constexpr bool kSimple = false;
  template <typename C>
  SM_INLINE static PartOf<C> Do(const C& c) { return std::atan2(c.imag(), c.real()); }
};
struct ConjOp {
  static constexpr bool kSimple = true;
  template <typename C>
  SM_INLINE static C Do(const C& c) { return std::conj(c); }
};

absl::StatusOr<KernelPtr> ComplexKernel(KernelInit& init) {
  return Dispatch<SingleDoubleTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    if (init.output_dtype(0) != DataTypeOf<std::complex<T>>::value) {
      return absl::InvalidArgumentError("Tout must be the complex type of T");
    }
    return MakeBinary(init, BinaryLoopOf<ComplexOp, T, std::complex<T>>());
  });
}

template <typename Op>
absl::StatusOr<KernelPtr> PartKernel(KernelInit& init) {
  return DispatchAs<absl::StatusOr<KernelPtr>, ComplexTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using C = typename decltype(tag)::type;
    if (init.output_dtype(0) != DataTypeOf<PartOf<C>>::value) {
      return absl::InvalidArgumentError("Tout must be the type of T's parts");
    }
    return MakeUnary(init, UnaryLoopOf<Op, C, PartOf<C>>(), CostOf<Op>());
  });
}

template <typename C>
absl::StatusOr<Tensor> Conjugates(KernelContext& context, const Tensor& values) {
  SM_ASSIGN_OR_RETURN(Tensor conjugates, Tensor::Allocate(values.dtype(), values.shape(), context.allocator()));
  for (int64_t i = 0; i < values.num_elements(); ++i) conjugates.data<C>()[i] = std::conj(values.data<C>()[i]);
  return conjugates;
}

// Of variants: sparse matrices.
absl::Status ConjMatrices(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const CsrMatrix* matrix, CsrInput(context, 0));
  auto result = std::make_shared<CsrMatrix>(*matrix);
  if (matrix->values.dtype() == DataType::kComplex64) {
    SM_ASSIGN_OR_RETURN(result->values, Conjugates<std::complex<float>>(context, matrix->values));
  } else if (matrix->values.dtype() == DataType::kComplex128) {
    SM_ASSIGN_OR_RETURN(result->values, Conjugates<std::complex<double>>(context, matrix->values));
  }
  return context.SetOutput(0, Tensor::Scalar<Variant>(std::move(result)));
}

absl::StatusOr<KernelPtr> ConjKernel(KernelInit& init) {
  if (init.input_dtype(0) == DataType::kVariant) {
    return MakeKernel(ConjMatrices);
  }
  return UnaryKernel<ConjOp, ComplexTypes>(init);
}

void AddPart(OpTable& ops, const char* name, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "input: T", .outputs = "output: Tout",
           .attrs = "T: {complex64, complex128} = DT_COMPLEX64; Tout: {float, double} = DT_FLOAT", .infer = SameShape, .cpu = cpu});
}

}  // namespace

void DefineComplex(OpTable& ops) {
  ops.Add({.name = "Complex", .inputs = "real: T; imag: T", .outputs = "out: Tout",
           .attrs = "T: {float, double} = DT_FLOAT; Tout: {complex64, complex128} = DT_COMPLEX64", .infer = BroadcastShape,
           .cpu = ComplexKernel});
  AddPart(ops, "Real", PartKernel<RealOp>);
  AddPart(ops, "Imag", PartKernel<ImagOp>);
  AddPart(ops, "Angle", PartKernel<AngleOp>);
  ops.Add({.name = "ComplexAbs", .inputs = "x: T", .outputs = "y: Tout",
           .attrs = "T: {complex64, complex128} = DT_COMPLEX64; Tout: {float, double} = DT_FLOAT", .infer = SameShape,
           .cpu = PartKernel<AbsOp>});
  ops.Add({.name = "Conj", .inputs = "input: T", .outputs = "output: T", .attrs = "T: {complex64, complex128, variant} = DT_COMPLEX64",
           .infer = SameShape, .cpu = ConjKernel});
}

}  // namespace savedmodel
