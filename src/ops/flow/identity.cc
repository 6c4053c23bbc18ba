// Ops that hand their inputs on: Identity and its kin, and those that order or group without computing.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::StatusOr<KernelPtr> MakeIdentity(KernelInit&) {
  return MakeKernel([](KernelContext& context) -> absl::Status {
    for (int i = 0; i < context.num_outputs(); ++i) SM_RETURN_IF_ERROR(context.Forward(i, i, context.input(i).shape()));
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeNothing(KernelInit&) {
  return MakeKernel([](KernelContext&) { return absl::OkStatus(); });
}

absl::StatusOr<KernelPtr> MakeEnsureShape(KernelInit& init) {
  return MakeKernel([shape = init.attrs().Shape("shape")](KernelContext& context) -> absl::Status {
    const TensorShape& actual = context.input(0).shape();
    SM_CHECK_ARGUMENT(shape.CompatibleWith(actual), "Shape of tensor ", actual.ToString(), " is not compatible with expected shape ", shape.ToString(), ".");
    return context.Forward(0, 0, actual);
  });
}

absl::Status EnsureShapeRule(InferContext& context) {
  absl::StatusOr<PartialShape> merged = context.input(0).MergeWith(context.attrs().Shape("shape"));
  context.set_output(0, merged.ok() ? *merged : PartialShape());  // else nothing may be known of it without running it
  return absl::OkStatus();
}

absl::Status EachSame(InferContext& context) {
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output(i, context.input(i));
  return absl::OkStatus();
}

// The value of a branch that is not taken: zeros of the declared shape, unknown dimensions empty.
absl::StatusOr<KernelPtr> MakeFakeParam(KernelInit& init) {
  return MakeKernel([shape = init.attrs().Shape("shape")](KernelContext& context) -> absl::Status {
    TensorShape known;
    for (int64_t d : shape.dims()) known.AddDim(d < 0 ? 0 : d);
    if (!shape.known_rank()) known = TensorShape({0});
    SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(0, known));
    if (IsPlainData(out->dtype()) && out->bytes() > 0) std::memset(out->raw(), 0, out->bytes());
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeRefSelect(KernelInit&) {
  return MakeKernel([](KernelContext& context) -> absl::Status {
    SM_RETURN_IF_ERROR(CheckScalar(context, 0, "index"));
    const int index = context.input(0).scalar<int32_t>();
    SM_CHECK_ARGUMENT(index >= 0 && index + 1 < context.num_inputs(), "index must be in [0, ", context.num_inputs() - 1, "), is ", index);
    return context.Forward(index + 1, 0, context.input(index + 1).shape());
  });
}

// "/device:CPU:0" in a list of wanted devices: where it stands, or the list's length (the default branch).
absl::StatusOr<KernelPtr> MakeDeviceIndex(KernelInit& init) {
  const std::vector<std::string>& names = init.attrs().Strings("device_names");
  int32_t index = static_cast<int32_t>(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].find("CPU") != std::string::npos) {
      index = static_cast<int32_t>(i);
      break;
    }
  }
  return MakeKernel([index](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(0, {}));
    *out->data<int32_t>() = index;
    return absl::OkStatus();
  });
}

OpDef Passing(const char* name, const char* inputs, const char* outputs, const char* attrs, Effect effect = Effect::kNone) {
  OpDef def;
  def.name = name;
  def.inputs = inputs;
  def.outputs = outputs;
  def.attrs = attrs;
  def.infer = EachSame;
  def.cpu = MakeIdentity;
  def.effect = effect;
  return def;
}

}  // namespace

void DefineIdentity(OpTable& ops) {
  for (const char* name : {"Identity", "StopGradient", "Snapshot", "GuaranteeConst", "_EagerConst"}) {
    OpDef def = Passing(name, "input: T", "output: T", "T: type");
    def.aliases_input = true;
    ops.Add(std::move(def));
  }
  ops.Add(Passing("PreventGradient", "input: T", "output: T", "T: type; message: string = ''"));
  for (const char* name : {"Copy", "CopyHost"}) {
    ops.Add(Passing(name, "input: T", "output: T", "T: type; tensor_name: string = ''; debug_ops_spec: list(string) = []"));
  }
  ops.Add(Passing("DeepCopy", "x: T", "y: T", "T: type"));
  ops.Add(Passing("IdentityN", "input: T", "output: T", "T: list(type) >= 1"));
  ops.Add(Passing("_ListToArray", "input: Tin", "output: N * T", "Tin: list(type) >= 1; T: type; N: int >= 1"));
  ops.Add(Passing("_ArrayToList", "input: N * T", "output: out_types", "T: type; N: int >= 1; out_types: list(type) >= 1"));
  ops.Add(Passing("RefIdentity", "input: Ref(T)", "output: Ref(T)", "T: type", Effect::kReadsState));
  ops.Add({.name = "RefSelect", .inputs = "index: int32; inputs: N * Ref(T)", .outputs = "output: Ref(T)", .attrs = "T: type; N: int >= 1",
           .cpu = MakeRefSelect, .effect = Effect::kReadsState});
  ops.Add({.name = "EnsureShape", .inputs = "input: T", .outputs = "output: T", .attrs = "shape: shape; T: type", .infer = EnsureShapeRule,
           .cpu = MakeEnsureShape, .aliases_input = true});
  ops.Add({.name = "FakeParam", .outputs = "output: dtype", .attrs = "dtype: type; shape: shape", .cpu = MakeFakeParam});
  ops.Add({.name = "DeviceIndex", .outputs = "index: int32", .attrs = "device_names: list(string)", .infer = ScalarShape, .cpu = MakeDeviceIndex});
  for (const char* name : {"NoOp", "ControlTrigger"}) ops.Add({.name = name, .infer = NoShape, .cpu = MakeNothing});
  ops.Add({.name = "SyncDevice", .infer = NoShape, .cpu = MakeNothing, .effect = Effect::kStateful});
}

}  // namespace savedmodel
