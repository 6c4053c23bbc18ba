// Prints the table of ops, one a line, tab separated, sorted by name:
// op, inputs, outputs, attrs, effect, "kernel" or "-" (on the CPU), "structural" or "-", refusal.
#include <cstdio>

#include "savedmodel/op.h"

using namespace savedmodel;

int main() {
  static constexpr const char* kEffects[] = {"none", "reads", "stateful"};
  for (const auto& op : BuiltinOps()->All()) {
    std::printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", op->name.c_str(), op->inputs.c_str(), op->outputs.c_str(), op->attrs.c_str(),
                kEffects[static_cast<int>(op->effect)], op->cpu != nullptr ? "kernel" : "-", op->structural ? "structural" : "-",
                op->refusal.c_str());
  }
  return std::ferror(stdout) != 0;
}
