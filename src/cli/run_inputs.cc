#include "cli/run_inputs.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/example_input.h"
#include "cli/expression.h"
#include "cli/image_input.h"
#include "cli/json_value.h"
#include "cli/literal.h"
#include "cli/npy.h"
#include "cli/pickle.h"
#include "cli/python_error.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

struct FileInput {
  std::string key, file, name;  // name: of the array in the file, may be empty
};

using Expressions = std::vector<std::pair<std::string, Value>>;

void Warn(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "WARNING: %s\n", text.c_str());
}

template <typename Items, typename Item>
void Put(Items* items, Item item) {  // a dict's way: a key given twice keeps its place and takes the last value
  for (Item& there : *items) {
    if constexpr (std::is_same_v<Item, std::pair<std::string, Value>>) {
      if (there.first == item.first) return void(there = std::move(item));
    } else {
      if (there.key == item.key) return void(there = std::move(item));
    }
  }
  items->push_back(std::move(item));
}

// key=file or key=file[name]; the file's name has no brackets.
absl::StatusOr<std::vector<FileInput>> SplitInputs(const std::string& text) {
  std::vector<FileInput> inputs;
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ';'))) {
    if (piece.empty()) continue;
    FileInput input;
    const size_t equals = piece.find('=');
    if (equals != piece.npos) {
      input.key = piece.substr(0, equals);
      input.file = piece.substr(equals + 1);
    }
    const size_t open = input.file.find('[');
    bool good = true;
    if (open != input.file.npos && input.file.back() == ']') {
      input.name = input.file.substr(open + 1, input.file.size() - open - 2);
      input.file.resize(open);
      good = !input.name.empty();
    }
    if (!good || input.key.empty() || input.file.empty() || input.file.find_first_of("[]") != input.file.npos ||
        input.name.find_first_of("[]") != input.name.npos) {
      return PythonError("RuntimeError", "--inputs \"", piece,
                         "\" format is incorrect. Please follow\"<input_key>=<filename>\", or\"<input_key>=<filename>[<variable_name>]\"");
    }
    Put(&inputs, std::move(input));
  }
  return inputs;
}

// `seed`: of the random numbers; null: literals alone.
absl::StatusOr<Expressions> SplitExpressions(const std::string& text, const uint64_t* seed) {
  Expressions expressions;
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ';'))) {
    if (piece.empty()) continue;
    const size_t equals = piece.find('=');
    if (text.find('=') == text.npos) {
      return PythonError("RuntimeError", "--input_exprs \"", text, "\" format is incorrect. Please follow\"<input_key>=<python expression>\"");
    }
    if (equals == piece.npos) return PythonError("ValueError", "not enough values to unpack (expected 2, got 1)");
    const std::string expression = piece.substr(equals + 1);
    absl::StatusOr<Value> value = ParseLiteral(expression);
    if (!value.ok() && seed != nullptr) value = EvaluateExpression(expression, *seed);
    if (!value.ok()) return value.status();
    Put(&expressions, std::make_pair(piece.substr(0, equals), *std::move(value)));
  }
  return expressions;
}

