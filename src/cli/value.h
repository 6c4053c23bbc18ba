// A Python value: what literals, expressions and pickles give. Plain data; nothing is executed.
#ifndef SAVEDMODEL_CLI_VALUE_H_
#define SAVEDMODEL_CLI_VALUE_H_

#include <complex>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "savedmodel/tensor.h"

namespace savedmodel::cli {

struct Array;

struct Value {
  enum class Kind { kNone, kBool, kInt, kBigInt, kFloat, kComplex, kString, kBytes, kList, kTuple, kSet, kDict, kArray, kDtype };
  Kind kind = Kind::kNone;
  int64_t integer = 0;               // of kBool and kInt
  std::complex<double> number;       // of every number
  std::string text;                  // of kString (UTF-8) and kBytes; the decimal digits of a kBigInt
  std::vector<Value> items, keys;    // of lists, tuples, sets; values and keys of a dict
  std::shared_ptr<const Array> array;
  DataType dtype = DataType::kInvalid;  // of kDtype (np.float32); kString for str

  static Value Bool(bool value);
  static Value Int(int64_t value);
  static Value BigInt(std::string digits);  // a kInt where it fits
  static Value Float(double value);
  static Value Complex(std::complex<double> value);
  static Value String(std::string text);
  static Value Bytes(std::string bytes);
  static Value Of(Kind kind, std::vector<Value> items);
  static Value Of(Array array);
  bool IsNumber() const { return kind >= Kind::kBool && kind <= Kind::kComplex; }
  bool IsSequence() const { return kind == Kind::kList || kind == Kind::kTuple; }
};

// numpy's ndarray: numbers, bools, texts (elements of dtype string) or objects.
struct Array {
  enum class Text { kNone, kUnicode, kBytes };
  Tensor tensor;              // unless `objects`
  Text text = Text::kNone;    // which texts a tensor of strings holds
  bool objects = false;
  TensorShape shape;          // of both
  std::vector<Value> items;   // the objects, row-major
};

// Python's names of types: "int", "NoneType", "numpy.ndarray".
const char* KindName(Value::Kind kind);
std::string TypeText(const Value& value);  // <class 'int'>

std::string ValueRepr(const Value& value);
std::string ValueText(const Value& value);  // Python's str()

// As Python compares: 1 == 1.0 == True, texts only with their own kind.
bool Equal(const Value& a, const Value& b);
bool Hashable(const Value& value);
// Adds to a set or, with its value, to a dict; an equal key is replaced.
void Insert(Value* set_or_dict, Value key, Value value);
// The value of `key` in a dict, or null.
const Value* Find(const Value& dict, absl::string_view key);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_VALUE_H_
