#include "api/model_checkpoint.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {

bool ModelCheckpoint::exists() const { return source_->Exists(absl::StrCat(kPrefix, ".index")) || source_->Exists(kPrefix); }

absl::StatusOr<const Checkpoint*> ModelCheckpoint::Get() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (checkpoint_ == nullptr) {
    SM_ASSIGN_OR_RETURN(checkpoint_, Checkpoint::Open(source_, kPrefix));
  }
  return checkpoint_.get();
}

absl::StatusOr<Tensor> ModelCheckpoint::Read(absl::string_view key, absl::string_view slice) {
  StopChecking();
  SM_ASSIGN_OR_RETURN(const Checkpoint* checkpoint, Get());
  return checkpoint->Read(key, std::string(slice));
}

void ModelCheckpoint::CheckAhead() {
  if (stop_.load(std::memory_order_relaxed)) return;
  const absl::StatusOr<const Checkpoint*> checkpoint = Get();
  if (checkpoint.ok()) (*checkpoint)->CheckAhead(stop_);
}

}  // namespace savedmodel
