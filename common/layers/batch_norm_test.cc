#include "mask2former/common/layers/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

constexpr int kWorkers = 2;

// Adds up what two threads bring, as a process group would.
class Meeting {
 public:
  torch::Tensor Sum(const torch::Tensor& x) {
    std::unique_lock<std::mutex> lock(mutex_);
    const int64_t round = round_;
    sum_ = arrived_ == 0 ? x.clone() : sum_ + x;
    if (++arrived_ == kWorkers) {
      result_ = sum_;
      arrived_ = 0;
      ++round_;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return round_ != round; });
    return result_.clone();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t round_ = 0;
  int arrived_ = 0;
  torch::Tensor sum_, result_;
};

TEST(BatchNormTest, NormalizesByTheBatchAndTracksIt) {
  BatchNorm norm(1, BatchNormKind::kLocal);
  // Mean 3, variance 5, unbiased 20 / 3.
  const torch::Tensor x = at::tensor({0.f, 2.f, 4.f, 6.f}).view({2, 1, 2, 1});
  EXPECT_THAT(norm.forward(x),
              TensorNear((x - 3) / std::sqrt(5.00001), 1e-6, 0.));
  EXPECT_NEAR(norm.running_mean().item<float>(), 0.3, 1e-6);
  EXPECT_NEAR(norm.running_var().item<float>(), 0.9 + 0.1 * 20 / 3, 1e-6);
  EXPECT_EQ(norm.named_buffers()["num_batches_tracked"].item<int64_t>(), 1);
  norm.eval();
  EXPECT_THAT(
      norm.forward(x),
      TensorNear((x - norm.running_mean()) / (norm.running_var() + 1e-5).sqrt(),
                 1e-6, 0.));
}

TEST(BatchNormTest, FrozenIgnoresTheBatchAndHasNoParameters) {
  BatchNorm norm(2, BatchNormKind::kFrozen);
  EXPECT_THAT(norm.parameters(), IsEmpty());
  EXPECT_THAT(norm.named_buffers().keys(),
              ElementsAre("weight", "bias", "running_mean", "running_var"));
  const torch::Tensor x = at::randn({2, 2, 3, 3});
  EXPECT_THAT(norm.forward(x), TensorNear(x / std::sqrt(1.00001), 1e-6, 1e-6));
  EXPECT_THAT(norm.running_mean(), TensorNear(at::zeros({2}), 0., 0.));
}

