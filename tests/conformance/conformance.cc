// Runs conformance cases; see --help.
#include <re2/re2.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulated_gpu.h"
#include "record_file.h"
#include "report.h"
#include "run_case.h"
#include "savedmodel/cuda.h"
#include "savedmodel/savedmodel.h"
#include "workers.h"

namespace savedmodel::conformance {
namespace {

constexpr char kHelp[] = R"(conformance [options] FILE|FOLDER...
Runs the cases of *.tfrecord and *.tfrecord.gz files and compares with what the reference answered. Exits with 0 when all
passed (with --floors: when no file is below its floor), 1 when not, 2 when it was called wrongly.

  --filter REGEX    only cases whose "file:name" matches
  --ops REGEX       only cases with an op whose whole name matches
  --list            print the cases, do not run them
  --verbose         print each failure with its reason
  --causes N        rows of the table of failures by op (30; 0: none)
  --fail-list FILE  write failures there: file, name, kind, ops, reason
  --json FILE       write all results there
  --floors FILE     lines "file <tab> minimum percent"
  --device NAME     CPU (the default); GPU:0 and so on, or cuda for the first, by the CUDA plug-in; emulated: the CUDA kernels
                    as plain loops
  --plugin FILE     the CUDA plug-in, where it is not beside the program
  --precision NAME  of a GPU: float32 (the default), tf32, float16 or bfloat16, which are judged less strictly
  --repeat N        run each case so many times, for devices that record (1)
  --threads N       threads of each session (1)
  --jobs N          processes (one per core)
  --here            in this process, for debuggers: a crash ends it
  --timeout SECONDS of a case (60)
  --memory GIB      of address space a process may take (16; 0: no limit)
)";

struct Options {
  std::string filter, ops, fail_list, json, floors, device = "CPU", plugin, precision = "float32";
  bool list = false, verbose = false, here = false;
  int causes = 30, threads = 1, jobs = 0, repeat = 1;
  double timeout = 60;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  int memory = 0;  // sanitizers reserve terabytes
#else
  int memory = 16;
#endif
  std::vector<std::string> paths;
};

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << "conformance: " << message << "\n";
  std::exit(2);
}

template <typename T>
T Number(const std::string& name, const std::string& text) {
  double value;
  if (!absl::SimpleAtod(text, &value) || value < 0 || value > 1e6) Fail(absl::StrCat(name, " ", text, ": a number was wanted"));
  return static_cast<T>(value);
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 >= argc) Fail(name + " wants a value");
      return argv[++i];
    };
    if (name == "--help" || name == "-h") {
      std::cout << kHelp;
      std::exit(0);
    } else if (name == "--filter") options.filter = value();
    else if (name == "--ops") options.ops = value();
    else if (name == "--list") options.list = true;
    else if (name == "--verbose") options.verbose = true;
    else if (name == "--causes") options.causes = Number<int>(name, value());
    else if (name == "--fail-list") options.fail_list = value();
    else if (name == "--json") options.json = value();
    else if (name == "--floors") options.floors = value();
    else if (name == "--device") options.device = value();
    else if (name == "--plugin") options.plugin = value();
    else if (name == "--precision") options.precision = value();
    else if (name == "--repeat") options.repeat = Number<int>(name, value());
    else if (name == "--threads") options.threads = Number<int>(name, value());
    else if (name == "--here") options.here = true;
    else if (name == "--jobs") options.jobs = Number<int>(name, value());
    else if (name == "--timeout") options.timeout = Number<double>(name, value());
    else if (name == "--memory") options.memory = Number<int>(name, value());
    else if (name.size() > 1 && name[0] == '-') Fail(name + ": no such option, see --help");
    else options.paths.push_back(name);
  }
  if (options.paths.empty()) Fail("no files given, see --help");
  if (options.device == "cuda") options.device = "GPU:0";
  if (options.device != "CPU" && options.device != "emulated" && options.device.rfind("GPU:", 0) != 0) Fail(absl::StrCat("no device \"", options.device, "\""));
  if (options.precision != "float32" && options.precision != "tf32" && options.precision != "float16" && options.precision != "bfloat16") Fail("--precision " + options.precision);
  if (options.device != "CPU") options.memory = 0;  // CUDA reserves more addresses than any limit
  if (options.jobs == 0) options.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return options;
}

struct Piece {
  std::string file, name;
  std::string record;  // the serialized case
};

bool AnyMatches(const Case& test, const RE2& pattern) {
  for (const std::string& op : test.ops()) {
    if (RE2::FullMatch(op, pattern)) return true;
  }
  return false;
}

