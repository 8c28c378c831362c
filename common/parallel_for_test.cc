#include "mask2former/common/parallel_for.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

TEST(ParallelForTest, CallsEachIndexOnce) {
  for (const int threads : {0, 1, 3, 200}) {
    std::vector<std::atomic<int>> calls(100);
    EXPECT_THAT(ParallelFor(100, threads,
                            [&](int64_t i) {
                              ++calls[i];
                              return absl::OkStatus();
                            }),
                IsOk());
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
  EXPECT_THAT(
      ParallelFor(0, 2, [](int64_t) { return absl::InternalError("never"); }),
      IsOk());
}

TEST(ParallelForTest, StopsAtTheFirstError) {
  std::atomic<int> calls = 0;
  EXPECT_THAT(ParallelFor(1000, 1,
                          [&](int64_t i) -> absl::Status {
                            ++calls;
                            if (i < 7) return absl::OkStatus();
                            return absl::DataLossError("seven");
                          }),
              StatusIs(absl::StatusCode::kDataLoss, "seven"));
  EXPECT_EQ(calls, 8);
}

TEST(ParallelForTest, AnExceptionIsAnError) {
  EXPECT_THAT(ParallelFor(3, 2,
                          [](int64_t) -> absl::Status {
                            throw std::runtime_error("thrown");
                          }),
              StatusIs(absl::StatusCode::kInternal, "thrown"));
}

}  // namespace
}  // namespace mask2former
