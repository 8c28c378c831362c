#ifndef MASK2FORMER_TRAIN_LOGGING_METRICS_H_
#define MASK2FORMER_TRAIN_LOGGING_METRICS_H_

#include <string>
#include <utility>
#include <vector>

namespace mask2former {

// Named numbers, in the order in which they are shown.
using Metrics = std::vector<std::pair<std::string, double>>;

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_METRICS_H_
