#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

// What a pass is for: without kNeeded ones nothing runs; kSpeed ones pay only where the plan runs more than once; so do kCpuSpeed ones,
// which make what other devices have no kernel for.
enum class Purpose { kNeeded, kSmaller, kSpeed, kCpuSpeed };

struct PassRow {
  const char* name;
  absl::Status (*run)(Graph*, PassContext&);
  Purpose purpose;
};

// In this order: first what makes one flat graph, then what makes it smaller, then what makes it faster.
constexpr PassRow kPasses[] = {
    {"inline", InlineCalls, Purpose::kNeeded},
    {"raise_loops", RaiseLoops, Purpose::kNeeded},
    {"unused", RemoveUnused, Purpose::kSmaller},
    {"fold", Fold, Purpose::kNeeded},
    {"controls", DropIdleControls, Purpose::kSpeed},
    {"identities", RemoveIdentities, Purpose::kSpeed},
    {"multiply_reciprocals", MultiplyReciprocals, Purpose::kSpeed},
    {"simplify", SimplifyGraph, Purpose::kSpeed},
    {"fuse_lstm", FuseLstm, Purpose::kSpeed},
    {"fuse_attention", FuseAttention, Purpose::kSpeed},
    {"fuse_norms", FuseNorms, Purpose::kSpeed},
    {"fuse_dilations", FuseDilations, Purpose::kSpeed},
    {"fuse_products", FuseProducts, Purpose::kSpeed},
    {"fuse_reshapes", FuseReshapes, Purpose::kSpeed},
    {"simplify", SimplifyGraph, Purpose::kSpeed},
    {"fuse_pads", FusePads, Purpose::kSpeed},
    {"fuse_biases", FuseBiases, Purpose::kSpeed},  // a batch norm may stand behind a bias, and a bias behind a batch norm
    {"fuse_batch_norms", FuseBatchNorms, Purpose::kSpeed},
    {"fuse_biases", FuseBiases, Purpose::kSpeed},
    {"fuse_residuals", FuseResiduals, Purpose::kSpeed},
    {"fuse_activations", FuseActivations, Purpose::kSpeed},
    {"fuse_depthwise_blocks", FuseDepthwiseBlocks, Purpose::kCpuSpeed},
    {"fuse_scales", FuseScales, Purpose::kCpuSpeed},  // the scale comes behind all other inputs
    {"fuse_means", FuseMeans, Purpose::kCpuSpeed},
    {"lower_precision", LowerPrecision, Purpose::kSpeed},
    {"fuse_chains", FuseChains, Purpose::kSpeed},
};

absl::Status VerifyAll(const Graph& graph) {
  SM_RETURN_IF_ERROR(graph.Verify());
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->bodies) SM_RETURN_IF_ERROR(VerifyAll(*body));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunPasses(Graph* graph, PassContext& context, std::vector<PassTime>* times) {
  for (const PassRow& pass : kPasses) {
    if (pass.purpose != Purpose::kNeeded && context.disabled.contains(pass.name)) continue;
    if ((pass.purpose == Purpose::kSpeed || pass.purpose == Purpose::kCpuSpeed) && context.once) continue;
    if (pass.purpose == Purpose::kCpuSpeed && context.accelerator != nullptr) continue;
    const auto start = std::chrono::steady_clock::now();
    SM_RETURN_IF_ERROR(pass.run(graph, context));
    if (absl::Status status = VerifyAll(*graph); !status.ok()) {
      return absl::InternalError(absl::StrCat("pass ", pass.name, " broke the graph: ", status.message()));
    }
    if (times != nullptr) {
      const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
      times->push_back({pass.name, elapsed.count(), graph->size()});
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> PassNames() {
  std::vector<std::string> names;
  for (const PassRow& pass : kPasses) {
    if (pass.purpose != Purpose::kNeeded && std::find(names.begin(), names.end(), pass.name) == names.end()) names.push_back(pass.name);
  }
  return names;
}

}  // namespace savedmodel
