// Cast between all dtypes of numbers, and ToBool. float8 goes through float or double, 4 bit integers through 8 bits.
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/elementwise_cast.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

using CastTypes = TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                           std::complex<float>, std::complex<double>, bool>;

// The first `vector` elements are converted in vector mode.
using CastLoop = void (*)(const void* in, void* out, int64_t n, int64_t vector);

template <typename S, typename D, CastMode kMode>
SM_INLINE void Convert(const S* in, D* out, int64_t n) {
  SM_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) out[i] = CastElement<S, D, kMode>(in[i]);
}

template <typename S, typename D>
void Loop(const void* in, void* out, int64_t n, int64_t vector) {
  const S* from = static_cast<const S*>(in);
  D* to = static_cast<D*>(out);
  if constexpr (CastPacket<S, D>() > 1 && std::is_floating_point_v<Compute<S>>) {
    Convert<S, D, CastMode::kVector>(from, to, vector);
    Convert<S, D, CastMode::kScalar>(from + vector, to + vector, n - vector);
  } else {
    Convert<S, D, CastMode::kScalar>(from, to, n);
  }
}

template <typename S, typename D>
SM_CLONED void FastLoop(const void* in, void* out, int64_t n, int64_t) {
  Convert<S, D, CastMode::kScalar>(static_cast<const S*>(in), static_cast<D*>(out), n);
}

// The conversions that models do to whole images and batches.
template <typename S, typename D>
constexpr bool kHot = (std::is_same_v<D, float> && (std::is_same_v<S, uint8_t> || std::is_same_v<S, int32_t> || std::is_same_v<S, bool> ||
                                                    std::is_same_v<S, int64_t> || std::is_same_v<S, double> || std::is_same_v<S, BFloat16>)) ||
                      (std::is_same_v<S, float> && (std::is_same_v<D, int32_t> || std::is_same_v<D, double>)) ||
                      (std::is_same_v<S, int32_t> && std::is_same_v<D, int64_t>) || (std::is_same_v<S, int64_t> && std::is_same_v<D, int32_t>);

struct Conversion {
  CastLoop loop = nullptr;
  int64_t packet = 1;
};

Conversion Find(DataType from, DataType to) {
  Conversion found;
  (void)Dispatch<CastTypes>(from, [&](auto source) {
    return Dispatch<CastTypes>(to, [&](auto target) {
      using S = typename decltype(source)::type;
      using D = typename decltype(target)::type;
      if constexpr (std::is_same_v<S, Half> && std::is_same_v<D, float>) {
        found.loop = [](const void* in, void* out, int64_t n, int64_t) { HalfToFloat(static_cast<const Half*>(in), static_cast<float*>(out), n); };
      } else if constexpr (std::is_same_v<S, float> && std::is_same_v<D, Half>) {
        found.loop = [](const void* in, void* out, int64_t n, int64_t) { FloatToHalf(static_cast<const float*>(in), static_cast<Half*>(out), n); };
      } else if constexpr (kHot<S, D>) {
        found.loop = FastLoop<S, D>;
      } else {
        found.loop = Loop<S, D>;
      }
      found.packet = std::is_floating_point_v<Compute<S>> ? CastPacket<S, D>() : 1;
      return absl::OkStatus();
    });
  });
  return found;
}

const Float8Format* Float8(DataType type) {
  if (type == DataType::kFloat8E5M2) return &kFloat8E5M2;
  if (type == DataType::kFloat8E4M3FN) return &kFloat8E4M3FN;
  return nullptr;
}
bool IsInt4(DataType type) { return type == DataType::kInt4 || type == DataType::kUInt4; }

// Bits of the mantissa, the hidden one included; 0 for other dtypes than floats.
int MantissaWidth(DataType type) {
  switch (type) {
    case DataType::kFloat: case DataType::kComplex64: return 24;
    case DataType::kDouble: case DataType::kComplex128: return 53;
    case DataType::kHalf: return 11;
    case DataType::kBFloat16: return 8;
    case DataType::kFloat8E5M2: return 3;
    case DataType::kFloat8E4M3FN: return 4;
    default: return 0;
  }
}

