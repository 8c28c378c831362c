#include "mask2former/data/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class GlobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    for (const char* folder : {"/images/north", "/images/south", "/labels"}) {
      ASSERT_THAT(CreateDirectories(root_ + folder), IsOk());
    }
    for (const char* file :
         {"/images/north/b_rgb.png", "/images/north/a_rgb.png",
          "/images/south/a_rgb.png", "/images/south/.b_rgb.png",
          "/images/south/a_depth.png", "/labels/north-a.png",
          "/labels/north-b.png", "/labels/south-a.png"}) {
      ASSERT_THAT(WriteFileAtomically(root_ + file, "x"), IsOk());
    }
  }

  std::string root_;
};

TEST_F(GlobTest, FindsFilesInByteOrder) {
  const auto matches = Glob(root_, "images/*/*_rgb.png");
  ASSERT_THAT(matches, IsOk());
  ASSERT_THAT(*matches, SizeIs(3));
  EXPECT_EQ((*matches)[0].path, root_ + "/images/north/a_rgb.png");
  EXPECT_THAT((*matches)[0].stars, ElementsAre("north", "a"));
  EXPECT_THAT((*matches)[2].stars, ElementsAre("south", "a"));
  EXPECT_THAT(Glob(root_, "images/north/a_rgb.png").value(), SizeIs(1));
  EXPECT_THAT(Glob(root_, "images/s*h/a*").value(), SizeIs(2));
}

TEST_F(GlobTest, SaysWhatIsThereInstead) {
  EXPECT_THAT(
      Glob(root_, "images/*/*.jpg"),
      StatusIs(absl::StatusCode::kNotFound,
               AllOf(HasSubstr("no file matches " + root_ + "/images/*/*.jpg"),
                     HasSubstr("/images holds north, south"))));
  EXPECT_THAT(Glob(root_, "pictures/*.jpg"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(root_ + " holds images, labels")));
  EXPECT_THAT(Glob(root_ + "/none", "*"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("there is no folder " + root_ + "/none")));
}

TEST_F(GlobTest, PairsByWhatTheStarsStandFor) {
  const auto pairs = GlobPairs(root_, "images/*/*_rgb.png", "labels/*-*.png");
  ASSERT_THAT(pairs, IsOk());
  ASSERT_THAT(*pairs, SizeIs(3));
  EXPECT_EQ((*pairs)[1].first.path, root_ + "/images/north/b_rgb.png");
  EXPECT_EQ((*pairs)[1].second.path, root_ + "/labels/north-b.png");
}

TEST_F(GlobTest, NamesPicturesWithoutLabel) {
  std::filesystem::remove(root_ + "/labels/north-b.png");
  EXPECT_THAT(GlobPairs(root_, "images/*/*_rgb.png", "labels/*-*.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("has 1 problem"),
                             HasSubstr(root_ +
                                       "/labels/north-b.png is missing, the "
                                       "label of " +
                                       root_ + "/images/north/b_rgb.png"))));
  EXPECT_THAT(GlobPairs(root_, "images/*/*_rgb.png", "labels/*.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("equally many \"*\"")));
}

}  // namespace
}  // namespace mask2former
