#include "mask2former/eval/build_task_evaluations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<std::vector<std::unique_ptr<TaskEvaluation>>> Build(
    const char* config, int64_t num_classes) {
  return BuildTaskEvaluations(ParseTextProtoOrDie<InferenceConfig>(config),
                              CityscapesNetworkClasses(num_classes).value(),
                              testing::TempDir());
}

std::vector<absl::string_view> NamesOf(
    const absl::StatusOr<std::vector<std::unique_ptr<TaskEvaluation>>>& tasks) {
  std::vector<absl::string_view> names;
  for (const auto& task : *tasks) names.push_back(task->name());
  return names;
}

TEST(BuildTaskEvaluationsTest, MakesThoseThatAreSwitchedOn) {
  const auto semantic = Build("", 19);
  ASSERT_THAT(semantic, IsOk());
  EXPECT_THAT(NamesOf(semantic), ElementsAre("semantic"));
  const auto all = Build("instance_on: true panoptic_on: true", 19);
  ASSERT_THAT(all, IsOk());
  EXPECT_THAT(NamesOf(all), ElementsAre("semantic", "panoptic", "instance"));
  const auto instance = Build("semantic_on: false instance_on: true", 8);
  ASSERT_THAT(instance, IsOk());
  EXPECT_THAT(NamesOf(instance), ElementsAre("instance"));
}

TEST(BuildTaskEvaluationsTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(Build("top_k: 0", 19),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("top_k")));
  EXPECT_THAT(Build("semantic_on: false panoptic_on: true", 8),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("cannot label every pixel")));
}

}  // namespace
}  // namespace mask2former
