// Any bytes as a pickle: a value that becomes a tensor and a text, or a refusal.
#include "cli/pickle.h"
#include "cli/to_tensor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace savedmodel;
  const absl::StatusOr<cli::Value> value = cli::ReadPickle({reinterpret_cast<const char*>(data), size});
  if (!value.ok()) return 0;
  for (DataType type : {DataType::kFloat, DataType::kString}) (void)cli::ToTensor(*value, type).ok();
  return 0;
}
