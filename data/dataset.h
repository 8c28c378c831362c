#ifndef MASK2FORMER_DATA_DATASET_H_
#define MASK2FORMER_DATA_DATASET_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

// Train id of a pixel that belongs to no class.
inline constexpr int kIgnoreLabel = 255;

// One annotated picture, as it lies on disk.
struct Sample {
  cv::Mat image;     // [H, W] CV_8UC3 in the order R, G, B, 0..255.
  cv::Mat label;     // [H, W] CV_8UC1 train ids 0 .. K - 1, 255 ignored.
  std::string name;  // For messages, e.g. "ulm_000001_000019".
  std::string image_path;
  std::string label_path;
};

// Numbered annotated pictures. To train on other data, implement this.
class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual int64_t size() const = 0;

  // Reads sample `index`, 0 .. size() - 1. Called from several threads at a
  // time.
  //
  // An error names the file and the way out.
  virtual absl::StatusOr<Sample> Load(int64_t index) const = 0;

  // K.
  virtual int64_t num_classes() const = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_DATASET_H_
