#ifndef MASK2FORMER_EVAL_VISUALIZE_H_
#define MASK2FORMER_EVAL_VISUALIZE_H_

// Label maps as pictures, in the colours of Cityscapes or of other classes.
// Pictures are CV_8UC3 in the order R, G, B, label maps CV_8UC1 with train ids
// 0 .. K - 1; any other value, such as 255, is "no class". All are [H, W].

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace mask2former {

// [K] red, green, blue of each class; empty: the 19 of Cityscapes.
using ClassColors = std::vector<std::array<uint8_t, 3>>;

// Each class in its colour, "no class" black.
cv::Mat ColorizeTrainIds(const cv::Mat& train_ids,
                         const ClassColors& colors = {});

// `image` with the classes' colours over it, `alpha` 0 (image only) .. 1
// (colours only). Pixels of no class show the image as it is.
//
// Throws cv::Exception if sizes or types are different.
cv::Mat OverlayTrainIds(const cv::Mat& image, const cv::Mat& train_ids,
                        double alpha = 0.5, const ClassColors& colors = {});

// Panels side by side with white lines between them, all scaled to the height
// of the first.
cv::Mat JoinPanels(const std::vector<cv::Mat>& panels);

struct StripOptions {
  // Of the colours over the image in the last two panels. At 1 pixels of no
  // class are black, else they show the image.
  double alpha = 1;
  // Pixels of no class in the ground truth are shown as no class in the
  // prediction, too: they are not evaluated.
  bool hide_ignored = false;
  int max_panel_width = 1024;  // Wider images are made smaller.
  // LegendImage() below the panels; for the classes of Cityscapes.
  bool with_legend = false;
  ClassColors colors;
};

// image | ground truth | prediction. An empty `ground_truth` is left out.
//
// Throws cv::Exception if sizes or types are different.
cv::Mat EvaluationStrip(const cv::Mat& image, const cv::Mat& ground_truth,
                        const cv::Mat& prediction,
                        const StripOptions& options = {});

// The 19 classes: a field of each colour with its name, in rows of `width`
// pixels, at least 160.
cv::Mat LegendImage(int width);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_VISUALIZE_H_
