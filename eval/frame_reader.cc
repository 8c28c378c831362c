#include "mask2former/eval/frame_reader.h"

#include <utility>

#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/train_ids.h"

namespace mask2former {
namespace {

using Instances = FrameReaderOptions::Instances;

absl::StatusOr<LoadedFrame> LoadFrame(const CityscapesFrame& frame,
                                      const FrameReaderOptions& options) {
  LoadedFrame loaded;
  M2F_ASSIGN_OR_RETURN(loaded.image,
                       ReadPng(frame.image_path, PngFormat::kRgb8));
  if (options.needs_labels && options.label_source == DataConfig::LABEL_IDS) {
    M2F_ASSIGN_OR_RETURN(loaded.label_ids,
                         ReadPng(frame.label_ids_path, PngFormat::kGray8));
  } else if (options.needs_labels) {
    M2F_ASSIGN_OR_RETURN(
        const cv::Mat train_ids,
        ReadCityscapesLabel(frame.label_train_ids_path, options.label_source));
    M2F_ASSIGN_OR_RETURN(loaded.label_ids, TrainIdsToLabelIds(train_ids));
  }
  if (options.instances == Instances::kNeeded ||
      (options.instances == Instances::kIfThere &&
       DataFileExists(frame.instance_ids_path))) {
    M2F_ASSIGN_OR_RETURN(loaded.instance_ids,
                         ReadPng(frame.instance_ids_path, PngFormat::kGray16));
  }
  return loaded;
}

}  // namespace

FrameReader::FrameReader(absl::Span<const CityscapesFrame> frames,
                         const FrameReaderOptions& options)
    : frames_(frames), options_(options) {
  for (int i = 0; i < options.prefetch; ++i) StartNext();
}

absl::StatusOr<LoadedFrame> FrameReader::Next() {
  CHECK(!ahead_.empty()) << "Next() was called too often";
  std::future<absl::StatusOr<LoadedFrame>> first = std::move(ahead_.front());
  ahead_.pop_front();
  absl::StatusOr<LoadedFrame> loaded = first.get();
  StartNext();
  return loaded;
}

void FrameReader::StartNext() {
  if (started_ == frames_.size()) return;
  const CityscapesFrame& frame = frames_[started_++];
  ahead_.push_back(std::async(std::launch::async, [this, &frame] {
    return LoadFrame(frame, options_);
  }));
}

}  // namespace mask2former
