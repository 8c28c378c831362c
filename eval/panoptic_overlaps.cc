#include "mask2former/eval/panoptic_overlaps.h"

#include <cstring>
#include <opencv2/core.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

// A row of ids, however stored. Ids come in long runs.
class RgbRow {
 public:
  RgbRow(const cv::Mat& map, int y) : pixels_(map.ptr<uint8_t>(y)) {}

  int64_t id(int x) const {
    const uint8_t* const p = pixels_ + 3 * x;
    return p[0] | p[1] << 8 | p[2] << 16;
  }
  // Whether eight pixels from x + 1 on are like pixel x.
  bool NextEightAlike(int x) const {
    return std::memcmp(pixels_ + 3 * x, pixels_ + 3 * x + 3, 24) == 0;
  }

 private:
  const uint8_t* pixels_;
};

class IntRow {
 public:
  IntRow(const cv::Mat& map, int y) : pixels_(map.ptr<int32_t>(y)) {}

  int64_t id(int x) const { return pixels_[x]; }
  bool NextEightAlike(int x) const {
    return std::memcmp(pixels_ + x, pixels_ + x + 1, 32) == 0;
  }

 private:
  const int32_t* pixels_;
};

template <typename TruthRow, typename PredictionRow>
PanopticOverlaps Count(const cv::Mat& truth, const cv::Mat& prediction) {
  PanopticOverlaps overlaps;
  PanopticOverlap last = {-1, -1};
  int64_t* count = nullptr;  // Of `last`; runs go on in the next row.
  const int width = truth.cols;
  for (int y = 0; y < truth.rows; ++y) {
    const TruthRow t(truth, y);
    const PredictionRow p(prediction, y);
    for (int x = 0; x < width;) {
      const PanopticOverlap here = {t.id(x), p.id(x)};
      const int start = x++;
      while (x + 8 <= width && t.NextEightAlike(x - 1) &&
             p.NextEightAlike(x - 1)) {
        x += 8;
      }
      while (x < width && t.id(x) == here.truth && p.id(x) == here.prediction) {
        ++x;
      }
      if (count == nullptr || !(here == last)) {
        count = &overlaps[here];
        last = here;
      }
      *count += x - start;
    }
  }
  return overlaps;
}

bool IsMap(const cv::Mat& map) {
  return !map.empty() && (map.type() == CV_32SC1 || map.type() == CV_8UC3);
}

}  // namespace

absl::StatusOr<PanopticOverlaps> CountPanopticOverlaps(
    const cv::Mat& truth, const cv::Mat& prediction) {
  for (const cv::Mat* map : {&truth, &prediction}) {
    if (!IsMap(*map)) {
      return absl::InvalidArgumentError(absl::StrCat(
          map == &truth ? "the ground truth" : "the prediction", " is ",
          map->rows, " x ", map->cols, " of ", cv::typeToString(map->type()),
          "; want segment ids as CV_32SC1, or 8-bit RGB with id = R + 256 G + "
          "65536 B"));
    }
  }
  if (truth.size() != prediction.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the prediction is ", prediction.rows, " x ", prediction.cols,
        " (height x width), the ground truth ", truth.rows, " x ", truth.cols,
        "; predict at the size of the ground truth"));
  }
  const bool rgb_truth = truth.type() == CV_8UC3;
  const bool rgb_prediction = prediction.type() == CV_8UC3;
  PanopticOverlaps overlaps =
      rgb_truth ? (rgb_prediction ? Count<RgbRow, RgbRow>(truth, prediction)
                                  : Count<RgbRow, IntRow>(truth, prediction))
                : (rgb_prediction ? Count<IntRow, RgbRow>(truth, prediction)
                                  : Count<IntRow, IntRow>(truth, prediction));
  for (const auto& [overlap, pixels] : overlaps) {
    if (overlap.truth < 0 || overlap.prediction < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          overlap.truth < 0 ? "the ground truth" : "the prediction",
          " has the negative segment id ",
          overlap.truth < 0 ? overlap.truth : overlap.prediction));
    }
  }
  return overlaps;
}

}  // namespace mask2former
