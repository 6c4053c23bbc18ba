// text_classification MODELS/language: the language of each line of the input. Strings go in and come out.
#include <savedmodel/savedmodel.h>

#include <algorithm>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: text_classification MODEL < LINES\n", 2;
  auto model = savedmodel::LoadSavedModel({}, {}, {"serve"}, argv[1]);
  if (!model.ok()) return std::cerr << model.status().message() << '\n', 1;

  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  auto outputs = savedmodel::RunSignature(*model, "serving_default", {{"text", savedmodel::Tensor::Vector(lines)}});
  if (!outputs.ok()) return std::cerr << outputs.status().message() << '\n', 1;

  const auto labels = outputs->at("label").flat<std::string>();
  const auto scores = outputs->at("scores").flat<float>();
  for (size_t i = 0; i < lines.size(); ++i) {
    std::cout << labels[i] << ' ' << *std::max_element(&scores[3 * i], &scores[3 * i] + 3) << "  " << lines[i] << '\n';
  }
}
