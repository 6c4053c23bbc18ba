#include "loader/object_scan.h"

#include "google/protobuf/any.pb.h"
#include "loader/wire_form.h"
#include "savedmodel/saved_object_graph.pb.h"

namespace savedmodel {
namespace {

using proto::BoundedTensorSpecProto;
using proto::CapturedTensor;
using proto::FunctionSpec;
using proto::SavedBareConcreteFunction;
using proto::SavedConcreteFunction;
using proto::SavedObject;
using proto::SavedVariable;
using proto::StructuredValue;
using proto::TensorSpecProto;
using proto::TypeSpecProto;
using TrackableObject = proto::TrackableObjectGraph::TrackableObject;

extern const Form kStructured, kVariable;

constexpr Form kNone = {};
constexpr Form kTensorSpec = {{TensorSpecProto::kNameFieldNumber, Form::kText},
                              {TensorSpecProto::kShapeFieldNumber, Form::kMessage, &kShapeForm},
                              {TensorSpecProto::kDtypeFieldNumber, Form::kNumber}};
constexpr Form kBoundedSpec = {{BoundedTensorSpecProto::kNameFieldNumber, Form::kText},
                               {BoundedTensorSpecProto::kShapeFieldNumber, Form::kMessage, &kShapeForm},
                               {BoundedTensorSpecProto::kDtypeFieldNumber, Form::kNumber},
                               {BoundedTensorSpecProto::kMinimumFieldNumber, Form::kMessage, &kTensorForm},
                               {BoundedTensorSpecProto::kMaximumFieldNumber, Form::kMessage, &kTensorForm}};
constexpr Form kTypeSpec = {{TypeSpecProto::kTypeSpecClassFieldNumber, Form::kNumber},
                            {TypeSpecProto::kTypeStateFieldNumber, Form::kMessage, &kStructured},
                            {TypeSpecProto::kTypeSpecClassNameFieldNumber, Form::kText},
                            {TypeSpecProto::kNumFlatComponentsFieldNumber, Form::kNumber}};
constexpr Form kValues = {{proto::ListValue::kValuesFieldNumber, Form::kMessages, &kStructured}};  // of lists and tuples
constexpr Form kPair = {{proto::PairValue::kKeyFieldNumber, Form::kText}, {proto::PairValue::kValueFieldNumber, Form::kMessage, &kStructured}};
constexpr Form kDict = {{proto::DictValue::kFieldsFieldNumber, Form::kMessages, &kPair}};
constexpr Form kNamedTuple = {{proto::NamedTupleValue::kNameFieldNumber, Form::kText}, {proto::NamedTupleValue::kValuesFieldNumber, Form::kMessages, &kPair}};
constexpr Form kStructured = {{},
                              {{StructuredValue::kNoneValueFieldNumber, Form::kMessage, &kNone},
                               {StructuredValue::kFloat64ValueFieldNumber, Form::kFixed64},
                               {StructuredValue::kInt64ValueFieldNumber, Form::kNumber},
                               {StructuredValue::kStringValueFieldNumber, Form::kText},
                               {StructuredValue::kBoolValueFieldNumber, Form::kNumber},
                               {StructuredValue::kTensorShapeValueFieldNumber, Form::kMessage, &kShapeForm},
                               {StructuredValue::kTensorDtypeValueFieldNumber, Form::kNumber},
                               {StructuredValue::kTensorSpecValueFieldNumber, Form::kMessage, &kTensorSpec},
                               {StructuredValue::kTypeSpecValueFieldNumber, Form::kMessage, &kTypeSpec},
                               {StructuredValue::kBoundedTensorSpecValueFieldNumber, Form::kMessage, &kBoundedSpec},
                               {StructuredValue::kListValueFieldNumber, Form::kMessage, &kValues},
                               {StructuredValue::kTupleValueFieldNumber, Form::kMessage, &kValues},
                               {StructuredValue::kDictValueFieldNumber, Form::kMessage, &kDict},
                               {StructuredValue::kNamedTupleValueFieldNumber, Form::kMessage, &kNamedTuple},
                               {StructuredValue::kTensorValueFieldNumber, Form::kMessage, &kTensorForm},
                               {StructuredValue::kNumpyValueFieldNumber, Form::kMessage, &kTensorForm}}};
constexpr Form kSpec = {{FunctionSpec::kFullargspecFieldNumber, Form::kMessage, &kStructured},
                        {FunctionSpec::kIsMethodFieldNumber, Form::kNumber},
                        {FunctionSpec::kInputSignatureFieldNumber, Form::kMessage, &kStructured},
                        {FunctionSpec::kJitCompileFieldNumber, Form::kNumber}};
constexpr Form kReference = {{TrackableObject::ObjectReference::kNodeIdFieldNumber, Form::kNumber},
                             {TrackableObject::ObjectReference::kLocalNameFieldNumber, Form::kText}};
constexpr Form kSlot = {{TrackableObject::SlotVariableReference::kOriginalVariableNodeIdFieldNumber, Form::kNumber},
                        {TrackableObject::SlotVariableReference::kSlotNameFieldNumber, Form::kText},
                        {TrackableObject::SlotVariableReference::kSlotVariableNodeIdFieldNumber, Form::kNumber}};
constexpr Form kVersion = {{proto::VersionDef::kProducerFieldNumber, Form::kNumber},
                           {proto::VersionDef::kMinConsumerFieldNumber, Form::kNumber},
                           {proto::VersionDef::kBadConsumersFieldNumber, Form::kNumbers}};
constexpr Form kUserObject = {{proto::SavedUserObject::kIdentifierFieldNumber, Form::kText},
                              {proto::SavedUserObject::kVersionFieldNumber, Form::kMessage, &kVersion},
                              {proto::SavedUserObject::kMetadataFieldNumber, Form::kText}};
constexpr Form kAsset = {{proto::SavedAsset::kAssetFileDefIndexFieldNumber, Form::kNumber}};
constexpr Form kFunction = {{proto::SavedFunction::kConcreteFunctionsFieldNumber, Form::kTexts},
                            {proto::SavedFunction::kFunctionSpecFieldNumber, Form::kMessage, &kSpec}};
constexpr Form kVariable = {{SavedVariable::kDtypeFieldNumber, Form::kNumber},
                            {SavedVariable::kShapeFieldNumber, Form::kMessage, &kShapeForm},
                            {SavedVariable::kTrainableFieldNumber, Form::kNumber},
                            {SavedVariable::kSynchronizationFieldNumber, Form::kNumber},
                            {SavedVariable::kAggregationFieldNumber, Form::kNumber},
                            {SavedVariable::kNameFieldNumber, Form::kText},
                            {SavedVariable::kDeviceFieldNumber, Form::kText},
                            {SavedVariable::kExperimentalDistributedVariableComponentsFieldNumber, Form::kMessages, &kVariable}};
constexpr Form kBareFunction = {{SavedBareConcreteFunction::kConcreteFunctionNameFieldNumber, Form::kText},
                                {SavedBareConcreteFunction::kArgumentKeywordsFieldNumber, Form::kTexts},
                                {SavedBareConcreteFunction::kAllowedPositionalArgumentsFieldNumber, Form::kNumber},
                                {SavedBareConcreteFunction::kFunctionSpecFieldNumber, Form::kMessage, &kSpec}};
constexpr Form kConstant = {{proto::SavedConstant::kOperationFieldNumber, Form::kText}};
constexpr Form kResource = {{proto::SavedResource::kDeviceFieldNumber, Form::kText}};
constexpr Form kCaptured = {{CapturedTensor::kNameFieldNumber, Form::kText}, {CapturedTensor::kConcreteFunctionFieldNumber, Form::kText}};
constexpr Form kSaveable = {{proto::SaveableObject::kSaveFunctionFieldNumber, Form::kNumber}, {proto::SaveableObject::kRestoreFunctionFieldNumber, Form::kNumber}};
constexpr Form kSaveableEntry = {{kMapKey, Form::kText}, {kMapValue, Form::kMessage, &kSaveable}};
constexpr Form kAny = {{google::protobuf::Any::kTypeUrlFieldNumber, Form::kText}, {google::protobuf::Any::kValueFieldNumber, Form::kBytes}};
constexpr Form kObject = {{{SavedObject::kChildrenFieldNumber, Form::kMessages, &kReference},
                           {SavedObject::kSlotVariablesFieldNumber, Form::kMessages, &kSlot},
                           {SavedObject::kSaveableObjectsFieldNumber, Form::kMessages, &kSaveableEntry},
                           {SavedObject::kRegisteredNameFieldNumber, Form::kText},
                           {SavedObject::kSerializedUserProtoFieldNumber, Form::kMessage, &kAny},
                           {SavedObject::kDependenciesFieldNumber, Form::kMessages, &kReference},
                           {SavedObject::kRegisteredSaverFieldNumber, Form::kText}},
                          {{SavedObject::kUserObjectFieldNumber, Form::kMessage, &kUserObject},
                           {SavedObject::kAssetFieldNumber, Form::kMessage, &kAsset},
                           {SavedObject::kFunctionFieldNumber, Form::kMessage, &kFunction},
                           {SavedObject::kVariableFieldNumber, Form::kMessage, &kVariable},
                           {SavedObject::kBareConcreteFunctionFieldNumber, Form::kMessage, &kBareFunction},
                           {SavedObject::kConstantFieldNumber, Form::kMessage, &kConstant},
                           {SavedObject::kResourceFieldNumber, Form::kMessage, &kResource},
                           {SavedObject::kCapturedTensorFieldNumber, Form::kMessage, &kCaptured}}};
constexpr Form kConcrete = {{SavedConcreteFunction::kBoundInputsFieldNumber, Form::kNumbers},
                            {SavedConcreteFunction::kCanonicalizedInputSignatureFieldNumber, Form::kMessage, &kStructured},
                            {SavedConcreteFunction::kOutputSignatureFieldNumber, Form::kMessage, &kStructured}};
constexpr Form kConcreteEntry = {{kMapKey, Form::kText}, {kMapValue, Form::kMessage, &kConcrete}};
constexpr Form kObjectGraph = {{proto::SavedObjectGraph::kNodesFieldNumber, Form::kMessages, &kObject},
                               {proto::SavedObjectGraph::kConcreteFunctionsFieldNumber, Form::kMessages, &kConcreteEntry}};

}  // namespace

bool IsUsualObjectGraph(absl::string_view bytes) { return IsUsual(bytes, kObjectGraph); }

}  // namespace savedmodel
