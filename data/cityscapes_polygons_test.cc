#include "mask2former/data/cityscapes_polygons.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/polygons/coco_fill.h"
#include "mask2former/data/testing/golden_checksums.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

absl::StatusOr<CityscapesPolygons> Parse(const std::string& objects) {
  return ParseCityscapesPolygons(
      absl::StrCat(R"({"imgHeight": 20, "imgWidth": 40, "objects": [)", objects,
                   "]}"),
      "a_polygons.json");
}

std::string Box(const std::string& label, int x0, int y0, int x1, int y1,
                const std::string& more = "") {
  return absl::StrCat(R"({"label": ")", label, R"(", "polygon": [[)", x0, ",",
                      y0, "],[", x1, ",", y0, "],[", x1, ",", y1, "],[", x0,
                      ",", y1, "]]", more, "}");
}

std::vector<Segment> Things(const std::string& objects) {
  return ThingsFromPolygons(Parse(objects).value(), "a_polygons.json").value();
}

cv::Mat Mask(const Segment& segment, int height, int width) {
  cv::Mat mask = cv::Mat::zeros(height, width, CV_8UC1);
  for (const Polygon& polygon : segment.polygons) {
    FillCocoPolygon(polygon, mask);
  }
  return mask;
}

TEST(ThingsFromPolygonsTest, EqualsTheReferenceLibraries) {
  for (int i = 0; i < 6; ++i) {
    const std::string path =
        absl::StrCat("data/testdata/polygons_", i, ".json");
    const auto polygons = ParseCityscapesPolygons(ReadFile(path).value(), path);
    ASSERT_THAT(polygons, IsOk());
    const auto things = ThingsFromPolygons(*polygons, path);
    ASSERT_THAT(things, IsOk());
    ASSERT_THAT(*things, Not(IsEmpty()));
    std::vector<int64_t> classes;
    std::vector<uint8_t> crowds;
    for (size_t j = 0; j < things->size(); ++j) {
      const Segment& thing = (*things)[j];
      EXPECT_EQ(thing.id, static_cast<int64_t>(j) + 1);
      classes.push_back(thing.class_id);
      crowds.push_back(thing.is_crowd ? 1 : 0);
      EXPECT_EQ(Checksum(Mask(thing, 256, 512)),
                GoldenChecksum(absl::StrCat("things mask ", i, " ", j)))
          << path << " " << j;
    }
    EXPECT_EQ(Checksum(classes.data(), classes.size()),
              GoldenChecksum(absl::StrCat("things classes ", i)));
    EXPECT_EQ(Checksum(crowds.data(), crowds.size()),
              GoldenChecksum(absl::StrCat("things crowds ", i)));
  }
}

TEST(ThingsFromPolygonsTest, TheLastObjectIsInFront) {
  const std::vector<Segment> things =
      Things(Box("car", 2, 2, 20, 10) + "," + Box("person", 8, 0, 12, 15));
  ASSERT_THAT(things, SizeIs(2));
  EXPECT_EQ(things[0].class_id, 0);
  EXPECT_EQ(things[1].class_id, 2);
  EXPECT_THAT(things[1].polygons, SizeIs(2));  // Cut in two.
  EXPECT_EQ(cv::countNonZero(Mask(things[0], 20, 40)), 5 * 16);
  const cv::Mat both = Mask(things[0], 20, 40) & Mask(things[1], 20, 40);
  EXPECT_EQ(cv::countNonZero(both), 0);
}

TEST(ThingsFromPolygonsTest, StuffCoversToo) {
  const std::vector<Segment> things =
      Things(Box("car", 2, 2, 20, 10) + "," + Box("pole", 2, 2, 10, 10));
  ASSERT_THAT(things, SizeIs(1));
  EXPECT_EQ(cv::countNonZero(Mask(things[0], 20, 40)), 10 * 9);
}

TEST(ThingsFromPolygonsTest, LeavesOutWhatTheReferenceLeavesOut) {
  // A license plate neither is a thing nor covers; what is covered is none; a
  // key "deleted" counts whatever it says.
  const std::vector<Segment> things = Things(
      Box("person", 4, 4, 6, 6) + "," + Box("caravan", 3, 3, 7, 7) + "," +
      Box("car", 2, 2, 20, 10, R"(, "deleted": 0)") + "," +
      Box("truck", 20, 2, 30, 10) + "," + Box("license plate", 21, 4, 29, 8));
  ASSERT_THAT(things, SizeIs(1));
  EXPECT_EQ(things[0].class_id, 3);
  EXPECT_EQ(cv::countNonZero(Mask(things[0], 20, 40)), 11 * 9);
}

