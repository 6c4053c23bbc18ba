// Where the project's models are: the tests may have been carried to another machine.
#ifndef SAVEDMODEL_TESTS_CUDA_SOURCE_ROOT_H_
#define SAVEDMODEL_TESTS_CUDA_SOURCE_ROOT_H_

#include <cstdlib>
#include <string>

namespace savedmodel {

inline std::string SourceRoot() {
  const char* root = std::getenv("SAVEDMODEL_SOURCE_ROOT");
  return root == nullptr ? SAVEDMODEL_SOURCE_ROOT : root;
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_CUDA_SOURCE_ROOT_H_
