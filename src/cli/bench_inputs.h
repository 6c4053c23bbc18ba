// Inputs made up for bench.
#ifndef SAVEDMODEL_CLI_BENCH_INPUTS_H_
#define SAVEDMODEL_CLI_BENCH_INPUTS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel::cli {

using ShapeMap = std::map<std::string, TensorShape>;

// "image=1x224x224x3,ids=1x128"; "x=" is a scalar.
absl::StatusOr<ShapeMap> ParseShapes(const std::string& text);

// For each input that has no default: numbers from 0 to 1 for reals, 0 for integers, texts "a b". Sizes that neither
// `shapes` nor the signature knows are 1. ValueError for a key or a shape that does not fit the signature.
absl::StatusOr<NamedTensors> MakeInputs(const Signature& signature, const ShapeMap& shapes);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_BENCH_INPUTS_H_
