#ifndef MASK2FORMER_DATA_SCENE_WRITE_CITYSCAPES_H_
#define MASK2FORMER_DATA_SCENE_WRITE_CITYSCAPES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/scene/scene_options.h"

namespace mask2former {

struct SplitSize {
  std::string name;    // "train", "val" or "test".
  int64_t images = 0;  // 0..1,000,000
};

struct GenerateOptions {
  std::string root;  // What "datasets/cityscapes" is for the real data.
  std::vector<SplitSize> splits = {{"train", 200}, {"val", 40}};
  SceneOptions scene;
  uint64_t seed = 1;
  int num_threads = 0;  // 0: one per core.

  // Called after each picture with how many of all that this call has to write
  // are done; never from two threads at a time.
  std::function<void(int64_t done, int64_t total)> progress;
};

// The file in `root` that says how its pictures were made.
inline constexpr absl::string_view kSceneManifest = "generated_scenes.json";

// Writes scenes as a dataset in the layout of Cityscapes:
//
//   root/leftImg8bit/{split}/{city}/{city}_{seq}_{frame}_leftImg8bit.png
//   root/gtFine/{split}/{city}/{city}_{seq}_{frame}_gtFine_labelIds.png,
//                                      ..._instanceIds.png, ..._polygons.json
//
// Picture i of a split depends on seed, split and i alone; cities of the splits
// differ. Every file is written atomically, so a run that was interrupted goes
// on where it stopped, and a complete set is left as it is: what exists and was
// made with these settings is never written again.
//
// Returns InvalidArgument for options out of range; FailedPrecondition if
// `root` holds pictures made with other settings, or not by this function, and
// leaves them alone; ResourceExhausted on a full disk; else what the system
// said of the path in the message.
absl::Status GenerateCityscapes(const GenerateOptions& options);

// Reads "train:200,val:40". Returns InvalidArgument for anything else.
absl::StatusOr<std::vector<SplitSize>> ParseSplitSizes(absl::string_view text);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_WRITE_CITYSCAPES_H_
