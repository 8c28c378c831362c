#ifndef MASK2FORMER_COMMON_LAYERS_BATCH_NORM_H_
#define MASK2FORMER_COMMON_LAYERS_BATCH_NORM_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace mask2former {

enum class BatchNormKind {
  kLocal,         // Statistics of this process's batch.
  kSynchronized,  // Of all workers' batches, see SynchronizeBatchNorms().
  kFrozen,        // Given once; weight and bias are buffers and do not train.
};

// Adds up a tensor over all workers; called in the same order by each.
using SumOverWorkers = std::function<torch::Tensor(const torch::Tensor&)>;

// Shifts and scales every channel to mean 0 and variance 1, then by a learned
// weight and bias.
//
// In training mode the statistics are the batch's, and running_mean and
// running_var follow them: new = 0.9 old + 0.1 batch, with the unbiased
// variance. In evaluation mode, and always if frozen, they are the running
// ones. Epsilon is 1e-5.
//
// State: weight, bias, running_mean, running_var and, unless frozen, the
// int64 scalar num_batches_tracked.
//
// Source: Ioffe and Szegedy, "Batch Normalization", ICML 2015, algorithms 1, 2.
class BatchNorm final : public torch::nn::Module {
 public:
  BatchNorm(int64_t channels, BatchNormKind kind);

  // [B, C, H, W] -> [B, C, H, W]
  //
  // Throws c10::Error on another number of channels, and in training mode if a
  // channel has a single value (of all workers together, if synchronized); then
  // the running statistics stay as they were. A synchronized norm with a sum
  // has no second derivative: backward with create_graph throws.
  torch::Tensor forward(const torch::Tensor& x);

  BatchNormKind kind() const { return kind_; }
  const torch::Tensor& weight() const { return weight_; }
  const torch::Tensor& bias() const { return bias_; }
  const torch::Tensor& running_mean() const { return running_mean_; }
  const torch::Tensor& running_var() const { return running_var_; }
  static constexpr double kEpsilon = 1e-5;

  // The sum that a synchronized norm in training mode uses. Empty: one worker.
  void set_sum_over_workers(SumOverWorkers sum) { sum_ = std::move(sum); }

 private:
  torch::Tensor NormalizeOverWorkers(const torch::Tensor& x);

  const BatchNormKind kind_;
  const int64_t channels_;
  SumOverWorkers sum_;
  torch::Tensor weight_, bias_, running_mean_, running_var_;
  torch::Tensor num_batches_tracked_;
};

// Gives `sum` to every synchronized BatchNorm inside `root`; returns their
// number.
int64_t SynchronizeBatchNorms(torch::nn::Module& root, SumOverWorkers sum);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_BATCH_NORM_H_
