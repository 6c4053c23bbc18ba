/* The C interface: load a model, look at its signatures, run it. For C, and for every language that can call C.
 *
 * Names: types and functions begin with Sm, constants with SM_; the two version functions carry the library's full name.
 *
 * Stability: handles are opaque. A struct that the caller fills begins with `size`, set to sizeof of it (SM_..._INIT does
 * that): members that a newer library adds have the value 0 for older programs, and 0 always means the default. A struct
 * larger than the library knows is taken if all that it does not know is 0. Functions and constants are only added.
 *
 * Errors: functions that can fail give an SmCode; SM_OK is 0. `error` may be NULL; else it is set to NULL on success and
 * to a new SmError on failure, which the caller frees. NULL where something is needed, wrong sizes and counts are
 * SM_INVALID_ARGUMENT. Handles given out are NULL after a failure. All *Free functions take NULL.
 *
 * Text: zero-terminated UTF-8 where no length is given. `const char*` results live as long as the handle they came from.
 *
 * Threads: an SmModel and an SmCallable may be used by any number of threads at once. A tensor may be read by several
 * threads, changed by one alone. Handles may be freed in any order: a callable keeps its model, an output its memory. */
#ifndef SAVEDMODEL_C_H_
#define SAVEDMODEL_C_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SM_API __attribute__((visibility("default")))
#else
#define SM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SM_VERSION_STRING "0.1.0"
#define SM_VERSION_NUMBER 100 /* major * 10000 + minor * 100 + patch */

/* The version of the library that runs, which may be newer than the header that the program was compiled with. */
SM_API int32_t SavedModelVersion(void);
SM_API const char* SavedModelVersionString(void);

typedef struct SmError SmError;
typedef struct SmModel SmModel;               /* a loaded model with its session */
typedef struct SmTensor SmTensor;             /* dtype, shape, elements */
typedef struct SmCallable SmCallable;         /* a prepared run */
typedef struct SmCancellation SmCancellation; /* ends runs from another thread */

/* ---- Errors: TensorFlow's codes. ---- */

typedef int32_t SmCode;
enum {
  SM_OK = 0,
  SM_CANCELLED = 1,
  SM_UNKNOWN = 2,
  SM_INVALID_ARGUMENT = 3,
  SM_DEADLINE_EXCEEDED = 4,
  SM_NOT_FOUND = 5,
  SM_ALREADY_EXISTS = 6,
  SM_PERMISSION_DENIED = 7,
  SM_RESOURCE_EXHAUSTED = 8,
  SM_FAILED_PRECONDITION = 9,
  SM_ABORTED = 10,
  SM_OUT_OF_RANGE = 11,
  SM_UNIMPLEMENTED = 12,
  SM_INTERNAL = 13,
  SM_UNAVAILABLE = 14,
  SM_DATA_LOSS = 15,
  SM_UNAUTHENTICATED = 16
};

SM_API SmCode SmErrorCode(const SmError* error);           /* SM_OK for NULL */
SM_API const char* SmErrorMessage(const SmError* error);   /* "" for NULL */
SM_API void SmErrorFree(SmError* error);
SM_API const char* SmCodeName(SmCode code);                /* "INVALID_ARGUMENT" ...; "" for unknown codes */

/* ---- Element types: the numbers of TensorFlow's types.proto. ---- */

typedef int32_t SmDataType;
enum {
  SM_INVALID = 0,
  SM_FLOAT = 1,
  SM_DOUBLE = 2,
  SM_INT32 = 3,
  SM_UINT8 = 4,
  SM_INT16 = 5,
  SM_INT8 = 6,
  SM_STRING = 7,
  SM_COMPLEX64 = 8,
  SM_INT64 = 9,
  SM_BOOL = 10,
  SM_QINT8 = 11,
  SM_QUINT8 = 12,
  SM_QINT32 = 13,
  SM_BFLOAT16 = 14,
  SM_QINT16 = 15,
  SM_QUINT16 = 16,
  SM_UINT16 = 17,
  SM_COMPLEX128 = 18,
  SM_HALF = 19,
  SM_RESOURCE = 20,
  SM_VARIANT = 21,
  SM_UINT32 = 22,
  SM_UINT64 = 23
};

SM_API size_t SmDataTypeSize(SmDataType type);      /* bytes of an element; 0 for strings, handles and unknown types */
SM_API const char* SmDataTypeName(SmDataType type); /* "float32", "string" ...; "invalid" for unknown types */

/* ---- Tensors. Elements are row-major. A scalar has rank 0, its dims may be NULL. ---- */

/* A tensor of numbers with its own copy of `data`; NULL: all zero. `bytes` must be what the shape takes (with NULL it may be 0). */
SM_API SmCode SmTensorMake(SmDataType type, const int64_t* dims, int32_t rank, const void* data, size_t bytes, SmTensor** tensor,
                           SmError** error);

