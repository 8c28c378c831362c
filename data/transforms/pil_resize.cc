#include "mask2former/data/transforms/pil_resize.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace mask2former {
namespace {

constexpr int kPrecisionBits = 22;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

// For each output in [begin, end): `count[i]` inputs from `first[i]` on, with
// weights from `weights[i * stride]` on.
struct Taps {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<int32_t> weights;
  int stride = 0;
};

Taps MakeTaps(int64_t in, int64_t out, int begin, int end) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double support = std::max(scale, 1.0);  // The triangle's half width.
  Taps taps;
  taps.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<size_t>(end - begin) * taps.stride);
  std::vector<double> weights(taps.stride);
  for (int i = begin; i < end; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5),
                              static_cast<int>(in));
    double sum = 0.0;
    for (int j = first; j < last; ++j) {
      const double distance = std::abs((j - center + 0.5) * (1.0 / support));
      weights[j - first] = distance < 1.0 ? 1.0 - distance : 0.0;
      sum += weights[j - first];
    }
    int32_t* fixed =
        &taps.weights[static_cast<size_t>(i - begin) * taps.stride];
    for (int j = 0; j < last - first; ++j) {
      const double weight = sum != 0.0 ? weights[j] / sum : weights[j];
      fixed[j] = static_cast<int32_t>(0.5 + weight * (1 << kPrecisionBits));
    }
    taps.first.push_back(first);
    taps.count.push_back(last - first);
  }
  return taps;
}

// Weights are not negative and sum to one up to rounding, so only the top can
// be passed.
uint8_t Round(int32_t sum) {
  return static_cast<uint8_t>(std::min(sum >> kPrecisionBits, 255));
}

template <int kChannels>
void ResizeRow(const uint8_t* in, const Taps& taps, uint8_t* out) {
  const int width = static_cast<int>(taps.first.size());
  for (int x = 0; x < width; ++x) {
    const uint8_t* pixel = in + taps.first[x] * kChannels;
    const int32_t* weights =
        &taps.weights[static_cast<size_t>(x) * taps.stride];
    int32_t sums[kChannels];
    for (int c = 0; c < kChannels; ++c) sums[c] = kHalf;
    for (int k = 0; k < taps.count[x]; ++k) {
      for (int c = 0; c < kChannels; ++c) {
        sums[c] += weights[k] * pixel[k * kChannels + c];
      }
    }
    for (int c = 0; c < kChannels; ++c) {
      out[x * kChannels + c] = Round(sums[c]);
    }
  }
}

// Columns [x, x + width) of rows [y, y + height), resized along rows to
// `taps`.
cv::Mat ResizeColumns(const cv::Mat& image, const Taps& taps, int y,
                      int height) {
  cv::Mat result(height, static_cast<int>(taps.first.size()), image.type());
  for (int row = 0; row < height; ++row) {
    const uint8_t* in = image.ptr<uint8_t>(y + row);
    uint8_t* out = result.ptr<uint8_t>(row);
    if (image.channels() == 3) {
      ResizeRow<3>(in, taps, out);
    } else {
      ResizeRow<1>(in, taps, out);
    }
  }
  return result;
}

// Row `i` of the result is a weighted sum of whole rows, which the compiler
// vectorises. `image` starts at row `offset` of what `taps` count.
cv::Mat ResizeRows(const cv::Mat& image, const Taps& taps, int offset) {
  const int height = static_cast<int>(taps.first.size());
  const int values = image.cols * image.channels();
  cv::Mat result(height, image.cols, image.type());
  std::vector<int32_t> sums(values);
  int32_t* sum = sums.data();
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < taps.count[y]; ++k) {
      const uint8_t* in = image.ptr<uint8_t>(taps.first[y] - offset + k);
      const int32_t weight =
          taps.weights[static_cast<size_t>(y) * taps.stride + k];
      for (int i = 0; i < values; ++i) sum[i] += weight * in[i];
    }
    uint8_t* out = result.ptr<uint8_t>(y);
    for (int i = 0; i < values; ++i) out[i] = Round(sum[i]);
  }
  return result;
}

}  // namespace

cv::Mat PilResizeBilinear(const cv::Mat& image, const ImageSize& size) {
  return PilResizeBilinear(image, size,
                           cv::Rect(0, 0, static_cast<int>(size.width),
                                    static_cast<int>(size.height)));
}

cv::Mat PilResizeBilinear(const cv::Mat& image, const ImageSize& size,
                          const cv::Rect& region) {
  TORCH_CHECK(!image.empty(), "image to resize is empty");
  TORCH_CHECK(image.type() == CV_8UC1 || image.type() == CV_8UC3,
              "image to resize must be CV_8UC1 or CV_8UC3");
  TORCH_CHECK(region.width >= 1 && region.height >= 1 && region.x >= 0 &&
                  region.y >= 0 && region.x + region.width <= size.width &&
                  region.y + region.height <= size.height,
              "region at (", region.x, ", ", region.y, ") of ", region.height,
              " x ", region.width, " is not inside ", size.height, " x ",
              size.width);
  const bool same_height = image.rows == size.height;
  // Rows of the picture that the region needs.
  int first_row = region.y;
  int end_row = region.y + region.height;
  Taps row_taps;
  if (!same_height) {
    row_taps = MakeTaps(image.rows, size.height, first_row, end_row);
    first_row = row_taps.first.front();
    end_row = row_taps.first.back() + row_taps.count.back();
  }
  cv::Mat columns;
  if (image.cols == size.width) {
    columns =
        image(cv::Rect(region.x, first_row, region.width, end_row - first_row));
  } else {
    const Taps taps =
        MakeTaps(image.cols, size.width, region.x, region.x + region.width);
    columns = ResizeColumns(image, taps, first_row, end_row - first_row);
  }
  return same_height ? columns.clone()
                     : ResizeRows(columns, row_taps, first_row);
}

}  // namespace mask2former
