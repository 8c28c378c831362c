#ifndef MASK2FORMER_DATA_DATASET_REPORT_H_
#define MASK2FORMER_DATA_DATASET_REPORT_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// What the labels of a split hold of a class.
struct ClassReport {
  std::string name;
  int64_t pixels = 0;
  int64_t pictures = 0;   // That show it.
  int64_t instances = 0;  // Things of it, without groups;
  int64_t groups = 0;     // both only for Cityscapes.
};

// What the label files of a split hold of a value. Pixels of one value are
// those of one class, of none, or outside the table.
struct ValueReport {
  std::string name;  // "road"; "outside" of the table.
  int64_t pixels = 0;
  int64_t pictures = 0;    // That have it.
  std::string first_file;  // That has it; only if it is outside.
};

struct SplitReport {
  std::string name;
  // Pictures that the official split has; -1 where that is not known.
  int64_t expected = -1;
  int64_t pictures = 0;
  int64_t labels = 0;                  // Label files of these pictures.
  int64_t labels_without_picture = 0;  // Besides, where the labels lie.
  int64_t looked_at = 0;  // Pictures of which all files were decoded.
  int64_t labels_decoded = 0;
  // A line each, with the file and the way out; files in order.
  std::vector<std::string> problems;
  // What a run survives, but somebody should know.
  std::vector<std::string> notes;
  // "1024 x 2048 8-bit RGB": how many.
  std::map<std::string, int64_t> image_kinds;
  std::map<std::string, int64_t> label_kinds;
  std::vector<ClassReport> classes;
  // By value: all of the table, and those outside that occur. Of Cityscapes.
  std::map<int, ValueReport> values;
  int64_t pixels = 0;
  int64_t ignored_pixels = 0;
  // Mean time that one core needs to read and decode a file.
  double image_seconds = 0;
  double label_seconds = 0;
};

struct DatasetReport {
  std::string root;
  std::vector<SplitReport> splits;
  // Of the data set as a whole, as those of a split.
  std::vector<std::string> problems;
  std::vector<std::string> notes;

  bool has_problems() const;
  std::string ToText() const;
  std::string ToJson() const;
};

struct DatasetReportOptions {
  // Empty: those of train, val, test and the config's own that are there.
  std::vector<std::string> splits;
  // Pictures of each split of which everything is decoded, spread evenly over
  // it; of the others, that their files are there.
  int64_t max_files = std::numeric_limits<int64_t>::max();
  int num_threads = 0;  // 0: one per core.

  // Called after each picture of a split; never from two threads at a time.
  std::function<void(const std::string& split, int64_t done, int64_t total)>
      progress;
};

// Looks at a whole data set, Cityscapes or FolderData, and says what is in it
// and what is wrong with it: files without their pair, sizes, bit depths,
// labels outside the table, damage, classes that are never seen, numbers of
// things, the share of ignored pixels, and how fast files decode.
//
// Problems are part of the report, that a split cannot be read at all among
// them. Returns an error only if none can: as ListCityscapes(),
// ValidateDataConfig() and FolderDataset::Create().
absl::StatusOr<DatasetReport> MakeDatasetReport(
    const DataConfig& config, const DatasetReportOptions& options = {});

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_DATASET_REPORT_H_
