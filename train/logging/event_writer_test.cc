#include "mask2former/train/logging/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double kTime = 1000.5;

std::string Folder(const std::string& name) {
  const std::string folder = absl::StrCat(testing::TempDir(), name);
  EXPECT_THAT(CreateDirectories(folder), IsOk());
  return folder;
}

std::string Contents(const std::string& path) {
  const auto text = ReadFile(path);
  EXPECT_THAT(text, IsOk());
  return text.ok() ? *text : "";
}

TEST(EventWriterTest, WritesTheBytesOfTensorBoardsOwnWriter) {
  auto writer = EventWriter::Create(Folder("golden"), /*resume_after=*/40,
                                    [] { return kTime; });
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->WriteScalars(
                  60, {{"loss/total", 41.5},
                       {"lr", 1e-4},
                       {"größe", -std::numeric_limits<double>::infinity()}}),
              IsOk());
  EXPECT_THAT(
      (*writer)->WriteImage(60, "val/overlay",
                            Contents("train/logging/testdata/black.png")),
      IsOk());
  EXPECT_THAT((*writer)->WriteScalars(3000000000, {{"loss/total", 0}}), IsOk());
  EXPECT_EQ(Contents((*writer)->path()),
            Contents("train/logging/testdata/events.tfevents"));
}

TEST(EventWriterTest, ANewRunHasNoStartOfSession) {
  auto writer =
      EventWriter::Create(Folder("new"), std::nullopt, [] { return kTime; });
  ASSERT_THAT(writer, IsOk());
  // Length and check, wall time, version, check: the first event only.
  EXPECT_EQ(Contents((*writer)->path()).size(), 8 + 4 + 9 + 15 + 4);
}

TEST(EventWriterTest, NamesFilesAsTensorBoardExpectsAndNeverTwice) {
  const std::string folder = Folder("names");
  const auto clock = [] { return kTime; };
  const auto first = EventWriter::Create(folder, std::nullopt, clock);
  const auto second = EventWriter::Create(folder, std::nullopt, clock);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT((*first)->path(),
              StartsWith(folder + "/events.out.tfevents.0000001000."));
  EXPECT_NE((*first)->path(), (*second)->path());
}

TEST(EventWriterTest, RefusesAnythingButAPng) {
  auto writer = EventWriter::Create(Folder("png"), std::nullopt);
  ASSERT_THAT(writer, IsOk());
  const std::string png = Contents("train/logging/testdata/black.png");
  std::string unknown_type = png;
  unknown_type[25] = 5;
  for (const std::string& bad : {std::string(), std::string("\xff\xd8\xff\xe0"),
                                 png.substr(0, 25), unknown_type}) {
    EXPECT_THAT((*writer)->WriteImage(1, "overlay", bad),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("image \"overlay\" is not a PNG")));
  }
}

TEST(EventWriterTest, NamesAFolderThatIsNotThere) {
  EXPECT_THAT(EventWriter::Create("/none", std::nullopt),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"/none/")));
}

TEST(EventWriterTest, TheSystemsClockIsInThisCentury) {
  EXPECT_GT(EventWriter::SystemClock(), 1.7e9);
  EXPECT_LT(EventWriter::SystemClock(), 4.2e9);
}

}  // namespace
}  // namespace mask2former
