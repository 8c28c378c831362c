#include "mask2former/eval/instance_hits.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

// Pixels of an average instance of the training set, by label id from 24; the
// constants of the official scripts.
constexpr std::array<double, InstanceHits::kIds> kAverageSize = {
    3462.4756337644,   // person
    3930.4788056518,   // rider
    12794.0202738185,  // car
    27855.1264367816,  // truck
    35732.1511111111,  // bus
    36771.8241758242,  // caravan, ignored
    16926.9763313609,  // trailer, ignored
    67583.7075812274,  // train
    6298.7200839748,   // motorcycle
    4672.3249222261,   // bicycle
};

constexpr int kEnd = 34000;  // Above every instance of label ids up to 33.

struct Instance {
  int value;
  int64_t size = 0;
  int64_t class_hits = 0;
  int64_t category_hits = 0;
};

// Where an instance value is invalid, its count tells.
struct Instances {
  // Place in `found` by value, plus one; 0: none.
  std::vector<uint16_t> place_of = std::vector<uint16_t>(kEnd);
  std::vector<Instance> found;
  int64_t beyond = 0;  // Pixels with values of kEnd or more,
  int largest = 0;     // and the largest of them.

  Instance& Of(int value) {
    if (place_of[value] == 0) {
      found.push_back({value});
      place_of[value] = static_cast<uint16_t>(found.size());
    }
    return found[place_of[value] - 1];
  }
};

uint64_t Word(const void* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

// Not zero if any of the four values is above 1000.
uint64_t AnyInstance(const uint16_t* four_values) {
  constexpr uint64_t kTops = 0x8000800080008000;
  // Added to the lower 15 bits of a value, this sets its top bit from 1001 on.
  constexpr uint64_t kTo1001 = (0x8000 - 1001) * uint64_t{0x0001000100010001};
  const uint64_t four = Word(four_values);
  return (((four & ~kTops) + kTo1001) | four) & kTops;
}

// The first place from `x` on that holds an instance, or `width`.
int FindInstance(const uint16_t* values, int x, int width) {
  while (x + 16 <= width &&
         (AnyInstance(values + x) | AnyInstance(values + x + 4) |
          AnyInstance(values + x + 8) | AnyInstance(values + x + 12)) == 0) {
    x += 16;
  }
  while (x < width && values[x] <= 1000) ++x;
  return x;
}

// The first place from `x` on that has another value, or `width`.
int FindEnd(const uint16_t* values, int x, int width) {
  const uint16_t value = values[x];
  const uint64_t same = value * uint64_t{0x0001000100010001};
  while (x + 4 <= width && Word(values + x) == same) x += 4;
  while (x < width && values[x] == value) ++x;
  return x;
}

void CountRow(const uint16_t* values, const uint8_t* prediction, int width,
              Instances& instances) {
  for (int x = FindInstance(values, 0, width); x < width;
       x = FindInstance(values, x, width)) {
    const int value = values[x];
    const int start = x;
    x = FindEnd(values, x, width);
    if (value >= kEnd) {
      instances.beyond += x - start;
      instances.largest = std::max(instances.largest, value);
      continue;
    }
    const int id = value / 1000;
    // Of the ids with instances, 24 and 25 are human, 26..33 vehicles.
    const int first = id < 26 ? 24 : 26;
    const int last = id < 26 ? 25 : 33;
    Instance& instance = instances.Of(value);
    instance.size += x - start;
    // Mostly all are right.
    const uint64_t all_right = id * uint64_t{0x0101010101010101};
    for (int i = start; i < x;) {
      if (i + 8 <= x && Word(prediction + i) == all_right) {
        instance.class_hits += 8;
        instance.category_hits += 8;
        i += 8;
        continue;
      }
      for (const int end = std::min(i + 8, x); i < end; ++i) {
        instance.class_hits += prediction[i] == id;
        instance.category_hits +=
            prediction[i] >= first && prediction[i] <= last;
      }
    }
  }
}

absl::Status CheckImages(const cv::Mat& instances, const cv::Mat& prediction) {
  if (instances.dims != 2 || instances.channels() != 1 ||
      (instances.depth() != CV_8U && instances.depth() != CV_16U)) {
    return absl::InvalidArgumentError(
        "the instance image must be gray with 16 bits per pixel");
  }
  if (prediction.type() != CV_8UC1) {
    return absl::InvalidArgumentError(
        "the prediction must be gray with 8 bits per pixel");
  }
  if (instances.size() != prediction.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the instance image is ", instances.rows, " x ",
                     instances.cols, " (height x width), the prediction ",
                     prediction.rows, " x ", prediction.cols));
  }
  return absl::OkStatus();
}

absl::Status CheckValues(const Instances& instances) {
  if (instances.beyond > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the instance image has values up to ", instances.largest,
                     " (", instances.beyond,
                     " pixels); instances are label id x 1000 + number, "
                     "with label ids up to 33"));
  }
  for (const Instance& instance : instances.found) {
    const CityscapesLabel& label = CityscapesLabels()[instance.value / 1000];
    if (!label.ignore_in_eval && !label.has_instances) {
      return absl::InvalidArgumentError(
          absl::StrCat("the instance image has the value ", instance.value,
                       " at ", instance.size, " pixels, an instance of \"",
                       label.name, "\", a class without instances"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void WeightedHits::Add(double weight, int64_t hit_pixels,
                       int64_t missed_pixels) {
  hits.Add(static_cast<double>(hit_pixels) * weight);
  misses.Add(static_cast<double>(missed_pixels) * weight);
}

void WeightedHits::Merge(const WeightedHits& other) {
  hits.Merge(other.hits);
  misses.Merge(other.misses);
}

absl::Status InstanceHits::Add(const cv::Mat& instances,
                               const cv::Mat& prediction) {
  M2F_RETURN_IF_ERROR(CheckImages(instances, prediction));
  Instances all;
  for (int y = 0; y < instances.rows; ++y) {
    const uint8_t* const predicted = prediction.ptr<uint8_t>(y);
    if (instances.depth() == CV_16U) {
      CountRow(instances.ptr<uint16_t>(y), predicted, instances.cols, all);
    }
    // No value of an 8-bit image is above 1000.
  }
  std::sort(
      all.found.begin(), all.found.end(),
      [](const Instance& a, const Instance& b) { return a.value < b.value; });
  M2F_RETURN_IF_ERROR(CheckValues(all));
  for (const Instance& instance : all.found) {
    const CityscapesLabel& label = CityscapesLabels()[instance.value / 1000];
    if (label.ignore_in_eval) continue;
    const double weight =
        kAverageSize[label.id - kFirstId] / static_cast<double>(instance.size);
    ForClass(label.id).Add(weight, instance.class_hits,
                           instance.size - instance.class_hits);
    ForCategory(label.category_id)
        .Add(weight, instance.category_hits,
             instance.size - instance.category_hits);
  }
  return absl::OkStatus();
}

void InstanceHits::Merge(const InstanceHits& other) {
  for (int i = 0; i < kIds; ++i) classes_[i].Merge(other.classes_[i]);
  for (int i = 0; i < 2; ++i) categories_[i].Merge(other.categories_[i]);
}

}  // namespace mask2former
