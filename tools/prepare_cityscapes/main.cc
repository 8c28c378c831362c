// Makes labelTrainIds.png and the panoptic files from what the Cityscapes
// archives hold.

#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/print_progress.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/prepare_cityscapes.h"

DEFINE_string(
    root, "",
    "Folder that holds gtFine/ or gtFine_trainvaltest.zip. Required.");
DEFINE_string(splits, "train,val,test", "Which splits.");
DEFINE_string(output, "",
              "Folder for the results; empty: gtFine/, as the official scripts "
              "do. Required where the labels are in an archive.");
DEFINE_bool(label_train_ids, true, "Make *_gtFine_labelTrainIds.png.");
DEFINE_bool(panoptic, true,
            "Make cityscapes_panoptic_{split}/ and the JSON beside it.");
DEFINE_int32(threads, 0, "0: one per core.");

namespace mask2former {
namespace {

absl::Status Run(const CommandLine&) {
  PrepareOptions options;
  if (FLAGS_root.empty()) {
    return absl::InvalidArgumentError(
        "--root is missing: the folder that holds gtFine/, such as "
        "--root=datasets/cityscapes");
  }
  options.root = ResolveUserPath(FLAGS_root);
  options.splits = absl::StrSplit(FLAGS_splits, ',');
  if (!FLAGS_output.empty()) options.output = ResolveUserPath(FLAGS_output);
  options.label_train_ids = FLAGS_label_train_ids;
  options.panoptic = FLAGS_panoptic;
  options.num_threads = FLAGS_threads;
  int64_t written = 0;
  options.progress = [&written](int64_t done, int64_t total) {
    written = done;
    PrintProgress(done, total, "files");
  };
  M2F_RETURN_IF_ERROR(PrepareCityscapes(options));
  std::printf("wrote %lld pictures to %s\n", static_cast<long long>(written),
              options.output.empty() ? (options.root + "/gtFine").c_str()
                                     : options.output.c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram(
      {"Writes what the official preparation scripts write, pixel for pixel "
       "and byte for byte in the JSON: *_gtFine_labelTrainIds.png, "
       "cityscapes_panoptic_{split}/ and cityscapes_panoptic_{split}.json. "
       "Training and evaluation here need none of it; other programs may.\n\n"
       "  prepare_cityscapes --root=datasets/cityscapes --splits=train,val",
       __FILE__, /*takes_overrides=*/false, /*keep_freed_memory=*/false},
      argc, argv, mask2former::Run);
}
