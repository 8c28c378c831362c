// Looks at a whole data set and says what is in it and what is wrong with it.

#include <gflags/gflags.h>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/dataset_report.h"

DEFINE_string(root, "",
              "Cityscapes: the folder that holds leftImg8bit/ and gtFine/, or "
              "their archives. Or give --config.");
DEFINE_string(config, "", "An experiment, whose data are looked at.");
DEFINE_string(splits, "", "Which splits; empty: all that are there.");
DEFINE_int64(max_files, -1,
             "Pictures of each split to decode; -1: all, which takes some "
             "minutes for Cityscapes.");
DEFINE_string(json, "", "File for the report as JSON.");
DEFINE_int32(threads, 0, "0: one per core.");

namespace mask2former {
namespace {

absl::StatusOr<DataConfig> FindConfig(const CommandLine& line) {
  if (FLAGS_root.empty() == FLAGS_config.empty()) {
    return absl::InvalidArgumentError(
        "give --root, such as --root=datasets/cityscapes, or --config");
  }
  DataConfig config;
  config.set_root(FLAGS_root);
  if (!FLAGS_config.empty()) {
    M2F_ASSIGN_OR_RETURN(
        const Experiment experiment,
        ReadExperiment(ResolveUserPath(FLAGS_config), line.overrides));
    config = experiment.data();
  }
  config.set_root(ResolveUserPath(config.root()));
  return config;
}

absl::Status WriteJson(const DatasetReport& report) {
  if (FLAGS_json.empty()) return absl::OkStatus();
  return WriteFileAtomically(ResolveUserPath(FLAGS_json), report.ToJson());
}

absl::Status Run(const CommandLine& line) {
  M2F_ASSIGN_OR_RETURN(const DataConfig config, FindConfig(line));
  DatasetReportOptions options;
  if (!FLAGS_splits.empty()) {
    options.splits = absl::StrSplit(FLAGS_splits, ',');
  }
  options.max_files = FLAGS_max_files < 0 ? std::numeric_limits<int64_t>::max()
                                          : FLAGS_max_files;
  options.num_threads = FLAGS_threads;
  options.progress = [](const std::string& split, int64_t done, int64_t total) {
    // About ten lines a split.
    if (done * 10 / total == (done - 1) * 10 / total) return;
    std::fprintf(stderr, "split %s: %lld of %lld\n", split.c_str(),
                 static_cast<long long>(done), static_cast<long long>(total));
  };
  const absl::StatusOr<DatasetReport> report =
      MakeDatasetReport(config, options);
  if (!report.ok()) {
    // Whoever reads the JSON learns why.
    DatasetReport failed;
    failed.root = config.root();
    failed.problems.push_back(std::string(report.status().message()));
    M2F_RETURN_IF_ERROR(WriteJson(failed));
    return report.status();
  }
  std::fputs(report->ToText().c_str(), stdout);
  M2F_RETURN_IF_ERROR(WriteJson(*report));
  if (!report->has_problems()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("data set ", config.root(), " has problems, see above"));
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  return mask2former::RunProgram(
      {"Looks at every file of a data set: pairs, sizes, bit depths, labels "
       "outside the table, classes that are never seen, numbers of things, "
       "the share of ignored pixels, decoding speed. The exit code is 1 if "
       "something is wrong.\n\n"
       "  check_dataset --root=datasets/cityscapes --json=report.json\n"
       "  check_dataset --config=configs/NAME.textproto --max_files=100",
       __FILE__, /*takes_overrides=*/true, /*keep_freed_memory=*/false},
      argc, argv, mask2former::Run);
}
