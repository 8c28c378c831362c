#include "mask2former/train/logging/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

StepRecord Record(int64_t iterations_done, double factor) {
  StepRecord record;
  record.iterations_done = iterations_done;
  record.loss = 40 * factor;
  record.loss_class = 2 * factor;
  record.loss_mask = 1.5 * factor;
  record.loss_dice = 0.5 * factor;
  record.loss_auxiliary = 36 * factor;
  record.lr = 1e-4 - 1e-8 * static_cast<double>(iterations_done);
  record.gradient_norm = 12 * factor;
  record.data_seconds = 0.004 * factor;
  record.step_seconds = 0.75 * factor;
  record.memory_bytes = (iterations_done << 20) + 5;
  return record;
}

TEST(ConsoleTest, ShowsMediansAndTheLatest) {
  Console console(90000);
  console.Add(Record(1, 1));
  console.Add(Record(2, 1));
  console.Add(Record(3, 1));
  console.Add(Record(4, 100));  // An outlier.
  console.Add(Record(5, 1));
  console.Add(Record(6, 1));
  EXPECT_EQ(console.Window().loss, 40);
  EXPECT_EQ(console.Line(),
            "iter 6/90000  eta 18:44:56  loss 40  class 2  mask 1.5  dice 0.5  "
            "aux 36  lr 9.994e-05  norm 12  step 0.750 s  data 0.004 s  "
            "memory 6 MiB");
}

TEST(ConsoleTest, EachLineBeginsAnew) {
  Console console(10);
  console.Add(Record(1, 1));
  EXPECT_THAT(console.Line(), StartsWith("iter 1/10  eta unknown  loss 40 "));
  console.Add(Record(2, 2));
  EXPECT_THAT(console.Line(), StartsWith("iter 2/10  eta unknown  loss 80 "));
  EXPECT_TRUE(std::isnan(console.Window().loss));
}

TEST(ConsoleTest, ShowsNaN) {
  Console console(10);
  StepRecord record = Record(1, 1);
  record.loss = std::numeric_limits<double>::quiet_NaN();
  record.gradient_norm = std::numeric_limits<double>::infinity();
  console.Add(record);
  EXPECT_THAT(console.Line(), HasSubstr("loss nan  class 2"));
  console.Add(record);
  EXPECT_THAT(console.Line(), HasSubstr("norm inf"));
}

TEST(ToMetricsTest, NamesEveryField) {
  const Metrics metrics = ToMetrics(Record(7, 1));
  EXPECT_EQ(metrics.size(), 10);
  EXPECT_EQ(metrics[0], (std::pair<std::string, double>("loss", 40)));
  EXPECT_EQ(metrics[4], (std::pair<std::string, double>("loss/auxiliary", 36)));
  EXPECT_EQ(metrics[9].second, (7 << 20) + 5);
}

}  // namespace
}  // namespace mask2former
