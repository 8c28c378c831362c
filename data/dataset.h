#ifndef MASK2FORMER_DATA_DATASET_H_
#define MASK2FORMER_DATA_DATASET_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/data/polygons/polygon.h"

namespace mask2former {

// Train id of a pixel that belongs to no class.
inline constexpr int kIgnoreLabel = 255;

// A thing, or all that a picture shows of a class of stuff.
struct Segment {
  int64_t id = 0;         // Unique in its picture; any positive number.
  int64_t class_id = 0;   // 0 .. K - 1
  bool is_crowd = false;  // Several things drawn as one: never a target.
  // What can be seen of it, in pixels; empty where a segment map says that.
  std::vector<Polygon> polygons;
};

// One annotated picture, as it lies on disk. The semantic task needs `label`,
// the others `segments` and, unless these have polygons, `segment_map`; what a
// task does not need is empty.
struct Sample {
  cv::Mat image;  // [H, W] CV_8UC3 in the order R, G, B, 0..255.
  cv::Mat label;  // [H, W] CV_8UC1 train ids 0 .. K - 1, 255 ignored.
  // [H, W] CV_16UC1: n + 1 where segments[n] is, 0 where none is.
  cv::Mat segment_map;
  std::vector<Segment> segments;
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
