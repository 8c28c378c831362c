// Trains what a config describes: reads it, builds the pieces, runs the loop.

#include <gflags/gflags.h>

#include <cstdio>

#include "absl/status/status.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/train/logging/log_file.h"
#include "mask2former/train/main_run.h"

DEFINE_string(config, "",
              "experiment to run, a text proto such as "
              "configs/quickstart/semantic.textproto");
DEFINE_string(output_dir, "",
              "folder for checkpoints, metrics and pictures, instead of the "
              "config's; by default output/NAME for NAME.textproto");
DEFINE_bool(resume, false,
            "go on from the newest checkpoint in output_dir; starts anew if "
            "there is none");
DEFINE_bool(allow_config_change, false,
            "with --resume: go on although the config differs from the "
            "checkpoint's");
DEFINE_bool(overwrite, false,
            "if output_dir holds a run already, move it to output_dir.1 (.2, "
            "..) and start anew");
DEFINE_bool(print_config, false,
            "print the settings in effect, defaults included, and end");
DEFINE_bool(dry_run, false,
            "check settings and data, build everything, run one step, and end; "
            "writes nothing but a generated data set");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    "Trains a Mask2Former, evaluates it and leaves pictures.\n\n"
    "  tools/bazel run //train:main -- "
    "--config=configs/quickstart/semantic.textproto\n"
    "  tools/bazel run //train:main -- --config=FILE "
    "--set data.root=/data/cityscapes --set solver.base_lr=5e-5 --resume";

absl::Status Main(const CommandLine& command_line) {
  if (FLAGS_config.empty()) {
    return absl::InvalidArgumentError(
        "--config=FILE is missing; try "
        "--config=configs/quickstart/semantic.textproto, or --help");
  }
  M2F_ASSIGN_OR_RETURN(
      Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), command_line.overrides));
  if (!FLAGS_output_dir.empty()) experiment.set_output_dir(FLAGS_output_dir);
  if (FLAGS_print_config) {
    std::printf("%s", PrintConfig(WithDefaults(experiment)).c_str());
    return absl::OkStatus();
  }
  RunOptions options;
  options.resume = FLAGS_resume;
  options.allow_config_change = FLAGS_allow_config_change;
  options.overwrite = FLAGS_overwrite;
  options.dry_run = FLAGS_dry_run;
  // Lives until the program ends, which reports the error that ends a run.
  static LogFile* const log = LogFile::Create().release();
  return RunTraining(experiment, options, *log);
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram({mask2former::kUsage, __FILE__}, argc, argv,
                                 &mask2former::Main);
}
