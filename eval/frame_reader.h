#ifndef MASK2FORMER_EVAL_FRAME_READER_H_
#define MASK2FORMER_EVAL_FRAME_READER_H_

#include <cstddef>
#include <deque>
#include <future>
#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

struct FrameReaderOptions {
  // Label images are read from here, as label ids.
  DataConfig::LabelSource label_source = DataConfig::LABEL_IDS;
  bool needs_labels = true;
  // kIfThere: a missing instanceIds image leaves LoadedFrame's empty.
  enum class Instances { kNone, kIfThere, kNeeded };
  Instances instances = Instances::kIfThere;
  int prefetch = 2;  // Frames read ahead, >= 1.
};

struct LoadedFrame {
  cv::Mat image;         // [H, W] CV_8UC3, R, G, B, as in the file.
  cv::Mat label_ids;     // [H, W] CV_8UC1; empty unless needed.
  cv::Mat instance_ids;  // [H, W] CV_16UC1; empty unless wanted and there.
};

// Reads frames in order, some of them ahead, each in a thread of its own.
class FrameReader {
 public:
  // `frames` outlives it.
  FrameReader(absl::Span<const CityscapesFrame> frames,
              const FrameReaderOptions& options);

  // The next frame; to be called as often as there are frames.
  //
  // Returns the error of a file that cannot be read.
  absl::StatusOr<LoadedFrame> Next();

 private:
  void StartNext();

  const absl::Span<const CityscapesFrame> frames_;
  const FrameReaderOptions options_;
  size_t started_ = 0;
  // Their destructors wait for the threads.
  std::deque<std::future<absl::StatusOr<LoadedFrame>>> ahead_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_FRAME_READER_H_
