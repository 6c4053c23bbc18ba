#include "cli/pickle_objects.h"

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/python_error.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Object::Kind;
constexpr int kMaxDepth = 200;
constexpr int64_t kMaxValues = 1 << 22;
constexpr size_t kMaxKeys = 10000;

absl::Status Bad(const std::string& what) { return PythonError("_pickle.UnpicklingError", "not a readable pickle: ", what); }

absl::Status Refused(const std::string& name) {
  return PythonError("_pickle.UnpicklingError", "the pickle holds ", name,
                     ", which is not read; None, bools, numbers, texts, lists, tuples, sets, dicts and numpy's arrays of them are");
}

bool IsInt(const Object* object) { return object->kind == Kind::kPlain && object->value.kind == Value::Kind::kInt; }
bool IsText(const Object* object) { return object->kind == Kind::kPlain && object->value.kind == Value::Kind::kString; }

// Each letter below U+0100 as one byte.
bool Latin1(const std::string& text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if (c < 0x80) {
      *out += text[i];
    } else if ((c & 0xfc) == 0xc0 && i + 1 < text.size()) {
      *out += static_cast<char>(c << 6 | (static_cast<uint8_t>(text[++i]) & 0x3f));
    } else {
      return false;
    }
  }
  return true;
}

absl::StatusOr<TensorShape> ShapeOf(const Object& sizes) {
  TensorShape shape;
  if (IsInt(&sizes) && sizes.value.integer >= 0) {
    shape.AddDim(sizes.value.integer);
    return shape;
  }
  if (sizes.kind != Kind::kTuple || sizes.items.size() > 64) return Bad("an array's shape is no tuple");
  for (const Object* size : sizes.items) {
    if (!IsInt(size) || size->value.integer < 0) return Bad("an array's shape is no tuple of sizes");
    shape.AddDim(size->value.integer);
  }
  if (!shape.valid()) return Bad("an array is too large");
  return shape;
}

}  // namespace

Object* Objects::Plain(Value value) {
  pool_.emplace_back().value = std::move(value);
  return &pool_.back();
}

Object* Objects::Of(Kind kind, std::vector<Object*> items) {
  Object& object = pool_.emplace_back();
  object.kind = kind;
  object.items = std::move(items);
  return &object;
}

Object* Objects::Global(const std::string& module, const std::string& name) {
  Object* global = Plain(Value::String(absl::StrCat(module, ".", name)));
  global->kind = Kind::kGlobal;
  return global;
}

absl::Status Objects::Append(Object* container, std::vector<Object*> items) {
  if (container->kind == Kind::kDict && items.size() % 2 != 0) return Bad("a key without a value");
  if (container->kind != Kind::kList && container->kind != Kind::kDict && container->kind != Kind::kSet) return Bad("items for what takes none");
  container->items.insert(container->items.end(), items.begin(), items.end());
  return absl::OkStatus();
}

