// Loading a SavedModel.
#ifndef SAVEDMODEL_SAVED_MODEL_BUNDLE_H_
#define SAVEDMODEL_SAVED_MODEL_BUNDLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "savedmodel/export.h"
#include "savedmodel/file_source.h"
#include "savedmodel/options.h"
#include "savedmodel/session.h"

namespace savedmodel {

namespace proto {
class MetaGraphDef;  // <savedmodel/meta_graph.pb.h>
}

struct TensorInfo {
  std::string name;  // tensor name; of composite tensors the components' names joined by ","
  DataType dtype = DataType::kInvalid;
  PartialShape shape;
};

struct Signature {
  std::map<std::string, TensorInfo> inputs, outputs;
  std::string method_name;
  std::map<std::string, Tensor> defaults;  // inputs that need not be given
};

// What the writer noted of a model's parts in fingerprint.pb, to tell models apart.
struct Fingerprint {
  uint64_t saved_model_checksum = 0, graph_def_program_hash = 0, signature_def_hash = 0, saved_object_graph_hash = 0, checkpoint_hash = 0;
  std::string uuid;
};

using SignatureMap = std::map<std::string, Signature>;
using NamedTensors = std::map<std::string, Tensor>;

// A loaded model. Movable; the session must not be used after the bundle is gone.
class SAVEDMODEL_EXPORT SavedModelBundle {
 public:
  SavedModelBundle();
  SavedModelBundle(SavedModelBundle&&) noexcept;
  SavedModelBundle& operator=(SavedModelBundle&&) noexcept;
  ~SavedModelBundle();

  std::unique_ptr<Session> session;
  // The whole message. The first call makes its functions and objects, which are kept as bytes: 22 ms and 20 MB for a Keras
  // ResNet-50. Any number of threads may call.
  const proto::MetaGraphDef& meta_graph_def() const;
  const SignatureMap& signatures() const;
  // Where the model was found, for people: the path, or how one of several versions was chosen.
  const std::string& location() const;
  // Empty when the model has no fingerprint.pb, or one that cannot be read.
  const std::optional<Fingerprint>& fingerprint() const;

  struct Contents;
  explicit SavedModelBundle(std::unique_ptr<Contents> contents);

 private:
  std::unique_ptr<Contents> contents_;
};

// Loads the MetaGraphDef whose tags equal `tags` (as a set), restores its variables, runs its init op. `path` is a
// SavedModel's directory, a directory of numbered versions (the newest is taken, SessionOptions::log is told) or an archive
// of either: see FindModel in model_source.h.
// NotFound: no saved_model.pb or .pbtxt in `path`, no meta graph with these tags (the message lists those there are),
// a checkpoint key or file missing; DataLoss: bytes that do not parse or fail their checksum; OutOfRange: truncated
// files; InvalidArgument, FailedPrecondition: a graph that can never run. Nothing stays behind after a failed load.
SAVEDMODEL_EXPORT absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, const std::string& path);
// The same from any source of files, saved_model.pb at its root.
SAVEDMODEL_EXPORT absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, std::shared_ptr<FileSource> source);

// Runs a signature: inputs and outputs by their keys. Dtypes and shapes are checked against the signature, inputs not
// given take the signature's defaults. NotFound for an unknown signature (the message lists those there are),
// InvalidArgument for unknown, missing or unfitting inputs; else the errors of Session::Run.
SAVEDMODEL_EXPORT absl::StatusOr<NamedTensors> RunSignature(const SavedModelBundle& bundle, const std::string& signature, const NamedTensors& inputs,
                                          const RunOptions& options = {}, RunMetadata* metadata = nullptr);

}  // namespace savedmodel

#endif  // SAVEDMODEL_SAVED_MODEL_BUNDLE_H_
