// Runs one case through the public API.
#ifndef SAVEDMODEL_TESTS_CONFORMANCE_RUN_CASE_H_
#define SAVEDMODEL_TESTS_CONFORMANCE_RUN_CASE_H_

#include <string>

#include "judge.h"
#include "savedmodel/options.h"

namespace savedmodel::conformance {

// `folder` is where the case file lies.
Outcome RunCase(const Case& test, const std::string& folder, const SessionOptions& options, int repeat = 1);

}  // namespace savedmodel::conformance

#endif  // SAVEDMODEL_TESTS_CONFORMANCE_RUN_CASE_H_
