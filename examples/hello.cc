// hello MODELS/steering: loads a model and runs it once.
#include <savedmodel/savedmodel.h>
#include <iostream>
int main(int argc, char** argv) {
  auto model = savedmodel::LoadSavedModel({}, {}, {"serve"}, argc > 1 ? argv[1] : "examples/models/steering");
  if (!model.ok()) return std::cerr << model.status().message() << '\n', 1;
  auto state = savedmodel::Tensor::Of<float>({1, 4}, {0.5f, -0.5f, 0, 0});
  auto outputs = savedmodel::RunSignature(*model, "serving_default", {{"state", state}});
  if (!outputs.ok()) return std::cerr << outputs.status().message() << '\n', 1;
  std::cout << outputs->at("acceleration").DebugString() << '\n';
}
