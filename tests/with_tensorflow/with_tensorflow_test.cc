// One program, this library and TensorFlow, which brings its own protobuf and abseil: both run the same model.
// with_tensorflow_test MODEL [LIBTENSORFLOW_CC [deepbind]]: with a path TensorFlow is opened at run time, else the program is linked with
// it. `deepbind`: it is asked to look for symbols in itself first, which it needs where libprotobuf.so is in the process too.
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "savedmodel/savedmodel.h"

// What is needed of tensorflow/c/c_api.h.
extern "C" {
struct TF_Output {
  void* oper;
  int index;
};
using NewObject = void* (*)();
using LoadSession = void* (*)(void* options, const void* run_options, const char* path, const char* const* tags, int num_tags, void* graph, void* meta_graph, void* status);
using OperationByName = void* (*)(void* graph, const char* name);
using AllocateTensor = void* (*)(int dtype, const int64_t* dims, int rank, size_t bytes);
using TensorData = void* (*)(const void* tensor);
using SessionRun = void (*)(void* session, const void* run_options, const TF_Output* inputs, void* const* values, int num_inputs, const TF_Output* outputs,
                            void** results, int num_outputs, const void* const* targets, int num_targets, void* metadata, void* status);
using StatusCode = int (*)(const void* status);
using StatusMessage = const char* (*)(const void* status);
}

namespace {

const float kState[4] = {0.3f, -0.6f, 0.1f, 0.2f};

template <typename Function>
Function Symbol(void* library, const char* name) {
  auto function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    std::fprintf(stderr, "no %s\n", name);
    std::exit(1);
  }
  return function;
}

void AskTensorFlow(void* library, const char* path, float* answer) {
  void* status = Symbol<NewObject>(library, "TF_NewStatus")();
  void* graph = Symbol<NewObject>(library, "TF_NewGraph")();
  const char* tags[] = {"serve"};
  void* session = Symbol<LoadSession>(library, "TF_LoadSessionFromSavedModel")(Symbol<NewObject>(library, "TF_NewSessionOptions")(), nullptr, path, tags, 1, graph,
                                                                               nullptr, status);
  if (Symbol<StatusCode>(library, "TF_GetCode")(status) != 0) {
    std::fprintf(stderr, "TensorFlow: %s\n", Symbol<StatusMessage>(library, "TF_Message")(status));
    std::exit(1);
  }
  auto find = Symbol<OperationByName>(library, "TF_GraphOperationByName");
  const TF_Output input = {find(graph, "state"), 0}, output = {find(graph, "acceleration/sum"), 0};
  const int64_t dims[] = {1, 4};
  void* state = Symbol<AllocateTensor>(library, "TF_AllocateTensor")(1, dims, 2, sizeof kState);
  auto data = Symbol<TensorData>(library, "TF_TensorData");
  std::memcpy(data(state), kState, sizeof kState);
  void* result = nullptr;
  Symbol<SessionRun>(library, "TF_SessionRun")(session, nullptr, &input, &state, 1, &output, &result, 1, nullptr, 0, nullptr, status);
  std::memcpy(answer, data(result), 2 * sizeof(float));
}

bool AskUs(const char* path, float* answer) {
  auto bundle = savedmodel::LoadSavedModel({}, {}, {"serve"}, path);
  if (!bundle.ok()) return std::fprintf(stderr, "savedmodel: %s\n", bundle.status().ToString().c_str()), false;
  auto outputs = savedmodel::RunSignature(*bundle, "serving_default", {{"state", savedmodel::Tensor::Of<float>({1, 4}, kState)}});
  if (!outputs.ok()) return std::fprintf(stderr, "savedmodel: %s\n", outputs.status().ToString().c_str()), false;
  std::memcpy(answer, outputs->at("acceleration").data<float>(), 2 * sizeof(float));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  void* library = dlopen(argc > 2 ? argv[2] : nullptr, RTLD_NOW | RTLD_LOCAL | (argc > 3 ? RTLD_DEEPBIND : 0));
  if (library == nullptr) return std::fprintf(stderr, "%s\n", dlerror()), 1;
  float theirs[2], ours[2], again[2];
  if (!AskUs(argv[1], ours)) return 1;
  AskTensorFlow(library, argv[1], theirs);
  if (!AskUs(argv[1], again)) return 1;
  std::printf("TensorFlow [%g, %g], savedmodel [%g, %g]\n", theirs[0], theirs[1], ours[0], ours[1]);
  for (int i = 0; i < 2; ++i) {
    if (std::fabs(theirs[i] - ours[i]) > 1e-5f || ours[i] != again[i]) return 1;
  }
  std::fflush(stdout);
  std::_Exit(0);  // what TensorFlow does at the end of a program is not what is tested
}
