// ParseExample, ParseExampleV2 and ParseSingleExample: serialized tf.Examples to dense, sparse and ragged tensors.
//
// A batch is read in two passes: the first finds each wanted feature in each example, checks it and counts its values;
// the second writes them to where the counts say. Both run over the examples in parallel.
#include <algorithm>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/parsing/example.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

enum class Op { kBatch, kV2, kSingle };
enum class Kind { kDense, kVariable, kSparse, kRagged };  // kVariable: dense with an unknown first dimension

struct Feature {
  Kind kind;
  DataType type = DataType::kInvalid;
  PartialShape shape = {};                      // dense: as declared
  int64_t stride = 1;                           // dense: elements, without the unknown first dimension
  DataType splits_type = DataType::kInvalid;    // ragged
  int output = 0;                               // flat number of the output with the values
};

// What the attributes say. Features in the order dense, sparse, ragged.
struct Config {
  Op op;
  std::vector<Feature> features;
  int num_dense = 0, num_sparse = 0, num_ragged = 0;
  std::vector<std::string> keys;  // of kSingle, in the same order
};

absl::Status AddDense(const Attributes& attrs, Config* config) {
  const std::vector<DataType>& types = attrs.Types("Tdense");
  const std::vector<PartialShape>& shapes = attrs.Shapes("dense_shapes");
  SM_CHECK_ARGUMENT(types.size() == shapes.size(), "len(dense_types) != len(dense_shapes): ", types.size(), " vs. ", shapes.size());
  for (size_t i = 0; i < types.size(); ++i) {
    const PartialShape& shape = shapes[i];
    const bool variable = shape.rank() > 0 && shape.dim(0) < 0;
    TensorShape inner;
    for (int d = variable ? 1 : 0; d < shape.rank(); ++d) inner.AddDim(shape.dim(d));
    SM_CHECK_ARGUMENT(shape.known_rank() && inner.valid(), "dense_shapes[", i,
                      "] has unknown rank or unknown inner dimensions: ", shape.ToString());
    SM_CHECK_ARGUMENT(!variable || inner.num_elements() > 0, "dense_shapes[", i, "] has no elements: ", shape.ToString());
    config->features.push_back({variable ? Kind::kVariable : Kind::kDense, types[i], shape, inner.num_elements()});
  }
  config->num_dense = static_cast<int>(types.size());
  return absl::OkStatus();
}

absl::StatusOr<Config> ReadConfig(const Attributes& attrs, Op op) {
  Config config{op};
  SM_RETURN_IF_ERROR(AddDense(attrs, &config));
  const std::vector<DataType>& sparse = attrs.Types("sparse_types");
  const int64_t num_sparse = attrs.Int(op == Op::kBatch ? "Nsparse" : "num_sparse");
  SM_CHECK_ARGUMENT(num_sparse == static_cast<int64_t>(sparse.size()), "len(sparse_keys) != len(sparse_types): ", num_sparse,
                    " vs. ", sparse.size());
  if (op == Op::kBatch) {
    SM_CHECK_ARGUMENT(attrs.Int("Ndense") == config.num_dense, "len(dense_keys) != len(dense_types): ", attrs.Int("Ndense"),
                      " vs. ", config.num_dense);
  }
  for (DataType type : sparse) config.features.push_back({Kind::kSparse, type});
  config.num_sparse = static_cast<int>(sparse.size());
  if (op == Op::kV2) {
    const std::vector<DataType>&values = attrs.Types("ragged_value_types"), &splits = attrs.Types("ragged_split_types");
    SM_CHECK_ARGUMENT(values.size() == splits.size(), "len(ragged_value_types) != len(ragged_split_types): ", values.size(),
                      " vs. ", splits.size());
    for (size_t i = 0; i < values.size(); ++i) config.features.push_back({Kind::kRagged, values[i], {}, 1, splits[i]});
    config.num_ragged = static_cast<int>(values.size());
  }
  if (op == Op::kSingle) {
    const std::vector<std::string>&dense_keys = attrs.Strings("dense_keys"), &sparse_keys = attrs.Strings("sparse_keys");
    SM_CHECK_ARGUMENT(static_cast<int>(dense_keys.size()) == config.num_dense, "len(dense_keys) != len(dense_types)");
    SM_CHECK_ARGUMENT(static_cast<int>(sparse_keys.size()) == config.num_sparse, "len(sparse_keys) != len(sparse_types)");
    config.keys = dense_keys;
    config.keys.insert(config.keys.end(), sparse_keys.begin(), sparse_keys.end());
  }
  const int ns = config.num_sparse, nd = config.num_dense;
  for (int i = 0; i < nd; ++i) config.features[i].output = 3 * ns + i;
  for (int i = 0; i < ns; ++i) config.features[nd + i].output = ns + i;
  for (int i = 0; i < config.num_ragged; ++i) config.features[nd + ns + i].output = 3 * ns + nd + i;
  return config;
}

