#include "passes/declared_shapes.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

// A node as the file alone shows it: constants are Const nodes, and nothing is known of what is fed.
class Declared final : public InferContext {
 public:
  Declared(const Node& node, std::vector<std::vector<PartialShape>>* shapes) : node_(node), shapes_(*shapes) {}
  const Node& node() const { return node_; }
  const Attributes& attrs() const override { return node_.attrs(); }
  int num_inputs() const override { return static_cast<int>(node_.inputs.size()); }
  int num_outputs() const override { return node_.num_outputs(); }
  const PartialShape& input(int i) const override {
    const Output& value = node_.inputs[static_cast<size_t>(i)];
    return shapes_[static_cast<size_t>(value.node->id())][static_cast<size_t>(value.index)];
  }
  DataType input_dtype(int i) const override { return RemoveRef(TypeOf(node_.inputs[static_cast<size_t>(i)])); }
  const Tensor* constant(int i) const override {
    const Node& from = *node_.inputs[static_cast<size_t>(i)].node;
    return from.Is("Const") && from.error.ok() ? &from.attrs().TensorValue("value") : nullptr;
  }
  void set_output(int i, PartialShape shape) override {
    if (i >= 0 && i < num_outputs()) shapes_[static_cast<size_t>(node_.id())][static_cast<size_t>(i)] = std::move(shape);
  }
  // Whether the reference, too, knows nothing of input i but what a placeholder declares.
  bool FromPlaceholder(int i) const {
    const Node* from = node_.inputs[static_cast<size_t>(i)].node;
    while ((from->Is("Bitcast") || from->Is("Identity")) && from->inputs.size() == 1) from = from->inputs[0].node;
    return from->Is("Placeholder") || from->Is("PlaceholderV2");
  }
  // Dimension `d` of input `i` (negative: from the end), -1 if unknown.
  int64_t Dim(int i, int d) const {
    const PartialShape& shape = input(i);
    if (!shape.known_rank() || (d < 0 ? -d > shape.rank() : d >= shape.rank())) return -1;
    return shape.dim(d < 0 ? shape.rank() + d : d);
  }

 private:
  const Node& node_;
  std::vector<std::vector<PartialShape>>& shapes_;
};

absl::Status Ranks(Declared& c, std::initializer_list<int> inputs, int rank) {
  for (const int i : inputs) {
    SM_CHECK_ARGUMENT(!c.input(i).known_rank() || c.input(i).rank() == rank, "Shape must be rank ", rank, " but is rank ", c.input(i).rank());
  }
  return absl::OkStatus();
}

absl::Status EqualDims(int64_t a, int64_t b) {
  SM_CHECK_ARGUMENT(a < 0 || b < 0 || a == b, "Dimensions must be equal, but are ", a, " and ", b);
  return absl::OkStatus();
}

absl::Status Default(Declared& c) { return c.input(0).MergeWith(c.attrs().Shape("shape")).status(); }

absl::Status RangeOf(Declared& c) {
  SM_RETURN_IF_ERROR(Ranks(c, {0, 1, 2}, 0));
  const bool known = c.constant(0) != nullptr && c.constant(1) != nullptr && c.constant(2) != nullptr;
  SM_CHECK_ARGUMENT(!known || c.input_dtype(0) != DataType::kHalf, "Unsupported dtype half of constants");
  return absl::OkStatus();
}

absl::Status FirstScalar(Declared& c) { return Ranks(c, {0}, 0); }
absl::Status LastScalar(Declared& c) { return Ranks(c, {c.num_inputs() - 1}, 0); }
absl::Status FillOf(Declared& c) {
  SM_RETURN_IF_ERROR(Ranks(c, {0}, 1));
  return Ranks(c, {1}, 0);
}

absl::Status BlockShape(Declared& c) {
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(1) || c.Dim(1, 0) >= 0, "block_shape must have known size, is ", c.input(1).ToString());
  return absl::OkStatus();
}

