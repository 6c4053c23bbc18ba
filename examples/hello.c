/* hello_c MODELS/steering: the same in C. */
#include <savedmodel/c.h>
#include <stdio.h>

static int Fail(SmError* error) {
  fprintf(stderr, "%s\n", SmErrorMessage(error));
  SmErrorFree(error);
  return 1;
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "examples/models/steering";
  const char* const input[] = {"state"};
  const char* const output[] = {"acceleration"};
  const int64_t dims[] = {1, 4};
  const float values[] = {0.5f, -0.5f, 0, 0};
  SmModel* model;
  SmTensor *state, *acceleration;
  SmError* error;
  char text[80];
  if (SmModelLoad(path, NULL, 0, NULL, &model, &error)) return Fail(error);
  if (SmTensorMake(SM_FLOAT, dims, 2, values, sizeof values, &state, &error)) return Fail(error);
  if (SmRunSignature(model, "serving_default", input, (const SmTensor* const*)&state, 1, output, &acceleration, 1, NULL, &error)) return Fail(error);
  SmTensorText(acceleration, 16, text, sizeof text);
  printf("%s\n", text);
  SmTensorFree(acceleration);
  SmTensorFree(state);
  SmModelFree(model);
  return 0;
}
