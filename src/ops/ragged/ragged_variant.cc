// RaggedTensorToVariant, RaggedTensorFromVariant, RaggedTensorToVariantGradient: a ragged tensor as one variant, or each of
// its rows as one.
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/lists/nested_value.h"
#include "ops/lists/tensor_list.h"
#include "ops/ragged/splits.h"
#include "ops/state/combine.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

class RaggedVariant final : public NestedValue {
 public:
  const char* kind() const override { return "RaggedTensorVariant"; }
  absl::StatusOr<Variant> ZerosLike() const override {
    auto zeros = std::make_shared<RaggedVariant>(*this);
    SM_ASSIGN_OR_RETURN(zeros->values, TensorZerosLike(values));
    return Variant(std::move(zeros));
  }
  absl::StatusOr<Variant> Add(const NestedValue& other) const override {
    const RaggedVariant& b = static_cast<const RaggedVariant&>(other);
    SM_CHECK_ARGUMENT(values.dtype() == b.values.dtype(), "Can't add RaggedTensorVariants of different dtypes.");
    SM_CHECK_ARGUMENT(splits.size() == b.splits.size(), "Can't add RaggedTensorVariants of different ragged rank.");
    for (size_t i = 0; i < splits.size(); ++i) {
      SM_CHECK_ARGUMENT(splits[i].dtype() == b.splits[i].dtype() && splits[i].shape() == b.splits[i].shape() &&
                            std::memcmp(splits[i].raw(), b.splits[i].raw(), splits[i].bytes()) == 0,
                        "Can't add RaggedTensorVariants with different row_splits.");
    }
    auto sum = std::make_shared<RaggedVariant>(*this);
    SM_ASSIGN_OR_RETURN(sum->values, TensorAdd(values, b.values));
    SM_RETURN_IF_ERROR(sum->Enclose(sum->values));
    return Variant(std::move(sum));
  }
  std::vector<Tensor> splits;
  Tensor values;
};

TensorShape WithoutFirst(TensorShape shape) {
  shape.RemoveDim(0);
  return shape;
}

// Elements [begin, end) of the first dimension, sharing memory.
Tensor Rows(const Tensor& tensor, int64_t begin, int64_t end) {
  TensorShape shape = tensor.shape();
  shape.set_dim(0, end - begin);
  return tensor.Slice(begin * tensor.shape().Product(1, tensor.rank()), shape);
}

absl::Status ToVariant(KernelContext& context, int rank, bool batched) {
  SM_ASSIGN_OR_RETURN(Tensor values, context.Retain(rank));
  SM_CHECK_ARGUMENT(values.rank() >= 1 || (rank == 0 && !batched), "rt_dense_values must have rank 1 or more, is a scalar");
  std::vector<std::vector<int64_t>> splits;
  auto whole = std::make_shared<RaggedVariant>();
  for (int i = 0; i < rank; ++i) {
    const int64_t rows = i + 1 < rank ? context.input(i + 1).num_elements() - 1 : values.dim(0);
    SM_ASSIGN_OR_RETURN(std::vector<int64_t> level, SplitsOf(context.input(i), rows));
    splits.push_back(std::move(level));
    SM_ASSIGN_OR_RETURN(Tensor kept, context.Retain(i));
    whole->splits.push_back(std::move(kept));
  }
  SM_RETURN_IF_ERROR(whole->Enclose(values));
  if (!batched) {
    whole->values = std::move(values);
    return context.SetOutput(0, Tensor::Scalar<Variant>(std::move(whole)));
  }
  const int64_t n = rank == 0 ? values.dim(0) : static_cast<int64_t>(splits[0].size()) - 1;
  SM_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(DataType::kVariant, {n}, context.allocator()));
  for (int64_t row = 0; row < n; ++row) {
    auto part = std::make_shared<RaggedVariant>();
    SM_RETURN_IF_ERROR(part->Enclose(values));
    int64_t begin = row, end = row + 1;
    for (int i = 0; i < rank; ++i) {
      const std::vector<int64_t>& level = splits[static_cast<size_t>(i)];
      if (i > 0) {
        std::vector<int64_t> mine;
        for (int64_t k = begin; k <= end; ++k) mine.push_back(level[static_cast<size_t>(k)] - level[static_cast<size_t>(begin)]);
        SM_ASSIGN_OR_RETURN(Tensor tensor, IntTensor(context.input(i).dtype(), mine));
        part->splits.push_back(std::move(tensor));
      }
      begin = level[static_cast<size_t>(begin)];
      end = level[static_cast<size_t>(end)];
    }
    part->values = rank == 0 ? Rows(values, row, row + 1).Reshaped(WithoutFirst(values.shape())) : Rows(values, begin, end);
    out.data<Variant>()[row] = std::move(part);
  }
  return context.SetOutput(0, std::move(out));
}

