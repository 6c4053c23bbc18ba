// TensorMap: a map from tensors to tensors in a variant. Keys are compared by dtype, shape and bytes and kept in the order of
// those; the reference's order differs from process to process.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/lists/tensor_map.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
// What only one map has stays as it is.
absl::StatusOr<Variant> TensorMap::Add(const NestedValue& other) const {
  auto sum = std::make_shared<TensorMap>(*this);
  for (const auto& [text, entry] : static_cast<const TensorMap&>(other).entries) {
    auto [it, added] = sum->entries.try_emplace(text, entry);
    if (!added) {
      SM_ASSIGN_OR_RETURN(it->second.value, TensorAdd(it->second.value, entry.value));
    }
    SM_RETURN_IF_ERROR(sum->Enclose(it->second.value));
  }
  return Variant(std::move(sum));
}

namespace {

absl::StatusOr<const TensorMap*> MapInput(const KernelContext& context) {
  const Tensor& tensor = context.input(0);
  SM_CHECK_ARGUMENT(tensor.rank() == 0, "Input map must be a scalar. Saw: ", tensor.shape().ToString());
  auto map = dynamic_cast<const TensorMap*>(tensor.data<Variant>()[0].get());
  SM_CHECK_ARGUMENT(map != nullptr, "Input handle is not a map.");
  return map;
}

absl::StatusOr<std::string> Encode(const Tensor& key) {
  std::string text = absl::StrCat(static_cast<int>(key.dtype()), key.shape().ToString());
  if (IsPlainData(key.dtype())) {
    text.append(static_cast<const char*>(key.raw()), key.bytes());
  } else if (key.dtype() == DataType::kString) {
    for (const std::string& s : key.flat<std::string>()) absl::StrAppend(&text, s.size(), ":", s);
  } else {
    return absl::InvalidArgumentError(absl::StrCat("a key cannot be a ", DataTypeName(key.dtype())));
  }
  return text;
}

absl::StatusOr<const TensorMap::Entry*> FindEntry(const KernelContext& context, const char* what) {
  SM_ASSIGN_OR_RETURN(std::string key, Encode(context.input(1)));
  SM_ASSIGN_OR_RETURN(const TensorMap* map, MapInput(context));
  auto it = map->entries.find(key);
  SM_CHECK_ARGUMENT(it != map->entries.end(), "Trying to ", what, ". Could not find key \"", context.input(1).DebugString(), "\".");
  return &it->second;
}

absl::Status SetMap(KernelContext& context, std::shared_ptr<TensorMap> map) {
  return context.SetOutput(0, Tensor::Scalar<Variant>(std::move(map)));
}

absl::Status Empty(KernelContext& context) { return SetMap(context, std::make_shared<TensorMap>()); }

absl::Status Insert(KernelContext& context) {
  SM_RETURN_IF_ERROR(MapInput(context).status());
  SM_ASSIGN_OR_RETURN(std::string text, Encode(context.input(1)));
  SM_ASSIGN_OR_RETURN(Tensor key, context.Retain(1));
  SM_ASSIGN_OR_RETURN(Tensor value, context.Retain(2));
  SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorMap> map, TakeVariant<TensorMap>(context, 0));
  SM_RETURN_IF_ERROR(map->Enclose(value));
  map->entries.insert_or_assign(std::move(text), TensorMap::Entry{std::move(key), std::move(value)});
  return SetMap(context, std::move(map));
}

absl::Status Erase(KernelContext& context) {
  SM_RETURN_IF_ERROR(FindEntry(context, "erase non-existent item").status());
  SM_ASSIGN_OR_RETURN(std::string key, Encode(context.input(1)));
  SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorMap> map, TakeVariant<TensorMap>(context, 0));
  map->entries.erase(key);
  return SetMap(context, std::move(map));
}

absl::Status HasKey(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(std::string key, Encode(context.input(1)));
  SM_ASSIGN_OR_RETURN(const TensorMap* map, MapInput(context));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {}));
  *out->data<bool>() = map->entries.count(key) > 0;
  return absl::OkStatus();
}

absl::Status Size(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const TensorMap* map, MapInput(context));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {}));
  *out->data<int32_t>() = static_cast<int32_t>(map->entries.size());
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeLookup(KernelInit& init) {
  const DataType dtype = init.attrs().Type("value_dtype");
  return MakeKernel([dtype](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorMap::Entry* entry, FindEntry(context, "lookup non-existent key"));
    SM_CHECK_ARGUMENT(entry->value.dtype() == dtype, "the value is ", DataTypeName(entry->value.dtype()), ", value_dtype is ",
                      DataTypeName(dtype));
    return context.SetOutput(0, entry->value);
  });
}

absl::StatusOr<KernelPtr> MakeStackKeys(KernelInit& init) {
  const DataType dtype = init.attrs().Type("key_dtype");
  return MakeKernel([dtype](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorMap* map, MapInput(context));
    SM_CHECK_ARGUMENT(!map->entries.empty(), "TensorMapStackKeys cannot be called on empty map.");
    const TensorShape& first = map->entries.begin()->second.key.shape();
    for (const auto& [text, entry] : map->entries) {
      SM_CHECK_ARGUMENT(entry.key.dtype() == dtype, "Key does not match requested dtype.");
      SM_CHECK_ARGUMENT(entry.key.shape() == first, "Keys must all have the same shape.");
    }
    TensorShape shape = first;
    shape.InsertDim(0, static_cast<int64_t>(map->entries.size()));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
    int64_t start = 0;
    for (const auto& [text, entry] : map->entries) {
      Tensor part = out->Slice(start, first);
      CopyElements(entry.key, &part);
      start += first.num_elements();
    }
    return absl::OkStatus();
  });
}

template <absl::Status (*kRun)(KernelContext&)>
absl::StatusOr<KernelPtr> Make(KernelInit&) {
  return MakeKernel(kRun);
}

}  // namespace

void DefineTensorMap(OpTable& ops) {
  ops.Add({.name = "EmptyTensorMap", .outputs = "handle: variant", .infer = ScalarShape, .cpu = Make<Empty>});
  ops.Add({.name = "TensorMapInsert",
           .inputs = "input_handle: variant; key: key_dtype; value: value_dtype",
           .outputs = "output_handle: variant",
           .attrs = "key_dtype: type; value_dtype: type",
           .infer = ScalarShape,
           .cpu = Make<Insert>});
  ops.Add({.name = "TensorMapErase",
           .inputs = "input_handle: variant; key: key_dtype",
           .outputs = "output_handle: variant",
           .attrs = "key_dtype: type; value_dtype: type",
           .infer = ScalarShape,
           .cpu = Make<Erase>});
  ops.Add({.name = "TensorMapLookup",
           .inputs = "input_handle: variant; key: key_dtype",
           .outputs = "value: value_dtype",
           .attrs = "key_dtype: type; value_dtype: type",
           .infer = NoShape,
           .cpu = MakeLookup});
  ops.Add({.name = "TensorMapHasKey",
           .inputs = "input_handle: variant; key: key_dtype",
           .outputs = "has_key: bool",
           .attrs = "key_dtype: type",
           .infer = ScalarShape,
           .cpu = Make<HasKey>});
  ops.Add({.name = "TensorMapSize", .inputs = "input_handle: variant", .outputs = "size: int32", .infer = ScalarShape, .cpu = Make<Size>});
  ops.Add({.name = "TensorMapStackKeys",
           .inputs = "input_handle: variant",
           .outputs = "keys: key_dtype",
           .attrs = "key_dtype: type",
           .infer = NoShape,
           .cpu = MakeStackKeys});
}

}  // namespace savedmodel