// Which pairs honour "Truncate": there the bits that the target lacks are cut off instead of rounded.
int BitsToCut(DataType from, DataType to) {
  const bool listed = (from == DataType::kDouble && to != DataType::kBFloat16) || from == DataType::kComplex128 ||
                      (from == DataType::kComplex64 && to == DataType::kHalf) || from == DataType::kFloat ||
                      (Float8(to) != nullptr && (from == DataType::kHalf || from == DataType::kBFloat16)) ||
                      (from == DataType::kFloat8E4M3FN && to == DataType::kFloat8E5M2);
  if (!listed || MantissaWidth(to) == 0) return 0;
  if (from == DataType::kDouble && to == DataType::kComplex64) return MantissaWidth(from);  // the reference takes the target to have no mantissa
  return std::max(0, MantissaWidth(from) - MantissaWidth(to));
}

template <typename U>
void CutBits(void* data, int64_t n, int bits, U infinity) {
  U* values = static_cast<U*>(data);
  const U sign = static_cast<U>(U(1) << (sizeof(U) * 8 - 1));
  for (int64_t i = 0; i < n; ++i) {
    const bool nan = static_cast<U>(values[i] & static_cast<U>(~sign)) > infinity;
    if (!nan) values[i] = static_cast<U>(values[i] & static_cast<U>(~U(0) << bits));
  }
}

void CutMantissa(DataType type, void* data, int64_t n, int bits) {
  switch (type) {
    case DataType::kFloat: return CutBits<uint32_t>(data, n, bits, 0x7f800000u);
    case DataType::kComplex64: return CutBits<uint32_t>(data, 2 * n, bits, 0x7f800000u);
    case DataType::kDouble: return CutBits<uint64_t>(data, n, bits, 0x7ff0000000000000u);
    case DataType::kComplex128: return CutBits<uint64_t>(data, 2 * n, bits, 0x7ff0000000000000u);
    case DataType::kHalf: return CutBits<uint16_t>(data, n, bits, 0x7c00u);
    case DataType::kBFloat16: return CutBits<uint16_t>(data, n, bits, 0x7f80u);
    default: return CutBits<uint8_t>(data, n, bits, 0x7eu);
  }
}

class Cast final : public Kernel {
 public:
  Cast(DataType from, DataType to, int cut) : from_(from), to_(to), cut_(cut) {
    const DataType middle = Float8(from) != nullptr ? DataType::kFloat : from == DataType::kInt4 ? DataType::kInt8 : from == DataType::kUInt4 ? DataType::kUInt8 : from;
    const DataType end = Float8(to) != nullptr ? DataType::kDouble : IsInt4(to) ? DataType::kInt8 : to;
    const bool small = IsInt4(from) || IsInt4(to), tiny = Float8(from) != nullptr || Float8(to) != nullptr;
    auto integral = [](DataType type) { return (IsInteger(type) || IsQuantized(type)); };
    if (small && !(integral(from) && integral(to))) return;
    if (tiny && Float8(to) != nullptr && !IsFloating(from)) return;
    conversion_ = Find(middle, end);
    direct_ = !small && !tiny && cut == 0;
    middle_size_ = DataTypeSize(middle);
  }
  bool supported() const { return conversion_.loop != nullptr; }

