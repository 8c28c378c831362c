#include "mask2former/eval/network_classes.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {

absl::StatusOr<NetworkClasses> CityscapesNetworkClasses(int64_t num_classes) {
  constexpr int kThings = kCityscapesClasses - kCityscapesFirstThing;
  if (num_classes != kCityscapesClasses && num_classes != kThings) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the model has ", num_classes, " classes; those of Cityscapes have ",
        kCityscapesClasses, ", or ", kThings, " if they know only things"));
  }
  NetworkClasses classes;
  const int first = num_classes == kThings ? kCityscapesFirstThing : 0;
  for (int train_id = first; train_id < kCityscapesClasses; ++train_id) {
    classes.label_ids.push_back(CityscapesClass(train_id).id);
    classes.is_thing.push_back(train_id >= kCityscapesFirstThing);
  }
  return classes;
}

}  // namespace mask2former