using Components = std::vector<const RaggedVariant*>;

struct Ranks {
  int64_t input, output;
};

absl::StatusOr<Components> ComponentsOf(const Tensor& encoded, Ranks ranks, DataType values_type, DataType splits_type) {
  Components components;
  for (int64_t i = 0; i < encoded.num_elements(); ++i) {
    auto value = dynamic_cast<const RaggedVariant*>(encoded.data<Variant>()[i].get());
    SM_CHECK_ARGUMENT(value != nullptr, "Input Variant element at index ", i, " doesn't hold a RaggedTensorVariant");
    SM_CHECK_ARGUMENT(static_cast<int64_t>(value->splits.size()) == ranks.input, "Encoded input RaggedTensorVariant has ragged_rank=",
                      value->splits.size(), ".  Expected ragged_rank=", ranks.input, ".");
    SM_CHECK_ARGUMENT(value->values.dtype() == values_type, "Expected values Tensor dtype: ", DataTypeName(values_type), ", found: ",
                      DataTypeName(value->values.dtype()));
    SM_CHECK_ARGUMENT(value->values.rank() >= 1 || ranks.output == 0, "Ragged values must have rank >= 1; encoded scalar element at index ", i);
    for (const Tensor& splits : value->splits) {
      SM_CHECK_ARGUMENT(splits.dtype() == splits_type, "Expected row_splits Tensor dtype: ", DataTypeName(splits_type), ", found: ",
                        DataTypeName(splits.dtype()));
    }
    components.push_back(value);
  }
  return components;
}

// Output o = the components' values joined along their first dimension, or stacked along a new one.
absl::Status JoinValues(KernelContext& context, int o, const Components& components, bool stack) {
  TensorShape inner = components.empty() ? TensorShape() : stack ? components[0]->values.shape() : WithoutFirst(components[0]->values.shape());
  int64_t total = 0;
  for (size_t i = 0; i < components.size(); ++i) {
    const Tensor& values = components[i]->values;
    const TensorShape mine = stack ? values.shape() : WithoutFirst(values.shape());
    SM_CHECK_ARGUMENT(mine == inner, "All flat_values must have compatible shapes.  Shape at index 0: ", inner.ToString(),
                      ".  Shape at index ", i, ": ", mine.ToString(),
                      ".  If you are using tf.map_fn, then you may need to specify an explicit fn_output_signature with appropriate "
                      "ragged_rank, and/or convert output tensors to RaggedTensors.");
    total += stack ? 1 : values.dim(0);
  }
  TensorShape shape = inner;
  shape.InsertDim(0, total);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, shape));
  int64_t start = 0;
  for (const RaggedVariant* component : components) {
    Tensor part = out->Slice(start, component->values.shape());
    CopyElements(component->values, &part);
    start += component->values.num_elements();
  }
  return absl::OkStatus();
}

