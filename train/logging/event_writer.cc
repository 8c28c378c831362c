#include "mask2former/train/logging/event_writer.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/train/logging/crc32c.h"

namespace mask2former {
namespace {

std::string HostName() {
  char name[256] = "";
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return name;
}

template <typename Integer>
void AppendLittleEndian(Integer value, std::string* out) {
  for (size_t i = 0; i < sizeof(value); ++i) {
    out->push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

// Length, its check, data, its check.
std::string ToRecord(const std::string& data) {
  std::string record;
  AppendLittleEndian(static_cast<uint64_t>(data.size()), &record);
  AppendLittleEndian(MaskedCrc32c(record), &record);
  record += data;
  AppendLittleEndian(MaskedCrc32c(data), &record);
  return record;
}

absl::Status Failed(absl::string_view verb, const std::string& path,
                    int error) {
  return absl::Status(
      absl::ErrnoToStatusCode(error),
      absl::StrCat("cannot ", verb, " \"", path, "\": ", std::strerror(error)));
}

// Of a PNG, behind 8 bytes of signature: IHDR's length and name, width, height,
// bits per sample, colour type.
constexpr absl::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr size_t kWidthAt = 16, kHeightAt = 20, kColourTypeAt = 25;

int32_t BigEndian(absl::string_view data, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<uint8_t>(data[i]);
  }
  return static_cast<int32_t>(value);
}

// 0 if there is no such colour type.
int Channels(char colour_type) {
  switch (colour_type) {
    case 0:
      return 1;
    case 2:
    case 3:  // A palette of RGB.
      return 3;
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

double EventWriter::SystemClock() {
  return std::chrono::duration<double>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

EventWriter::EventWriter(const std::string& path, std::FILE* file, Clock clock)
    : path_(path), file_(file), clock_(std::move(clock)) {}

absl::StatusOr<std::unique_ptr<EventWriter>> EventWriter::Create(
    const std::string& folder, std::optional<int64_t> resume_after,
    Clock clock) {
  static std::atomic<int> number = 0;
  const std::string path =
      absl::StrCat(folder, "/events.out.tfevents.",
                   absl::Dec(static_cast<int64_t>(clock()), absl::kZeroPad10),
                   ".", HostName(), ".", getpid(), ".", number++);
  std::FILE* file = std::fopen(path.c_str(), "wbx");  // x: never over another.
  if (file == nullptr) return Failed("create", path, errno);
  std::unique_ptr<EventWriter> writer(
      new EventWriter(path, file, std::move(clock)));
  Event version;
  version.set_file_version("brain.Event:2");
  M2F_RETURN_IF_ERROR(writer->Write(0, std::move(version)));
  if (resume_after.has_value()) {
    Event session;
    session.mutable_session()->set_status(EventSession::START);
    M2F_RETURN_IF_ERROR(writer->Write(*resume_after + 1, std::move(session)));
  }
  return writer;
}

absl::Status EventWriter::WriteScalars(int64_t step, const Metrics& metrics) {
  Event event;
  for (const auto& [name, number] : metrics) {
    EventValue* value = event.mutable_summary()->add_value();
    value->set_tag(name);
    value->set_simple_value(static_cast<float>(number));
  }
  return Write(step, std::move(event));
}

absl::Status EventWriter::WriteImage(int64_t step, const std::string& tag,
                                     absl::string_view png) {
  if (!absl::StartsWith(png, kSignature) || png.size() <= kColourTypeAt ||
      Channels(png[kColourTypeAt]) == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("image \"", tag, "\" is not a PNG"));
  }
  Event event;
  EventValue* value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  EventImage* image = value->mutable_image();
  image->set_height(BigEndian(png, kHeightAt));
  image->set_width(BigEndian(png, kWidthAt));
  image->set_colorspace(Channels(png[kColourTypeAt]));
  image->set_encoded_image_string(png.data(), png.size());
  return Write(step, std::move(event));
}

absl::Status EventWriter::Write(int64_t step, Event event) {
  event.set_wall_time(clock_());
  if (step != 0) event.set_step(step);
  const std::string record = ToRecord(event.SerializeAsString());
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) !=
          record.size() ||
      std::fflush(file_.get()) != 0) {
    return Failed("write", path_, errno);
  }
  return absl::OkStatus();
}

}  // namespace mask2former
