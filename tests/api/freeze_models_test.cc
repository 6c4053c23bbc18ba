// Every model that lies in shared/models beside the checkout (or in the folder that SAVEDMODEL_MODELS names): each signature that
// freezes gives what it gave before, to the bit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "savedmodel/graph.pb.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel {
namespace {

namespace fs = std::filesystem;

// Some input of the signature's shape, unknown sizes being 2: small numbers, the same each time.
absl::StatusOr<Tensor> SomeInput(const TensorInfo& info) {
  std::vector<int64_t> dims = {2};
  if (info.shape.known_rank()) {
    dims.assign(info.shape.dims().begin(), info.shape.dims().end());
    for (int64_t& dim : dims) dim = dim < 0 ? 2 : dim;
  }
  absl::StatusOr<Tensor> tensor = Tensor::Allocate(info.dtype, TensorShape(dims));
  if (!tensor.ok()) return tensor;
  const int64_t n = tensor->num_elements();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t small = i * 7919 % 3 + 1;
    switch (info.dtype) {
      case DataType::kFloat: tensor->data<float>()[i] = static_cast<float>(i * 7919 % 1000) / 1000; break;
      case DataType::kDouble: tensor->data<double>()[i] = static_cast<double>(i * 7919 % 1000) / 1000; break;
      case DataType::kInt32: tensor->data<int32_t>()[i] = static_cast<int32_t>(small); break;
      case DataType::kInt64: tensor->data<int64_t>()[i] = small; break;
      case DataType::kUInt8: tensor->data<uint8_t>()[i] = static_cast<uint8_t>(i * 7919); break;
      case DataType::kBool: tensor->data<bool>()[i] = false; break;
      case DataType::kString: tensor->data<std::string>()[i] = "a few words"; break;
      default: return absl::UnimplementedError("no input of this dtype");
    }
  }
  return tensor;
}

void CheckEqual(const Tensor& a, const Tensor& b) {
  CHECK(a.dtype() == b.dtype());
  REQUIRE(a.shape() == b.shape());
  if (a.dtype() == DataType::kString) {
    CHECK(std::equal(a.flat<std::string>().begin(), a.flat<std::string>().end(), b.flat<std::string>().begin()));
  } else {
    CHECK((a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0));
  }
}

void CheckSignature(const SavedModelBundle& bundle, const std::string& key, const Signature& signature) {
  INFO(key);
  absl::StatusOr<FrozenModel> frozen = FreezeSignature(bundle, key);
  if (!frozen.ok()) {  // these alone are reasons
    CHECK((absl::IsFailedPrecondition(frozen.status()) || absl::IsUnimplemented(frozen.status()) || absl::IsInvalidArgument(frozen.status())));
    return;
  }
  absl::StatusOr<FrozenGraph> graph = LoadFrozenGraph({}, MakeMemorySource({{"g", frozen->graph_def->SerializeAsString()}}), "g");
  INFO(graph.status().ToString());
  REQUIRE(graph.ok());
  Feeds feeds;
  for (const auto& item : signature.inputs) {
    absl::StatusOr<Tensor> input = SomeInput(item.second);
    if (!input.ok()) return;
    feeds.emplace_back(item.second.name, *std::move(input));
  }
  std::vector<std::string> fetches;
  for (const auto& item : signature.outputs) fetches.push_back(item.second.name);
  auto before = bundle.session->Run(feeds, fetches), after = graph->session->Run(feeds, fetches);
  CHECK(before.status().code() == after.status().code());
  if (!before.ok() || !after.ok()) return;  // an input that the model does not take
  for (size_t i = 0; i < before->size(); ++i) CheckEqual((*before)[i], (*after)[i]);
}

TEST_CASE("freeze: the models beside the checkout", "[models]") {
  const char* named = std::getenv("SAVEDMODEL_MODELS");
  const fs::path root = named != nullptr ? fs::path(named) : fs::path(SAVEDMODEL_SOURCE_ROOT) / ".." / "shared" / "models";
  std::error_code error;
  std::vector<fs::path> models;
  for (auto it = fs::recursive_directory_iterator(root, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().filename() == "saved_model.pb") models.push_back(it->path().parent_path());
  }
  std::sort(models.begin(), models.end());
  for (const fs::path& model : models) {
    INFO(model.string());
    absl::StatusOr<SavedModelBundle> bundle = LoadSavedModel({}, {}, {"serve"}, model.string());
    if (!bundle.ok()) continue;
    for (const auto& [key, signature] : bundle->signatures()) {
      if (!signature.outputs.empty() && key != "__saved_model_init_op") CheckSignature(*bundle, key, signature);
    }
  }
}

}  // namespace
}  // namespace savedmodel
