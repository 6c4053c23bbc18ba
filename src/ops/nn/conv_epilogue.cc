// _ConvEpilogue: what the fusing passes make of Conv2D and DepthwiseConv2dNative in float, channels last, with a filter
// known before the run: activation(convolution + bias + residual) in one pass over memory; a last input may scale the channels
// of the images. A depthwise convolution may give the means of its images, too. The plain ops stay the judge.
#include <list>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/conv2d.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/scaled_gemm.h"
#include "ops/nn/conv_shape.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/nn/image_means.h"
#include "ops/nn/shared_matrix.h"
#include "ops/packed_later.h"
#include "ops/shared_object.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// One input shape, planned.
struct Planned {
  TensorShape input;
  ConvSizes sizes;
  Conv2dPlan conv;
  DepthwisePlan depthwise;
  std::shared_ptr<const PackedLater<PackedFilter>> filter;
  int64_t scratch_bytes = 0;
};

class ConvEpilogueKernel final : public Kernel {
 public:
  ConvEpilogueKernel(WindowAttrs window, EpilogueAttrs epilogue, bool depthwise, ImageMeans means, bool winograd)
      : window_(std::move(window)), epilogue_(epilogue), depthwise_(depthwise), means_(means), winograd_(winograd) {}

  absl::Status Prepare(KernelInit& init) {
    if (!init.input_shape(0).fully_known()) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(fixed_, Plan(init.input_shape(0).shape(), *init.constant(1), init.pool(), ShareOf(init)));
    return absl::OkStatus();
  }

