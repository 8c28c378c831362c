// Multi-scale deformable attention on plain arrays: no LibTorch at all.

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

namespace {

using mask2former::ops::BestCpuVectors;
using mask2former::ops::GetMsDeformAttnCpuKernel;
using mask2former::ops::kForwardSplit;
using mask2former::ops::MsDeformAttnForwardTask;
using mask2former::ops::MsDeformAttnSizes;

// Two queries read one map of 2 x 3 pixels of one channel, 0 1 2 / 3 4 5, at
// two points each: between all of 0 1 3 4 and at the centre of 5; at the centre
// of 2 and outside.
TEST(RawDeformableAttentionTest, ReadsBetweenPixelsOnThreadsOfOnesOwn) {
  const MsDeformAttnSizes sizes = {/*batch=*/1,   /*positions=*/6,
                                   /*heads=*/1,   /*head_dim=*/1,
                                   /*queries=*/2, /*levels=*/1,
                                   /*points=*/2};
  const int64_t level_shapes[] = {2, 3};
  const std::vector<float> value = {0, 1, 2, 3, 4, 5};
  const std::vector<float> locations = {1 / 3.f,  1 / 2.f,  2.5f / 3, 1.5f / 2,
                                        2.5f / 3, 0.5f / 2, 2,        2};
  const std::vector<float> weights = {0.5f, 0.5f, 0.25f, 0.75f};
  std::vector<float> output(2);

  const auto* const kernel = GetMsDeformAttnCpuKernel<float>(BestCpuVectors());
  const MsDeformAttnForwardTask<float> task = {sizes,          level_shapes,
                                               value.data(),   locations.data(),
                                               weights.data(), output.data()};
  // Parts share no output, so that they may run anywhere at the same time.
  const int64_t parts = sizes.batch * sizes.heads * kForwardSplit;
  std::thread other([&] { kernel->forward(task, 0, parts / 2); });
  kernel->forward(task, parts / 2, parts);
  other.join();

  EXPECT_NEAR(output[0], 0.5 * 2 + 0.5 * 5, 1e-6);
  EXPECT_NEAR(output[1], 0.25 * 2, 1e-6);
}

}  // namespace
