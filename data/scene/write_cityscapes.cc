#include "mask2former/data/scene/write_cityscapes.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/scene/polygons_json.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/scene.h"
#include "mask2former/data/scene/scene_manifest.h"

namespace mask2former {
namespace {

constexpr int64_t kMaximumImages = 1000000;
constexpr int kFrame = 19;  // Of a video; the real data's annotated frame.

struct Split {
  absl::string_view name;
  std::vector<absl::string_view> cities;
};

const std::vector<Split>& Splits() {
  static const auto* const splits =
      new std::vector<Split>{{"train",
                              {"synthville", "rasterburg", "polygonia",
                               "meshstadt", "noiseford", "texelheim"}},
                             {"val", {"gridhaven", "ditherton", "shadermouth"}},
                             {"test", {"samplewick", "quadstadt"}}};
  return *splits;
}

const Split* FindSplit(absl::string_view name) {
  for (const Split& split : Splits()) {
    if (split.name == name) return &split;
  }
  return nullptr;
}

// A picture to make.
struct Job {
  std::string split;
  int64_t index = 0;
  std::string image_stem;  // Paths up to the kind of file.
  std::string label_stem;

  std::string ImagePath() const { return image_stem + "_leftImg8bit.png"; }
  std::string LabelPath(absl::string_view kind) const {
    return absl::StrCat(label_stem, "_gtFine_", kind);
  }
  bool IsDone() const {
    return FileExists(ImagePath()) && FileExists(LabelPath("labelIds.png")) &&
           FileExists(LabelPath("instanceIds.png")) &&
           FileExists(LabelPath("polygons.json"));
  }
};

absl::Status CheckOptions(const GenerateOptions& options) {
  M2F_RETURN_IF_ERROR(CheckSceneOptions(options.scene));
  if (options.root.empty()) {
    return absl::InvalidArgumentError("no folder to write the dataset to");
  }
  if (options.num_threads < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "num_threads must not be negative, got ", options.num_threads));
  }
  std::set<std::string> seen;
  int64_t total = 0;
  for (const SplitSize& split : options.splits) {
    if (FindSplit(split.name) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "split \"", split.name, "\" must be train, val or test"));
    }
    if (!seen.insert(split.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("split \"", split.name, "\" is given twice"));
    }
    if (split.images < 0 || split.images > kMaximumImages) {
      return absl::InvalidArgumentError(
          absl::StrCat("images of split ", split.name, " must be in 0..",
                       kMaximumImages, ", got ", split.images));
    }
    total += split.images;
  }
  if (total == 0) return absl::InvalidArgumentError("all splits are empty");
  return absl::OkStatus();
}

// Makes sure that `root` holds nothing but what these settings give.
absl::Status ClaimRoot(const GenerateOptions& options) {
  std::map<std::string, int64_t> images;
  for (const SplitSize& split : options.splits) {
    images[split.name] = split.images;
  }
  const SceneManifest wanted =
      MakeSceneManifest(options.scene, options.seed, images);
  const std::string path = absl::StrCat(options.root, "/", kSceneManifest);
  const std::string advice =
      "; delete that folder or choose another one for this dataset";
  if (FileExists(path)) {
    M2F_ASSIGN_OR_RETURN(const std::string json, ReadFile(path));
    const absl::StatusOr<SceneManifest> existing = SceneManifestFromJson(json);
    if (!existing.ok()) {
      return absl::Status(
          existing.status().code(),
          absl::StrCat(path, " ", existing.status().message(), advice));
    }
    const absl::Status equal = CompareSceneManifests(*existing, wanted);
    if (equal.ok()) return equal;
    return absl::Status(
        equal.code(),
        absl::StrCat(options.root, " holds scenes made with other settings: ",
                     equal.message(), advice));
  }
  for (const char* folder : {"leftImg8bit", "gtFine"}) {
    if (DirectoryExists(absl::StrCat(options.root, "/", folder))) {
      return absl::FailedPreconditionError(absl::StrCat(
          options.root, " has a folder ", folder, " but no ", kSceneManifest,
          ": another dataset may be there; choose another folder"));
    }
  }
  M2F_RETURN_IF_ERROR(CreateDirectories(options.root));
  return WriteFileAtomically(path, SceneManifestToJson(wanted));
}

// All pictures that do not exist yet; creates their folders.
absl::StatusOr<std::vector<Job>> FindJobs(const GenerateOptions& options) {
  std::vector<Job> jobs;
  for (const SplitSize& size : options.splits) {
    const std::vector<absl::string_view>& cities = FindSplit(size.name)->cities;
    const auto city_count = static_cast<int64_t>(cities.size());
    for (int64_t i = 0; i < std::min(size.images, city_count); ++i) {
      for (const char* folder : {"leftImg8bit", "gtFine"}) {
        M2F_RETURN_IF_ERROR(CreateDirectories(absl::StrCat(
            options.root, "/", folder, "/", size.name, "/", cities[i])));
      }
    }
    for (int64_t i = 0; i < size.images; ++i) {
      const absl::string_view city = cities[i % city_count];
      const std::string stem = absl::StrFormat(
          "%s/%s/%s_%06d_%06d", size.name, city, city, i / city_count, kFrame);
      Job job = {size.name, i,
                 absl::StrCat(options.root, "/leftImg8bit/", stem),
                 absl::StrCat(options.root, "/gtFine/", stem)};
      if (!job.IsDone()) jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

absl::Status WriteScene(const Job& job, const GenerateOptions& options) {
  const Scene scene = MakeScene(
      options.scene,
      SceneSeed(options.seed, job.split, static_cast<uint64_t>(job.index)));
  M2F_RETURN_IF_ERROR(WritePngAtomically(job.ImagePath(), scene.image));
  M2F_RETURN_IF_ERROR(
      WritePngAtomically(job.LabelPath("labelIds.png"), scene.label_ids));
  M2F_RETURN_IF_ERROR(
      WritePngAtomically(job.LabelPath("instanceIds.png"), scene.instance_ids));
  return WriteFileAtomically(
      job.LabelPath("polygons.json"),
      PolygonsJson(scene.objects, options.scene.height, options.scene.width));
}

}  // namespace

absl::Status GenerateCityscapes(const GenerateOptions& options) {
  M2F_RETURN_IF_ERROR(CheckOptions(options));
  M2F_RETURN_IF_ERROR(ClaimRoot(options));
  M2F_ASSIGN_OR_RETURN(const std::vector<Job> jobs, FindJobs(options));
  const auto total = static_cast<int64_t>(jobs.size());
  std::mutex mutex;
  int64_t done = 0;
  return ParallelFor(total, options.num_threads, [&](int64_t i) {
    M2F_RETURN_IF_ERROR(WriteScene(jobs[i], options));
    const std::lock_guard<std::mutex> lock(mutex);
    ++done;
    if (options.progress) options.progress(done, total);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<SplitSize>> ParseSplitSizes(absl::string_view text) {
  std::vector<SplitSize> sizes;
  for (const absl::string_view item : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(item, ':');
    int64_t images = 0;
    if (parts.size() != 2 || FindSplit(parts[0]) == nullptr ||
        !absl::SimpleAtoi(parts[1], &images) || images < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "split sizes must read like train:200,val:40 with splits train, val "
          "and test, got \"",
          text, "\""));
    }
    sizes.push_back({std::string(parts[0]), images});
  }
  return sizes;
}

}  // namespace mask2former
