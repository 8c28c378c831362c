#include "mask2former/eval/visualize_segments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <unordered_map>

#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/visualize.h"

namespace mask2former {
namespace {

using Color = std::array<uint8_t, 3>;

constexpr Color kBlack = {0, 0, 0};
constexpr Color kWhite = {255, 255, 255};

// The `number`th shade of a colour: mixed with white or black, the next ones
// far from each other.
Color Shade(const Color& color, int number) {
  constexpr std::array<double, 6> kSteps = {0, 0.45, -0.3, 0.25, 0.6, 0.12};
  const double step = kSteps[number % kSteps.size()];
  Color shade;
  for (int c = 0; c < 3; ++c) {
    const double towards = step > 0 ? 255 : 0;
    shade[c] = static_cast<uint8_t>(
        std::lround(color[c] + std::abs(step) * (towards - color[c])));
  }
  return shade;
}

struct Style {
  Color color = kBlack;
  bool outlined = false;
};

std::unordered_map<int32_t, Style> Styles(const SegmentMap& map) {
  std::unordered_map<int32_t, Style> styles;
  std::map<int, int> seen;  // By label id.
  for (const ColoredSegment& segment : map.segments) {
    const CityscapesLabel& label = CityscapesLabels()[segment.label_id];
    const int number = label.has_instances ? seen[label.id]++ : 0;
    styles[segment.id] = {Shade(label.color, number), label.has_instances};
  }
  return styles;
}

// Whether the pixel is the last of its segment to the right or below.
bool IsBorder(const cv::Mat& ids, int y, int x) {
  const int32_t id = ids.at<int32_t>(y, x);
  return (x + 1 < ids.cols && ids.at<int32_t>(y, x + 1) != id) ||
         (y + 1 < ids.rows && ids.at<int32_t>(y + 1, x) != id) ||
         (x > 0 && ids.at<int32_t>(y, x - 1) != id) ||
         (y > 0 && ids.at<int32_t>(y - 1, x) != id);
}

// At most `width` pixels wide.
cv::Mat Shrunk(const cv::Mat& image, int width, int interpolation) {
  if (image.cols <= width) return image;
  const int height = std::max<int>(
      1, std::lround(static_cast<double>(image.rows) * width / image.cols));
  // OpenCV resizes no 32-bit integers; ids are exact as doubles.
  cv::Mat numbers = image, small;
  if (image.type() == CV_32SC1) image.convertTo(numbers, CV_64FC1);
  cv::resize(numbers, small, cv::Size(width, height), 0, 0, interpolation);
  if (image.type() == CV_32SC1) small.convertTo(small, CV_32SC1);
  return small;
}

}  // namespace

cv::Mat ColorizeSegments(const SegmentMap& map) {
  CV_CheckTypeEQ(map.ids.type(), CV_32SC1, "ids must be CV_32SC1");
  std::unordered_map<int32_t, Style> styles = Styles(map);
  cv::Mat colors(map.ids.size(), CV_8UC3);
  for (int y = 0; y < map.ids.rows; ++y) {
    const int32_t* const ids = map.ids.ptr<int32_t>(y);
    uint8_t* pixel = colors.ptr<uint8_t>(y);
    for (int x = 0; x < map.ids.cols; ++x, pixel += 3) {
      const Style& style = styles[ids[x]];
      const Color& color =
          style.outlined && IsBorder(map.ids, y, x) ? kWhite : style.color;
      std::copy(color.begin(), color.end(), pixel);
    }
  }
  return colors;
}

cv::Mat OverlaySegments(const cv::Mat& image, const SegmentMap& map,
                        double alpha) {
  CV_CheckTypeEQ(image.type(), CV_8UC3, "image must be CV_8UC3");
  CV_Assert(image.size() == map.ids.size());
  cv::Mat overlay;
  cv::addWeighted(ColorizeSegments(map), alpha, image, 1 - alpha, 0, overlay);
  image.copyTo(overlay, map.ids == 0);
  return overlay;
}

cv::Mat SegmentStrip(const cv::Mat& image, const SegmentMap& ground_truth,
                     const SegmentMap& prediction, int panel_width) {
  const cv::Mat small = Shrunk(image, panel_width, cv::INTER_AREA);
  std::vector<cv::Mat> panels = {small};
  for (const SegmentMap* map : {&ground_truth, &prediction}) {
    if (map->ids.empty()) continue;
    CV_Assert(map->ids.size() == image.size());
    panels.push_back(OverlaySegments(
        small,
        {Shrunk(map->ids, panel_width, cv::INTER_NEAREST), map->segments}));
  }
  return JoinPanels(panels);
}

}  // namespace mask2former
