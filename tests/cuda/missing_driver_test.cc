// The real plug-in on a machine without a GPU or driver: it loads and says so. Where a GPU is, there is nothing to see here.
#include <catch2/catch.hpp>

#include "savedmodel/cuda.h"

namespace savedmodel {
namespace {

TEST_CASE("cuda plug-in: without a GPU it says what is missing, and the CPU works") {
  auto device = CudaDevice();
  if (device.ok()) return;
  INFO(device.status().ToString());
  CHECK((absl::IsNotFound(device.status()) || absl::IsFailedPrecondition(device.status())));
}

}  // namespace
}  // namespace savedmodel
