#ifndef MASK2FORMER_DATA_TESTING_TINY_CITYSCAPES_H_
#define MASK2FORMER_DATA_TESTING_TINY_CITYSCAPES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace mask2former {

struct TinyCityscapesOptions {
  int64_t train_images = 4;  // Spread over two cities.
  int64_t val_images = 2;
  int64_t height = 64;
  int64_t width = 128;
  // Write *_gtFine_labelTrainIds.png too.
  bool train_ids = false;
};

// Writes a data set in Cityscapes' layout below `root`, folders included:
// pictures, labelIds, instanceIds and polygons. Sky above, road below, a car
// and a person whose places differ from picture to picture, a border of "out of
// roi"; each class has its label's colour with some noise, so that it can be
// learnt. The same on every machine.
//
// Picture i of train lies in city "aachen" for even i, "ulm" for odd ones,
// those of val in "tinyville", no official city: {city}_{i:06}_000019.
absl::Status WriteTinyCityscapes(const std::string& root,
                                 const TinyCityscapesOptions& options = {});

// Path below `root`, e.g. TinyCityscapesPath(root, "gtFine", "train", 0,
// "gtFine_labelIds").
std::string TinyCityscapesPath(const std::string& root, const std::string& kind,
                               const std::string& split, int64_t index,
                               const std::string& suffix);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_TINY_CITYSCAPES_H_
