#include "ops/known_ops.h"

#include <zlib.h>

#include <array>

namespace savedmodel {
namespace {

// Cuts `*text` at the first `end`, and gives what was before it.
absl::string_view CutAt(char end, absl::string_view* text) {
  const size_t at = text->find(end);
  const absl::string_view before = text->substr(0, at);
  text->remove_prefix(at == absl::string_view::npos ? text->size() : at + 1);
  return before;
}

}  // namespace

void AddKnownOps(OpTable& ops) {
  std::string inflated(kKnownOpsSize, '\0');
  uLongf size = inflated.size();
  if (uncompress(reinterpret_cast<Bytef*>(inflated.data()), &size, kDeflatedKnownOps, kDeflatedKnownOpsSize) != Z_OK) size = 0;
  absl::string_view text(inflated.data(), size);
  while (!text.empty()) {
    absl::string_view line = CutAt('\n', &text);
    std::array<absl::string_view, 6> columns;
    for (absl::string_view& column : columns) column = CutAt('\t', &line);
    const auto& [name, inputs, outputs, attrs, stateful, reason] = columns;
    if (ops.Find(name) != nullptr) continue;
    ops.Add({.name = std::string(name), .inputs = std::string(inputs), .outputs = std::string(outputs), .attrs = std::string(attrs),
             .effect = stateful == "stateful" ? Effect::kStateful : Effect::kNone, .refusal = std::string(reason)});
  }
}

}  // namespace savedmodel
