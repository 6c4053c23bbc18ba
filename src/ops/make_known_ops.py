#!/usr/bin/env python3
"""The ops of TensorFlow that this library knows by name only, so that models that hold them load.

  make_known_ops.py choose REGISTRY.tsv DUMP.tsv > known_ops.tsv   writes the list, by hand when TensorFlow or the table changed
  make_known_ops.py optional DUMP.tsv > optional_ops.tsv           lists the ops of files that a build may leave out, by hand too
  make_known_ops.py embed known_ops.tsv optional_ops.tsv OUT.cc [GROUP...]
                                                                   writes the list, deflated, in the build; GROUPs are left out

REGISTRY.tsv is a dump of TensorFlow's op registry: op, inputs, outputs, attrs, flags (s = stateful, t = an op of TensorFlow's own
tests), ... DUMP.tsv is what build/tests/ops_dump prints. Left out are ops that have a kernel here or that the planner carries out.
optional_ops.tsv holds op, inputs, outputs, attrs, "stateful" or "-", and the meson option that brings its file in.
known_ops.tsv holds op, inputs, outputs, attrs, "stateful" or "-", and why the op is refused.
"""
import os
import re
import sys
import zlib

# The first pattern found in the op's name gives the reason.
REASONS = [
    (r"^(PyFunc|PyFuncStateless|EagerPyFunc)$", "a Python op"),
    (r"^(ReadFile|WriteFile|MatchingFiles|FileSystemSetConfiguration|Save|SaveSlices|SaveV2|MergeV2Checkpoints|RecordInput|ImmutableConst"
     r"|LoadAndRemapMatrix|GenerateVocabRemapping|Skipgram|DumpTensor|CalibrationStatisticsSaver|DTensorRestoreV2|ImportEvent)$"
     r"|Reader|^CreateSummary(File|Db)Writer$|(TextLine|TFRecord|CSV|FixedLengthRecord|LMDB|MatchingFiles|Cache|Sql|Load|Save)Dataset"
     r"|Snapshot\w*(Dataset|Chunk)|^(Experimental)?DatasetToTFRecord$", "an op that reads or writes files, which a model may not"),
    (r"^Sharded(Filename|Filespec)$", "an op that names the files of a checkpoint to be written, which a model may not"),
    (r"^(Rpc|DeleteRpc|DataServiceDataset|DistributedSave|RegisterDataset|RemoteCall)", "an op that talks to other machines, which a model may not"),
    (r"^Debug", "a debugging op, which sends values out of the program"),
    (r"^_?_?Mkl|^_(FusedQuantized|FusedBatchNormGradEx|Quantized)", "an op that TensorFlow's own rewrites for oneDNN make"),
    (r"TPU|Tpu|SparseCore|Infeed|Outfeed|^Prelinearize|DedupData|SparseDenseMatmul|XlaSparse|Minibatch|CooTensor|^GlobalIterId$"
     r"|TaskIdAndGlobalCoreArray|^WorkerHeartbeat$", "a TPU op"),
    (r"Collective|Nccl|^CrossReplicaSum$|^AllToAll$|^XlaAllReduce$|^XlaReduceScatter$|^DTensor|^Relayout|^CopyToMesh", "a collective op"),
    (r"Xla|^Risc|^MlirPassthroughOp$", "needs XLA"),
    (r"Dataset|Iterator|StatsAggregator|^(Experimental)?ThreadPoolHandle$|MemoryCache|SeedGenerator|IterationCounter|^(Unc|C)ompressElement$"
     r"|^(GetOptions|ComputeBatchSize|GetElementAtIndex|WindowOp)$", "a tf.data op"),
    (r"^(Resource)?(Sparse)?Apply|^Sdca|^NegTrain$|BoostedTrees|Accumulator|Backprop|Grad(V\d|Boxes|Image)?$|^SymbolicGradient$", "a training op"),
    (r"Queue|Barrier|^(Ordered)?(Map)?(Stage|Unstage)|^(Ordered)?Map(Clear|IncompleteSize|Peek|Size)$", "a queue"),
    (r"Summary", "a summary op"),
    (r"^_?(Host)?(Send|Recv)$|^_CopyFrom", "a transfer between devices, which the planner makes itself"),
    (r"Session(Handle|Tensor)", "an op that keeps tensors in a session, which this library does not"),
    (r"^CudnnRNN|^GenerateBoundingBoxProposals$", "TensorFlow has it for GPUs only, and this library has no kernel for it"),
    (r"^_", "an op that TensorFlow makes for itself while it runs a graph"),
    (r"", "no kernel in this library yet"),
]


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]


