// ops: what this library can run.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/json_value.h"
#include "cli/terminal.h"
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

absl::Status ListOps(const Arguments& arguments) {
  const std::shared_ptr<const OpTable> table = BuiltinOps();
  bool first = true;
  for (const std::shared_ptr<const OpDef>& op : table->All()) {
    const std::string &name = op->name, state = StateOf(*table, name);
    if (arguments.json) {
      std::printf("%s{\"op\": %s, \"state\": %s}", first ? "[\n  " : ",\n  ", JsonString(name).c_str(), JsonString(state).c_str());
    } else {
      std::printf("%s\t%s\n", name.c_str(), Paint(state == "kernel" ? Style::kGood : Style::kWarn, state).c_str());
    }
    first = false;
  }
  if (arguments.json) std::puts("\n]");
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
