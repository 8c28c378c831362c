#ifndef MASK2FORMER_EVAL_NETWORK_CLASSES_H_
#define MASK2FORMER_EVAL_NETWORK_CLASSES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace mask2former {

// What the classes 0 .. K - 1 of a network are in Cityscapes.
struct NetworkClasses {
  std::vector<int> label_ids;  // [K], 7..33
  std::vector<bool> is_thing;  // [K], whether its instances are told apart.
};

// By the number of classes:
//
//   19  the train ids, of semantic and panoptic models; 11..18 are things
//   8   the things in the order of train ids, of instance models: person,
//       rider, car, truck, bus, train, motorcycle, bicycle
//
// Returns InvalidArgument for another number: the Cityscapes programs cannot
// score such a model.
absl::StatusOr<NetworkClasses> CityscapesNetworkClasses(int64_t num_classes);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_NETWORK_CLASSES_H_