  absl::Status Run(KernelContext& context) const override {
    const Tensor& in = context.input(0);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, in.shape()));
    const char* from = static_cast<const char*>(in.raw());
    char* to = static_cast<char*>(out->raw());
    const int64_t n = in.num_elements(), from_size = static_cast<int64_t>(DataTypeSize(from_)), to_size = static_cast<int64_t>(DataTypeSize(to_));
    const int64_t vector = direct_ ? n / conversion_.packet * conversion_.packet : 0;
    // Pieces of whole blocks, so that a block's position does not depend on the number of threads.
    constexpr int64_t kBlock = 256;
    context.pool().ParallelFor((n + kBlock - 1) / kBlock, direct_ ? 64 : 8, [&](int64_t first, int64_t last) {
      const int64_t begin = first * kBlock, end = std::min(n, last * kBlock);
      if (direct_) {
        conversion_.loop(from + begin * from_size, to + begin * to_size, end - begin, std::clamp<int64_t>(vector - begin, 0, end - begin));
        return;
      }
      for (int64_t at = begin; at < end; at += kBlock) {
        Indirect(from + at * from_size, to + at * to_size, std::min(kBlock, end - at));
      }
    });
    return absl::OkStatus();
  }

 private:
  void Indirect(const char* from, char* to, int64_t n) const {
    alignas(16) char copy[256 * 16], result[256 * 8];
    std::memcpy(copy, from, static_cast<size_t>(n) * DataTypeSize(from_));
    if (cut_ > 0) CutMantissa(from_, copy, n, cut_);
    if (const Float8Format* format = Float8(from_)) {
      float values[256];
      for (int64_t i = 0; i < n; ++i) values[i] = FromFloat8(static_cast<uint8_t>(copy[i]), *format);
      std::memcpy(copy, values, static_cast<size_t>(n) * sizeof(float));
    }
    if (const Float8Format* format = Float8(to_)) {
      conversion_.loop(copy, result, n, 0);
      double value;
      for (int64_t i = 0; i < n; ++i) {
        std::memcpy(&value, result + i * 8, 8);
        to[i] = static_cast<char>(ToFloat8(value, *format));
      }
      return;
    }
    conversion_.loop(copy, to, n, 0);
    for (int64_t i = 0; i < n && IsInt4(to_); ++i) {
      const int low = to[i] & 15;
      to[i] = static_cast<char>(to_ == DataType::kInt4 && low >= 8 ? low - 16 : low);
    }
  }

  const DataType from_, to_;
  const int cut_;
  bool direct_ = false;
  size_t middle_size_ = 0;
  Conversion conversion_;
};

absl::StatusOr<KernelPtr> CastKernel(KernelInit& init) {
  const DataType from = init.input_dtype(0), to = init.output_dtype(0);
  if (StorageType(from) == StorageType(to)) {
    return MakeKernel([](KernelContext& context) { return context.Forward(0, 0, context.input(0).shape()); });
  }
  const int cut = init.attrs().Bool("Truncate") ? BitsToCut(from, to) : 0;
  auto kernel = std::make_unique<Cast>(StorageType(from), StorageType(to), cut);
  if (!kernel->supported()) {
    return absl::UnimplementedError(absl::StrCat("Cast ", DataTypeName(from), " to ", DataTypeName(to), " is not supported"));
  }
  return KernelPtr(std::move(kernel));
}

// A scalar by its value, a string by its length; any other tensor is true if it has elements.
absl::Status ToBool(KernelContext& context) {
  const Tensor& in = context.input(0);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, TensorShape()));
  bool& answer = *out->data<bool>();
  if (in.rank() > 0) {
    answer = in.num_elements() > 0;
    return absl::OkStatus();
  }
  if (in.dtype() == DataType::kString) {
    answer = !in.scalar<std::string>().empty();
    return absl::OkStatus();
  }
  using Types = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, bool>;
  absl::Status status = Dispatch<Types>(in.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    answer = Load(in.scalar<T>()) != Compute<T>(0);
    return absl::OkStatus();
  });
  if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(DataTypeName(in.dtype()), " cannot be converted to a boolean"));
  return absl::OkStatus();
}

}  // namespace

void DefineCast(OpTable& ops) {
  ops.Add({.name = "Cast",
           .inputs = "x: SrcT",
           .outputs = "y: DstT",
           .attrs = "SrcT: type; DstT: type; Truncate: bool = false",
           .infer = SameShape,
           .cpu = CastKernel});
  ops.Add({.name = "ToBool",
           .inputs = "input: T",
           .outputs = "output: bool",
           .attrs = "T: type",
           .infer = ScalarShape,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(ToBool); }});
}

}  // namespace savedmodel
