#include "mask2former/data/segment_mapper.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_polygons.h"
#include "mask2former/data/instance_ids.h"
#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Crops = SegmentMapper::Crops;

constexpr char kGoldenInput[] =
    "min_size_train: [128, 153, 179, 204, 230, 256, 281, 307, 332, 358, 384, "
    "409, 435, 460, 486, 512] crop_height: 128 crop_width: 256";

// Nothing random but what a test switches on.
constexpr char kPlain[] =
    "min_size_train: 32 crop_height: 32 crop_width: 64 "
    "color_augmentation: NO_COLOR_AUGMENTATION flip_probability: 0 ";
constexpr char kFlipped[] =
    "min_size_train: 32 crop_height: 32 crop_width: 64 "
    "color_augmentation: NO_COLOR_AUGMENTATION flip_probability: 1 ";

std::unique_ptr<SegmentMapper> Mapper(const std::string& text,
                                      Crops crops = Crops::kAny,
                                      int64_t num_classes = 19) {
  return SegmentMapper::Create(ParseTextProtoOrDie<InputConfig>(text), crops,
                               num_classes)
      .value();
}

Sample Picture(int height, int width) {
  Sample sample;
  sample.image = NoisePattern(height, width, 3);
  sample.name = "pattern";
  sample.image_path = "pattern_leftImg8bit.png";
  sample.label_path = "pattern_label";
  return sample;
}

// A car in the left upper corner, and a person.
Sample TwoThings() {
  Sample sample = Picture(32, 64);
  sample.segments.resize(2);
  sample.segments[0].class_id = 2;
  sample.segments[0].polygons = {{{0, 0}, {8, 0}, {8, 4}, {0, 4}}};
  sample.segments[1].class_id = 0;
  sample.segments[1].polygons = {{{40, 10}, {50, 10}, {50, 32}, {40, 32}}};
  return sample;
}

// The same as a map.
Sample TwoThingsAsMap() {
  Sample sample = TwoThings();
  sample.segment_map = cv::Mat::zeros(32, 64, CV_16UC1);
  sample.segment_map(cv::Rect(0, 0, 8, 4)).setTo(1);
  sample.segment_map(cv::Rect(40, 10, 10, 22)).setTo(2);
  for (Segment& segment : sample.segments) segment.polygons.clear();
  return sample;
}

TrainingExample Mapped(const SegmentMapper& mapper, Sample sample,
                       int64_t index = 0) {
  SampleRandom random(42, index);
  return mapper.Map(std::move(sample), random).value();
}

void ExpectGolden(const TrainingExample& example, const std::string& name) {
  ASSERT_THAT(example.image.sizes(), ElementsAre(3, 128, 256));
  EXPECT_EQ(
      Checksum(example.image.const_data_ptr<uint8_t>(), example.image.numel()),
      GoldenChecksum(name + " image"));
  EXPECT_EQ(Checksum(example.target.labels.const_data_ptr<int64_t>(),
                     example.target.labels.numel()),
            GoldenChecksum(name + " labels"));
  EXPECT_EQ(Checksum(example.target.masks.const_data_ptr<bool>(),
                     example.target.masks.numel()),
            GoldenChecksum(name + " masks"))
      << name;
  const at::Tensor is_empty =
      example.target.masks.flatten(1).any(1).logical_not();
  EXPECT_EQ(is_empty.sum().item<int64_t>(), GoldenChecksum(name + " empty"));
}

TEST(SegmentMapperTest, PolygonsEqualTheReferenceLibraries) {
  const auto mapper = Mapper(kGoldenInput, Crops::kAny, 8);
  for (int i = 0; i < 12; ++i) {
    const std::string path =
        absl::StrCat("data/testdata/polygons_", i % 6, ".json");
    Sample sample = Picture(256, 512);
    sample.segments =
        ThingsFromPolygons(
            ParseCityscapesPolygons(ReadFile(path).value(), path).value(), path)
            .value();
    ExpectGolden(Mapped(*mapper, std::move(sample), i),
                 absl::StrCat("polygons mapper ", i));
  }
}

TEST(SegmentMapperTest, InstanceIdsEqualTheReferenceLibraries) {
  const auto mapper = Mapper(kGoldenInput, Crops::kAny, 8);
  for (int i = 0; i < 12; ++i) {
    Sample sample = Picture(256, 512);
    SegmentedPicture picture =
        ThingSegments(InstanceIdPattern(256, 512), "pattern").value();
    sample.segment_map = picture.map;
    sample.segments = picture.segments;
    ExpectGolden(Mapped(*mapper, std::move(sample), i),
                 absl::StrCat("things mapper ", i));
  }
}

TEST(SegmentMapperTest, PanopticSegmentsEqualTheReferenceLibraries) {
  const auto mapper = Mapper(kGoldenInput, Crops::kVaried);
  for (int i = 0; i < 12; ++i) {
    Sample sample = Picture(256, 512);
    SegmentedPicture picture =
        PanopticSegments(InstanceIdPattern(256, 512), "pattern").value();
    sample.segment_map = picture.map;
    sample.segments = picture.segments;
    ExpectGolden(Mapped(*mapper, std::move(sample), i),
                 absl::StrCat("panoptic mapper ", i));
  }
}

