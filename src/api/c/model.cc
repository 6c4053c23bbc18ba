#include <unordered_set>

#include "api/c/handles.h"
#include "api/run_signature.h"

namespace savedmodel::c {
namespace {

// The program's threads behind the interface of ours.
class ForeignPool final : public ThreadPool {
 public:
  explicit ForeignPool(const SmThreadPool& pool) : pool_(pool) {}
  int num_threads() const override { return std::max(pool_.num_threads, 1); }
  void ParallelFor(int64_t total, int64_t grain, absl::FunctionRef<void(int64_t, int64_t)> work) override {
    if (total <= 0) return;
    pool_.parallel_for(pool_.user, total, std::max<int64_t>(grain, 1),
                       [](void* context, int64_t begin, int64_t end) { (*static_cast<absl::FunctionRef<void(int64_t, int64_t)>*>(context))(begin, end); },
                       &work);
  }

 private:
  SmThreadPool pool_;
};

absl::StatusOr<std::unordered_set<std::string>> Tags(const char* const* tags, size_t count) {
  SM_CHECK_ARGUMENT(tags != nullptr || count == 0, "tags is NULL, num_tags is ", count);
  std::unordered_set<std::string> set;
  if (tags == nullptr) {
    set.insert("serve");
    return set;
  }
  SM_ASSIGN_OR_RETURN(std::vector<std::string> names, Names(tags, count, "tags"));
  set.insert(names.begin(), names.end());
  return set;
}

absl::Status Convert(const SmSessionOptions& from, SessionOptions* to) {
  SM_CHECK_ARGUMENT(from.num_threads >= 0, "num_threads is ", from.num_threads, ", must not be negative");
  SM_CHECK_ARGUMENT(from.memory_limit >= 0, "memory_limit is ", from.memory_limit, ", must not be negative");
  SM_CHECK_ARGUMENT(from.max_plans >= 0, "max_plans is ", from.max_plans, ", must not be negative");
  SM_CHECK_ARGUMENT(from.precision == SM_PRECISION_FLOAT32 || from.precision == SM_PRECISION_BFLOAT16, "precision is ", from.precision, ", must be 0 or 1");
  to->num_threads = from.num_threads;
  to->precision = static_cast<Precision>(from.precision);
  to->memory_limit = from.memory_limit;
  if (from.max_plans > 0) to->max_plans = from.max_plans;
  to->allow_winograd = from.disable_winograd == 0;
  if (from.thread_pool != nullptr) {
    SmThreadPool pool = SM_THREAD_POOL_INIT;
    SM_RETURN_IF_ERROR(ReadSized(from.thread_pool, sizeof(SmThreadPool), "SmThreadPool", &pool));
    SM_CHECK_ARGUMENT(pool.parallel_for != nullptr, "SmThreadPool: parallel_for is NULL");
    SM_CHECK_ARGUMENT(pool.num_threads >= 1, "SmThreadPool: num_threads is ", pool.num_threads, ", must be at least 1");
    to->thread_pool = std::make_shared<ForeignPool>(pool);
  }
  if (from.log != nullptr) {
    to->log = [log = from.log, user = from.log_user](absl::string_view line) { log(user, line.data(), line.size()); };
  }
  return absl::OkStatus();
}

// Loads with what `open(options)` gives as the source of files.
template <typename Open>
SmCode Load(const char* const* tags, size_t num_tags, const SmSessionOptions* options, SmModel** model, SmError** error, Open open) {
  if (model != nullptr) *model = nullptr;
  return Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(model != nullptr, "model is NULL");
    SmSessionOptions read = SM_SESSION_OPTIONS_INIT;
    SM_RETURN_IF_ERROR(ReadSized(options, sizeof(SmSessionOptions), "SmSessionOptions", &read));
    SessionOptions session_options;
    SM_RETURN_IF_ERROR(Convert(read, &session_options));
    SM_ASSIGN_OR_RETURN(std::unordered_set<std::string> set, Tags(tags, num_tags));
    absl::StatusOr<SavedModelBundle> bundle = open(read, session_options, set);
    if (!bundle.ok()) return bundle.status();
    *model = new SmModel{std::make_shared<const SavedModelBundle>(*std::move(bundle))};
    return absl::OkStatus();
  });
}

absl::StatusOr<const Signature*> Find(const SmModel* model, const char* signature) {
  SM_CHECK_ARGUMENT(model != nullptr && signature != nullptr, "model or signature is NULL");
  return FindSignature(model->bundle->signatures(), signature);
}

using Sides = std::map<std::string, TensorInfo> Signature::*;

SmCode Count(const SmModel* model, const char* signature, Sides side, size_t* count, SmError** error) {
  return Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(count != nullptr, "count is NULL");
    *count = 0;
    SM_ASSIGN_OR_RETURN(const Signature* found, Find(model, signature));
    *count = (found->*side).size();
    return absl::OkStatus();
  });
}

