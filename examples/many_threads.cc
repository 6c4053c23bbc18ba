// many_threads MODELS/language: one model, many threads. Run may be called by any number of them at once; weights and
// plans are shared, each run has its own working memory.
#include <savedmodel/savedmodel.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: many_threads MODEL\n"), 2;
  savedmodel::SessionOptions options;
  options.num_threads = 1;  // the requests are the parallel work, so none is split
  auto model = savedmodel::LoadSavedModel(options, {}, {"serve"}, argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str()), 1;

  const std::string texts[] = {"we were in the house", "wir waren in dem haus", "nous avons vu la maison"};
  const std::string wanted[] = {"English", "German", "French"};
  constexpr int kThreads = 8, kRuns = 300;
  std::atomic<int> wrong{0};
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRuns; ++i) {
        const int which = (t + i) % 3;
        auto outputs = savedmodel::RunSignature(*model, "serving_default", {{"text", savedmodel::Tensor::Vector<std::string>({texts[which]})}});
        if (!outputs.ok() || outputs->at("label").data<std::string>()[0] != wanted[which]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%d runs on %d threads, %.0f a second, %d wrong\n", kThreads * kRuns, kThreads, kThreads * kRuns / seconds, wrong.load());
  return wrong == 0 ? 0 : 1;
}
