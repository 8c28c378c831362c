#include "mask2former/configs/load_segmentor.h"

#include <ATen/Parallel.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/train/choose_device.h"
#include "mask2former/train/run_checkpoint.h"

namespace mask2former {
namespace {

constexpr char kModelFile[] = "/model.safetensors";
// Of folders that Hugging Face's save_pretrained() wrote.
constexpr const char* kOtherModelFiles[] = {"/model.safetensors.index.json",
                                            "/pytorch_model.bin",
                                            "/pytorch_model.bin.index.json"};

}  // namespace

absl::StatusOr<std::string> FindWeights(const std::string& weights) {
  if (FileExists(weights)) return weights;
  if (!DirectoryExists(weights)) {
    return absl::NotFoundError(absl::StrCat(
        "no weights at '", weights,
        "': neither a file nor a checkpoint nor the output of a run"));
  }
  if (FileExists(weights + kModelFile)) return weights + kModelFile;
  for (const char* const name : kOtherModelFiles) {
    if (FileExists(weights + name)) return weights + name;
  }
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> checkpoints,
                       ListRunCheckpoints(weights));
  if (checkpoints.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no weights in '", weights,
                     "': the folder has neither model.safetensors nor a "
                     "checkpoint of a run; train first (//train:main), or "
                     "name weights with --weights"));
  }
  return checkpoints.back() + kModelFile;
}

absl::StatusOr<std::shared_ptr<Segmentor>> LoadSegmentor(
    const Experiment& experiment, const std::string& weights) {
  if (experiment.trainer().num_threads() > 0) {
    at::set_num_threads(experiment.trainer().num_threads());
  }
  M2F_ASSIGN_OR_RETURN(const at::Device device,
                       ChooseDevice(experiment.trainer().device()));
  M2F_ASSIGN_OR_RETURN(
      const std::string path,
      FindWeights(ResolveUserPath(weights.empty() ? experiment.output_dir()
                                                  : weights)));
  M2F_ASSIGN_OR_RETURN(std::shared_ptr<Segmentor> segmentor,
                       BuildSegmentor(experiment.model()));
  M2F_ASSIGN_OR_RETURN(const WeightsReport report,
                       LoadWeights(path, /*strict=*/true, *segmentor));
  LOG(INFO) << "weights of " << path << ", computing on " << device << " with "
            << at::get_num_threads() << " CPU threads";
  segmentor->to(device);
  segmentor->eval();
  return segmentor;
}

}  // namespace mask2former
