// freeze_model, as the reference spells it: writes PREFIX/frozen_graph.pb and PREFIX/config.pbtxt, for tfcompile.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/checkpoint_source.h"
#include "cli/commands.h"
#include "cli/load_progress.h"
#include "cli/model_file.h"
#include "cli/output_file.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "core/status_macros.h"
#include "google/protobuf/text_format.h"
#include "savedmodel/freeze.h"
#include "savedmodel/graph.pb.h"
#include "savedmodel/model_source.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

using Infos = google::protobuf::Map<std::string, proto::TensorInfo>;

// The variables that stay inputs: none, "all", or those named.
struct Choice {
  bool all = false;
  std::vector<std::string> names;  // in the order given
  bool Has(const std::string& node) const { return all || std::find(names.begin(), names.end(), node) != names.end(); }
};

absl::StatusOr<Choice> ReadChoice(const std::string& text) {
  Choice choice;
  choice.all = absl::AsciiStrToLower(text) == "all";
  if (choice.all || text.empty()) return choice;
  for (absl::string_view piece : absl::StrSplit(text, ',')) {
    if (piece = absl::StripAsciiWhitespace(piece); !piece.empty()) choice.names.emplace_back(piece);
  }
  if (choice.names.empty()) return PythonError("ValueError", "variables_to_feed must contain at least one non-empty item.");
  return choice;
}

std::string ShapeText(const proto::TensorShapeProto& shape) {
  if (shape.unknown_rank()) return "<unknown>";
  std::vector<std::string> sizes;
  for (const auto& dim : shape.dim()) sizes.push_back(dim.size() < 0 ? "None" : absl::StrCat(dim.size()));
  return absl::StrCat("(", absl::StrJoin(sizes, ", "), sizes.size() == 1 ? ",)" : ")");
}

bool IsFull(const proto::TensorShapeProto& shape) {
  bool full = !shape.unknown_rank();
  for (const auto& dim : shape.dim()) full = full && dim.size() >= 0;
  return full;
}

// tfcompile wants the sizes of what is fed.
absl::Status CheckInputs(const proto::GraphDef& graph, const Infos& inputs) {
  std::map<std::string, const proto::TensorInfo*> placeholders;
  for (const auto& [key, info] : inputs) placeholders[info.name().substr(0, info.name().rfind(':'))] = &info;
  std::map<std::string, std::string> bad;  // by key
  for (const proto::NodeDef& node : graph.node()) {
    const auto found = placeholders.find(node.name());
    if (found == placeholders.end() || (node.op() != "Placeholder" && node.op() != "PlaceholderV2") || IsFull(found->second->tensor_shape())) continue;
    for (const auto& [key, info] : inputs) {
      if (&info == found->second) bad[key] = node.name();
    }
  }
  if (bad.empty()) return absl::OkStatus();
  const auto& [key, node] = *bad.begin();
  return PythonError("ValueError", "Expected fully defined input shape for signature_def '", key, "', tensor name: '", node, "'; but shape is: ",
                     ShapeText(inputs.at(key).tensor_shape()), ". (savedmodel freeze takes such inputs.)");
}

// The bodies of the text format, one field a line.
std::string Indented(const std::string& text) { return absl::StrReplaceAll(absl::StrCat("  ", text.substr(0, text.size() - 1)), {{"\n", "\n  "}}) + "\n"; }

std::string Quoted(const std::string& text) { return absl::StrCat("\"", absl::CEscape(text), "\""); }

std::string ShapeField(const proto::TensorShapeProto& shape) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(shape, &text);
  return absl::StrCat("shape {\n", text.empty() ? "" : Indented(text), "}\n");
}

std::string Named(const char* kind, const std::string& name) {
  return absl::StrCat("name: ", Quoted(absl::StrCat(kind, absl::StrReplaceAll(name, {{"/", "_"}}))), "\n");
}

std::string TypeField(int type) { return absl::StrCat("type: ", proto::DataType_Name(type), "\n"); }

// One feed or fetch of tf2xla's Config.
absl::StatusOr<std::string> TensorField(const char* field, const std::string& key, const proto::TensorInfo& info) {
  const size_t colon = info.name().rfind(':');
  if (colon == std::string::npos) return PythonError("TypeError", "\"", key, "\" is the node \"", info.name(), "\", a tensor was wanted");
  const std::string index = info.name().substr(colon + 1);
  const std::string id =
      absl::StrCat("node_name: ", Quoted(info.name().substr(0, colon)), "\n", index == "0" ? "" : absl::StrCat("output_index: ", index, "\n"));
  const std::string name = Named(absl::StrCat(field, "_").c_str(), key), shape = ShapeField(info.tensor_shape());
  const bool feed = std::string(field) == "feed";
  const std::string body = absl::StrCat("id {\n", Indented(id), "}\n", feed ? shape : name, feed ? name : shape, TypeField(info.dtype()));
  return absl::StrCat(field, " {\n", Indented(body), "}\n");
}

