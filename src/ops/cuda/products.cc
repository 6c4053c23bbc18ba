// Matrix products on the GPU: cuBLASLt with bias, residual and activation fused, our own loop for integers and odd places.
#include <array>
#include <list>
#include <map>
#include <mutex>
#include <type_traits>

#include "kernels/cuda/window.h"
#include "ops/cuda/epilogue.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

bool Multiplies(DataType type) {
  return IsCudaFloat(type) || type == DataType::kInt32 || type == DataType::kInt64 || type == DataType::kInt16 || type == DataType::kInt8 ||
         type == DataType::kUInt8;
}

// Plans by shape: made once, the last few are kept. Thread-safe.
class ProductPlans {
 public:
  CudaProduct Get(GpuDevice& device, const cuda::BlasShape& shape, float alpha) {
    const Key key = {shape.m, shape.n, shape.k, shape.batch, shape.a_step, shape.b_step, static_cast<int64_t>(shape.type)};
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [known, plan] : plans_) {
      if (known == key) return plan;
    }
    plans_.emplace_front(key, CudaProduct::Plan(device, shape, alpha));
    constexpr size_t kKept = 16;
    if (plans_.size() > kKept) plans_.pop_back();
    return plans_.front().second;
  }

 private:
  using Key = std::array<int64_t, 7>;
  std::mutex mutex_;
  std::list<std::pair<Key, CudaProduct>> plans_;
};

// The last two dimensions of each operand are matrices, the others a batch that broadcasts.
struct BatchProduct {
  bool transpose_a = false, transpose_b = false, is_batch = false;
  DataType type = DataType::kFloat;
  std::shared_ptr<ProductPlans> plans = std::make_shared<ProductPlans>();

  absl::Status operator()(CudaRun& run) const {
    const Tensor &a = run.input(0), &b = run.input(1);
    if (is_batch) {
      SM_CHECK_ARGUMENT(a.rank() >= 2 && b.rank() >= 2, "In[0] and In[1] ndims must be >= 2: ", a.shape().ToString(), ", ", b.shape().ToString());
    } else {
      SM_CHECK_ARGUMENT(a.rank() == 2, "In[0] is not a matrix. Instead it has shape ", a.shape().ToString());
      SM_CHECK_ARGUMENT(b.rank() == 2, "In[1] is not a matrix. Instead it has shape ", b.shape().ToString());
    }
    const int ar = a.rank(), br = b.rank();
    cuda::BlasShape shape;
    shape.type = shape.out_type = ElementOf(type);
    shape.tf32 = run.stream().device()->options().allow_tf32;
    shape.m = a.dim(transpose_a ? ar - 1 : ar - 2);
    shape.k = a.dim(transpose_a ? ar - 2 : ar - 1);
    shape.n = b.dim(transpose_b ? br - 2 : br - 1);
    shape.transpose_a = transpose_a;
    shape.transpose_b = transpose_b;
    SM_CHECK_ARGUMENT(b.dim(transpose_b ? br - 1 : br - 2) == shape.k, "Matrix size-incompatible: In[0]: ", a.shape().ToString(), ", In[1]: ", b.shape().ToString());
    const TensorShape a_batch(a.shape().dims().subspan(0, static_cast<size_t>(ar - 2))), b_batch(b.shape().dims().subspan(0, static_cast<size_t>(br - 2)));
    SM_ASSIGN_OR_RETURN(TensorShape result, Broadcast(a_batch, b_batch));
    SM_ASSIGN_OR_RETURN(const cuda::Broadcast batch, BroadcastTo(result, {&a_batch, &b_batch}));
    result.AddDim(shape.m);
    result.AddDim(shape.n);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, result));
    if (out->num_elements() == 0) return absl::OkStatus();
    if (batch.rank <= 1) {
      shape.batch = batch.count;
      shape.a_step = batch.rank == 0 ? 0 : batch.steps[0][0] * shape.m * shape.k;
      shape.b_step = batch.rank == 0 ? 0 : batch.steps[1][0] * shape.k * shape.n;
      // One matrix for a batch that lies one behind the other: a single larger product.
      if (shape.batch > 1 && shape.b_step == 0 && !transpose_a) {
        shape.m *= shape.batch;
        shape.batch = 1;
        shape.a_step = 0;
      }
      return plans->Get(*run.stream().device(), shape, 0).Run(run, a.raw(), b.raw(), {}, out->raw());
    }
    if (batch.rank > 6) return absl::UnimplementedError("no CUDA kernel for such a batch");
    cuda::ProductShape own;
    own.m = shape.m;
    own.n = shape.n;
    own.k = shape.k;
    own.a_row = transpose_a ? 1 : shape.k;
    own.a_column = transpose_a ? shape.m : 1;
    own.b_row = transpose_b ? 1 : shape.n;
    own.b_column = transpose_b ? shape.k : 1;
    own.batch_rank = batch.rank;
    for (int d = 0; d < batch.rank; ++d) {
      own.batch[d] = batch.dims[d];
      own.a_steps[d] = batch.steps[0][d] * shape.m * shape.k;
      own.b_steps[d] = batch.steps[1][d] * shape.k * shape.n;
    }
    return run.Done(cuda::RunProduct(run.handle(), shape.type, own, a.raw(), b.raw(), out->raw()));
  }
};