/* A tensor over the caller's memory, nothing copied. The memory must be aligned to its elements and stay as long as the
 * tensor and all that shares it. With a deleter, outputs of a run may share the memory, and the deleter is called once,
 * on any thread, when the last is gone; it is not called when this function fails. Without (NULL), runs copy what they
 * keep, and the memory must stay until the tensor is freed. */
typedef void (*SmDeleter)(void* data, size_t bytes, void* user);
SM_API SmCode SmTensorWrap(SmDataType type, const int64_t* dims, int32_t rank, void* data, size_t bytes, SmDeleter deleter, void* user,
                           SmTensor** tensor, SmError** error);

/* A tensor of strings, copied. `lengths` NULL: the strings are zero-terminated. `count` must be what the shape holds. */
SM_API SmCode SmTensorMakeStrings(const int64_t* dims, int32_t rank, const char* const* strings, const size_t* lengths, size_t count,
                                  SmTensor** tensor, SmError** error);

/* Another handle of the same memory. NULL for NULL. */
SM_API SmTensor* SmTensorShare(const SmTensor* tensor);
SM_API void SmTensorFree(SmTensor* tensor);

SM_API SmDataType SmTensorDataType(const SmTensor* tensor);     /* SM_INVALID for NULL */
SM_API int32_t SmTensorRank(const SmTensor* tensor);            /* -1 for NULL */
SM_API const int64_t* SmTensorDims(const SmTensor* tensor);     /* `rank` numbers; NULL for NULL */
SM_API int64_t SmTensorDim(const SmTensor* tensor, int32_t i);  /* -1 where there is none */
SM_API int64_t SmTensorElementCount(const SmTensor* tensor);    /* 0 for NULL */
SM_API size_t SmTensorBytes(const SmTensor* tensor);            /* of a tensor of numbers; else 0 */
/* The elements of a tensor of numbers; NULL for other tensors. */
SM_API const void* SmTensorData(const SmTensor* tensor);
/* The same for writing; NULL also where something else shares the memory. */
SM_API void* SmTensorMutableData(SmTensor* tensor);
/* Element i of a tensor of strings. The bytes are followed by a zero and live as long as the handle. */
SM_API SmCode SmTensorString(const SmTensor* tensor, int64_t i, const char** data, size_t* length, SmError** error);
/* "float32[2,2] 1 2 3 4", at most `max_elements`. Writes at most `capacity` bytes with a final zero into `text`; gives the whole length. */
SM_API size_t SmTensorText(const SmTensor* tensor, int32_t max_elements, char* text, size_t capacity);

/* ---- Loading. ---- */

/* The program's own threads. `parallel_for` must call work(context, begin, end) for pieces that cover [0, total) once
 * each, none but the last smaller than `grain`, and return when all are done; it may be called by several threads at
 * once and from inside work, and the calling thread should take part. Must outlive all models that use it. */
typedef void (*SmWork)(void* context, int64_t begin, int64_t end);
typedef struct SmThreadPool {
  size_t size;
  int32_t num_threads; /* that can work at once, the calling one included */
  void (*parallel_for)(void* user, int64_t total, int64_t grain, SmWork work, void* context);
  void* user;
} SmThreadPool;
#define SM_THREAD_POOL_INIT {sizeof(SmThreadPool), 1, NULL, NULL}

enum { SM_PRECISION_FLOAT32 = 0, SM_PRECISION_BFLOAT16 = 1 };

typedef struct SmSessionOptions {
  size_t size;
  int32_t num_threads;             /* of the model's own pool, the calling thread included; 0: one per core */
  int32_t precision;               /* SM_PRECISION_... */
  int64_t memory_limit;            /* bytes that tensors may take at once; 0: the machine's memory */
  int32_t max_plans;               /* plans kept for different shapes; 0: 64 */
  int32_t disable_winograd;        /* not 0: convolutions by the plain sum only */
  int32_t map_files;               /* not 0: variables are mapped from their files, not read */
  int32_t follow_links_out;        /* not 0: symbolic links may lead out of the model's directory */
  const SmThreadPool* thread_pool; /* copied; NULL: a pool of its own */
  void (*log)(void* user, const char* line, size_t length); /* what the model prints; NULL: dropped */
  void* log_user;
} SmSessionOptions;
#define SM_SESSION_OPTIONS_INIT {sizeof(SmSessionOptions), 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL}

/* Loads the meta graph with exactly these tags. `tags` NULL: {"serve"}; num_tags 0 with another pointer: the one without tags. */
SM_API SmCode SmModelLoad(const char* path, const char* const* tags, size_t num_tags, const SmSessionOptions* options, SmModel** model,
                          SmError** error);

