#include "ops/random/random_source.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/random/distributions.h"
#include "ops/shape_rules.h"
#include "ops/state/variable.h"

namespace savedmodel {
namespace {

int ShapeIndex(Source source) { return source == Source::kVariable ? 2 : source == Source::kTaggedVariable ? 1 : 0; }

}  // namespace

Philox Generator::Reserve(uint64_t groups) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Philox before = philox_;
  philox_.Skip(groups);
  return before;
}

uint64_t SystemEntropy() {
  static std::mutex mutex;
  static std::random_device* const device = new std::random_device();
  std::lock_guard<std::mutex> lock(mutex);
  return Philox::Join((*device)(), (*device)());
}

absl::StatusOr<std::shared_ptr<Generator>> GeneratorOf(KernelInit& init) {
  uint64_t seed = static_cast<uint64_t>(init.attrs().Int("seed")), seed2 = static_cast<uint64_t>(init.attrs().Int("seed2"));
  SM_ASSIGN_OR_RETURN(ResourceHandle handle,
                      init.state().FindOrCreate("random", "", init.node_name(), [&]() -> absl::StatusOr<ResourceHandle> {
                        if (seed == 0 && seed2 == 0) {
                          seed = SystemEntropy();
                          seed2 = SystemEntropy();
                        }
                        return std::make_shared<Generator>(seed, seed2);
                      }));
  std::shared_ptr<Generator> generator = std::dynamic_pointer_cast<Generator>(handle);
  if (generator == nullptr) return absl::InternalError(absl::StrCat("the generator of ", init.node_name(), " is a ", handle->kind()));
  return generator;
}

absl::StatusOr<Philox> PhiloxOfSeed(const Tensor& seed) {
  SM_CHECK_ARGUMENT(seed.rank() == 1 && seed.dim(0) == 2, "seed must have shape [2], not ", seed.shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntsOf(seed));
  Philox::Words counter;
  Philox::Split(static_cast<uint64_t>(values[0]), &counter[0]);
  Philox::Split(static_cast<uint64_t>(values[1]), &counter[2]);
  const Philox::Words mixed = Philox(counter, {0x3ec8f720, 0x02461e29})();
  return Philox({0, 0, mixed[2], mixed[3]}, {mixed[0], mixed[1]});
}

absl::Status CheckAlgorithm(int64_t algorithm) {
  if (algorithm == 2) return absl::UnimplementedError("Non-XLA devices don't support the ThreeFry algorithm.");
  SM_CHECK_ARGUMENT(algorithm == 1 || algorithm == 3, "Unsupported algorithm id: ", algorithm);
  return absl::OkStatus();
}

absl::StatusOr<Philox> DrawFromVariable(KernelContext& context, int input, int skip, uint64_t outputs, bool keep_if_shared) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<Variable> variable, VariableInput(context, input));
  SM_CHECK_ARGUMENT(variable->dtype() == DataType::kInt64, "dtype of RNG state variable must be int64, not ", DataTypeName(variable->dtype()));
  Philox drawn;
  const void* before = variable->Read().raw();
  SM_RETURN_IF_ERROR(variable->Update([&](Tensor* state) -> absl::Status {
    SM_CHECK_ARGUMENT(state->rank() == 1, "RNG state must have one and only one dimension, not ", state->rank());
    int64_t* values = state->data<int64_t>();
    if (skip > 0) {
      SM_CHECK_ARGUMENT(state->num_elements() >= 1, "Size of tensor must be at least 1");
      SM_RETURN_IF_ERROR(CheckAlgorithm(values[0]));
    }
    SM_CHECK_ARGUMENT(state->num_elements() >= skip + 3, "For the Philox algorithm, the size of state must be at least ", skip + 3, "; got ",
                      state->num_elements());
    values += skip;
    Philox::Words counter;
    Philox::Key key;
    Philox::Split(static_cast<uint64_t>(values[0]), &counter[0]);
    Philox::Split(static_cast<uint64_t>(values[1]), &counter[2]);
    Philox::Split(static_cast<uint64_t>(values[2]), &key[0]);
    drawn = Philox(counter, key);
    if (keep_if_shared && state->raw() != before) return absl::OkStatus();
    Philox next = drawn;
    next.Skip(outputs * kReservedGroups);
    values[0] = static_cast<int64_t>(Philox::Join(next.counter()[0], next.counter()[1]));
    values[1] = static_cast<int64_t>(Philox::Join(next.counter()[2], next.counter()[3]));
    return absl::OkStatus();
  }));
  context.state().VariableWritten(variable.get());
  return drawn;
}

