// The objects of a pickle while it is read: shared parts are shared, nothing of them is ever called.
#ifndef SAVEDMODEL_CLI_PICKLE_OBJECTS_H_
#define SAVEDMODEL_CLI_PICKLE_OBJECTS_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/numpy_data.h"
#include "cli/value.h"

namespace savedmodel::cli {

struct Object {
  enum class Kind { kPlain, kList, kTuple, kSet, kDict, kGlobal, kDtype, kArray };
  Kind kind = Kind::kPlain;
  Value value;                  // of kPlain; of a made kArray of numbers; the name of a kGlobal ("numpy.dtype")
  std::vector<Object*> items;   // of containers (keys and values in turn) and of an array of objects, row-major
  NumpyType type;               // of kDtype
  TensorShape shape;            // of an array of objects
  bool made = false;            // a kArray that has its elements; a kPlain that is a bytearray
};

class Objects {
 public:
  // `bytes`: the pickle's size; arrays that share their bytes must not grow without limit.
  explicit Objects(size_t bytes) : room_(2 * bytes + (1 << 16)) {}
  size_t size() const { return pool_.size(); }
  Object* Plain(Value value);
  Object* Of(Object::Kind kind, std::vector<Object*> items);
  Object* Global(const std::string& module, const std::string& name);
  absl::Status Append(Object* container, std::vector<Object*> items);
  // Of the few functions that numpy's pickles name; others are refused by name.
  absl::StatusOr<Object*> Call(const Object* callee, const Object* arguments);
  absl::Status Build(Object* object, const Object* state);
  // Parts that are shared come out once for each place; all in all at most 4 million values.
  absl::StatusOr<Value> ToValue(const Object* object);

 private:
  absl::StatusOr<Object*> NewArray(const Object& dtype, const Object& shape, const Object& data, bool fortran);
  absl::Status Fill(Object* array, const Object& dtype, const Object& shape, const Object& data, bool fortran);
  absl::StatusOr<Value> Convert(const Object* object, int depth);

  std::deque<Object> pool_;
  int64_t values_ = 0;
  size_t room_;
};

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_PICKLE_OBJECTS_H_
