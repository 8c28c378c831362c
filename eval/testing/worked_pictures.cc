#include "mask2former/eval/testing/worked_pictures.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <memory>
#include <opencv2/core.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/testing/worked_example.h"
#include "mask2former/model/instance_inference.h"

namespace mask2former {
namespace {

int64_t TrainId(int label_id) { return CityscapesLabels()[label_id].train_id; }

at::Tensor ToTensor(cv::Mat image, at::ScalarType type) {
  return at::from_blob(image.data, {image.rows, image.cols}, type).clone();
}

cv::Mat TrainIds(const cv::Mat& label_ids) {
  cv::Mat train_ids;
  cv::LUT(label_ids,
          cv::Mat(1, 256, CV_8UC1,
                  const_cast<uint8_t*>(CityscapesIdToTrainId().data())),
          train_ids);
  return train_ids;
}

}  // namespace

std::vector<EvaluatedPicture> WorkedPictures() {
  const std::vector<ExampleImage> images = WorkedExample();
  const auto segments = WorkedSegments();
  const auto instances = WorkedPredictions();
  std::vector<EvaluatedPicture> pictures;
  for (size_t i = 0; i < images.size(); ++i) {
    EvaluatedPicture picture;
    picture.frame.name = images[i].name;
    picture.frame.image_path =
        absl::StrCat("pictures/", images[i].name, "_leftImg8bit.png");
    picture.image =
        cv::Mat(images[i].labels.size(), CV_8UC3, cv::Scalar(128, 128, 128));
    picture.label_ids = images[i].labels;
    picture.instance_ids = images[i].instances;
    PicturePrediction& prediction = picture.prediction;
    prediction.train_ids = TrainIds(images[i].predictions);
    prediction.panoptic.ids = ToTensor(segments[i].ids, at::kInt);
    for (const int category : segments[i].categories) {
      const auto id =
          static_cast<int32_t>(prediction.panoptic.segments.size()) + 1;
      prediction.panoptic.segments.push_back(
          {id, TrainId(category) >= kCityscapesFirstThing, TrainId(category),
           0.9});
    }
    for (const ExampleInstance& one : instances[i]) {
      prediction.instances.push_back(
          {one.score, TrainId(one.label_id), 0,
           std::make_shared<RunLengthMask>(
               EncodeMask(ToTensor(one.mask, at::kByte).to(at::kBool)))});
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace mask2former
