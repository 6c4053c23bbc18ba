#include "cli/bench_setting.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/load_progress.h"
#include "cli/python_error.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Clock = std::chrono::steady_clock;
double MsSince(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

}  // namespace

absl::Status ApplySetting(const std::string& text, BenchOptions* options) {
  const size_t equals = std::min(text.find('='), text.size());
  const std::string key = text.substr(0, equals), value = equals < text.size() ? text.substr(equals + 1) : "";
  int number = 0;
  const bool is_number = absl::SimpleAtoi(value, &number) && number >= 0 && number <= 1024;
  if (key == "threads" && is_number) {
    options->session.num_threads = number;
  } else if (key == "streams" && is_number && number > 0) {
    options->streams = number;
  } else if (key == "winograd" && (value == "on" || value == "off")) {
    options->session.allow_winograd = value == "on";
  } else if (key == "precision" && (value == "float32" || value == "bfloat16")) {
    options->session.precision = value == "bfloat16" ? Precision::kBFloat16 : Precision::kFloat32;
  } else if (key == "disable" && !value.empty()) {
    options->session.disabled_passes.push_back(value);
  } else {
    return PythonError("ValueError", "--compare is \"", text, "\"; it is one of threads=N, streams=N, precision=bfloat16, winograd=off, disable=PASS");
  }
  return absl::OkStatus();
}

Latencies LatenciesOf(std::vector<double> ms) {
  Latencies found;
  if (ms.empty()) return found;
  std::sort(ms.begin(), ms.end());
  const auto at = [&ms](double part) { return ms[std::min(ms.size() - 1, static_cast<size_t>(part * static_cast<double>(ms.size())))]; };
  double sum = 0;
  for (double one : ms) sum += one;
  return {ms[0], at(0.5), at(0.9), at(0.99), sum / static_cast<double>(ms.size())};
}

absl::StatusOr<std::unique_ptr<BenchSetting>> BenchSetting::Load(const std::string& name, const BenchOptions& options, const std::string& dir,
                                                                 const std::vector<std::string>& tags, const std::string& signature_key,
                                                                 const ShapeMap& shapes) {
  auto setting = std::make_unique<BenchSetting>();
  setting->name_ = name;
  setting->options_ = options;
  const Clock::time_point start = Clock::now();
  SM_ASSIGN_OR_RETURN(setting->bundle_, LoadWithProgress(options.session, {tags.begin(), tags.end()}, dir));
  setting->load_ms_ = MsSince(start);
  const auto found = setting->bundle_.signatures().find(signature_key);
  if (found == setting->bundle_.signatures().end()) return PythonError("ValueError", "the signature ", signature_key, " cannot be run");
  const Signature& signature = found->second;
  SM_ASSIGN_OR_RETURN(NamedTensors inputs, MakeInputs(signature, shapes));
  CallableOptions wanted;
  for (auto& [key, tensor] : inputs) {
    absl::StrAppend(&setting->inputs_, setting->inputs_.empty() ? "" : ", ", key, " ", DataTypeName(tensor.dtype()), tensor.shape().ToString());
    wanted.feeds.push_back(signature.inputs.at(key).name);
    setting->feeds_.push_back(std::move(tensor));
  }
  for (const auto& output : signature.outputs) wanted.fetches.push_back(output.second.name);
  SM_ASSIGN_OR_RETURN(setting->callable_, setting->bundle_.session->MakeCallable(wanted));
  wanted.run_options.trace = true;
  SM_ASSIGN_OR_RETURN(setting->traced_, setting->bundle_.session->MakeCallable(wanted));
  std::vector<Tensor> outputs;
  const Clock::time_point first = Clock::now();
  SM_RETURN_IF_ERROR(setting->callable_->Run(setting->feeds_, &outputs));
  setting->first_ms_ = MsSince(first);
  for (int i = 0; i < 3; ++i) SM_RETURN_IF_ERROR(setting->callable_->Run(setting->feeds_, &outputs));
  return setting;
}

absl::Status BenchSetting::Measure(double seconds) {
  const size_t n = static_cast<size_t>(options_.streams);
  std::vector<std::vector<double>> ms(n);
  std::vector<absl::Status> ends(n);
  const Clock::time_point start = Clock::now();
  const auto stream = [&](size_t i) {
    std::vector<Tensor> outputs;
    while (MsSince(start) < seconds * 1000 || ms[i].empty()) {
      const Clock::time_point begin = Clock::now();
      ends[i] = callable_->Run(feeds_, &outputs);
      if (!ends[i].ok()) return;
      ms[i].push_back(MsSince(begin));
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < n; ++i) others.emplace_back(stream, i);
  stream(0);
  for (std::thread& other : others) other.join();
  busy_s_ += MsSince(start) / 1000;
  for (size_t i = 0; i < n; ++i) {
    SM_RETURN_IF_ERROR(ends[i]);
    ms_.insert(ms_.end(), ms[i].begin(), ms[i].end());
  }
  return absl::OkStatus();
}

absl::Status BenchSetting::RunTraced(RunMetadata* metadata) const {
  std::vector<Tensor> outputs;
  return traced_->Run(feeds_, &outputs, metadata);
}

}  // namespace savedmodel::cli
