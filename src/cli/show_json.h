// show --json: what show prints, for programs.
#ifndef SAVEDMODEL_CLI_SHOW_JSON_H_
#define SAVEDMODEL_CLI_SHOW_JSON_H_

#include "absl/status/status.h"
#include "cli/commands.h"
#include "savedmodel/meta_graph.pb.h"

namespace savedmodel::cli {

// All meta graphs, or the one of --tag_set; all signatures, or the one of --signature_def; ops with --list_ops or --all.
absl::Status ShowJson(const proto::SavedModel& model, const Arguments& arguments);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_SHOW_JSON_H_
