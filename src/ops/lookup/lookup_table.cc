// The ops that look into tables and change them: LookupTableFind, Size, Insert, Remove, Import and Export, for handles
// that are resources (V2) and references.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/lookup/table.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

// The reference compares the node's dtypes with the table's before anything else.
absl::Status CheckOutput(const KernelContext& context, int i, DataType table) {
  SM_CHECK_ARGUMENT(context.output_dtype(i) == table, "Signature mismatch: the table has ", DataTypeName(table),
                    ", the node wants ", DataTypeName(context.output_dtype(i)));
  return absl::OkStatus();
}

struct Find {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    const Tensor &keys = context.input(1), &defaults = context.input(2);
    SM_RETURN_IF_ERROR(CheckOutput(context, 0, table->value_dtype()));
    SM_RETURN_IF_ERROR(table->CheckFind(keys, defaults));
    SM_ASSIGN_OR_RETURN(Tensor * values, context.Output(0, table->ValuesShape(keys.shape())));
    return table->Find(context, keys, defaults, values);
  }
};

struct Size {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    SM_ASSIGN_OR_RETURN(Tensor * size, context.Output(0, {}));
    size->data<int64_t>()[0] = table->size();
    return absl::OkStatus();
  }
};

struct Insert {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    SM_RETURN_IF_ERROR(table->CheckInsert(context.input(1), context.input(2)));
    return table->Insert(context, context.input(1), context.input(2));
  }
};

struct Remove {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    SM_RETURN_IF_ERROR(table->CheckKeys(context.input(1)));
    return table->Remove(context, context.input(1));
  }
};

struct Import {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    SM_RETURN_IF_ERROR(table->CheckImport(context.input(1), context.input(2)));
    return table->Import(context, context.input(1), context.input(2));
  }
};

struct Export {
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<Table> table, TableInput(context));
    SM_RETURN_IF_ERROR(CheckOutput(context, 0, table->key_dtype()));
    SM_RETURN_IF_ERROR(CheckOutput(context, 1, table->value_dtype()));
    return table->Export(context);
  }
};

template <typename Op>
absl::StatusOr<KernelPtr> Make(KernelInit&) {
  return MakeKernel([](KernelContext& context) { return Op::Run(context); });
}

}  // namespace

void DefineLookupTable(OpTable& ops) {
  for (const bool v2 : {false, true}) {
    const std::string handle = v2 ? "table_handle: resource" : "table_handle: Ref(string)";
    const std::string suffix = v2 ? "V2" : "";
    ops.Add({.name = "LookupTableFind" + suffix, .inputs = handle + "; keys: Tin; default_value: Tout", .outputs = "values: Tout",
             .attrs = "Tin: type; Tout: type", .infer = NoShape, .cpu = Make<Find>, .effect = Effect::kReadsState});
    ops.Add({.name = "LookupTableSize" + suffix,
             .inputs = handle,
             .outputs = "size: int64",
             .infer = ScalarShape,
             .cpu = Make<Size>,
             .effect = Effect::kReadsState});
    ops.Add({.name = "LookupTableInsert" + suffix, .inputs = handle + "; keys: Tin; values: Tout", .attrs = "Tin: type; Tout: type",
             .infer = NoShape, .cpu = Make<Insert>, .effect = Effect::kStateful});
    ops.Add({.name = "LookupTableImport" + suffix, .inputs = handle + "; keys: Tin; values: Tout", .attrs = "Tin: type; Tout: type",
             .infer = NoShape, .cpu = Make<Import>, .effect = Effect::kStateful});
    ops.Add({.name = "LookupTableExport" + suffix, .inputs = handle, .outputs = "keys: Tkeys; values: Tvalues",
             .attrs = "Tkeys: type; Tvalues: type", .infer = NoShape, .cpu = Make<Export>, .effect = Effect::kReadsState});
  }
  ops.Add({.name = "LookupTableRemoveV2", .inputs = "table_handle: resource; keys: Tin", .attrs = "Tin: type", .infer = NoShape,
           .cpu = Make<Remove>, .effect = Effect::kStateful});
}

}  // namespace savedmodel
