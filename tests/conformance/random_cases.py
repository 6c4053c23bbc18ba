#!/usr/bin/env python3
"""Makes random conformance cases and lets TensorFlow (pip: tensorflow==2.21.0) answer them.

  random_cases.py OUT.tfrecord.gz --from CASES.tfrecord.gz ... [--ops REGEX] [--per-op 30] [--seed 1] [--jobs 1]
  random_cases.py OUT.tfrecord.gz --ops 'Abs|Roll' --per-op 50        out of the registry alone

A case of --from whose graph holds the op is varied: other dtypes, sizes, values (NaN, infinities, extreme integers), attribute
values, static shapes that are known, partly known or unknown; and it is broken: ranks, sizes and indices that do not fit. So what
an op wants of its inputs (sorted indices, serialized protos) comes from the cases. Ops without a case get random tensors.
Each op runs in a process of its own, since the reference crashes on some inputs; what crashes, differs from run to run, or fails for
want of a kernel is left out. Then: conformance --verbose OUT.tfrecord.gz
"""
import argparse, copy, gzip, os, random, re, resource, signal, struct, sys, time, zlib

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import attr_value_pb2, graph_pb2, tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import dtypes, op_def_registry, tensor_util

HERE = os.path.dirname(os.path.abspath(__file__))
PLUMBING = {"Const", "Placeholder", "PlaceholderV2", "Identity", "NoOp", "_Arg", "_Retval", "VarHandleOp", "AssignVariableOp"}


# ---------------------------------------------------------------------------------------------------- case files

def case_class():
    """The message Case of case.proto, read from its text."""
    file = descriptor_pb2.FileDescriptorProto(name="case.proto", package="conformance", syntax="proto3")
    kinds = {"string": 9, "bytes": 12, "bool": 8, "int32": 5, "double": 1}
    message = None
    for line in open(os.path.join(HERE, "case.proto")):
        if m := re.match(r"message (\w+)", line):
            message = file.message_type.add(name=m[1])
        elif m := re.match(r"\s*map<string, bytes> (\w+) = (\d+)", line):
            entry = message.nested_type.add(name="FeedsEntry")
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, type=9, label=1)
            entry.field.add(name="value", number=2, type=12, label=1)
            message.field.add(name=m[1], number=int(m[2]), type=11, label=3, type_name=".conformance.Case.FeedsEntry")
        elif m := re.match(r"\s*(repeated )?(\w+) (\w+) = (\d+);", line):
            field = message.field.add(name=m[3], number=int(m[4]), type=kinds.get(m[2], 11), label=3 if m[1] else 1)
            if m[2] not in kinds: field.type_name = ".conformance." + m[2]
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("conformance.Case"))


Case = case_class()


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8): i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc32c_table()


