// Strings to buckets: StringToHashBucketFast (farmhash), StringToHashBucketStrong (SipHash with a key),
// StringToHashBucket (Hash64), and _TensorToHashBucketFast, which hashes the decimal text of signed
// integers (the reference refuses the unsigned ones that the op declares).
#include <farmhash.h>

#include "absl/strings/str_cat.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/string/each_string.h"
#include "ops/string/hash64.h"
#include "ops/string/sip_hash.h"

namespace savedmodel {
namespace {

template <typename Hash>
KernelPtr BucketKernel(KernelInit& init, Hash hash) {
  const uint64_t buckets = static_cast<uint64_t>(init.attrs().Int("num_buckets"));
  return MakeKernel([=](KernelContext& context) {
    return EachString<int64_t>(
        context, [&](const std::string& text, int64_t* bucket) { *bucket = static_cast<int64_t>(hash(text) % buckets); });
  });
}

absl::Status CheckBuckets(KernelInit& init) {
  SM_CHECK_ARGUMENT(init.attrs().Int("num_buckets") >= 1, "num_buckets is ", init.attrs().Int("num_buckets"),
                    ", must be at least 1");
  return absl::OkStatus();
}

uint64_t Farm(absl::string_view text) { return util::Fingerprint64(text.data(), text.size()); }

absl::StatusOr<KernelPtr> MakeFast(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckBuckets(init));
  return BucketKernel(init, Farm);
}

absl::StatusOr<KernelPtr> MakeLegacy(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckBuckets(init));
  return BucketKernel(init, [](absl::string_view text) { return Hash64(text); });
}

absl::StatusOr<KernelPtr> MakeStrong(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckBuckets(init));
  const std::vector<int64_t>& key = init.attrs().Ints("key");
  SM_CHECK_ARGUMENT(key.size() == 2, "Key must have 2 elements, has ", key.size());
  const SipHash sip(static_cast<uint64_t>(key[0]), static_cast<uint64_t>(key[1]));
  return BucketKernel(init, [sip](absl::string_view text) { return sip(text.data(), text.size()); });
}

absl::StatusOr<KernelPtr> MakeNumbers(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckBuckets(init));
  const uint64_t buckets = static_cast<uint64_t>(init.attrs().Int("num_buckets"));
  const DataType type = init.input_dtype(0);
  SM_CHECK_ARGUMENT(type == DataType::kInt8 || type == DataType::kInt16 || type == DataType::kInt32 || type == DataType::kInt64,
                    "Type not supported: ", DataTypeName(type));
  return DispatchAs<absl::StatusOr<KernelPtr>, SignedIntTypes>(type, [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([buckets](KernelContext& context) -> absl::Status {
      const Tensor& input = context.input(0);
      SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
      context.pool().ParallelFor(input.num_elements(), 512, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const absl::AlphaNum text(static_cast<int64_t>(input.data<T>()[i]));
          output->data<int64_t>()[i] = static_cast<int64_t>(Farm(text.Piece()) % buckets);
        }
      });
      return absl::OkStatus();
    });
  });
}

}  // namespace

void DefineStringToHashBucket(OpTable& ops) {
  ops.Add({.name = "StringToHashBucketFast",
           .inputs = "input: string",
           .outputs = "output: int64",
           .attrs = "num_buckets: int >= 1",
           .infer = SameShape,
           .cpu = MakeFast});
  ops.Add({.name = "StringToHashBucketStrong", .inputs = "input: string", .outputs = "output: int64",
           .attrs = "num_buckets: int >= 1; key: list(int)", .infer = SameShape, .cpu = MakeStrong});
  ops.Add({.name = "StringToHashBucket",
           .inputs = "string_tensor: string",
           .outputs = "output: int64",
           .attrs = "num_buckets: int >= 1",
           .infer = SameShape,
           .cpu = MakeLegacy});
  ops.Add({.name = "_TensorToHashBucketFast", .inputs = "input: T", .outputs = "output: int64",
           .attrs = "T: {int8, uint8, int16, uint16, int32, uint32, int64, uint64}; num_buckets: int >= 1", .infer = SameShape,
           .cpu = MakeNumbers});
}

}  // namespace savedmodel
