// FractionalMaxPool and FractionalAvgPool: pools over regions whose sizes are drawn at random so that the image shrinks by
// pooling_ratio; with their gradients. With a seed the regions are the reference's: they come from its Philox generator.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/nn/convolution.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

using FractionalTypes = TypeList<float, double, int32_t, int64_t>;

// Philox4x32-10 counted in blocks of four numbers.
class Philox {
 public:
  Philox(uint64_t seed, uint64_t seed2, uint64_t block)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}, seed2_(seed2), block_(block) {}
  uint32_t Next() {
    if (used_ == 4) {
      Fill();
      used_ = 0;
    }
    return numbers_[used_++];
  }

 private:
  void Fill() {
    uint32_t c[4] = {static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), static_cast<uint32_t>(seed2_),
                     static_cast<uint32_t>(seed2_ >> 32)};
    uint32_t k[2] = {key_[0], key_[1]};
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
      const uint32_t next[4] = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(b),
                                static_cast<uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(a)};
      std::copy_n(next, 4, c);
      k[0] += 0x9E3779B9;
      k[1] += 0xBB67AE85;
    }
    std::copy_n(c, 4, numbers_);
    ++block_;
  }
  uint32_t key_[2];
  uint64_t seed2_, block_;
  uint32_t numbers_[4] = {};
  int used_ = 4;
};

// The boundaries of the regions along height and width.
struct Regions {
  std::vector<int64_t> rows, columns;
};

// Draws regions; one object per node, so that runs continue the stream.
class RegionSource {
 public:
  RegionSource(const Attributes& attrs)
      : pseudo_random_(attrs.Bool("pseudo_random")),
        deterministic_(attrs.Bool("deterministic")),
        seed_(static_cast<uint64_t>(attrs.Int("seed"))),
        seed2_(static_cast<uint64_t>(attrs.Int("seed2"))) {
    if (seed_ == 0 && seed2_ == 0) {
      std::random_device device;
      seed_ = (uint64_t{device()} << 32) | device();
      seed2_ = (uint64_t{device()} << 32) | device();
    }
  }

  Regions Draw(int64_t height, int64_t out_height, int64_t width, int64_t out_width) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (deterministic_ && !kept_.rows.empty() && kept_.rows.size() == static_cast<size_t>(out_height + 1) &&
        kept_.rows.back() == height && kept_.columns.size() == static_cast<size_t>(out_width + 1) &&
        kept_.columns.back() == width) {
      return kept_;
    }
    kept_.rows = Sequence(height, out_height);
    kept_.columns = Sequence(width, out_width);
    return kept_;
  }

 private:
  // The generator for the next `samples` numbers.
  Philox Reserve(int64_t samples) {
    Philox philox(seed_, seed2_, block_);
    block_ += static_cast<uint64_t>((samples + 3) / 4);
    return philox;
  }

  std::vector<int64_t> Sequence(int64_t in, int64_t out) {
    const std::vector<int64_t> sizes = pseudo_random_ ? PseudoRandomSizes(in, out) : RandomSizes(in, out);
    std::vector<int64_t> sequence(static_cast<size_t>(out + 1), 0);
    for (int64_t i = 0; i < out; ++i) sequence[i + 1] = sequence[i] + sizes[i];
    return sequence;
  }

  // Boundaries at ceil(alpha * (i + u)) for one random u, kept below what would make a region too large or too small.
  std::vector<int64_t> PseudoRandomSizes(int64_t in, int64_t out) {
    const double alpha = static_cast<double>(in) / static_cast<double>(out);
    const double k = static_cast<double>(in / out);
    const double top = std::min((k + 2) / alpha - 1, (static_cast<double>(in + 1) - k) / alpha - static_cast<double>(out - 1));
    Philox philox = Reserve(2);
    const uint64_t high = philox.Next() & 0xfffffu, low = philox.Next();
    const double u = std::ldexp(static_cast<double>((high << 32) | low), -52) * top;
    std::vector<int64_t> sizes(static_cast<size_t>(out));
    int64_t previous = 1;
    for (int64_t i = 1; i <= out; ++i) {
      const int64_t boundary = i == out ? in + 1 : static_cast<int64_t>(std::ceil(alpha * (static_cast<double>(i) + u)));
      sizes[i - 1] = boundary - previous;
      previous = boundary;
    }
    return sizes;
  }

  std::vector<int64_t> RandomSizes(int64_t in, int64_t out) {
    std::vector<int64_t> sizes(static_cast<size_t>(out), in / out);
    for (int64_t i = 0; i < in % out; ++i) ++sizes[i];
    Philox philox = Reserve(out);
    for (int64_t i = 0; i + 1 < out; ++i) std::swap(sizes[i], sizes[i + philox.Next() % static_cast<uint32_t>(out - i)]);
    return sizes;
  }

  const bool pseudo_random_, deterministic_;
  uint64_t seed_, seed2_, block_ = 0;
  std::mutex mutex_;
  Regions kept_;
};

