"""The C interface from Python's ctypes: ctypes_test.py LIBRARY FOLDER_OF_EXAMPLE_MODELS"""
import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_float, c_int32, c_int64, c_size_t, c_void_p

FLOAT, STRING = 1, 7
NOT_FOUND, INVALID_ARGUMENT = 5, 3


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("num_threads", c_int32), ("precision", c_int32), ("memory_limit", c_int64), ("max_plans", c_int32),
                ("disable_winograd", c_int32), ("map_files", c_int32), ("follow_links_out", c_int32), ("thread_pool", c_void_p),
                ("log", c_void_p), ("log_user", c_void_p)]


class TensorInfo(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("key", c_char_p), ("tensor_name", c_char_p), ("dims", POINTER(c_int64)), ("rank", c_int32),
                ("type", c_int32), ("has_default", c_int32)]


lib = ctypes.CDLL(sys.argv[1])
models = sys.argv[2]
DELETER = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, c_void_p)
for name, result in [("SavedModelVersionString", c_char_p), ("SmErrorMessage", c_char_p), ("SmModelSignatureName", c_char_p),
                     ("SmTensorData", c_void_p), ("SmTensorElementCount", c_int64), ("SmTensorDim", c_int64), ("SmErrorFree", None),
                     ("SmTensorFree", None), ("SmModelFree", None), ("SmCallableFree", None)]:
    getattr(lib, name).restype = result
lib.SmModelSignatureName.argtypes = [c_void_p, c_size_t]
lib.SmTensorData.argtypes = lib.SmTensorFree.argtypes = lib.SmModelFree.argtypes = lib.SmCallableFree.argtypes = [c_void_p]
lib.SmErrorMessage.argtypes = lib.SmErrorFree.argtypes = [c_void_p]
lib.SmTensorDim.argtypes = [c_void_p, c_int32]


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def call(name, *arguments):
    error = c_void_p()
    code = getattr(lib, name)(*arguments, byref(error))
    if code:
        message = lib.SmErrorMessage(error).decode()
        lib.SmErrorFree(error)
        raise Failure(code, message)
    assert not error


def names(*texts):
    return (c_char_p * len(texts))(*[t.encode() for t in texts])


def load(name, options=None):
    model = c_void_p()
    call("SmModelLoad", (models + "/" + name).encode(), None, c_size_t(0), options, byref(model))
    return model


def fails(code, part, run, *arguments):
    try:
        run(*arguments)
    except Failure as failure:
        assert failure.code == code and part in str(failure), (failure.code, failure)
        return
    raise AssertionError("no failure")


assert lib.SavedModelVersionString().decode() == "%d.%d.%d" % (lib.SavedModelVersion() // 10000, lib.SavedModelVersion() // 100 % 100, lib.SavedModelVersion() % 100)
fails(NOT_FOUND, "Could not find SavedModel", load, "none")
options = SessionOptions(size=ctypes.sizeof(SessionOptions), num_threads=2)

# Strings in, strings and floats out, by signature.
model = load("language", byref(options))
assert lib.SmModelSignatureName(model, 0) == b"serving_default" and lib.SmModelSignatureName(model, 1) is None
info = TensorInfo(size=ctypes.sizeof(TensorInfo))
call("SmModelInput", model, b"serving_default", c_size_t(0), byref(info))
assert (info.key, info.type, info.rank, info.dims[0]) == (b"text", STRING, 1, -1)
texts = c_void_p()
call("SmTensorMakeStrings", (c_int64 * 1)(2), 1, names("wir sind in dem haus", "we are in the house"), None, c_size_t(2), byref(texts))
outputs = (c_void_p * 2)()
call("SmRunSignature", model, b"serving_default", names("text"), byref(texts), c_size_t(1), names("label", "scores"), outputs, c_size_t(2), None)
labels = []
for i in range(2):
    text, length = c_char_p(), c_size_t()
    call("SmTensorString", c_void_p(outputs[0]), c_int64(i), byref(text), byref(length))
    labels.append(text.value.decode())
assert labels == ["German", "English"], labels
assert lib.SmTensorDim(outputs[1], 1) == 3
for tensor in list(outputs) + [texts]:
    lib.SmTensorFree(tensor)
lib.SmModelFree(model)

# The caller's memory in, a prepared run, the same output tensor each time; handles freed in any order.
options.size = 1
fails(INVALID_ARGUMENT, "size is 1", load, "steering", byref(options))
model = load("steering")
callable_ = c_void_p()
call("SmCallableMake", model, names("state"), c_size_t(1), names("acceleration/sum"), c_size_t(1), None, c_size_t(0), None, byref(callable_))
lib.SmModelFree(model)
freed = []
deleter = DELETER(lambda data, size, user: freed.append(size))
memory = (c_float * 4)(0.5, 0, 0, 0)
state, result = c_void_p(), c_void_p()
call("SmTensorWrap", FLOAT, (c_int64 * 2)(1, 4), 2, memory, c_size_t(16), deleter, None, byref(state))
seen = set()
for x in (0.5, -0.5):
    memory[0] = x
    call("SmCallableRun", callable_, byref(state), c_size_t(1), byref(result), c_size_t(1))
    acceleration = ctypes.cast(lib.SmTensorData(result), POINTER(c_float))
    assert abs(acceleration[0] - 2 * x) < 0.2 and abs(acceleration[1]) < 0.2
    seen.add(lib.SmTensorData(result))
assert len(seen) == 1 and not freed
lib.SmCallableFree(callable_)
lib.SmTensorFree(state)
assert freed == [16]
lib.SmTensorFree(result)
print("c interface from ctypes: ok")
