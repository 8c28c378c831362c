#ifndef MASK2FORMER_EVAL_MAIN_EVALUATE_H_
#define MASK2FORMER_EVAL_MAIN_EVALUATE_H_

#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/configs/experiment.pb.h"
#include "mask2former/eval/evaluation.h"

namespace mask2former {

struct EvaluateExperimentOptions {
  std::string weights;     // As LoadSegmentor().
  std::string output_dir;  // Empty: evaluation/ in that of the experiment.
  std::string split;       // Empty: data.val_split; of data.folder, "val".
  bool write_predictions = false;
  // Test-time augmentation, as experiment.eval().tta() has it.
  bool tta = false;
  // Write undefined scores as null instead of NaN, which is not JSON.
  bool valid_json = false;
};

// What //eval:main does: draws the data set if the experiment says so and it is
// missing, segments a split with the trained model, writes the official tables
// of the tasks that model.inference switches on to `console` and leaves in
// output_dir:
//
//   metrics.json   MetricsJson()
//   report.html    HtmlReport(), with the ten worst pictures
//   pictures/      strips of the first pictures
//   predictions/   the benchmarks' files, see BuildTaskEvaluations(), if asked
//                  for
//
// With test-time augmentation these are metrics_tta.json, report_tta.html,
// pictures_tta/ and predictions_tta/, so that both stay.
//
// A split without any label image, such as "test", is predicted but not scored
// if predictions are asked for; it need not have a folder in gtFine/ then.
// Labels that are all void, which the archive has for "test", are warned of.
//
// With data.folder the splits are "val" and "train", the task is the semantic
// one and predictions are class numbers, see EvaluateFolder().
//
// Returns as Evaluate() and LoadSegmentor(); NotFound if the split is missing,
// InvalidArgument that lists the pictures whose label image is missing.
absl::StatusOr<Evaluation> EvaluateExperiment(
    const Experiment& experiment, const EvaluateExperimentOptions& options,
    std::ostream& console);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_MAIN_EVALUATE_H_
