#include "cli/show_json.h"

#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "cli/json_value.h"
#include "cli/model_file.h"
#include "cli/op_set.h"
#include "core/status_macros.h"
#include "savedmodel/data_type.h"

namespace savedmodel::cli {
namespace {

std::string InfoJson(const proto::TensorInfo& info) {
  std::string shape = "null";  // unknown rank
  if (!info.tensor_shape().unknown_rank()) {
    shape = "[";
    for (const auto& dim : info.tensor_shape().dim()) absl::StrAppend(&shape, shape.size() > 1 ? ", " : "", dim.size());
    shape += "]";
  }
  const std::string type = DataTypeName(RemoveRef(static_cast<DataType>(static_cast<int>(info.dtype()))));
  return absl::StrCat("{\"name\": ", JsonString(info.name()), ", \"dtype\": ", JsonString(type), ", \"shape\": ", shape, "}");
}

template <typename Infos>
std::string InfosJson(const Infos& infos) {
  const std::map<std::string, proto::TensorInfo> sorted(infos.begin(), infos.end());
  std::string out;
  for (const auto& [key, info] : sorted) absl::StrAppend(&out, out.empty() ? "" : ", ", JsonString(key), ": ", InfoJson(info));
  return absl::StrCat("{", out, "}");
}

std::string SignatureJson(const proto::SignatureDef& signature) {
  return absl::StrCat("{\"method_name\": ", JsonString(signature.method_name()), ",\n        \"inputs\": ", InfosJson(signature.inputs()),
                      ",\n        \"outputs\": ", InfosJson(signature.outputs()), "}");
}

absl::StatusOr<std::string> MetaGraphJson(const proto::MetaGraphDef& meta_graph, const Arguments& arguments) {
  std::map<std::string, const proto::SignatureDef*> sorted;
  for (const auto& [key, signature] : meta_graph.signature_def()) sorted[key] = &signature;
  if (arguments.signature_def.has_value() && !arguments.all) {
    SM_ASSIGN_OR_RETURN(const proto::SignatureDef* one, FindSignature(meta_graph, *arguments.signature_def));
    sorted = {{*arguments.signature_def, one}};
  }
  std::string signatures;
  for (const auto& [key, signature] : sorted) {
    absl::StrAppend(&signatures, signatures.empty() ? "" : ",\n      ", JsonString(key), ": ", SignatureJson(*signature));
  }
  std::string out = absl::StrCat("{\"tags\": ", JsonStrings(TagsOf(meta_graph)), ",\n     \"tensorflow_version\": ",
                                 JsonString(meta_graph.meta_info_def().tensorflow_version()), ",\n     \"signatures\": {\n      ", signatures, "}");
  if (arguments.all || arguments.list_ops) absl::StrAppend(&out, ",\n     \"ops\": ", JsonStrings(OpsOf(meta_graph)));
  return out + "}";
}

}  // namespace

absl::Status ShowJson(const proto::SavedModel& model, const Arguments& arguments) {
  std::string out;
  if (arguments.tag_set.has_value() && !arguments.all) {
    SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* one, FindMetaGraph(model, *arguments.tag_set, true));
    SM_ASSIGN_OR_RETURN(out, MetaGraphJson(*one, arguments));
  } else {
    for (const proto::MetaGraphDef& meta_graph : model.meta_graphs()) {
      SM_ASSIGN_OR_RETURN(const std::string one, MetaGraphJson(meta_graph, arguments));
      absl::StrAppend(&out, out.empty() ? "" : ",\n    ", one);
    }
  }
  std::printf("{\n  \"meta_graphs\": [\n    %s\n  ]\n}\n", out.c_str());
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