absl::StatusOr<Object*> Objects::Call(const Object* callee, const Object* arguments) {
  if (callee->kind != Kind::kGlobal) return Bad("it calls what is no function");
  if (arguments->kind != Kind::kTuple) return Bad("a call without arguments");
  const std::string& name = callee->value.text;
  const std::vector<Object*>& args = arguments->items;
  if (name == "numpy.dtype" && !args.empty() && IsText(args[0])) {
    SM_ASSIGN_OR_RETURN(NumpyType type, ParseNumpyType(args[0]->value.text));
    Object* dtype = Of(Kind::kDtype, {});
    dtype->type = type;
    return dtype;
  }
  const bool numpy = absl::StartsWith(name, "numpy._core.") || absl::StartsWith(name, "numpy.core.");
  if (numpy && absl::EndsWith(name, ".multiarray._reconstruct")) return Of(Kind::kArray, {});
  if (numpy && absl::EndsWith(name, ".multiarray.scalar") && args.size() == 2 && args[0]->kind == Kind::kDtype) {
    if (args[0]->type.objects) return const_cast<Object*>(args[1]);
    return NewArray(*args[0], *Of(Kind::kTuple, {}), *args[1], false);
  }
  if (numpy && absl::EndsWith(name, ".numeric._frombuffer") && args.size() == 4 && args[1]->kind == Kind::kDtype && IsText(args[3])) {
    return NewArray(*args[1], *args[2], *args[0], args[3]->value.text == "F");
  }
  if (name == "_codecs.encode" && !args.empty() && IsText(args[0])) {
    std::string bytes;
    if (!Latin1(args[0]->value.text, &bytes)) return Bad("bytes with letters beyond Latin-1");
    return Plain(Value::Bytes(std::move(bytes)));
  }
  const bool builtin = absl::StartsWith(name, "builtins.") || absl::StartsWith(name, "__builtin__.");
  if (builtin && absl::EndsWith(name, ".complex") && args.size() == 2 && args[0]->value.IsNumber() && args[1]->value.IsNumber()) {
    return Plain(Value::Complex({args[0]->value.number.real(), args[1]->value.number.real()}));
  }
  if (builtin && (absl::EndsWith(name, ".bytes") || absl::EndsWith(name, ".bytearray"))) {
    std::string bytes = args.empty() ? "" : args[0]->value.text;
    if (!args.empty() && IsText(args[0])) {
      bytes.clear();
      if (!Latin1(args[0]->value.text, &bytes)) return Bad("bytes with letters beyond Latin-1");
    }
    Object* made = Plain(Value::Bytes(std::move(bytes)));
    made->made = absl::EndsWith(name, ".bytearray");
    return made;
  }
  if (builtin && (absl::EndsWith(name, ".set") || absl::EndsWith(name, ".frozenset"))) {
    if (args.empty()) return Of(Kind::kSet, {});
    if (args[0]->kind == Kind::kList || args[0]->kind == Kind::kTuple) return Of(Kind::kSet, args[0]->items);
  }
  if (name == "collections.OrderedDict" && args.empty()) return Of(Kind::kDict, {});
  if (name == "collections.OrderedDict" && args[0]->kind == Kind::kList) {  // of pairs
    Object* dict = Of(Kind::kDict, {});
    for (const Object* pair : args[0]->items) {
      if (pair->items.size() != 2) return Bad("a key without a value");
      dict->items.insert(dict->items.end(), pair->items.begin(), pair->items.end());
    }
    return dict;
  }
  return Refused(name);
}

absl::StatusOr<Object*> Objects::NewArray(const Object& dtype, const Object& shape, const Object& data, bool fortran) {
  Object* array = Of(Kind::kArray, {});
  SM_RETURN_IF_ERROR(Fill(array, dtype, shape, data, fortran));
  return array;
}

absl::Status Objects::Fill(Object* array, const Object& dtype, const Object& sizes, const Object& data, bool fortran) {
  if (array->made) return Bad("an array is filled twice");
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeOf(sizes));
  array->made = true;
  if (dtype.type.objects) {
    if (data.kind != Kind::kList || static_cast<int64_t>(data.items.size()) != shape.num_elements()) {
      return Bad("an array has not as many elements as its shape says");
    }
    array->shape = shape;
    array->items = data.items;
    return absl::OkStatus();
  }
  std::string bytes = data.value.text;
  if (IsText(&data)) {  // Python 2
    bytes.clear();
    if (!Latin1(data.value.text, &bytes)) return Bad("an array without bytes");
  } else if (data.kind != Kind::kPlain || data.value.kind != Value::Kind::kBytes) {
    return Bad("an array without bytes");
  }
  if (bytes.size() > room_) return Bad("its arrays hold more bytes than the file");
  room_ -= bytes.size();
  SM_ASSIGN_OR_RETURN(Array made, DecodeArray(dtype.type, shape, fortran, bytes));
  array->value = Value::Of(std::move(made));
  return absl::OkStatus();
}

