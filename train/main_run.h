#ifndef MASK2FORMER_TRAIN_MAIN_RUN_H_
#define MASK2FORMER_TRAIN_MAIN_RUN_H_

#include "absl/status/status.h"
#include "mask2former/configs/experiment.pb.h"
#include "mask2former/train/logging/log_file.h"

namespace mask2former {

struct RunOptions {
  bool resume = false;
  // With resume: go on although the experiment differs from the checkpoint's.
  bool allow_config_change = false;
  // Move a run that is in the way aside.
  bool overwrite = false;
  // Build everything, take one step, write nothing but generated data.
  bool dry_run = false;
};

// Composes the pieces of an experiment and trains: what //train:main does once
// it has read its flags. `log` becomes the run's log.txt as soon as there is a
// folder for it.
absl::Status RunTraining(const Experiment& experiment,
                         const RunOptions& options, LogFile& log);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_MAIN_RUN_H_
