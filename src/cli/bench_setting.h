// One way to run a model, loaded and measured.
#ifndef SAVEDMODEL_CLI_BENCH_SETTING_H_
#define SAVEDMODEL_CLI_BENCH_SETTING_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/bench_inputs.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {

struct BenchOptions {
  SessionOptions session;
  int streams = 1;
};

// "threads=4", "streams=2", "winograd=off", "disable=PASS"; ValueError for anything else.
absl::Status ApplySetting(const std::string& text, BenchOptions* options);

struct Latencies {
  double min = 0, p50 = 0, p90 = 0, p99 = 0, mean = 0;  // milliseconds
};
Latencies LatenciesOf(std::vector<double> ms);

class BenchSetting {
 public:
  // Loads, makes inputs, runs once.
  static absl::StatusOr<std::unique_ptr<BenchSetting>> Load(const std::string& name, const BenchOptions& options, const std::string& dir,
                                                            const std::vector<std::string>& tags, const std::string& signature, const ShapeMap& shapes);

  // Runs for about so long; as many callers at once as there are streams.
  absl::Status Measure(double seconds);
  absl::Status RunTraced(RunMetadata* metadata) const;

  const std::string& name() const { return name_; }
  const std::string& inputs() const { return inputs_; }  // "x float32[1,3]"
  int threads() const { return options_.session.num_threads; }
  int streams() const { return options_.streams; }
  double load_ms() const { return load_ms_; }
  double first_ms() const { return first_ms_; }
  int64_t runs() const { return static_cast<int64_t>(ms_.size()); }
  double throughput() const { return busy_s_ > 0 ? static_cast<double>(ms_.size()) / busy_s_ : 0; }  // runs a second
  Latencies latencies() const { return LatenciesOf(ms_); }

 private:
  BenchOptions options_;
  std::string name_, inputs_;
  SavedModelBundle bundle_;
  std::unique_ptr<Callable> callable_, traced_;
  std::vector<Tensor> feeds_;
  std::vector<double> ms_;
  double load_ms_ = 0, first_ms_ = 0, busy_s_ = 0;
};

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_BENCH_SETTING_H_
