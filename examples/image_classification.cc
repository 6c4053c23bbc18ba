// image_classification MODELS/shapes PICTURE.png...: what is drawn in each picture. The model decodes the file itself.
#include <savedmodel/savedmodel.h>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: image_classification MODEL PICTURE...\n"), 2;
  auto model = savedmodel::LoadSavedModel({}, {}, {"serve"}, argv[1]);
  if (!model.ok()) return std::fprintf(stderr, "%s\n", std::string(model.status().message()).c_str()), 1;

  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto outputs = savedmodel::RunSignature(*model, "serving_default", {{"picture", savedmodel::Tensor::Scalar(std::move(bytes))}});
    if (!outputs.ok()) {  // for example a file that is no picture
      std::fprintf(stderr, "%s: %s\n", argv[i], std::string(outputs.status().message()).c_str());
      return 1;
    }
    const std::string& label = outputs->at("label").data<std::string>()[0];
    const savedmodel::Tensor& scores = outputs->at("scores");
    std::printf("%s: %s (circle %.3f, square %.3f, triangle %.3f)\n", argv[i], label.c_str(), scores.data<float>()[0], scores.data<float>()[1],
                scores.data<float>()[2]);
  }
}
