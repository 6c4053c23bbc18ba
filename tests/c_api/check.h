/* Checks for tests in plain C: a failed one is printed and counted, main gives the count. */
#ifndef SAVEDMODEL_TESTS_C_API_CHECK_H_
#define SAVEDMODEL_TESTS_C_API_CHECK_H_

#include <stdio.h>

extern int failed_checks;

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);     \
      ++failed_checks;                                                                  \
    }                                                                                   \
  } while (0)

/* Expects a failure with this code whose message holds `part`, and frees the error. */
#define CHECK_FAILS(expected, part, call)                                                                             \
  do {                                                                                                                \
    SmError* error = NULL;                                                                                            \
    SmCode code = (call);                                                                                             \
    if (code != (expected) || SmErrorCode(error) != code || strstr(SmErrorMessage(error), part) == NULL) {            \
      fprintf(stderr, "%s:%d: %s gives %s \"%s\"\n", __FILE__, __LINE__, #call, SmCodeName(code), SmErrorMessage(error)); \
      ++failed_checks;                                                                                                \
    }                                                                                                                 \
    SmErrorFree(error);                                                                                               \
  } while (0)

#define CHECK_OK(call)                                                                                       \
  do {                                                                                                       \
    SmError* error = NULL;                                                                                   \
    if ((call) != SM_OK || error != NULL) {                                                                  \
      fprintf(stderr, "%s:%d: %s fails: %s\n", __FILE__, __LINE__, #call, SmErrorMessage(error));            \
      ++failed_checks;                                                                                       \
      SmErrorFree(error);                                                                                    \
    }                                                                                                        \
  } while (0)

#endif /* SAVEDMODEL_TESTS_C_API_CHECK_H_ */
