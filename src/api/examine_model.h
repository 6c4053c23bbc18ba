// What stands in the way of running a model, found without running it: for `savedmodel doctor`.
#ifndef SAVEDMODEL_API_EXAMINE_MODEL_H_
#define SAVEDMODEL_API_EXAMINE_MODEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "loader/about_model.h"
#include "savedmodel/device.h"
#include "savedmodel/model_source.h"
#include "savedmodel/op.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

// An op that cannot run, with one of the nodes that use it.
struct OpProblem {
  std::string op, reason;
  int nodes = 0;
  std::string first_node, function;  // function: empty for the top-level graph
};

// The ops of an entry that a device beside the CPU has no kernel for: they run on the CPU.
struct DeviceOps {
  std::string device;
  std::vector<std::string> missing;
};

// One way to use a meta graph: a signature, or what loading runs.
struct EntryReport {
  std::string name;  // the signature's key; "(restore)", "(init)"
  int nodes = 0, ops = 0;
  std::vector<OpProblem> problems;
  std::vector<DeviceOps> devices;
};

struct NamedSize {
  std::string name, detail;
  int64_t bytes = 0;
};

struct MetaGraphReport {
  std::vector<std::string> tags;
  std::string tensorflow_version;
  int producer = 0, min_consumer = 0;
  std::string version_problem;  // empty: this library reads it
  std::vector<EntryReport> entries;
  int functions = 0, unused_functions = 0;
  std::vector<NamedSize> large_constants;   // of at least kLargeConstant bytes, the largest first
  std::vector<NamedSize> unused_variables;  // that no signature reaches
  std::vector<KerasObject> keras;
};
inline constexpr int64_t kLargeConstant = 1 << 20;

struct CheckpointReport {
  bool there = false;
  int version = 0, tensors = 0;
  int64_t bytes = 0;
  std::string problem;                   // why it cannot be opened
  std::vector<NamedSize> damaged;        // tensors that cannot be read, with the reason
  std::vector<NamedSize> not_finite;     // tensors with NaN or infinities
  std::vector<NamedSize> unused_tensors;  // that no restore op of a meta graph asks for
};

struct ModelReport {
  std::string location;
  std::optional<Fingerprint> fingerprint;
  std::vector<MetaGraphReport> meta_graphs;
  CheckpointReport checkpoint;
  // Things that keep a signature from running or make it wrong; what can be done about each.
  std::vector<std::string> problems;
  std::vector<std::string> advice;
};

// Reads the graphs and every tensor of the checkpoint. Errors only when there is no model, or its graphs cannot be read.
// `devices`: those beside the CPU to report on.
absl::StatusOr<ModelReport> ExamineModel(const ModelLocation& location, const OpTable& ops, const std::vector<std::shared_ptr<Device>>& devices = {});

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_EXAMINE_MODEL_H_