// One run: the inputs, where each feature's list lies and how many values it has.
class Parser {
 public:
  Parser(KernelContext& context, const Config& config) : context_(context), config_(config), count_(config.features.size()) {}
  absl::Status Run();

 private:
  absl::Status ReadKeys();
  absl::Status CheckInputs();
  absl::Status CheckDefault(int i) const;
  absl::Status Locate(int64_t example);
  absl::Status LocateOne(int64_t example, size_t f, const NamedFeature& found, bool* seen);
  absl::Status WriteDense(const Feature& feature, size_t f);
  absl::Status WriteVariable(const Feature& feature, size_t f);
  absl::Status WriteSparse(const Feature& feature, size_t f);
  absl::Status WriteRagged(const Feature& feature, size_t f);
  // Runs f(example) for all in parallel and gives the first error.
  template <typename F>
  absl::Status EachExample(const F& f);
  // Copies every example's values of feature f, example e's to element starts[e] of `to`.
  void CopyAll(const Feature& feature, size_t f, const std::vector<int64_t>& starts, Tensor* to);
  std::vector<int64_t> Starts(size_t f) const;

  bool scalar() const { return serialized().rank() == 0; }
  const Tensor& serialized() const { return context_.input(0); }
  const Tensor& default_value(size_t f) const { return context_.input(first_default_ + static_cast<int>(f)); }
  absl::string_view& list(int64_t example, size_t f) { return lists_[static_cast<size_t>(example) * count_ + f]; }
  int64_t& values(int64_t example, size_t f) { return values_[static_cast<size_t>(example) * count_ + f]; }
  int64_t values(int64_t example, size_t f) const { return values_[static_cast<size_t>(example) * count_ + f]; }
  std::string Where(int64_t example, absl::string_view key) const;

  KernelContext& context_;
  const Config& config_;
  const size_t count_;
  int first_default_ = 1;
  int64_t examples_ = 0;
  absl::flat_hash_map<absl::string_view, size_t> index_;  // key -> feature
  std::vector<absl::string_view> keys_;
  std::vector<absl::string_view> lists_;  // [examples, features]
  std::vector<int64_t> values_;           // [examples, features]; -1: not there (dense)
};

template <typename F>
absl::Status Parser::EachExample(const F& f) {
  std::mutex mutex;
  absl::Status first;
  int64_t first_at = examples_;
  context_.pool().ParallelFor(examples_, 8, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      absl::Status status = f(e);
      if (status.ok()) continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (e < first_at) {
        first = std::move(status);
        first_at = e;
      }
      return;
    }
  });
  return first;
}