// Calls visit(output pixel, input pixel, pixels in the region) for all pixels of all regions.
template <typename Visit>
void ForEachPixel(const TensorShape& input, const std::vector<int64_t>& rows, const std::vector<int64_t>& columns,
                  bool overlapping, const Visit& visit) {
  const int64_t height = input.dim(1), width = input.dim(2);
  const int64_t out_height = static_cast<int64_t>(rows.size()) - 1, out_width = static_cast<int64_t>(columns.size()) - 1;
  for (int64_t b = 0; b < input.dim(0); ++b) {
    for (int64_t y = 0; y < out_height; ++y) {
      const int64_t y_end = std::min(rows[y + 1] + (overlapping ? 1 : 0), height);
      for (int64_t x = 0; x < out_width; ++x) {
        const int64_t x_end = std::min(columns[x + 1] + (overlapping ? 1 : 0), width);
        const int64_t count = (y_end - rows[y]) * (x_end - columns[x]);
        for (int64_t h = rows[y]; h < y_end; ++h) {
          for (int64_t w = columns[x]; w < x_end; ++w)
            visit((b * out_height + y) * out_width + x, (b * height + h) * width + w, count);
        }
      }
    }
  }
}

template <typename T>
absl::Status Pool(const Tensor& input, const Regions& regions, bool overlapping, bool average, Tensor* output) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  const int64_t depth = input.dim(3);
  const T* in = input.data<T>();
  T* out = output->data<T>();
  std::fill_n(out, output->num_elements(), average ? T(0) : std::numeric_limits<T>::lowest());
  std::vector<int64_t> counts(static_cast<size_t>(depth == 0 ? 0 : output->num_elements() / depth), 1);
  ForEachPixel(input.shape(), regions.rows, regions.columns, overlapping, [&](int64_t o, int64_t i, int64_t count) {
    for (int64_t c = 0; c < depth; ++c) {
      const T value = in[i * depth + c];
      T& to = out[o * depth + c];
      to = average ? static_cast<T>(static_cast<Sum>(to) + static_cast<Sum>(value)) : to < value ? value : to;
    }
    if (depth > 0) counts[o] = count;
  });
  for (int64_t i = 0; average && i < output->num_elements(); ++i)
    out[i] = static_cast<T>(out[i] / static_cast<T>(counts[i / depth]));
  return absl::OkStatus();
}

absl::StatusOr<TensorShape> PooledShape(const TensorShape& input, const std::vector<float>& ratio) {
  SM_CHECK_ARGUMENT(input.rank() == 4, "tensor_in must be 4-dimensional, is ", input.ToString());
  TensorShape shape;
  for (int i = 0; i < 4; ++i) {
    SM_CHECK_ARGUMENT(input.dim(i) > 0 && input.dim(i) <= std::numeric_limits<int32_t>::max(), "Dimension ", i,
                      " of the input is ", input.dim(i), ", must be positive");
    SM_CHECK_ARGUMENT(static_cast<float>(input.dim(i)) >= ratio[i],
                      "Pooling ratio is higher than input dimension size for dimension ", i, ". Input dim size: ", input.dim(i),
                      " pooling ratio: ", ratio[i]);
    shape.AddDim(std::max<int64_t>(1, static_cast<int64_t>(std::floor(static_cast<float>(input.dim(i)) / ratio[i]))));
  }
  return shape;
}

absl::StatusOr<std::vector<float>> ReadRatio(const Attributes& attrs) {
  const std::vector<float>& ratio = attrs.Floats("pooling_ratio");
  SM_CHECK_ARGUMENT(ratio.size() == 4, "pooling_ratio field must specify 4 dimensions");
  for (float r : ratio) SM_CHECK_ARGUMENT(r >= 1, "pooling_ratio cannot be smaller than 1, got: ", r);
  if (ratio[0] != 1 || ratio[3] != 1) {
    return absl::UnimplementedError("Fractional pooling is not yet supported on the batch nor channel dimension.");
  }
  return ratio;
}

