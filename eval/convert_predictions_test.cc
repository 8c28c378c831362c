#include "mask2former/eval/convert_predictions.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

NetworkClasses Classes(int64_t num_classes) {
  return CityscapesNetworkClasses(num_classes).value();
}

// 1 x 4: road, two pixels of a car, nothing.
PanopticPrediction SomeSegments() {
  PanopticPrediction prediction;
  prediction.ids = at::tensor({1, 2, 2, 0}, at::kInt).view({1, 4});
  prediction.segments = {{1, false, 0, 0.9}, {2, true, 13, 0.95}};
  return prediction;
}

std::vector<int> Row(const cv::Mat& ids) {
  return {ids.begin<int32_t>(), ids.end<int32_t>()};
}

TEST(ToPanopticImageTest, CategoriesAreLabelIds) {
  const PanopticImage image = ToPanopticImage(SomeSegments(), Classes(19));
  EXPECT_THAT(Row(image.ids), ElementsAre(1, 2, 2, 0));
  ASSERT_THAT(image.segments, SizeIs(2));
  EXPECT_EQ(image.segments[0].category_id, 7);
  EXPECT_EQ(image.segments[1].category_id, 26);
  EXPECT_EQ(image.segments[1].id, 2);
}

TEST(ToSegmentMapTest, ThingsAloneLeaveStuffEmpty) {
  const PanopticImage image = ToPanopticImage(SomeSegments(), Classes(19));
  EXPECT_THAT(Row(ToSegmentMap(image).ids), ElementsAre(1, 2, 2, 0));
  EXPECT_THAT(ToSegmentMap(image).segments, SizeIs(2));
  const SegmentMap things = ToThingMap(image);
  EXPECT_THAT(Row(things.ids), ElementsAre(0, 2, 2, 0));
  ASSERT_THAT(things.segments, SizeIs(1));
  EXPECT_EQ(things.segments[0].label_id, 26);
  EXPECT_THAT(Row(image.ids), ElementsAre(1, 2, 2, 0)) << "not changed";
}

TEST(ToSegmentMapTest, OfOverlappingInstancesTheHigherScoreIsSeen) {
  const auto mask = [](std::vector<int> inside) {
    return std::make_shared<RunLengthMask>(
        EncodeMask(at::tensor(inside, at::kInt).view({1, 4}).to(at::kBool)));
  };
  const std::vector<InstancePrediction> instances = {
      {0.9, 2, 0, mask({1, 1, 0, 0})},
      {0.5, 0, 1, mask({0, 1, 1, 0})},
      {0.4, 0, 2, mask({0, 0, 1, 1})}};
  EXPECT_EQ(cv::countNonZero(InstanceMask(instances[1])), 2);
  const SegmentMap map =
      ToSegmentMap(instances, Classes(8), /*min_score=*/0.5, {4, 1});
  EXPECT_THAT(Row(map.ids), ElementsAre(1, 1, 2, 0));
  ASSERT_THAT(map.segments, SizeIs(2));
  EXPECT_EQ(map.segments[0].label_id, 26);
  EXPECT_EQ(map.segments[1].label_id, 24);
}

}  // namespace
}  // namespace mask2former
