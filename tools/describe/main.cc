// Says how large a model is and what it needs.

#include <gflags/gflags.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/tools/describe/describe_model.h"

DEFINE_string(config,
              "configs/cityscapes/semantic-segmentation/"
              "maskformer2_R50_bs16_90k.textproto",
              "The experiment whose model is described.");
DEFINE_string(size, "1024x2048", "Height x width of an image in inference.");
DEFINE_string(train_size, "",
              "Height x width of an image in training. By default the crop of "
              "the config.");
DEFINE_int32(batch, 1, "Images at a time.");
DEFINE_int32(targets, 10, "Masks of each training image.");
DEFINE_bool(train, true, "Look at training, too.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Says how large the model of a config is and what it needs, piece by piece.

  bazel build //tools/describe && bazel-bin/tools/describe/describe --config=configs/cityscapes/semantic-segmentation/maskformer2_R50_bs16_90k.textproto

Parameters, multiply-accumulates, activations and memory, counted while the
model runs on the CPU on random weights: one image through inference, and two
training steps. Takes as long as these take, and as much memory; --notrain and
smaller sizes take less.)";

absl::StatusOr<ImageSize> ParseSize(const char* flag, const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  ImageSize size;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &size.height) ||
      !absl::SimpleAtoi(parts[1], &size.width)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, " must be HEIGHTxWIDTH, such as 512x1024, not '", text,
        "'"));
  }
  return size;
}

absl::Status Run(const CommandLine& line) {
  M2F_ASSIGN_OR_RETURN(
      const Experiment experiment,
      ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
  DescribeOptions options;
  options.batch = FLAGS_batch;
  options.num_targets = FLAGS_targets;
  options.training = FLAGS_train;
  M2F_ASSIGN_OR_RETURN(options.inference_size, ParseSize("size", FLAGS_size));
  if (FLAGS_train_size.empty()) {
    const InputConfig& input = experiment.data().input();
    options.training_size = {input.crop_height(), input.crop_width()};
  } else {
    M2F_ASSIGN_OR_RETURN(options.training_size,
                         ParseSize("train_size", FLAGS_train_size));
  }
  M2F_ASSIGN_OR_RETURN(const ModelDescription description,
                       DescribeModel(experiment, options));
  std::cout << FLAGS_config << "\n\n"
            << TextReport(description, options) << std::flush;
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram({mask2former::kUsage, __FILE__}, argc, argv,
                                 mask2former::Run);
}
