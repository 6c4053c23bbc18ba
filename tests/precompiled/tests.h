// Precompiled for the tests: what most of them include. A file still names what it uses (-Db_pch=false builds too).
#ifndef SAVEDMODEL_TESTS_PRECOMPILED_TESTS_H_
#define SAVEDMODEL_TESTS_PRECOMPILED_TESTS_H_

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "op_case.h"
#include "savedmodel/op.h"

#endif  // SAVEDMODEL_TESTS_PRECOMPILED_TESTS_H_
