// The parsed form of an op's schema strings (OpDef::inputs, outputs, attrs).
#ifndef SAVEDMODEL_OPS_SCHEMA_H_
#define SAVEDMODEL_OPS_SCHEMA_H_

#include <string>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

struct ArgSchema {
  std::string name;
  bool is_ref = false;
  DataType type = DataType::kInvalid;  // when fixed
  std::string type_attr;               // else the attribute that tells the dtype,
  std::string type_list_attr;          // or the attribute that tells a list of dtypes
  std::string number_attr;             // how many tensors of that dtype, empty: one
};

struct AttrSchema {
  std::string name;
  std::string kind;  // "type", "int", "list(shape)", "func" ...
  bool has_minimum = false;
  int64_t minimum = 0;
  std::vector<DataType> allowed_types;
  std::vector<std::string> allowed_strings;
  bool has_default = false;
  AttrValue default_value;
};

struct OpSchema {
  std::string op;
  std::vector<ArgSchema> inputs, outputs;
  std::vector<AttrSchema> attrs;

  const AttrSchema* FindAttr(absl::string_view name) const;
  const ArgSchema* FindOutput(absl::string_view name) const;
};

// InvalidArgument where the text does not follow the grammar (a mistake of whoever defined the op).
absl::StatusOr<OpSchema> ParseSchema(const OpDef& op);

// Fills in the defaults, and checks kinds, minimums and allowed values.
// NotFound for a missing attribute without default, InvalidArgument for a bad one.
absl::Status CompleteAttributes(const OpSchema& schema, Attributes* attributes);

// The flat dtypes of the arguments for these attributes; reference arguments as MakeRef(dtype).
// `counts`, where given, gets the number of tensors of each argument. InvalidArgument where an attribute asks for more than
// `most` tensors: a number of a few bytes must not make lists of gigabytes.
constexpr int64_t kMostTensors = 1 << 20;
absl::StatusOr<std::vector<DataType>> FlatTypes(const std::vector<ArgSchema>& arguments, const Attributes& attributes,
                                                std::vector<int>* counts = nullptr, int64_t most = kMostTensors);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_SCHEMA_H_
