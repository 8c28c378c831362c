#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/tools/describe/describe_model.h"

namespace mask2former {
namespace {

// The official R50 on a Cityscapes frame against the counts of the official
// code, which were made by running it: in 10^9, to two decimals.
TEST(DescribeOfficialTest, R50OnAFrame) {
  const auto experiment = ReadExperiment(
      "configs/cityscapes/semantic-segmentation/"
      "maskformer2_R50_bs16_90k.textproto",
      {});
  ASSERT_THAT(experiment, IsOk());
  DescribeOptions options;
  options.training = false;
  const auto description = DescribeModel(*experiment, options);
  ASSERT_THAT(description, IsOk());
  ASSERT_EQ(description->pieces.size(), 4u);
  const double macs[] = {170.83, 290.15, 58.62, 3.98};
  const int64_t parameters[] = {23508032, 6035904, 14463764, 0};
  for (int i = 0; i < 4; ++i) {
    const PieceDescription& piece = description->pieces[i];
    EXPECT_NEAR(static_cast<double>(piece.macs) * 1e-9, macs[i], 0.006)
        << piece.name;
    EXPECT_EQ(piece.parameters, parameters[i]) << piece.name;
  }
  EXPECT_EQ(description->total.parameters, 44007700);
  EXPECT_NEAR(static_cast<double>(description->total.macs) * 1e-9, 523.57,
              0.006);
  EXPECT_NEAR(
      static_cast<double>(description->total.sampling_macs) * 1e-9 * 5 / 4,
      3.96, 0.006);
}

}  // namespace
}  // namespace mask2former
