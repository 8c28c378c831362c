#include "mask2former/pixel_decoder/ops/benchmark/per_channel_kernel.h"

#include <gtest/gtest.h>

#include <vector>

#include "mask2former/common/testing/device_buffer.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel_testing.h"

namespace mask2former::ops {
namespace {

// A comparison is worth something only if both sides compute the same.
TEST(PerChannelKernelTest, MatchesTheReference) {
  M2F_REQUIRES_DEVICE();
  for (const int64_t head_dim : {32, 5}) {
    const PlainArguments a =
        RandomPlain({"", 2, 30, 2, head_dim, 4, {3, 5, 6, 10}}, Rounded<float>);
    const PlainResult expected = ReferenceBackward(a);
    DeviceBuffer<int64_t> shapes(a.level_shapes);
    DeviceBuffer<float> value(a.value), locations(a.locations),
        weights(a.weights), grad_output(a.grad_output),
        output(a.grad_output.size()),
        grad_value(std::vector<float>(a.value.size())),
        grad_locations(a.locations.size()), grad_weights(a.weights.size());
    M2F_EXPECT_CUDA_SUCCESS(
        LaunchPerChannel(a.sizes, shapes.data(), value.data(), locations.data(),
                         weights.data(), output.data(), nullptr));
    M2F_EXPECT_CUDA_SUCCESS(LaunchPerChannelBackward(
        a.sizes, shapes.data(), grad_output.data(), value.data(),
        locations.data(), weights.data(), grad_value.data(),
        grad_locations.data(), grad_weights.data(), nullptr));
    ExpectNear(output.ToHost(), expected.output, 1e-5, 1e-4, "output");
    ExpectNear(grad_value.ToHost(), expected.grad_value, 2e-5, 1e-4,
               "grad_value");
    ExpectNear(grad_locations.ToHost(), expected.grad_locations, 1e-4, 1e-4,
               "grad_locations");
    ExpectNear(grad_weights.ToHost(), expected.grad_weights, 2e-5, 1e-4,
               "grad_weights");
  }
}

TEST(PerChannelKernelTest, ItsSequenceMatchesTheFusedReference) {
  M2F_REQUIRES_DEVICE();
  const FusedArguments a = RandomFused({"", 2, 9, 2, 8, 4, {3, 5, 6, 10}},
                                       Rounded<float>, Rounded<float>);
  ASSERT_EQ(a.reference_batch, 2);
  DeviceBuffer<int64_t> shapes(a.level_shapes);
  DeviceBuffer<float> value(a.value), points(a.reference_points),
      offsets(a.offsets), logits(a.logits), locations(a.offsets.size()),
      weights(a.logits.size()), output(a.grad_output.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchLocations(a.sizes, shapes.data(), points.data(),
                                          offsets.data(), locations.data(),
                                          nullptr));
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchSoftmax(a.sizes, logits.data(), weights.data(), nullptr));
  M2F_EXPECT_CUDA_SUCCESS(LaunchPerChannel(a.sizes, shapes.data(), value.data(),
                                           locations.data(), weights.data(),
                                           output.data(), nullptr));
  ExpectNear(output.ToHost(), FusedReference(a).output, 2e-5, 1e-4, "output");
}

}  // namespace
}  // namespace mask2former::ops
