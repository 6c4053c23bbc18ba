// Any bytes as a GraphDef, binary or text: loaded, and its guessed outputs fetched; then frozen, as far as it goes.
#include <string>

#include "loader/freeze_graph.h"
#include "savedmodel/frozen_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  savedmodel::SessionOptions options;
  options.num_threads = 1;
  options.memory_limit = 64 << 20;
  auto graph = savedmodel::LoadFrozenGraph(options, savedmodel::MakeMemorySource({{"g", std::string(reinterpret_cast<const char*>(data), size)}}), "g");
  if (!graph.ok()) return 0;
  savedmodel::RunOptions run_options;
  run_options.timeout = std::chrono::milliseconds(500);
  savedmodel::FreezeRequest request;
  for (const savedmodel::TensorInfo& output : graph->outputs()) {
    std::vector<savedmodel::Tensor> results;
    (void)graph->session->Run(run_options, {}, {output.name}, {}, &results, nullptr);
    request.fetches.push_back(output);
  }
  request.value = [](const std::string&, const std::string&) -> absl::StatusOr<savedmodel::Tensor> { return savedmodel::Tensor::Scalar(1.f); };
  (void)savedmodel::FreezeGraphDef(graph->graph_def(), request);
  return 0;
}
