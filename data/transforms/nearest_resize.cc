#include "mask2former/data/transforms/nearest_resize.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mask2former {
namespace {

// Source pixel of result pixels begin .. begin + count - 1.
using SourceRule = std::vector<int> (*)(int64_t in, int64_t out, int begin,
                                        int count);

std::vector<int> FloorSources(int64_t in, int64_t out, int begin, int count) {
  std::vector<int> sources(count);
  for (int i = 0; i < count; ++i) {
    sources[i] = static_cast<int>((begin + i) * in / out);
  }
  return sources;
}

std::vector<int> CentreSources(int64_t in, int64_t out, int begin, int count) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  double position = step * 0.5;
  for (int i = 0; i < begin; ++i) position += step;
  std::vector<int> sources(count);
  for (int i = 0; i < count; ++i, position += step) {
    sources[i] = std::min(static_cast<int>(position), static_cast<int>(in) - 1);
  }
  return sources;
}

template <typename T>
cv::Mat Gather(const cv::Mat& label, const std::vector<int>& ys,
               const std::vector<int>& xs) {
  const auto height = static_cast<int>(ys.size());
  const auto width = static_cast<int>(xs.size());
  cv::Mat result(height, width, label.type());
  for (int y = 0; y < height; ++y) {
    T* out = result.ptr<T>(y);
    if (y > 0 && ys[y] == ys[y - 1]) {
      std::copy_n(result.ptr<T>(y - 1), width, out);
      continue;
    }
    const T* in = label.ptr<T>(ys[y]);
    for (int x = 0; x < width; ++x) out[x] = in[xs[x]];
  }
  return result;
}

cv::Mat Resize(const cv::Mat& label, const ImageSize& size,
               const cv::Rect& region, SourceRule rule) {
  TORCH_CHECK(!label.empty(), "label image to resize is empty");
  TORCH_CHECK(label.type() == CV_8UC1 || label.type() == CV_16UC1,
              "label image must be CV_8UC1 or CV_16UC1");
  TORCH_CHECK(region.width >= 1 && region.height >= 1 && region.x >= 0 &&
                  region.y >= 0 && region.x + region.width <= size.width &&
                  region.y + region.height <= size.height,
              "region at (", region.x, ", ", region.y, ") of ", region.height,
              " x ", region.width, " is not inside ", size.height, " x ",
              size.width);
  const std::vector<int> xs =
      rule(label.cols, size.width, region.x, region.width);
  const std::vector<int> ys =
      rule(label.rows, size.height, region.y, region.height);
  return label.type() == CV_8UC1 ? Gather<uint8_t>(label, ys, xs)
                                 : Gather<uint16_t>(label, ys, xs);
}

}  // namespace

cv::Mat ResizeNearest(const cv::Mat& label, const ImageSize& size,
                      const cv::Rect& region) {
  return Resize(label, size, region, FloorSources);
}

cv::Mat ResizeNearestCentre(const cv::Mat& label, const ImageSize& size,
                            const cv::Rect& region) {
  return Resize(label, size, region, CentreSources);
}

}  // namespace mask2former
