#include "ops/parsing/variant_proto.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/lists/composite_tensor.h"
#include "ops/parsing/tensor_proto.h"
#include "ops/parsing/wire.h"

namespace savedmodel {
namespace {

constexpr char kCompositeName[] = "CompositeTensorVariant";

// A VariantTensorDataProto: type_name, metadata, tensors.
absl::StatusOr<std::string> Write(const Variant& variant) {
  auto value = dynamic_cast<const CompositeTensor*>(variant.get());
  if (value == nullptr) {
    return absl::UnimplementedError(absl::StrCat("variant has no serialized form: it holds ", variant == nullptr ? "nothing" : variant->kind()));
  }
  std::string text;
  WireWriter writer(&text);
  writer.Bytes(1, kCompositeName);
  writer.Bytes(2, value->metadata);
  for (const Tensor& component : value->components) {
    if (component.dtype() != DataType::kString && !IsPlainData(component.dtype())) {
      return absl::UnimplementedError(absl::StrCat("a component of type ", DataTypeName(component.dtype()), " has no serialized form"));
    }
    writer.Bytes(3, TensorToListProto(component));
  }
  return text;
}

absl::Status Broken() { return absl::InvalidArgumentError("Could not parse serialized proto as TensorProto of variants"); }

absl::StatusOr<Variant> Read(absl::string_view text, Allocator* allocator) {
  auto value = std::make_shared<CompositeTensor>();
  absl::string_view name;
  uint32_t tag;
  for (WireReader reader(text); !reader.AtEnd();) {
    if (!reader.ReadTag(&tag)) return Broken();
    absl::string_view bytes;
    if ((tag & 7) != kWireBytes) {
      if (!reader.Skip(tag)) return Broken();
      continue;
    }
    if (!reader.ReadBytes(&bytes)) return Broken();
    if (tag == WireTag(1, kWireBytes)) name = bytes;
    if (tag == WireTag(2, kWireBytes)) value->metadata.assign(bytes.data(), bytes.size());
    if (tag == WireTag(3, kWireBytes)) {
      SM_ASSIGN_OR_RETURN(Tensor component, TensorFromProto(bytes, allocator));
      value->components.push_back(std::move(component));
    }
  }
  SM_CHECK_ARGUMENT(name == kCompositeName, "Cannot parse tensor from proto: a variant of type \"", name, "\", only ", kCompositeName,
                    " is understood");
  return Variant(std::move(value));
}

}  // namespace

// The values lie in tensor_content: all lengths, then all bytes.
absl::StatusOr<std::string> VariantsToProto(const Tensor& tensor) {
  std::string content, values, text, shape;
  for (const Variant& variant : tensor.flat<Variant>()) {
    SM_ASSIGN_OR_RETURN(std::string value, Write(variant));
    WireWriter(&content).Varint(value.size());
    values += value;
  }
  SM_CHECK_ARGUMENT(tensor.rank() == 0, "only scalar variants can be serialized, this has shape ", tensor.shape().ToString());
  WireWriter writer(&text);
  writer.Tag(1, kWireVarint);
  writer.Varint(static_cast<uint64_t>(DataType::kVariant));
  writer.Bytes(2, shape);
  writer.Bytes(4, content + values);
  return text;
}

absl::StatusOr<Tensor> VariantsFromProto(absl::string_view proto, Allocator* allocator) {
  absl::string_view content, value;
  uint32_t tag;
  for (WireReader reader(proto); !reader.AtEnd();) {
    if (!reader.ReadTag(&tag)) return Broken();
    if (tag == WireTag(4, kWireBytes)) {
      if (!reader.ReadBytes(&content)) return Broken();
    } else if (tag == WireTag(2, kWireBytes)) {
      if (!reader.ReadBytes(&value)) return Broken();
      SM_CHECK_ARGUMENT(value.empty(), "only scalar variants can be parsed");
    } else if (!reader.Skip(tag)) {
      return Broken();
    }
  }
  WireReader reader(content);
  if (!reader.ReadBytes(&value)) return Broken();
  SM_ASSIGN_OR_RETURN(Variant variant, Read(value, allocator));
  return Tensor::Scalar<Variant>(std::move(variant));
}

}  // namespace savedmodel
