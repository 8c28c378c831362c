#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/tools/describe/describe_model.h"

namespace mask2former {
namespace {

ModelDescription DescribeR50(const ImageSize& size) {
  const auto experiment = ReadExperiment(
      "configs/cityscapes/semantic-segmentation/"
      "maskformer2_R50_bs16_90k.textproto",
      {});
  EXPECT_THAT(experiment, IsOk());
  DescribeOptions options;
  options.training = false;
  options.inference_size = size;
  const auto description = DescribeModel(*experiment, options);
  EXPECT_THAT(description, IsOk());
  return *description;
}

// The official R50 on a Cityscapes frame against the counts of the official
// code, which were made by running it: in 10^9, to two decimals. All work has a
// fixed part and one for each pixel, so that two smaller pictures tell that of
// 1024 x 2048.
TEST(DescribeOfficialTest, R50OnAFrame) {
  const ModelDescription small = DescribeR50({128, 256});
  const ModelDescription large = DescribeR50({256, 512});
  const auto on_a_frame = [](int64_t at_small, int64_t at_large) {
    constexpr int64_t kSteps =
        (1024 * 2048 - 128 * 256) / (256 * 512 - 128 * 256);
    static_assert(128 * 256 + kSteps * (256 * 512 - 128 * 256) == 1024 * 2048);
    return 1e-9 *
           static_cast<double>(at_small + kSteps * (at_large - at_small));
  };
  ASSERT_EQ(small.pieces.size(), 4u);
  ASSERT_EQ(large.pieces.size(), 4u);
  const double macs[] = {170.83, 290.15, 58.62, 3.98};
  const int64_t parameters[] = {23508032, 6035904, 14463764, 0};
  for (int i = 0; i < 4; ++i) {
    const PieceDescription& piece = large.pieces[i];
    EXPECT_NEAR(on_a_frame(small.pieces[i].macs, piece.macs), macs[i], 0.006)
        << piece.name;
    EXPECT_EQ(piece.parameters, parameters[i]) << piece.name;
  }
  EXPECT_EQ(large.total.parameters, 44007700);
  EXPECT_NEAR(on_a_frame(small.total.macs, large.total.macs), 523.57, 0.006);
  EXPECT_NEAR(
      on_a_frame(small.total.sampling_macs, large.total.sampling_macs) * 5 / 4,
      3.96, 0.006);
}

}  // namespace
}  // namespace mask2former
