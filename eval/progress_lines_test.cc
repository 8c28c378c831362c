#include "mask2former/eval/progress_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

class Lines final : public google::LogSink {
 public:
  Lines() { google::AddLogSink(this); }
  ~Lines() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t length) override {
    lines.emplace_back(message, length);
  }

  std::vector<std::string> lines;
};

TEST(ProgressLinesTest, SpeaksEveryTenSeconds) {
  const Lines log;
  const auto progress = ProgressLines();
  for (const double seconds : {4., 9., 11., 14., 20., 22.}) {
    ASSERT_THAT(progress({3, 500, seconds, 100 - seconds}), IsOk());
  }
  EXPECT_THAT(log.lines, ElementsAre("3 of 500 pictures, 11 s, 89 s to go",
                                     "3 of 500 pictures, 22 s, 78 s to go"));
}

TEST(ProgressLinesTest, AsksWhetherToGoOn) {
  int asked = 0;
  const auto progress = ProgressLines([&]() -> absl::Status {
    return ++asked < 2 ? absl::OkStatus() : absl::CancelledError("enough");
  });
  EXPECT_THAT(progress({1, 3, 1, 2}), IsOk());
  EXPECT_THAT(progress({2, 3, 2, 1}),
              StatusIs(absl::StatusCode::kCancelled, "enough"));
}

}  // namespace
}  // namespace mask2former
