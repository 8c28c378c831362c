#include "mask2former/data/scene/scene_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SceneManifestTest, ReadsBackAsWritten) {
  const SceneManifest manifest =
      MakeSceneManifest({}, 7, {{"train", 5}, {"val", 0}});
  const auto again = SceneManifestFromJson(SceneManifestToJson(manifest));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*again, manifest);
  EXPECT_THAT(CompareSceneManifests(manifest, *again), IsOk());
}

TEST(SceneManifestTest, NamesEverySettingThatDiffers) {
  SceneOptions wide;
  wide.width = 640;
  const SceneManifest a = MakeSceneManifest({}, 7, {{"train", 5}});
  const SceneManifest b = MakeSceneManifest(wide, 7, {{"val", 3}});
  EXPECT_THAT(CompareSceneManifests(a, b),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("width is 512, wanted 640"),
                             HasSubstr("images in train is 5, wanted none"),
                             HasSubstr("images in val is none, wanted 3"),
                             Not(HasSubstr("seed")))));
}

TEST(SceneManifestTest, TreatsAnEmptySplitAsNone) {
  EXPECT_EQ(MakeSceneManifest({}, 7, {{"train", 5}, {"test", 0}}),
            MakeSceneManifest({}, 7, {{"train", 5}}));
}

TEST(SceneManifestTest, RejectsWhatIsNoManifest) {
  for (const char* text : {"", "[1]", "{\"height\": 3}", "{"}) {
    EXPECT_THAT(SceneManifestFromJson(text),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("")));
  }
}

}  // namespace
}  // namespace mask2former
