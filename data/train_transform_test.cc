#include "mask2former/data/train_transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TrainTransform Transform(const std::string& text) {
  return TrainTransform::Create(ParseTextProtoOrDie<InputConfig>(text)).value();
}

TransformedImage Applied(const TrainTransform& transform, int64_t index = 0) {
  SampleRandom random(42, index);
  return transform.Apply(NoisePattern(32, 64, 3), "a.png", random).value();
}

// A view of a 32 x 64 picture at twice its size: 16 x 20 pixels at (24, 8).
TrainView View(bool flipped) {
  TrainView view;
  view.original = {32, 64};
  view.resized = {64, 128};
  view.crop = cv::Rect(24, 8, 20, 16);
  view.flipped = flipped;
  view.padded = {16, 20};
  return view;
}

TEST(TrainViewTest, MapsPolygonsLikeTheMap) {
  // Pixels (14..17, 6..8) of the picture.
  cv::Mat map = cv::Mat::zeros(32, 64, CV_16UC1);
  map(cv::Rect(14, 6, 4, 3)).setTo(5);
  const Polygon polygon = {{14, 6}, {18, 6}, {18, 9}, {14, 9}};
  for (const bool flipped : {false, true}) {
    const TrainView view = View(flipped);
    const cv::Mat mapped = view.MapSegments(map);
    ASSERT_EQ(mapped.size(), cv::Size(20, 16));
    const cv::Rect wanted =
        flipped ? cv::Rect(8, 4, 8, 6) : cv::Rect(4, 4, 8, 6);
    EXPECT_EQ(cv::countNonZero(mapped), wanted.area());
    EXPECT_EQ(cv::countNonZero(mapped(wanted)), wanted.area());
    const auto parts = view.MapPolygon(polygon);
    ASSERT_THAT(parts, IsOk());
    ASSERT_THAT(*parts, SizeIs(1));
    double left = 99, right = -1, top = 99, bottom = -1;
    for (const cv::Point2d& p : (*parts)[0]) {
      left = std::min(left, p.x);
      right = std::max(right, p.x);
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
    EXPECT_EQ(left, wanted.x);
    EXPECT_EQ(right, wanted.br().x);
    EXPECT_EQ(top, wanted.y);
    EXPECT_EQ(bottom, wanted.br().y);
  }
}

TEST(TrainViewTest, APolygonOutsideHasNoParts) {
  const TrainView view = View(false);
  EXPECT_THAT(view.MapPolygon({{0, 0}, {5, 0}, {5, 5}}).value(), IsEmpty());
  // Touches the crop's left edge.
  EXPECT_THAT(view.MapPolygon({{0, 0}, {12, 0}, {12, 30}}).value(), IsEmpty());
  // Around the crop's corner, without a common point, boxes overlapping.
  EXPECT_THAT(view.MapPolygon({{4, 3}, {13, 3}, {4, 12}}).value(), IsEmpty());
}

TEST(TrainViewTest, PadsLabelsAsAskedAndSegmentsWithNone) {
  TrainView view = View(false);
  view.padded = {30, 40};
  const cv::Mat label =
      view.MapLabel(cv::Mat(32, 64, CV_8UC1, cv::Scalar(3)), 255);
  ASSERT_EQ(label.size(), cv::Size(40, 30));
  EXPECT_EQ(label.at<uint8_t>(15, 19), 3);
  EXPECT_EQ(label.at<uint8_t>(16, 0), 255);
  const cv::Mat map =
      view.MapSegments(cv::Mat(32, 64, CV_16UC1, cv::Scalar(700)));
  EXPECT_EQ(map.at<uint16_t>(15, 19), 700);
  EXPECT_EQ(map.at<uint16_t>(0, 20), 0);
}

TEST(TrainTransformTest, TheViewTellsWhatWasDone) {
  const TrainTransform transform = Transform(
      "min_size_train: [16, 48] crop_height: 12 crop_width: 20 "
      "color_augmentation: NO_COLOR_AUGMENTATION");
  int flipped = 0;
  int small = 0;
  for (int i = 0; i < 30; ++i) {
    const TransformedImage result = Applied(transform, i);
    const TrainView& view = result.view;
    EXPECT_EQ(result.image.size(), cv::Size(20, 12));
    EXPECT_EQ(view.crop.size(), cv::Size(20, 12));
    EXPECT_EQ(view.resized.width, 2 * view.resized.height);
    EXPECT_EQ(view.original, (ImageSize{32, 64}));
    flipped += view.flipped;
    small += view.resized.height == 16;
  }
  EXPECT_GT(flipped, 5);
  EXPECT_LT(flipped, 25);
  EXPECT_GT(small, 5);
  EXPECT_LT(small, 25);
}

TEST(TrainTransformTest, AsksForLabelsOnlyWhereCropsMustBeVaried) {
  int asked = 0;
  const auto labels = [&asked] {
    ++asked;
    return LabelPattern(32, 64);
  };
  SampleRandom random(1, 1);
  const std::string small = "min_size_train: 32 crop_height: 8 crop_width: 8 ";
  EXPECT_THAT(
      Transform(small).Apply(NoisePattern(32, 64, 3), "a.png", random, labels),
      IsOk());
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(Transform(small + "single_category_max_area: 0.75")
                  .Apply(NoisePattern(32, 64, 3), "a.png", random, labels),
              IsOk());
  EXPECT_EQ(asked, 1);
}

TEST(TrainTransformTest, NamesTheFieldThatIsOutOfRange) {
  for (const auto& [text, field] :
       {std::pair{"min_size_train: 0", "data.input.min_size_train"},
        std::pair{"max_size_train: 0", "data.input.max_size_train"},
        std::pair{"crop_width: 100000", "data.input.crop_width"},
        std::pair{"flip_probability: 1.5", "data.input.flip_probability"},
        std::pair{"single_category_max_area: 0",
                  "data.input.single_category_max_area"},
        std::pair{"size_divisibility: 0", "data.input.size_divisibility"}}) {
    EXPECT_THAT(TrainTransform::Create(ParseTextProtoOrDie<InputConfig>(text)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  }
}

}  // namespace
}  // namespace mask2former