absl::Status WriteSequence(KernelContext& context, int output, const std::vector<int64_t>& sequence) {
  SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(output, TensorShape({static_cast<int64_t>(sequence.size())})));
  std::copy(sequence.begin(), sequence.end(), out->data<int64_t>());
  return absl::OkStatus();
}

template <bool kAverage>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(std::vector<float> ratio, ReadRatio(init.attrs()));
  const bool overlapping = init.attrs().Bool("overlapping");
  SM_CHECK_ARGUMENT(init.attrs().Bool("deterministic") || (init.attrs().Int("seed") == 0 && init.attrs().Int("seed2") == 0),
                    "Both seed and seed2 should be 0 if deterministic is false.");
  auto source = std::make_shared<RegionSource>(init.attrs());
  return MakeKernel([ratio, overlapping, source](KernelContext& context) -> absl::Status {
    const Tensor& input = context.input(0);
    SM_ASSIGN_OR_RETURN(TensorShape shape, PooledShape(input.shape(), ratio));
    SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, shape));
    const Regions regions = source->Draw(input.dim(1), shape.dim(1), input.dim(2), shape.dim(2));
    SM_RETURN_IF_ERROR(WriteSequence(context, 1, regions.rows));
    SM_RETURN_IF_ERROR(WriteSequence(context, 2, regions.columns));
    return Dispatch<FractionalTypes>(input.dtype(), [&](auto tag) -> absl::Status {
      return Pool<typename decltype(tag)::type>(input, regions, overlapping, kAverage, output);
    });
  });
}

// Region boundaries of a gradient's input: at least two, each inside the image.
absl::StatusOr<std::vector<int64_t>> ReadSequence(const KernelContext& context, int i, int64_t size, int64_t out,
                                                  const char* name) {
  SM_RETURN_IF_ERROR(CheckRank(context, i, 1, name));
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> sequence, IntsOf(context.input(i)));
  SM_CHECK_ARGUMENT(static_cast<int64_t>(sequence.size()) == out + 1, name, " must have ", out + 1, " elements, has ",
                    sequence.size());
  for (int64_t value : sequence) {
    SM_CHECK_ARGUMENT(value >= 0 && value <= size, name, " has the element ", value, ", must be in [0, ", size, "]");
  }
  return sequence;
}

struct GradientSizes {
  TensorShape input;
  Regions regions;
};

absl::StatusOr<GradientSizes> ReadGradient(const KernelContext& context, const TensorShape& input, const Tensor& gradient,
                                           int sequence) {
  SM_CHECK_ARGUMENT(input.rank() == 4 && gradient.rank() == 4, "orig_input and out_backprop must be 4-dimensional, are ",
                    input.ToString(), " and ", gradient.shape().ToString());
  SM_CHECK_ARGUMENT(gradient.dim(0) == input.dim(0) && gradient.dim(3) == input.dim(3), "out_backprop is ",
                    gradient.shape().ToString(), ", its batch and channels must be those of ", input.ToString());
  GradientSizes sizes;
  sizes.input = input;
  SM_ASSIGN_OR_RETURN(sizes.regions.rows, ReadSequence(context, sequence, input.dim(1), gradient.dim(1), "row_pooling_sequence"));
  SM_ASSIGN_OR_RETURN(sizes.regions.columns,
                      ReadSequence(context, sequence + 1, input.dim(2), gradient.dim(2), "col_pooling_sequence"));
  return sizes;
}

absl::Status RunMaxGrad(KernelContext& context, bool overlapping) {
  const Tensor& input = context.input(0);
  const Tensor& gradient = context.input(2);
  SM_ASSIGN_OR_RETURN(GradientSizes sizes, ReadGradient(context, input.shape(), gradient, 3));
  SM_CHECK_ARGUMENT(context.input(1).shape() == gradient.shape(), "orig_output is ", context.input(1).shape().ToString(),
                    ", out_backprop ", gradient.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input.shape()));
  FillZero(output);
  const int64_t depth = input.dim(3);
  return Dispatch<FractionalTypes>(input.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
    std::vector<int64_t> best(static_cast<size_t>(gradient.num_elements()), -1);
    const T* in = input.data<T>();
    ForEachPixel(sizes.input, sizes.regions.rows, sizes.regions.columns, overlapping, [&](int64_t o, int64_t i, int64_t) {
      for (int64_t c = 0; c < depth; ++c) {
        int64_t& at = best[o * depth + c];
        if (at < 0 || in[at] < in[i * depth + c]) at = i * depth + c;
      }
    });
    for (size_t i = 0; i < best.size(); ++i) {
      SM_CHECK_ARGUMENT(best[i] >= 0, "the pooling sequences leave an empty region");
      T& to = output->data<T>()[best[i]];
      to = static_cast<T>(static_cast<Sum>(to) + static_cast<Sum>(gradient.data<T>()[i]));
    }
    return absl::OkStatus();
  });
}

