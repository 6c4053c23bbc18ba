// show --checkpoint: what a checkpoint holds.
#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/report_json.h"
#include "core/status_macros.h"
#include "loader/checkpoint.h"
#include "loader/graph_file.h"

namespace savedmodel::cli {
namespace {

// People give the prefix, one of its files, or a SavedModel's directory.
absl::StatusOr<std::unique_ptr<Checkpoint>> Open(const std::string& given, std::string* prefix) {
  *prefix = given;
  if (absl::EndsWith(given, ".index") || absl::EndsWith(given, ".meta")) prefix->resize(given.rfind('.'));
  if (const size_t data = given.rfind(".data-"); data != std::string::npos && given.size() - data == 20) prefix->resize(data);
  SM_ASSIGN_OR_RETURN(const NamedFile file, SplitPath(*prefix));
  absl::StatusOr<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(file.source, file.name);
  if (checkpoint.ok() || absl::IsDataLoss(checkpoint.status())) return checkpoint;
  absl::StatusOr<std::shared_ptr<FileSource>> directory = MakeDirectorySource(given);
  if (!directory.ok()) return checkpoint;
  absl::StatusOr<std::unique_ptr<Checkpoint>> inside = Checkpoint::Open(*directory, "variables/variables");
  if (!inside.ok()) return checkpoint;
  *prefix = absl::StrCat(given, absl::EndsWith(given, "/") ? "" : "/", "variables/variables");
  return inside;
}

}  // namespace

absl::Status ShowCheckpoint(const Arguments& arguments) {
  std::string prefix;
  SM_ASSIGN_OR_RETURN(const std::unique_ptr<Checkpoint> checkpoint, Open(*arguments.checkpoint, &prefix));
  SM_ASSIGN_OR_RETURN(const std::vector<CheckpointEntry> entries, checkpoint->List());
  int64_t total = 0;
  for (const CheckpointEntry& entry : entries) total += static_cast<int64_t>(entry.bytes);
  if (arguments.json) {
    std::vector<Json> tensors;
    for (const CheckpointEntry& entry : entries) {
      std::vector<Json> shape;
      for (int64_t dim : entry.shape.dims()) shape.push_back(Json::Number(dim));
      tensors.push_back(Json::Object({{"name", Json::Text(entry.key)},
                                      {"dtype", Json::Text(DataTypeName(entry.dtype))},
                                      {"shape", Json::List(shape)},
                                      {"bytes", Json::Number(static_cast<int64_t>(entry.bytes))},
                                      {"shard", entry.sliced ? Json::Null() : Json::Number(entry.shard)},
                                      {"sliced", Json::Bool(entry.sliced)}}));
    }
    std::puts(Json::Object({{"checkpoint", Json::Text(prefix)},
                            {"version", Json::Number(checkpoint->version())},
                            {"bytes", Json::Number(total)},
                            {"tensors", Json::List(tensors)}})
                  .text()
                  .c_str());
    return absl::OkStatus();
  }
  size_t width = 4;
  for (const CheckpointEntry& entry : entries) width = std::max(width, std::min<size_t>(entry.key.size(), 80));
  std::printf("%s: version %d, %zu tensors, %s\n", prefix.c_str(), checkpoint->version(), entries.size(), SizeText(total).c_str());
  for (const CheckpointEntry& entry : entries) {
    std::printf("%s\n", absl::StrFormat("%-*s  %-10s %-20s %12u  %s", static_cast<int>(width), entry.key, DataTypeName(entry.dtype),
                                        entry.shape.ToString(), entry.bytes, entry.sliced ? "in slices" : absl::StrCat("shard ", entry.shard))
                            .c_str());
  }
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
