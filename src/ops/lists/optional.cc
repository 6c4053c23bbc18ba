// Variants that pack a few tensors: OptionalFromValue, OptionalNone, OptionalHasValue, OptionalGetValue, and
// CompositeTensorVariantFromComponents, CompositeTensorVariantToComponents. Of a composite tensor's type only the dtypes of
// its components are compared.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/lists/composite_tensor.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

class Optional final : public NestedValue {
 public:
  const char* kind() const override { return "Optional"; }
  absl::StatusOr<Variant> ZerosLike() const override {
    auto zeros = std::make_shared<Optional>(*this);
    for (Tensor& component : zeros->components) {
      SM_ASSIGN_OR_RETURN(component, TensorZerosLike(component));
    }
    return Variant(std::move(zeros));
  }
  absl::StatusOr<Variant> Add(const NestedValue& other) const override {
    const Optional& b = static_cast<const Optional&>(other);
    SM_CHECK_ARGUMENT(has_value == b.has_value, "Cannot add optionals because one has a value and the other doesn't.");
    SM_CHECK_ARGUMENT(components.size() == b.components.size(), "Cannot add optionals because they have different numbers of components (",
                      components.size(), " vs. ", b.components.size(), ").");
    auto sum = std::make_shared<Optional>(*this);
    for (size_t i = 0; i < components.size(); ++i) {
      SM_ASSIGN_OR_RETURN(sum->components[i], TensorAdd(components[i], b.components[i]));
      SM_RETURN_IF_ERROR(sum->Enclose(sum->components[i]));
    }
    return Variant(std::move(sum));
  }
  bool has_value = false;
  std::vector<Tensor> components;
};

// A value of all inputs.
template <typename T>
absl::StatusOr<std::shared_ptr<T>> Pack(KernelContext& context) {
  auto value = std::make_shared<T>();
  for (int i = 0; i < context.num_inputs(); ++i) {
    SM_ASSIGN_OR_RETURN(Tensor tensor, context.Retain(i));
    SM_RETURN_IF_ERROR(value->Enclose(tensor));
    value->components.push_back(std::move(tensor));
  }
  return value;
}

template <typename T>
absl::StatusOr<const T*> ValueInput(const KernelContext& context) {
  const Tensor& tensor = context.input(0);
  SM_CHECK_ARGUMENT(tensor.rank() == 0, "the variant must be a scalar, has shape ", tensor.shape().ToString());
  auto value = dynamic_cast<const T*>(tensor.data<Variant>()[0].get());
  SM_CHECK_ARGUMENT(value != nullptr, "Input is not an ", T().kind(), " variant");
  return value;
}

absl::Status Give(KernelContext& context, const std::vector<Tensor>& components) {
  for (size_t i = 0; i < components.size(); ++i) {
    const DataType wanted = context.output_dtype(static_cast<int>(i));
    SM_CHECK_ARGUMENT(components[i].dtype() == wanted, "component ", i, " is ", DataTypeName(components[i].dtype()), ", ",
                      DataTypeName(wanted), " was expected");
    SM_RETURN_IF_ERROR(context.SetOutput(static_cast<int>(i), components[i]));
  }
  return absl::OkStatus();
}

absl::Status None(KernelContext& context) { return context.SetOutput(0, Tensor::Scalar<Variant>(std::make_shared<Optional>())); }

absl::Status FromValue(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<Optional> value, Pack<Optional>(context));
  value->has_value = true;
  return context.SetOutput(0, Tensor::Scalar<Variant>(std::move(value)));
}

absl::Status HasValue(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const Optional* value, ValueInput<Optional>(context));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {}));
  *out->data<bool>() = value->has_value;
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeGetValue(KernelInit& init) {
  const std::vector<PartialShape> shapes = init.attrs().Shapes("output_shapes");
  SM_CHECK_ARGUMENT(static_cast<int>(shapes.size()) == init.num_outputs(), "output_types and output_shapes must be same length, got ",
                    init.num_outputs(), " types and ", shapes.size(), " shapes");
  return MakeKernel([shapes](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const Optional* value, ValueInput<Optional>(context));
    SM_CHECK_ARGUMENT(value->has_value, "The given optional does not have a value.");
    SM_CHECK_ARGUMENT(value->components.size() == shapes.size(), "The given optional has ", value->components.size(),
                      " components, expected ", shapes.size());
    for (size_t i = 0; i < shapes.size(); ++i) {
      SM_CHECK_ARGUMENT(shapes[i].CompatibleWith(value->components[i].shape()),
                        "The given optional does not match the expected shape for component ", i, ". Expected: ", shapes[i].ToString(),
                        ". Actual: ", value->components[i].shape().ToString(), ".");
    }
    return Give(context, value->components);
  });
}

absl::Status InferGetValue(InferContext& context) {
  const std::vector<PartialShape>& shapes = context.attrs().Shapes("output_shapes");
  for (int i = 0; i < context.num_outputs() && i < static_cast<int>(shapes.size()); ++i) context.set_output(i, shapes[static_cast<size_t>(i)]);
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeFromComponents(KernelInit& init) {
  return MakeKernel([metadata = init.attrs().String("metadata")](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<CompositeTensor> value, Pack<CompositeTensor>(context));
    value->metadata = metadata;
    return context.SetOutput(0, Tensor::Scalar<Variant>(std::move(value)));
  });
}

absl::Status ToComponents(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const CompositeTensor* value, ValueInput<CompositeTensor>(context));
  SM_CHECK_ARGUMENT(static_cast<int>(value->components.size()) == context.num_outputs(), "Encoded value has ", value->components.size(),
                    " tensor components; expected ", context.num_outputs(), " components based on type_spec");
  return Give(context, value->components);
}

template <absl::Status (*kRun)(KernelContext&)>
absl::StatusOr<KernelPtr> Make(KernelInit&) {
  return MakeKernel(kRun);
}

}  // namespace

void DefineOptional(OpTable& ops) {
  ops.Add({.name = "OptionalNone", .outputs = "optional: variant", .infer = ScalarShape, .cpu = Make<None>});
  ops.Add({.name = "OptionalFromValue",
           .inputs = "components: Toutput_types",
           .outputs = "optional: variant",
           .attrs = "Toutput_types: list(type) >= 1",
           .infer = ScalarShape,
           .cpu = Make<FromValue>});
  ops.Add({.name = "OptionalHasValue", .inputs = "optional: variant", .outputs = "has_value: bool", .infer = ScalarShape, .cpu = Make<HasValue>});
  ops.Add({.name = "OptionalGetValue",
           .inputs = "optional: variant",
           .outputs = "components: output_types",
           .attrs = "output_types: list(type) >= 1; output_shapes: list(shape) >= 1",
           .infer = InferGetValue,
           .cpu = MakeGetValue});
  ops.Add({.name = "CompositeTensorVariantFromComponents",
           .inputs = "components: Tcomponents",
           .outputs = "encoded: variant",
           .attrs = "metadata: string; Tcomponents: list(type) >= 0",
           .infer = ScalarShape,
           .cpu = MakeFromComponents});
  ops.Add({.name = "CompositeTensorVariantToComponents",
           .inputs = "encoded: variant",
           .outputs = "components: Tcomponents",
           .attrs = "metadata: string; Tcomponents: list(type) >= 0",
           .infer = NoShape,
           .cpu = Make<ToComponents>});
}

}  // namespace savedmodel
