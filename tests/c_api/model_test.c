/* The C interface from plain C: model_test FOLDER_OF_EXAMPLE_MODELS */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "savedmodel/c.h"
#include "tensor_test.h"

int failed_checks = 0;

static const char* const kState[] = {"state"};
static const char* const kAcceleration[] = {"acceleration"};

static SmModel* Load(const char* folder, const char* name, const SmSessionOptions* options) {
  char path[4096];
  SmModel* model = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  CHECK_OK(SmModelLoad(path, NULL, 0, options, &model, &error));
  if (model == NULL) exit(1);
  return model;
}

static SmTensor* State(float x, float y) {
  const int64_t dims[] = {1, 4};
  const float values[] = {x, y, 0, 0};
  SmTensor* tensor = NULL;
  CHECK_OK(SmTensorMake(SM_FLOAT, dims, 2, values, sizeof values, &tensor, &error));
  return tensor;
}

static void Loading(const char* folder) {
  const char* other[] = {"train"};
  const char* hole[] = {NULL};
  SmSessionOptions options = SM_SESSION_OPTIONS_INIT;
  struct {
    SmSessionOptions known;
    int64_t newer;
  } wider = {SM_SESSION_OPTIONS_INIT, 0};
  SmModel* model = (SmModel*)&model;
  char path[4096];
  snprintf(path, sizeof path, "%s/steering", folder);
  CHECK_FAILS(SM_NOT_FOUND, "Could not find SavedModel", SmModelLoad("/nowhere", NULL, 0, NULL, &model, &error));
  CHECK(model == NULL);
  CHECK_FAILS(SM_NOT_FOUND, "serve", SmModelLoad(path, other, 1, NULL, &model, &error));
  CHECK_FAILS(SM_NOT_FOUND, "serve", SmModelLoad(path, other, 0, NULL, &model, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "tags[0] is NULL", SmModelLoad(path, hole, 1, NULL, &model, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "tags is NULL", SmModelLoad(path, NULL, 1, NULL, &model, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "path is NULL", SmModelLoad(NULL, NULL, 0, NULL, &model, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "model is NULL", SmModelLoad(path, NULL, 0, NULL, NULL, &error));
  options.size = 0;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "size is 0", SmModelLoad(path, NULL, 0, &options, &model, &error));
  options.size = (size_t)-1;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "size is", SmModelLoad(path, NULL, 0, &options, &model, &error));
  options.size = sizeof options;
  options.num_threads = -1;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "num_threads", SmModelLoad(path, NULL, 0, &options, &model, &error));
  wider.known.size = sizeof wider;
  wider.newer = 1;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "does not know", SmModelLoad(path, NULL, 0, &wider.known, &model, &error));
  wider.newer = 0;
  wider.known.map_files = 1;
  CHECK_OK(SmModelLoad(path, NULL, 0, &wider.known, &model, &error));
  SmModelFree(model);
  SmModelFree(NULL);
}