absl::Status Parser::ReadKeys() {
  const int nd = config_.num_dense, ns = config_.num_sparse;
  if (config_.op == Op::kBatch) {  // serialized, names, sparse keys, dense keys, defaults
    for (int i = 0; i < nd + ns; ++i) {
      const Tensor& key = context_.input(2 + (i < nd ? ns + i : i - nd));
      SM_CHECK_ARGUMENT(key.num_elements() == 1, "a key must be a scalar, has shape ", key.shape().ToString());
      keys_.push_back(key.data<std::string>()[0]);
    }
    first_default_ = 2 + ns + nd;
  } else if (config_.op == Op::kV2) {  // serialized, names, sparse_keys, dense_keys, ragged_keys, defaults
    const Tensor &sparse = context_.input(2), &dense = context_.input(3), &ragged = context_.input(4);
    SM_CHECK_ARGUMENT(dense.num_elements() == nd, "Expected len(dense_keys) == len(dense_types) but got: ", dense.num_elements(),
                      " vs. ", nd);
    SM_CHECK_ARGUMENT(sparse.num_elements() == ns, "Expected len(sparse_keys) == num_sparse but got: ", sparse.num_elements(),
                      " vs. ", ns);
    SM_CHECK_ARGUMENT(ragged.num_elements() == config_.num_ragged, "Expected len(ragged_keys) == len(ragged_value_types) but got: ",
                      ragged.num_elements(), " vs. ", config_.num_ragged);
    for (const Tensor* keys : {&dense, &sparse, &ragged}) {
      for (const std::string& key : keys->flat<std::string>()) keys_.push_back(key);
    }
    first_default_ = 5;
  } else {
    for (const std::string& key : config_.keys) keys_.push_back(key);
  }
  bool once = true;
  for (size_t f = 0; f < count_; ++f) once = index_.emplace(keys_[f], f).second && once;
  if (!once) index_.clear();  // where a key comes twice, the reference finds no feature at all
  return absl::OkStatus();
}

absl::Status Parser::CheckDefault(int i) const {
  const Feature& feature = config_.features[static_cast<size_t>(i)];
  const Tensor& value = default_value(static_cast<size_t>(i));
  SM_CHECK_ARGUMENT(value.dtype() == feature.type, "dense_defaults[", i, "].dtype() == ", DataTypeName(value.dtype()),
                    " != dense_types_[", i, "] == ", DataTypeName(feature.type));
  if (feature.kind == Kind::kVariable) {
    SM_CHECK_ARGUMENT(value.num_elements() == 1, "dense_shape[", i, "] is a variable length shape: ", feature.shape.ToString(),
                      ", therefore def_value[", i, "] must contain a single element (the padding element).  But its shape is: ",
                      value.shape().ToString());
  } else {
    SM_CHECK_ARGUMENT(value.num_elements() == 0 || feature.shape.CompatibleWith(value.shape()), "def_value[", i, "].shape() == ",
                      value.shape().ToString(), " is not compatible with dense_shapes_[", i, "] == ", feature.shape.ToString());
  }
  return absl::OkStatus();
}

absl::Status Parser::CheckInputs() {
  const int rank = serialized().rank();
  if (config_.op == Op::kBatch)
    SM_CHECK_ARGUMENT(rank == 1, "Expected serialized to be a vector, got shape: ", serialized().shape().ToString());
  if (config_.op == Op::kSingle)
    SM_CHECK_ARGUMENT(rank == 0, "Expected serialized to be a scalar, got shape: ", serialized().shape().ToString());
  SM_CHECK_ARGUMENT(rank <= 1, "Expected serialized to be a scalar or vector, got shape: ", serialized().shape().ToString());
  if (config_.op != Op::kSingle) {
    const Tensor& names = context_.input(1);
    SM_CHECK_ARGUMENT(names.num_elements() == 0 || names.shape() == serialized().shape(),
                      "Expected names have the same shape as serialized: name.shape=", names.shape().ToString(),
                      ", serialized.shape=", serialized().shape().ToString());
  }
  for (int i = 0; i < config_.num_dense; ++i) SM_RETURN_IF_ERROR(CheckDefault(i));
  return absl::OkStatus();
}

std::string Parser::Where(int64_t example, absl::string_view key) const {
  const bool named = config_.op != Op::kSingle && context_.input(1).num_elements() > 0;
  const absl::string_view name = named ? absl::string_view(context_.input(1).data<std::string>()[example]) : "<unknown>";
  return absl::StrCat("Name: ", name, ", Key: ", key, ", Index: ", example, ".  ");
}

