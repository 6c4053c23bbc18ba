#include "api/c/handles.h"

namespace savedmodel::c {

SmCode Report(const absl::Status& status, SmError** error) noexcept {
  const SmCode code = static_cast<SmCode>(status.raw_code());
  if (status.ok() || error == nullptr) return code;
  try {
    *error = new SmError{status, std::string(status.message())};
  } catch (...) {  // the code must do
  }
  return code;
}

}  // namespace savedmodel::c

extern "C" {

int32_t SavedModelVersion(void) { return SM_VERSION_NUMBER; }
const char* SavedModelVersionString(void) { return SM_VERSION_STRING; }

SmCode SmErrorCode(const SmError* error) { return error == nullptr ? SM_OK : static_cast<SmCode>(error->status.raw_code()); }
const char* SmErrorMessage(const SmError* error) { return error == nullptr ? "" : error->message.c_str(); }
void SmErrorFree(SmError* error) { delete error; }

const char* SmCodeName(SmCode code) {
  static constexpr const char* kNames[] = {"OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",   "NOT_FOUND",
                                           "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
                                           "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && code <= SM_UNAUTHENTICATED ? kNames[code] : "";
}

}  // extern "C"
