#include "mask2former/data/transforms/nearest_resize.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mask2former {
namespace {

std::vector<int> Sources(int64_t in, int64_t out, int begin, int count) {
  std::vector<int> sources(count);
  for (int i = 0; i < count; ++i) {
    sources[i] = static_cast<int>((begin + i) * in / out);
  }
  return sources;
}

}  // namespace

cv::Mat ResizeNearest(const cv::Mat& label, const ImageSize& size,
                      const cv::Rect& region) {
  TORCH_CHECK(!label.empty(), "label image to resize is empty");
  TORCH_CHECK(label.type() == CV_8UC1, "label image must be CV_8UC1");
  TORCH_CHECK(region.width >= 1 && region.height >= 1 && region.x >= 0 &&
                  region.y >= 0 && region.x + region.width <= size.width &&
                  region.y + region.height <= size.height,
              "region at (", region.x, ", ", region.y, ") of ", region.height,
              " x ", region.width, " is not inside ", size.height, " x ",
              size.width);
  const std::vector<int> xs =
      Sources(label.cols, size.width, region.x, region.width);
  const std::vector<int> ys =
      Sources(label.rows, size.height, region.y, region.height);
  cv::Mat result(region.height, region.width, CV_8UC1);
  for (int y = 0; y < region.height; ++y) {
    uint8_t* out = result.ptr<uint8_t>(y);
    if (y > 0 && ys[y] == ys[y - 1]) {
      std::copy_n(result.ptr<uint8_t>(y - 1), region.width, out);
      continue;
    }
    const uint8_t* in = label.ptr<uint8_t>(ys[y]);
    for (int x = 0; x < region.width; ++x) out[x] = in[xs[x]];
  }
  return result;
}

}  // namespace mask2former