// The last one of several features with a key counts; of dense ones, the last that has a list.
absl::Status Parser::LocateOne(int64_t example, size_t f, const NamedFeature& found, bool* seen) {
  const Feature& feature = config_.features[f];
  DataType type;
  absl::string_view values_list;
  SM_CHECK_ARGUMENT(SplitFeature(found.feature, &type, &values_list), Where(example, found.name), "Unsupported datatype.");
  const bool dense = feature.kind == Kind::kDense || feature.kind == Kind::kVariable;
  if (*seen || (type == DataType::kInvalid && (dense || scalar()))) return absl::OkStatus();
  *seen = true;
  if (type == DataType::kInvalid) return absl::OkStatus();
  SM_CHECK_ARGUMENT(type == feature.type, Where(example, found.name),
                    "Data types don't match. Expected type: ", DataTypeName(feature.type), ", Actual type: ", DataTypeName(type));
  const int64_t n = CountValues(type, values_list);
  SM_CHECK_ARGUMENT(n >= 0, Where(example, found.name), "Can't parse serialized Example.");
  if (feature.kind == Kind::kDense) {
    SM_CHECK_ARGUMENT(n == feature.stride, Where(example, found.name), "Number of ", DataTypeName(type),
                      " values != expected.  Values size: ", n, " but output shape: ", feature.shape.ToString());
  } else if (feature.kind == Kind::kVariable) {
    SM_CHECK_ARGUMENT(n % feature.stride == 0, Where(example, found.name), "Number of ", DataTypeName(type),
                      " values is not a multiple of stride length. Saw ", n,
                      " values but output shape is: ", feature.shape.ToString());
  }
  list(example, f) = values_list;
  values(example, f) = n;
  return absl::OkStatus();
}

absl::Status Parser::Locate(int64_t example) {
  const std::string& text = serialized().data<std::string>()[example];
  std::vector<NamedFeature> found;
  if (!ReadExample(text, &found)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Could not parse example input, number ", example, " of ", text.size(), " bytes"));
  }
  absl::InlinedVector<bool, 64> seen(count_, false);
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    auto at = index_.find(it->name);
    if (at != index_.end()) SM_RETURN_IF_ERROR(LocateOne(example, at->second, *it, &seen[at->second]));
  }
  for (size_t f = 0; f < count_; ++f) {
    if (seen[f]) continue;
    const Feature& feature = config_.features[f];
    if (feature.kind != Kind::kDense) continue;
    values(example, f) = -1;
    SM_CHECK_ARGUMENT(default_value(f).num_elements() > 0 , Where(example, keys_[f]), "Feature: ", keys_[f], " (data type: ",
                      DataTypeName(feature.type), ") is required but could not be found.");
  }
  return absl::OkStatus();
}

std::vector<int64_t> Parser::Starts(size_t f) const {
  std::vector<int64_t> starts(static_cast<size_t>(examples_) + 1, 0);
  for (int64_t e = 0; e < examples_; ++e) starts[static_cast<size_t>(e) + 1] = starts[static_cast<size_t>(e)] + values(e, f);
  return starts;
}

void Parser::CopyAll(const Feature& feature, size_t f, const std::vector<int64_t>& starts, Tensor* to) {
  char* base = static_cast<char*>(to->raw());
  const size_t size = DataTypeSize(feature.type);
  context_.pool().ParallelFor(examples_, 64, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      if (values(e, f) > 0)
        CopyValues(feature.type, list(e, f), values(e, f), base + static_cast<size_t>(starts[static_cast<size_t>(e)]) * size);
    }
  });
}

absl::Status Parser::WriteDense(const Feature& feature, size_t f) {
  TensorShape shape = feature.shape.shape();
  if (!scalar()) shape.InsertDim(0, examples_);
  SM_ASSIGN_OR_RETURN(Tensor * output, context_.Output(feature.output, shape));
  std::vector<int64_t> starts(static_cast<size_t>(examples_));
  const TensorShape row({feature.stride});
  for (int64_t e = 0; e < examples_; ++e) {
    starts[static_cast<size_t>(e)] = e * feature.stride;
    if (values(e, f) >= 0) continue;
    Tensor target = output->Slice(e * feature.stride, row);
    CopyElements(default_value(f).Reshaped(row), &target);
  }
  CopyAll(feature, f, starts, output);
  return absl::OkStatus();
}

