#include "mask2former/eval/testing/random_images.h"

#include <algorithm>
#include <iterator>
#include <opencv2/core.hpp>
#include <set>
#include <utility>

#include "mask2former/common/testing/reference_values.h"

namespace mask2former {

Draws::Draws(const std::string& name) {
  const at::Tensor uniform = ReferenceUniform(name, 200);
  const double* const begin = uniform.const_data_ptr<double>();
  values_.assign(begin, begin + uniform.numel());
}

cv::Rect Draws::Rectangle() {
  const int top = (*this)(kHeight - 4);
  const int left = (*this)(kWidth - 4);
  const int height = 1 + (*this)(kHeight / 2);
  const int width = 1 + (*this)(kWidth / 3);
  return cv::Rect(left, top, width, height) & cv::Rect(0, 0, kWidth, kHeight);
}

ExampleImage RandomImage(const std::string& name) {
  constexpr int kBackgrounds[] = {7, 11, 21, 23, 0};
  Draws draw(name);
  ExampleImage image;
  image.instances.create(Draws::kHeight, Draws::kWidth, CV_16UC1);
  image.instances = kBackgrounds[draw(5)];
  for (int i = 0; i < 7; ++i) {
    cv::Mat region = image.instances(draw.Rectangle());
    if (draw(2) == 0) {
      region = draw(34);
    } else {
      const int id = 24 + draw(10);
      region = id * 1000 + draw(3);
    }
  }
  image.labels = LabelsOfInstances(image.instances);
  image.predictions = image.labels.clone();
  for (int i = 0; i < 5; ++i) {
    cv::Mat region = image.predictions(draw.Rectangle());
    region = draw(2) == 0 ? draw(34) : 24 + draw(10);
  }
  return image;
}

std::vector<ExampleInstance> RandomPredictions(const std::string& name,
                                               const cv::Mat& instances) {
  constexpr int kInside = 255;
  const cv::Mat labels = LabelsOfInstances(instances);
  Draws draw(name + "/masks");
  std::vector<ExampleInstance> predictions;
  for (int i = 0; i < 12; ++i) {
    ExampleInstance prediction;
    prediction.label_id = 24 + draw(10);
    prediction.score = (1 + draw(10)) / 16.0;
    const int kind = draw(4);
    const int row = draw(Draws::kHeight);
    const int column = draw(Draws::kWidth);
    const cv::Rect rectangle = draw.Rectangle();
    if (kind == 0) {
      prediction.mask = cv::Mat::zeros(instances.size(), CV_8UC1);
      prediction.mask(rectangle) = kInside;
    } else {
      prediction.mask = instances == instances.at<uint16_t>(row, column);
      prediction.mask(rectangle) = kind == 3 ? kInside : 0;
      const int label = labels.at<uint8_t>(row, column);
      if (label >= 24) prediction.label_id = label;
    }
    predictions.push_back(std::move(prediction));
  }
  return predictions;
}

RandomSegmentation RandomSegments(const std::string& name,
                                  const cv::Mat& instances) {
  constexpr int kClasses[] = {7,  8,  11, 12, 13, 17, 19, 20, 21, 22,
                              23, 24, 25, 26, 27, 28, 31, 32, 33};
  Draws draw(name + "/segments");
  std::set<int> values;
  for (const uint16_t value : cv::Mat_<uint16_t>(instances)) {
    values.insert(value);
  }
  RandomSegmentation result;
  result.ids = cv::Mat::zeros(instances.size(), CV_32SC1);
  int id = 0;
  for (const int value : values) {
    id += 300;
    const int label = value < 1000 ? value : value / 1000;
    int category = kClasses[draw(19)];
    const bool is_class = std::find(std::begin(kClasses), std::end(kClasses),
                                    label) != std::end(kClasses);
    if (is_class && draw(5) > 0) category = label;
    result.ids.setTo(id, instances == value);
    result.categories[id] = category;
  }
  for (int i = 0; i < 6; ++i) {
    cv::Mat region = result.ids(draw.Rectangle());
    const bool is_void = draw(3) == 0;
    const int category = kClasses[draw(19)];
    region = is_void ? 0 : 70000 + i;
    if (!is_void) result.categories[70000 + i] = category;
  }
  for (auto it = result.categories.begin(); it != result.categories.end();) {
    it = cv::countNonZero(result.ids == it->first) == 0
             ? result.categories.erase(it)
             : std::next(it);
  }
  return result;
}

}  // namespace mask2former
