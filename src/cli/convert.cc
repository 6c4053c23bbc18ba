// convert: a SavedModel's, a graph's or a meta graph's message from its binary form to text, or back.
#include <sys/stat.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "core/status_macros.h"
#include "loader/graph_file.h"
#include "loader/saved_model.h"
#include "savedmodel/model_source.h"

namespace savedmodel::cli {
namespace {

absl::StatusOr<AnyMessage> Read(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(path));
    if (!found.note.empty()) std::fprintf(stderr, "%s\n", found.note.c_str());
    AnyMessage model;
    model.kind = MessageKind::kSavedModel;
    SM_ASSIGN_OR_RETURN(model.message, ReadSavedModel(*found.source));
    return model;
  }
  SM_ASSIGN_OR_RETURN(const NamedFile file, SplitPath(path));
  return ReadAnyMessage(*file.source, file.name);
}

}  // namespace

absl::Status Convert(const Arguments& arguments) {
  const std::string &in = arguments.paths[0], &out = arguments.paths[1];
  SM_RETURN_IF_ERROR(CheckOutputFile(out, arguments.overwrite));
  SM_ASSIGN_OR_RETURN(const AnyMessage any, Read(in));
  int64_t bytes = 0;
  SM_RETURN_IF_ERROR(WriteMessage(out, *any.message, arguments.overwrite, &bytes));
  std::printf("%s: %s of %s, %s\n", out.c_str(), MessageKindName(any.kind), in.c_str(), SizeText(bytes).c_str());
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
