#include "mask2former/data/semantic_mapper.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core/mat.hpp>
#include <string>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kClasses = 19;

std::unique_ptr<SemanticMapper> Mapper(const std::string& text) {
  return SemanticMapper::Create(ParseTextProtoOrDie<InputConfig>(text),
                                kClasses)
      .value();
}

Sample Pattern(int height, int width) {
  Sample sample;
  sample.image = NoisePattern(height, width, 3);
  sample.label = LabelPattern(height, width);
  sample.name = "pattern";
  sample.image_path = "pattern_leftImg8bit.png";
  return sample;
}

TrainingExample Mapped(const SemanticMapper& mapper, Sample sample,
                       int64_t index = 0) {
  SampleRandom random(42, index);
  return mapper.Map(std::move(sample), random).value();
}

// Nothing random but what a test switches on.
constexpr char kPlain[] =
    "min_size_train: 32 crop_height: 32 crop_width: 64 "
    "color_augmentation: NO_COLOR_AUGMENTATION flip_probability: 0 ";

TEST(SemanticMapperTest, EqualsTheReferenceLibraries) {
  const auto mapper = Mapper(
      "min_size_train: [128, 153, 179, 204, 230, 256, 281, 307, 332, 358, 384, "
      "409, 435, 460, 486, 512] crop_height: 128 crop_width: 256");
  for (int i = 0; i < 12; ++i) {
    const TrainingExample example = Mapped(*mapper, Pattern(256, 512), i);
    const std::string name = std::to_string(i);
    ASSERT_THAT(example.image.sizes(), ElementsAre(3, 128, 256));
    EXPECT_EQ(Checksum(example.image.const_data_ptr<uint8_t>(),
                       example.image.numel()),
              GoldenChecksum("mapper image " + name));
    EXPECT_EQ(Checksum(example.target.labels.const_data_ptr<int64_t>(),
                       example.target.labels.numel()),
              GoldenChecksum("mapper labels " + name));
    EXPECT_EQ(Checksum(example.target.masks.const_data_ptr<bool>(),
                       example.target.masks.numel()),
              GoldenChecksum("mapper masks " + name));
  }
}

TEST(SemanticMapperTest, EmptyListMeansTheOfficialSizes) {
  EXPECT_THAT(Mapper("")->sizes(),
              ElementsAre(512, 614, 716, 819, 921, 1024, 1126, 1228, 1331, 1433,
                          1536, 1638, 1740, 1843, 1945, 2048));
  EXPECT_THAT(Mapper("min_size_train: 7")->sizes(), ElementsAre(7));
}

TEST(SemanticMapperTest, ACropOfIgnoredPixelsHasNoTargets) {
  Sample sample = Pattern(32, 64);
  sample.label.setTo(255);
  const TrainingExample example = Mapped(*Mapper(kPlain), std::move(sample));
  EXPECT_THAT(example.image.sizes(), ElementsAre(3, 32, 64));
  EXPECT_THAT(example.target.labels.sizes(), ElementsAre(0));
  EXPECT_THAT(example.target.masks.sizes(), ElementsAre(0, 32, 64));
}

TEST(SemanticMapperTest, ASmallPictureIsTakenWhole) {
  const TrainingExample example = Mapped(
      *Mapper("min_size_train: 16 flip_probability: 0"), Pattern(32, 64));
  EXPECT_THAT(example.image.sizes(), ElementsAre(3, 16, 32));
  EXPECT_THAT(example.target.masks.sizes(),
              ElementsAre(example.target.labels.size(0), 16, 32));
}

TEST(SemanticMapperTest, FlipsPictureAndMasksTogether) {
  const auto plain = Mapper(kPlain);
  std::string text = kPlain;
  text.replace(text.find("flip_probability: 0"), 19, "flip_probability: 1");
  const auto flipping = Mapper(text);
  const TrainingExample example = Mapped(*plain, Pattern(32, 64));
  const TrainingExample flipped = Mapped(*flipping, Pattern(32, 64));
  EXPECT_TRUE(at::equal(flipped.image, example.image.flip(2)));
  EXPECT_TRUE(at::equal(flipped.target.masks, example.target.masks.flip(2)));
}

