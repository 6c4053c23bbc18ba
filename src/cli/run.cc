// run: feeds a signature from files, expressions and examples, prints the results as numpy does, writes them to .npy files.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sys/stat.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/array_text.h"
#include "cli/commands.h"
#include "cli/image_input.h"
#include "cli/json_value.h"
#include "cli/load_progress.h"
#include "cli/model_file.h"
#include "cli/npy.h"
#include "cli/python_error.h"
#include "cli/run_inputs.h"
#include "cli/terminal.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

using Infos = std::map<std::string, proto::TensorInfo>;

std::string ShapeTuple(const std::vector<std::string>& sizes) { return absl::StrCat("(", absl::StrJoin(sizes, ", "), sizes.size() == 1 ? ",)" : ")"); }

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
    if (!fits) return PythonError("ValueError", "Cannot feed value of shape ", ShapeTuple(have), " for Tensor ", name, ", which has shape ", ShapeTuple(want));
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

PartialShape ShapeOf(const proto::TensorInfo& info) {
  if (!info.has_tensor_shape() || info.tensor_shape().unknown_rank()) return PartialShape();
  std::vector<int64_t> dims;
  for (const auto& dim : info.tensor_shape().dim()) dims.push_back(dim.size());
  return PartialShape::Of(dims);
}

absl::StatusOr<Tensor> FeedOf(const Given& given, const proto::TensorInfo& info, const Arguments& arguments) {
  const DataType type = RemoveRef(static_cast<DataType>(static_cast<int>(info.dtype())));
  if (given.form == Given::Form::kImage) return ImageTensor(given.bytes, type, ShapeOf(info), arguments.scale.value_or(""), given.file);
  if (given.form == Given::Form::kLines) {
    if (type != DataType::kString) {
      return PythonError("_pickle.UnpicklingError", "Failed to interpret file ", given.file, " as a pickle; lines of text are read for inputs of strings");
    }
    if (info.tensor_shape().dim_size() == 0 && !info.tensor_shape().unknown_rank() && given.value.items.size() == 1) {
      return ToTensor(given.value.items[0], type);
    }
  }
  return ToTensor(given.value, type);
}

absl::Status CheckKeys(const std::vector<Given>& given, const Infos& inputs) {
  for (const Given& one : given) {
    if (inputs.count(one.key) > 0) continue;
    const std::string keys = absl::StrJoin(inputs, "\", \"", [](std::string* out, const auto& item) { out->append(item.first); });
    return PythonError("ValueError", "\"", one.key, "\" is not a valid input key. Please choose from \"", keys, "\", or use --show option.");
  }
  return absl::OkStatus();
}

const char* OsErrorName(int error) {
  switch (error) {
    case ENOENT: return "FileNotFoundError";
    case EEXIST: return "FileExistsError";
    case ENOTDIR: return "NotADirectoryError";
    case EISDIR: return "IsADirectoryError";
    case EACCES: return "PermissionError";
    default: return "OSError";
  }
}

