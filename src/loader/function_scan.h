// A look at the bytes of a function without making messages of them.
#ifndef SAVEDMODEL_LOADER_FUNCTION_SCAN_H_
#define SAVEDMODEL_LOADER_FUNCTION_SCAN_H_

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "loader/function_defs.h"

namespace savedmodel {

// What FunctionDefs knows of a FunctionDef, if its bytes are as programs write them: known fields with the values they
// should have, each but lists once, and names in ASCII. Then they parse, and give the same. Otherwise none: they may parse or not.
absl::optional<FunctionDefs::About> ScanFunction(absl::string_view bytes);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_FUNCTION_SCAN_H_
