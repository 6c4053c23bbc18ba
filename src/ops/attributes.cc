#include <algorithm>

#include "savedmodel/op.h"

namespace savedmodel {
namespace {

bool NameIsLess(const Attributes::Values::value_type& a, absl::string_view b) { return a.first < b; }

}  // namespace

Attributes::Attributes(Values values) : values_(std::move(values)) {
  std::sort(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  values_.erase(std::unique(values_.begin(), values_.end(), [](const auto& a, const auto& b) { return a.first == b.first; }), values_.end());
}

void Attributes::Set(absl::string_view name, AttrValue value) {
  const auto at = std::lower_bound(values_.begin(), values_.end(), name, NameIsLess);
  if (at != values_.end() && at->first == name) {
    at->second = std::move(value);
  } else {
    values_.emplace(at, std::string(name), std::move(value));
  }
}

const AttrValue* Attributes::Find(absl::string_view name) const {
  const auto at = std::lower_bound(values_.begin(), values_.end(), name, NameIsLess);
  return at == values_.end() || at->first != name ? nullptr : &at->second;
}

}  // namespace savedmodel
