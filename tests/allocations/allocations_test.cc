// A prepared run that is warm takes nothing from the heap, on one thread and on several, from C++ and from C. A program of
// its own, since it puts counting functions before those of the C library.
#include <cstdio>
#include <random>

#include "counting_allocator.h"
#include "model_builder.h"
#include "savedmodel/c.h"

using namespace savedmodel;

namespace {

int failures = 0;

Tensor Random(const TensorShape& shape, int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  Tensor tensor = Tensor::Allocate(DataType::kFloat, shape).value();
  for (float& v : tensor.flat<float>()) v = uniform(random);
  return tensor;
}

// relu(relu(x w0 + b0) w1 + b1) w2 + b2, softmax.
ModelBuilder Mlp(int64_t width) {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  std::string last = "x";
  for (int layer = 0; layer < 3; ++layer) {
    const std::string n = std::to_string(layer);
    b.Const("w" + n, Random({width, width}, layer));
    b.Const("b" + n, Random({width}, layer + 10));
    b.Node("product" + n, "MatMul", {last, "w" + n}).Type("T", DataType::kFloat);
    b.Node("sum" + n, "BiasAdd", {"product" + n, "b" + n}).Type("T", DataType::kFloat);
    last = "sum" + n;
    if (layer < 2) b.Node(last = "relu" + n, "Relu", {"sum" + n}).Type("T", DataType::kFloat);
  }
  b.Node("y", "Softmax", {last}).Type("T", DataType::kFloat);
  return b;
}

void Report(const std::string& what, long taken) {
  std::printf("%s: %ld allocations in 1000 runs\n", what.c_str(), taken);
  failures += taken != 0;
}

void Check(int threads, int64_t rows, int64_t width) {
  SessionOptions options;
  options.num_threads = threads;
  SavedModelBundle bundle = Mlp(width).Load(options).value();
  std::unique_ptr<Callable> callable = bundle.session->MakeCallable({{"x"}, {"y"}, {}, {}}).value();
  const std::vector<Tensor> feeds = {Random({rows, width}, 99)};
  std::vector<Tensor> outputs;
  for (int i = 0; i < 100; ++i) failures += !callable->Run(feeds, &outputs).ok();
  const long before = Allocations();
  for (int i = 0; i < 1000; ++i) failures += !callable->Run(feeds, &outputs).ok();
  Report(std::to_string(threads) + " threads, [" + std::to_string(rows) + "," + std::to_string(width) + "]", Allocations() - before);
}

void CheckC(const char* model_path) {
  SmModel* model;
  SmCallable* callable;
  SmTensor *state, *acceleration = nullptr;
  const char *feed = "state", *fetch = "acceleration";
  const int64_t dims[] = {1, 4};
  if (SmModelLoad(model_path, nullptr, 0, nullptr, &model, nullptr) != SM_OK ||
      SmCallableMakeSignature(model, "serving_default", &feed, 1, &fetch, 1, nullptr, &callable, nullptr) != SM_OK ||
      SmTensorMake(SM_FLOAT, dims, 2, nullptr, 0, &state, nullptr) != SM_OK) {
    ++failures;
    return;
  }
  for (int i = 0; i < 100; ++i) failures += SmCallableRun(callable, &state, 1, &acceleration, 1, nullptr) != SM_OK;
  const long before = Allocations();
  for (int i = 0; i < 1000; ++i) failures += SmCallableRun(callable, &state, 1, &acceleration, 1, nullptr) != SM_OK;
  Report("the C interface", Allocations() - before);
  SmTensorFree(acceleration);
  SmTensorFree(state);
  SmCallableFree(callable);
  SmModelFree(model);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const long before = Allocations();
  delete new volatile int;
  if (Allocations() == before) return std::fprintf(stderr, "the counter does not count\n"), 1;
  Check(1, 1, 64);
  Check(1, 32, 256);
  Check(2, 32, 256);
  Check(3, 1, 512);
  CheckC(argv[1]);
  return failures != 0;
}
