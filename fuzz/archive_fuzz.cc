// Any bytes as an archive: unpacked, listed, every file read; or refused.
#include <string>

#include "core/files.h"
#include "savedmodel/model_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  savedmodel::ArchiveOptions options;
  options.max_bytes = 16 << 20;
  options.max_files = 1000;
  auto memory = savedmodel::MakeMemorySource({{"a", std::string(reinterpret_cast<const char*>(data), size)}});
  auto source = savedmodel::MakeArchiveSource(*memory->Open("a"), "a", options);
  if (!source.ok()) return 0;
  auto names = (*source)->List("");
  if (!names.ok()) return 0;
  for (const std::string& name : *names) (void)savedmodel::ReadFile(**source, name);
  (void)savedmodel::FindModel(*source, true);
  return 0;
}
