// Fact: a fact. The reference picks one of many; here it is the one that never grows old.
#include <string>

#include "core/status_macros.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

absl::StatusOr<KernelPtr> Make(KernelInit&) {
  return MakeKernel([](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {}));
    out->data<std::string>()[0] = "0! == 1";
    return absl::OkStatus();
  });
}

}  // namespace

void DefineFact(OpTable& ops) { ops.Add({.name = "Fact", .outputs = "fact: string", .infer = ScalarShape, .cpu = Make}); }

}  // namespace savedmodel
