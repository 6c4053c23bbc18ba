// What a kernel makes of a constant once for all plans of a session, where making it can fail.
#ifndef SAVEDMODEL_OPS_SHARED_OBJECT_H_
#define SAVEDMODEL_OPS_SHARED_OBJECT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "savedmodel/op.h"

namespace savedmodel {

using SharedMaker = std::function<std::shared_ptr<const void>()>;

// KernelInit::Shared as a function.
inline auto ShareOf(const KernelInit& init) {
  return [&init](const Tensor& constant, const std::string& key, const SharedMaker& make) { return init.Shared(constant, key, make); };
}

// What `make` gives, or what it gave before under this constant and key. `share` is ShareOf(init), or takes its place.
template <typename T, typename Share>
absl::StatusOr<std::shared_ptr<const T>> SharedPointerBy(const Share& share, const Tensor& constant, const std::string& key,
                                                         absl::FunctionRef<absl::StatusOr<std::shared_ptr<const T>>()> make) {
  absl::Status status = absl::InternalError("nothing was made to be shared");
  const std::shared_ptr<const void> shared = share(constant, key, [&]() -> std::shared_ptr<const void> {
    absl::StatusOr<std::shared_ptr<const T>> made = make();
    if (made.ok()) return *std::move(made);
    status = made.status();
    return nullptr;
  });
  if (shared == nullptr) return status;
  return std::static_pointer_cast<const T>(shared);
}

// The same for what `make` gives by value, after which the constant itself is not read for a while.
template <typename T, typename Share>
absl::StatusOr<std::shared_ptr<const T>> SharedObjectBy(const Share& share, const Tensor& constant, const std::string& key,
                                                        absl::FunctionRef<absl::StatusOr<T>()> make) {
  return SharedPointerBy<T>(share, constant, key, [&]() -> absl::StatusOr<std::shared_ptr<const T>> {
    absl::StatusOr<T> made = make();
    if (constant.buffer() != nullptr) constant.buffer()->Idle();
    if (!made.ok()) return made.status();
    return std::make_shared<const T>(*std::move(made));
  });
}

template <typename T>
absl::StatusOr<std::shared_ptr<const T>> SharedObject(const KernelInit& init, const Tensor& constant, const std::string& key,
                                                      absl::FunctionRef<absl::StatusOr<T>()> make) {
  return SharedObjectBy<T>(ShareOf(init), constant, key, make);
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_SHARED_OBJECT_H_