absl::Status Parser::WriteVariable(const Feature& feature, size_t f) {
  int64_t longest = 0;
  for (int64_t e = 0; e < examples_; ++e) longest = std::max(longest, values(e, f));
  TensorShape shape;
  if (!scalar()) shape.AddDim(examples_);
  shape.AddDim(longest / feature.stride);
  for (int d = 1; d < feature.shape.rank(); ++d) shape.AddDim(feature.shape.dim(d));
  SM_ASSIGN_OR_RETURN(Tensor * output, context_.Output(feature.output, shape));
  std::vector<int64_t> starts(static_cast<size_t>(examples_));
  for (int64_t e = 0; e < examples_; ++e) starts[static_cast<size_t>(e)] = e * longest;
  SM_RETURN_IF_ERROR(DispatchBySize(feature.type, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (int64_t e = 0; e < examples_; ++e) {
      T* row = output->data<T>() + e * longest;
      std::fill(row + values(e, f), row + longest, default_value(f).data<T>()[0]);
    }
    return absl::OkStatus();
  }));
  CopyAll(feature, f, starts, output);
  return absl::OkStatus();
}

absl::Status Parser::WriteSparse(const Feature& feature, size_t f) {
  const int64_t columns = scalar() ? 1 : 2;
  const std::vector<int64_t> starts = Starts(f);
  const int first = feature.output - config_.num_sparse;
  SM_ASSIGN_OR_RETURN(Tensor * indices, context_.Output(first, {starts.back(), columns}));
  SM_ASSIGN_OR_RETURN(Tensor * output, context_.Output(feature.output, {starts.back()}));
  SM_ASSIGN_OR_RETURN(Tensor * shape, context_.Output(feature.output + config_.num_sparse, {columns}));
  int64_t longest = 0;
  int64_t* index = indices->data<int64_t>();
  for (int64_t e = 0; e < examples_; ++e) {
    longest = std::max(longest, values(e, f));
    for (int64_t i = 0; i < values(e, f); ++i) {
      if (!scalar()) *index++ = e;
      *index++ = i;
    }
  }
  if (!scalar()) shape->data<int64_t>()[0] = examples_;
  shape->data<int64_t>()[columns - 1] = longest;
  CopyAll(feature, f, starts, output);
  return absl::OkStatus();
}

absl::Status Parser::WriteRagged(const Feature& feature, size_t f) {
  const std::vector<int64_t> starts = Starts(f);
  SM_ASSIGN_OR_RETURN(Tensor * output, context_.Output(feature.output, {starts.back()}));
  // A single example has one row, which needs no splits.
  const int64_t n = scalar() ? 0 : examples_ + 1;
  SM_ASSIGN_OR_RETURN(Tensor * splits, context_.Output(feature.output + config_.num_ragged, {n}));
  for (int64_t i = 0; i < n; ++i) {
    if (feature.splits_type == DataType::kInt32) {
      splits->data<int32_t>()[i] = static_cast<int32_t>(starts[static_cast<size_t>(i)]);
    } else {
      splits->data<int64_t>()[i] = starts[static_cast<size_t>(i)];
    }
  }
  CopyAll(feature, f, starts, output);
  return absl::OkStatus();
}

absl::Status Parser::Run() {
  SM_RETURN_IF_ERROR(ReadKeys());
  SM_RETURN_IF_ERROR(CheckInputs());
  examples_ = serialized().num_elements();
  lists_.resize(static_cast<size_t>(examples_) * count_);
  values_.assign(static_cast<size_t>(examples_) * count_, 0);
  SM_RETURN_IF_ERROR(EachExample([&](int64_t example) { return Locate(example); }));
  for (size_t f = 0; f < count_; ++f) {
    const Feature& feature = config_.features[f];
    switch (feature.kind) {
      case Kind::kDense: SM_RETURN_IF_ERROR(WriteDense(feature, f)); break;
      case Kind::kVariable: SM_RETURN_IF_ERROR(WriteVariable(feature, f)); break;
      case Kind::kSparse: SM_RETURN_IF_ERROR(WriteSparse(feature, f)); break;
      case Kind::kRagged: SM_RETURN_IF_ERROR(WriteRagged(feature, f)); break;
    }
  }
  return absl::OkStatus();
}

template <Op kOp>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(Config config, ReadConfig(init.attrs(), kOp));
  return MakeKernel([config](KernelContext& context) { return Parser(context, config).Run(); });
}

