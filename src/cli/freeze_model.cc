// freeze_model, as the reference spells it: writes PREFIX/frozen_graph.pb; its other files are for tfcompile alone.
#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/output_file.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "core/status_macros.h"
#include "savedmodel/freeze.h"
#include "savedmodel/graph.pb.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {

absl::Status FreezeModel(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir));
  SM_ASSIGN_OR_RETURN(const proto::MetaGraphDef* meta_graph, FindMetaGraph(*model, *arguments.tag_set, true));
  const std::string key = arguments.signature_def_key.value_or("serving_default");
  if (meta_graph->signature_def().count(key) == 0) {
    std::set<std::string> keys;
    for (const auto& item : meta_graph->signature_def()) keys.insert(item.first);
    return PythonError("ValueError", "Unable to find signature_def_key '", key, "' in signature def map of `meta_graph_def`. Available keys: ",
                       ListRepr({keys.begin(), keys.end()}));
  }
  if (!arguments.variables_to_feed.value_or("").empty() || arguments.checkpoint_path.has_value()) {
    return PythonError("NotImplementedError", "--variables_to_feed and --checkpoint_path are not known here: all variables become constants, with the model's own values");
  }
  const std::vector<std::string> tags = TagsOf(*meta_graph);
  SM_ASSIGN_OR_RETURN(const SavedModelBundle bundle, LoadSavedModel({}, {}, {tags.begin(), tags.end()}, *arguments.dir));
  SM_ASSIGN_OR_RETURN(const FrozenModel frozen, FreezeSignature(bundle, key));
  std::error_code error;
  std::filesystem::create_directories(*arguments.output_prefix, error);
  if (error) return PythonError("OSError", "cannot make the directory ", *arguments.output_prefix, ": ", error.message());
  int64_t bytes = 0;
  return WriteMessage(absl::StrCat(*arguments.output_prefix, "/frozen_graph.pb"), *frozen.graph_def, true, &bytes);
}

}  // namespace savedmodel::cli