absl::Status FromVariant(KernelContext& context, Ranks ranks, DataType values_type, DataType splits_type) {
  const Tensor& encoded = context.input(0);
  const int dims = encoded.rank();
  if (ranks.input == -1) {
    ranks.input = ranks.output == 0 ? 0 : ranks.output - dims;
    SM_CHECK_ARGUMENT(ranks.input >= 0, "Inferred input_ragged_rank (output_ragged_rank - encoded_variant.dims()) must be >= 0, found "
                      "output_ragged_rank: ", ranks.output, ", encoded_variant.dims(): ", dims);
  }
  SM_CHECK_ARGUMENT((ranks.output == 0 && ranks.input == 0) || ranks.output == dims + ranks.input,
                    "output_ragged_rank must be equal to input_ragged_rank + encoded_ragged.dims(); output_ragged_rank: ", ranks.output,
                    ", input_ragged_rank: ", ranks.input, ", encoded_variant.dims(): ", dims, ".");
  SM_ASSIGN_OR_RETURN(Components components, ComponentsOf(encoded, ranks, values_type, splits_type));
  const int output_rank = static_cast<int>(ranks.output);
  if (dims == 0) {
    for (int i = 0; i < output_rank; ++i) SM_RETURN_IF_ERROR(context.SetOutput(i, components[0]->splits[static_cast<size_t>(i)]));
    return context.SetOutput(output_rank, components[0]->values);
  }
  if (output_rank == 0) return JoinValues(context, 0, components, !components.empty());
  for (int d = 0; d + 1 < dims; ++d) {
    // The reference takes the size of one dimension for the count of all rows above; this is the count.
    const int64_t count = encoded.shape().Product(0, d + 1), width = encoded.dim(d + 1);
    std::vector<int64_t> splits(static_cast<size_t>(count) + 1);
    for (int64_t i = 0; i <= count; ++i) splits[static_cast<size_t>(i)] = i * width;
    SM_RETURN_IF_ERROR(GiveInts(context, d, splits));
  }
  std::vector<int64_t> splits = {0};
  for (const RaggedVariant* component : components) {
    splits.push_back(splits.back() + (ranks.input > 0 ? component->splits[0].num_elements() - 1 : component->values.dim(0)));
  }
  SM_RETURN_IF_ERROR(GiveInts(context, dims - 1, splits));
  for (int i = 0; i < static_cast<int>(ranks.input); ++i) {
    splits.assign(1, 0);
    for (const RaggedVariant* component : components) {
      SM_ASSIGN_OR_RETURN(std::vector<int64_t> mine, IntsOf(component->splits[static_cast<size_t>(i)]));
      const int64_t base = splits.back();
      for (size_t k = 1; k < mine.size(); ++k) splits.push_back(base + mine[k]);
    }
    SM_RETURN_IF_ERROR(GiveInts(context, dims + i, splits));
  }
  return JoinValues(context, output_rank, components, false);
}