def masked_crc(data):
    c = 0xFFFFFFFF
    for byte in data: c = TABLE[(c ^ byte) & 255] ^ c >> 8
    c ^= 0xFFFFFFFF
    return ((c >> 15 | c << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc(head)) + data + struct.pack("<I", masked_crc(data))


def read_cases(path):
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as f:
        while head := f.read(12):
            data = f.read(struct.unpack("<Q", head[:8])[0])
            f.read(4)
            yield Case.FromString(data)


def array(data):
    proto = data if isinstance(data, tensor_pb2.TensorProto) else tensor_pb2.TensorProto.FromString(data)
    return tensor_util.MakeNdarray(proto), dtypes.as_dtype(proto.dtype)


def proto_of(value, dtype):
    """A TensorProto of raw bytes; strings as a list."""
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for d in value.shape: proto.tensor_shape.dim.add(size=d)
    if dtype == tf.string:
        proto.string_val.extend(v if isinstance(v, bytes) else str(v).encode() for v in value.ravel())
    else:
        proto.tensor_content = np.ascontiguousarray(value).tobytes()
    return proto


# ---------------------------------------------------------------------------------------------------- what is varied

class Sketch:
    """A graph, its constants and feeds as arrays: {tensor name: [array, dtype]}."""

    def __init__(self, case):
        self.name = case.name
        meta = saved_model_pb2.SavedModel.FromString(case.model).meta_graphs[0]
        self.graph = meta.graph_def
        self.tensors, self.constants = {}, set()
        for key, value in case.feeds.items(): self.tensors[key.split(":")[0]] = list(array(value))
        for node in self.graph.node:
            if node.op == "Const" and node.attr["value"].tensor.dtype != 21:
                self.tensors[node.name] = list(array(node.attr["value"].tensor))
                self.constants.add(node.name)
        self.fetches = [(f.name, f.shape_only) for f in case.fetches]
        self.targets = list(case.targets)
        self.rtol, self.atol = case.rtol, case.atol

    def nodes(self, op):
        return [n for n in self.graph.node if n.op == op]

    def finish(self):
        """Writes the arrays into the graph; gives the feeds."""
        feeds = {}
        for node in self.graph.node:
            if node.name not in self.tensors: continue
            value, dtype = self.tensors[node.name]
            if node.name in self.constants:
                node.attr["value"].tensor.CopyFrom(proto_of(value, dtype))
                node.attr["dtype"].type = dtype.as_datatype_enum
            else:
                node.attr["dtype"].type = dtype.as_datatype_enum
                feeds[node.name + ":0"] = proto_of(value, dtype)
        return feeds


SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 1.0, -1.0, 65504.0, 3e38, 0.5, -2.5]
WORDS = [b"", b"a", b"ABC", b"foo/bar", b"a b  c", b"42", b"-1.5e3", b"\xff\xfe", "日本語".encode(), "été".encode(), b"x=1", b"the quick brown fox", b"nan", b"0x1F", b" 7 "]


def storage(value):
    """The plain array of a quantized one."""
    return value.view(value.dtype[0]) if value.dtype.fields else value


def random_values(r, shape, dtype, like=None):
    if dtype == tf.string: return np.array([r.choice(WORDS) for _ in range(int(np.prod(shape)))], object).reshape(shape)
    if dtype == tf.bool: return np.array(r.getrandbits(int(np.prod(shape)) + 1) >> np.arange(int(np.prod(shape)), dtype=object) & 1, bool).reshape(shape) if np.prod(shape) else np.zeros(shape, bool)
    g = np.random.default_rng(r.getrandbits(32))
    kind = np.dtype(dtype.as_numpy_dtype)
    if dtype.is_complex: return (g.normal(size=shape) * 2 + 1j * g.normal(size=shape) * 2).astype(kind)
    if dtype.is_floating:
        way = r.random()
        if way < 0.1: return np.array([r.choice(SPECIAL) for _ in range(int(np.prod(shape)))]).reshape(shape).astype(kind)
        if way < 0.4: return (g.integers(-20, 20, shape) / 2).astype(kind)
        return (g.normal(size=shape) * r.choice([0.5, 1, 1, 3, 20])).astype(kind)
    plain = kind[0] if kind.fields else kind
    limit = np.iinfo(plain)
    if r.random() < 0.1: value = g.choice(np.array([limit.min, limit.min + 1, limit.max, limit.max - 1, 0, 1], plain), shape)
    else: value = g.integers(max(limit.min, -20), min(limit.max, 20), shape, endpoint=True).astype(plain)
    return np.ascontiguousarray(value, plain).reshape(shape).view(kind) if kind.fields else np.asarray(value, plain)


def change_values(r, s):
    for name, (value, dtype) in s.tensors.items():
        if r.random() < 0.4 or value.size == 0: continue
        if dtype.is_floating or dtype.is_complex:
            if r.random() < 0.5 and value.size > 1:
                s.tensors[name][0] = np.random.default_rng(r.getrandbits(32)).permutation(value.ravel()).reshape(value.shape)
            else:
                s.tensors[name][0] = random_values(r, value.shape, dtype)
        elif dtype == tf.bool:
            s.tensors[name][0] = random_values(r, value.shape, dtype)
        elif dtype == tf.string:
            if r.random() < 0.3: s.tensors[name][0] = random_values(r, value.shape, dtype)
            elif value.size: s.tensors[name][0] = np.array([r.choice(list(value.ravel())) for _ in range(value.size)], object).reshape(value.shape)
        elif value.size > 8 and r.random() < 0.7:
            flat = value.ravel()
            s.tensors[name][0] = np.array([flat[r.randrange(flat.size)] for _ in range(flat.size)], value.dtype).reshape(value.shape)
        elif r.random() < 0.5:
            tweak_integer(r, s, name)


