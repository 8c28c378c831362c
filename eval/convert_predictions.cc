#include "mask2former/eval/convert_predictions.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <opencv2/core.hpp>

#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {

PanopticImage ToPanopticImage(const PanopticPrediction& prediction,
                              const NetworkClasses& classes) {
  const at::Tensor ids = prediction.ids.contiguous();
  PanopticImage image;
  image.ids =
      cv::Mat(static_cast<int>(ids.size(0)), static_cast<int>(ids.size(1)),
              CV_32SC1, ids.data_ptr<int32_t>())
          .clone();
  for (const PredictedSegment& segment : prediction.segments) {
    image.segments.push_back({segment.id, classes.label_ids[segment.category]});
  }
  return image;
}

SegmentMap ToSegmentMap(const PanopticImage& image) {
  SegmentMap map = {image.ids, {}};
  for (const PanopticSegment& segment : image.segments) {
    map.segments.push_back(
        {static_cast<int32_t>(segment.id), segment.category_id});
  }
  return map;
}

SegmentMap ToThingMap(const PanopticImage& image) {
  SegmentMap map = {image.ids.clone(), {}};
  for (const PanopticSegment& segment : image.segments) {
    if (CityscapesLabels()[segment.category_id].has_instances) {
      map.segments.push_back(
          {static_cast<int32_t>(segment.id), segment.category_id});
    } else {
      map.ids.setTo(0, map.ids == static_cast<double>(segment.id));
    }
  }
  return map;
}

cv::Mat InstanceMask(const InstancePrediction& instance) {
  cv::Mat mask(static_cast<int>(instance.mask->height()),
               static_cast<int>(instance.mask->width()), CV_8UC1);
  instance.mask->Decode(mask.data);
  return mask;
}

SegmentMap ToSegmentMap(const std::vector<InstancePrediction>& instances,
                        const NetworkClasses& classes, double min_score,
                        const cv::Size& size) {
  SegmentMap map = {cv::Mat(size, CV_32SC1, cv::Scalar(0)), {}};
  for (const InstancePrediction& instance : instances) {
    if (instance.score < min_score) break;
    const auto id = static_cast<int32_t>(map.segments.size()) + 1;
    map.segments.push_back({id, classes.label_ids[instance.category]});
  }
  for (size_t i = map.segments.size(); i > 0; --i) {
    map.ids.setTo(static_cast<double>(i), InstanceMask(instances[i - 1]));
  }
  return map;
}

}  // namespace mask2former
