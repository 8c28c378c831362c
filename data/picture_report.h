#ifndef MASK2FORMER_DATA_PICTURE_REPORT_H_
#define MASK2FORMER_DATA_PICTURE_REPORT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/folder_dataset.h"

namespace mask2former {

// What one picture adds to the report of its split.
struct PictureReport {
  std::vector<std::string> problems;
  std::string image_kind;  // "1024 x 2048 8-bit RGB"; empty: not read.
  std::string label_kind;
  std::string label_path;
  // Pixels of each value of the label file; Cityscapes only.
  std::array<int64_t, 256> values{};
  std::vector<int64_t> class_pixels;  // [classes]
  std::vector<int64_t> instances;     // [classes]; Cityscapes only.
  std::vector<int64_t> groups;
  int64_t pixels = 0;  // All, those of values outside the table too.
  int64_t ignored_pixels = 0;
  double image_seconds = 0;
  double label_seconds = 0;
};

// Decodes all files of a picture that are there, counts what they hold and
// compares their sizes. Values outside the table are a problem, and counted.
PictureReport LookAtPicture(const CityscapesFrame& frame,
                            const DataConfig& config);

// The same for picture `index` of a folder; a label with values of no class is
// not counted.
PictureReport LookAtPicture(const FolderDataset& dataset, int64_t index);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_PICTURE_REPORT_H_