def tweak_integer(r, s, name):
    value, dtype = s.tensors[name]
    value = np.array(value)
    plain = storage(value).reshape(-1)
    limit, i = np.iinfo(plain.dtype), r.randrange(plain.size)
    old = int(plain[i])
    new = r.choice([old + 1, old - 1, -old, old - 2, 0, 1, -1, 2, old * 2, r.randint(-4, 6), limit.max if r.random() < 0.2 else old + 3, limit.min if r.random() < 0.2 else 3])
    plain[i] = min(max(new, limit.min), limit.max)
    s.tensors[name][0] = value


def change_size(r, s):
    """One size becomes another wherever it is."""
    sizes = sorted({d for v, _ in s.tensors.values() for d in v.shape})
    if not sizes: return
    old, new = r.choice(sizes), r.choice([0, 1, 2, 3, 4, 5, 6, 7, 9, 17])
    for name, (value, dtype) in s.tensors.items():
        for axis, d in enumerate(value.shape):
            if d == old: value = np.take(value, [i % d for i in range(new)], axis) if d else np.zeros(value.shape[:axis] + (new,) + value.shape[axis + 1:], value.dtype) if dtype != tf.string else random_values(r, value.shape[:axis] + (new,) + value.shape[axis + 1:], dtype)
        if dtype in (tf.int32, tf.int64) and value.ndim <= 1 and value.size <= 6 and r.random() < 0.8: value = np.where(value == old, new, value).astype(value.dtype)
        s.tensors[name][0] = value


def change_rank(r, s):
    """Every tensor of the highest rank gains or loses a dimension, or one tensor alone does."""
    names = [n for n, (v, _) in s.tensors.items()]
    if not names: return
    top = max(s.tensors[n][0].ndim for n in names)
    chosen = [n for n in names if s.tensors[n][0].ndim == top] if r.random() < 0.5 else [r.choice(names)]
    grow = r.random() < 0.5 or top == 0
    for name in chosen:
        value, dtype = s.tensors[name]
        if grow: s.tensors[name][0] = np.concatenate([value[None]] * r.choice([1, 1, 2]), 0)
        elif value.ndim and value.shape[0]: s.tensors[name][0] = value[0] if isinstance(value[0], np.ndarray) else np.array(value[0], value.dtype)


def break_shape(r, s):
    names = list(s.tensors)
    if not names: return
    name = r.choice(names)
    value, dtype = s.tensors[name]
    if value.ndim == 0 or r.random() < 0.2:
        s.tensors[name][0] = np.stack([value] * r.choice([1, 2]))
        return
    axis = r.randrange(value.ndim)
    d = value.shape[axis]
    new = r.choice([d + 1, d - 1, 0, d + 2, 1])
    if d and new >= 0: s.tensors[name][0] = np.take(value, [i % d for i in range(new)], axis)


def allowed_types(attr):
    return [dtypes.as_dtype(t) for t in attr.allowed_values.list.type] or [tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int32, tf.int64, tf.int8, tf.uint8, tf.int16,
                                                                           tf.uint16, tf.uint32, tf.uint64, tf.bool, tf.string, tf.complex64, tf.complex128]


def convert(r, value, dtype, to):
    if to == tf.string or dtype == tf.string: return random_values(r, value.shape, to)
    plain = np.array(storage(value))
    kind = np.dtype(to.as_numpy_dtype)
    with np.errstate(all="ignore"):
        if kind.fields: return np.ascontiguousarray(np.nan_to_num(plain.real if plain.dtype.kind == "c" else plain.astype(np.float64)).astype(kind[0])).view(kind).reshape(value.shape)
        if plain.dtype.kind == "c" and kind.kind != "c": plain = plain.real
        if to.is_integer: plain = np.nan_to_num(plain.astype(np.float64) if plain.dtype.kind not in "iub" else plain)
        return plain.astype(kind)