absl::Status ThreeChannels(Declared& c) { return EqualDims(c.Dim(0, -1), 3); }
absl::Status ThreeColumns(Declared& c) {
  SM_RETURN_IF_ERROR(EqualDims(c.Dim(0, -1), 3));
  return EqualDims(c.Dim(1, -1), 3);
}

// What goes through a handle has the variable's dtype, whether or not the variable has a value yet.
absl::Status DtypeOfVariable(Declared& c) {
  const Node& handle = *c.node().inputs[0].node;
  if (!handle.Is("VarHandleOp")) return absl::OkStatus();
  const DataType dtype = c.attrs().Type("dtype"), wanted = handle.attrs().Type("dtype");
  SM_CHECK_ARGUMENT(dtype == wanted, "Trying to read variable with wrong dtype. Expected ", DataTypeName(wanted), " got ", DataTypeName(dtype));
  return absl::OkStatus();
}

// A constant shape of a sparse tensor that is counted has one or two entries.
absl::Status VectorOrMatrix(Declared& c) {
  const Tensor* shape = c.constant(2);
  SM_CHECK_ARGUMENT(shape == nullptr || shape->num_elements() == 1 || shape->num_elements() == 2, "Input must be less than rank 2, dense_shape has ",
                    shape->num_elements(), " entries");
  return absl::OkStatus();
}

absl::Status FlagPerDimension(Declared& c) {
  SM_RETURN_IF_ERROR(Ranks(c, {1}, 1));
  const int64_t flags = c.Dim(1, 0);
  return flags < 0 ? absl::OkStatus() : Ranks(c, {0}, static_cast<int>(flags));
}

absl::Status VectorKeys(Declared& c) { return Ranks(c, {1}, 1); }
absl::Status VectorOfSizes(Declared& c) { return Ranks(c, {1}, 1); }
absl::Status DataAndSplits(Declared& c) { return Ranks(c, {0, 1}, 1); }

absl::Status RankOfSegments(Declared& c) {
  SM_CHECK_ARGUMENT(!c.input(0).known_rank() || !c.input(1).known_rank() || c.input(0).rank() >= c.input(1).rank(), "Shape must be at least rank ",
                    c.input(1).rank(), " but is rank ", c.input(0).rank());
  return absl::OkStatus();
}

absl::Status ReduceJoinAxes(Declared& c) {
  std::vector<int64_t> axes;
  if (!c.input(0).known_rank() || !ConstantInts(c, 1, &axes)) return absl::OkStatus();
  const int rank = c.input(0).rank();
  for (const int64_t axis : axes) SM_CHECK_ARGUMENT(axis >= -rank && axis < rank, "Invalid reduction dimension ", axis, " for input with ", rank, " dimensions.");
  return absl::OkStatus();
}

// A range per channel has the channels of the input, also where it is not used.
absl::Status RangePerChannel(Declared& c) {
  const int64_t axis = c.attrs().Int("axis");
  SM_RETURN_IF_ERROR(Ranks(c, {1, 2}, axis == -1 ? 0 : 1));
  if (axis < 0 || !c.input(0).known_rank() || axis >= c.input(0).rank()) return absl::OkStatus();
  SM_RETURN_IF_ERROR(EqualDims(c.Dim(1, 0), c.Dim(2, 0)));
  SM_RETURN_IF_ERROR(EqualDims(c.Dim(1, 0), c.Dim(0, static_cast<int>(axis))));
  return EqualDims(c.Dim(2, 0), c.Dim(0, static_cast<int>(axis)));
}

absl::Status WeightsOfValues(Declared& c) {
  const PartialShape& weights = c.input(1);
  bool none = false;
  for (int d = 0; weights.known_rank() && d < weights.rank(); ++d) none = none || weights.dim(d) == 0;
  return none ? absl::OkStatus() : weights.MergeWith(c.input(0)).status();
}

