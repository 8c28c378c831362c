#include "mask2former/train/run_checkpoint.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/checkpoint.h"

namespace mask2former {
namespace {

constexpr char kPrefix[] = "step_";
constexpr char kUnfinishedPrefix[] = "writing_";
std::string Folder(const std::string& directory) {
  return absl::StrCat(directory, "/checkpoints");
}

// What a program that was killed while it saved has left.
void RemoveUnfinished(const std::string& folder) {
  const auto names = ListDirectory(folder);
  if (!names.ok()) return;
  std::error_code error;
  for (const std::string& name : *names) {
    if (absl::StartsWith(name, kUnfinishedPrefix)) {
      std::filesystem::remove_all(absl::StrCat(folder, "/", name), error);
    }
  }
}

absl::StatusOr<int64_t> ReadNumber(
    const std::map<std::string, std::string>& metadata, const std::string& name,
    const std::string& path) {
  const auto found = metadata.find(name);
  int64_t number = 0;
  if (found == metadata.end() || !absl::SimpleAtoi(found->second, &number)) {
    return absl::DataLossError(absl::StrCat(
        path, ": the metadata lacks '", name,
        "'; this is not a training state written by //train:main"));
  }
  return number;
}

}  // namespace

absl::StatusOr<std::string> SaveRunCheckpoint(const std::string& directory,
                                              const torch::nn::Module& model,
                                              const TrainingState& state,
                                              int keep) {
  const std::string folder = Folder(directory);
  const std::string path = absl::StrCat(folder, "/", kPrefix, state.iteration);
  // Filled under another name, so that no reader ever sees half of it.
  const std::string temporary =
      absl::StrCat(folder, "/", kUnfinishedPrefix, state.iteration);
  RemoveUnfinished(folder);
  M2F_RETURN_IF_ERROR(CreateDirectories(temporary));
  std::error_code error;
  const auto write = [&]() -> absl::Status {
    M2F_RETURN_IF_ERROR(
        SaveWeights(absl::StrCat(temporary, "/model.safetensors"), model,
                    {{"iteration", absl::StrCat(state.iteration)}}));
    M2F_RETURN_IF_ERROR(WriteSafetensors(
        absl::StrCat(temporary, "/training.safetensors"), state.tensors,
        {{"iteration", absl::StrCat(state.iteration)},
         {"seed", absl::StrCat(state.seed)},
         {"data_position", absl::StrCat(state.sampler.position)},
         {"data_seed", absl::StrCat(state.sampler.seed)},
         {"data_size", absl::StrCat(state.sampler.dataset_size)}}));
    return WriteFileAtomically(absl::StrCat(temporary, "/config.textproto"),
                               state.config);
  };
  absl::Status status = write();
  if (status.ok()) {
    std::filesystem::remove_all(path, error);
    std::filesystem::rename(temporary, path, error);
    if (error) {
      status = absl::UnavailableError(absl::StrCat(
          "could not rename ", temporary, " to ", path, ": ", error.message()));
    }
  }
  if (!status.ok()) {
    std::filesystem::remove_all(temporary, error);
    return status;
  }
  M2F_RETURN_IF_ERROR(SyncDirectory(folder));  // Before others are removed.
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> all,
                       ListRunCheckpoints(directory));
  if (keep > 0) {
    for (size_t i = 0; i + keep < all.size(); ++i) {
      std::filesystem::remove_all(all[i], error);
    }
  }
  return path;
}

absl::StatusOr<std::vector<std::string>> ListRunCheckpoints(
    const std::string& directory) {
  std::vector<std::pair<int64_t, std::string>> found;
  const std::string folder = Folder(directory);
  const auto names = ListDirectory(folder);
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  M2F_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    int64_t iteration = 0;
    if (absl::StartsWith(name, kPrefix) &&
        absl::SimpleAtoi(name.substr(sizeof(kPrefix) - 1), &iteration)) {
      found.emplace_back(iteration, absl::StrCat(folder, "/", name));
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (const auto& [unused, path] : found) paths.push_back(path);
  return paths;
}

namespace {

absl::StatusOr<TrainingState> ReadState(const std::string& checkpoint) {
  const std::string path = absl::StrCat(checkpoint, "/training.safetensors");
  M2F_ASSIGN_OR_RETURN(SafetensorsFile file, ReadSafetensors(path));
  TrainingState state;
  M2F_ASSIGN_OR_RETURN(state.iteration,
                       ReadNumber(file.metadata, "iteration", path));
  M2F_ASSIGN_OR_RETURN(state.sampler.position,
                       ReadNumber(file.metadata, "data_position", path));
  M2F_ASSIGN_OR_RETURN(state.sampler.seed,
                       ReadNumber(file.metadata, "data_seed", path));
  M2F_ASSIGN_OR_RETURN(state.sampler.dataset_size,
                       ReadNumber(file.metadata, "data_size", path));
  M2F_ASSIGN_OR_RETURN(state.seed, ReadNumber(file.metadata, "seed", path));
  state.tensors = std::move(file.tensors);
  M2F_ASSIGN_OR_RETURN(state.config,
                       ReadFile(absl::StrCat(checkpoint, "/config.textproto")));
  return state;
}

// Says what to do about a damaged checkpoint.
absl::Status Advise(const absl::Status& status, const std::string& checkpoint) {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), "; move ", checkpoint,
                   " away to go on from the checkpoint before it"));
}

}  // namespace

absl::StatusOr<TrainingState> ReadTrainingState(const std::string& checkpoint) {
  absl::StatusOr<TrainingState> state = ReadState(checkpoint);
  if (!state.ok()) return Advise(state.status(), checkpoint);
  return state;
}

absl::Status LoadRunWeights(const std::string& checkpoint,
                            torch::nn::Module& model) {
  return Advise(LoadWeights(absl::StrCat(checkpoint, "/model.safetensors"),
                            /*strict=*/true, model)
                    .status(),
                checkpoint);
}
}  // namespace mask2former