def choose(registry, dump):
    here = {row[0] for row in rows(dump) if row[5] == "kernel" or row[6] == "structural"}
    print("# op\tinputs\toutputs\tattrs\tstateful\treason")
    for op, inputs, outputs, attrs, flags in sorted(row[:5] for row in rows(registry)):
        if op in here or "t" in flags:
            continue
        reason = next(reason for pattern, reason in REASONS if re.search(pattern, op))
        print(op, inputs, outputs, attrs, "stateful" if "s" in flags else "-", reason, sep="\t")


# Files by the meson option that brings them in, as in the meson.build of their folders.
OPTIONAL = {
    "images": "image/decode_image image/encode_image",
    "text": "string/regex string/text_normalize string/text_script_tokenizers string/text_tokenizers string/unicode",
    "linalg": "linalg/banded_triangular_solve linalg/cholesky linalg/eigen_decomposition linalg/lu_decomposition linalg/matrix_functions "
              "linalg/matrix_solve_ls linalg/matrix_triangular_solve linalg/qr linalg/svd linalg/tridiagonal sparse/csr_cholesky",
}


def optional(dump):
    here = {row[0]: row for row in rows(dump) if row[5] == "kernel"}
    print("# op\tinputs\toutputs\tattrs\tstateful\toption")
    for group, files in OPTIONAL.items():
        names = set()
        for name in files.split():
            with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".cc"), encoding="utf-8") as f:
                names.update(n for n in re.findall(r'"(\w+)"', f.read()) if n in here)
        for name in sorted(names):
            print(*here[name][:4], "stateful" if here[name][4] == "stateful" else "-", group, sep="\t")


def fnv1a(name):
    value = 2166136261
    for byte in name.encode("utf-8"):
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def embed(known, optional_ops, out, *left_out):
    reason = "this build leaves it out (meson option -D%s=enabled brings it back)"
    optional_rows = rows(optional_ops)
    names = {row[0] for row in optional_rows}
    listed = [row for row in rows(known) if row[0] not in names]
    listed += [row[:5] + [reason % row[5]] for row in optional_rows if row[5] in left_out]
    text = "".join("\t".join(row) + "\n" for row in listed).encode("utf-8")
    deflated = zlib.compress(text, 9)
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "ops/known_ops.h"\n\nnamespace savedmodel {\n\nconst size_t kKnownOpsSize = %d;\n' % len(text))
        f.write("const size_t kDeflatedKnownOpsSize = %d;\nconst unsigned char kDeflatedKnownOps[] = {" % len(deflated))
        for i, byte in enumerate(deflated):
            f.write(("\n    " if i % 32 == 0 else " ") + "%d," % byte)
        f.write("\n};\nconst size_t kKnownOpsCount = %d;\nconst uint32_t kKnownOpsHashes[] = {" % len(listed))
        for i, value in enumerate(sorted(fnv1a(row[0]) for row in listed)):
            f.write(("\n    " if i % 12 == 0 else " ") + "%du," % value)
        f.write("\n};\n\n}  // namespace savedmodel\n")


{"choose": choose, "optional": optional, "embed": embed}[sys.argv[1]](*sys.argv[2:])