// Positions are compared with lengths as they are declared, an unknown size being a size of its own.
absl::Status PositionsAndLengths(Declared& c) {
  const PartialShape &pos = c.input(1), &len = c.input(2);
  if (!c.FromPlaceholder(1) || !c.FromPlaceholder(2) || !pos.known_rank()) return absl::OkStatus();
  bool same = pos.rank() == 0 ? len.rank() <= 0 : len.known_rank() && len.rank() == pos.rank();
  for (int d = 0; same && d < pos.rank(); ++d) same = pos.dim(d) == len.dim(d);
  SM_CHECK_ARGUMENT(same, "pos and len shapes must match: ", pos.ToString(), " vs. ", len.ToString());
  return absl::OkStatus();
}

absl::Status LogitsAndLabels(Declared& c) {
  for (const int i : {0, 1}) {
    const PartialShape& other = c.input(1 - i);
    SM_CHECK_ARGUMENT(c.input(i).known_rank() || !c.FromPlaceholder(i) || !other.known_rank() || other.rank() == 2,
                      "Shape must be broadcasted with rank 2, but is rank is unknown: ", other.ToString());
  }
  return absl::OkStatus();
}

absl::Status SeedsOfShuffle(Declared& c) {
  const PartialShape& seed = c.input(1);
  if (!c.FromPlaceholder(1) || !seed.known_rank()) return absl::OkStatus();
  const bool fits = (seed.rank() == 1 || seed.rank() == 2) && c.Dim(1, -1) == 3;
  SM_CHECK_ARGUMENT(fits, "Seed must have shape [3] or [n, 3] but got ", seed.ToString());
  return absl::OkStatus();
}

// Without a shape to ensure, the reference wants the rank to be unknown, too.
absl::Status ShapeToEnsure(Declared& c) {
  SM_CHECK_ARGUMENT(c.attrs().Shape("shape").known_rank() || !c.FromPlaceholder(0) || !c.input(0).known_rank(), "Shape must be rank -1 but is rank ",
                    c.input(0).rank());
  return absl::OkStatus();
}

absl::Status SequenceLengths(Declared& c) { return EqualDims(c.Dim(0, 1), c.Dim(1, 0)); }

absl::Status RowsOfPaddings(Declared& c, int paddings) {
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(paddings) || c.Dim(paddings, 0) >= 0, "Shape must be rank -1 but is rank 4: the rows of paddings are not declared");
  return absl::OkStatus();
}
absl::Status PadConv(Declared& c) { return RowsOfPaddings(c, 1); }
absl::Status ResizePadConv(Declared& c) { return RowsOfPaddings(c, 2); }

absl::Status DenseRank(Declared& c) {
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(0) || c.input(0).known_rank(), "Invalid rank of dense: -1. Expected a known rank of either 2 or 3.");
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(1) || c.Dim(1, 1) >= 0, "indices.shape[1] must match rank of dense; saw: -1");
  return absl::OkStatus();
}

absl::Status SparseRank(Declared& c) {
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(0) || c.Dim(0, 1) >= 0, "Invalid rank: -1: the columns of indices are not declared");
  return absl::OkStatus();
}

absl::Status ApproxTopKSize(Declared& c) {
  if (!c.FromPlaceholder(0)) return absl::OkStatus();
  SM_CHECK_ARGUMENT(c.input(0).known_rank(), "Invalid reduction dimension: ", c.attrs().Int("reduction_dimension"), ": the rank is not declared");
  const int64_t axis = c.attrs().Int("reduction_dimension"), rank = c.input(0).rank();
  if (axis < -rank || axis >= rank) return absl::OkStatus();  // the rule of the op tells
  SM_CHECK_ARGUMENT(c.Dim(0, static_cast<int>(axis)) >= 0, "input must have last dimension >= k = ", c.attrs().Int("k"), " but was -1");
  return absl::OkStatus();
}

absl::Status DequantizeAxis(Declared& c) {
  SM_CHECK_ARGUMENT(!c.FromPlaceholder(0) || c.attrs().Int("axis") < 0 || c.input(0).known_rank(), "Axis must be less than input dimension(-1), got ", c.attrs().Int("axis"));
  return absl::OkStatus();
}

