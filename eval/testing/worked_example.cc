#include "mask2former/eval/testing/worked_example.h"

#include <cstdint>
#include <utility>

namespace mask2former {
namespace {

// Rows [top, bottom), columns [left, right).
struct Rectangle {
  int top, bottom, left, right, value;
};

cv::Mat Draw(int type, const std::vector<Rectangle>& rectangles) {
  cv::Mat image(64, 128, type, cv::Scalar(0));
  for (const Rectangle& r : rectangles) {
    image(cv::Range(r.top, r.bottom), cv::Range(r.left, r.right))
        .setTo(cv::Scalar(r.value));
  }
  return image;
}

ExampleImage MakeImage(const std::string& name,
                       const std::vector<Rectangle>& instances,
                       const std::vector<Rectangle>& predictions) {
  ExampleImage image;
  image.name = name;
  image.instances = Draw(CV_16UC1, instances);
  image.labels = LabelsOfInstances(image.instances);
  image.predictions = Draw(CV_8UC1, predictions);
  return image;
}

}  // namespace

std::vector<ExampleImage> WorkedExample() {
  return {MakeImage("aaa_000000_000019",
                    {{0, 32, 0, 128, 23},
                     {32, 60, 0, 128, 7},
                     {60, 64, 0, 128, 1},
                     {30, 46, 10, 40, 26000},
                     {32, 42, 50, 70, 26001},
                     {32, 42, 80, 100, 26},
                     {25, 45, 105, 110, 24000},
                     {40, 50, 112, 124, 29000},
                     {50, 56, 20, 28, 26002}},
                    {{0, 30, 0, 128, 23},
                     {30, 64, 0, 128, 7},
                     {30, 48, 12, 40, 26},
                     {32, 42, 50, 60, 26},
                     {32, 42, 60, 70, 27},
                     {32, 42, 80, 100, 26},
                     {25, 45, 105, 108, 24},
                     {25, 45, 108, 110, 25},
                     {40, 50, 112, 118, 28},
                     {40, 50, 118, 124, 29},
                     {50, 56, 20, 28, 26}}),
          MakeImage("aaa_000001_000019",
                    {{0, 20, 0, 128, 11},
                     {20, 64, 0, 128, 7},
                     {30, 50, 20, 60, 28000},
                     {40, 60, 70, 90, 33000},
                     {40, 60, 90, 110, 33001},
                     {56, 64, 0, 16, 18}},
                    {{0, 22, 0, 128, 11},
                     {22, 64, 0, 128, 7},
                     {30, 50, 20, 60, 27},
                     {40, 60, 70, 100, 33},
                     {56, 64, 0, 16, 17}})};
}

std::vector<std::vector<ExampleInstance>> WorkedPredictions() {
  struct Box {
    int top, bottom, left, right, label_id;
    double score;
  };
  const std::vector<std::vector<Box>> pictures = {{{30, 46, 12, 42, 26, 0.9},
                                                   {30, 46, 10, 34, 26, 0.8},
                                                   {32, 42, 50, 64, 26, 0.7},
                                                   {32, 42, 82, 102, 26, 0.95},
                                                   {50, 56, 20, 28, 26, 0.6},
                                                   {40, 50, 112, 124, 26, 0.5},
                                                   {25, 45, 105, 110, 25, 0.4},
                                                   {25, 43, 105, 110, 24, 0.3},
                                                   {60, 64, 0, 40, 26, 0.99}},
                                                  // B
                                                  {{30, 50, 22, 60, 28, 0.85},
                                                   {40, 60, 70, 110, 33, 0.75},
                                                   {40, 60, 70, 88, 33, 0.65},
                                                   {40, 58, 92, 110, 33, 0.55},
                                                   {2, 12, 2, 12, 33, 0.2}}};
  std::vector<std::vector<ExampleInstance>> result;
  for (const std::vector<Box>& boxes : pictures) {
    result.emplace_back();
    for (const Box& b : boxes) {
      result.back().push_back(
          {b.label_id, b.score,
           Draw(CV_8UC1, {{b.top, b.bottom, b.left, b.right, 255}})});
    }
  }
  return result;
}

std::vector<ExampleSegments> WorkedSegments() {
  // The last number is the category; ids count from 1.
  const std::vector<std::vector<Rectangle>> pictures = {
      {{30, 64, 0, 128, 7},
       {0, 30, 0, 128, 23},
       {30, 46, 12, 42, 26},
       {32, 42, 50, 64, 26},
       {32, 42, 82, 102, 26},
       {40, 50, 112, 124, 26},
       {25, 43, 105, 110, 24}},
      // B
      {{22, 64, 0, 128, 7},
       {0, 22, 0, 128, 11},
       {30, 50, 20, 60, 27},
       {40, 60, 70, 88, 33},
       {40, 60, 88, 110, 33},
       {56, 64, 0, 16, 17},
       {60, 64, 16, 32, 8}}};
  std::vector<ExampleSegments> result;
  for (std::vector<Rectangle> rectangles : pictures) {
    ExampleSegments segments;
    for (Rectangle& rectangle : rectangles) {
      segments.categories.push_back(rectangle.value);
      rectangle.value = static_cast<int>(segments.categories.size());
    }
    segments.ids = Draw(CV_32SC1, rectangles);
    result.push_back(std::move(segments));
  }
  return result;
}

cv::Mat LabelsOfInstances(const cv::Mat& instances) {
  cv::Mat labels(instances.size(), CV_8UC1);
  for (int y = 0; y < instances.rows; ++y) {
    for (int x = 0; x < instances.cols; ++x) {
      const int value = instances.at<uint16_t>(y, x);
      labels.at<uint8_t>(y, x) = value < 1000 ? value : value / 1000;
    }
  }
  return labels;
}

}  // namespace mask2former
