// freeze_model, as the reference spells it: the checks of its arguments.
#include <set>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "core/status_macros.h"

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
  return PythonError("NotImplementedError", "freeze_model writes the files of tfcompile, which this tool does not; see savedmodel --help for what freezes a model here");
}

}  // namespace savedmodel::cli
