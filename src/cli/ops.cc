// ops: what this library can run.
#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "savedmodel/op.h"

namespace savedmodel::cli {
namespace {

// "kernel", "no kernel" with the reason, or "unknown".
std::string StateOf(const OpTable& table, const std::string& op) {
  const std::shared_ptr<const OpDef> def = table.Find(op);
  if (def == nullptr) return "unknown";
  if (def->cpu != nullptr || def->structural) return "kernel";
  return def->refusal.empty() ? "no kernel" : absl::StrCat("no kernel: ", def->refusal);
}

}  // namespace

absl::Status ListOps() {
  const std::shared_ptr<const OpTable> table = BuiltinOps();
  std::map<std::string, std::string> sorted;
  for (const auto& item : table->ops()) sorted[item.first] = StateOf(*table, item.first);
  for (const auto& [name, state] : sorted) std::printf("%s\t%s\n", name.c_str(), state.c_str());
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
