// Version 1 training checkpoints: the graph in model.ckpt.meta, the values of its variables beside it.
#ifndef SAVEDMODEL_META_GRAPH_IMPORT_H_
#define SAVEDMODEL_META_GRAPH_IMPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "savedmodel/export.h"
#include "savedmodel/file_source.h"
#include "savedmodel/options.h"
#include "savedmodel/saved_model_bundle.h"
#include "savedmodel/session.h"

namespace savedmodel {

// A variable of the graph.
struct VariableInfo {
  std::string name;  // as checkpoints call it
  DataType dtype = DataType::kInvalid;
  PartialShape shape;
};

// An imported graph whose variables have no values before Restore. Movable; the session must not be used after it is gone.
class SAVEDMODEL_EXPORT MetaGraph {
 public:
  MetaGraph();
  MetaGraph(MetaGraph&&) noexcept;
  MetaGraph& operator=(MetaGraph&&) noexcept;
  ~MetaGraph();

  std::unique_ptr<Session> session;
  const proto::MetaGraphDef& meta_graph_def() const;
  const SignatureMap& signatures() const;
  const std::vector<VariableInfo>& variables() const;  // of the top-level graph, in its order

  // Gives the variables the values of a checkpoint of version 1 or 2; `prefix` as TensorFlow writes it ("model.ckpt-1000").
  // All: those that the graph's own saver restores, or, where it has none, all variables that the checkpoint holds (at least
  // one). NotFound: no checkpoint at the prefix, a key that it does not hold; InvalidArgument: dtypes or shapes that differ.
  // Not while a run is under way.
  absl::Status Restore(const std::string& prefix);
  absl::Status Restore(std::shared_ptr<FileSource> source, const std::string& prefix);
  // Only these variables; the others keep what they have. NotFound also for a name that the graph does not have, nothing is
  // changed then.
  absl::Status Restore(const std::string& prefix, const std::vector<std::string>& names);
  absl::Status Restore(std::shared_ptr<FileSource> source, const std::string& prefix, const std::vector<std::string>& names);

  struct Contents;
  explicit MetaGraph(std::unique_ptr<Contents> contents);

 private:
  std::unique_ptr<Contents> contents_;
};

// Reads a MetaGraphDef, binary or text, and makes a session over its graph. Nothing is restored and no init op is run.
// The errors are those of LoadFrozenGraph.
SAVEDMODEL_EXPORT absl::StatusOr<MetaGraph> ImportMetaGraph(const SessionOptions& options, const std::string& path);
SAVEDMODEL_EXPORT absl::StatusOr<MetaGraph> ImportMetaGraph(const SessionOptions& options, std::shared_ptr<FileSource> source, const std::string& path);

}  // namespace savedmodel

#endif  // SAVEDMODEL_META_GRAPH_IMPORT_H_
