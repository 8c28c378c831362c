#ifndef MASK2FORMER_TRAIN_LOGGING_METRICS_WRITER_H_
#define MASK2FORMER_TRAIN_LOGGING_METRICS_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/train/logging/metrics.h"

namespace mask2former {

// Appends metrics to a text file, one JSON object a line:
//
//   {"iteration": 20, "loss": 41.5, "lr": 0.0001}
//
// Numbers read back exactly. JSON has no word for numbers that are not finite;
// they are the strings "NaN", "Infinity" and "-Infinity".
class MetricsWriter {
 public:
  // Opens `path`, in a folder that exists.
  //
  // `resume_after` is the last iteration whose metrics are to stay: lines of
  // later ones, which the continued run will write again, are removed, as is a
  // last line that a crash cut off. Lines without "iteration" stay. Empty for a
  // new run.
  //
  // Returns AlreadyExists if a new run would write into a file that is not
  // empty.
  static absl::StatusOr<std::unique_ptr<MetricsWriter>> Create(
      const std::string& path, std::optional<int64_t> resume_after);

  // Writes one line and hands it to the system, so that a crash of the program
  // cannot lose it. The names in `metrics` differ; none is "iteration".
  absl::Status Write(int64_t iteration, const Metrics& metrics);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  MetricsWriter(const std::string& path, std::FILE* file)
      : path_(path), file_(file) {}

  const std::string path_;
  const std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_METRICS_WRITER_H_
