// Any text as an expression of --input_exprs: a value that becomes a tensor and a text, or a refusal.
#include "cli/expression.h"
#include "cli/literal.h"
#include "cli/to_tensor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace savedmodel;
  const std::string text(reinterpret_cast<const char*>(data), size);
  absl::StatusOr<cli::Value> value = cli::ParseLiteral(text);
  if (!value.ok()) value = cli::EvaluateExpression(text);
  if (!value.ok()) return 0;
  for (DataType type : {DataType::kFloat, DataType::kString, DataType::kUInt8, DataType::kComplex64}) (void)cli::ToTensor(*value, type).ok();
  cli::ValueRepr(*value);
  return 0;
}
