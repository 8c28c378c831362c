#include "mask2former/train/logging/memory_usage.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/requires_cuda.h"

namespace mask2former {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

TEST(PeakMemoryTest, GrowsWithATensorOnTheCpu) {
  const int64_t before = PeakMemory(at::kCPU);
  EXPECT_GT(before, kMebibyte);
  const at::Tensor tensor = at::ones({256 * kMebibyte}, at::kByte);
  EXPECT_GE(PeakMemory(at::kCPU), before + 200 * kMebibyte);
}

TEST(PeakMemoryTest, IsThePeakOfTensorsOnAGpu) {
  M2F_REQUIRES_CUDA();
  { const at::Tensor tensor = at::ones({64 * kMebibyte}, at::kCUDA); }
  EXPECT_GE(PeakMemory(at::kCUDA), 256 * kMebibyte);
  EXPECT_LT(PeakMemory(at::kCUDA), 300 * kMebibyte);
}

}  // namespace
}  // namespace mask2former
