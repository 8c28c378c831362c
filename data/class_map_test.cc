#include "mask2former/data/class_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/testing/palette_file.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

absl::StatusOr<ClassMap> Create(const std::string& text) {
  return ClassMap::Create(ParseTextProtoOrDie<FolderData>(text));
}

std::string Gray(int a, int b, int c) {
  return EncodePng((cv::Mat_<uint8_t>(1, 4) << a, b, c, c)).value();
}

std::string Rgb(const cv::Vec3b& a, const cv::Vec3b& b) {
  cv::Mat image(1, 2, CV_8UC3);
  image.at<cv::Vec3b>(0, 0) = a;
  image.at<cv::Vec3b>(0, 1) = b;
  return EncodePng(image).value();
}

std::vector<int> Row(const cv::Mat& label) {
  return std::vector<int>(label.begin<uint8_t>(), label.end<uint8_t>());
}

TEST(ClassMapTest, AClassWithoutValuesHasItsNumber) {
  const auto map = Create("classes { name: 'road' } classes { name: 'crack' }");
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(map->num_classes(), 2);
  const auto label = map->Decode(Gray(1, 0, 255), "a.png");
  ASSERT_THAT(label, IsOk());
  EXPECT_EQ(Row(*label), (std::vector<int>{1, 0, 255, 255}));
}

TEST(ClassMapTest, MapsValuesAndIgnoresOthers) {
  const auto map = Create(
      "classes { name: 'a' values: [7, 9] } classes { name: 'b' values: 255 } "
      "ignore_values: 0");
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(Row(map->Decode(Gray(9, 255, 0), "a.png").value()),
            (std::vector<int>{0, 1, 255, 255}));
}

TEST(ClassMapTest, ReadsSixteenBits) {
  const auto map = Create("classes { name: 'a' values: 40000 }");
  ASSERT_THAT(map, IsOk());
  const cv::Mat wide(1, 1, CV_16UC1, cv::Scalar(40000));
  EXPECT_EQ(Row(map->Decode(EncodePng(wide).value(), "a.png").value()),
            std::vector<int>{0});
}

TEST(ClassMapTest, ReadsPalettesByNumberOrColour) {
  const cv::Mat indices = (cv::Mat_<uint8_t>(1, 3) << 2, 0, 1);
  const std::string png = PalettePng(indices, 2);
  const auto numbers = Create(
      "label_encoding: PALETTE_INDICES classes { name: 'a' } "
      "classes { name: 'b' } ignore_values: 2");
  ASSERT_THAT(numbers, IsOk());
  EXPECT_EQ(Row(numbers->Decode(png, "a.png").value()),
            (std::vector<int>{255, 0, 1}));
  const auto colors = Create(
      "label_encoding: COLORS classes { name: 'a' color: '#14283c' } "
      "classes { name: 'b' color: '#000000' } ignore_colors: '#0A141E'");
  ASSERT_THAT(colors, IsOk());
  EXPECT_EQ(Row(colors->Decode(png, "a.png").value()),
            (std::vector<int>{0, 1, 255}));
}

TEST(ClassMapTest, ReadsColours) {
  const auto map = Create(
      "label_encoding: COLORS classes { name: 'a' color: '#ff0000' } "
      "classes { name: 'b' color: '#00ff00' }");
  ASSERT_THAT(map, IsOk());
  EXPECT_EQ(Row(map->Decode(Rgb({0, 255, 0}, {255, 0, 0}), "a.png").value()),
            (std::vector<int>{1, 0}));
  EXPECT_THAT(map->Decode(Rgb({0, 255, 0}, {1, 2, 3}), "a.png"),
              StatusIs(kInvalid,
                       AllOf(HasSubstr("a.png has 1 pixels, the first at (x, "
                                       "y) = (1, 0), with colours of no class"),
                             HasSubstr("#010203 (50.0 %)"),
                             HasSubstr("data.folder.ignore_colors"))));
}

TEST(ClassMapTest, AMaskOf255GetsItsAnswer) {
  const auto two = Create("classes { name: 'a' } classes { name: 'b' }");
  ASSERT_THAT(two, IsOk());
  // 255 is ignored where nothing else is said: every pixel of "b" would be.
  EXPECT_THAT(
      two->CheckForMasks({Gray(0, 0, 255), Gray(0, 0, 0)}, "/data/x"),
      StatusIs(kInvalid,
               AllOf(HasSubstr("/data/x: the labels hold 0 (75.0 %), 255"),
                     HasSubstr("classes { name: \"foreground\" values: 255 }"),
                     HasSubstr("ignore_values: 255"))));
  EXPECT_THAT(two->CheckForMasks({Gray(0, 1, 255)}, "/data/x"), IsOk());
  EXPECT_THAT(two->CheckForMasks({Gray(0, 0, 0)}, "/data/x"), IsOk());
  const auto said =
      Create("classes { name: 'a' } classes { name: 'b' } ignore_values: 255");
  EXPECT_THAT(said->CheckForMasks({Gray(0, 0, 255)}, "/data/x"), IsOk());
  const auto other =
      Create("classes { name: 'a' } classes { name: 'b' } ignore_values: 9");
  EXPECT_THAT(other->Decode(Gray(0, 0, 255), "a.png"),
              StatusIs(kInvalid, HasSubstr("This is a mask of 0 and 255")));
}

