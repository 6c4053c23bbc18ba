#include "devices/cuda/driver.h"

#include "absl/strings/str_cat.h"

namespace savedmodel {
namespace {

std::string VersionText(int version) { return absl::StrCat(version / 1000, ".", version % 1000 / 10); }

}  // namespace

bool IsKernelFault(int error) {
  switch (error) {
    case 214:  // an uncorrectable memory error
    case 220:  // NVLink
    case 700:  // illegal address
    case 702:  // the launch timed out
    case 710:  // a device-side assertion
    case 714: case 715: case 716: case 717: case 718: case 719:  // stack, instruction, alignment, address space, pc, launch failure
      return true;
    default:
      return false;
  }
}

absl::Status CudaStatus(const CudaDriver& driver, int error, const std::string& where) {
  if (error == 0) return absl::OkStatus();
  const std::string said = absl::StrCat(driver.error_name(error), " (", error, "): ", driver.error_text(error));
  if (driver.last_error != nullptr) driver.last_error();
  switch (error) {
    case cuda_error::kOutOfMemory:
      return absl::ResourceExhaustedError(absl::StrCat(where, ": the GPU is out of memory: ", said));
    case cuda_error::kInsufficientDriver: {
      int has = 0, wants = 0;
      driver.driver_version(&has);
      driver.runtime_version(&wants);
      if (has == 0) return absl::FailedPreconditionError(absl::StrCat(where, ": there is no NVIDIA driver (libcuda.so.1) on this machine"));
      return absl::FailedPreconditionError(
          absl::StrCat(where, ": the NVIDIA driver is too old: it knows CUDA ", VersionText(has), ", CUDA ", VersionText(wants), " is wanted"));
    }
    case cuda_error::kNoDevice:
      return absl::NotFoundError(absl::StrCat(where, ": there is no NVIDIA GPU that this process can see: ", said));
    case cuda_error::kInvalidDevice:
      return absl::NotFoundError(absl::StrCat(where, ": there is no GPU of this number: ", said));
    case cuda_error::kNoKernelImage:
      return absl::FailedPreconditionError(absl::StrCat(where, ": the plug-in has no code for this GPU (sm_80 and later have it): ", said));
    default:
      break;
  }
  if (IsKernelFault(error)) {
    return absl::InternalError(absl::StrCat(where, ": a kernel faulted: ", said, "; this process can not use the GPU any more, the CPU works on"));
  }
  return absl::InternalError(absl::StrCat(where, ": ", said));
}

}  // namespace savedmodel
