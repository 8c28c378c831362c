#include "mask2former/eval/panoptic_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<PanopticFile> Read(const std::string& json,
                                  PanopticFileKind kind) {
  const std::string path =
      absl::StrCat(testing::TempDir(), "/panoptic_", getpid(), ".json");
  EXPECT_THAT(WriteFileAtomically(path, json), IsOk());
  return ReadPanopticJson(path, kind);
}

TEST(PanopticJsonTest, ReadsGroundTruth) {
  const auto file = Read(
      R"({"images": [], "categories":
          [{"id": 7, "name": "road", "isthing": 0, "color": [1, 2, 3]},
           {"id": 26, "name": "car", "isthing": 1}],
          "annotations": [{"image_id": "a", "file_name": "a.png",
            "segments_info": [{"id": 26001, "category_id": 26, "area": 9,
                               "bbox": [0, 0, 3, 3], "iscrowd": 1}]}]})",
      PanopticFileKind::kGroundTruth);
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->categories.size(), 2u);
  EXPECT_EQ(file->categories[1].id, 26);
  EXPECT_EQ(file->categories[1].name, "car");
  EXPECT_TRUE(file->categories[1].is_thing);
  EXPECT_FALSE(file->categories[0].is_thing);
  ASSERT_EQ(file->annotations.size(), 1u);
  EXPECT_EQ(file->annotations[0].image_id, "a");
  EXPECT_EQ(file->annotations[0].file_name, "a.png");
  const PanopticSegment& segment = file->annotations[0].segments.at(0);
  EXPECT_EQ(segment.id, 26001);
  EXPECT_EQ(segment.category_id, 26);
  EXPECT_EQ(segment.area, 9);
  EXPECT_TRUE(segment.is_crowd);
}

TEST(PanopticJsonTest, ReadsPredictionsWithoutAreasAndWithNumbersAsImageIds) {
  const auto file =
      Read(R"({"annotations": [{"image_id": 5, "file_name": "a.png",
               "segments_info": [{"id": 1, "category_id": 7}]}]})",
           PanopticFileKind::kPrediction);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->annotations[0].image_id, "5");
}

TEST(PanopticJsonTest, IntegersHave63Bits) {
  const auto read = [](const std::string& image_id, const std::string& id) {
    return Read(
        absl::StrCat(R"({"annotations": [{"image_id": )", image_id,
                     R"(, "file_name": "a.png", "segments_info": [{"id": )", id,
                     R"(, "category_id": 7}]}]})"),
        PanopticFileKind::kPrediction);
  };
  const auto largest = read("9223372036854775807", "9223372036854775807");
  ASSERT_THAT(largest, IsOk());
  EXPECT_EQ(largest->annotations[0].image_id, "9223372036854775807");
  EXPECT_EQ(largest->annotations[0].segments.at(0).id, 9223372036854775807);
  const auto negative = read("-9223372036854775808", "-5");
  ASSERT_THAT(negative, IsOk());
  EXPECT_EQ(negative->annotations[0].image_id, "-9223372036854775808");
  EXPECT_EQ(negative->annotations[0].segments.at(0).id, -5);
  const auto expect = [&](const std::string& image_id, const std::string& id,
                          const std::string& what) {
    EXPECT_THAT(read(image_id, id),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  expect("1", "9223372036854775808",
         R"(segments_info[0] has the "id" 9223372036854775808; want an )"
         "integer up to 9223372036854775807");
  expect("1", "18446744073709551615", R"(the "id" 18446744073709551615;)");
  expect("9223372036854775808", "1",
         R"(annotations[0] has the "image_id" 9223372036854775808; want)");
  // Beyond 64 bits the reader has a fraction.
  expect("1", "18446744073709551616", R"(needs "id", an integer)");
}

TEST(PanopticJsonTest, SaysWhatIsWrongAndWhere) {
  const auto expect = [](const std::string& json, const std::string& what) {
    EXPECT_THAT(Read(json, PanopticFileKind::kPrediction),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(".json: "), HasSubstr(what))));
  };
  expect("", "is no JSON");
  expect(R"({"annotations": [)", "a mistake at byte 17 of 17");
  expect("\x89PNG", "is no JSON: there is a mistake at byte 1");
  expect("[]", R"(the file needs "annotations", a list)");
  expect("3", R"(the file needs "annotations", a list)");
  expect(R"({"annotations": [4]})", "annotations[0] is no object");
  expect(R"({"annotations": [{"file_name": "a"}]})",
         R"(annotations[0] needs "image_id", a string)");
  expect(R"({"annotations": [{"image_id": "a"}]})",
         R"(annotations[0] (image_id a) needs "file_name", a string)");
  const auto with_segment = [](const std::string& segment) {
    return absl::StrCat(
        R"({"annotations": [{"image_id": "a", "file_name": "a", )",
        R"("segments_info": [)", segment, "]}]}");
  };
  expect(with_segment("{}"),
         R"(annotations[0] (image_id a).segments_info[0] needs "id")");
  expect(with_segment(R"({"id": "x"})"), R"(needs "id", an integer)");
  expect(with_segment(R"({"id": 1.5, "category_id": 1})"), R"(needs "id")");
  expect(with_segment(R"({"id": 1, "category_id": 99999999999})"),
         R"(has the "category_id" 99999999999)");
  expect(with_segment("[]"), R"(needs "id")");
  const std::string a =
      R"({"image_id": "a", "file_name": "a", "segments_info": []})";
  expect(R"({"annotations": [)" + a + "," + a + "]}",
         R"(annotations[1] has the image_id "a" for the second time)");
}

TEST(PanopticJsonTest, GroundTruthNeedsCategoriesAreasAndCrowds) {
  const auto expect = [](const std::string& json, const std::string& what) {
    EXPECT_THAT(Read(json, PanopticFileKind::kGroundTruth),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
  };
  expect(R"({"annotations": []})", R"(needs "categories", a list)");
  expect(R"({"categories": [{"id": 7, "name": "road"}]})",
         R"(categories[0] needs "isthing")");
  expect(R"({"categories": [], "annotations": [{"image_id": "a",
             "file_name": "a", "segments_info": [{"id": 1,
             "category_id": 7}]}]})",
         R"(segments_info[0] needs "area")");
}

}  // namespace
}  // namespace mask2former
