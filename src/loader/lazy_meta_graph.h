// A meta graph of a SavedModel, without the functions and objects that nobody asks for.
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

// Nine tenths of what a Keras model's saved_model.pb takes as messages are functions, and the rest is the object graph: most of both
// only matters to a program that trains on. They are checked when the file is read. Functions become messages one by one as they
// are called, the object graph when somebody looks into it, and all together for whoever wants to see everything.
class LazyMetaGraph {
 public:
  // The first meta graph whose tags, as a set, equal `tags`. Errors are those of ReadSavedModel and FindMetaGraph.
  static absl::StatusOr<std::shared_ptr<LazyMetaGraph>> Read(FileSource& source, const std::unordered_set<std::string>& tags, ThreadPool& pool);

  // All but graph_def().library().function() and what is in object_graph_def(), which may be there or not. Not to be read once
  // another thread may ask for one of the others.
  const proto::MetaGraphDef& outline() const { return *meta_graph_; }
  const std::shared_ptr<const FunctionDefs>& functions() const { return functions_; }
  // These any number of threads may ask for.
  const proto::SavedObjectGraph& object_graph();
  const proto::MetaGraphDef& whole();  // everything

 private:
  std::shared_ptr<proto::SavedModel> model_;
  proto::MetaGraphDef* meta_graph_ = nullptr;  // in model_
  std::shared_ptr<const FunctionDefs> functions_;
  std::string objects_;  // the object graph's bytes, unless they are a message already
  std::once_flag objects_parsed_, completed_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_LAZY_META_GRAPH_H_
