// Writes a dataset of drawn street scenes in the layout of Cityscapes.

#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/print_progress.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/scene/write_cityscapes.h"

DEFINE_string(output, "",
              "Folder for the dataset, as datasets/cityscapes is for the real "
              "one. Required.");
DEFINE_string(split_sizes, "train:200,val:40",
              "Number of pictures in each split: train, val, test.");
DEFINE_string(size, "256x512", "Height x width of the pictures in pixels.");
DEFINE_uint64(seed, 1, "The same seed gives the same files.");
DEFINE_double(density, 1,
              "Factor on the number of cars, people, signs, ...; 0..4.");
DEFINE_double(minimum_size, 0.045,
              "Width of the thinnest things, as a part of the height; "
              "0.002..0.2.");
DEFINE_double(natural_colors, 0.85,
              "Probability that an object has a colour natural for its class "
              "and not one from a range shared by all; 0..1.");
DEFINE_double(rare_classes, 0,
              "Probability of each of wall, traffic light, truck, train, "
              "motorcycle and caravan in a picture; 0..1.");
DEFINE_double(void_areas, 0.25,
              "Probability of each kind of area that is not evaluated; 0..1.");
DEFINE_int32(threads, 0, "0: one per core.");

namespace mask2former {
namespace {

absl::Status ParseSize(const std::string& text, SceneOptions& options) {
  const std::vector<std::string> parts = absl::StrSplit(text, 'x');
  if (parts.size() == 2 && absl::SimpleAtoi(parts[0], &options.height) &&
      absl::SimpleAtoi(parts[1], &options.width)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--size must be height x width such as 256x512, got \"", text, "\""));
}

absl::Status Run(const CommandLine&) {
  GenerateOptions options;
  if (FLAGS_output.empty()) {
    return absl::InvalidArgumentError(
        "--output is missing: the folder for the dataset, such as "
        "--output=datasets/scenes");
  }
  options.root = ResolveUserPath(FLAGS_output);
  M2F_ASSIGN_OR_RETURN(options.splits, ParseSplitSizes(FLAGS_split_sizes));
  M2F_RETURN_IF_ERROR(ParseSize(FLAGS_size, options.scene));
  options.seed = FLAGS_seed;
  options.scene.density = FLAGS_density;
  options.scene.minimum_size = FLAGS_minimum_size;
  options.scene.natural_colors = FLAGS_natural_colors;
  options.scene.rare_classes = FLAGS_rare_classes;
  options.scene.void_areas = FLAGS_void_areas;
  options.num_threads = FLAGS_threads;
  int64_t written = 0;
  options.progress = [&written](int64_t done, int64_t total) {
    written = done;
    PrintProgress(done, total, "pictures");
  };
  M2F_RETURN_IF_ERROR(GenerateCityscapes(options));
  std::printf(written == 0 ? "%s is complete already\n" : "wrote %s\n",
              options.root.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram(
      {"Draws street scenes and writes them, with their labels, in the layout "
       "of Cityscapes: pictures to try and test training with, without the "
       "real data.\n\n"
       "  generate_cityscapes --output=datasets/scenes "
       "--split_sizes=train:200,val:40 --size=256x512 --seed=1",
       __FILE__, /*takes_overrides=*/false, /*keep_freed_memory=*/false},
      argc, argv, mask2former::Run);
}
