// Any bytes as a .npy or .npz file; what is read is printed and written again.
#include <cstdlib>

#include "cli/array_text.h"
#include "cli/npy.h"

namespace {

void Check(absl::string_view bytes) {
  using namespace savedmodel;
  const absl::StatusOr<cli::Value> value = cli::ReadNpy(bytes);
  if (!value.ok() || value->kind != cli::Value::Kind::kArray || value->array->objects || value->array->tensor.num_elements() > 4096) return;
  cli::ArrayText(value->array->tensor);
  const absl::StatusOr<std::string> written = cli::WriteNpy(value->array->tensor);
  if (!written.ok() || !cli::ReadNpy(*written).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  const auto members = savedmodel::cli::ReadNpz(bytes);
  if (!members.ok()) return 0;
  for (const auto& member : *members) Check(member.bytes);
  return 0;
}
