/* Tensors made, wrapped, shared and refused. */
#include "tensor_test.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "savedmodel/c.h"

static void CountFree(void* data, size_t bytes, void* user) {
  CHECK(bytes == 6 * sizeof(float));
  free(data);
  ++*(int*)user;
}

static void Numbers(void) {
  const int64_t dims[] = {2, 3};
  const int32_t values[] = {1, 2, 3, 4, 5, 6};
  char text[64], little[8];
  SmTensor *tensor, *other;
  CHECK_OK(SmTensorMake(SM_INT32, dims, 2, values, sizeof values, &tensor, &error));
  CHECK(SmTensorDataType(tensor) == SM_INT32 && SmTensorRank(tensor) == 2 && SmTensorElementCount(tensor) == 6);
  CHECK(SmTensorDim(tensor, 0) == 2 && SmTensorDims(tensor)[1] == 3 && SmTensorDim(tensor, 2) == -1 && SmTensorDim(tensor, -1) == -1);
  CHECK(SmTensorBytes(tensor) == sizeof values && memcmp(SmTensorData(tensor), values, sizeof values) == 0);
  CHECK(SmTensorText(tensor, 2, text, sizeof text) == strlen("int32[2,3] 1 2 ..."));
  CHECK(strcmp(text, "int32[2,3] 1 2 ...") == 0);
  CHECK(SmTensorText(tensor, 2, little, sizeof little) == strlen("int32[2,3] 1 2 ...") && strcmp(little, "int32[2") == 0);
  CHECK(SmTensorMutableData(tensor) == SmTensorData(tensor));
  other = SmTensorShare(tensor);
  CHECK(SmTensorMutableData(tensor) == NULL && SmTensorData(other) == SmTensorData(tensor));
  SmTensorFree(tensor);
  CHECK(SmTensorMutableData(other) != NULL);
  SmTensorFree(other);
  CHECK_OK(SmTensorMake(SM_DOUBLE, NULL, 0, NULL, 0, &tensor, &error));
  CHECK(SmTensorElementCount(tensor) == 1 && *(const double*)SmTensorData(tensor) == 0);
  SmTensorFree(tensor);
}

