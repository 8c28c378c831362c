#include "mask2former/tools/counters/memory_counter.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

constexpr int64_t kMiB = 1 << 20;

at::Tensor Bytes(int64_t count) { return at::empty({count}, at::kByte); }

TEST(MemoryCounterTest, FollowsWhatIsInUse) {
  const MemoryCounter counter;
  EXPECT_EQ(counter.current(), 0);
  at::Tensor a = Bytes(3 * kMiB);
  EXPECT_EQ(counter.current(), 3 * kMiB);
  { const at::Tensor b = Bytes(2 * kMiB); }
  EXPECT_EQ(counter.current(), 3 * kMiB);
  EXPECT_EQ(counter.peak(), 5 * kMiB);
  a.reset();
  EXPECT_EQ(counter.current(), 0);
  EXPECT_EQ(counter.peak(), 5 * kMiB);
}

TEST(MemoryCounterTest, ThePeakCanStartAnew) {
  MemoryCounter counter;
  const at::Tensor a = Bytes(kMiB);
  { const at::Tensor b = Bytes(4 * kMiB); }
  counter.ResetPeak();
  EXPECT_EQ(counter.peak(), kMiB);
  { const at::Tensor b = Bytes(kMiB); }
  EXPECT_EQ(counter.peak(), 2 * kMiB);
}

TEST(MemoryCounterTest, WhatWasThereBeforeDoesNotCount) {
  at::Tensor before = Bytes(kMiB);
  const MemoryCounter counter;
  before.reset();
  EXPECT_EQ(counter.current(), 0);
  const at::Tensor a = Bytes(kMiB);
  EXPECT_EQ(counter.current(), kMiB);
}

TEST(MemoryCounterTest, FollowsBackwardPasses) {
  const at::Tensor x = at::ones({kMiB / 4}).requires_grad_();
  const MemoryCounter counter;
  const at::Tensor y = (x * x).sum();
  y.backward();
  // The gradient stays.
  EXPECT_GE(counter.current(), kMiB);
  EXPECT_LT(counter.current(), kMiB + 4096);
  EXPECT_GE(counter.peak(), 2 * kMiB);
}

TEST(MemoryCounterTest, SeesNothingOnceItIsGone) {
  { const MemoryCounter counter; }
  const at::Tensor a = Bytes(kMiB);
  const MemoryCounter counter;
  EXPECT_EQ(counter.current(), 0);
}

}  // namespace
}  // namespace mask2former
