#include "mask2former/train/logging/log_file.h"

#include <cerrno>
#include <cstdio>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

class Sink final : public LogFile, public google::LogSink {
 public:
  explicit Sink(std::FILE* file) : file_(file) { google::AddLogSink(this); }

  ~Sink() override {
    google::RemoveLogSink(this);
    std::fclose(file_);
  }

  void send(google::LogSeverity severity, const char* /*full_filename*/,
            const char* base_filename, int line,
            const google::LogMessageTime& time, const char* message,
            size_t message_length) override {
    const std::string text =
        ToString(severity, base_filename, line, time, message, message_length);
    const std::lock_guard<std::mutex> lock(mutex_);
    std::fprintf(file_, "%s\n", text.c_str());
    std::fflush(file_);
  }

 private:
  std::FILE* const file_;
  std::mutex mutex_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(
    const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  return std::make_unique<Sink>(file);
}

}  // namespace mask2former