static void Refusals(void) {
  const int64_t dims[] = {2, 3}, negative[] = {-1}, huge[] = {INT64_MAX, 4}, large[] = {INT64_MAX / 2};
  const float values[6] = {0};
  SmTensor* tensor = (SmTensor*)&tensor;
  CHECK_FAILS(SM_INVALID_ARGUMENT, "takes 24", SmTensorMake(SM_FLOAT, dims, 2, values, 20, &tensor, &error));
  CHECK(tensor == NULL);
  CHECK_FAILS(SM_INVALID_ARGUMENT, "dims is NULL", SmTensorMake(SM_FLOAT, NULL, 2, values, 24, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "rank is -1", SmTensorMake(SM_FLOAT, dims, -1, values, 24, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "rank is 1000", SmTensorMake(SM_FLOAT, dims, 1000, values, 24, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "", SmTensorMake(SM_FLOAT, negative, 1, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "", SmTensorMake(SM_FLOAT, huge, 2, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_RESOURCE_EXHAUSTED, "", SmTensorMake(SM_DOUBLE, large, 1, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "string", SmTensorMake(SM_STRING, dims, 2, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "dtype", SmTensorMake(SM_VARIANT, dims, 2, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "dtype", SmTensorMake(12345, dims, 2, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "dtype", SmTensorMake(-5, dims, 2, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "tensor is NULL", SmTensorMake(SM_FLOAT, dims, 2, values, 24, NULL, &error));
  CHECK(SmTensorMake(SM_FLOAT, dims, 2, values, 20, &tensor, NULL) == SM_INVALID_ARGUMENT);
  CHECK(SmTensorDataType(NULL) == SM_INVALID && SmTensorRank(NULL) == -1 && SmTensorDims(NULL) == NULL && SmTensorData(NULL) == NULL);
  CHECK(SmTensorShare(NULL) == NULL && SmTensorMutableData(NULL) == NULL && SmTensorBytes(NULL) == 0 && SmTensorElementCount(NULL) == 0);
  CHECK(SmTensorText(NULL, 3, NULL, 5) == 0);
  SmTensorFree(NULL);
}

static void WrappedMemory(void) {
  const int64_t dims[] = {6};
  float stays[7] = {1, 2, 3, 4, 5, 6, 7};
  int freed = 0;
  float* memory = calloc(6, sizeof(float));
  SmTensor *tensor, *other;
  CHECK_OK(SmTensorWrap(SM_FLOAT, dims, 1, memory, 24, CountFree, &freed, &tensor, &error));
  CHECK(SmTensorData(tensor) == memory && SmTensorMutableData(tensor) == memory);
  other = SmTensorShare(tensor);
  SmTensorFree(tensor);
  CHECK(freed == 0);
  SmTensorFree(other);
  CHECK(freed == 1);
  CHECK_OK(SmTensorWrap(SM_FLOAT, dims, 1, stays, 24, NULL, NULL, &tensor, &error));
  CHECK(SmTensorMutableData(tensor) == stays);
  SmTensorFree(tensor);
  CHECK_FAILS(SM_INVALID_ARGUMENT, "not aligned", SmTensorWrap(SM_FLOAT, dims, 1, (char*)stays + 1, 24, CountFree, &freed, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "data is NULL", SmTensorWrap(SM_FLOAT, dims, 1, NULL, 24, CountFree, &freed, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "takes 24", SmTensorWrap(SM_FLOAT, dims, 1, stays, 28, CountFree, &freed, &tensor, &error));
  CHECK(freed == 1);
}

static void Strings(void) {
  const int64_t dims[] = {2};
  const char* words[] = {"one", "t\0o"};
  const char* holes[] = {"one", NULL};
  const size_t lengths[] = {3, 3};
  const char* text;
  size_t length;
  SmTensor* tensor;
  CHECK_OK(SmTensorMakeStrings(dims, 1, words, lengths, 2, &tensor, &error));
  CHECK_OK(SmTensorString(tensor, 1, &text, &length, &error));
  CHECK(length == 3 && memcmp(text, "t\0o", 4) == 0);
  CHECK_FAILS(SM_OUT_OF_RANGE, "element 2", SmTensorString(tensor, 2, &text, &length, &error));
  CHECK(text == NULL && length == 0);
  CHECK_FAILS(SM_OUT_OF_RANGE, "element -1", SmTensorString(tensor, -1, &text, NULL, &error));
  CHECK(SmTensorData(tensor) == NULL && SmTensorBytes(tensor) == 0);
  SmTensorFree(tensor);
  CHECK_FAILS(SM_INVALID_ARGUMENT, "holds 2", SmTensorMakeStrings(dims, 1, words, NULL, 3, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "strings[1]", SmTensorMakeStrings(dims, 1, holes, NULL, 2, &tensor, &error));
  CHECK_OK(SmTensorMake(SM_BOOL, dims, 1, NULL, 0, &tensor, &error));
  CHECK_FAILS(SM_INVALID_ARGUMENT, "not string", SmTensorString(tensor, 0, &text, &length, &error));
  SmTensorFree(tensor);
}

void TensorTests(void) {
  Numbers();
  Refusals();
  WrappedMemory();
  Strings();
  CHECK(SmDataTypeSize(SM_COMPLEX128) == 16 && SmDataTypeSize(SM_STRING) == 0 && SmDataTypeSize(-7) == 0 && SmDataTypeSize(999) == 0);
  CHECK(strcmp(SmDataTypeName(SM_FLOAT), "float32") == 0 && strcmp(SmDataTypeName(-1), "invalid") == 0 && strcmp(SmDataTypeName(1 << 30), "invalid") == 0);
}
