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
  Sink() { google::AddLogSink(this); }
  ~Sink() override {
    google::RemoveLogSink(this);
    if (file_ != nullptr) std::fclose(file_);
  }

  absl::Status WriteTo(const std::string& path) override {
    std::FILE* const file = std::fopen(path.c_str(), "ae");
    if (file == nullptr) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (file_ != nullptr) std::fclose(file_);
    file_ = file;
    Write(kept_);
    kept_.clear();
    return absl::OkStatus();
  }

  void send(google::LogSeverity severity, const char* /*full_filename*/,
            const char* base_filename, int line,
            const google::LogMessageTime& time, const char* message,
            size_t message_length) override {
    const std::string text = absl::StrCat(
        ToString(severity, base_filename, line, time, message, message_length),
        "\n");
    const std::lock_guard<std::mutex> lock(mutex_);
    if (file_ == nullptr) {
      kept_ += text;
    } else {
      Write(text);
    }
  }

 private:
  void Write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), file_);
    std::fflush(file_);
  }

  std::mutex mutex_;
  std::FILE* file_ = nullptr;
  std::string kept_;  // Said before there was a file.
};

}  // namespace

std::unique_ptr<LogFile> LogFile::Create() { return std::make_unique<Sink>(); }

}  // namespace mask2former