absl::Status Gradient(KernelContext& context, DataType dtype) {
  const Tensor& encoded = context.input(0);
  SM_ASSIGN_OR_RETURN(TensorShape shape, ShapeInput(context, 2, "dense_values_shape"));
  SM_ASSIGN_OR_RETURN(Components components, ComponentsOf(encoded, {0, 0}, dtype, DataType::kInvalid));
  if (encoded.rank() == 0) {
    SM_CHECK_ARGUMENT(components[0]->values.shape() == shape, "the gradient has shape ", components[0]->values.shape().ToString(),
                      ", the values ", shape.ToString());
    return context.SetOutput(0, components[0]->values);
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  FillWithZeros(out);
  SM_ASSIGN_OR_RETURN(Combine add, FindCombine(Combination::kAdd, dtype));
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> splits, SplitsOf(context.input(1), -1));
  SM_CHECK_ARGUMENT(splits.size() == components.size() + 1 && shape.rank() >= 1 && splits.back() <= shape.dim(0),
                    "row_splits do not fit the gradient and the values");
  const int64_t size = shape.Product(1, shape.rank());
  for (size_t i = 0; i < components.size(); ++i) {
    const int64_t n = (splits[i + 1] - splits[i]) * size;
    SM_CHECK_ARGUMENT(components[i]->values.num_elements() == n, "the gradient of row ", i, " has ", components[i]->values.num_elements(),
                      " elements, must have ", n);
    Tensor part = out->Slice(splits[i] * size, {n});
    add(part.raw(), components[i]->values.raw(), n, false);
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeToVariant(KernelInit& init) {
  const int rank = static_cast<int>(init.attrs().Int("RAGGED_RANK"));
  const bool batched = init.attrs().Bool("batched_input");
  SM_CHECK_ARGUMENT(rank >= 0 && init.num_inputs() == rank + 1, "RAGGED_RANK must be at least 0");
  return MakeKernel([=](KernelContext& context) { return ToVariant(context, rank, batched); });
}

absl::StatusOr<KernelPtr> MakeFromVariant(KernelInit& init) {
  const Attributes& attrs = init.attrs();
  const Ranks ranks = {attrs.Int("input_ragged_rank"), attrs.Int("output_ragged_rank")};
  const DataType values = attrs.Type("Tvalues"), splits = attrs.Type("Tsplits");
  SM_CHECK_ARGUMENT(ranks.output >= 0 && init.num_outputs() == ranks.output + 1, "output_ragged_rank must be at least 0");
  return MakeKernel([=](KernelContext& context) { return FromVariant(context, ranks, values, splits); });
}

absl::StatusOr<KernelPtr> MakeGradient(KernelInit& init) {
  const DataType dtype = init.attrs().Type("Tvalues");
  return MakeKernel([dtype](KernelContext& context) { return Gradient(context, dtype); });
}

absl::Status InferToVariant(InferContext& context) {
  if (!context.attrs().Bool("batched_input")) {
    context.set_output(0, TensorShape());
    return absl::OkStatus();
  }
  const PartialShape& first = context.input(0);
  const int64_t n = first.rank() >= 1 ? first.dim(0) : -1;
  context.set_output(0, PartialShape::Of({context.num_inputs() > 1 && n >= 1 ? n - 1 : n}));
  return absl::OkStatus();
}

absl::Status InferFromVariant(InferContext& context) {
  for (int i = 0; i + 1 < context.num_outputs(); ++i) context.set_output(i, PartialShape::UnknownOfRank(1));
  return absl::OkStatus();
}

}  // namespace

void DefineRaggedVariant(OpTable& ops) {
  ops.Add({.name = "RaggedTensorToVariant",
           .inputs = "rt_nested_splits: RAGGED_RANK * Tsplits; rt_dense_values: Tvalues",
           .outputs = "encoded_ragged: variant",
           .attrs = "RAGGED_RANK: int >= 0; Tvalues: type; Tsplits: {int32, int64} = DT_INT64; batched_input: bool",
           .infer = InferToVariant,
           .cpu = MakeToVariant});
  ops.Add({.name = "RaggedTensorFromVariant",
           .inputs = "encoded_ragged: variant",
           .outputs = "output_nested_splits: output_ragged_rank * Tsplits; output_dense_values: Tvalues",
           .attrs = "input_ragged_rank: int >= -1; output_ragged_rank: int >= 0; Tvalues: type; Tsplits: {int32, int64} = DT_INT64",
           .infer = InferFromVariant,
           .cpu = MakeFromVariant});
  ops.Add({.name = "RaggedTensorToVariantGradient",
           .inputs = "encoded_ragged_grad: variant; row_splits: Tsplits; dense_values_shape: int32",
           .outputs = "dense_values_grad: Tvalues",
           .attrs = "Tvalues: type; Tsplits: {int32, int64} = DT_INT64",
           .cpu = MakeGradient});
}

}  // namespace savedmodel
