#include "mask2former/eval/score_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <set>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Sum {
  size_t sum = 0;
  void Merge(const Sum& other) { sum += other.sum; }
};

TEST(ScoreImagesTest, AddsEachImageOnceWithAnyNumberOfThreads) {
  for (const int threads : {0, 1, 3, 200}) {
    std::vector<std::atomic<int>> calls(100);
    const auto all =
        ScoreImages<Sum>(100, threads, {}, nullptr, [&](size_t i, Sum& mine) {
          ++calls[i];
          mine.sum += i;
          return absl::OkStatus();
        });
    ASSERT_THAT(all, IsOk());
    EXPECT_EQ(all->sum, 4950u);
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
}

TEST(ScoreImagesTest, WritesProgress) {
  std::ostringstream progress;
  ASSERT_THAT(ScoreImages<Sum>(2, 1, {}, &progress,
                               [](size_t, Sum&) { return absl::OkStatus(); }),
              IsOk());
  EXPECT_EQ(progress.str(), "\rImages Processed: 1 \rImages Processed: 2 ");
}

TEST(ScoreImagesTest, ListsEveryErrorInOrder) {
  const auto all =
      ScoreImages<Sum>(9, 4, {}, nullptr, [](size_t i, Sum&) -> absl::Status {
        if (i % 4 != 1) return absl::OkStatus();
        return absl::DataLossError(absl::StrCat("file ", i, " is damaged"));
      });
  EXPECT_THAT(all, StatusIs(absl::StatusCode::kInvalidArgument,
                            AllOf(HasSubstr("2 of 9 images cannot be scored"),
                                  HasSubstr("\n  file 1 is damaged\n  file 5 "
                                            "is damaged"))));
}

TEST(ScoreImagesTest, AnExceptionIsAnErrorOfItsImage) {
  const auto all =
      ScoreImages<Sum>(5, 2, {}, nullptr, [](size_t i, Sum&) -> absl::Status {
        if (i == 3) throw std::bad_alloc();
        return absl::OkStatus();
      });
  EXPECT_THAT(all, StatusIs(absl::StatusCode::kInvalidArgument,
                            AllOf(HasSubstr("1 of 5"), HasSubstr("image 3: "),
                                  HasSubstr("bad_alloc"))));
}
}  // namespace
}  // namespace mask2former
