#include "loader/attributes.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "loader/tensor_proto.h"

namespace savedmodel {
namespace {

constexpr int kMaxNesting = 32;  // of functions as attributes of functions

absl::StatusOr<Attributes> Read(const ProtoAttributes& message, const Attributes& arguments, Allocator* allocator, int depth);

absl::StatusOr<FunctionRef> ReadFunction(const proto::NameAttrList& message, const Attributes& arguments, Allocator* allocator, int depth) {
  SM_CHECK_ARGUMENT(depth < kMaxNesting, "functions as attributes are nested more than ", kMaxNesting, " deep");
  SM_ASSIGN_OR_RETURN(Attributes attributes, Read(message.attr(), arguments, allocator, depth + 1));
  return FunctionRef{message.name(), std::make_shared<const Attributes>(std::move(attributes))};
}

absl::StatusOr<AttrValue> ReadList(const proto::AttrValue::ListValue& list, const Attributes& arguments, Allocator* allocator, int depth) {
  if (list.s_size() > 0) return AttrValue(std::vector<std::string>(list.s().begin(), list.s().end()));
  if (list.f_size() > 0) return AttrValue(std::vector<float>(list.f().begin(), list.f().end()));
  if (list.b_size() > 0) return AttrValue(std::vector<bool>(list.b().begin(), list.b().end()));
  if (list.type_size() > 0) {
    std::vector<DataType> types;
    for (int type : list.type()) types.push_back(static_cast<DataType>(type));
    return AttrValue(std::move(types));
  }
  if (list.shape_size() > 0) {
    std::vector<PartialShape> shapes;
    for (const proto::TensorShapeProto& shape : list.shape()) {
      SM_ASSIGN_OR_RETURN(PartialShape read, PartialShapeFromProto(shape));
      shapes.push_back(std::move(read));
    }
    return AttrValue(std::move(shapes));
  }
  if (list.tensor_size() > 0) {
    std::vector<Tensor> tensors;
    for (const proto::TensorProto& tensor : list.tensor()) {
      SM_ASSIGN_OR_RETURN(Tensor read, TensorFromProto(tensor, allocator));
      tensors.push_back(std::move(read));
    }
    return AttrValue(std::move(tensors));
  }
  if (list.func_size() > 0) {
    std::vector<FunctionRef> functions;
    for (const proto::NameAttrList& function : list.func()) {
      SM_ASSIGN_OR_RETURN(FunctionRef read, ReadFunction(function, arguments, allocator, depth));
      functions.push_back(std::move(read));
    }
    return AttrValue(std::move(functions));
  }
  return AttrValue(std::vector<int64_t>(list.i().begin(), list.i().end()));
}

absl::StatusOr<AttrValue> ReadValue(const proto::AttrValue& value, const Attributes& arguments, Allocator* allocator, int depth) {
  switch (value.value_case()) {
    case proto::AttrValue::kS: return AttrValue(std::string(value.s()));
    case proto::AttrValue::kI: return AttrValue(static_cast<int64_t>(value.i()));
    case proto::AttrValue::kF: return AttrValue(value.f());
    case proto::AttrValue::kB: return AttrValue(value.b());
    case proto::AttrValue::kType: return AttrValue(static_cast<DataType>(value.type()));
    case proto::AttrValue::kShape: {
      SM_ASSIGN_OR_RETURN(PartialShape shape, PartialShapeFromProto(value.shape()));
      return AttrValue(std::move(shape));
    }
    case proto::AttrValue::kTensor: {
      SM_ASSIGN_OR_RETURN(Tensor tensor, TensorFromProto(value.tensor(), allocator));
      return AttrValue(std::move(tensor));
    }
    case proto::AttrValue::kFunc: {
      SM_ASSIGN_OR_RETURN(FunctionRef function, ReadFunction(value.func(), arguments, allocator, depth));
      return AttrValue(std::move(function));
    }
    case proto::AttrValue::kList: return ReadList(value.list(), arguments, allocator, depth);
    case proto::AttrValue::kPlaceholder: {
      const AttrValue* argument = arguments.Find(value.placeholder());
      return argument == nullptr ? AttrValue() : *argument;
    }
    default: return AttrValue();
  }
}

absl::StatusOr<Attributes> Read(const ProtoAttributes& message, const Attributes& arguments, Allocator* allocator, int depth) {
  Attributes::Values values;
  values.reserve(message.size());
  for (const auto& [name, value] : message) {
    // Of what others noted on the node, only this changes an answer: the condition then has to be a scalar.
    if (!name.empty() && name[0] == '_' && name != "_lower_using_switch_merge") continue;
    absl::StatusOr<AttrValue> read = ReadValue(value, arguments, allocator, depth);
    if (!read.ok()) return absl::Status(read.status().code(), absl::StrCat("attribute '", name, "': ", read.status().message()));
    values.emplace_back(name, *std::move(read));
  }
  return Attributes(std::move(values));
}

}  // namespace

absl::StatusOr<Attributes> ReadAttributes(const ProtoAttributes& message, const Attributes& arguments, Allocator* allocator) {
  return Read(message, arguments, allocator, 0);
}

}  // namespace savedmodel
