#include "api/c/handles.h"
#include "api/run_signature.h"

namespace savedmodel::c {
namespace {

absl::Status CheckTensors(const SmTensor* const* tensors, size_t count, const char* what) {
  SM_CHECK_ARGUMENT(tensors != nullptr || count == 0, what, " is NULL, its count is ", count);
  for (size_t i = 0; i < count; ++i) SM_CHECK_ARGUMENT(tensors[i] != nullptr && tensors[i]->tensor.initialized(), what, "[", i, "] is NULL or holds no tensor");
  return absl::OkStatus();
}

absl::Status Convert(const SmRunOptions* options, RunOptions* to) {
  SmRunOptions read = SM_RUN_OPTIONS_INIT;
  SM_RETURN_IF_ERROR(ReadSized(options, sizeof(SmRunOptions), "SmRunOptions", &read));
  SM_CHECK_ARGUMENT(read.timeout_ms >= 0, "timeout_ms is ", read.timeout_ms, ", must not be negative");
  SM_CHECK_ARGUMENT(read.reserved == 0, "SmRunOptions: reserved is ", read.reserved, ", must be 0");
  constexpr int64_t kLongest = int64_t{1000} * 3600 * 24 * 365 * 100;  // so that the deadline does not overflow
  to->timeout = std::chrono::milliseconds(std::min(read.timeout_ms, kLongest));
  to->cancellation = read.cancellation == nullptr ? nullptr : &read.cancellation->token;
  to->cast_feeds = read.cast_feeds != 0;
  return absl::OkStatus();
}

// New handles for all of `tensors`, or none.
absl::Status Give(std::vector<Tensor> tensors, SmTensor** to) {
  std::vector<std::unique_ptr<SmTensor>> handles;
  for (Tensor& tensor : tensors) handles.push_back(std::make_unique<SmTensor>(SmTensor{std::move(tensor)}));
  for (size_t i = 0; i < handles.size(); ++i) to[i] = handles[i].release();
  return absl::OkStatus();
}

absl::Status CheckOutputs(SmTensor** outputs, size_t count) {
  SM_CHECK_ARGUMENT(outputs != nullptr || count == 0, "outputs is NULL, their count is ", count);
  std::fill_n(outputs, count, nullptr);
  return absl::OkStatus();
}

absl::Status UnknownOutput(const std::string& key, const char* signature, const std::map<std::string, TensorInfo>& outputs) {
  std::string keys;
  for (const auto& [name, info] : outputs) absl::StrAppend(&keys, keys.empty() ? "" : ", ", "\"", name, "\"");
  return absl::InvalidArgumentError(absl::StrCat("output \"", key, "\" is unknown, signature \"", signature, "\" has ", keys));
}

absl::Status RunBySignature(const SmModel* model, const char* signature, const char* const* input_keys, const SmTensor* const* inputs, size_t num_inputs,
                            const char* const* output_keys, SmTensor** outputs, size_t num_outputs, const SmRunOptions* options) {
  SM_RETURN_IF_ERROR(CheckOutputs(outputs, num_outputs));
  SM_CHECK_ARGUMENT(model != nullptr && signature != nullptr, "model or signature is NULL");
  SM_RETURN_IF_ERROR(CheckTensors(inputs, num_inputs, "inputs"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> input_names, Names(input_keys, num_inputs, "input_keys"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> output_names, Names(output_keys, num_outputs, "output_keys"));
  SM_ASSIGN_OR_RETURN(const Signature* found, FindSignature(model->bundle->signatures(), signature));
  for (const std::string& name : output_names) {
    if (found->outputs.count(name) == 0) return UnknownOutput(name, signature, found->outputs);
  }
  RunOptions run_options;
  SM_RETURN_IF_ERROR(Convert(options, &run_options));
  NamedTensors named;
  for (size_t i = 0; i < num_inputs; ++i) {
    SM_CHECK_ARGUMENT(named.emplace(input_names[i], inputs[i]->tensor).second, "input \"", input_names[i], "\" is given twice");
  }
  SM_ASSIGN_OR_RETURN(NamedTensors results, RunSignature(*model->bundle, signature, named, run_options));
  std::vector<Tensor> picked;
  for (const std::string& name : output_names) picked.push_back(results.at(name));
  results.clear();
  return Give(std::move(picked), outputs);
}

absl::Status RunByName(const SmModel* model, const char* const* feed_names, const SmTensor* const* feeds, size_t num_feeds, const char* const* fetch_names,
                       SmTensor** fetches, size_t num_fetches, const char* const* target_names, size_t num_targets, const SmRunOptions* options) {
  SM_RETURN_IF_ERROR(CheckOutputs(fetches, num_fetches));
  SM_CHECK_ARGUMENT(model != nullptr, "model is NULL");
  SM_RETURN_IF_ERROR(CheckTensors(feeds, num_feeds, "feeds"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> names, Names(feed_names, num_feeds, "feed_names"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> fetched, Names(fetch_names, num_fetches, "fetch_names"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> targets, Names(target_names, num_targets, "target_names"));
  RunOptions run_options;
  SM_RETURN_IF_ERROR(Convert(options, &run_options));
  Feeds fed;
  for (size_t i = 0; i < num_feeds; ++i) fed.emplace_back(names[i], feeds[i]->tensor);
  std::vector<Tensor> results;
  SM_RETURN_IF_ERROR(model->bundle->session->Run(run_options, fed, fetched, targets, &results, nullptr));
  return Give(std::move(results), fetches);
}

absl::Status Prepare(const SmModel& model, CallableOptions call, const SmRunOptions* options, std::unique_ptr<SmCallable> callable, SmCallable** out) {
  SM_RETURN_IF_ERROR(Convert(options, &call.run_options));
  callable->bundle = model.bundle;
  callable->num_feeds = call.feeds.size() - callable->defaults.size();
  callable->num_fetches = call.fetches.size();
  SM_ASSIGN_OR_RETURN(callable->callable, model.bundle->session->MakeCallable(call));
  *out = callable.release();
  return absl::OkStatus();
}

absl::Status PrepareNames(const SmModel* model, const char* const* feed_names, size_t num_feeds, const char* const* fetch_names, size_t num_fetches,
                          const char* const* target_names, size_t num_targets, const SmRunOptions* options, SmCallable** out) {
  SM_CHECK_ARGUMENT(model != nullptr, "model is NULL");
  CallableOptions call;
  SM_ASSIGN_OR_RETURN(call.feeds, Names(feed_names, num_feeds, "feed_names"));
  SM_ASSIGN_OR_RETURN(call.fetches, Names(fetch_names, num_fetches, "fetch_names"));
  SM_ASSIGN_OR_RETURN(call.targets, Names(target_names, num_targets, "target_names"));
  return Prepare(*model, std::move(call), options, std::make_unique<SmCallable>(), out);
}

absl::Status PrepareSignature(const SmModel* model, const char* signature, const char* const* input_keys, size_t num_inputs, const char* const* output_keys,
                              size_t num_outputs, const SmRunOptions* options, SmCallable** out) {
  SM_CHECK_ARGUMENT(model != nullptr && signature != nullptr, "model or signature is NULL");
  SM_ASSIGN_OR_RETURN(const Signature* found, FindSignature(model->bundle->signatures(), signature));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> inputs, Names(input_keys, num_inputs, "input_keys"));
  SM_ASSIGN_OR_RETURN(std::vector<std::string> outputs, Names(output_keys, num_outputs, "output_keys"));
  auto callable = std::make_unique<SmCallable>();
  CallableOptions call;
  for (const std::string& key : inputs) {
    auto input = found->inputs.find(key);
    SM_CHECK_ARGUMENT(input != found->inputs.end(), "input \"", key, "\" is unknown to signature \"", signature, "\"");
    SM_CHECK_ARGUMENT(std::find(callable->keys.begin(), callable->keys.end(), key) == callable->keys.end(), "input \"", key, "\" is given twice");
    callable->keys.push_back(key);
    callable->wanted.push_back(input->second);
    call.feeds.push_back(input->second.name);
  }
  for (const auto& [key, info] : found->inputs) {
    if (std::find(inputs.begin(), inputs.end(), key) != inputs.end()) continue;
    auto value = found->defaults.find(key);
    SM_CHECK_ARGUMENT(value != found->defaults.end(), "input \"", key, "\" of signature \"", signature, "\" is not given and has no default");
    call.feeds.push_back(info.name);
    callable->defaults.push_back(value->second);
  }
  for (const std::string& key : outputs) {
    auto output = found->outputs.find(key);
    if (output == found->outputs.end()) return UnknownOutput(key, signature, found->outputs);
    call.fetches.push_back(output->second.name);
  }
  return Prepare(*model, std::move(call), options, std::move(callable), out);
}

std::unique_ptr<SmCallable::Scratch> TakeScratch(const SmCallable& callable) {
  {
    std::lock_guard<std::mutex> lock(callable.mutex);
    if (!callable.free.empty()) {
      std::unique_ptr<SmCallable::Scratch> scratch = std::move(callable.free.back());
      callable.free.pop_back();
      return scratch;
    }
  }
  return std::make_unique<SmCallable::Scratch>();
}

// Moves the fetches into their handles; empty ones (after an error) too.
absl::Status Return(std::vector<Tensor>* from, SmTensor** to, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (to[i] == nullptr) to[i] = new SmTensor;
    to[i]->tensor = std::move((*from)[i]);
  }
  return absl::OkStatus();
}

absl::Status Call(const SmCallable& callable, const SmTensor* const* feeds, SmTensor** fetches, SmCallable::Scratch* scratch) {
  for (size_t i = 0; i < callable.num_feeds; ++i) {
    if (!callable.wanted.empty()) SM_RETURN_IF_ERROR(CheckInput(callable.keys[i], callable.wanted[i], feeds[i]->tensor));
    scratch->feeds.push_back(feeds[i]->tensor);
  }
  for (const Tensor& value : callable.defaults) scratch->feeds.push_back(value);
  scratch->fetches.resize(callable.num_fetches);
  for (size_t i = 0; i < callable.num_fetches; ++i) {
    if (fetches[i] != nullptr) scratch->fetches[i] = std::move(fetches[i]->tensor);
  }
  SM_RETURN_IF_ERROR(callable.callable->Run(scratch->feeds, &scratch->fetches));
  return Return(&scratch->fetches, fetches, callable.num_fetches);
}

absl::Status RunCallable(const SmCallable* callable, const SmTensor* const* feeds, size_t num_feeds, SmTensor** fetches, size_t num_fetches) {
  SM_CHECK_ARGUMENT(callable != nullptr, "callable is NULL");
  SM_CHECK_ARGUMENT(num_feeds == callable->num_feeds, "num_feeds is ", num_feeds, ", the callable was made with ", callable->num_feeds);
  SM_CHECK_ARGUMENT(num_fetches == callable->num_fetches, "num_fetches is ", num_fetches, ", the callable was made with ", callable->num_fetches);
  SM_CHECK_ARGUMENT(fetches != nullptr || num_fetches == 0, "fetches is NULL");
  SM_RETURN_IF_ERROR(CheckTensors(feeds, num_feeds, "feeds"));
  for (size_t i = 1; i < num_fetches; ++i) {
    SM_CHECK_ARGUMENT(fetches[i] == nullptr || std::find(fetches, fetches + i, fetches[i]) == fetches + i, "fetches[", i, "] is given twice");
  }
  std::unique_ptr<SmCallable::Scratch> scratch = TakeScratch(*callable);
  absl::Status status = Call(*callable, feeds, fetches, scratch.get());
  scratch->feeds.clear();
  scratch->fetches.clear();
  std::lock_guard<std::mutex> lock(callable->mutex);
  callable->free.push_back(std::move(scratch));
  return status;
}

}  // namespace
}  // namespace savedmodel::c

namespace c = savedmodel::c;

extern "C" {

SmCode SmCancellationMake(SmCancellation** cancellation, SmError** error) {
  if (cancellation != nullptr) *cancellation = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(cancellation != nullptr, "cancellation is NULL");
    *cancellation = new SmCancellation;
    return absl::OkStatus();
  });
}
void SmCancellationCancel(SmCancellation* cancellation) {
  if (cancellation != nullptr) cancellation->token.Cancel();
}
void SmCancellationFree(SmCancellation* cancellation) { delete cancellation; }

SmCode SmRunSignature(SmModel* model, const char* signature, const char* const* input_keys, const SmTensor* const* inputs, size_t num_inputs,
                      const char* const* output_keys, SmTensor** outputs, size_t num_outputs, const SmRunOptions* options, SmError** error) {
  return c::Guarded(error, [&] {
    return c::RunBySignature(model, signature, input_keys, inputs, num_inputs, output_keys, outputs, num_outputs, options);
  });
}

SmCode SmRun(SmModel* model, const char* const* feed_names, const SmTensor* const* feeds, size_t num_feeds, const char* const* fetch_names,
             SmTensor** fetches, size_t num_fetches, const char* const* target_names, size_t num_targets, const SmRunOptions* options, SmError** error) {
  return c::Guarded(error, [&] {
    return c::RunByName(model, feed_names, feeds, num_feeds, fetch_names, fetches, num_fetches, target_names, num_targets, options);
  });
}

SmCode SmCallableMake(SmModel* model, const char* const* feed_names, size_t num_feeds, const char* const* fetch_names, size_t num_fetches,
                      const char* const* target_names, size_t num_targets, const SmRunOptions* options, SmCallable** callable, SmError** error) {
  if (callable != nullptr) *callable = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(callable != nullptr, "callable is NULL");
    return c::PrepareNames(model, feed_names, num_feeds, fetch_names, num_fetches, target_names, num_targets, options, callable);
  });
}

SmCode SmCallableMakeSignature(SmModel* model, const char* signature, const char* const* input_keys, size_t num_inputs, const char* const* output_keys,
                               size_t num_outputs, const SmRunOptions* options, SmCallable** callable, SmError** error) {
  if (callable != nullptr) *callable = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(callable != nullptr, "callable is NULL");
    return c::PrepareSignature(model, signature, input_keys, num_inputs, output_keys, num_outputs, options, callable);
  });
}

SmCode SmCallableRun(const SmCallable* callable, const SmTensor* const* feeds, size_t num_feeds, SmTensor** fetches, size_t num_fetches, SmError** error) {
  return c::Guarded(error, [&] { return c::RunCallable(callable, feeds, num_feeds, fetches, num_fetches); });
}

void SmCallableFree(SmCallable* callable) { delete callable; }

}  // extern "C"
