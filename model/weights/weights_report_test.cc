#include "mask2former/model/weights/weights_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

WeightsReport Example() {
  WeightsReport report;
  report.matched = {"a.weight"};
  report.missing = {"b.weight", "c.weight", "d.weight"};
  report.unexpected = {"e"};
  report.mismatched = {"f.bias: file [20], model [6]"};
  report.adapted = {{"g", "2 of 3 classes by name"}};
  report.explained = {{"fc.bias", "the classifier of ImageNet"}};
  report.format = "pickle";
  report.naming = "torchvision ResNet";
  return report;
}

TEST(WeightsReportTest, CountsAndNamesAFew) {
  const std::string text = Example().ToString(2);
  EXPECT_EQ(text,
            "1 tensors matched, 3 missing, 1 unexpected, 1 of another shape, "
            "1 taken in part (pickle, names: torchvision ResNet)\n"
            "  missing in the file:\n    b.weight\n    c.weight\n"
            "    and 1 more\n"
            "  unexpected in the file:\n    e\n"
            "  of another shape:\n    f.bias: file [20], model [6]");
}

TEST(WeightsReportTest, TheTableHasAReasonPerRow) {
  EXPECT_EQ(Example().ToTable(),
            "outcome        name      reason\n"
            "missing        b.weight  the model needs it, the file lacks it\n"
            "missing        c.weight  the model needs it, the file lacks it\n"
            "missing        d.weight  the model needs it, the file lacks it\n"
            "unexpected     e         the model has no such entry\n"
            "shape differs  f.bias    file [20], model [6]\n"
            "in part        g         2 of 3 classes by name\n"
            "not needed     fc.bias   the classifier of ImageNet\n"
            "matched        a.weight\n");
  EXPECT_THAT(
      Example().ToTable(/*with_matched=*/false),
      AllOf(HasSubstr("unexpected     e "), Not(HasSubstr("a.weight"))));
}

TEST(WeightsReportTest, OnlyWhatIsNotExplainedMakesItIncomplete) {
  WeightsReport report;
  report.explained = {{"fc.bias", "x"}};
  report.adapted = {{"g", "y"}};
  EXPECT_TRUE(report.complete());
  report.unexpected = {"e"};
  EXPECT_FALSE(report.complete());
}

}  // namespace
}  // namespace mask2former