def inputs_by_attr(node, definition):
    """[(input tensor, type attribute or '')] in order."""
    out, at, inputs = [], 0, [i for i in node.input if not i.startswith("^")]
    for arg in definition.input_arg:
        count = node.attr[arg.number_attr].i if arg.number_attr else len(node.attr[arg.type_list_attr].list.type) if arg.type_list_attr else 1
        out += [(i, arg.type_attr) for i in inputs[at:at + count]]
        at += count
    return out


def change_type(r, s, op):
    node = r.choice(s.nodes(op))
    definition = op_def_registry.get(op)
    attrs = [a for a in definition.attr if a.type == "type"]
    if not attrs: return
    attr = r.choice(attrs)
    to = r.choice(allowed_types(attr))
    node.attr[attr.name].type = to.as_datatype_enum
    for name, by in inputs_by_attr(node, definition):
        if by != attr.name: continue
        base = name.split(":")[0]
        if base in s.tensors:
            value, dtype = s.tensors[base]
            s.tensors[base] = [convert(r, value, dtype, to), to]


def change_attr(r, s, op):
    node = r.choice(s.nodes(op))
    attrs = [a for a in op_def_registry.get(op).attr if a.type in ("int", "float", "bool", "string", "list(int)", "list(float)", "list(string)")]
    counts = {a.number_attr for a in op_def_registry.get(op).input_arg} | {a.number_attr for a in op_def_registry.get(op).output_arg}
    attrs = [a for a in attrs if a.name not in counts and not a.name.startswith("_") and a.name not in ("seed", "seed2", "shared_name", "container")]
    if not attrs: return
    attr = r.choice(attrs)
    if attr.name not in node.attr:
        if not attr.HasField("default_value"): return
        node.attr[attr.name].CopyFrom(attr.default_value)
    value = node.attr[attr.name]
    if attr.type == "bool": value.b = not value.b
    elif attr.type == "int": value.i = r.choice([value.i + 1, value.i - 1, 0, 1, -1, 2, -value.i, value.i * 2, r.randint(-3, 8)])
    elif attr.type == "float": value.f = r.choice([0.0, 1.0, -1.0, value.f * 2, value.f / 2, -value.f, 0.1, float("inf"), float("nan")])
    elif attr.type == "string":
        allowed = [v for v in attr.allowed_values.list.s]
        if allowed: value.s = r.choice(allowed)
        elif r.random() < 0.3: value.s = r.choice([b"", b"x", b"NCHW", b"SAME", b"%"])
    elif attr.type == "list(int)" and value.list.i:
        i = r.randrange(len(value.list.i))
        value.list.i[i] = r.choice([value.list.i[i] + 1, value.list.i[i] - 1, 0, 1, 2, 3, -1])
    elif attr.type == "list(float)" and value.list.f:
        i = r.randrange(len(value.list.f))
        value.list.f[i] = r.choice([0.0, 1.0, -1.0, value.list.f[i] * 2])


def change_static_shapes(r, s):
    for node in s.graph.node:
        if node.op != "Placeholder" or node.name not in s.tensors: continue
        way, shape = r.random(), node.attr["shape"].shape
        shape.Clear()
        if way < 0.4: shape.unknown_rank = True
        else:
            for d in s.tensors[node.name][0].shape: shape.dim.add(size=d if way < 0.7 or r.random() < 0.5 else -1)


def vary(r, seed, op):
    s = copy.deepcopy(seed)
    ways = [lambda: change_values(r, s), lambda: change_size(r, s), lambda: change_type(r, s, op), lambda: change_attr(r, s, op), lambda: change_rank(r, s), lambda: break_shape(r, s)]
    for way in r.choices(ways, [6, 4, 4, 3, 1, 1.5], k=r.choice([1, 1, 2, 2, 3, 4])): way()
    change_static_shapes(r, s)
    return s


# ---------------------------------------------------------------------------------------------------- out of the registry

