#include "ops/known_ops.h"

#include <zlib.h>

#include <algorithm>
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

uint32_t HashOf(absl::string_view name) {
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// All of them, made when the first is wanted.
const OpTable& Lines() {
  static const OpTable table = [] {
    OpTable ops;
    std::string inflated(kKnownOpsSize, '\0');
    uLongf size = inflated.size();
    if (uncompress(reinterpret_cast<Bytef*>(inflated.data()), &size, kDeflatedKnownOps, kDeflatedKnownOpsSize) != Z_OK) size = 0;
    absl::string_view text(inflated.data(), size);
    while (!text.empty()) {
      absl::string_view line = CutAt('\n', &text);
      std::array<absl::string_view, 6> columns;
      for (absl::string_view& column : columns) column = CutAt('\t', &line);
      const auto& [name, inputs, outputs, attrs, stateful, reason] = columns;
      ops.Add({.name = std::string(name), .inputs = std::string(inputs), .outputs = std::string(outputs), .attrs = std::string(attrs),
               .effect = stateful == "stateful" ? Effect::kStateful : Effect::kNone, .refusal = std::string(reason)});
    }
    return ops;
  }();
  return table;
}

std::shared_ptr<const OpDef> FindKnown(absl::string_view name) {
  return std::binary_search(kKnownOpsHashes, kKnownOpsHashes + kKnownOpsCount, HashOf(name)) ? Lines().Find(name) : nullptr;
}

}  // namespace

void AddKnownOps(OpTable& ops) {
  ops.SetRest({.find = FindKnown, .all = [] { return Lines().All(); }});
}

}  // namespace savedmodel