absl::StatusOr<Philox> PhiloxOfKeyCounter(const KernelContext& context, int key_input, int counter_input, int alg_input) {
  const Tensor &key = context.input(key_input), &counter = context.input(counter_input), &alg = context.input(alg_input);
  SM_CHECK_ARGUMENT(alg.rank() == 0, "input ", alg_input, " (0-based) must have shape [], not ", alg.shape().ToString());
  SM_ASSIGN_OR_RETURN(int64_t algorithm, IntScalar(context, alg_input, "alg"));
  SM_CHECK_ARGUMENT(key.rank() == 1 && key.dim(0) == 1, "key must have shape [1], not ", key.shape().ToString());
  SM_CHECK_ARGUMENT(counter.rank() == 1 && counter.dim(0) >= 1, "counter must be a vector with length at least 1, not ",
                    counter.shape().ToString());
  SM_CHECK_ARGUMENT(algorithm == 1 || algorithm == 3, "Unsupported algorithm id: ", algorithm);
  Philox::Words words;
  Philox::Key halves;
  Philox::Split(counter.data<uint64_t>()[0], &words[0]);
  // The reference reads on behind a shorter counter.
  Philox::Split(counter.dim(0) > 1 ? counter.data<uint64_t>()[1] : 0, &words[2]);
  Philox::Split(key.data<uint64_t>()[0], &halves[0]);
  return Philox(words, halves);
}

absl::StatusOr<RandomSource> RandomSource::Make(Source source, KernelInit& init) {
  RandomSource made(source);
  if (source == Source::kGenerator) {
    SM_ASSIGN_OR_RETURN(made.generator_, GeneratorOf(init));
  }
  return made;
}

int RandomSource::shape_input() const { return ShapeIndex(source_); }

int RandomSource::first_argument() const {
  switch (source_) {
    case Source::kGenerator: return 1;
    case Source::kSeed: return 2;
    case Source::kKeyCounter: return 4;
    case Source::kVariable: return 3;
    default: return 2;
  }
}

absl::StatusOr<Philox> RandomSource::Draw(KernelContext& context, uint64_t outputs) const {
  switch (source_) {
    case Source::kGenerator: return generator_->Reserve(outputs * kReservedGroups);
    case Source::kSeed: return PhiloxOfSeed(context.input(1));
    case Source::kKeyCounter: return PhiloxOfKeyCounter(context, 1, 2, 3);
    case Source::kVariable: {
      SM_CHECK_ARGUMENT(context.input(1).rank() == 0, "input 1 (0-based) must have shape [], not ", context.input(1).shape().ToString());
      SM_ASSIGN_OR_RETURN(int64_t algorithm, IntScalar(context, 1, "algorithm"));
      SM_RETURN_IF_ERROR(CheckAlgorithm(algorithm));
      return DrawFromVariable(context, 0, 0, outputs);
    }
    default: return DrawFromVariable(context, 0, 1, outputs);
  }
}

template <Source kSource>
absl::Status RandomShape(InferContext& context) {
  if (kSource == Source::kSeed) SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  if (kSource == Source::kKeyCounter) {
    SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
    SM_RETURN_IF_ERROR(RequireRank(context, 2, 1));
    SM_RETURN_IF_ERROR(RequireRank(context, 3, 0));
  }
  SM_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromConstant(context, ShapeIndex(kSource)));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}
template absl::Status RandomShape<Source::kGenerator>(InferContext&);
template absl::Status RandomShape<Source::kSeed>(InferContext&);
template absl::Status RandomShape<Source::kKeyCounter>(InferContext&);
template absl::Status RandomShape<Source::kVariable>(InferContext&);
template absl::Status RandomShape<Source::kTaggedVariable>(InferContext&);

absl::Status AppendedShape(InferContext& context) {
  SM_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromConstant(context, 0));
  const PartialShape& tail = context.input(1);
  if (!shape.known_rank() || !tail.known_rank()) {
    context.set_output(0, PartialShape());
    return absl::OkStatus();
  }
  for (int64_t d : tail.dims()) shape.AddDim(d);
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

}  // namespace savedmodel