def invent(r, op):
    """A node of this op with random tensors."""
    definition = op_def_registry.get(op)
    s = Sketch(Case(name="invented", model=saved_model_pb2.SavedModel(meta_graphs=[{}]).SerializeToString()))
    node = graph_pb2.NodeDef(name="op", op=op)
    for attr in definition.attr:
        value = node.attr[attr.name]
        if attr.type == "type": value.type = r.choice(allowed_types(attr)).as_datatype_enum
        elif attr.HasField("default_value"): value.CopyFrom(attr.default_value)
        elif attr.type == "int": value.i = max(attr.minimum, r.randint(1, 3))
        elif attr.type == "float": value.f = r.choice([0.0, 1.0, 0.5, -1.0])
        elif attr.type == "bool": value.b = r.random() < 0.5
        elif attr.type == "string": value.s = r.choice(list(attr.allowed_values.list.s) or [b""])
        elif attr.type == "list(int)": value.list.i.extend([1] * r.randint(max(1, attr.minimum), 5))
        elif attr.type == "list(type)": value.list.type.extend([r.choice(allowed_types(attr)).as_datatype_enum for _ in range(r.randint(max(1, attr.minimum), 3))])
        elif attr.type == "shape": value.shape.SetInParent()
        else: return None
    sizes = [r.choice([0, 1, 2, 3, 4, 5]) if r.random() < 0.2 else r.choice([1, 2, 3, 4, 5]) for _ in range(7)]
    rank, same = r.choice([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]), r.random() < 0.6
    for arg in definition.input_arg:
        types = [arg.type or node.attr[arg.type_attr].type] * (node.attr[arg.number_attr].i if arg.number_attr else 1) if not arg.type_list_attr else node.attr[arg.type_list_attr].list.type
        for t in types:
            dtype = dtypes.as_dtype(t)
            if dtype in (tf.resource, tf.variant): return None
            own = rank if same else r.choice([0, 1, 2, 3, 4])
            shape = tuple(sizes[:own]) if r.random() < 0.85 else tuple(1 if r.random() < 0.4 else d for d in sizes[:own])
            name = "x%d" % len(s.tensors)
            s.graph.node.add(name=name, op="Placeholder").attr["dtype"].type = t
            s.tensors[name] = [random_values(r, shape, dtype), dtype]
            node.input.append(name)
    s.graph.node.append(node)
    outputs = sum(1 if not a.number_attr and not a.type_list_attr else node.attr[a.number_attr].i if a.number_attr else len(node.attr[a.type_list_attr].list.type) for a in definition.output_arg)
    s.fetches = [("op:%d" % i, False) for i in range(outputs)]
    change_static_shapes(r, s)
    return s


# ---------------------------------------------------------------------------------------------------- the reference

CONFIG = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
CONFIG.graph_options.rewrite_options.disable_meta_optimizer = True
CONFIG.graph_options.optimizer_options.opt_level = -1
# Failures of this script's making: graphs that do not fit together, or a dtype without a kernel.
MALFORMED = re.compile(r"No OpKernel|No gradient|NodeDef mentions|incompatible with expected|was passed \w+ from|Could not find device|is not in the list of allowed|"
                       r"Value for attr|Inconsistent|expected inputs|Duplicate node|Attr .* missing|does not match declared|edge|could not be fed|Cannot feed|Fetch argument|expects to be colocated|"
                       r"must be one of the following|has inputs? .* of type|passed to .* expected|does not match type|type mismatch|Op type not registered|mutable")


def run(graph, feeds, fetches, targets):
    """(code, message, tensors)."""
    try:
        with tf.Graph().as_default() as g:
            tf.import_graph_def(graph, name="")
            with tf.compat.v1.Session(graph=g, config=CONFIG) as session:
                out = session.run([fetches, [g.get_operation_by_name(t) for t in targets]], {k: array(v)[0] for k, v in feeds.items()})[0]
        return 0, "", [proto_of(np.asarray(v, object) if isinstance(v, (bytes, str)) else np.asarray(v), g.get_tensor_by_name(f).dtype.base_dtype) for v, f in zip(out, fetches)]
    except tf.errors.OpError as e: return e.error_code, e.message or "", []
    except (ValueError, TypeError, OverflowError) as e: return 3, str(e), []


