#include "mask2former/model/inference_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

InferenceConfig Parse(const char* text) {
  return ParseTextProtoOrDie<InferenceConfig>(text);
}

TEST(ResizesBeforeScoresTest, IsSaidOrFollowsFromObjects) {
  EXPECT_FALSE(ResizesBeforeScores({}));
  EXPECT_TRUE(ResizesBeforeScores(Parse("resize_before_scores: true")));
  EXPECT_TRUE(ResizesBeforeScores(Parse("instance_on: true")));
  EXPECT_TRUE(ResizesBeforeScores(Parse("panoptic_on: true")));
}

TEST(ValidateInferenceConfigTest, TheDefaultsAreOfficial) {
  const InferenceConfig config;
  EXPECT_THAT(ValidateInferenceConfig(config), IsOk());
  EXPECT_TRUE(config.semantic_on());
  EXPECT_FALSE(config.instance_on());
  EXPECT_FALSE(config.panoptic_on());
  EXPECT_EQ(config.object_mask_threshold(), 0.8);
  EXPECT_EQ(config.overlap_threshold(), 0.8);
  EXPECT_EQ(config.top_k(), 100);
}

TEST(ValidateInferenceConfigTest, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c :
       {Case{"semantic_on: false", "gives no result"},
        Case{"object_mask_threshold: 1.5", "object_mask_threshold must"},
        Case{"object_mask_threshold: nan", "object_mask_threshold must"},
        Case{"overlap_threshold: -1", "overlap_threshold must"},
        Case{"top_k: 0", "top_k must"}}) {
    EXPECT_THAT(
        ValidateInferenceConfig(Parse(c.text)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)))
        << c.text;
  }
}

}  // namespace
}  // namespace mask2former