absl::StatusOr<std::string> ConfigText(const proto::SignatureDef& signature, const std::vector<const proto::NodeDef*>& variables,
                                       const std::set<std::string>& written) {
  std::string text;
  for (const bool feeds : {true, false}) {
    const Infos& infos = feeds ? signature.inputs() : signature.outputs();
    std::map<std::string, const proto::TensorInfo*> sorted;
    for (const auto& [key, info] : infos) sorted[key] = &info;
    for (const auto& [key, info] : sorted) {
      SM_ASSIGN_OR_RETURN(const std::string field, TensorField(feeds ? "feed" : "fetch", key, *info));
      text += field;
    }
  }
  for (const proto::NodeDef* node : variables) {
    const proto::AttrValue none, &shape = node->attr().count("shape") > 0 ? node->attr().at("shape") : none;
    const int type = node->attr().count("dtype") > 0 ? node->attr().at("dtype").type() : 0;
    const std::string body = absl::StrCat("node_name: ", Quoted(node->name()), "\n", Named("param_", node->name()), ShapeField(shape.shape()), TypeField(type),
                                          written.count(node->name()) > 0 ? "" : "readonly: true\n");
    absl::StrAppend(&text, "variable {\n", Indented(body), "}\n");
  }
  return text;
}

bool IsVariable(const proto::NodeDef& node) { return node.op() == "VarHandleOp" || node.op() == "VariableV2" || node.op() == "Variable"; }

absl::Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return out ? absl::OkStatus() : PythonError("OSError", path, ": cannot be written");
}

}  // namespace

absl::Status FreezeModel(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(const Choice choice, ReadChoice(arguments.variables_to_feed.value_or("")));
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir));
  SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* meta_graph, FindMetaGraph(*model, *arguments.tag_set, true));
  const std::string key = arguments.signature_def_key.value_or("serving_default");
  const auto signature = meta_graph->signature_def().find(key);
  if (signature == meta_graph->signature_def().end()) {
    std::set<std::string> keys;
    for (const auto& item : meta_graph->signature_def()) keys.insert(item.first);
    return PythonError("ValueError", "Unable to find signature_def_key '", key, "' in signature def map of `meta_graph_def`. Available keys: ",
                       ListRepr({keys.begin(), keys.end()}));
  }
  if (signature->second.outputs().empty()) return PythonError("ValueError", "Signature key ", key, " must have outputs, but saw none");
  SM_RETURN_IF_ERROR(CheckInputs(meta_graph->graph_def(), signature->second.inputs()));

  SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(*arguments.dir));
  std::shared_ptr<FileSource> source = found.source;
  if (!arguments.checkpoint_path.value_or("").empty()) {
    SM_ASSIGN_OR_RETURN(source, WithCheckpoint(std::move(source), *arguments.checkpoint_path));
  }
  const std::vector<std::string> tags = TagsOf(*meta_graph);
  SM_ASSIGN_OR_RETURN(const SavedModelBundle bundle, LoadWithProgress({}, {tags.begin(), tags.end()}, std::move(source)));
  const auto freeze = [&](const std::string& but) {
    return FreezeSignature(bundle, key, {[&choice, &but](const std::string& node) { return choice.Has(node) && node != but; }});
  };
  SM_ASSIGN_OR_RETURN(const FrozenModel frozen, freeze(""));
  std::vector<const proto::NodeDef*> kept;
  std::set<std::string> missing(choice.names.begin(), choice.names.end()), there(frozen.variables.begin(), frozen.variables.end()), written;
  for (const proto::NodeDef& node : frozen.graph_def->node()) {
    if (!IsVariable(node)) continue;
    kept.push_back(&node);
    missing.erase(node.name());
    there.insert(node.name());
    if (!freeze(node.name()).ok()) written.insert(node.name());  // a constant cannot take its place
  }
  if (!missing.empty()) {
    return PythonError("ValueError", "Asked to feed variables that were not found in graph: ", SetRepr(missing), ". Variables contained in the graph: ",
                       ListRepr({there.begin(), there.end()}));
  }
  const auto place = [&choice](const proto::NodeDef* node) { return std::find(choice.names.begin(), choice.names.end(), node->name()); };
  std::stable_sort(kept.begin(), kept.end(), [&place](const auto* a, const auto* b) { return place(a) < place(b); });
  SM_ASSIGN_OR_RETURN(const std::string config, ConfigText(signature->second, kept, written));

  const std::filesystem::path prefix = arguments.output_prefix->empty() ? "." : *arguments.output_prefix;
  std::error_code error;
  std::filesystem::create_directories(prefix, error);
  if (error) return PythonError("OSError", "cannot make the directory ", prefix.string(), ": ", error.message());
  int64_t bytes = 0;
  SM_RETURN_IF_ERROR(WriteMessage((prefix / "frozen_graph.pb").string(), *frozen.graph_def, true, &bytes));
  return WriteText((prefix / "config.pbtxt").string(), config);
}

}  // namespace savedmodel::cli