// An axis that is not known yet is taken for the last.
absl::Status SplitSizes(Declared& c) {
  if (c.constant(2) != nullptr) SM_RETURN_IF_ERROR(Ranks(c, {2}, 0));
  std::vector<int64_t> sizes;
  const int64_t all = c.Dim(0, -1);
  if (all < 0 || c.constant(2) != nullptr || !ConstantInts(c, 1, &sizes)) return absl::OkStatus();
  int64_t sum = 0, open = 0;
  for (const int64_t size : sizes) {
    SM_CHECK_ARGUMENT(size >= -1 && size <= (int64_t{1} << 40), "Split size must be >= 0. Got: ", size);
    if (size < 0) ++open;
    if (size > 0) sum += size;
  }
  if (open > 1) return absl::OkStatus();
  SM_CHECK_ARGUMENT(open == 0 ? sum == all : sum <= all, "can't split axis of size ", all, " into pieces that add up to ", sum);
  return absl::OkStatus();
}

// A scalar as element_shape can only be -1.
template <int kInput>
absl::Status ElementShape(Declared& c) {
  std::vector<int64_t> value;
  const Tensor* shape = c.constant(kInput);
  if (shape == nullptr || shape->rank() != 0 || !ConstantInts(shape, &value)) return absl::OkStatus();
  SM_CHECK_ARGUMENT(value[0] == -1, "Received an invalid shape scalar with a static value that is not '-1': ", value[0]);
  return absl::OkStatus();
}

// The rows of a tensor that becomes a list have the elements' shape.
absl::Status RowsOfList(Declared& c) {
  SM_RETURN_IF_ERROR(ElementShape<1>(c));
  const int64_t rank = c.Dim(1, 0);
  if (c.input(1).rank() != 1 || rank < 0 || c.input(0).rank() < 1) return absl::OkStatus();
  SM_CHECK_ARGUMENT(rank == c.input(0).rank() - 1, "Shapes must be equal rank, but are ", c.input(0).rank() - 1, " and ", rank);
  std::vector<int64_t> element;
  if (!ConstantInts(c, 1, &element)) return absl::OkStatus();
  for (size_t d = 0; d < element.size(); ++d) SM_RETURN_IF_ERROR(EqualDims(element[d], c.Dim(0, static_cast<int>(d) + 1)));
  return absl::OkStatus();
}

absl::Status AtLeastVectorKeys(Declared& c) {
  SM_CHECK_ARGUMENT(c.input(1).rank() != 0, "Shape must be at least rank 1 but is rank 0");
  return absl::OkStatus();
}

absl::Status DiagPadding(Declared& c) { return Ranks(c, {2}, 0); }

// The window of a valid convolution or pool may not be larger than what it slides over; `window` is its size along spatial
// dimension i.
template <typename Size>
absl::Status WindowFits(Declared& c, const Size& window) {
  const std::string& format = c.attrs().String("data_format");
  if (c.attrs().String("padding") != "VALID" || !c.input(0).known_rank()) return absl::OkStatus();
  const int rank = c.input(0).rank(), first = format.substr(0, 2) == "NC" ? 2 : 1;
  if (rank != 4 && rank != 5) return absl::OkStatus();
  const std::vector<int64_t>& dilations = c.attrs().Ints("dilations");
  for (int i = 0; i < rank - 2; ++i) {
    const size_t d = static_cast<size_t>(first + i);
    const int64_t dilation = d < dilations.size() ? dilations[d] : 1, size = window(i, d), in = c.Dim(0, static_cast<int>(d));
    if (size < 1 || dilation < 1 || dilation > (1 << 20) || size > (1 << 20) || in < 0) continue;
    const int64_t effective = (size - 1) * dilation + 1;
    SM_CHECK_ARGUMENT(in >= effective, "Negative dimension size caused by subtracting ", effective, " from ", in);
  }
  return absl::OkStatus();
}
absl::Status ImageRank(Declared& c) { return Ranks(c, {0}, 4); }

