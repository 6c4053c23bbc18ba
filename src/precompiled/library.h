// Precompiled for the library: what most of its files include. A file still names what it uses (-Db_pch=false builds too).
#ifndef SAVEDMODEL_PRECOMPILED_LIBRARY_H_
#define SAVEDMODEL_PRECOMPILED_LIBRARY_H_

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

#endif  // SAVEDMODEL_PRECOMPILED_LIBRARY_H_
