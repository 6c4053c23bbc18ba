// Graphs without variables: GraphDef files as freeze_graph, TensorFlow 1's tools and `savedmodel freeze` write them.
#ifndef SAVEDMODEL_FROZEN_GRAPH_H_
#define SAVEDMODEL_FROZEN_GRAPH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "savedmodel/export.h"
#include "savedmodel/file_source.h"
#include "savedmodel/options.h"
#include "savedmodel/saved_model_bundle.h"
#include "savedmodel/session.h"

namespace savedmodel {

namespace proto {
class GraphDef;  // <savedmodel/graph.pb.h>
}

// A loaded graph. Movable; the session must not be used after it is gone. Any tensor may be fed and fetched by name.
class SAVEDMODEL_EXPORT FrozenGraph {
 public:
  FrozenGraph();
  FrozenGraph(FrozenGraph&&) noexcept;
  FrozenGraph& operator=(FrozenGraph&&) noexcept;
  ~FrozenGraph();

  std::unique_ptr<Session> session;
  const proto::GraphDef& graph_def() const;

  // A GraphDef does not say what goes in and what comes out. These are guesses, made as TensorFlow's summarize_graph made
  // them: the placeholders, and the outputs of nodes that no node uses (Const, Assign, NoOp and Placeholder aside). In the
  // file's order; shapes as far as they are known without running.
  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;

  struct Contents;
  explicit FrozenGraph(std::unique_ptr<Contents> contents);

 private:
  std::unique_ptr<Contents> contents_;
};

// Loads a GraphDef from a file, binary or text (told apart by content, not by name). NotFound: no such file; DataLoss and
// OutOfRange: bytes that are no GraphDef, or only the beginning of one; InvalidArgument: a file of another kind (a SavedModel,
// a MetaGraphDef), a graph that can never run. Variables, if there are any, have no value.
SAVEDMODEL_EXPORT absl::StatusOr<FrozenGraph> LoadFrozenGraph(const SessionOptions& options, const std::string& path);
// The same from a source of files.
SAVEDMODEL_EXPORT absl::StatusOr<FrozenGraph> LoadFrozenGraph(const SessionOptions& options, std::shared_ptr<FileSource> source, const std::string& path);

}  // namespace savedmodel

#endif  // SAVEDMODEL_FROZEN_GRAPH_H_
