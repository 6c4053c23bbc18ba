// What a SavedModel says of itself beside its graphs: its fingerprint, and what Keras wrote.
#ifndef SAVEDMODEL_LOADER_ABOUT_MODEL_H_
#define SAVEDMODEL_LOADER_ABOUT_MODEL_H_

#include <optional>
#include <string>
#include <vector>

#include "savedmodel/file_source.h"
#include "savedmodel/meta_graph.pb.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

// Of fingerprint.pb; empty when it is missing or makes no sense, which is never an error.
std::optional<Fingerprint> ReadFingerprint(FileSource& source);

struct KerasObject {
  std::string path;        // "root.layer-1"
  std::string identifier;  // "_tf_keras_layer"
  std::string class_name, name;
};

// The Keras objects of a model: from keras_metadata.pb (TensorFlow 2.5 to 2.15), else from the object graph (before). Keras 3
// writes none. Damaged metadata counts as none.
std::vector<KerasObject> ReadKerasObjects(FileSource& source, const proto::MetaGraphDef& meta_graph);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_ABOUT_MODEL_H_
