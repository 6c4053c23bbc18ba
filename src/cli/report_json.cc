#include "cli/report_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace savedmodel::cli {
namespace {

// How many bytes the UTF-8 character at `at` has; 0 when it is none.
size_t CharacterLength(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  const size_t n = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < n; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  if ((first == 0xe0 && byte(at + 1) < 0xa0) || (first == 0xed && byte(at + 1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(at + 1) < 0x90) || (first == 0xf4 && byte(at + 1) > 0x8f)) return 0;
  return n;
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const size_t n = CharacterLength(text, i);
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (n == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c < 0x20 || c == 0x7f) {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : absl::StrFormat("\\u%04x", c);
    } else {
      out.append(text, i, n);
    }
    i += n == 0 ? 1 : n;
  }
  return out + "\"";
}

}  // namespace

Json Json::Text(const std::string& text) { return Json(Quoted(text)); }
Json Json::Number(int64_t number) { return Json(absl::StrCat(number)); }
Json Json::Bool(bool value) { return Json(value ? "true" : "false"); }
Json Json::Null() { return Json("null"); }

Json Json::List(const std::vector<Json>& items) {
  return Json(absl::StrCat("[", absl::StrJoin(items, ", ", [](std::string* out, const Json& item) { out->append(item.text()); }), "]"));
}

Json Json::Texts(const std::vector<std::string>& items) {
  return Json(absl::StrCat("[", absl::StrJoin(items, ", ", [](std::string* out, const std::string& item) { out->append(Quoted(item)); }), "]"));
}

Json Json::Object(const std::vector<std::pair<std::string, Json>>& members) {
  return Json(absl::StrCat("{", absl::StrJoin(members, ", ", [](std::string* out, const auto& member) {
                             absl::StrAppend(out, Quoted(member.first), ": ", member.second.text());
                           }), "}"));
}

}  // namespace savedmodel::cli
