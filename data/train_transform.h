#ifndef MASK2FORMER_DATA_TRAIN_TRANSFORM_H_
#define MASK2FORMER_DATA_TRAIN_TRANSFORM_H_

#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/polygons/polygon.h"
#include "mask2former/data/sample_random.h"
#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

// How a picture was cut out, to do the same to its labels.
struct TrainView {
  ImageSize original;    // Size of the picture as given,
  ImageSize resized;     // of the whole after resizing,
  cv::Rect crop;         // the part taken of that,
  bool flipped = false;  // whether it was mirrored left to right,
  ImageSize padded;      // and its size in the end.

  // A label image, resized as PyTorch does (ResizeNearest()), padded with
  // `padding`.
  cv::Mat MapLabel(const cv::Mat& label, uint8_t padding) const;

  // A map of segments, resized as Pillow does (ResizeNearestCentre()), padded
  // with 0.
  cv::Mat MapSegments(const cv::Mat& map) const;

  // The outlines of what the crop holds of a polygon; none if it holds nothing
  // of it. Returns as ClipPolygon().
  absl::StatusOr<std::vector<Polygon>> MapPolygon(const Polygon& polygon) const;
};

struct TransformedImage {
  cv::Mat image;  // [view.padded] CV_8UC3 in the order R, G, B.
  TrainView view;
};

// The random transforms that all tasks train with: resize to a random size,
// crop, distort colours, mirror, pad.
//
// Random numbers are drawn in this order: index of the size; upper and left
// edge of the crop, for each try; colours as DrawColorJitter(); mirroring.
//
// Resizing and cropping the picture are one step: only the pixels of the crop
// are computed.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 4 and the published training settings.
class TrainTransform {
 public:
  // Returns InvalidArgument, naming the field, if a value of `config` is out of
  // range.
  static absl::StatusOr<TrainTransform> Create(const InputConfig& config);

  // Transforms a picture.
  //
  //   image   [H, W] CV_8UC3 in the order R, G, B
  //   name    for messages
  //   labels  returns the picture's train ids [H, W] CV_8UC1; called only where
  //           config.single_category_max_area needs them. Null: crops need not
  //           be varied.
  //
  // Returns InvalidArgument, naming the picture, if the crop does not fit into
  // the padded size.
  absl::StatusOr<TransformedImage> Apply(
      const cv::Mat& image, const std::string& name, SampleRandom& random,
      const std::function<cv::Mat()>& labels = nullptr) const;

  // min_size_train, or the official list.
  const std::vector<int64_t>& sizes() const { return sizes_; }

 private:
  TrainTransform(const InputConfig& config, std::vector<int64_t> sizes);

  InputConfig config_;
  std::vector<int64_t> sizes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRAIN_TRANSFORM_H_