TEST(SemanticMapperTest, WithoutRandomStepsThePictureStays) {
  const Sample sample = Pattern(32, 64);
  const TrainingExample example = Mapped(*Mapper(kPlain), Pattern(32, 64));
  EXPECT_EQ(example.image[0][5][9].item<int>(),
            sample.image.at<cv::Vec3b>(5, 9)[0]);
  EXPECT_EQ(example.image[2][31][63].item<int>(),
            sample.image.at<cv::Vec3b>(31, 63)[2]);
}

TEST(SemanticMapperTest, PadsToASquare) {
  const auto mapper = Mapper(std::string(kPlain) + "size_divisibility: 70");
  const TrainingExample example = Mapped(*mapper, Pattern(32, 64));
  ASSERT_THAT(example.image.sizes(), ElementsAre(3, 70, 70));
  EXPECT_EQ(example.image[1][32][0].item<int>(), 128);
  EXPECT_EQ(example.image[1][0][64].item<int>(), 128);
  // Padding belongs to no mask.
  const at::Tensor covered = example.target.masks.any(0);
  EXPECT_FALSE(covered.slice(0, 32).any().item<bool>());
  EXPECT_FALSE(covered.slice(1, 64).any().item<bool>());
  EXPECT_TRUE(covered.any().item<bool>());
}

TEST(SemanticMapperTest, RefusesToCutWhenPadding) {
  const auto mapper = Mapper(std::string(kPlain) + "size_divisibility: 63");
  SampleRandom random(1, 1);
  EXPECT_THAT(mapper->Map(Pattern(32, 64), random),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("pattern_leftImg8bit.png: its crop of 32 x 64 "
                                 "is larger than")));
}

TEST(SemanticMapperTest, DrawsCropsOfOneClassAgain) {
  // One column of blocks differs: most crops of 8 x 8 hold a single class.
  Sample sample;
  sample.image = NoisePattern(32, 64, 3);
  sample.label = cv::Mat(32, 64, CV_8UC1, cv::Scalar(0));
  sample.label.colRange(28, 36).setTo(cv::Scalar(1));
  const auto count_varied = [&](const std::string& share) {
    const auto mapper = Mapper(
        "min_size_train: 32 crop_height: 8 crop_width: 8 "
        "single_category_max_area: " +
        share);
    int varied = 0;
    for (int i = 0; i < 200; ++i) {
      Sample copy = sample;
      copy.image = sample.image.clone();
      varied += Mapped(*mapper, copy, i).target.labels.size(0) == 2;
    }
    return varied;
  };
  // 14 of 57 places hold both classes, 12 of them with 7/8 at most; of ten
  // tries, 1 - (45 / 57)^10 = 0.906 find one.
  EXPECT_NEAR(count_varied("1"), 200 * 14 / 57, 30);
  EXPECT_NEAR(count_varied("0.9"), 183, 20);
}

TEST(SemanticMapperTest, NamesTheFieldThatIsOutOfRange) {
  for (const auto& [text, message] :
       {std::pair{"min_size_train: [512, 0]", "min_size_train must be 1 .."},
        std::pair{"max_size_train: 0", "max_size_train must be 1 .."},
        std::pair{"crop_height: 0", "crop_height must be 1 .."},
        std::pair{"crop_width: -4", "crop_width must be 1 .."},
        std::pair{"crop_width: 99999", "crop_width must be 1 .. 65536"},
        std::pair{"single_category_max_area: 0", "must be in (0, 1], got 0"},
        std::pair{"single_category_max_area: nan", "must be in (0, 1]"},
        std::pair{"flip_probability: 1.5", "must be in [0, 1], got 1.5"},
        std::pair{"size_divisibility: 0", "size_divisibility (or -1, none)"}}) {
    EXPECT_THAT(
        SemanticMapper::Create(ParseTextProtoOrDie<InputConfig>(text),
                               kClasses),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  }
}

}  // namespace
}  // namespace mask2former
