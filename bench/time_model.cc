// Times one SavedModel in a process of its own: time_model MODEL_DIRECTORY BATCH [SECONDS] [THREADS]
// Feeds the signature serving_default with random numbers (unknown first dimensions are the batch, other unknown ones 128)
// and prints one JSON line: load_ms, first_ms, min_ms, p50_ms, p90_ms, n, rss_mb. By the environment:
//   SAVEDMODEL_DEVICE=GPU:0          on that GPU, by the plug-in SAVEDMODEL_CUDA_PLUGIN if set
//   SAVEDMODEL_PRECISION=bfloat16    float32, bfloat16; of the GPU also tf32 (its default) and float16
//   SAVEDMODEL_AUTOTUNE=1            tries out the ways that cuDNN and cuBLASLt offer
//   SAVEDMODEL_REPORT=1              the planner's report and the time of each step
//   SAVEDMODEL_TURNS=1               for bench/in_turn: prints "ready", then for each number on stdin runs as often and prints the least us
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "savedmodel/cuda.h"
#include "savedmodel/savedmodel.h"

namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "time_model: %s\n", status.ToString().c_str());
  return 1;
}

savedmodel::Tensor RandomInput(const savedmodel::TensorInfo& info, int64_t batch) {
  savedmodel::TensorShape shape;
  for (int i = 0; i < info.shape.rank(); ++i) shape.AddDim(info.shape.dim(i) >= 0 ? info.shape.dim(i) : i == 0 ? batch : 128);
  savedmodel::Tensor tensor = savedmodel::Tensor::Allocate(info.dtype, shape).value();
  std::mt19937 random(0);
  if (info.dtype == savedmodel::DataType::kFloat) {
    std::uniform_real_distribution<float> values(-1, 1);
    for (float& v : tensor.flat<float>()) v = values(random);
  } else if (info.dtype == savedmodel::DataType::kInt32) {
    for (int32_t& v : tensor.flat<int32_t>()) v = static_cast<int32_t>(random() % 1000);
  }
  return tensor;
}

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "time_model MODEL_DIRECTORY BATCH [SECONDS] [THREADS]\n");
    return 2;
  }
  const double seconds = argc > 3 ? std::atof(argv[3]) : 4;
  savedmodel::SessionOptions options;
  options.num_threads = argc > 4 ? std::atoi(argv[4]) : 2;
  const std::string device = Environment("SAVEDMODEL_DEVICE", "CPU"), precision = Environment("SAVEDMODEL_PRECISION", "tf32");
  if (device == "CPU") {
    if (precision == "bfloat16") options.precision = savedmodel::Precision::kBFloat16;
  } else {
    savedmodel::CudaOptions cuda;
    cuda.device = std::atoi(device.substr(device.find(':') + 1).c_str());
    cuda.plugin = Environment("SAVEDMODEL_CUDA_PLUGIN", "");
    cuda.allow_tf32 = precision != "float32";
    if (precision == "bfloat16") cuda.precision = savedmodel::Precision::kBFloat16;
    if (precision == "float16") cuda.precision = savedmodel::Precision::kFloat16;
    cuda.autotune = Environment("SAVEDMODEL_AUTOTUNE", "0") == "1";
    auto gpu = savedmodel::CudaDevice(cuda);
    if (!gpu.ok()) return Fail(gpu.status());
    options.devices = {*gpu};
  }
  auto start = Clock::now();
  auto bundle = savedmodel::LoadSavedModel(options, {}, {"serve"}, argv[1]);
  if (!bundle.ok()) return Fail(bundle.status());
  const double load = Since(start);
  const savedmodel::Signature& signature = bundle->signatures().at("serving_default");
  savedmodel::CallableOptions prepare;
  std::vector<savedmodel::Tensor> feeds, outputs;
  for (const auto& [key, info] : signature.inputs) {
    prepare.feeds.push_back(info.name);
    feeds.push_back(RandomInput(info, std::atoi(argv[2])));
  }
  for (const auto& [key, info] : signature.outputs) prepare.fetches.push_back(info.name);
  auto callable = bundle->session->MakeCallable(prepare);
  if (!callable.ok()) return Fail(callable.status());
  start = Clock::now();
  if (absl::Status status = (*callable)->Run(feeds, &outputs); !status.ok()) return Fail(status);
  const double first = Since(start);
  if (std::getenv("SAVEDMODEL_REPORT") != nullptr) {
    std::fputs(bundle->session->LastPlanReport().c_str(), stderr);
    prepare.run_options.trace = true;
    savedmodel::RunMetadata metadata;
    auto traced = bundle->session->MakeCallable(prepare);
    for (int i = 0; i < 3; ++i) {
      metadata = {};
      (void)(*traced)->Run(feeds, &outputs, &metadata);
    }
    for (const auto& step : metadata.steps) {
      std::fprintf(stderr, "%9.1f us  %-24s %s\n", static_cast<double>(step.duration_ns) / 1000, step.op.c_str(), step.node.c_str());
    }
  }
  for (int i = 0; i < 3; ++i) (void)(*callable)->Run(feeds, &outputs);
  if (std::getenv("SAVEDMODEL_TURNS") != nullptr) {
    std::puts("ready");
    std::fflush(stdout);
    for (int runs; std::scanf("%d", &runs) == 1;) {
      double least = 1e9;
      for (int i = 0; i <= runs; ++i) {  // the first one warms the caches
        start = Clock::now();
        (void)(*callable)->Run(feeds, &outputs);
        if (i > 0) least = std::min(least, Since(start));
      }
      std::printf("%.3f\n", least * 1000);
      std::fflush(stdout);
    }
    return 0;
  }
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end && times.size() < 20000) {
    start = Clock::now();
    (void)(*callable)->Run(feeds, &outputs);
    times.push_back(Since(start));
  }
  std::sort(times.begin(), times.end());
  auto quantile = [&](double q) { return times[std::min(times.size() - 1, static_cast<size_t>(q * static_cast<double>(times.size())))]; };
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::string path = argv[1];
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::printf("{\"eng\": \"savedmodel\", \"device\": \"%s\", \"precision\": \"%s\", \"autotune\": %s, \"model\": \"%s\", \"batch\": %s, \"threads\": %d, \"load_ms\": %.1f, \"first_ms\": %.2f, \"min_ms\": %.4f, "
              "\"p50_ms\": %.4f, \"p90_ms\": %.4f, \"n\": %zu, \"rss_mb\": %ld}\n",
              device.c_str(), device == "CPU" && precision == "tf32" ? "float32" : precision.c_str(), Environment("SAVEDMODEL_AUTOTUNE", "0") == "1" ? "true" : "false", path.substr(path.rfind('/') + 1).c_str(), argv[2], options.num_threads, load, first, quantile(0), quantile(0.5), quantile(0.9), times.size(),
              usage.ru_maxrss / 1024);
  return 0;
}
