// A look at the bytes of a SavedModel's object graph without making messages of them.
#ifndef SAVEDMODEL_LOADER_OBJECT_SCAN_H_
#define SAVEDMODEL_LOADER_OBJECT_SCAN_H_

#include "absl/strings/string_view.h"

namespace savedmodel {

// Whether the bytes of a SavedObjectGraph are as programs write them, so that they parse. Otherwise they may parse or not.
bool IsUsualObjectGraph(absl::string_view bytes);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_OBJECT_SCAN_H_