absl::Status Objects::Build(Object* object, const Object* state) {
  if (object->kind == Kind::kDtype) {  // (version, byte order, subdtype, names, fields, size, alignment, flags)
    if (state->kind != Kind::kTuple || state->items.size() < 5 || !IsText(state->items[1])) return Bad("a dtype without its state");
    for (size_t i = 2; i < 5; ++i) {
      if (state->items[i]->kind != Kind::kPlain || state->items[i]->value.kind != Value::Kind::kNone) return Refused("an array of records");
    }
    object->type.swap = state->items[1]->value.text == ">";
    return absl::OkStatus();
  }
  if (object->kind == Kind::kArray) {  // (version, shape, dtype, Fortran order, bytes or list)
    const std::vector<Object*>& items = state->items;
    if (state->kind != Kind::kTuple || items.size() < 4 || items.size() > 5) return Bad("an array without its state");
    const size_t first = items.size() - 4;
    if (items[first + 1]->kind != Kind::kDtype) return Bad("an array without a dtype");
    const Value& order = items[first + 2]->value;
    return Fill(object, *items[first + 1], *items[first], *items[first + 3], order.IsNumber() && order.number != 0.0);
  }
  if (object->kind == Kind::kDict && state->kind == Kind::kPlain && state->value.kind == Value::Kind::kNone) return absl::OkStatus();
  return Refused("an object with a state");
}

absl::StatusOr<Value> Objects::ToValue(const Object* object) { return Convert(object, 0); }

absl::StatusOr<Value> Objects::Convert(const Object* object, int depth) {
  if (depth > kMaxDepth) return Bad("lists nested too deeply");
  if (++values_ > kMaxValues) return Bad("too many values; save an array instead of lists");
  switch (object->kind) {
    case Kind::kPlain: {
      if (!object->made) return object->value;
      NumpyType bytes;  // numpy takes a bytearray as numbers
      bytes.type = DataType::kUInt8;
      SM_ASSIGN_OR_RETURN(Array array, DecodeArray(bytes, {static_cast<int64_t>(object->value.text.size())}, false, object->value.text));
      return Value::Of(std::move(array));
    }
    case Kind::kGlobal: return Refused(object->value.text);
    case Kind::kDtype: return Refused("numpy.dtype");
    case Kind::kArray: break;
    case Kind::kDict: case Kind::kSet: {
      const bool dict = object->kind == Kind::kDict;
      Value value;
      value.kind = dict ? Value::Kind::kDict : Value::Kind::kSet;
      if (object->items.size() > kMaxKeys) return Bad("too many keys");
      for (size_t i = 0; i < object->items.size(); i += dict ? 2 : 1) {
        SM_ASSIGN_OR_RETURN(Value key, Convert(object->items[i], depth + 1));
        if (!Hashable(key)) return Bad("a key that cannot be one");
        Value item;
        if (dict) {
          SM_ASSIGN_OR_RETURN(item, Convert(object->items[i + 1], depth + 1));
        }
        Insert(&value, std::move(key), std::move(item));
      }
      return value;
    }
    default: {
      Value value;
      value.kind = object->kind == Kind::kList ? Value::Kind::kList : Value::Kind::kTuple;
      for (const Object* item : object->items) {
        SM_ASSIGN_OR_RETURN(value.items.emplace_back(), Convert(item, depth + 1));
      }
      return value;
    }
  }
  if (!object->made) return Bad("an array without elements");
  if (object->value.kind == Value::Kind::kArray) return object->value;
  Array array;
  array.objects = true;
  array.shape = object->shape;
  for (size_t i = 0; i < object->items.size(); ++i) {
    SM_ASSIGN_OR_RETURN(array.items.emplace_back(), Convert(object->items[i], depth + 1));
  }
  return Value::Of(std::move(array));
}

}  // namespace savedmodel::cli
