// run: feeds a signature from files and literals, prints the results as numpy does, writes them to .npy files.
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sys/stat.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/array_text.h"
#include "cli/commands.h"
#include "cli/literal.h"
#include "cli/model_file.h"
#include "cli/npy.h"
#include "cli/python_error.h"
#include "core/status_macros.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

struct Given {
  Value value;
  Tensor tensor;  // where it came out of a file
};

absl::StatusOr<Tensor> ReadArray(const std::string& file, const std::string& name) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return PythonError("NotFoundError", file, "; No such file or directory");
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (IsNpy(bytes)) return ReadNpy(bytes);
  if (!IsNpz(bytes)) return PythonError("_pickle.UnpicklingError", "Failed to interpret file ", file, ": neither .npy nor .npz (pickles are not read)");
  SM_ASSIGN_OR_RETURN(auto members, ReadNpz(bytes));
  if (name.empty() && members.size() == 1) return ReadNpy(members.begin()->second);
  auto it = members.find(name);
  if (name.empty()) return PythonError("RuntimeError", "Input file ", file, " contains more than one ndarray. Please specify the name of ndarray to use.");
  if (it == members.end()) return PythonError("RuntimeError", "Input file ", file, " does not contain variable with name \"", name, "\".");
  return ReadNpy(it->second);
}

absl::Status TakeFiles(const std::string& text, std::map<std::string, Given>* given) {
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ';'))) {
    if (piece.empty()) continue;
    const size_t equals = piece.find('=');
    std::string file = equals == piece.npos ? "" : piece.substr(equals + 1), name;
    const size_t open = file.find('[');
    const bool named = open != file.npos;
    const bool closed = named && file.back() == ']' && file.size() > open + 2;
    if (equals == piece.npos || equals == 0 || file.empty() || (named && !closed)) {
      return PythonError("RuntimeError", "--inputs \"", piece,
                         "\" format is incorrect. Please follow\"<input_key>=<filename>\", or\"<input_key>=<filename>[<variable_name>]\"");
    }
    if (named) {
      name = file.substr(open + 1, file.size() - open - 2);
      file.resize(open);
    }
    SM_ASSIGN_OR_RETURN(Tensor tensor, ReadArray(file, name));
    (*given)[piece.substr(0, equals)] = {Value(), std::move(tensor)};
  }
  return absl::OkStatus();
}

absl::Status TakeExpressions(const std::string& text, std::map<std::string, Given>* given) {
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ';'))) {
    if (piece.empty()) continue;
    const size_t equals = piece.find('=');
    if (equals == piece.npos && text.find('=') != text.npos) return PythonError("ValueError", "not enough values to unpack (expected 2, got 1)");
    if (equals == piece.npos) {
      return PythonError("RuntimeError", "--input_exprs \"", piece, "\" format is incorrect. Please follow\"<input_key>=<python expression>\"");
    }
    SM_ASSIGN_OR_RETURN(Value value, ParseLiteral(piece.substr(equals + 1)));
    (*given)[piece.substr(0, equals)] = {std::move(value), Tensor()};
  }
  return absl::OkStatus();
}