// Input 0 has as many dimensions as `sizes` has entries, one more where channels are packed.
absl::Status RankOf(Declared& c, const char* sizes) {
  const int packed = c.attrs().String("data_format") == "NCHW_VECT_C" ? 1 : 0;
  return Ranks(c, {0}, static_cast<int>(c.attrs().Ints(sizes).size()) + packed);
}
absl::Status FilterFits(Declared& c) {
  SM_RETURN_IF_ERROR(RankOf(c, "strides"));
  return WindowFits(c, [&](int i, size_t) { return c.Dim(1, i); });
}
absl::Status PoolFits(Declared& c) {
  const std::vector<int64_t>& ksize = c.attrs().Ints("ksize");
  SM_RETURN_IF_ERROR(RankOf(c, "ksize"));
  return WindowFits(c, [&](int, size_t d) { return d < ksize.size() ? ksize[d] : -1; });
}

struct Row {
  const char* op;
  absl::Status (*check)(Declared& c);
};
constexpr Row kRows[] = {  // sorted
    {"ApproxTopK", ApproxTopKSize},
    {"AssignAddVariableOp", DtypeOfVariable},
    {"AssignSubVariableOp", DtypeOfVariable},
    {"AssignVariableOp", DtypeOfVariable},
    {"AvgPool", PoolFits},
    {"AvgPool3D", PoolFits},
    {"BatchToSpaceND", BlockShape},
    {"CTCBeamSearchDecoder", SequenceLengths},
    {"CTCBeamSearchDecoderV2", SequenceLengths},
    {"CTCGreedyDecoder", SequenceLengths},
    {"Concat", FirstScalar},
    {"ConcatV2", LastScalar},
    {"Conv2D", FilterFits},
    {"Conv3D", FilterFits},
    {"Cross", ThreeColumns},
    {"DenseCountSparseOutput", WeightsOfValues},
    {"DenseToCSRSparseMatrix", DenseRank},
    {"DepthwiseConv2dNative", FilterFits},
    {"Dequantize", DequantizeAxis},
    {"Dilation2D", ImageRank},
    {"EmptyTensorList", ElementShape<0>},
    {"EnsureShape", ShapeToEnsure},
    {"ExtractImagePatches", ImageRank},
    {"Fill", FillOf},
    {"FusedPadConv2D", PadConv},
    {"FusedResizeAndPadConv2D", ResizePadConv},
    {"HSVToRGB", ThreeChannels},
    {"LookupTableImport", VectorKeys},
    {"LookupTableImportV2", VectorKeys},
    {"LookupTableRemove", AtLeastVectorKeys},
    {"LookupTableRemoveV2", AtLeastVectorKeys},
    {"MatrixDiagPartV2", DiagPadding},
    {"MatrixDiagPartV3", DiagPadding},
    {"MaxPool", PoolFits},
    {"MaxPool3D", PoolFits},
    {"MaxPool3DGradGrad", PoolFits},
    {"MaxPoolGradGrad", PoolFits},
    {"MaxPoolWithArgmax", PoolFits},
    {"PlaceholderWithDefault", Default},
    {"QuantizeAndDequantizeV2", RangePerChannel},
    {"QuantizeAndDequantizeV3", RangePerChannel},
    {"QuantizeAndDequantizeV4", RangePerChannel},
    {"QuantizedAvgPool", PoolFits},
    {"QuantizedConv2D", FilterFits},
    {"QuantizedMaxPool", PoolFits},
    {"RGBToHSV", ThreeChannels},
    {"RandomIndexShuffle", SeedsOfShuffle},
    {"Range", RangeOf},
    {"ReadVariableOp", DtypeOfVariable},
    {"ReduceJoin", ReduceJoinAxes},
    {"Reshape", VectorOfSizes},
    {"ResourceGather", DtypeOfVariable},
    {"ResourceGatherNd", DtypeOfVariable},
    {"ResourceScatterAdd", DtypeOfVariable},
    {"ResourceScatterDiv", DtypeOfVariable},
    {"ResourceScatterMax", DtypeOfVariable},
    {"ResourceScatterMin", DtypeOfVariable},
    {"ResourceScatterMul", DtypeOfVariable},
    {"ResourceScatterSub", DtypeOfVariable},
    {"ResourceScatterUpdate", DtypeOfVariable},
    {"Reverse", FlagPerDimension},
    {"SoftmaxCrossEntropyWithLogits", LogitsAndLabels},
    {"SpaceToBatchND", BlockShape},
    {"SparseBincount", VectorOrMatrix},
    {"SparseTensorToCSRSparseMatrix", SparseRank},
    {"SplitV", SplitSizes},
    {"StringNGrams", DataAndSplits},
    {"Substr", PositionsAndLengths},
    {"TensorArrayConcatV2", LastScalar},
    {"TensorArrayConcatV3", LastScalar},
    {"TensorArrayGatherV2", LastScalar},
    {"TensorArrayGatherV3", LastScalar},
    {"TensorArrayReadV2", LastScalar},
    {"TensorArrayReadV3", LastScalar},
    {"TensorArrayScatterV2", LastScalar},
    {"TensorArrayScatterV3", LastScalar},
    {"TensorArraySizeV2", LastScalar},
    {"TensorArraySizeV3", LastScalar},
    {"TensorArraySplitV2", LastScalar},
    {"TensorArraySplitV3", LastScalar},
    {"TensorArrayWriteV2", LastScalar},
    {"TensorArrayWriteV3", LastScalar},
    {"TensorListFromTensor", RowsOfList},
    {"TensorListGather", ElementShape<2>},
    {"TensorListGetItem", ElementShape<2>},
    {"TensorListPopBack", ElementShape<1>},
    {"TensorListReserve", ElementShape<0>},
    {"TensorListScatter", ElementShape<2>},
    {"TensorListScatterV2", ElementShape<2>},
    {"TensorListSplit", ElementShape<1>},
    {"TensorListStack", ElementShape<1>},
    {"UnsortedSegmentJoin", RankOfSegments},
};

