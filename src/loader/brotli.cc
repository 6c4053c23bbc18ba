#include "loader/brotli.h"

#include <brotli/decode.h>

#include "absl/strings/str_cat.h"

namespace savedmodel {

absl::Status ExpandBrotli(absl::string_view packed, uint64_t size, std::string* out) {
  BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  if (state == nullptr) return absl::ResourceExhaustedError("no memory for a Brotli decoder");
  out->clear();
  const uint8_t* in = reinterpret_cast<const uint8_t*>(packed.data());
  size_t in_left = packed.size(), out_left = 0;
  BrotliDecoderResult result;
  do {
    result = BrotliDecoderDecompressStream(state, &in_left, &in, &out_left, nullptr, nullptr);
    size_t n = 0;
    const uint8_t* bytes = BrotliDecoderTakeOutput(state, &n);
    if (n > size - out->size()) {
      result = BROTLI_DECODER_RESULT_ERROR;
    } else {
      out->append(reinterpret_cast<const char*>(bytes), n);
    }
  } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
  BrotliDecoderDestroyInstance(state);
  if (result == BROTLI_DECODER_RESULT_SUCCESS && out->size() == size && in_left == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("compressed bytes do not unpack to the ", size, " bytes that they should"));
}

}  // namespace savedmodel