// The shape that the placeholder itself declares decides, not the signature's.
absl::Status CheckShape(const proto::GraphDef& graph, const std::string& name, const TensorShape& shape) {
  for (const proto::NodeDef& node : graph.node()) {
    if (name != node.name() && name != node.name() + ":0") continue;
    auto attr = node.attr().find("shape");
    auto inferred = node.attr().find("_output_shapes");
    const proto::TensorShapeProto* declared = nullptr;
    if (attr != node.attr().end() && attr->second.has_shape()) declared = &attr->second.shape();
    if (declared == nullptr && inferred != node.attr().end() && inferred->second.list().shape_size() > 0) declared = &inferred->second.list().shape(0);
    if (declared == nullptr || declared->unknown_rank()) return absl::OkStatus();
    const auto& dims = declared->dim();
    bool fits = dims.size() == shape.rank();
    std::vector<std::string> have, want;
    for (int i = 0; i < dims.size(); ++i) {
      fits = fits && (dims[i].size() < 0 || dims[i].size() == shape.dim(i));
      want.push_back(dims[i].size() < 0 ? "None" : absl::StrCat(dims[i].size()));
    }
    for (int64_t dim : shape.dims()) have.push_back(absl::StrCat(dim));
    auto text = [](const std::vector<std::string>& sizes) { return absl::StrCat("(", absl::StrJoin(sizes, ", "), sizes.size() == 1 ? ",)" : ")"); };
    if (!fits) return PythonError("ValueError", "Cannot feed value of shape ", text(have), " for Tensor ", name, ", which has shape ", text(want));
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& directory, const std::string& key, const Tensor& tensor, bool overwrite) {
  const std::string file = absl::StrCat(directory, "/", key, ".npy");
  struct stat there;
  if (!overwrite && stat(file.c_str(), &there) == 0) {
    return PythonError("RuntimeError", "Output file ", file, " already exists. Add \"--overwrite\" to overwrite the existing output files.");
  }
  SM_ASSIGN_OR_RETURN(std::string bytes, WriteNpy(tensor));
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) return PythonError("OSError", "cannot write ", file);
  std::printf("Output %s is saved to %s\n", key.c_str(), file.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status RunModel(const Arguments& arguments) {
  if (arguments.inputs.empty() && arguments.input_exprs.empty() && arguments.input_examples.empty()) {
    return PythonError("AttributeError", "At least one of --inputs, --input_exprs or --input_examples must be required");
  }
  if (!arguments.input_examples.empty()) return absl::UnimplementedError("--input_examples is not there yet");
  std::map<std::string, Given> given;
  SM_RETURN_IF_ERROR(TakeFiles(arguments.inputs, &given));
  SM_RETURN_IF_ERROR(TakeExpressions(arguments.input_exprs, &given));
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir, true));
  SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* meta_graph, FindMetaGraph(*model, *arguments.tag_set, true));
  const std::vector<std::string> tags = TagsOf(*meta_graph);
  model.reset();

  SessionOptions options;
  options.log = [](absl::string_view line) { std::fprintf(stderr, "%s\n", std::string(line).c_str()); };
  SM_ASSIGN_OR_RETURN(SavedModelBundle bundle, LoadSavedModel(options, {}, {tags.begin(), tags.end()}, *arguments.dir));
  auto signature = bundle.signatures().find(*arguments.signature_def);
  if (signature == bundle.signatures().end()) {
    return PythonError("ValueError", "Could not find signature \"", *arguments.signature_def, "\".");
  }
  Feeds feeds;
  for (auto& [key, one] : given) {
    auto input = signature->second.inputs.find(key);
    if (input == signature->second.inputs.end()) {
      const std::string keys = absl::StrJoin(signature->second.inputs, "\", \"", [](std::string* out, const auto& item) { out->append(item.first); });
      return PythonError("ValueError", "\"", key, "\" is not a valid input key. Please choose from \"", keys, "\", or use --show option.");
    }
    const DataType type = RemoveRef(input->second.dtype);
    SM_ASSIGN_OR_RETURN(Tensor tensor, one.tensor.initialized() ? CastTensor(one.tensor, type) : ToTensor(one.value, type));
    SM_RETURN_IF_ERROR(CheckShape(bundle.meta_graph_def().graph_def(), input->second.name, tensor.shape()));
    feeds.emplace_back(input->second.name, std::move(tensor));
  }
  std::vector<std::string> fetches;
  for (const auto& output : signature->second.outputs) fetches.push_back(output.second.name);
  SM_ASSIGN_OR_RETURN(std::vector<Tensor> results, bundle.session->Run(feeds, fetches));
  if (arguments.outdir.has_value() && mkdir(arguments.outdir->c_str(), 0777) != 0 && errno != EEXIST) {
    return PythonError("OSError", "cannot make the directory ", *arguments.outdir);
  }
  size_t i = 0;
  for (const auto& output : signature->second.outputs) {
    std::printf("Result for output key %s:\n%s\n", output.first.c_str(), ArrayText(results[i]).c_str());
    if (arguments.outdir.has_value()) SM_RETURN_IF_ERROR(Write(*arguments.outdir, output.first, results[i], arguments.overwrite));
    ++i;
  }
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
