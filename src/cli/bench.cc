#include "cli/commands.h"
namespace savedmodel::cli {
absl::Status Bench(const Arguments&) { return absl::UnimplementedError("bench"); }
}
