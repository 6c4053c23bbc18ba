#include "loader/function_scan.h"

#include "loader/wire_form.h"

namespace savedmodel {
namespace {

extern const Form kAttrValue, kFullType;

using proto::AttrValue;
using proto::FullTypeDef;
using proto::FunctionDef;
using proto::NodeDef;
using proto::TensorProto;
using proto::TensorShapeProto;
using ListValue = AttrValue::ListValue;
using Signature = proto::OpDef;

constexpr Form kTextEntry = {{kMapKey, Form::kText}, {kMapValue, Form::kText}};
constexpr Form kNumberEntry = {{kMapKey, Form::kNumber}, {kMapValue, Form::kNumber}};
constexpr Form kAttrEntry = {{kMapKey, Form::kText}, {kMapValue, Form::kMessage, &kAttrValue}};
constexpr Form kAttrList = {{proto::NameAttrList::kNameFieldNumber, Form::kText}, {proto::NameAttrList::kAttrFieldNumber, Form::kMessages, &kAttrEntry}};
constexpr Form kList = {{ListValue::kSFieldNumber, Form::kByteses},
                        {ListValue::kIFieldNumber, Form::kNumbers},
                        {ListValue::kFFieldNumber, Form::kFixed32s},
                        {ListValue::kBFieldNumber, Form::kNumbers},
                        {ListValue::kTypeFieldNumber, Form::kNumbers},
                        {ListValue::kShapeFieldNumber, Form::kMessages, &kShapeForm},
                        {ListValue::kTensorFieldNumber, Form::kMessages, &kTensorForm},
                        {ListValue::kFuncFieldNumber, Form::kMessages, &kAttrList}};
constexpr Form kAttrValue = {{},
                             {{AttrValue::kListFieldNumber, Form::kMessage, &kList},
                              {AttrValue::kSFieldNumber, Form::kBytes},
                              {AttrValue::kIFieldNumber, Form::kNumber},
                              {AttrValue::kFFieldNumber, Form::kFixed32},
                              {AttrValue::kBFieldNumber, Form::kNumber},
                              {AttrValue::kTypeFieldNumber, Form::kNumber},
                              {AttrValue::kShapeFieldNumber, Form::kMessage, &kShapeForm},
                              {AttrValue::kTensorFieldNumber, Form::kMessage, &kTensorForm},
                              {AttrValue::kPlaceholderFieldNumber, Form::kText},
                              {AttrValue::kFuncFieldNumber, Form::kMessage, &kAttrList}}};
constexpr Form kFullType = {{{FullTypeDef::kTypeIdFieldNumber, Form::kNumber}, {FullTypeDef::kArgsFieldNumber, Form::kMessages, &kFullType}},
                            {{FullTypeDef::kSFieldNumber, Form::kText}, {FullTypeDef::kIFieldNumber, Form::kNumber}}};
constexpr Form kDebugInfo = {{NodeDef::ExperimentalDebugInfo::kOriginalNodeNamesFieldNumber, Form::kTexts},
                             {NodeDef::ExperimentalDebugInfo::kOriginalFuncNamesFieldNumber, Form::kTexts}};
constexpr Form kNode = {{NodeDef::kNameFieldNumber, Form::kText},
                        {NodeDef::kOpFieldNumber, Form::kText},
                        {NodeDef::kInputFieldNumber, Form::kTexts},
                        {NodeDef::kDeviceFieldNumber, Form::kText},
                        {NodeDef::kAttrFieldNumber, Form::kMessages, &kAttrEntry},
                        {NodeDef::kExperimentalDebugInfoFieldNumber, Form::kMessage, &kDebugInfo},
                        {NodeDef::kExperimentalTypeFieldNumber, Form::kMessage, &kFullType}};
constexpr Form kHandleData = {{proto::ResourceHandleProto::DtypeAndShape::kDtypeFieldNumber, Form::kNumber},
                              {proto::ResourceHandleProto::DtypeAndShape::kShapeFieldNumber, Form::kMessage, &kShapeForm}};
constexpr Form kArg = {{Signature::ArgDef::kNameFieldNumber, Form::kText},
                       {Signature::ArgDef::kDescriptionFieldNumber, Form::kText},
                       {Signature::ArgDef::kTypeFieldNumber, Form::kNumber},
                       {Signature::ArgDef::kTypeAttrFieldNumber, Form::kText},
                       {Signature::ArgDef::kNumberAttrFieldNumber, Form::kText},
                       {Signature::ArgDef::kTypeListAttrFieldNumber, Form::kText},
                       {Signature::ArgDef::kHandleDataFieldNumber, Form::kMessages, &kHandleData},
                       {Signature::ArgDef::kIsRefFieldNumber, Form::kNumber},
                       {Signature::ArgDef::kExperimentalFullTypeFieldNumber, Form::kMessage, &kFullType}};
constexpr Form kAttrDef = {{Signature::AttrDef::kNameFieldNumber, Form::kText},
                           {Signature::AttrDef::kTypeFieldNumber, Form::kText},
                           {Signature::AttrDef::kDefaultValueFieldNumber, Form::kMessage, &kAttrValue},
                           {Signature::AttrDef::kDescriptionFieldNumber, Form::kText},
                           {Signature::AttrDef::kHasMinimumFieldNumber, Form::kNumber},
                           {Signature::AttrDef::kMinimumFieldNumber, Form::kNumber},
                           {Signature::AttrDef::kAllowedValuesFieldNumber, Form::kMessage, &kAttrValue}};
constexpr Form kSignature = {{Signature::kNameFieldNumber, Form::kText},
                             {Signature::kInputArgFieldNumber, Form::kMessages, &kArg},
                             {Signature::kOutputArgFieldNumber, Form::kMessages, &kArg},
                             {Signature::kAttrFieldNumber, Form::kMessages, &kAttrDef},
                             {Signature::kSummaryFieldNumber, Form::kText},
                             {Signature::kDescriptionFieldNumber, Form::kText},
                             {Signature::kIsAggregateFieldNumber, Form::kNumber},
                             {Signature::kIsStatefulFieldNumber, Form::kNumber},
                             {Signature::kIsCommutativeFieldNumber, Form::kNumber},
                             {Signature::kAllowsUninitializedInputFieldNumber, Form::kNumber},
                             {Signature::kControlOutputFieldNumber, Form::kTexts},
                             {Signature::kIsDistributedCommunicationFieldNumber, Form::kNumber}};
constexpr Form kArgAttrs = {{FunctionDef::ArgAttrs::kAttrFieldNumber, Form::kMessages, &kAttrEntry}};
constexpr Form kArgAttrsEntry = {{kMapKey, Form::kNumber}, {kMapValue, Form::kMessage, &kArgAttrs}};
constexpr Form kFunction = {{FunctionDef::kSignatureFieldNumber, Form::kMessage, &kSignature},
                            {FunctionDef::kNodeDefFieldNumber, Form::kMessages, &kNode},
                            {FunctionDef::kRetFieldNumber, Form::kMessages, &kTextEntry},
                            {FunctionDef::kAttrFieldNumber, Form::kMessages, &kAttrEntry},
                            {FunctionDef::kControlRetFieldNumber, Form::kMessages, &kTextEntry},
                            {FunctionDef::kArgAttrFieldNumber, Form::kMessages, &kArgAttrsEntry},
                            {FunctionDef::kResourceArgUniqueIdFieldNumber, Form::kMessages, &kNumberEntry}};

struct NodeFields {
  absl::string_view name, op;
  absl::string_view value;  // the attribute of that name, empty if there is none: neither has a tensor
};

NodeFields FieldsOf(absl::string_view node) {
  NodeFields fields;
  VisitFields(node, [&](int number, absl::string_view value) {
    if (number == NodeDef::kNameFieldNumber) fields.name = value;
    if (number == NodeDef::kOpFieldNumber) fields.op = value;
    if (number == NodeDef::kAttrFieldNumber && FieldOf(value, kMapKey) == "value") fields.value = FieldOf(value, kMapValue).value_or("");
  });
  return fields;
}

absl::Status CheckConstantOf(const NodeFields& node) {
  const absl::optional<absl::string_view> tensor = FieldOf(node.value, AttrValue::kTensorFieldNumber);
  if (!tensor.has_value()) return CheckConstant(node.name, node.op, nullptr);
  const absl::string_view bytes = FieldOf(*tensor, TensorProto::kTensorShapeFieldNumber).value_or("");
  TensorShapeProto shape;
  shape.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  return CheckConstant(node.name, node.op, &shape);
}

}  // namespace

absl::optional<FunctionDefs::About> ScanFunction(absl::string_view bytes) {
  if (!IsUsual(bytes, kFunction)) return absl::nullopt;
  FunctionDefs::About about;
  const absl::string_view signature = FieldOf(bytes, FunctionDef::kSignatureFieldNumber).value_or("");
  VisitFields(signature, [&](int number, absl::string_view value) {
    if (number == Signature::kNameFieldNumber) about.name = std::string(value);
    if (number == Signature::kAttrFieldNumber) about.polymorphic = true;
  });
  VisitFields(bytes, [&](int number, absl::string_view value) {
    if (number != FunctionDef::kNodeDefFieldNumber) return;
    const NodeFields node = FieldsOf(value);
    about.calls_itself = about.calls_itself || node.op == about.name;
    if (about.constants.ok()) about.constants = CheckConstantOf(node);
  });
  return about;
}

}  // namespace savedmodel