template <Op kOp>
absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(Config config, ReadConfig(context.attrs(), kOp));
  const PartialShape& serialized = context.input(0);
  if (kOp == Op::kBatch) SM_RETURN_IF_ERROR(RequireRank(context, 0, 1));
  if (kOp == Op::kSingle) SM_RETURN_IF_ERROR(RequireRank(context, 0, 0));
  for (int i = 0; i < (kOp == Op::kV2 ? 5 : kOp == Op::kBatch ? 2 : 1); ++i) {
    SM_CHECK_ARGUMENT(context.input(i).rank() <= 1, "input ", i, " must have at most rank 1, has shape ",
                      context.input(i).ToString());
  }
  const int rank = kOp == Op::kBatch ? 1 : kOp == Op::kSingle ? 0 : serialized.rank();
  if (rank < 0 || rank > 1) return absl::OkStatus();
  const int64_t n = serialized.rank() == 1 ? serialized.dim(0) : -1;
  for (const Feature& feature : config.features) {
    if (feature.kind == Kind::kSparse) {
      context.set_output(feature.output - config.num_sparse, PartialShape::Of({-1, rank + 1}));
      context.set_output(feature.output, PartialShape::Of({-1}));
      context.set_output(feature.output + config.num_sparse, PartialShape::Of({rank + 1}));
    } else if (feature.kind == Kind::kRagged) {
      context.set_output(feature.output, PartialShape::Of({-1}));
      context.set_output(feature.output + config.num_ragged, PartialShape::Of({rank == 0 ? 0 : n < 0 ? -1 : n + 1}));
    } else {
      PartialShape shape = PartialShape::UnknownOfRank(0);
      if (rank == 1) shape.AddDim(n);
      for (int64_t d : feature.shape.dims()) shape.AddDim(d);
      context.set_output(feature.output, shape);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void DefineParseExample(OpTable& ops) {
  const std::string sparse_out =
      "sparse_indices: num_sparse * int64; sparse_values: sparse_types; sparse_shapes: num_sparse * int64; ";
  ops.Add(
      {.name = "ParseExample",
       .inputs = "serialized: string; names: string; sparse_keys: Nsparse * string; dense_keys: Ndense * string; dense_defaults: "
                 "Tdense",
       .outputs =
           "sparse_indices: Nsparse * int64; sparse_values: sparse_types; sparse_shapes: Nsparse * int64; dense_values: Tdense",
       .attrs = "Nsparse: int >= 0; Ndense: int >= 0; sparse_types: list({float, int64, string}) >= 0; "
                "Tdense: list({float, int64, string}) >= 0; dense_shapes: list(shape) >= 0",
       .infer = Infer<Op::kBatch>,
       .cpu = Make<Op::kBatch>});
  ops.Add(
      {.name = "ParseExampleV2",
       .inputs = "serialized: string; names: string; sparse_keys: string; dense_keys: string; ragged_keys: string; "
                 "dense_defaults: Tdense",
       .outputs = sparse_out + "dense_values: Tdense; ragged_values: ragged_value_types; ragged_row_splits: ragged_split_types",
       .attrs =
           "Tdense: list({float, int64, string}) >= 0; num_sparse: int >= 0; sparse_types: list({float, int64, string}) >= 0; "
           "ragged_value_types: list({float, int64, string}) >= 0; ragged_split_types: list({int32, int64}) >= 0; "
           "dense_shapes: list(shape) >= 0",
       .infer = Infer<Op::kV2>,
       .cpu = Make<Op::kV2>});
  ops.Add({.name = "ParseSingleExample",
           .inputs = "serialized: string; dense_defaults: Tdense",
           .outputs = sparse_out + "dense_values: Tdense",
           .attrs = "num_sparse: int >= 0; sparse_keys: list(string) >= 0; dense_keys: list(string) >= 0; "
                    "sparse_types: list({float, int64, string}) >= 0; Tdense: list({float, int64, string}) >= 0; dense_shapes: "
                    "list(shape) >= 0",
           .infer = Infer<Op::kSingle>,
           .cpu = Make<Op::kSingle>});
}

}  // namespace savedmodel