static void FromMemory(const char* folder) {
  char path[4096];
  static char bytes[1 << 16];
  SmModel* model;
  SmFile file = {"saved_model.pb", bytes, 0};
  FILE* f;
  snprintf(path, sizeof path, "%s/language/saved_model.pb", folder);
  f = fopen(path, "rb");
  if (f == NULL) exit(1);
  file.bytes = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  CHECK_OK(SmModelLoadFiles(&file, 1, NULL, 0, NULL, &model, &error));
  CHECK(SmModelSignatureCount(model) == 1);
  SmModelFree(model);
  file.bytes -= 100;
  CHECK(SmModelLoadFiles(&file, 1, NULL, 0, NULL, &model, NULL) != SM_OK && model == NULL);
  CHECK_FAILS(SM_NOT_FOUND, "", SmModelLoadFiles(NULL, 0, NULL, 0, NULL, &model, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "files is NULL", SmModelLoadFiles(NULL, 1, NULL, 0, NULL, &model, &error));
}

static void Describing(const char* folder) {
  SmModel* model = Load(folder, "language", NULL);
  SmTensorInfo info = SM_TENSOR_INFO_INIT;
  const char* method;
  size_t count;
  CHECK(SmModelSignatureCount(model) == 1 && strcmp(SmModelSignatureName(model, 0), "serving_default") == 0 && SmModelSignatureName(model, 1) == NULL);
  CHECK(SmModelSignatureCount(NULL) == 0 && SmModelSignatureName(NULL, 0) == NULL);
  CHECK_OK(SmModelSignatureMethod(model, "serving_default", &method, &error));
  CHECK(strcmp(method, "tensorflow/serving/predict") == 0);
  CHECK_OK(SmModelInputCount(model, "serving_default", &count, &error));
  CHECK(count == 1);
  CHECK_OK(SmModelOutputCount(model, "serving_default", &count, &error));
  CHECK(count == 2);
  CHECK_OK(SmModelInput(model, "serving_default", 0, &info, &error));
  CHECK(strcmp(info.key, "text") == 0 && strcmp(info.tensor_name, "text:0") == 0 && info.type == SM_STRING && info.rank == 1 && info.dims[0] == -1);
  CHECK_OK(SmModelOutput(model, "serving_default", 1, &info, &error));
  CHECK(strcmp(info.key, "scores") == 0 && info.type == SM_FLOAT && info.rank == 2 && info.dims[1] == 3 && info.has_default == 0);
  CHECK_FAILS(SM_OUT_OF_RANGE, "number 2", SmModelOutput(model, "serving_default", 2, &info, &error));
  CHECK_FAILS(SM_NOT_FOUND, "this model has \"serving_default\"", SmModelInput(model, "other", 0, &info, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "NULL", SmModelInput(NULL, "other", 0, &info, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "NULL", SmModelInputCount(model, NULL, &count, &error));
  info.size = 4;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "size is 4", SmModelInput(model, "serving_default", 0, &info, &error));
  SmModelFree(model);
}

static void BySignature(const char* folder) {
  SmModel* model = Load(folder, "language", NULL);
  const char* const keys[] = {"text"};
  const char* const outputs[] = {"label", "scores"};
  const char* const unknown[] = {"other"};
  const char* const texts[] = {"The cat is in the house.", "Die Katze ist in dem Haus.", "Le chat est dans la maison."};
  const char* const wanted[] = {"English", "German", "French"};
  const int64_t dims[] = {3};
  SmTensor *text, *state = State(0, 0), *results[2];
  size_t i;
  CHECK_OK(SmTensorMakeStrings(dims, 1, texts, NULL, 3, &text, &error));
  CHECK_OK(SmRunSignature(model, "serving_default", keys, (const SmTensor* const*)&text, 1, outputs, results, 2, NULL, &error));
  for (i = 0; i < 3; ++i) {
    const char* label;
    CHECK_OK(SmTensorString(results[0], (int64_t)i, &label, NULL, &error));
    CHECK(strcmp(label, wanted[i]) == 0);
    CHECK(((const float*)SmTensorData(results[1]))[3 * i + i] > 0.5f);
  }
  SmTensorFree(results[0]);
  SmTensorFree(results[1]);
  results[1] = text;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "output \"other\" is unknown", SmRunSignature(model, "serving_default", keys, (const SmTensor* const*)&text, 1, unknown, results, 1, NULL, &error));
  CHECK(results[0] == NULL && results[1] == text);
  CHECK_FAILS(SM_INVALID_ARGUMENT, "input \"other\" is unknown", SmRunSignature(model, "serving_default", unknown, (const SmTensor* const*)&text, 1, outputs, results, 1, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "signature wants string", SmRunSignature(model, "serving_default", keys, (const SmTensor* const*)&state, 1, outputs, results, 1, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "not found in request", SmRunSignature(model, "serving_default", NULL, NULL, 0, outputs, results, 1, NULL, &error));
  CHECK_FAILS(SM_NOT_FOUND, "signature \"x\" not found", SmRunSignature(model, "x", keys, (const SmTensor* const*)&text, 1, outputs, results, 1, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "inputs is NULL", SmRunSignature(model, "serving_default", keys, NULL, 1, outputs, results, 1, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "outputs is NULL", SmRunSignature(model, "serving_default", keys, (const SmTensor* const*)&text, 1, outputs, NULL, 1, NULL, &error));
  SmTensorFree(text);
  SmTensorFree(state);
  SmModelFree(model);
}

static void ByName(const char* folder) {
  SmModel* model = Load(folder, "steering", NULL);
  const char* const feed[] = {"state:0"};
  const char* const nothing[] = {"nothing"};
  const char* const fetch[] = {"acceleration/sum:0", "hidden/out"};
  SmTensor *state = State(0.5f, -0.5f), *results[2], *empty = NULL;
  SmRunOptions options = SM_RUN_OPTIONS_INIT;
  SmCancellation* stop;
  CHECK_OK(SmRun(model, feed, (const SmTensor* const*)&state, 1, fetch, results, 2, NULL, 0, NULL, &error));
  CHECK(fabsf(((const float*)SmTensorData(results[0]))[0] - 1.0f) < 0.2f && fabsf(((const float*)SmTensorData(results[0]))[1] + 1.0f) < 0.2f);
  CHECK(SmTensorDim(results[1], 1) == 32);
  SmTensorFree(results[0]);
  SmTensorFree(results[1]);
  CHECK_OK(SmRun(model, feed, (const SmTensor* const*)&state, 1, NULL, NULL, 0, fetch + 1, 1, NULL, &error));
  CHECK_OK(SmCancellationMake(&stop, &error));
  SmCancellationCancel(stop);
  options.cancellation = stop;
  CHECK_FAILS(SM_CANCELLED, "cancelled", SmRun(model, feed, (const SmTensor* const*)&state, 1, fetch, results, 1, NULL, 0, &options, &error));
  SmCancellationFree(stop);
  options.cancellation = NULL;
  options.timeout_ms = -1;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "timeout_ms", SmRun(model, feed, (const SmTensor* const*)&state, 1, fetch, results, 1, NULL, 0, &options, &error));
  options.timeout_ms = INT64_MAX;
  CHECK_OK(SmRun(model, feed, (const SmTensor* const*)&state, 1, fetch, results, 1, NULL, 0, &options, &error));
  SmTensorFree(results[0]);
  options.size = 3;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "size is 3", SmRun(model, feed, (const SmTensor* const*)&state, 1, fetch, results, 1, NULL, 0, &options, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "at least one", SmRun(model, feed, (const SmTensor* const*)&state, 1, NULL, NULL, 0, NULL, 0, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "feeds[0] is NULL", SmRun(model, feed, (const SmTensor* const*)&empty, 1, fetch, results, 1, NULL, 0, NULL, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "not found in the Graph", SmRun(model, nothing, (const SmTensor* const*)&state, 1, fetch, results, 1, NULL, 0, NULL, &error));
  SmTensorFree(state);
  SmModelFree(model);
}

static int parallel_calls = 0;

static void InOnePiece(void* user, int64_t total, int64_t grain, SmWork work, void* context) {
  CHECK(user == &parallel_calls && grain >= 1);
  ++parallel_calls;
  work(context, 0, total);
}

static void Prepared(const char* folder) {
  SmThreadPool pool = SM_THREAD_POOL_INIT;
  SmSessionOptions options = SM_SESSION_OPTIONS_INIT;
  SmModel* model;
  SmCallable *callable, *by_name, *none;
  SmTensor *state = State(1, 0), *result = NULL, *word;
  const void* memory;
  const char* const feed[] = {"state"};
  const char* const fetch[] = {"acceleration/sum"};
  int i;
  pool.num_threads = 2;
  pool.parallel_for = InOnePiece;
  pool.user = &parallel_calls;
  options.thread_pool = &pool;
  model = Load(folder, "steering", &options);
  CHECK_OK(SmCallableMakeSignature(model, "serving_default", kState, 1, kAcceleration, 1, NULL, &callable, &error));
  CHECK_OK(SmCallableMake(model, feed, 1, fetch, 1, NULL, 0, NULL, &by_name, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "not given and has no default", SmCallableMakeSignature(model, "serving_default", NULL, 0, kAcceleration, 1, NULL, &none, &error));
  SmModelFree(model); /* the callables keep it */
  CHECK_OK(SmCallableRun(callable, (const SmTensor* const*)&state, 1, &result, 1, &error));
  memory = SmTensorData(result);
  for (i = 0; i < 3; ++i) {
    ((float*)SmTensorMutableData(state))[0] = -1;
    CHECK_OK(SmCallableRun(i == 2 ? by_name : callable, (const SmTensor* const*)&state, 1, &result, 1, &error));
    CHECK(SmTensorData(result) == memory && fabsf(*(const float*)memory + 2.0f) < 0.3f);
  }
  CHECK_FAILS(SM_INVALID_ARGUMENT, "num_feeds is 0", SmCallableRun(callable, NULL, 0, &result, 1, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "num_fetches is 2", SmCallableRun(callable, (const SmTensor* const*)&state, 1, &result, 2, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "fetches is NULL", SmCallableRun(callable, (const SmTensor* const*)&state, 1, NULL, 1, &error));
  CHECK_OK(SmTensorMakeStrings(NULL, 0, kState, NULL, 1, &word, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "wants float32", SmCallableRun(callable, (const SmTensor* const*)&word, 1, &result, 1, &error));
  SmTensorFree(word);
  CHECK(SmTensorData(result) == memory);
  CHECK_FAILS(SM_INVALID_ARGUMENT, "callable is NULL", SmCallableRun(NULL, (const SmTensor* const*)&state, 1, &result, 1, &error));
  SmCallableFree(callable);
  SmCallableFree(by_name);
  SmCallableFree(NULL);
  SmTensorFree(state);
  CHECK(fabsf(*(const float*)SmTensorData(result) + 2.0f) < 0.3f); /* outputs outlive all */
  SmTensorFree(result);
  options.thread_pool = &pool;
  pool.parallel_for = NULL;
  CHECK(SmModelLoad(folder, NULL, 0, &options, &model, NULL) == SM_INVALID_ARGUMENT);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  CHECK(SavedModelVersion() == SM_VERSION_NUMBER && strcmp(SavedModelVersionString(), SM_VERSION_STRING) == 0);
  CHECK(strcmp(SmCodeName(SM_DATA_LOSS), "DATA_LOSS") == 0 && strcmp(SmCodeName(-1), "") == 0 && strcmp(SmCodeName(17), "") == 0);
  CHECK(SmErrorCode(NULL) == SM_OK && strcmp(SmErrorMessage(NULL), "") == 0);
  SmErrorFree(NULL);
  TensorTests();
  Loading(argv[1]);
  FromMemory(argv[1]);
  Describing(argv[1]);
  BySignature(argv[1]);
  ByName(argv[1]);
  Prepared(argv[1]);
  printf("c interface: %d failed checks\n", failed_checks);
  return failed_checks != 0;
}
