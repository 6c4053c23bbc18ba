// Ops of TensorFlow for which there is no kernel here (training, input pipelines, files ...): a graph that holds them loads, and
// only a run that reaches one is refused, by name and with the reason.
#ifndef SAVEDMODEL_OPS_KNOWN_OPS_H_
#define SAVEDMODEL_OPS_KNOWN_OPS_H_

#include <cstddef>
#include <cstdint>

#include "savedmodel/op.h"

namespace savedmodel {

// known_ops.tsv without its head: op, inputs, outputs, attrs, "stateful" or "-", reason; tab separated lines, as zlib deflates
// them, and how many bytes they are inflated. Made by the build.
extern const unsigned char kDeflatedKnownOps[];
extern const size_t kDeflatedKnownOpsSize;
extern const size_t kKnownOpsSize;
// FNV-1a (32 bits) of their names, ascending: few other names pass for one of them, so the lines are rarely inflated in vain.
extern const uint32_t kKnownOpsHashes[];
extern const size_t kKnownOpsCount;

// Makes them what `ops` knows beside what is added to it.
void AddKnownOps(OpTable& ops);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_KNOWN_OPS_H_
