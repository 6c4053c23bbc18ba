// sensor_loop MODELS/steering: a robot's loop. The sensor is faster than the model: the latest reading wins, older ones are
// dropped, and when an answer takes too long the robot brakes.
#include <savedmodel/savedmodel.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

using std::chrono::microseconds, std::chrono::milliseconds;

// One place: a new reading overwrites one that nobody took.
class Latest {
 public:
  void Put(const std::array<float, 4>& value) {
    std::lock_guard<std::mutex> lock(mutex_);
    dropped_ += fresh_;
    value_ = value;
    fresh_ = true;
  }
  bool Take(float* to) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!fresh_) return false;
    std::copy(value_.begin(), value_.end(), to);
    fresh_ = false;
    return true;
  }
  int dropped() const { return dropped_; }

 private:
  std::mutex mutex_;
  std::array<float, 4> value_{};
  bool fresh_ = false;
  int dropped_ = 0;
};

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: sensor_loop MODEL\n"), 2;
  savedmodel::SessionOptions options;
  options.num_threads = 1;  // small model: one thread has the steadiest times
  auto model = savedmodel::LoadSavedModel(options, {}, {"serve"}, argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str()), 1;
  savedmodel::CallableOptions call{{"state"}, {"acceleration/sum"}, {}, {}};
  call.run_options.timeout = milliseconds(5);
  auto policy = model->session->MakeCallable(call);
  if (!policy.ok()) return std::fprintf(stderr, "%s\n", std::string(policy.status().message()).c_str()), 1;
  std::vector<savedmodel::Tensor> state = {savedmodel::Tensor::Allocate(savedmodel::DataType::kFloat, {1, 4}).value()}, command;
  for (float& v : state[0].flat<float>()) v = 0;
  (void)(*policy)->Run(state, &command);  // the first run plans: before the robot moves

  Latest latest;
  std::atomic<bool> running{true};
  std::thread sensor([&] {
    for (float t = 0; running; t += 1e-3f) {
      latest.Put({1 - t, 0, 0.1f, 0});
      std::this_thread::sleep_for(microseconds(100));
    }
  });
  int steps = 0, brakes = 0;
  for (const auto end = std::chrono::steady_clock::now() + milliseconds(300); std::chrono::steady_clock::now() < end;) {
    if (latest.Take(state[0].data<float>())) {
      const absl::Status status = (*policy)->Run(state, &command);
      brakes += !status.ok();  // DeadlineExceeded: no command in time
      ++steps;
    }
    std::this_thread::sleep_for(milliseconds(1));  // the motors take a command a millisecond
  }
  running = false;
  sensor.join();
  std::printf("%d steps, %d brakes, %d readings overtaken by newer ones\n", steps, brakes, latest.dropped());
  return steps > 0 ? 0 : 1;
}
