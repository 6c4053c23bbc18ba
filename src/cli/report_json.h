// JSON for the reports of doctor, freeze and show --checkpoint.
#ifndef SAVEDMODEL_CLI_REPORT_JSON_H_
#define SAVEDMODEL_CLI_REPORT_JSON_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace savedmodel::cli {

// Builds one value. Text that is no UTF-8 has U+FFFD for its bad bytes.
class Json {
 public:
  static Json Text(const std::string& text);
  static Json Number(int64_t number);
  static Json Bool(bool value);
  static Json List(const std::vector<Json>& items);
  static Json Texts(const std::vector<std::string>& items);
  static Json Object(const std::vector<std::pair<std::string, Json>>& members);
  static Json Null();
  const std::string& text() const { return text_; }  // in one line

 private:
  explicit Json(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_REPORT_JSON_H_