def answer(sketch, name, op):
    """The case, or None where it says nothing."""
    feeds = sketch.finish()
    model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = model.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.CopyFrom(sketch.graph)
    fetches = [f for f, _ in sketch.fetches]
    code, message, tensors = run(sketch.graph, feeds, fetches, sketch.targets)
    if code and MALFORMED.search(message): return None
    if code not in (0, 3, 5, 6, 9, 11, 12): return None
    again = run(sketch.graph, feeds, fetches, sketch.targets)
    if again[0] != code: return None
    case = Case(name=name, source="random:" + op, model=model.SerializeToString(), tags=["serve"], code=code, message=message[:300], rtol=sketch.rtol, atol=sketch.atol, targets=sketch.targets)
    for key, value in feeds.items(): case.feeds[key] = value.SerializeToString()
    for i, (fetch, shape_only) in enumerate(sketch.fetches):
        if not code and tensors[i] != again[2][i]: shape_only = True
        case.fetches.add(name=fetch, tensor=b"" if code else tensors[i].SerializeToString(), shape_only=shape_only)
    case.ops.extend(sorted({n.op for n in sketch.graph.node} | {n.op for f in sketch.graph.library.function for n in f.node_def}))
    return case


def make(op, seeds, count, seed, first, out, progress):
    """Cases number first ... count - 1 of one op; `progress` says which is being run."""
    tf.get_logger().setLevel("ERROR")
    resource.setrlimit(resource.RLIMIT_AS, (24 << 30, 24 << 30))
    for k in range(first, count):
        os.pwrite(progress, b"%8d" % k, 0)
        r = random.Random(zlib.crc32(("%s/%d/%d" % (op, seed, k)).encode()))
        signal.alarm(30)
        try:
            sketch = vary(r, r.choice(seeds), op) if seeds else invent(r, op)
            case = answer(sketch, "%s_%d_%d" % (op, seed, k), op) if sketch is not None else None
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, MemoryError):
            continue  # a change that no tensor can hold
        if case is not None:
            data = record(case.SerializeToString())
            if len(data) < 1 << 20: os.write(out, data)


def make_apart(op, seeds, count, seed, path):
    """make() in child processes until all is done; crashes cost one case each."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    progress = os.open(path + ".at", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    first, crashes = 0, 0
    while first < count and crashes < 20:
        child = os.fork()
        if child == 0:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            try: make(op, seeds, count, seed, first, out, progress)
            except BaseException: os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0: break
        crashes += 1
        first = int(os.pread(progress, 8, 0)) + 1
    os.close(out)
    os.close(progress)
    os.unlink(path + ".at")
    return crashes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--from", dest="files", nargs="*", default=[])
    parser.add_argument("--ops", default=".*", help="regular expression of whole names")
    parser.add_argument("--per-op", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--single", action="store_true", help="vary only cases with no other op")
    args = parser.parse_args()
    wanted, seeds = re.compile(args.ops), {}
    for path in args.files:
        for case in read_cases(path):
            ops = {o for o in case.ops if o not in PLUMBING}
            if case.code or not case.model or case.signature or len(case.model) > 60000 or args.single and len(ops) > 1: continue
            sketch = None
            for op in ops:
                if not wanted.fullmatch(op): continue
                try: sketch = sketch or Sketch(case)
                except (ValueError, TypeError): break
                if not sketch.nodes(op): continue
                of = seeds.setdefault(op, [])
                of.append(sketch)
    names = sorted(seeds) if args.files else [o for o in sorted(op_def_registry.get_registered_ops() if hasattr(op_def_registry, "get_registered_ops") else
                                                            re.findall(r"[A-Za-z_]\w*", args.ops)) if wanted.fullmatch(o) and op_def_registry.get(o)]
    part = args.out + ".part"
    if os.path.exists(part): os.unlink(part)
    start = time.time()
    for i, op in enumerate(names):
        own = sorted(seeds.get(op, []), key=lambda s: len(s.graph.node))[:40]  # the simplest
        crashes = make_apart(op, own, args.per_op, args.seed, part)
        if crashes or i % 20 == 0: print("%4d/%d %s: %d crashes, %.0f s" % (i, len(names), op, crashes, time.time() - start), flush=True)
    with open(part, "rb") as f, gzip.open(args.out, "wb", 1) as g: g.write(f.read())
    os.unlink(part)


if __name__ == "__main__": main()
