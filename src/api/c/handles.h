// What stands behind the handles of savedmodel/c.h, and the way from statuses and sized structs to C and back.
#ifndef SAVEDMODEL_API_C_HANDLES_H_
#define SAVEDMODEL_API_C_HANDLES_H_

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "savedmodel/c.h"
#include "savedmodel/savedmodel.h"

struct SmError {
  absl::Status status;
  std::string message;
};

struct SmTensor {
  savedmodel::Tensor tensor;
};

struct SmModel {
  std::shared_ptr<const savedmodel::SavedModelBundle> bundle;
};

struct SmCancellation {
  savedmodel::CancellationToken token;
};

struct SmCallable {
  // Arrays for one run, kept for the next.
  struct Scratch {
    std::vector<savedmodel::Tensor> feeds, fetches;
  };
  std::shared_ptr<const savedmodel::SavedModelBundle> bundle;
  std::unique_ptr<savedmodel::Callable> callable;
  // Of a callable by signature: what each feed must be; the defaults of inputs not given come after the caller's feeds.
  std::vector<std::string> keys;
  std::vector<savedmodel::TensorInfo> wanted;
  std::vector<savedmodel::Tensor> defaults;
  size_t num_feeds = 0, num_fetches = 0;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Scratch>> free;
};

namespace savedmodel::c {

SmCode Report(const absl::Status& status, SmError** error) noexcept;

// Runs `body`, which gives a Status, and lets nothing be thrown into C.
template <typename Body>
SmCode Guarded(SmError** error, Body body) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    return Report(body(), error);
  } catch (const std::bad_alloc&) {
    return Report(absl::ResourceExhaustedError("out of memory"), error);
  } catch (...) {
    return Report(absl::InternalError("an exception reached the C interface"), error);
  }
}

// Copies the caller's sized struct over `to`, which holds the defaults. `first` is the size that the first version had.
template <typename T>
absl::Status ReadSized(const T* from, size_t first, const char* what, T* to) {
  if (from == nullptr) return absl::OkStatus();
  constexpr size_t kMaxStruct = 4096;
  const size_t size = from->size;
  SM_CHECK_ARGUMENT(size >= first && size <= kMaxStruct, what, ": size is ", size, ", the struct has ", sizeof(T), " bytes (SM_..._INIT sets it)");
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(from);
  for (size_t i = sizeof(T); i < size; ++i) {
    SM_CHECK_ARGUMENT(bytes[i] == 0, what, ": sets a member that this version, " SM_VERSION_STRING ", does not know");
  }
  std::memcpy(to, from, std::min(size, sizeof(T)));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Names(const char* const* names, size_t count, const char* what);

}  // namespace savedmodel::c

#endif  // SAVEDMODEL_API_C_HANDLES_H_
