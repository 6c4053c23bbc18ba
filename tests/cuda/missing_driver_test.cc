// The real plug-in, where it was built: on a machine without a GPU it loads and says what is missing.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "model_builder.h"
#include "op_case.h"
#include "savedmodel/cuda.h"

namespace savedmodel {
namespace {

// build/libsavedmodel_cuda.so, for build/tests/unit_tests.
std::string BuiltPlugin() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  if (length <= 0) return "";
  std::string file(path, static_cast<size_t>(length));
  for (int i = 0; i < 2; ++i) file = file.substr(0, file.rfind('/'));
  file += "/libsavedmodel_cuda.so";
  return access(file.c_str(), R_OK) == 0 ? file : "";
}

TEST_CASE("cuda plug-in: without a GPU it says what is missing, and the CPU works") {
  CudaOptions options;
  options.plugin = BuiltPlugin();
  if (options.plugin.empty()) return;
  auto device = CudaDevice(options);
  if (device.ok()) return;
  INFO(device.status().ToString());
  CHECK((absl::IsNotFound(device.status()) || absl::IsFailedPrecondition(device.status())));
  CHECK(device.status().message().find("GPU:0: ") == 0);
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Node("y", "Neg", {"x"}).Type("T", DataType::kFloat);
  auto outputs = b.Load().value().session->Run({{"x", Floats({1}, {2})}}, {"y"});
  REQUIRE(outputs.ok());
  CHECK(Difference((*outputs)[0], Floats({1}, {-2})) == "");
}

}  // namespace
}  // namespace savedmodel
