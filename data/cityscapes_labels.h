#ifndef MASK2FORMER_DATA_CITYSCAPES_LABELS_H_
#define MASK2FORMER_DATA_CITYSCAPES_LABELS_H_

// The label table of Cityscapes.
//
// A *label id*, 0..33, is what labelIds images and submissions hold; a *train
// id*, 0..18, is a class of the network, 255 marks pixels to ignore.
//
// Source: Cordts et al., "The Cityscapes Dataset", CVPR 2016; the table of the
// official scripts.

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace mask2former {

inline constexpr int kCityscapesClasses = 19;    // Train ids 0..18.
inline constexpr int kCityscapesLabelIds = 34;   // Label ids 0..33.
inline constexpr int kCityscapesCategories = 8;  // Category ids 0..7.
inline constexpr int kCityscapesIgnore = 255;    // The other train id.
inline constexpr int kCityscapesFirstThing =
    11;  // Train ids 11..18 are things.

struct CityscapesLabel {
  absl::string_view name;
  int id;        // 0..33; -1 for "license plate", which is never drawn.
  int train_id;  // 0..18 or 255; -1 for "license plate".
  absl::string_view category;
  int category_id;
  bool has_instances;
  bool ignore_in_eval;
  std::array<uint8_t, 3> color;  // RGB.
};

// All 35 labels; the one with id i stands at i, "license plate" last.
absl::Span<const CityscapesLabel> CityscapesLabels();

// The label of this exact name, or null. Names of groups ("cargroup") are not
// in the table, except "polegroup", a label of its own.
const CityscapesLabel* FindCityscapesLabel(absl::string_view name);

// The class that the network calls `train_id`, 0..18. Throws std::out_of_range
// for others.
const CityscapesLabel& CityscapesClass(int train_id);

// Maps a byte of a labelIds image to its train id; 255 for ids above 33.
const std::array<uint8_t, 256>& CityscapesIdToTrainId();

// Maps a train id to the label id; 0, "unlabeled", for 255 and all else.
const std::array<uint8_t, 256>& CityscapesTrainIdToId();

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CITYSCAPES_LABELS_H_
