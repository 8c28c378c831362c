#include "mask2former/common/config/text_apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/config/testing/sample.pb.h"
#include "mask2former/common/config/text_syntax.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<TextError> Apply(const std::string& text, SampleConfig& config) {
  return ApplyTextFields(ParseTextSyntax(text).fields, config);
}

TEST(ApplyTextFieldsTest, SetsEveryKindOfField) {
  SampleConfig config;
  ASSERT_THAT(Apply(R"(
      name: "x" sizes: 1 sizes: [2, 3] classes: ["a", "b"]
      datasets { root: "r" } datasets: [{ root: "s" }]
      solver {
        base_lr: 5e-5 weight_decay: -inf max_iter: -2147483648
        warmup_method: CONSTANT amp: false seed: 4294967295
        tokens: -9223372036854775808 mask: 0xffffffffffffffff
        methods: [LINEAR, CONSTANT]
      })",
                    config),
              IsEmpty());
  EXPECT_EQ(config.name(), "x");
  EXPECT_THAT(config.sizes(), ElementsAre(1, 2, 3));
  EXPECT_THAT(config.classes(), ElementsAre("a", "b"));
  EXPECT_EQ(config.datasets(0).root(), "r");
  EXPECT_EQ(config.datasets(1).root(), "s");
  EXPECT_EQ(config.solver().base_lr(), 5e-5f);
  EXPECT_EQ(config.solver().weight_decay(), -HUGE_VAL);
  EXPECT_EQ(config.solver().max_iter(), INT32_MIN);
  EXPECT_EQ(config.solver().warmup_method(), SampleSolver::CONSTANT);
  EXPECT_FALSE(config.solver().amp());
  EXPECT_EQ(config.solver().seed(), UINT32_MAX);
  EXPECT_EQ(config.solver().tokens(), INT64_MIN);
  EXPECT_EQ(config.solver().mask(), UINT64_MAX);
  EXPECT_THAT(config.solver().methods(), ElementsAre(0, 1));
}

TEST(ApplyTextFieldsTest, LaterTextMergesMessagesAndReplacesLists) {
  SampleConfig config;
  ASSERT_THAT(Apply(R"(sizes: [1, 2] datasets { root: "r" }
                       solver { base_lr: 1 max_iter: 5 methods: LINEAR })",
                    config),
              IsEmpty());
  ASSERT_THAT(Apply("sizes: 7 datasets: [] solver { base_lr: 2 }", config),
              IsEmpty());
  EXPECT_THAT(config.sizes(), ElementsAre(7));
  EXPECT_EQ(config.datasets_size(), 0);
  EXPECT_EQ(config.solver().base_lr(), 2);
  EXPECT_EQ(config.solver().max_iter(), 5);
  EXPECT_THAT(config.solver().methods(), ElementsAre(SampleSolver::LINEAR));
}

TEST(ApplyTextFieldsTest, ArmsOfAOneofReplaceEachOtherAndMergeWithThemselves) {
  SampleConfig config;
  ASSERT_THAT(Apply("model { resnet { depth: 101 } }", config), IsEmpty());
  ASSERT_THAT(Apply("model { resnet { mean: 3 } }", config), IsEmpty());
  EXPECT_EQ(config.model().resnet().depth(), 101);
  ASSERT_THAT(Apply("model { swin {} }", config), IsEmpty());
  EXPECT_FALSE(config.model().has_resnet());
  EXPECT_TRUE(config.model().has_swin());
}

TEST(ApplyTextFieldsTest, AppliesTheRestBesideAMistake) {
  SampleConfig config;
  const auto errors = Apply("nam: 'x' sizes: [1, a, 3] name: 'y'", config);
  ASSERT_EQ(errors.size(), 2);
  EXPECT_EQ(config.name(), "y");
  EXPECT_THAT(config.sizes(), ElementsAre(1, 3));
}

}  // namespace
}  // namespace mask2former
