#include "mask2former/common/logging.h"

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

namespace mask2former {
namespace {

class RecordingSink : public google::LogSink {
 public:
  RecordingSink() { google::AddLogSink(this); }
  ~RecordingSink() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity severity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t length) override {
    severity_ = severity;
    text_.assign(message, length);
  }

  google::LogSeverity severity_ = -1;
  std::string text_;
};

TEST(LoggingTest, LogReachesAGlogSinkAlthoughLibTorchWasIncluded) {
  RecordingSink sink;
  LOG(WARNING) << "seven is " << 7;
  EXPECT_EQ(sink.text_, "seven is 7");
  EXPECT_EQ(sink.severity_, google::GLOG_WARNING);
}

TEST(LoggingTest, CheckAbortsWithGlogsMessage) {
  EXPECT_DEATH(CHECK_EQ(1, 2) << "because", "Check failed: 1 == 2.*because");
}

}  // namespace
}  // namespace mask2former