template <bool kBatch>
absl::StatusOr<KernelPtr> MakeMatMul(KernelInit& init) {
  BatchProduct product;
  product.type = init.input_dtype(0);
  product.is_batch = kBatch;
  if (!Multiplies(product.type)) return WrongType(product.type);
  if (init.input_dtype(1) != product.type || init.output_dtype(0) != product.type) return absl::UnimplementedError("no CUDA kernel for a product of mixed dtypes");
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, 0, 8));
  SM_RETURN_IF_ERROR(WantsRankUpTo(init, 1, 8));
  product.transpose_a = init.attrs().Bool(kBatch ? "adj_x" : "transpose_a");
  product.transpose_b = init.attrs().Bool(kBatch ? "adj_y" : "transpose_b");
  return MakeCudaKernel(std::move(product));
}

// Einsum of two operands without repeated labels or ellipses: copies to [batch, free, contracted], one product, and a copy
// to the output's order. The rest is the CPU's.
struct EinsumPlan {
  std::string a, b, out;
  std::string batch, free_a, free_b, contracted;
};

absl::StatusOr<EinsumPlan> ParseEinsum(const std::string& equation) {
  const absl::Status other = absl::UnimplementedError(absl::StrCat("no CUDA kernel for the equation ", equation));
  std::string text;
  for (char c : equation) {
    if (c != ' ') text += c;
  }
  const size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || text.find(',', comma + 1) != std::string::npos || text.find('.') != std::string::npos) return other;
  EinsumPlan plan;
  plan.a = text.substr(0, comma);
  plan.b = text.substr(comma + 1, arrow - comma - 1);
  plan.out = text.substr(arrow + 2);
  auto unique = [](const std::string& labels) {
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels.find(labels[i]) != i) return false;
    }
    return labels.size() <= 8;
  };
  auto has = [](const std::string& labels, char c) { return labels.find(c) != std::string::npos; };
  if (!unique(plan.a) || !unique(plan.b) || !unique(plan.out)) return other;
  for (char c : plan.a) {
    if (has(plan.b, c)) (has(plan.out, c) ? plan.batch : plan.contracted) += c;
    else if (has(plan.out, c)) plan.free_a += c;
    else return other;
  }
  for (char c : plan.b) {
    if (has(plan.a, c)) continue;
    if (!has(plan.out, c)) return other;
    plan.free_b += c;
  }
  return plan;
}

