#include "mask2former/eval/visualize.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

constexpr int kSeparator = 4;  // Pixels between panels.
const cv::Scalar kWhite(255, 255, 255);

cv::Scalar ColorOf(int train_id) {
  const auto& color = CityscapesClass(train_id).color;
  return cv::Scalar(color[0], color[1], color[2]);
}

// [1, 256] CV_8UC3, black where there is no class.
cv::Mat MakePalette(const ClassColors& colors) {
  CV_CheckLE(colors.size(), size_t{256}, "labels have 8 bits");
  cv::Mat palette(1, 256, CV_8UC3, cv::Scalar());
  if (colors.empty()) {
    for (int train_id = 0; train_id < kCityscapesClasses; ++train_id) {
      palette.col(train_id) = ColorOf(train_id);
    }
  }
  for (size_t k = 0; k < colors.size(); ++k) {
    palette.col(static_cast<int>(k)) =
        cv::Scalar(colors[k][0], colors[k][1], colors[k][2]);
  }
  return palette;
}

// 255 where there is no class.
cv::Mat NoClass(const cv::Mat& train_ids, const ClassColors& colors) {
  return train_ids >= (colors.empty() ? static_cast<double>(kCityscapesClasses)
                                      : static_cast<double>(colors.size()));
}

cv::Mat ScaledToWidth(const cv::Mat& image, int width, int interpolation) {
  if (image.cols == width) return image;
  const int height = std::max<int>(
      1, std::lround(static_cast<double>(image.rows) * width / image.cols));
  cv::Mat scaled;
  cv::resize(image, scaled, cv::Size(width, height), 0, 0, interpolation);
  return scaled;
}

}  // namespace

cv::Mat ColorizeTrainIds(const cv::Mat& train_ids, const ClassColors& colors) {
  CV_CheckTypeEQ(train_ids.type(), CV_8UC1, "train_ids must be CV_8UC1");
  cv::Mat three, painted;
  cv::merge(std::vector<cv::Mat>(3, train_ids), three);
  cv::LUT(three, MakePalette(colors), painted);
  return painted;
}

cv::Mat OverlayTrainIds(const cv::Mat& image, const cv::Mat& train_ids,
                        double alpha, const ClassColors& colors) {
  CV_CheckTypeEQ(image.type(), CV_8UC3, "image must be CV_8UC3");
  CV_Assert(image.size() == train_ids.size());
  cv::Mat overlay;
  cv::addWeighted(ColorizeTrainIds(train_ids, colors), alpha, image, 1 - alpha,
                  0, overlay);
  image.copyTo(overlay, NoClass(train_ids, colors));
  return overlay;
}

cv::Mat JoinPanels(const std::vector<cv::Mat>& panels) {
  CV_Assert(!panels.empty());
  std::vector<cv::Mat> parts;
  const int height = panels[0].rows;
  const cv::Mat separator(height, kSeparator, CV_8UC3, kWhite);
  for (const cv::Mat& panel : panels) {
    CV_CheckTypeEQ(panel.type(), CV_8UC3, "panels must be CV_8UC3");
    if (!parts.empty()) parts.push_back(separator);
    const int width = std::max<int>(
        1, std::lround(static_cast<double>(panel.cols) * height / panel.rows));
    cv::Mat scaled = panel;
    if (panel.rows != height) {
      cv::resize(panel, scaled, cv::Size(width, height), 0, 0, cv::INTER_AREA);
    }
    parts.push_back(scaled);
  }
  cv::Mat joined;
  cv::hconcat(parts, joined);
  return joined;
}

cv::Mat EvaluationStrip(const cv::Mat& image, const cv::Mat& ground_truth,
                        const cv::Mat& prediction,
                        const StripOptions& options) {
  CV_CheckTypeEQ(image.type(), CV_8UC3, "image must be CV_8UC3");
  CV_Assert(image.size() == prediction.size());
  CV_Assert(ground_truth.empty() || ground_truth.size() == image.size());
  const int width = std::min(image.cols, options.max_panel_width);
  const cv::Mat small = ScaledToWidth(image, width, cv::INTER_AREA);
  // Of labels, each pixel takes one: mixtures would be other classes' colours.
  cv::Mat predicted = ScaledToWidth(prediction, width, cv::INTER_NEAREST);
  const auto paint = [&](const cv::Mat& train_ids) {
    return options.alpha == 1 ? ColorizeTrainIds(train_ids, options.colors)
                              : OverlayTrainIds(small, train_ids, options.alpha,
                                                options.colors);
  };
  std::vector<cv::Mat> panels = {small};
  if (!ground_truth.empty()) {
    const cv::Mat truth = ScaledToWidth(ground_truth, width, cv::INTER_NEAREST);
    if (options.hide_ignored) {
      predicted = predicted.clone();
      predicted.setTo(kCityscapesIgnore, NoClass(truth, options.colors));
    }
    panels.push_back(paint(truth));
  }
  panels.push_back(paint(predicted));
  cv::Mat strip = JoinPanels(panels);
  if (options.with_legend) {
    cv::vconcat(strip, LegendImage(strip.cols), strip);
  }
  return strip;
}

cv::Mat LegendImage(int width) {
  constexpr int kFieldWidth = 160;
  constexpr int kFieldHeight = 24;
  CV_CheckGE(width, kFieldWidth, "the legend needs a field's width");
  const int columns = std::min(width / kFieldWidth, kCityscapesClasses);
  const int rows = (kCityscapesClasses + columns - 1) / columns;
  cv::Mat legend(rows * kFieldHeight, width, CV_8UC3, kWhite);
  for (int train_id = 0; train_id < kCityscapesClasses; ++train_id) {
    const cv::Point corner(train_id % columns * kFieldWidth,
                           train_id / columns * kFieldHeight);
    cv::rectangle(legend, cv::Rect(corner.x + 4, corner.y + 4, 24, 16),
                  ColorOf(train_id), cv::FILLED);
    cv::putText(legend, std::string(CityscapesClass(train_id).name),
                corner + cv::Point(34, 17), cv::FONT_HERSHEY_SIMPLEX, 0.45,
                cv::Scalar(), 1, cv::LINE_AA);
  }
  return legend;
}

}  // namespace mask2former