// Two workers with unequal shares of a batch, against one with all of it.
TEST(BatchNormTest, SynchronizedEqualsOneWorkerWithTheWholeBatch) {
  torch::manual_seed(1);
  const torch::Tensor x = at::randn({3, 4, 5, 2}) * 3 + 100;
  const torch::Tensor out_weights = at::randn(x.sizes());
  const torch::Tensor weight = at::randn({4});
  const torch::Tensor bias = at::randn({4});
  const auto make = [&](BatchNormKind kind) {
    auto norm = std::make_shared<BatchNorm>(4, kind);
    torch::NoGradGuard no_grad;
    norm->named_parameters()["weight"].copy_(weight);
    norm->named_parameters()["bias"].copy_(bias);
    return norm;
  };

  const auto whole = make(BatchNormKind::kLocal);
  const torch::Tensor whole_x = x.clone().requires_grad_();
  const torch::Tensor whole_y = whole->forward(whole_x);
  (whole_y * out_weights).sum().backward();

  Meeting meeting;
  const int64_t begins[] = {0, 1}, lengths[] = {1, 2};
  std::vector<std::shared_ptr<BatchNorm>> norms;
  std::vector<torch::Tensor> inputs, outputs(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    norms.push_back(make(BatchNormKind::kSynchronized));
    norms[i]->set_sum_over_workers(
        [&](const torch::Tensor& t) { return meeting.Sum(t); });
    inputs.push_back(
        x.narrow(0, begins[i], lengths[i]).clone().requires_grad_());
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kWorkers; ++i) {
    threads.emplace_back([&, i] {
      outputs[i] = norms[i]->forward(inputs[i]);
      (outputs[i] * out_weights.narrow(0, begins[i], lengths[i]))
          .sum()
          .backward();
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(at::cat(outputs), TensorNear(whole_y, 1e-4, 1e-5));
  EXPECT_THAT(at::cat({inputs[0].grad(), inputs[1].grad()}),
              TensorNear(whole_x.grad(), 1e-4, 1e-4));
  for (const char* name : {"weight", "bias"}) {
    EXPECT_THAT(norms[0]->named_parameters()[name].grad() +
                    norms[1]->named_parameters()[name].grad(),
                TensorNear(whole->named_parameters()[name].grad(), 1e-4, 1e-4));
  }
  for (const auto& norm : norms) {
    EXPECT_THAT(norm->running_mean(),
                TensorNear(whole->running_mean(), 1e-4, 1e-5));
    EXPECT_THAT(norm->running_var(),
                TensorNear(whole->running_var(), 1e-4, 1e-5));
  }
}

TEST(BatchNormTest, SynchronizesOnlyTheSynchronizedInside) {
  torch::nn::Module root;
  root.register_module(
      "a", std::make_shared<BatchNorm>(1, BatchNormKind::kSynchronized));
  root.register_module("b",
                       std::make_shared<BatchNorm>(1, BatchNormKind::kLocal));
  int calls = 0;
  EXPECT_EQ(SynchronizeBatchNorms(root,
                                  [&](const torch::Tensor& t) {
                                    ++calls;
                                    return t;
                                  }),
            1);
  const torch::Tensor x = at::randn({2, 1, 2, 2});
  const torch::Tensor a =
      root.named_children()["a"]->as<BatchNorm>()->forward(x);
  EXPECT_EQ(calls, 2);
  const torch::Tensor b =
      root.named_children()["b"]->as<BatchNorm>()->forward(x);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(a, TensorNear(b, 1e-5, 1e-5));
}

// A refused input leaves no trace.
void ExpectRefusesASingleValue(BatchNorm& norm) {
  EXPECT_THAT(
      [&] {
        norm.forward(at::zeros({1, 3, 1, 1}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("more than one value")));
  EXPECT_EQ(norm.named_buffers()["num_batches_tracked"].item<int64_t>(), 0);
  EXPECT_THAT(norm.running_mean(), TensorNear(at::zeros({3}), 0., 0.));
  EXPECT_THAT(norm.running_var(), TensorNear(at::ones({3}), 0., 0.));
}

TEST(BatchNormTest, RejectsASingleValueInTrainingAndOtherChannels) {
  BatchNorm norm(3, BatchNormKind::kLocal);
  ExpectRefusesASingleValue(norm);
  EXPECT_THAT(
      [&] {
        norm.forward(at::zeros({1, 2, 4, 4}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("[*, 3, *, *]")));
}

TEST(BatchNormTest, SynchronizedRejectsASingleValueOfAllWorkers) {
  BatchNorm norm(3, BatchNormKind::kSynchronized);
  norm.set_sum_over_workers([](const torch::Tensor& t) { return t; });
  ExpectRefusesASingleValue(norm);
  // One value each of two workers is enough.
  norm.set_sum_over_workers([](const torch::Tensor& t) { return 2 * t; });
  EXPECT_THAT(norm.forward(at::zeros({1, 3, 1, 1})),
              TensorNear(at::zeros({1, 3, 1, 1}), 0., 0.));
  EXPECT_EQ(norm.named_buffers()["num_batches_tracked"].item<int64_t>(), 1);
}

TEST(BatchNormTest, SynchronizedRefusesASecondDerivative) {
  BatchNorm norm(1, BatchNormKind::kSynchronized);
  norm.set_sum_over_workers([](const torch::Tensor& t) { return t; });
  const torch::Tensor x = at::randn({2, 1, 2, 2}).requires_grad_();
  const torch::Tensor y = norm.forward(x).square().sum();
  EXPECT_THAT(
      [&] {
        torch::autograd::grad({y}, {x}, {}, /*retain_graph=*/true,
                              /*create_graph=*/true);
      },
      ThrowsMessage<c10::Error>(HasSubstr("without create_graph")));
}

}  // namespace
}  // namespace mask2former
