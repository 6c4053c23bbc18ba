// What the command line asked for, and the commands. They print to stdout; an error ends the program with exit code 1.
#ifndef SAVEDMODEL_CLI_COMMANDS_H_
#define SAVEDMODEL_CLI_COMMANDS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace savedmodel::cli {

struct Arguments {
  std::optional<std::string> dir, tag_set, signature_def, op_denylist, outdir, scale, seed;
  std::optional<std::string> shape, precision, threads, streams, seconds, trace, compare;
  std::optional<std::string> worker, output_dir, output_prefix, signature_def_key, checkpoint_path, variables_to_feed, cpp_class;
  std::optional<std::string> not_used;  // flags of the reference that change nothing here
  std::string inputs, input_exprs, input_examples;
  bool all = false, list_ops = false, overwrite = false, json = false;
  bool tf_debug = false, init_tpu = false, use_tfrt = false, convert_tf1_model = false, not_used_switch = false;
  std::optional<std::string> checkpoint;
  std::vector<std::string> paths;  // what follows the command
};

// A flag may stand anywhere on the command line; the commands that look at it list it.
struct Flag {
  const char* name;
  std::variant<std::optional<std::string> Arguments::*, std::string Arguments::*, bool Arguments::*> to;
  const char* value;  // "DIR"; null for switches
  const char* help;
};

struct Command {
  const char* name;
  const char* summary;
  absl::Status (*run)(const Arguments&);
  std::vector<const char*> required;  // flags
  std::vector<const char*> optional;
  size_t words;            // how many words may follow the command; a single one stands for --dir, of two --dir is the first
  const char* about;       // paragraphs
  const char* examples;    // "# what for\ncommand\n" ...
};

absl::Span<const Flag> Flags();
absl::Span<const Command> Commands();

absl::Status Show(const Arguments& arguments);
absl::Status Scan(const Arguments& arguments);
absl::Status RunModel(const Arguments& arguments);
absl::Status ListOps(const Arguments& arguments);
absl::Status Doctor(const Arguments& arguments);
absl::Status ShowCheckpoint(const Arguments& arguments);
bool IsRegularFile(const std::string& path);
absl::Status ShowFrozen(const Arguments& arguments);  // --dir names the file
absl::Status Freeze(const Arguments& arguments);
absl::Status Convert(const Arguments& arguments);
absl::Status Bench(const Arguments& arguments);
absl::Status FreezeModel(const Arguments& arguments);
absl::Status PrintManPage(const Arguments& arguments);
absl::Status PrintCompletion(const Arguments& arguments);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_COMMANDS_H_