absl::Status RunAvgGrad(KernelContext& context, bool overlapping) {
  const Tensor& gradient = context.input(1);
  SM_ASSIGN_OR_RETURN(TensorShape input, ShapeInput(context, 0, "orig_input_tensor_shape"));
  SM_ASSIGN_OR_RETURN(GradientSizes sizes, ReadGradient(context, input, gradient, 2));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, input));
  FillZero(output);
  const int64_t depth = input.dim(3);
  return Dispatch<FractionalTypes>(gradient.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    std::vector<double> sums(static_cast<size_t>(output->num_elements()));
    ForEachPixel(sizes.input, sizes.regions.rows, sizes.regions.columns, overlapping, [&](int64_t o, int64_t i, int64_t count) {
      for (int64_t c = 0; c < depth; ++c)
        sums[i * depth + c] += static_cast<double>(gradient.data<T>()[o * depth + c]) / static_cast<double>(count);
    });
    for (size_t i = 0; i < sums.size(); ++i) {
      // An int64 gradient can exceed what a double converts back.
      output->data<T>()[i] = static_cast<T>(std::is_integral_v<T> ? std::clamp(sums[i], -9.2e18, 9.2e18) : sums[i]);
    }
    return absl::OkStatus();
  });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(std::vector<float> ratio, ReadRatio(context.attrs()));
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 4));
  PartialShape shape = context.input(0).known_rank() ? context.input(0) : PartialShape::UnknownOfRank(4);
  for (int i = 0; i < 4; ++i) {
    if (shape.dim(i) >= 0)
      shape.set_dim(i, std::max<int64_t>(1, static_cast<int64_t>(std::floor(static_cast<float>(shape.dim(i)) / ratio[i]))));
  }
  context.set_output(1, PartialShape::Of({shape.dim(1) < 0 ? -1 : shape.dim(1) + 1}));
  context.set_output(2, PartialShape::Of({shape.dim(2) < 0 ? -1 : shape.dim(2) + 1}));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::Status InferAvgGrad(InferContext& context) {
  SM_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromConstant(context, 0));
  context.set_output(0, shape.known_rank() ? shape : PartialShape::UnknownOfRank(4));
  return absl::OkStatus();
}

}  // namespace

void DefineFractionalPool(OpTable& ops) {
  const std::string outputs = "output: T; row_pooling_sequence: int64; col_pooling_sequence: int64";
  const std::string attrs =
      "pooling_ratio: list(float) >= 4; pseudo_random: bool = false; overlapping: bool = false; deterministic: bool = false; "
      "seed: int = 0; seed2: int = 0; T: {float, double, int32, int64}";
  ops.Add({.name = "FractionalMaxPool",
           .inputs = "value: T",
           .outputs = outputs,
           .attrs = attrs,
           .infer = Infer,
           .cpu = Make<false>});
  ops.Add(
      {.name = "FractionalAvgPool", .inputs = "value: T", .outputs = outputs, .attrs = attrs, .infer = Infer, .cpu = Make<true>});
  ops.Add({.name = "FractionalMaxPoolGrad",
           .inputs = "orig_input: T; orig_output: T; out_backprop: T; row_pooling_sequence: int64; col_pooling_sequence: int64",
           .outputs = "output: T",
           .attrs = "overlapping: bool = false; T: {float, double, int32, int64}",
           .infer = SameShape<0>,
           .cpu = [](KernelInit& init) -> absl::StatusOr<KernelPtr> {
             const bool overlapping = init.attrs().Bool("overlapping");
             return MakeKernel([overlapping](KernelContext& context) { return RunMaxGrad(context, overlapping); });
           }});
  ops.Add({.name = "FractionalAvgPoolGrad",
           .inputs = "orig_input_tensor_shape: int64; out_backprop: T; row_pooling_sequence: int64; col_pooling_sequence: int64",
           .outputs = "output: T",
           .attrs = "overlapping: bool = false; T: {float, double, int32, int64}",
           .infer = InferAvgGrad,
           .cpu = [](KernelInit& init) -> absl::StatusOr<KernelPtr> {
             const bool overlapping = init.attrs().Bool("overlapping");
             return MakeKernel([overlapping](KernelContext& context) { return RunAvgGrad(context, overlapping); });
           }});
}

}  // namespace savedmodel