absl::Status MakeDirectories(const std::string& path) {
  struct stat there;
  for (size_t end = 0; end != path.npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (stat(part.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) continue;
    if (mkdir(part.c_str(), 0777) == 0) continue;
    const int error = errno == EEXIST && end != path.npos ? ENOTDIR : errno;  // a file in the way
    return PythonError(OsErrorName(error), "[Errno ", error, "] ", std::strerror(error), ": '", path, "'");
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& directory, const std::string& key, const Tensor& tensor, const Arguments& arguments) {
  SM_RETURN_IF_ERROR(MakeDirectories(directory));
  const std::string file = absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/", key, ".npy");
  struct stat there;
  if (!arguments.overwrite && stat(file.c_str(), &there) == 0) {
    return PythonError("RuntimeError", "Output file ", file, " already exists. Add \"--overwrite\" to overwrite the existing output files.");
  }
  SM_ASSIGN_OR_RETURN(std::string bytes, WriteNpy(tensor));
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) return PythonError(OsErrorName(errno), "[Errno ", errno, "] ", std::strerror(errno), ": '", file, "'");
  if (!arguments.json) std::printf("Output %s is saved to %s\n", key.c_str(), file.c_str());
  return absl::OkStatus();
}

absl::Status Report(const Infos& outputs, const std::vector<Tensor>& results, const Arguments& arguments) {
  size_t i = 0;
  std::string json;
  for (const auto& output : outputs) {
    const Tensor& result = results[i++];
    if (arguments.json) {
      absl::StrAppend(&json, json.empty() ? "" : ",\n    ", JsonString(output.first), ": {\"dtype\": ", JsonString(DataTypeName(result.dtype())),
                      ", \"shape\": [", absl::StrJoin(result.shape().dims(), ", "), "], \"values\": ", JsonTensor(result), "}");
    } else {
      const std::string text = absl::StrCat(Paint(Style::kHead, absl::StrCat("Result for output key ", output.first, ":")), "\n", ArrayText(result), "\n");
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (arguments.outdir.has_value() && !arguments.outdir->empty()) SM_RETURN_IF_ERROR(Write(*arguments.outdir, output.first, result, arguments));
  }
  if (arguments.json) std::printf("{\n  \"outputs\": {\n    %s\n  }\n}\n", json.c_str());
  return absl::OkStatus();
}

// The session refuses to fetch what is fed; a signature whose output is its input asks for just that.
absl::StatusOr<std::vector<Tensor>> RunWith(Session& session, const Feeds& feeds, const std::vector<std::string>& fetches) {
  const auto fed = [&feeds](const std::string& name) {
    return std::find_if(feeds.begin(), feeds.end(), [&name](const auto& feed) { return feed.first == name; });
  };
  std::vector<std::string> computed;
  for (const std::string& name : fetches) {
    if (fed(name) == feeds.end()) computed.push_back(name);
  }
  std::vector<Tensor> results;
  if (!computed.empty()) {
    SM_ASSIGN_OR_RETURN(results, session.Run(feeds, computed));
  }
  for (size_t i = 0; i < fetches.size(); ++i) {
    if (const auto feed = fed(fetches[i]); feed != feeds.end()) results.insert(results.begin() + static_cast<int64_t>(i), feed->second);
  }
  return results;
}

absl::Status RefuseWhatIsNotHere(const Arguments& arguments) {
  const char* flag = arguments.tf_debug                       ? "tf_debug"
                     : arguments.init_tpu                     ? "init_tpu"
                     : arguments.use_tfrt                     ? "use_tfrt"
                     : !arguments.worker.value_or("").empty() ? "worker"
                                                              : nullptr;
  if (flag != nullptr) return PythonError("NotImplementedError", "--", flag, " is not known here: this tool runs models in its own process, on this machine");
  return absl::OkStatus();
}

// The nodes that inputs feed: what CheckShape looks at, so that nothing else of the message has to stay.
proto::GraphDef FedNodes(const proto::GraphDef& graph, const Infos& inputs) {
  std::set<std::string> names;
  for (const auto& input : inputs) names.insert(input.second.name().substr(0, input.second.name().rfind(":0")));
  proto::GraphDef fed;
  for (const proto::NodeDef& node : graph.node()) {
    if (names.count(node.name()) > 0) *fed.add_node() = node;
  }
  return fed;
}

}  // namespace

absl::Status RunModel(const Arguments& arguments) {
  if (arguments.inputs.empty() && arguments.input_exprs.empty() && arguments.input_examples.empty()) {
    return PythonError("AttributeError", "At least one of --inputs, --input_exprs or --input_examples must be required");
  }
  SM_RETURN_IF_ERROR(RefuseWhatIsNotHere(arguments));
  SM_ASSIGN_OR_RETURN(const std::vector<Given> given, ReadInputs(arguments));
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir, true));
  SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* meta_graph, FindMetaGraph(*model, *arguments.tag_set, true));
  SM_ASSIGN_OR_RETURN(const proto::SignatureDef* signature, FindSignature(*meta_graph, *arguments.signature_def));
  const Infos inputs(signature->inputs().begin(), signature->inputs().end()), outputs(signature->outputs().begin(), signature->outputs().end());
  const std::vector<std::string> tags = TagsOf(*meta_graph);
  SM_RETURN_IF_ERROR(CheckKeys(given, inputs));
  const proto::GraphDef fed = FedNodes(meta_graph->graph_def(), inputs);
  model.reset();

  SessionOptions options;
  options.log = [](absl::string_view line) { std::fprintf(stderr, "%s\n", std::string(line).c_str()); };
  SM_ASSIGN_OR_RETURN(SavedModelBundle bundle, LoadWithProgress(options, {tags.begin(), tags.end()}, *arguments.dir));
  std::vector<std::string> fetches;
  for (const auto& output : outputs) {
    if (output.second.name().empty()) {
      return PythonError("ValueError", "Argument `fetch` =  cannot be interpreted as a Tensor. (\"The name '' refers to an Operation not in the graph.\")");
    }
    fetches.push_back(output.second.name());
  }
  Feeds feeds;
  for (const Given& one : given) {
    const proto::TensorInfo& info = inputs.at(one.key);
    if (info.name().empty()) {
      return PythonError("TypeError",
                         "Cannot interpret feed_dict key as Tensor: The name '' looks like an (invalid) Operation name, not a Tensor. Tensor names "
                         "must be of the form \"<op_name>:<output_index>\".");
    }
    SM_ASSIGN_OR_RETURN(Tensor tensor, FeedOf(one, info, arguments));
    SM_RETURN_IF_ERROR(CheckShape(fed, info.name(), tensor.shape()));
    feeds.emplace_back(info.name(), std::move(tensor));
  }
  SM_ASSIGN_OR_RETURN(const std::vector<Tensor> results, RunWith(*bundle.session, feeds, fetches));
  return Report(outputs, results, arguments);
}

}  // namespace savedmodel::cli