TEST(SegmentMapperTest, MapAndPolygonsAgreeOnWholePixels) {
  const auto mapper = Mapper(kPlain);
  const TrainingExample polygons = Mapped(*mapper, TwoThings());
  const TrainingExample map = Mapped(*mapper, TwoThingsAsMap());
  EXPECT_TRUE(at::equal(polygons.target.masks, map.target.masks));
  EXPECT_TRUE(at::equal(polygons.target.labels, map.target.labels));
  EXPECT_EQ(map.target.masks[0].sum().item<int>(), 32);
  EXPECT_EQ(map.target.masks[1].sum().item<int>(), 220);
}

TEST(SegmentMapperTest, FlipsPictureAndMasksTogether) {
  for (const Sample& sample : {TwoThings(), TwoThingsAsMap()}) {
    const TrainingExample plain = Mapped(*Mapper(kPlain), sample);
    const TrainingExample flipped = Mapped(*Mapper(kFlipped), sample);
    EXPECT_TRUE(at::equal(flipped.image, plain.image.flip(2)));
    EXPECT_TRUE(at::equal(flipped.target.masks, plain.target.masks.flip(2)));
  }
}

TEST(SegmentMapperTest, KeepsTargetsThatTheCropDoesNotTouch) {
  const auto mapper =
      Mapper("min_size_train: 320 crop_height: 16 crop_width: 16");
  int empty = 0;
  for (int i = 0; i < 20; ++i) {
    for (const Sample& sample : {TwoThings(), TwoThingsAsMap()}) {
      const TrainingExample example = Mapped(*mapper, sample, i);
      ASSERT_THAT(example.target.labels.sizes(), ElementsAre(2));
      EXPECT_EQ(example.target.labels[0].item<int>(), 2);
      empty += !example.target.masks[0].any().item<bool>();
    }
  }
  EXPECT_GT(empty, 20);
}

TEST(SegmentMapperTest, CrowdsAreNoTargets) {
  for (Sample sample : {TwoThings(), TwoThingsAsMap()}) {
    sample.segments[0].is_crowd = true;
    const TrainingExample example = Mapped(*Mapper(kPlain), sample);
    ASSERT_THAT(example.target.labels.sizes(), ElementsAre(1));
    EXPECT_EQ(example.target.labels[0].item<int>(), 0);
    EXPECT_EQ(example.target.masks[0].sum().item<int>(), 220);
  }
}

TEST(SegmentMapperTest, APictureWithoutSegments) {
  Sample sample = Picture(32, 64);
  TrainingExample example = Mapped(*Mapper(kPlain), sample);
  EXPECT_THAT(example.target.labels.sizes(), ElementsAre(0));
  EXPECT_THAT(example.target.masks.sizes(), ElementsAre(0, 32, 64));
  sample.segment_map = cv::Mat::zeros(32, 64, CV_16UC1);
  example = Mapped(*Mapper(kPlain, Crops::kVaried), sample);
  EXPECT_THAT(example.target.masks.sizes(), ElementsAre(0, 32, 64));
}

TEST(SegmentMapperTest, PaddingBelongsToNoTarget) {
  for (const Sample& sample : {TwoThings(), TwoThingsAsMap()}) {
    const TrainingExample example = Mapped(
        *Mapper(std::string(kFlipped) + "size_divisibility: 70"), sample);
    ASSERT_THAT(example.image.sizes(), ElementsAre(3, 70, 70));
    ASSERT_THAT(example.target.masks.sizes(), ElementsAre(2, 70, 70));
    EXPECT_EQ(example.target.masks.sum().item<int>(), 32 + 220);
    EXPECT_FALSE(example.target.masks.slice(1, 32).any().item<bool>());
    EXPECT_FALSE(example.target.masks.slice(2, 64).any().item<bool>());
  }
}

TEST(SegmentMapperTest, OnlyThePanopticTaskDrawsVariedCrops) {
  // Half of the picture is one class: crops of 8 x 8 hold two on its edge only.
  Sample sample = Picture(32, 64);
  sample.segments.resize(2);
  sample.segments[0].class_id = 4;
  sample.segments[1].class_id = 9;
  sample.segment_map = cv::Mat(32, 64, CV_16UC1, cv::Scalar(1));
  sample.segment_map.colRange(28, 36).setTo(2);
  const auto count_varied = [&](Crops crops) {
    const auto mapper = Mapper(
        "min_size_train: 32 crop_height: 8 crop_width: 8 "
        "single_category_max_area: 0.9",
        crops);
    int varied = 0;
    for (int i = 0; i < 60; ++i) {
      const TrainingExample example = Mapped(*mapper, sample, i);
      varied += example.target.masks.flatten(1).any(1).all().item<bool>();
    }
    return varied;
  };
  EXPECT_GT(count_varied(Crops::kVaried), count_varied(Crops::kAny) + 20);
}

TEST(SegmentMapperTest, RefusesAClassOutside) {
  SampleRandom random(1, 1);
  EXPECT_THAT(
      Mapper(kPlain, Crops::kAny, 2)->Map(TwoThings(), random),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("pattern_leftImg8bit.png: segment 0 is of class 2, "
                         "but classes are 0..1")));
}

TEST(SegmentMapperTest, NamesAPolygonThatIsNone) {
  Sample sample = TwoThings();
  sample.segments[1].id = 17;
  sample.segments[1].polygons = {{{3, 3}, {9, 9}}};
  SampleRandom random(1, 1);
  EXPECT_THAT(Mapper(kPlain)->Map(sample, random),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("pattern_label, segment 17"),
                             HasSubstr("2 vertices"))));
}

}  // namespace
}  // namespace mask2former
