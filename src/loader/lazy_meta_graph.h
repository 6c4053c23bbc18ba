// A meta graph of a SavedModel, without the functions that nobody asks for.
#ifndef SAVEDMODEL_LOADER_LAZY_META_GRAPH_H_
#define SAVEDMODEL_LOADER_LAZY_META_GRAPH_H_

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "loader/function_defs.h"
#include "savedmodel/file_source.h"
#include "savedmodel/meta_graph.pb.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// Nine tenths of what a Keras model's saved_model.pb takes as messages are functions, and most of them only matter to a
// program that trains on. They are checked when the file is read, and become messages again one by one as they are called,
// or all together for whoever wants to see them.
class LazyMetaGraph {
 public:
  // The first meta graph whose tags, as a set, equal `tags`. Errors are those of ReadSavedModel and FindMetaGraph.
  static absl::StatusOr<std::shared_ptr<LazyMetaGraph>> Read(FileSource& source, const std::unordered_set<std::string>& tags, ThreadPool& pool);

  // All but graph_def().library().function(), which may be there or not. Not to be read once another thread may ask for whole().
  const proto::MetaGraphDef& without_functions() const { return *meta_graph_; }
  const std::shared_ptr<const FunctionDefs>& functions() const { return functions_; }
  // Everything. Any number of threads may ask.
  const proto::MetaGraphDef& whole();

 private:
  std::shared_ptr<proto::SavedModel> model_;
  proto::MetaGraphDef* meta_graph_ = nullptr;  // in model_
  std::shared_ptr<const FunctionDefs> functions_;
  std::once_flag completed_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_LAZY_META_GRAPH_H_