absl::StatusOr<KernelPtr> MakeEinsum(KernelInit& init) {
  if (init.num_inputs() != 2 || !IsCudaFloat(init.input_dtype(0))) return absl::UnimplementedError("no CUDA kernel for this Einsum");
  SM_ASSIGN_OR_RETURN(const EinsumPlan plan, ParseEinsum(init.attrs().String("equation")));
  return MakeCudaKernel([plan, plans = std::make_shared<ProductPlans>(), type = init.input_dtype(0)](CudaRun& run) -> absl::Status {
    const Tensor* operands[2] = {&run.input(0), &run.input(1)};
    const std::string* labels[2] = {&plan.a, &plan.b};
    std::map<char, int64_t> size, step[2];
    for (int o = 0; o < 2; ++o) {
      SM_CHECK_ARGUMENT(operands[o]->rank() == static_cast<int>(labels[o]->size()), "Expected input ", o, " to have rank ", labels[o]->size(),
                        " but got: ", operands[o]->rank());
      const std::vector<int64_t> steps = StepsOf(operands[o]->shape());
      for (size_t i = 0; i < labels[o]->size(); ++i) {
        const char c = (*labels[o])[i];
        const int64_t dim = operands[o]->dim(static_cast<int>(i));
        SM_CHECK_ARGUMENT(size.count(c) == 0 || size[c] == dim, "Expected dimension ", size[c], " at label '", std::string(1, c), "' but got dimension ", dim);
        size[c] = dim;
        step[o][c] = steps[i];
      }
    }
    auto product_of = [&](const std::string& which) {
      int64_t product = 1;
      for (char c : which) product *= size[c];
      return product;
    };
    TensorShape shape;
    for (char c : plan.out) shape.AddDim(size[c]);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    cuda::BlasShape blas;
    blas.type = blas.out_type = ElementOf(type);
    blas.tf32 = run.stream().device()->options().allow_tf32;
    blas.batch = product_of(plan.batch);
    blas.m = product_of(plan.free_a);
    blas.n = product_of(plan.free_b);
    blas.k = product_of(plan.contracted);
    blas.a_step = blas.batch > 1 ? blas.m * blas.k : 0;
    blas.b_step = blas.batch > 1 ? blas.k * blas.n : 0;
    // Each operand as it lies, transposed as it lies, or copied.
    const std::string rows[2] = {plan.batch + plan.free_a + plan.contracted, plan.batch + plan.contracted + plan.free_b};
    const std::string columns[2] = {plan.batch + plan.contracted + plan.free_a, plan.batch + plan.free_b + plan.contracted};
    Tensor copies[2];
    const void* data[2];
    for (int o = 0; o < 2; ++o) {
      data[o] = operands[o]->raw();
      if (*labels[o] == rows[o]) continue;
      if (*labels[o] == columns[o]) {
        (o == 0 ? blas.transpose_a : blas.transpose_b) = true;
        continue;
      }
      SM_ASSIGN_OR_RETURN(copies[o], run.context().Scratch(type, {std::max<int64_t>(operands[o]->num_elements(), 1)}));
      cuda::StridedCopy copy;
      copy.size = SizeOf(type);
      int64_t to = operands[o]->num_elements();
      for (char c : rows[o]) {
        to /= std::max<int64_t>(size[c], 1);
        copy.Add(size[c], step[o][c], to);
      }
      SM_RETURN_IF_ERROR(run.Done(cuda::RunStridedCopy(run.handle(), copy, data[o], copies[o].raw())));
      data[o] = copies[o].raw();
    }
    const CudaProduct product = plans->Get(*run.stream().device(), blas, 0);
    const std::string natural = plan.batch + plan.free_a + plan.free_b;
    if (natural == plan.out) return product.Run(run, data[0], data[1], {}, out->raw());
    SM_ASSIGN_OR_RETURN(Tensor result, run.context().Scratch(type, {out->num_elements()}));
    SM_RETURN_IF_ERROR(product.Run(run, data[0], data[1], {}, result.raw()));
    std::map<char, int64_t> from;
    int64_t at = out->num_elements();
    for (char c : natural) {
      at /= size[c];
      from[c] = at;
    }
    cuda::StridedCopy copy;
    copy.size = SizeOf(type);
    const std::vector<int64_t> to = StepsOf(shape);
    for (size_t i = 0; i < plan.out.size(); ++i) copy.Add(size[plan.out[i]], from[plan.out[i]], to[i]);
    return run.Done(cuda::RunStridedCopy(run.handle(), copy, result.raw(), out->raw()));
  });
}

