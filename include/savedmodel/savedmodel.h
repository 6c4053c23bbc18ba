// Everything a program needs to load SavedModels and run them.
#ifndef SAVEDMODEL_SAVEDMODEL_H_
#define SAVEDMODEL_SAVEDMODEL_H_

#include "savedmodel/data_type.h"           // IWYU pragma: export
#include "savedmodel/device.h"              // IWYU pragma: export
#include "savedmodel/file_source.h"         // IWYU pragma: export
#include "savedmodel/freeze.h"              // IWYU pragma: export
#include "savedmodel/frozen_graph.h"        // IWYU pragma: export
#include "savedmodel/meta_graph_import.h"   // IWYU pragma: export
#include "savedmodel/model_source.h"        // IWYU pragma: export
#include "savedmodel/op.h"                  // IWYU pragma: export
#include "savedmodel/options.h"             // IWYU pragma: export
#include "savedmodel/saved_model_bundle.h"  // IWYU pragma: export
#include "savedmodel/session.h"             // IWYU pragma: export
#include "savedmodel/tensor.h"              // IWYU pragma: export
#include "savedmodel/tensor_shape.h"        // IWYU pragma: export
#include "savedmodel/thread_pool.h"         // IWYU pragma: export

#endif  // SAVEDMODEL_SAVEDMODEL_H_
