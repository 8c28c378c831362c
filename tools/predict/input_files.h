#ifndef MASK2FORMER_TOOLS_PREDICT_INPUT_FILES_H_
#define MASK2FORMER_TOOLS_PREDICT_INPUT_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mask2former {

// A picture to predict on.
struct InputFile {
  std::string path;
  // Where its results go, below the output folder and without an ending: the
  // path relative to the input folder, or the file's name.
  std::string stem;
};

// The pictures that `input` means, in byte order of their paths:
//
//   a file       itself, whatever its ending
//   a folder     the files in it and below it that end in .png, .jpg, .jpeg,
//                .bmp, .ppm, .pgm, .tif, .tiff or .webp, in any case; results
//                lie in the same sub-folders
//   a pattern    with *, ? or [..], as a shell has it: the files that match
//
// Returns NotFound if there is none, InvalidArgument if two pictures, such as
// a.png and a.jpg, would have their results in the same place.
absl::StatusOr<std::vector<InputFile>> FindInputFiles(const std::string& input);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_PREDICT_INPUT_FILES_H_
