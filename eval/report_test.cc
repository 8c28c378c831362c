#include "mask2former/eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CityscapesMetrics ExampleMetrics() {
  CityscapesMetrics metrics;
  for (const ExampleImage& image : WorkedExample()) {
    EXPECT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                IsOk());
  }
  return metrics;
}

TEST(ReportTest, EqualsTheOfficialProgramByteForByte) {
  const auto official = ReadFile("eval/testdata/worked_example_official.txt");
  ASSERT_THAT(official, IsOk());
  EXPECT_EQ(absl::StrCat("Evaluating 2 pairs of images...\n",
                         "\rImages Processed: 1 \rImages Processed: 2 \n\n",
                         OfficialReport(ExampleMetrics())),
            *official);
}

TEST(ReportTest, ColoursByScore) {
  const std::string table =
      ClassTable(ExampleMetrics().Compute(), TextColor::kOn);
  EXPECT_THAT(table, HasSubstr("\033[1mclasses          IoU      nIoU\033[0m"));
  EXPECT_THAT(table, HasSubstr("road          : \033[32;1m0.893\033[0m    "
                               "\033[0m  nan\033[0m\n"));
  EXPECT_THAT(table, HasSubstr("rider         : \033[31;1m0.000\033[0m"));
  EXPECT_THAT(table, HasSubstr("bicycle       : \033[36;1m0.750\033[0m"));
  EXPECT_THAT(table, HasSubstr("Score Average : \033[34;1m0.546\033[0m    "
                               "\033[33;1m0.360\033[0m\n"));
}

TEST(ReportTest, PrintsAnEmptyEvaluation) {
  const std::string report = OfficialReport(CityscapesMetrics());
  EXPECT_THAT(report, HasSubstr("road          :   nan      nan\n"));
  EXPECT_THAT(report, HasSubstr("Score Average :   nan      nan\n"));
  EXPECT_THAT(report, Not(HasSubstr("-nan")));
}

}  // namespace
}  // namespace mask2former
