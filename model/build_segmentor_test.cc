#include "mask2former/model/build_segmentor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(BuildSegmentorTest, ErrorsNameTheField) {
  const auto build = [](const std::string& text) {
    return BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(text));
  };
  EXPECT_THAT(build(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("model.backbone: ")));
  EXPECT_THAT(build("backbone { resnet { depth: 18 } }"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.pixel_decoder: ")));
  EXPECT_THAT(build("backbone { resnet { depth: 18 } } "
                    "pixel_decoder { ms_deform_attn {} }"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.transformer_decoder: ")));
  EXPECT_THAT(build("pixel_mean: [1, 2]"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.pixel_mean must have 3 numbers")));
  EXPECT_THAT(build("pixel_std: [1, 0, 2]"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.pixel_std must be positive")));
  EXPECT_THAT(build("size_divisibility: 20"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("multiple of 32, got 20")));
  EXPECT_THAT(build("num_classes: 0"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("model.num_classes must be positive")));
}

}  // namespace
}  // namespace mask2former
