#include "mask2former/data/scene/scene_manifest.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

constexpr int kGeneratorVersion = 2;

}  // namespace

SceneManifest MakeSceneManifest(
    const SceneOptions& options, uint64_t seed,
    const std::map<std::string, int64_t>& split_images) {
  SceneManifest manifest = {
      {"generator version", absl::StrCat(kGeneratorVersion)},
      {"height", absl::StrCat(options.height)},
      {"width", absl::StrCat(options.width)},
      {"density", absl::StrCat(options.density)},
      {"minimum size", absl::StrCat(options.minimum_size)},
      {"natural colors", absl::StrCat(options.natural_colors)},
      {"rare classes", absl::StrCat(options.rare_classes)},
      {"void areas", absl::StrCat(options.void_areas)},
      {"seed", absl::StrCat(seed)},
  };
  for (const auto& [split, images] : split_images) {
    if (images > 0) {
      manifest[absl::StrCat("images in ", split)] = absl::StrCat(images);
    }
  }
  return manifest;
}

std::string SceneManifestToJson(const SceneManifest& manifest) {
  return nlohmann::json(manifest).dump(2) + "\n";
}

absl::StatusOr<SceneManifest> SceneManifestFromJson(absl::string_view json) {
  const nlohmann::json parsed =
      nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (!parsed.is_object()) {
    return absl::DataLossError("is not a JSON object of settings");
  }
  SceneManifest manifest;
  for (const auto& [name, value] : parsed.items()) {
    if (!value.is_string()) {
      return absl::DataLossError(
          absl::StrCat("has no string for \"", name, "\""));
    }
    manifest[name] = value.get<std::string>();
  }
  return manifest;
}

absl::Status CompareSceneManifests(const SceneManifest& existing,
                                   const SceneManifest& wanted) {
  std::vector<std::string> differences;
  SceneManifest names = existing;
  names.insert(wanted.begin(), wanted.end());
  const auto value = [](const SceneManifest& manifest,
                        const std::string& name) {
    const auto it = manifest.find(name);
    return it == manifest.end() ? std::string("none") : it->second;
  };
  for (const auto& entry : names) {
    const std::string has = value(existing, entry.first);
    const std::string wants = value(wanted, entry.first);
    if (has != wants) {
      differences.push_back(
          absl::StrCat(entry.first, " is ", has, ", wanted ", wants));
    }
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrJoin(differences, "; "));
}

}  // namespace mask2former
