// show: what a SavedModel holds. Reads saved_model.pb alone, never the weights.
#include <algorithm>
#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/functions_text.h"
#include "cli/json_value.h"
#include "cli/model_file.h"
#include "cli/op_set.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "cli/show_json.h"
#include "cli/signature_text.h"
#include "cli/terminal.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

void PrintPlain(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void Print(const std::string& text) { PrintPlain(PaintListing(text)); }

using SortedSignatures = std::map<std::string, const proto::SignatureDef*>;

SortedSignatures SignaturesOf(const proto::MetaGraphDef& meta_graph) {
  SortedSignatures sorted;
  for (const auto& [key, signature] : meta_graph.signature_def()) sorted[key] = &signature;
  return sorted;
}

std::string OpsLine(const proto::MetaGraphDef& meta_graph) {
  return absl::StrCat("The MetaGraph with tag set ", ListRepr(TagsOf(meta_graph)), " contains the following ops: ", SetRepr(OpsOf(meta_graph)), "\n");
}

void ShowTagSets(const proto::SavedModel& model) {
  std::vector<std::vector<std::string>> tag_sets;
  for (const proto::MetaGraphDef& meta_graph : model.meta_graphs()) {
    tag_sets.push_back(TagsOf(meta_graph));
  }
  std::sort(tag_sets.begin(), tag_sets.end());
  for (auto& tags : tag_sets) std::sort(tags.begin(), tags.end());
  Print("The given SavedModel contains the following tag-sets:\n");
  for (const auto& tags : tag_sets) Print(absl::StrCat(StringRepr(absl::StrJoin(tags, ", ")), "\n"));
}

void ShowAll(const proto::SavedModel& model) {
  std::vector<const proto::MetaGraphDef*> sorted;
  bool objects = false;
  for (const proto::MetaGraphDef& meta_graph : model.meta_graphs()) sorted.push_back(&meta_graph);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return TagsOf(*a) < TagsOf(*b);
  });
  for (const proto::MetaGraphDef* meta_graph : sorted) {
    Print(absl::StrCat("\nMetaGraphDef with tag-set: '", absl::StrJoin(TagsOf(*meta_graph), ", "), "' contains the following SignatureDefs:\n"));
    for (const auto& [key, signature] : SignaturesOf(*meta_graph)) {
      Print(absl::StrCat("\nsignature_def['", key, "']:\n", SignatureText(*signature, 1)));
    }
    Print(OpsLine(*meta_graph));
    objects = objects || meta_graph->has_object_graph_def();
  }
  if (!objects) return;
  for (const proto::MetaGraphDef* meta_graph : sorted) {
    if (meta_graph->has_object_graph_def()) return Print(FunctionsText(meta_graph->object_graph_def()));
  }
}

absl::Status ShowSignature(const proto::MetaGraphDef& meta_graph, const std::string& key) {
  SM_ASSIGN_OR_RETURN(const proto::SignatureDef* signature, FindSignature(meta_graph, key));
  Print(SignatureText(*signature, 0));
  return absl::OkStatus();
}

}  // namespace

absl::Status Show(const Arguments& arguments) {
  if (arguments.checkpoint.has_value()) return ShowCheckpoint(arguments);
  absl::StatusOr<std::unique_ptr<proto::SavedModel>> read = ReadModelFile(*arguments.dir);
  if (!read.ok() && IsRegularFile(*arguments.dir) && ShowFrozen(arguments).ok()) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, std::move(read));
  if (arguments.json) return ShowJson(*model, arguments);
  if (arguments.all) {
    ShowAll(*model);
    return absl::OkStatus();
  }
  if (!arguments.tag_set.has_value()) {
    if (arguments.list_ops) Print("--list_ops must be paired with a tag-set or with --all.\n");
    ShowTagSets(*model);
    return absl::OkStatus();
  }
  if (arguments.list_ops) {
    SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* listed, FindMetaGraph(*model, *arguments.tag_set, true));
    Print(OpsLine(*listed));
  }
  // The list of keys takes the tags as they are, as the reference does.
  SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* meta_graph, FindMetaGraph(*model, *arguments.tag_set, arguments.signature_def.has_value()));
  if (arguments.signature_def.has_value()) return ShowSignature(*meta_graph, *arguments.signature_def);
  Print("The given SavedModel MetaGraphDef contains SignatureDefs with the following keys:\n");
  for (const auto& item : SignaturesOf(*meta_graph)) Print(absl::StrCat("SignatureDef key: \"", item.first, "\"\n"));
  return absl::OkStatus();
}

absl::Status Scan(const Arguments& arguments) {
  std::set<std::string> denied;
  if (arguments.op_denylist.has_value() && !arguments.op_denylist->empty()) {
    denied = ParseTagSet(*arguments.op_denylist, true);
  } else {
    denied = {"WriteFile", "ReadFile", "PrintV2"};
  }
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir));
  std::vector<const proto::MetaGraphDef*> chosen;
  if (arguments.tag_set.has_value() && !arguments.tag_set->empty()) {
    SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* one, FindMetaGraph(*model, *arguments.tag_set, true));
    chosen.push_back(one);
  } else {
    for (const proto::MetaGraphDef& meta_graph : model->meta_graphs()) chosen.push_back(&meta_graph);
  }
  std::string json;
  for (const proto::MetaGraphDef* meta_graph : chosen) {
    std::set<std::string> found;
    for (const std::string& op : OpsOf(*meta_graph)) {
      if (denied.count(op) > 0) found.insert(op);
    }
    if (arguments.json) {
      absl::StrAppend(&json, json.empty() ? "" : ",\n    ", "{\"tags\": ", JsonStrings(TagsOf(*meta_graph)), ", \"found\": ", JsonStrings(found), "}");
      continue;
    }
    const std::string head = absl::StrCat("MetaGraph with tag set ", ListRepr(TagsOf(*meta_graph)));
    const std::string text = found.empty() ? absl::StrCat(head, " does not contain the default denylisted ops: ", SetRepr(denied))
                                           : absl::StrCat(head, " contains the following denylisted ops: ", SetRepr(found));
    std::puts(Paint(found.empty() ? Style::kGood : Style::kBad, text).c_str());
  }
  if (arguments.json) PrintPlain(absl::StrCat("{\n  \"op_denylist\": ", JsonStrings(denied), ",\n  \"meta_graphs\": [\n    ", json, "\n  ]\n}\n"));
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