// The float matrix in the type that it is multiplied in, each column times its factor.
void PackMatrix(const Tensor& from, const Tensor& factor, int64_t k, bool transposed, Tensor* to) {
  const int64_t n = from.num_elements() / k;
  auto fill = [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (int64_t i = 0; i < from.num_elements(); ++i) {
      out[i] = static_cast<T>(from.data<float>()[i] * (factor.initialized() ? factor.data<float>()[transposed ? i / k : i % n] : 1.0f));
    }
  };
  if (to->dtype() == DataType::kBFloat16) fill(to->data<BFloat16>());
  else if (to->dtype() == DataType::kHalf) fill(to->data<Half>());
  else fill(to->data<float>());
}

// _MatMulEpilogue. The matrix lies on the device in the type of a; the sum, bias and residual may be float all the same.
absl::StatusOr<KernelPtr> MakeMatMulEpilogue(KernelInit& init) {
  const Tensor* b = init.constant(1);
  if (b == nullptr) return absl::UnimplementedError("the fused product wants a matrix known before the run");
  const DataType type = init.input_dtype(0), out_type = init.output_dtype(0);
  if (type == DataType::kDouble || !IsCudaFloat(type) || (out_type != type && out_type != DataType::kFloat)) return WrongType(out_type);
  SM_ASSIGN_OR_RETURN(const CudaEpilogue epilogue, ReadCudaEpilogue(init.attrs()));
  const int64_t k = init.attrs().Int("k");
  SM_CHECK_ARGUMENT(k > 0 && b->num_elements() % k == 0, "the matrix has ", b->num_elements(), " elements, not rows of ", k);
  const int64_t n = b->num_elements() / k;
  const bool transposed = init.attrs().Bool("transpose_b");
  SM_CHECK_ARGUMENT(!epilogue.factor.initialized() || epilogue.factor.num_elements() == n, "the factor has ", epilogue.factor.num_elements(), " numbers, wants ", n);
  SM_ASSIGN_OR_RETURN(const std::shared_ptr<const Tensor> matrix,
                      OnDevice(init, *b, absl::StrCat("matrix ", DataTypeName(type), " ", k, transposed, epilogue.factor_key), type, b->shape(),
                               [&](const Tensor& from, Tensor* to) { PackMatrix(from, epilogue.factor, k, transposed, to); }));
  cuda::BlasShape shape;
  shape.type = ElementOf(type);
  shape.out_type = ElementOf(out_type);
  shape.k = k;
  shape.n = n;
  shape.transpose_b = transposed;
  shape.bias = epilogue.bias;
  shape.residual = epilogue.residual;
  shape.activation = epilogue.activation;
  shape.tf32 = GpuOf(init).options().allow_tf32;
  return MakeCudaKernel([epilogue, shape, matrix, plans = std::make_shared<ProductPlans>(), contracted = static_cast<int>(init.attrs().Int("contracted")),
                         tail = init.attrs().Ints("tail")](CudaRun& run) -> absl::Status {
    const Tensor& a = run.input(0);
    SM_CHECK_ARGUMENT(a.rank() >= contracted && a.shape().Product(a.rank() - contracted, a.rank()) == shape.k, "Matrix size-incompatible: In[0]: ",
                      a.shape().ToString(), ", In[1]: [", shape.k, ",", shape.n, "]");
    TensorShape result(a.shape().dims().subspan(0, static_cast<size_t>(a.rank() - contracted)));
    cuda::BlasShape blas = shape;
    blas.m = result.num_elements();
    for (int64_t d : tail) result.AddDim(d);
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, result));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(const EpilogueTensors tensors, EpilogueInputs(run, epilogue, shape.n, result));
    return plans->Get(*run.stream().device(), blas, epilogue.alpha).Run(run, a.raw(), matrix->raw(), tensors, out->raw());
  });
}

}  // namespace

void AddProducts(DeviceKernels* kernels) {
  AddKernel(kernels, "MatMul", MakeMatMul<false>);
  AddKernel(kernels, "BatchMatMul", MakeMatMul<true>);
  AddKernel(kernels, "BatchMatMulV2", MakeMatMul<true>);
  AddKernel(kernels, "BatchMatMulV3", MakeMatMul<true>);
  AddKernel(kernels, "Einsum", MakeEinsum);
  AddKernel(kernels, "_MatMulEpilogue", MakeMatMulEpilogue, {"b"});
}

}  // namespace savedmodel
