#include "mask2former/data/scene/generated_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(EnsureGeneratedDataTest, DoesNothingUnlessTheConfigAsksForIt) {
  DataConfig config;
  config.set_root(::testing::TempDir() + "/untouched");
  EXPECT_THAT(EnsureGeneratedData(config), IsOk());
  EXPECT_FALSE(DirectoryExists(config.root()));
}

TEST(EnsureGeneratedDataTest, DrawsWhatTheConfigDescribes) {
  DataConfig config;
  config.set_root(::testing::TempDir() + "/drawn");
  config.mutable_generated()->set_train_images(2);
  config.mutable_generated()->set_val_images(1);
  config.mutable_generated()->set_height(32);
  config.mutable_generated()->set_width(64);
  ASSERT_THAT(EnsureGeneratedData(config), IsOk());
  EXPECT_TRUE(FileExists(config.root() +
                         "/leftImg8bit/train/rasterburg/"
                         "rasterburg_000000_000019_leftImg8bit.png"));
  EXPECT_TRUE(FileExists(config.root() +
                         "/gtFine/val/gridhaven/"
                         "gridhaven_000000_000019_gtFine_labelIds.png"));
  config.mutable_generated()->set_width(96);
  EXPECT_THAT(EnsureGeneratedData(config),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("width is 64, wanted 96")));
}

}  // namespace
}  // namespace mask2former