  absl::Status Run(KernelContext& context) const override {
    const Tensor& input = context.input(0);
    std::shared_ptr<const Planned> planned = fixed_;
    if (planned == nullptr || planned->input != input.shape()) {
      SM_ASSIGN_OR_RETURN(planned, Lookup(context));
    }
    SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, planned->sizes.output));
    if (output->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(Epilogue epilogue, MakeEpilogue(context, epilogue_, planned->sizes.out_channels, planned->sizes.output));
    Tensor scratch;
    if (planned->scratch_bytes > 0) {
      SM_ASSIGN_OR_RETURN(scratch, context.Scratch(DataType::kUInt8, {planned->scratch_bytes}));
    }
    float* memory = static_cast<float*>(scratch.raw());
    if (epilogue_.scaled) {
      return RunScaled(context, *planned, epilogue, output, memory);
    }
    if (depthwise_) {
      float* row_sums = means_.wanted ? memory + planned->depthwise.scratch_bytes() / static_cast<int64_t>(sizeof(float)) : nullptr;
      planned->depthwise.Run(input.data<float>(), context.input(1).data<float>(), epilogue, output->data<float>(), memory, context.pool(), row_sums);
      if (means_.wanted) return GiveImageMeans(context, means_, planned->depthwise, planned->sizes.output, row_sums);
    } else {
      if (!FactorInWeights(planned->conv.filter_layout())) epilogue.scale = epilogue_.factors();
      planned->conv.Run(input.data<float>(), planned->filter->Get(context.pool()), epilogue, output->data<float>(), memory, context.pool());
    }
    return absl::OkStatus();
  }

 private:
  // Whether the weights are multiplied by the factor before the run, not the sums.
  bool FactorInWeights(const PanelLayout& layout) const { return epilogue_.scaled || layout.bf16; }

  // Image by image: each has its own scale.
  absl::Status RunScaled(KernelContext& context, const Planned& planned, Epilogue epilogue, Tensor* output, float* scratch) const {
    const Tensor &image = context.input(0), &scale = context.input(context.num_inputs() - 1);
    const int64_t batch = planned.sizes.batch, channels = planned.sizes.in_channels, pixels = image.num_elements() / batch / channels;
    SM_CHECK_ARGUMENT(scale.num_elements() == batch * channels, "the scale is ", scale.shape().ToString(), ", wants ", batch, " times ", channels, " numbers");
    for (int64_t i = 0; i < batch; ++i) {
      ScaledGemm(pixels, image.data<float>() + i * pixels * channels, scale.data<float>() + i * channels, planned.filter->Get(context.pool()).parts[0], epilogue,
                 output->data<float>() + i * pixels * planned.sizes.out_channels, scratch, context.pool());
      if (epilogue.residual != nullptr) epilogue.residual += pixels * planned.sizes.out_channels;
    }
    return absl::OkStatus();
  }

  template <typename Share>
  absl::StatusOr<std::shared_ptr<const Planned>> Plan(const TensorShape& input, const Tensor& filter, ThreadPool& pool, const Share& share) const {
    auto planned = std::make_shared<Planned>();
    planned->input = input;
    SM_ASSIGN_OR_RETURN(planned->sizes, depthwise_ ? SizeDepthwise(window_, input, filter.shape()) : SizeConv(window_, input, filter.shape()));
    if (planned->sizes.output.num_elements() == 0) return std::shared_ptr<const Planned>(std::move(planned));
    SM_ASSIGN_OR_RETURN(Conv2dShape shape, ConvShapeOf(planned->sizes));
    if (depthwise_) {
      SM_ASSIGN_OR_RETURN(planned->depthwise, DepthwisePlan::Make(shape, pool.num_threads()));
      planned->scratch_bytes = planned->depthwise.scratch_bytes() + (means_.wanted ? planned->depthwise.row_sums_bytes() : 0);
      return std::shared_ptr<const Planned>(std::move(planned));
    }
    SM_ASSIGN_OR_RETURN(planned->conv, Conv2dPlan::Make(shape, pool.num_threads(), winograd_ ? ConvAlgorithm::kAuto : ConvAlgorithm::kDirect,
                                                         epilogue_.precision()));
    planned->scratch_bytes = planned->conv.scratch_bytes();
    const PanelLayout& layout = planned->conv.filter_layout();
    const std::string key = FilterKey(layout, FactorInWeights(layout) ? epilogue_.factor_key : "");
    SM_CHECK_ARGUMENT(epilogue_.factor.num_elements() == planned->sizes.out_channels || !epilogue_.factor.initialized(), "the factor has ",
                      epilogue_.factor.num_elements(), " numbers, wants ", planned->sizes.out_channels);
    SM_ASSIGN_OR_RETURN(planned->filter, Filter(planned->conv, filter, key, pool, share));
    if (epilogue_.scaled) {
      SM_CHECK_ARGUMENT(shape.kernel_h == 1 && shape.kernel_w == 1 && planned->sizes.output.num_elements() / shape.out_c == input.num_elements() / shape.in_c,
                        "only a convolution of one pixel takes a scale");
      planned->scratch_bytes = ScaledGemmScratchBytes(shape.in_h * shape.in_w, planned->filter->Get(pool).parts[0]);
    }
    return std::shared_ptr<const Planned>(std::move(planned));
  }

  template <typename Share>
  absl::StatusOr<std::shared_ptr<const PackedLater<PackedFilter>>> Filter(const Conv2dPlan& conv, const Tensor& filter, const std::string& key, ThreadPool& pool,
                                                                         const Share& share) const {
    using Later = PackedLater<PackedFilter>;
    const float* factor = FactorInWeights(conv.filter_layout()) ? epilogue_.factors() : nullptr;
    if (epilogue_.scaled || !conv.reads_in_place() || !Later::Pays(filter)) {
      SM_ASSIGN_OR_RETURN(std::shared_ptr<const PackedFilter> packed, SharedObjectBy<PackedFilter>(share, filter, key, [&] {
                            return conv.PackFilter(filter.data<float>(), pool, factor);
                          }));
      return std::make_shared<const Later>(*packed);
    }
    return SharedPointerBy<Later>(share, filter, absl::StrCat(key, " later"), [&]() -> absl::StatusOr<std::shared_ptr<const Later>> {
      SM_ASSIGN_OR_RETURN(PackedFilter in_place, conv.FilterInPlace(filter.data<float>(), pool));
      return std::make_shared<const Later>(filter, std::move(in_place), [conv](const float* weights, ThreadPool& threads, PackedStretch done) {
        return conv.PackFilter(weights, threads, nullptr, &done);
      });
    });
  }

  // Shapes that are known in the run only: the last few are kept.
  absl::StatusOr<std::shared_ptr<const Planned>> Lookup(KernelContext& context) const {
    const TensorShape& shape = context.input(0).shape();
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& planned : recent_) {
      if (planned->input == shape) return planned;
    }
    auto share = [&](const Tensor&, const std::string& key, const SharedMaker& make) {
      if (key != recent_key_ || recent_object_ == nullptr) {
        recent_key_ = key;
        recent_object_ = make();
      }
      return recent_object_;
    };
    SM_ASSIGN_OR_RETURN(std::shared_ptr<const Planned> planned, Plan(shape, context.input(1), context.pool(), share));
    constexpr size_t kKept = 8;
    recent_.push_front(planned);
    if (recent_.size() > kKept) recent_.pop_back();
    return planned;
  }

  const WindowAttrs window_;
  const EpilogueAttrs epilogue_;
  const bool depthwise_;
  const ImageMeans means_;
  const bool winograd_;
  std::shared_ptr<const Planned> fixed_;
  mutable std::mutex mutex_;
  mutable std::list<std::shared_ptr<const Planned>> recent_;  // guarded by mutex_
  mutable std::string recent_key_;                            // guarded by mutex_, as the next:
  mutable std::shared_ptr<const void> recent_object_;         // what was made of the filter last, under that key
};

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("the CPU computes this in float32 alone");
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(EpilogueAttrs epilogue, ReadEpilogueAttrs(init.attrs()));
  if (!window.layout.channels_last() || init.constant(1) == nullptr) {
    return absl::UnimplementedError("the fused convolution wants channels last and a filter known before the run");
  }
  SM_ASSIGN_OR_RETURN(const ImageMeans means, ReadImageMeans(init.attrs()));
  SM_CHECK_ARGUMENT(!means.wanted || init.attrs().Bool("depthwise"), "only a depthwise convolution gives means");
  auto kernel = std::make_unique<ConvEpilogueKernel>(std::move(window), epilogue, init.attrs().Bool("depthwise"), means, init.attrs().Bool("winograd"));
  SM_RETURN_IF_ERROR(kernel->Prepare(init));
  return KernelPtr(std::move(kernel));
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), 2, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferConvShape(window, context.input(0), context.input(1), context.attrs().Bool("depthwise")));
  context.set_output(0, shape);
  return InferImageMeans(context, shape);
}

}  // namespace

void DefineConvEpilogue(OpTable& ops) {
  ops.Add({.name = "_ConvEpilogue",
           .inputs = "input: T; filter: float; args: num_args * T",
           .outputs = absl::StrCat("output: T", kMeansOutput),
           .attrs = absl::StrCat("T: {float, half, bfloat16}; num_args: int >= 0; depthwise: bool; winograd: bool = true; bias: bool; residual: bool; scaled: bool = false; bfloat16: bool = false; activation: string = ''; "
                    "alpha: float = 0.0", kWindowAttrs, kMeansAttrs),
           .infer = Infer,
           .cpu = Make,
           .replaces = ResidualInput});
}

}  // namespace savedmodel