SmCode Describe(const SmModel* model, const char* signature, Sides side, size_t i, SmTensorInfo* info, SmError** error) {
  return Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(info != nullptr, "info is NULL");
    const size_t size = info->size;
    SM_CHECK_ARGUMENT(size >= sizeof(SmTensorInfo) && size <= 4096, "SmTensorInfo: size is ", size, ", the struct has ", sizeof(SmTensorInfo),
                      " bytes (SM_TENSOR_INFO_INIT sets it)");
    SM_ASSIGN_OR_RETURN(const Signature* found, Find(model, signature));
    const auto& map = found->*side;
    if (i >= map.size()) return absl::OutOfRangeError(absl::StrCat("signature \"", signature, "\" has ", map.size(), " of these, asked for number ", i));
    const auto& [key, tensor] = *std::next(map.begin(), static_cast<std::ptrdiff_t>(i));
    SmTensorInfo out = SM_TENSOR_INFO_INIT;
    out.size = size;
    out.key = key.c_str();
    out.tensor_name = tensor.name.c_str();
    out.type = static_cast<SmDataType>(tensor.dtype);
    out.rank = tensor.shape.rank();
    out.dims = tensor.shape.dims().data();
    out.has_default = side == &Signature::inputs && found->defaults.count(key) > 0;
    std::memset(info, 0, size);
    std::memcpy(info, &out, sizeof(out));
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Names(const char* const* names, size_t count, const char* what) {
  SM_CHECK_ARGUMENT(names != nullptr || count == 0, what, " is NULL, its count is ", count);
  std::vector<std::string> list;
  for (size_t i = 0; i < count; ++i) {
    SM_CHECK_ARGUMENT(names[i] != nullptr, what, "[", i, "] is NULL");
    list.emplace_back(names[i]);
  }
  return list;
}

}  // namespace savedmodel::c

namespace c = savedmodel::c;

extern "C" {

SmCode SmModelLoad(const char* path, const char* const* tags, size_t num_tags, const SmSessionOptions* options, SmModel** model, SmError** error) {
  return c::Load(tags, num_tags, options, model, error,
                 [&](const SmSessionOptions& read, const auto& session, const auto& set) -> absl::StatusOr<savedmodel::SavedModelBundle> {
                   SM_CHECK_ARGUMENT(path != nullptr, "path is NULL");
                   if (read.map_files == 0 && read.follow_links_out == 0) return savedmodel::LoadSavedModel(session, {}, set, path);
                   SM_ASSIGN_OR_RETURN(auto source, savedmodel::MakeDirectorySource(
                                                        path, {.map_files = read.map_files != 0, .follow_links_out = read.follow_links_out != 0}));
                   return savedmodel::LoadSavedModel(session, {}, set, std::move(source));
                 });
}

SmCode SmModelLoadFiles(const SmFile* files, size_t num_files, const char* const* tags, size_t num_tags, const SmSessionOptions* options, SmModel** model,
                        SmError** error) {
  return c::Load(tags, num_tags, options, model, error,
                 [&](const SmSessionOptions&, const auto& session, const auto& set) -> absl::StatusOr<savedmodel::SavedModelBundle> {
                   SM_CHECK_ARGUMENT(files != nullptr || num_files == 0, "files is NULL, num_files is ", num_files);
                   std::map<std::string, std::string> map;
                   for (size_t i = 0; i < num_files; ++i) {
                     SM_CHECK_ARGUMENT(files[i].path != nullptr && (files[i].data != nullptr || files[i].bytes == 0), "files[", i,
                                       "]: path or data is NULL");
                     map[files[i].path].assign(static_cast<const char*>(files[i].data), files[i].bytes);
                   }
                   return savedmodel::LoadSavedModel(session, {}, set, savedmodel::MakeMemorySource(std::move(map)));
                 });
}

void SmModelFree(SmModel* model) { delete model; }

size_t SmModelSignatureCount(const SmModel* model) { return model == nullptr ? 0 : model->bundle->signatures().size(); }

const char* SmModelSignatureName(const SmModel* model, size_t i) {
  if (i >= SmModelSignatureCount(model)) return nullptr;
  return std::next(model->bundle->signatures().begin(), static_cast<std::ptrdiff_t>(i))->first.c_str();
}

SmCode SmModelSignatureMethod(const SmModel* model, const char* signature, const char** method, SmError** error) {
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(method != nullptr, "method is NULL");
    *method = nullptr;
    SM_ASSIGN_OR_RETURN(const savedmodel::Signature* found, c::Find(model, signature));
    *method = found->method_name.c_str();
    return absl::OkStatus();
  });
}

SmCode SmModelInputCount(const SmModel* model, const char* signature, size_t* count, SmError** error) {
  return c::Count(model, signature, &savedmodel::Signature::inputs, count, error);
}
SmCode SmModelOutputCount(const SmModel* model, const char* signature, size_t* count, SmError** error) {
  return c::Count(model, signature, &savedmodel::Signature::outputs, count, error);
}
SmCode SmModelInput(const SmModel* model, const char* signature, size_t i, SmTensorInfo* info, SmError** error) {
  return c::Describe(model, signature, &savedmodel::Signature::inputs, i, info, error);
}
SmCode SmModelOutput(const SmModel* model, const char* signature, size_t i, SmTensorInfo* info, SmError** error) {
  return c::Describe(model, signature, &savedmodel::Signature::outputs, i, info, error);
}

}  // extern "C"