const Row* FindRow(const Node& node) {
  const auto row = std::lower_bound(std::begin(kRows), std::end(kRows), node.op(), [](const Row& r, const std::string& op) { return r.op < op; });
  return row != std::end(kRows) && node.Is(row->op) ? row : nullptr;
}

void InferDeclared(Declared& c) {
  const Node& node = c.node();
  if (node.def() == nullptr || !node.error.ok() || node.num_outputs() == 0) return;
  if (node.Is("Const")) return c.set_output(0, node.attrs().TensorValue("value").shape());
  if (node.Is("Placeholder") || node.Is("PlaceholderV2")) {
    c.set_output(0, node.attrs().Shape("shape"));
    return;
  }
  if (node.def()->infer == nullptr || node.def()->infer(c).ok()) return;
  for (int i = 0; i < node.num_outputs(); ++i) c.set_output(i, PartialShape());
}

}  // namespace

absl::Status CheckDeclaredShapes(const Graph& graph, const std::vector<char>& wanted) {
  const auto is_wanted = [&](const Node& node) { return wanted[static_cast<size_t>(node.id())] != 0; };
  if (std::none_of(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) { return is_wanted(*node) && FindRow(*node) != nullptr; })) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<Node*>> order = graph.TopologicalOrder();
  if (!order.ok()) return absl::OkStatus();  // told elsewhere
  std::vector<std::vector<PartialShape>> shapes(graph.size());
  for (const auto& node : graph.nodes()) shapes[static_cast<size_t>(node->id())].resize(node->output_types.size());
  for (const Node* node : *order) {
    Declared context(*node, &shapes);
    InferDeclared(context);
    const Row* row = is_wanted(*node) && node->error.ok() ? FindRow(*node) : nullptr;
    if (row == nullptr) continue;
    if (absl::Status status = row->check(context); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("node \"", node->name, "\" (", node->op(), "): ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
