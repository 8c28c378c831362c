#include "mask2former/common/layers/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

constexpr double kMomentum = 0.1;

// Sums over images and places, [B, C, H, W] -> [C].
torch::Tensor SumPerChannel(const torch::Tensor& x) { return x.sum({0, 2, 3}); }

// [C] -> [1, C, 1, 1]
torch::Tensor AlongChannels(const torch::Tensor& x) {
  return x.view({1, -1, 1, 1});
}

// The statistics of all workers' batches, [C] each but for the scalar count.
struct Moments {
  torch::Tensor mean, variance, count;
};

void CheckCount(double count, const torch::Tensor& x) {
  TORCH_CHECK(count > 1,
              "a BatchNorm in training mode needs more than one value per "
              "channel, got input of shape ",
              x.sizes());
}

// In two rounds, as the mean square minus the squared mean loses digits.
Moments MomentsOverWorkers(const torch::Tensor& x, const SumOverWorkers& sum) {
  const int64_t channels = x.size(1);
  const torch::Tensor local_count =
      torch::scalar_tensor(static_cast<double>(x.numel() / channels),
                           x.options())
          .view({1});
  const torch::Tensor first = sum(at::cat({SumPerChannel(x), local_count}));
  const torch::Tensor count = first[channels];
  const torch::Tensor mean = first.narrow(0, 0, channels) / count;
  const torch::Tensor centred = x - AlongChannels(mean);
  return {mean, sum(SumPerChannel(centred * centred)) / count, count};
}

// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, where mean and
// variance depend on every worker's x.
class NormalizeFunction : public torch::autograd::Function<NormalizeFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& x,
                               const torch::Tensor& weight,
                               const torch::Tensor& bias,
                               const Moments& moments,
                               const SumOverWorkers& sum) {
    const torch::Tensor inverse_deviation =
        at::rsqrt(moments.variance + BatchNorm::kEpsilon);
    context->save_for_backward(
        {x, weight, moments.mean, inverse_deviation, moments.count});
    context->saved_data["sum"] =
        c10::IValue::make_capsule(c10::make_intrusive<SumHolder>(sum));
    const torch::Tensor scale = weight * inverse_deviation;
    return x * AlongChannels(scale) +
           AlongChannels(bias - moments.mean * scale);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2],
                        &inverse_deviation = saved[3], &count = saved[4];
    const torch::Tensor& dy = gradients[0];
    // mean and deviation would be taken for constants.
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "a synchronized BatchNorm has no second derivative: call "
                "backward() without create_graph");
    const torch::Tensor normal =
        (x - AlongChannels(mean)) * AlongChannels(inverse_deviation);
    // The workers' own sums are the gradients of bias and weight.
    const torch::Tensor own =
        at::stack({SumPerChannel(dy), SumPerChannel(dy * normal)});
    const torch::Tensor all = c10::static_intrusive_pointer_cast<SumHolder>(
                                  context->saved_data["sum"].toCapsule())
                                  ->sum(own) /
                              count;
    const torch::Tensor dx =
        (dy - AlongChannels(all[0]) - normal * AlongChannels(all[1])) *
        AlongChannels(weight * inverse_deviation);
    return {dx, own[1], own[0], torch::Tensor(), torch::Tensor()};
  }

 private:
  struct SumHolder : torch::CustomClassHolder {
    explicit SumHolder(SumOverWorkers sum) : sum(std::move(sum)) {}
    SumOverWorkers sum;
  };
};

}  // namespace

BatchNorm::BatchNorm(int64_t channels, BatchNormKind kind)
    : kind_(kind), channels_(channels) {
  TORCH_CHECK(channels > 0, "channels must be positive, got ", channels);
  if (kind == BatchNormKind::kFrozen) {
    weight_ = register_buffer("weight", at::ones({channels}));
    bias_ = register_buffer("bias", at::zeros({channels}));
  } else {
    weight_ = register_parameter("weight", at::ones({channels}));
    bias_ = register_parameter("bias", at::zeros({channels}));
  }
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
  if (kind != BatchNormKind::kFrozen) {
    num_batches_tracked_ =
        register_buffer("num_batches_tracked", at::zeros({}, torch::kLong));
  }
}

torch::Tensor BatchNorm::forward(const torch::Tensor& x) {
  CheckShape(x, "input of a BatchNorm", {kAny, channels_, kAny, kAny});
  const bool batch_statistics =
      is_training() && kind_ != BatchNormKind::kFrozen;
  if (batch_statistics) {
    if (kind_ == BatchNormKind::kSynchronized && sum_) {
      return NormalizeOverWorkers(x);
    }
    CheckCount(static_cast<double>(x.numel() / channels_), x);
    num_batches_tracked_.add_(1);
  }
  return at::batch_norm(x, weight_, bias_, running_mean_, running_var_,
                        batch_statistics, kMomentum, kEpsilon,
                        /*cudnn_enabled=*/true);
}

torch::Tensor BatchNorm::NormalizeOverWorkers(const torch::Tensor& x) {
  const torch::Tensor values = x.to(torch::kFloat);
  Moments moments;
  {
    torch::NoGradGuard no_grad;
    moments = MomentsOverWorkers(values, sum_);
    // All workers have the same sum, so all throw or none. It is looked at only
    // where it may be too small, for on a GPU that means to wait.
    const int64_t own_count = x.numel() / channels_;
    CheckCount(own_count > 1 ? static_cast<double>(own_count)
                             : moments.count.item<double>(),
               x);
    num_batches_tracked_.add_(1);
    const torch::Tensor unbiased =
        moments.variance * (moments.count / (moments.count - 1));
    running_mean_.lerp_(moments.mean, kMomentum);
    running_var_.lerp_(unbiased, kMomentum);
  }
  return NormalizeFunction::apply(values, weight_, bias_, moments, sum_)
      .to(x.scalar_type());
}

int64_t SynchronizeBatchNorms(torch::nn::Module& root, SumOverWorkers sum) {
  int64_t count = 0;
  for (const auto& module : root.modules(/*include_self=*/false)) {
    auto* const norm = module->as<BatchNorm>();
    if (norm == nullptr || norm->kind() != BatchNormKind::kSynchronized) {
      continue;
    }
    norm->set_sum_over_workers(sum);
    ++count;
  }
  return count;
}

}  // namespace mask2former
