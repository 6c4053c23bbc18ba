#include <algorithm>

#include "savedmodel/op.h"

namespace savedmodel {

void OpTable::Add(OpDef def) {
  auto added = std::make_shared<const OpDef>(std::move(def));
  const auto [it, fresh] = ops_.try_emplace(added->name, added);
  if (fresh) return;
  ops_.erase(it);  // its key lies in the definition that goes
  ops_.emplace(added->name, std::move(added));
}

std::shared_ptr<const OpDef> OpTable::Find(absl::string_view name) const {
  auto it = ops_.find(name);
  if (it != ops_.end()) return it->second;
  return rest_.find ? rest_.find(name) : nullptr;
}

std::vector<std::shared_ptr<const OpDef>> OpTable::All() const {
  std::vector<std::shared_ptr<const OpDef>> all;
  for (const auto& op : ops_) all.push_back(op.second);
  if (rest_.all) {
    for (std::shared_ptr<const OpDef>& op : rest_.all()) {
      if (!ops_.contains(op->name)) all.push_back(std::move(op));
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  return all;
}

}  // namespace savedmodel