TEST(ThingsFromPolygonsTest, GroupsAreCrowds) {
  const std::vector<Segment> things = Things(Box("cargroup", 2, 2, 8, 8) + "," +
                                             Box("polegroup", 10, 2, 12, 8));
  ASSERT_THAT(things, SizeIs(1));
  EXPECT_TRUE(things[0].is_crowd);
  EXPECT_EQ(things[0].class_id, 2);
}

TEST(HasThingTest, CountsWhatIsNoCrowd) {
  EXPECT_TRUE(HasThing(*Parse(Box("car", 2, 2, 8, 8)), "x").value());
  EXPECT_FALSE(HasThing(*Parse(Box("cargroup", 2, 2, 8, 8)), "x").value());
  EXPECT_FALSE(HasThing(*Parse(""), "x").value());
  EXPECT_TRUE(HasThing(*Parse(Box("car", 2, 2, 8, 8) + "," +
                              Box("persongroup", 20, 2, 28, 8)),
                       "x")
                  .value());
}

TEST(ParseCityscapesPolygonsTest, ReadsSizeAndObjects) {
  const auto polygons = Parse(Box("cargroup", 1, 2, 3, 4));
  ASSERT_THAT(polygons, IsOk());
  EXPECT_EQ(polygons->height, 20);
  EXPECT_EQ(polygons->width, 40);
  ASSERT_THAT(polygons->objects, SizeIs(1));
  EXPECT_EQ(polygons->objects[0].label->name, "car");
  EXPECT_TRUE(polygons->objects[0].is_group);
  EXPECT_EQ(polygons->objects[0].polygon[2], cv::Point2d(3, 4));
}

TEST(ParseCityscapesPolygonsTest, NamesAnUnknownLabel) {
  EXPECT_THAT(Parse(Box("car", 1, 2, 3, 4) + "," + Box("dragon", 1, 2, 3, 4)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a_polygons.json, objects[1]: "),
                             HasSubstr("\"dragon\" is none of Cityscapes"))));
  EXPECT_FALSE(Parse(Box("dragongroup", 1, 2, 3, 4)).ok());
}

TEST(ParseCityscapesPolygonsTest, SaysWhatIsWrong) {
  const auto error = [](const std::string& text) {
    return std::string(
        ParseCityscapesPolygons(text, "a.json").status().message());
  };
  EXPECT_THAT(
      ParseCityscapesPolygons(R"({"imgHeight": 20, "imgW)", "a.json"),
      StatusIs(absl::StatusCode::kDataLoss,
               HasSubstr("a.json (23 bytes) is no JSON, or cut short")));
  EXPECT_THAT(error("[1]"), HasSubstr("no list \"objects\""));
  EXPECT_THAT(error(R"({"objects": [], "imgWidth": 3})"),
              HasSubstr("\"imgHeight\" is missing"));
  EXPECT_THAT(error(R"({"objects": [], "imgHeight": 0, "imgWidth": 3})"),
              HasSubstr("\"imgHeight\" is missing or no positive"));
  const std::string head = R"({"imgHeight": 2, "imgWidth": 3, "objects": [)";
  EXPECT_THAT(error(head + "3]}"), HasSubstr("objects[0]: it must be"));
  EXPECT_THAT(error(head + R"({"label": 3}]})"), HasSubstr("\"label\" is"));
  EXPECT_THAT(error(head + R"({"label": "car"}]})"), HasSubstr("\"polygon\""));
  EXPECT_THAT(error(head + R"({"label": "car", "polygon": 3}]})"),
              HasSubstr("must be a list"));
  EXPECT_THAT(error(head + R"({"label": "car", "polygon": [[1, 2], [3]]}]})"),
              HasSubstr("vertex 1 of its polygon"));
}

TEST(ThingsFromPolygonsTest, NamesAPolygonThatIsNone) {
  const auto polygons =
      Parse(R"({"label": "car", "polygon": [[1, 2], [3, 4]]})");
  ASSERT_THAT(polygons, IsOk());
  EXPECT_THAT(ThingsFromPolygons(*polygons, "a_polygons.json"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a_polygons.json, objects[0]: "),
                             HasSubstr("2 vertices"))));
}

}  // namespace
}  // namespace mask2former