TEST(ClassMapTest, ValuesOfNoClassAreNamed) {
  const auto map = Create("classes { name: 'a' } classes { name: 'b' }");
  EXPECT_THAT(
      map->Decode(Gray(0, 5, 1), "a.png"),
      StatusIs(kInvalid, AllOf(HasSubstr("a.png has 1 pixels"),
                               HasSubstr("= (1, 0)"), HasSubstr("5 (25.0 %)"),
                               HasSubstr("data.folder.ignore_values"))));
}

TEST(ClassMapTest, AFileOfAnotherKindGetsItsAnswer) {
  const auto values = Create("classes { name: 'a' }");
  const auto colors =
      Create("label_encoding: COLORS classes { name: 'a' color: '#ff0000' }");
  const cv::Mat indices = (cv::Mat_<uint8_t>(1, 3) << 2, 0, 1);
  EXPECT_THAT(values->Decode(PalettePng(indices, 8), "a.png"),
              StatusIs(kInvalid, AllOf(HasSubstr("a.png is 8-bit palette"),
                                       HasSubstr("PALETTE_INDICES"))));
  EXPECT_THAT(
      values->Decode(Rgb({0, 255, 0}, {0, 255, 0}), "a.png"),
      StatusIs(kInvalid, AllOf(HasSubstr("a.png is 8-bit RGB"),
                               HasSubstr("write label_encoding: COLORS"),
                               HasSubstr("#00ff00 (100.0 %)"))));
  EXPECT_THAT(colors->Decode(Gray(0, 0, 0), "a.png"),
              StatusIs(kInvalid, HasSubstr("write label_encoding: VALUES")));
  EXPECT_THAT(values->Decode("\xff\xd8\xff JPEG", "a.jpg"),
              StatusIs(kInvalid, HasSubstr("a.jpg is no PNG")));
}

TEST(ClassMapTest, KnowsColoursAndThingsOfItsClasses) {
  const auto map = Create(
      "classes { name: 'a' color: '#0a1428' } "
      "classes { name: 'b' is_thing: true } classes { name: 'c' }");
  ASSERT_THAT(map, IsOk());
  EXPECT_THAT(map->is_thing(), ElementsAre(false, true, false));
  ASSERT_EQ(map->colors().size(), 3);
  EXPECT_THAT(map->colors()[0], ElementsAre(10, 20, 40));
  // Those without a colour are told apart.
  int difference = 0;
  for (int c = 0; c < 3; ++c) {
    difference += std::abs(map->colors()[1][c] - map->colors()[2][c]);
  }
  EXPECT_GT(difference, 100);
  EXPECT_THAT(Create("classes { name: 'a' color: 'red' }"),
              StatusIs(kInvalid, HasSubstr("classes[0].color must read like")));
}

TEST(ClassMapTest, RefusesSettingsThatContradict) {
  EXPECT_THAT(Create(""),
              StatusIs(kInvalid, HasSubstr("data.folder.classes must be")));
  EXPECT_THAT(Create("classes {}"),
              StatusIs(kInvalid, HasSubstr("classes[0].name is not set")));
  EXPECT_THAT(
      Create("classes { name: 'a' values: 1 } classes { name: 'b' }"),
      StatusIs(kInvalid, HasSubstr("classes[1].values says 1, which class "
                                   "\"a\" has already")));
  EXPECT_THAT(
      Create("classes { name: 'a' } ignore_values: 0"),
      StatusIs(kInvalid, HasSubstr("data.folder.ignore_values says 0")));
  EXPECT_THAT(Create("classes { name: 'a' values: 70000 }"),
              StatusIs(kInvalid, HasSubstr("must be 0 .. 65535, is 70000")));
  EXPECT_THAT(
      Create("label_encoding: COLORS classes { name: 'a' color: 'red' }"),
      StatusIs(kInvalid, HasSubstr("classes[0].color must read like")));
  EXPECT_THAT(
      Create("label_encoding: COLORS classes { name: 'a' color: '#ff0000' } "
             "ignore_colors: '#FF0000'"),
      StatusIs(kInvalid, HasSubstr("is taken already")));
}

}  // namespace
}  // namespace mask2former
