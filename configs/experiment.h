#ifndef MASK2FORMER_CONFIGS_EXPERIMENT_H_
#define MASK2FORMER_CONFIGS_EXPERIMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/configs/experiment.pb.h"

namespace mask2former {

// Reads `path` with its includes, applies `overrides` ("solver.base_lr=5e-5"),
// and checks the rules that ValidateExperiment() knows.
//
// Returns InvalidArgument with all mistakes found, each with file, line and
// column.
absl::StatusOr<Experiment> ReadExperiment(
    const std::string& path, const std::vector<std::string>& overrides);

// Checks what every piece says of its settings, and the rules between them.
// Mistakes below `model` show when it is built, or here beside others.
//
// Returns InvalidArgument that lists every rule broken.
absl::Status ValidateExperiment(const Experiment& experiment);

}  // namespace mask2former

#endif  // MASK2FORMER_CONFIGS_EXPERIMENT_H_
