#ifndef MASK2FORMER_DATA_SCENE_SCENE_MANIFEST_H_
#define MASK2FORMER_DATA_SCENE_SCENE_MANIFEST_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/scene/scene_options.h"

namespace mask2former {

// Settings that decide the bytes of a generated dataset, by name.
using SceneManifest = std::map<std::string, std::string>;

// The manifest of these settings; `split_images`: number of pictures by split.
// Holds the version of the generator, which grows when its pictures change.
SceneManifest MakeSceneManifest(
    const SceneOptions& options, uint64_t seed,
    const std::map<std::string, int64_t>& split_images);

// JSON, one setting a line, and back.
std::string SceneManifestToJson(const SceneManifest& manifest);
absl::StatusOr<SceneManifest> SceneManifestFromJson(absl::string_view json);

// OK if both are equal; else FailedPrecondition that names each setting that
// differs with both values.
absl::Status CompareSceneManifests(const SceneManifest& existing,
                                   const SceneManifest& wanted);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_SCENE_MANIFEST_H_
