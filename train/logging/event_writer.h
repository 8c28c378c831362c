#ifndef MASK2FORMER_TRAIN_LOGGING_EVENT_WRITER_H_
#define MASK2FORMER_TRAIN_LOGGING_EVENT_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/train/logging/event.pb.h"
#include "mask2former/train/logging/metrics.h"

namespace mask2former {

// Writes a file that TensorBoard shows: "tensorboard --logdir <folder>".
//
// Source: tensorflow/core/util/event.proto; TFRecord,
// https://www.tensorflow.org/tutorials/load_data/tfrecord, section Format.
class EventWriter {
 public:
  // Seconds since 1970.
  using Clock = std::function<double()>;

  // Starts a file events.out.tfevents.<seconds>.<host>.<process>.<number> in
  // `folder`, which exists. A continued run adds a file of its own;
  // `resume_after` is the last step to keep of the earlier ones, so that
  // TensorBoard does not draw the steps after it twice. Empty for a new run.
  static absl::StatusOr<std::unique_ptr<EventWriter>> Create(
      const std::string& folder, std::optional<int64_t> resume_after,
      Clock clock = SystemClock);

  // Adds a point to the curve of each metric. A name such as "loss/class" puts
  // curves of one prefix together. Values are rounded to float.
  absl::Status WriteScalars(int64_t step, const Metrics& metrics);

  // Adds a picture to the row `tag`.
  //
  // Returns InvalidArgument if `png` does not begin as a PNG does.
  absl::Status WriteImage(int64_t step, const std::string& tag,
                          absl::string_view png);

  const std::string& path() const { return path_; }

  static double SystemClock();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  EventWriter(const std::string& path, std::FILE* file, Clock clock);

  // Frames the event and hands it to the system.
  absl::Status Write(int64_t step, Event event);

  const std::string path_;
  const std::unique_ptr<std::FILE, Close> file_;
  const Clock clock_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_EVENT_WRITER_H_
