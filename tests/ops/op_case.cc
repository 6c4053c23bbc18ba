#include "op_case.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "evaluate_on_device.h"
#include "ops/dispatch.h"
#include "ops/evaluate.h"
#include "ops/schema.h"

namespace savedmodel {
namespace {

struct Tolerance {
  double rtol, atol;
};

Tolerance DefaultTolerance(DataType type) {
  switch (type) {
    case DataType::kDouble: case DataType::kComplex128: return {1e-9, 1e-10};
    case DataType::kHalf: return {5e-3, 5e-3};
    case DataType::kBFloat16: return {2e-2, 2e-2};
    default: return {1e-4, 1e-5};
  }
}

bool Near(double a, double b, const Tolerance& t) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= t.atol + t.rtol * std::abs(b);
}

template <typename T>
bool Same(const T& a, const T& b, const Tolerance& t) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return Near(static_cast<double>(a), static_cast<double>(b), t);
  } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    return Near(a.real(), b.real(), t) && Near(a.imag(), b.imag(), t);
  } else {
    return a == b;
  }
}

// Unimplemented where the device has no kernel.
absl::StatusOr<std::vector<Tensor>> RunThere(const std::string& op, Attributes attributes, const std::vector<Tensor>& inputs, SessionState& state) {
  std::shared_ptr<const OpDef> def = BuiltinOps()->Find(op);
  absl::StatusOr<OpSchema> schema = ParseSchema(*def);
  if (absl::Status status = CompleteAttributes(*schema, &attributes); !status.ok()) return status;
  static const std::shared_ptr<ThreadPool> pool = MakeThreadPool(2);
  return EvaluateOnDevice(*def, attributes, inputs, state, *pool, TestDevice());
}

}  // namespace

OpCase& OpCase::Attr(const std::string& name, AttrValue value) {
  attributes_.Set(name, std::move(value));
  return *this;
}
OpCase& OpCase::In(Tensor tensor) {
  inputs_.push_back(std::move(tensor));
  return *this;
}
OpCase& OpCase::Within(double rtol, double atol) {
  rtol_ = rtol;
  atol_ = atol;
  return *this;
}
OpCase& OpCase::State(ResourceStore* store) {
  state_ = store;
  return *this;
}

absl::StatusOr<std::vector<Tensor>> OpCase::Run() {
  std::shared_ptr<const OpDef> def = BuiltinOps()->Find(op_);
  if (def == nullptr) return absl::NotFoundError(absl::StrCat("no op ", op_));
  absl::StatusOr<OpSchema> schema = ParseSchema(*def);
  if (!schema.ok()) return schema.status();
  Attributes attributes = attributes_;
  if (absl::Status status = CompleteAttributes(*schema, &attributes); !status.ok()) return status;
  static const std::shared_ptr<ThreadPool> pool = MakeThreadPool(2);
  EvaluateOptions options;
  options.check_inferred_shapes = true;
  return Evaluate(*def, attributes, inputs_, *state_, *pool, options);
}

void OpCase::Gives(const std::vector<Tensor>& expected) {
  INFO(op_);
  absl::StatusOr<std::vector<Tensor>> outputs = Run();
  INFO(outputs.status().ToString());
  REQUIRE(outputs.ok());
  REQUIRE(outputs->size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    INFO("output " << i << ": " << (*outputs)[i].DebugString() << " wanted " << expected[i].DebugString());
    CHECK(Difference((*outputs)[i], expected[i], rtol_, atol_) == "");
  }
  absl::StatusOr<std::vector<Tensor>> there = RunThere(op_, attributes_, inputs_, *state_);
  if (absl::IsUnimplemented(there.status())) return;
  INFO("on " << TestDevice().name() << ": " << there.status().ToString());
  REQUIRE(there.ok());
  for (size_t i = 0; i < expected.size(); ++i) {
    INFO("output " << i << ": " << (*there)[i].DebugString() << " wanted " << expected[i].DebugString());
    CHECK(Difference((*there)[i], expected[i], rtol_, atol_) == "");
  }
}

void OpCase::Refuses(absl::StatusCode code, const std::string& text) {
  INFO(op_);
  absl::StatusOr<std::vector<Tensor>> outputs = Run();
  INFO(outputs.status().ToString());
  REQUIRE(outputs.status().code() == code);
  CHECK(std::string(outputs.status().message()).find(text) != std::string::npos);
  // A session refuses by the shape rule what a device's kernel need not look at again.
  absl::StatusOr<std::vector<Tensor>> there = RunThere(op_, attributes_, inputs_, *state_);
  INFO("on " << TestDevice().name() << ": " << there.status().ToString());
  if (!absl::IsUnimplemented(there.status()) && !there.ok()) CHECK(there.status().code() == code);
}

Tensor Bools(const TensorShape& shape, const std::vector<int>& values) {
  Tensor t = Tensor::Allocate(DataType::kBool, shape).value();
  for (size_t i = 0; i < values.size(); ++i) t.data<bool>()[i] = values[i] != 0;
  return t;
}

std::string Difference(const Tensor& actual, const Tensor& expected, double rtol, double atol) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) {
    return absl::StrCat("is ", DataTypeName(actual.dtype()), actual.shape().ToString(), ", wanted ", DataTypeName(expected.dtype()),
                        expected.shape().ToString());
  }
  Tolerance tolerance = DefaultTolerance(actual.dtype());
  if (rtol >= 0) tolerance = {rtol, atol};
  std::string difference;
  absl::Status status = DispatchAs<absl::Status, ValueTypes>(actual.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < actual.num_elements(); ++i) {
      if (!Same(actual.data<T>()[i], expected.data<T>()[i], tolerance)) {
        difference = absl::StrCat("element ", i, " differs");
        break;
      }
    }
    return absl::OkStatus();
  });
  return status.ok() ? difference : std::string(status.message());
}

}  // namespace savedmodel