/* The same from files in memory ("saved_model.pb", "variables/variables.index" ...), which are copied. */
typedef struct SmFile {
  const char* path;
  const void* data;
  size_t bytes;
} SmFile;
SM_API SmCode SmModelLoadFiles(const SmFile* files, size_t num_files, const char* const* tags, size_t num_tags,
                               const SmSessionOptions* options, SmModel** model, SmError** error);
SM_API void SmModelFree(SmModel* model);

/* ---- Signatures, in the order of their names; inputs and outputs in the order of their keys. ---- */

SM_API size_t SmModelSignatureCount(const SmModel* model);                    /* 0 for NULL */
SM_API const char* SmModelSignatureName(const SmModel* model, size_t i);      /* NULL where there is none */
SM_API SmCode SmModelSignatureMethod(const SmModel* model, const char* signature, const char** method, SmError** error);
SM_API SmCode SmModelInputCount(const SmModel* model, const char* signature, size_t* count, SmError** error);
SM_API SmCode SmModelOutputCount(const SmModel* model, const char* signature, size_t* count, SmError** error);

/* Pointers live as long as the model. */
typedef struct SmTensorInfo {
  size_t size;
  const char* key;         /* the name in the signature */
  const char* tensor_name; /* the tensor of the graph: "serving_default_x:0" */
  const int64_t* dims;     /* -1: unknown */
  int32_t rank;            /* -1: unknown */
  SmDataType type;
  int32_t has_default;     /* not 0: an input that need not be given */
} SmTensorInfo;
#define SM_TENSOR_INFO_INIT {sizeof(SmTensorInfo), NULL, NULL, NULL, -1, 0, 0}
SM_API SmCode SmModelInput(const SmModel* model, const char* signature, size_t i, SmTensorInfo* info, SmError** error);
SM_API SmCode SmModelOutput(const SmModel* model, const char* signature, size_t i, SmTensorInfo* info, SmError** error);

/* ---- Running. Arrays of names, of tensors and of results go in parallel. ---- */

SM_API SmCode SmCancellationMake(SmCancellation** cancellation, SmError** error);
SM_API void SmCancellationCancel(SmCancellation* cancellation);
SM_API void SmCancellationFree(SmCancellation* cancellation); /* after the runs and callables that were given it */

typedef struct SmRunOptions {
  size_t size;
  int64_t timeout_ms; /* SM_DEADLINE_EXCEEDED when the run takes longer; 0: no limit */
  const SmCancellation* cancellation;
  int32_t cast_feeds; /* not 0: number feeds of another dtype are converted; for SmRun and its callables */
  int32_t reserved;   /* 0 */
} SmRunOptions;
#define SM_RUN_OPTIONS_INIT {sizeof(SmRunOptions), 0, NULL, 0, 0}

/* Runs a signature: inputs and outputs by their keys, checked against the signature. outputs[i] is set to a new tensor. */
SM_API SmCode SmRunSignature(SmModel* model, const char* signature, const char* const* input_keys, const SmTensor* const* inputs,
                             size_t num_inputs, const char* const* output_keys, SmTensor** outputs, size_t num_outputs,
                             const SmRunOptions* options, SmError** error);

/* Runs any part of the graph: feeds and fetches by tensor names ("x:0", "x"), targets by node names. */
SM_API SmCode SmRun(SmModel* model, const char* const* feed_names, const SmTensor* const* feeds, size_t num_feeds,
                    const char* const* fetch_names, SmTensor** fetches, size_t num_fetches, const char* const* target_names,
                    size_t num_targets, const SmRunOptions* options, SmError** error);

/* A run prepared once, names resolved: of tensors, or of a signature's keys. */
SM_API SmCode SmCallableMake(SmModel* model, const char* const* feed_names, size_t num_feeds, const char* const* fetch_names,
                             size_t num_fetches, const char* const* target_names, size_t num_targets, const SmRunOptions* options,
                             SmCallable** callable, SmError** error);
SM_API SmCode SmCallableMakeSignature(SmModel* model, const char* signature, const char* const* input_keys, size_t num_inputs,
                                      const char* const* output_keys, size_t num_outputs, const SmRunOptions* options,
                                      SmCallable** callable, SmError** error);
/* Feeds and fetches by position. fetches[i] is NULL or a tensor of an earlier run: it is then written in place where it
 * fits and nothing else shares it, and a loop that hands the same tensors in again takes no memory. After a failure
 * tensors given are still handles to be freed, of dtype SM_INVALID or unchanged. */
SM_API SmCode SmCallableRun(const SmCallable* callable, const SmTensor* const* feeds, size_t num_feeds, SmTensor** fetches,
                            size_t num_fetches, SmError** error);
SM_API void SmCallableFree(SmCallable* callable);

#ifdef __cplusplus
}
#endif

#endif /* SAVEDMODEL_C_H_ */
