#ifndef MASK2FORMER_EVAL_VISUALIZE_SEGMENTS_H_
#define MASK2FORMER_EVAL_VISUALIZE_SEGMENTS_H_

// Segments as pictures: stuff in its class's colour of Cityscapes, things in
// shades of it, one for each, with white outlines.

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace mask2former {

struct ColoredSegment {
  int32_t id;    // In the map, from 1.
  int label_id;  // 0..33
};

// A map of segments and what they are.
struct SegmentMap {
  cv::Mat ids;  // [H, W] CV_32SC1, 0 for none.
  std::vector<ColoredSegment> segments;
};

// [H, W] CV_8UC3 R, G, B, black where there is no segment and where it is not
// in the list. The shades of things depend on their order in the list only.
cv::Mat ColorizeSegments(const SegmentMap& map);

// `image` with these colours over it, `alpha` 0 (image only) .. 1 (colours
// only). Pixels without segment show the image as it is.
//
// Throws cv::Exception if sizes or types are different.
cv::Mat OverlaySegments(const cv::Mat& image, const SegmentMap& map,
                        double alpha = 0.6);

// image | ground truth over it | prediction over it. A ground truth without map
// is left out.
//
//   panel_width  in pixels, at most; wider images are made smaller
cv::Mat SegmentStrip(const cv::Mat& image, const SegmentMap& ground_truth,
                     const SegmentMap& prediction, int panel_width);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_VISUALIZE_SEGMENTS_H_
