#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

struct PassRow {
  const char* name;
  absl::Status (*run)(Graph*, PassContext&);
  bool optional;
};

// In this order: first what makes one flat graph, then what makes it smaller, then what makes it faster.
constexpr PassRow kPasses[] = {
    {"inline", InlineCalls, false},
    {"raise_loops", RaiseLoops, false},
    {"unused", RemoveUnused, true},
    {"fold", Fold, false},
    {"controls", DropIdleControls, true},
    {"identities", RemoveIdentities, true},
    {"multiply_reciprocals", MultiplyReciprocals, true},
    {"simplify", SimplifyGraph, true},
    {"fuse_lstm", FuseLstm, true},
    {"fuse_attention", FuseAttention, true},
    {"fuse_norms", FuseNorms, true},
    {"fuse_dilations", FuseDilations, true},
    {"fuse_products", FuseProducts, true},
    {"fuse_reshapes", FuseReshapes, true},
    {"simplify", SimplifyGraph, true},
    {"fuse_pads", FusePads, true},
    {"fuse_biases", FuseBiases, true},  // a batch norm may stand behind a bias, and a bias behind a batch norm
    {"fuse_batch_norms", FuseBatchNorms, true},
    {"fuse_biases", FuseBiases, true},
    {"fuse_residuals", FuseResiduals, true},
    {"fuse_activations", FuseActivations, true},
    {"fuse_expansions", FuseExpansions, true},
    {"fuse_scales", FuseScales, true},  // the scale comes behind all other inputs
    {"lower_precision", LowerPrecision, true},
    {"fuse_chains", FuseChains, true},
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
    if (pass.optional && context.disabled.contains(pass.name)) continue;
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
    if (pass.optional && std::find(names.begin(), names.end(), pass.name) == names.end()) names.push_back(pass.name);
  }
  return names;
}

}  // namespace savedmodel