absl::StatusOr<std::string> ReadFile(const std::string& file) {
  struct stat there;
  if (stat(file.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) {
    return PythonError("FailedPreconditionError", absl::StripSuffix(file, "/"), "; Is a directory");
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return PythonError(errno == ENOENT ? "NotFoundError" : "PermissionDeniedError", file, "; ", std::strerror(errno));
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

absl::StatusOr<Value> FromNpz(const FileInput& input, const std::string& bytes) {
  SM_ASSIGN_OR_RETURN(std::vector<NpzMember> members, ReadNpz(bytes));
  if (input.name.empty() && members.size() != 1) {
    return PythonError("RuntimeError", "Input file ", input.file, " contains more than one ndarrays. Please specify the name of ndarray to use.");
  }
  for (const NpzMember& member : members) {
    if (!input.name.empty() && member.name != input.name && member.name != input.name + ".npy") continue;
    return IsNpy(member.bytes) ? ReadNpy(member.bytes) : Value::Bytes(member.bytes);
  }
  return PythonError("RuntimeError", "Input file ", input.file, " does not contain variable with name \"", input.name, "\".");
}

// obj[name], for whatever the file holds.
absl::StatusOr<Value> Member(const FileInput& input, Value value) {
  using Kind = Value::Kind;
  if (value.kind == Kind::kArray) {
    Warn(absl::StrCat("Input file ", input.file, " contains a single ndarray. Name key \"", input.name, "\" ignored."));
    return value;
  }
  if (value.kind == Kind::kDict) {
    if (const Value* found = Find(value, input.name); found != nullptr) return *found;
  } else if (value.kind == Kind::kString) {
    if (absl::StrContains(value.text, input.name)) return PythonError("TypeError", "string indices must be integers, not 'str'");
  } else if (value.IsSequence()) {
    for (const Value& item : value.items) {
      if (Equal(item, Value::String(input.name))) return PythonError("TypeError", KindName(value.kind), " indices must be integers or slices, not str");
    }
  } else if (value.kind != Kind::kSet) {
    return PythonError("TypeError", "argument of type '", KindName(value.kind), "' is not iterable");
  }
  return PythonError("RuntimeError", "Input file ", input.file, " does not contain variable with name \"", input.name, "\".");
}

Value LinesOf(const std::string& text) {
  std::vector<Value> lines;
  for (absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    lines.push_back(Value::String(std::string(absl::StripSuffix(line, "\r"))));
  }
  return Value::Of(Value::Kind::kList, std::move(lines));
}

absl::StatusOr<Given> FromFile(const FileInput& input) {
  SM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(input.file));
  Given given;
  given.key = input.key;
  given.file = input.file;
  if (IsImage(bytes)) {
    given.form = Given::Form::kImage;
    given.bytes = std::move(bytes);
  } else if (IsNpz(bytes)) {
    SM_ASSIGN_OR_RETURN(given.value, FromNpz(input, bytes));
  } else if (absl::EndsWith(input.file, ".json")) {
    SM_ASSIGN_OR_RETURN(given.value, JsonInput(bytes, input.file, input.name.empty() ? input.key : input.name));
  } else if (absl::EndsWith(input.file, ".txt")) {
    given.form = Given::Form::kLines;
    given.value = LinesOf(bytes);
  } else {
    absl::StatusOr<Value> value = IsNpy(bytes) ? ReadNpy(bytes) : ReadPickle(bytes);
    if (!value.ok()) {
      return PythonError("_pickle.UnpicklingError", "Failed to interpret file ", input.file, ": ",
                         absl::StripPrefix(value.status().message(), "_pickle.UnpicklingError: "));
    }
    given.value = *std::move(value);
    if (!input.name.empty()) {
      SM_ASSIGN_OR_RETURN(given.value, Member(input, std::move(given.value)));
    }
  }
  return given;
}

}  // namespace

absl::StatusOr<std::vector<Given>> ReadInputs(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(const std::vector<FileInput> files, SplitInputs(arguments.inputs));
  uint64_t seed = 0;
  if (arguments.seed.has_value() && !absl::SimpleAtoi(*arguments.seed, &seed)) {
    return PythonError("ValueError", "--seed is \"", *arguments.seed, "\"; a number was wanted");
  }
  SM_ASSIGN_OR_RETURN(Expressions expressions, SplitExpressions(arguments.input_exprs, &seed));
  SM_ASSIGN_OR_RETURN(Expressions examples, SplitExpressions(arguments.input_examples, nullptr));
  for (auto& example : examples) {
    SM_ASSIGN_OR_RETURN(example.second, ExamplesOf(example.second));
  }
  std::vector<Given> all;
  for (const FileInput& file : files) {
    SM_ASSIGN_OR_RETURN(Given given, FromFile(file));
    all.push_back(std::move(given));
  }
  auto add = [&all](Expressions* values, const char* before, const char* after) {
    for (auto& [key, value] : *values) {
      const size_t n = all.size();
      Given given;
      given.key = key;
      given.value = std::move(value);
      Put(&all, std::move(given));
      if (all.size() == n) Warn(absl::StrCat("input_key ", key, before, after, " will be used."));
    }
  };
  add(&expressions, " has been specified with both --inputs and --input_exprs options. Value in ", "--input_exprs");
  add(&examples, " has been specified in multiple options. Value in ", "--input_examples");
  return all;
}

}  // namespace savedmodel::cli
