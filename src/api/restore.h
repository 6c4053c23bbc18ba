// Puts the checkpoint's values into the variables of a session that is being loaded.
#ifndef SAVEDMODEL_API_RESTORE_H_
#define SAVEDMODEL_API_RESTORE_H_

#include <memory>

#include "api/model_checkpoint.h"
#include "loader/lazy_meta_graph.h"
#include "runtime/graph_session.h"

namespace savedmodel {

// Runs the meta graph's restore op, as the reference does; without a saver or without a checkpoint there is nothing to
// do. Then variables that functions capture and the restore op left alone get the values that the object graph names:
// Keras 3 models written by tf.saved_model.save need that.
absl::Status RestoreVariables(LazyMetaGraph& meta_graph, std::shared_ptr<ModelCheckpoint> checkpoint, const Feeds& asset_feeds, const RunOptions& options,
                              GraphSession* session);

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_RESTORE_H_