std::vector<Piece> Collect(const Options& options) {
  const RE2 filter(options.filter), ops(options.ops);
  if (!filter.ok() || !ops.ok()) Fail("a regular expression is wrong: " + filter.error() + ops.error());
  absl::StatusOr<std::vector<std::string>> files = FindCaseFiles(options.paths);
  if (!files.ok()) Fail(std::string(files.status().message()));
  std::vector<Piece> pieces;
  for (const std::string& file : *files) {
    absl::StatusOr<std::vector<std::string>> records = ReadRecords(file);
    if (!records.ok()) Fail(std::string(records.status().message()));
    for (std::string& record : *records) {
      Case test;
      if (!test.ParseFromString(record)) Fail(file + ": a record is no case");
      if (!RE2::PartialMatch(absl::StrCat(file, ":", test.name()), filter)) continue;
      if (!options.ops.empty() && !AnyMatches(test, ops)) continue;
      pieces.push_back({file, test.name(), std::move(record)});
    }
  }
  return pieces;
}

std::string FolderOf(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "." : file.substr(0, slash);
}

// The device of this process: a GPU must not be opened before the workers are forked.
std::shared_ptr<Device> DeviceOf(const Options& options) {
  static std::shared_ptr<Device>* const device = [&] {
    CudaOptions cuda;
    cuda.allow_tf32 = options.precision != "float32";
    if (options.precision == "bfloat16") cuda.precision = Precision::kBFloat16;
    if (options.precision == "float16") cuda.precision = Precision::kFloat16;
    cuda.plugin = options.plugin;
    if (options.device == "emulated") return new std::shared_ptr<Device>(EmulatedGpu(cuda).value());
    cuda.device = Number<int>("--device", options.device.substr(4));
    absl::StatusOr<std::shared_ptr<Device>> opened = CudaDevice(cuda);
    if (!opened.ok()) Fail(opened.status().ToString());
    return new std::shared_ptr<Device>(*opened);
  }();
  return *device;
}

// Whether the device can be had at all, asked in a process of its own; that says why not.
void ProbeDevice(const Options& options) {
  if (options.here || options.device == "CPU" || options.device == "emulated") return;
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    DeviceOf(options);
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) std::exit(2);
}

std::string RunPiece(const Options& options, const Piece& piece) {
  Case test;
  test.ParseFromString(piece.record);
  SessionOptions session;
  session.num_threads = options.threads;
  if (options.device != "CPU") session.devices = {DeviceOf(options)};
  if (options.precision != "float32") {
    const double loose = options.precision == "tf32" ? 1e-2 : options.precision == "float16" ? 2e-2 : 5e-2;
    test.set_rtol(std::max(test.rtol(), loose));
    test.set_atol(std::max(test.atol(), loose));
  }
  return Pack(RunCase(test, FolderOf(piece.file), session, options.repeat));
}

CaseResult ResultOf(const Piece& piece, const WorkResult& work) {
  CaseResult result{piece.file, piece.name, {}, work.seconds};
  if (work.finished) {
    result.outcome = Unpack(work.value);
    return result;
  }
  Case test;
  test.ParseFromString(piece.record);
  result.outcome = {false, work.problem.substr(0, work.problem.find_first_of(": ")), work.problem, SuspectedOps(test)};
  return result;
}

Report RunAll(const Options& options, const std::vector<Piece>& pieces) {
  WorkerOptions workers;
  workers.jobs = options.jobs;
  workers.timeout_seconds = options.timeout;
  workers.memory_bytes = static_cast<size_t>(options.memory) << 30;
  std::map<std::string, size_t> left;
  for (const Piece& piece : pieces) ++left[piece.file];
  Report report;
  const std::function<std::string(size_t)> work = [&](size_t i) { return RunPiece(options, pieces[i]); };
  const std::function<void(size_t, const WorkResult&)> done = [&](size_t i, const WorkResult& result) {
    report.Add(ResultOf(pieces[i], result));
    if (--left[pieces[i].file] == 0) report.PrintFile(pieces[i].file, std::cout);
  };
  if (options.here) {
    for (size_t i = 0; i < pieces.size(); ++i) done(i, WorkResult{true, work(i), "", 0});
  } else {
    RunInWorkers(pieces.size(), workers, work, done);
  }
  return report;
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  Floors floors;
  if (!options.floors.empty()) {
    absl::StatusOr<Floors> read = ReadFloors(options.floors);
    if (!read.ok()) Fail(std::string(read.status().message()));
    floors = *std::move(read);
  }
  const std::vector<Piece> pieces = Collect(options);
  if (options.list) {
    for (const Piece& piece : pieces) std::cout << piece.file << ":" << piece.name << "\n";
    return 0;
  }
  ProbeDevice(options);
  const Report report = RunAll(options, pieces);
  if (options.verbose) report.PrintFailures(std::cout);
  report.PrintCauses(std::cout, static_cast<size_t>(options.causes));
  if (!options.fail_list.empty()) {
    std::ofstream out(options.fail_list);
    report.WriteFailList(out);
  }
  if (!options.json.empty()) {
    std::ofstream out(options.json);
    report.WriteJson(out);
  }
  const bool floors_hold = CheckFloors(floors, report, std::cout);
  const Counts all = report.total();
  std::cout << all.passed << " passed, " << all.failed << " failed\n";
  return (floors.empty() ? all.failed == 0 && all.passed > 0 : floors_hold) ? 0 : 1;
}

}  // namespace
}  // namespace savedmodel::conformance

int main(int argc, char** argv) { return savedmodel::conformance::Main(argc, argv); }
