#include "mask2former/tools/describe/describe_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Experiment Tiny() {
  return ParseTextProtoOrDie<Experiment>(R"pb(
    model {
      backbone { resnet { depth: 18 width: 8 norm: BN } }
      pixel_decoder {
        ms_deform_attn {
          channels: 32
          mask_channels: 32
          num_layers: 1
          num_heads: 4
          feedforward_channels: 32
        }
      }
      transformer_decoder {
        masked_attention {
          num_queries: 6
          channels: 32
          num_heads: 4
          feedforward_channels: 32
          num_layers: 1
        }
      }
      num_classes: 5
    }
    matcher { hungarian { num_points: 64 } }
    criterion { num_points: 64 }
  )pb");
}

DescribeOptions Small() {
  DescribeOptions options;
  options.inference_size = {64, 96};
  options.training_size = {64, 64};
  options.num_targets = 3;
  return options;
}

TEST(DescribeModelTest, CountsEveryPieceAndTheirSum) {
  const auto description = DescribeModel(Tiny(), Small());
  ASSERT_THAT(description, IsOk());
  ASSERT_EQ(description->pieces.size(), 4u);
  PieceDescription sum;
  for (const PieceDescription& piece : description->pieces) {
    EXPECT_GT(piece.macs, 0) << piece.name;
    EXPECT_GT(piece.activations, 0) << piece.name;
    EXPECT_GT(piece.inference_bytes, 0) << piece.name;
    sum.parameters += piece.parameters;
    sum.macs += piece.macs;
    sum.kept_bytes += piece.kept_bytes;
  }
  EXPECT_EQ(description->total.parameters, sum.parameters);
  EXPECT_EQ(description->total.macs, sum.macs);
  EXPECT_EQ(description->total.kept_bytes, sum.kept_bytes);
  EXPECT_EQ(description->pieces[3].parameters, 0);
  // Six masks for each of 5 classes at every pixel.
  EXPECT_EQ(description->pieces[3].macs, 64 * 96 * 6 * 5);
  // The samples: 84 + 24 + 6 pixels of the three levels, 3 levels of 4 points,
  // 4 corners of 32 channels.
  EXPECT_EQ(description->total.sampling_macs,
            (8 * 12 + 4 * 6 + 2 * 3) * 3 * 4 * 4 * 32);
}

// A convolution that can be counted by hand: the stem and no more.
TEST(DescribeModelTest, CountsTheMacsOfTheBackbone) {
  const auto description = DescribeModel(Tiny(), Small());
  ASSERT_THAT(description, IsOk());
  // Stem 7x7 to 32 x 48, then per stage 2 blocks of two 3x3, the first of
  // stages 1 to 3 with half the input channels and a 1x1 shortcut.
  int64_t macs = 32 * 48 * 8 * 3 * 49;
  int64_t pixels = 16 * 24, channels = 8;
  macs += pixels * channels * channels * 9 * 4;
  for (int stage = 1; stage < 4; ++stage) {
    pixels /= 4;
    channels *= 2;
    macs += pixels * channels * channels * 9 * 3;
    macs += pixels * channels * (channels / 2) * (9 + 1);
  }
  EXPECT_EQ(description->pieces[0].macs, macs);
}

TEST(DescribeModelTest, MemoryGrowsWithTheSizeAndTheBatch) {
  DescribeOptions options = Small();
  const auto one = DescribeModel(Tiny(), options);
  options.batch = 2;
  const auto two = DescribeModel(Tiny(), options);
  ASSERT_THAT(one, IsOk());
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(two->total.macs, 2 * one->total.macs);
  EXPECT_EQ(two->weight_bytes, one->weight_bytes);
  // What is folded into convolutions.
  EXPECT_GT(one->prepared_bytes, one->weight_bytes / 4);
  EXPECT_LT(one->prepared_bytes, one->weight_bytes);
  // The four maps of two images. Not simply twice as much as for one:
  // convolutions take other ways for one image than for two.
  EXPECT_GE(two->pieces[0].inference_bytes,
            2 * 4 * (8 * 16 * 24 + 16 * 8 * 12 + 32 * 4 * 6 + 64 * 2 * 3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_GT(two->pieces[i].kept_bytes, one->pieces[i].kept_bytes * 3 / 2);
  }
  // Two moments of every gradient, besides what is kept.
  EXPECT_GT(one->training_bytes,
            8 * one->total.parameters + one->total.kept_bytes);
}

TEST(DescribeModelTest, LeavesTrainingOutIfAsked) {
  DescribeOptions options = Small();
  options.training = false;
  const auto description = DescribeModel(Tiny(), options);
  ASSERT_THAT(description, IsOk());
  EXPECT_EQ(description->training_bytes, 0);
  EXPECT_EQ(description->total.kept_bytes, 0);
  const std::string text = TextReport(*description, options);
  EXPECT_THAT(text, HasSubstr("1 x 64 x 96"));
  EXPECT_THAT(text, Not(HasSubstr("Training")));
}

TEST(DescribeModelTest, ResultsAreThoseOfTheTask) {
  DescribeOptions options = Small();
  options.training = false;
  Experiment experiment = Tiny();
  auto& inference = *experiment.mutable_model()->mutable_inference();
  const auto results = [&] {
    const auto description = DescribeModel(experiment, options);
    EXPECT_THAT(description, IsOk());
    std::vector<std::string> names;
    for (size_t i = 3; i < description->pieces.size(); ++i) {
      names.push_back(description->pieces[i].name);
      EXPECT_GT(description->pieces[i].inference_bytes, 64 * 96)
          << names.back();
    }
    return names;
  };
  EXPECT_THAT(results(), ElementsAre("labels"));
  inference.set_semantic_on(false);
  inference.set_instance_on(true);
  EXPECT_THAT(results(), ElementsAre("instances"));
  inference.set_semantic_on(true);
  inference.set_panoptic_on(true);
  EXPECT_THAT(results(),
              ElementsAre("labels", "panoptic segments", "instances"));
}

TEST(DescribeModelTest, RejectsSizesThatAreNotPositive) {
  DescribeOptions options = Small();
  options.batch = 0;
  EXPECT_THAT(DescribeModel(Tiny(), options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must be positive")));
}

TEST(TextReportTest, PrintsNumbersAsPeopleReadThem) {
  ModelDescription description;
  description.pieces.resize(1);
  description.pieces[0].name = "backbone";
  description.total.name = "total";
  description.total.parameters = 44007700;
  description.total.macs = 523570000000;
  description.total.sampling_macs = 3170000000;
  description.total.activations = 1500000;
  description.weight_bytes = int64_t{168} << 20;
  description.prepared_bytes = int64_t{9} << 20;
  const std::string text = TextReport(description, {});
  EXPECT_THAT(text, HasSubstr("44,007,700     523.57            1.5"));
  EXPECT_THAT(text, HasSubstr("3.17 G more"));
  EXPECT_THAT(text, HasSubstr("168.0 MiB of weights and 9.0 MiB made of them"));
  EXPECT_THAT(text, HasSubstr("1 x 512 x 1024 with 10 targets"));
}

}  // namespace
}  // namespace mask2former
