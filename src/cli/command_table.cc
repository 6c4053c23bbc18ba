// The flags and commands. Help, man page and shell completion are made from these texts.
#include "cli/commands.h"
#include "cli/python_error.h"

namespace savedmodel::cli {
namespace {

absl::Status NotHere(const Arguments&) {
  return PythonError("NotImplementedError", "this tool has no such command: it needs TensorRT or XLA. TensorFlow's saved_model_cli does that.");
}

absl::Status ConvertFile(const Arguments& arguments) { return arguments.paths.back() == "tensorrt" ? NotHere(arguments) : Convert(arguments); }

constexpr char kShow[] =
    "Prints the tag sets, signatures, inputs and outputs, ops and Python functions of a SavedModel. Reads saved_model.pb alone, never the "
    "weights. Without --tag_set: the tag sets; with it: the signature keys; with --signature_def: that signature's inputs and outputs.";
constexpr char kRun[] =
    "Feeds a signature and prints its outputs as numpy does. Inputs come from files (--inputs KEY=FILE or KEY=FILE[NAME]: .npy, .npz, pickles "
    "of plain values and arrays, .json, .txt lines for inputs of strings, .jpg .png .bmp .gif pictures), from expressions (--input_exprs KEY=EXPR: "
    "Python literals, np.ones, zeros, full, array, arange, linspace, eye, random.rand ..., astype, reshape and arithmetic) and from tf.train.Examples "
    "(--input_examples). Several are parted by ';'. Of a key given twice the later flag counts. Nothing that a file or an expression holds is executed.";
constexpr char kScan[] = "Says which ops of a list (--op_denylist, else WriteFile, ReadFile, PrintV2) a model uses.";
constexpr char kBench[] =
    "Runs a signature again and again on made-up inputs and prints latency percentiles, throughput, the time to load and to the first answer, "
    "peak memory and the time by op. Sizes that the signature leaves open are 1 unless --shape KEY=1x224x224x3,... says otherwise. "
    "--streams runs as many callers at once. --compare SETTING (threads=4, streams=2, precision=bfloat16, winograd=off, disable=PASS) loads the "
    "model a second time under that setting and runs both in turn. --trace writes the steps of one run for chrome://tracing and Perfetto.";

}  // namespace

absl::Span<const Flag> Flags() {
  using A = Arguments;
  static const std::vector<Flag> flags = {
      {"dir", &A::dir, "DIR", "the SavedModel"},
      {"tag_set", &A::tag_set, "TAGS", "tags of the meta graph, comma separated; '' is the one without tags"},
      {"signature_def", &A::signature_def, "KEY", "key of the signature"},
      {"all", &A::all, nullptr, "everything"},
      {"list_ops", &A::list_ops, nullptr, "the ops of the meta graph too"},
      {"checkpoint", &A::checkpoint, "PREFIX", "list the tensors of this checkpoint instead"},
      {"json", &A::json, nullptr, "print JSON"},
      {"inputs", &A::inputs, "KEY=FILE", "inputs from files; KEY=FILE[NAME] for one of several arrays"},
      {"input_exprs", &A::input_exprs, "KEY=EXPR", "inputs from expressions"},
      {"input_examples", &A::input_examples, "KEY=LIST", "inputs from lists of dictionaries, as tf.train.Examples"},
      {"outdir", &A::outdir, "DIR", "also write each output to DIR/KEY.npy"},
      {"overwrite", &A::overwrite, nullptr, "overwrite output files that exist"},
      {"scale", &A::scale, "RANGE", "values of pictures: 0..1, -1..1 or raw"},
      {"seed", &A::seed, "N", "seed of np.random (0)"},
      {"op_denylist", &A::op_denylist, "OPS", "ops to look for, comma separated"},
      {"shape", &A::shape, "KEY=SHAPE", "shapes of inputs, comma separated: image=1x224x224x3"},
      {"precision", &A::precision, "TYPE", "float32 or bfloat16 for products and convolutions"},
      {"threads", &A::threads, "N", "threads of the session, 0 is one a core (0)"},
      {"streams", &A::streams, "N", "callers at once (1)"},
      {"seconds", &A::seconds, "S", "how long to measure (3)"},
      {"trace", &A::trace, "FILE", "write the steps of one run as a Chrome trace"},
      {"compare", &A::compare, "SETTING", "measure this setting too, in turn"},
      {"output_prefix", &A::output_prefix, "DIR", "directory of the frozen graph"},
      {"signature_def_key", &A::signature_def_key, "KEY", "key of the signature (serving_default)"},
      {"checkpoint_path", &A::checkpoint_path, "PATH", "checkpoint to take (DIR/variables/variables)"},
      {"variables_to_feed", &A::variables_to_feed, "NAMES", "variables that stay inputs: '', all or names"},
      {"output_dir", &A::output_dir, "DIR", "directory to write"},
      {"cpp_class", &A::cpp_class, "NAME", nullptr},
      {"worker", &A::worker, "TARGET", nullptr},
      {"tf_debug", &A::tf_debug, nullptr, nullptr},
      {"init_tpu", &A::init_tpu, nullptr, nullptr},
      {"use_tfrt", &A::use_tfrt, nullptr, nullptr},
      {"convert_tf1_model", &A::convert_tf1_model, nullptr, nullptr},
      {"max_workspace_size_bytes", &A::not_used, "N", nullptr},
      {"precision_mode", &A::not_used, "MODE", nullptr},
      {"minimum_segment_size", &A::not_used, "N", nullptr},
      {"target_triple", &A::not_used, "TRIPLE", nullptr},
      {"target_cpu", &A::not_used, "CPU", nullptr},
      {"multithreading", &A::not_used, "BOOL", nullptr},
      {"verbosity", &A::not_used, "N", nullptr},  // these belong to absl's logging
      {"stderrthreshold", &A::not_used, "LEVEL", nullptr},
      {"log_dir", &A::not_used, "DIR", nullptr},
      {"logtostderr", &A::not_used_switch, nullptr, nullptr},
      {"alsologtostderr", &A::not_used_switch, nullptr, nullptr},
  };
  return flags;
}

absl::Span<const Command> Commands() {
  static const std::vector<Command> commands = {
      {"show",
       "what a SavedModel holds",
       Show,
       {"dir"},
       {"all", "tag_set", "signature_def", "list_ops", "checkpoint", "json"},
       0,
       kShow,
       "# the tag sets\nsavedmodel show --dir models/half_plus_two\n"
       "# inputs and outputs of a signature\nsavedmodel show --dir models/half_plus_two --tag_set serve --signature_def serving_default\n"
       "# everything, for a program\nsavedmodel show --dir models/half_plus_two --all --json\n"},
      {"run",
       "run a signature once",
       RunModel,
       {"dir", "tag_set", "signature_def"},
       {"inputs", "input_exprs", "input_examples", "outdir", "overwrite", "scale", "seed", "json"},
       0,
       kRun,
       "# numbers\nsavedmodel run --dir m --tag_set serve --signature_def serving_default --input_exprs 'x=[[1.0],[2.0]]'\n"
       "# a picture, scaled to -1..1\nsavedmodel run --dir m --tag_set serve --signature_def serving_default --inputs image=cat.jpg --scale=-1..1\n"
       "# random numbers in, arrays out\nsavedmodel run --dir m --tag_set serve --signature_def serving_default --input_exprs "
       "'x=np.random.rand(1,224,224,3)' --outdir out\n"},
      {"scan",
       "look for ops that touch files or print",
       Scan,
       {"dir"},
       {"tag_set", "op_denylist", "json"},
       0,
       kScan,
       "# the default list\nsavedmodel scan --dir m\n# ops of your own\nsavedmodel scan --dir m --op_denylist PyFunc,EagerPyFunc\n"},
      {"ops",
       "the ops that this library knows",
       ListOps,
       {},
       {"json"},
       0,
       "Prints each op and whether it has a kernel.",
       "# those without a kernel\nsavedmodel ops | grep -v 'kernel$'\n"},
      {"doctor",
       "what of a model would not run, and why",
       Doctor,
       {"dir"},
       {"json"},
       1,
       "Checks a model without running it: ops without a kernel and the signatures they affect, versions, checksums of the variables, parts that "
       "nothing uses.",
       "# one model\nsavedmodel doctor models/ssd\n"},
      {"bench",
       "measure latency and throughput",
       Bench,
       {"dir"},
       {"tag_set", "signature_def", "shape", "precision", "threads", "streams", "seconds", "json", "trace", "compare"},
       0,
       kBench,
       "# a picture model, one caller\nsavedmodel bench --dir m --shape image=1x224x224x3\n"
       "# four callers, two threads, for a program\nsavedmodel bench --dir m --streams 4 --threads 2 --seconds 10 --json\n"
       "# is one thread faster?\nsavedmodel bench --dir m --compare threads=1\n"},
      {"freeze",
       "a signature as one GraphDef with constants for variables",
       Freeze,
       {},
       {"tag_set", "signature_def", "overwrite", "json"},
       2,
       "Writes what a signature's outputs need, with the variables' values, as .pb, or as text where the name ends in .pbtxt.",
       "# serving_default\nsavedmodel freeze m frozen.pb\n"},
      {"convert",
       "protobuf files from binary to text and back",
       ConvertFile,
       {},
       {"overwrite"},
       2,
       "Reads a SavedModel, GraphDef or MetaGraphDef and writes it as .pb or .pbtxt, by the name of the file to write.",
       "# to read it\nsavedmodel convert m/saved_model.pb m.pbtxt\n"},
      {"freeze_model",
       "the same for tfcompile, with its config.pbtxt",
       FreezeModel,
       {"dir", "output_prefix", "tag_set"},
       {"signature_def_key", "variables_to_feed", "checkpoint_path"},
       0,
       "Writes DIR/frozen_graph.pb and DIR/config.pbtxt (DIR is --output_prefix) with the flags of saved_model_cli. Inputs must have full shapes.",
       "# all variables as constants\nsavedmodel freeze_model --dir m --tag_set serve --output_prefix out\n"
       "# one stays an input\nsavedmodel freeze_model --dir m --tag_set serve --output_prefix out --variables_to_feed w\n"},
      {"aot_compile_cpu", "", NotHere, {"cpp_class"}, {}, 0, "", ""},
      {"man", "", PrintManPage, {}, {}, 0, "", ""},
      {"completion", "", PrintCompletion, {}, {}, 0, "", ""},
  };
  return commands;
}

}  // namespace savedmodel::cli
