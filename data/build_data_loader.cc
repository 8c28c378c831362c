#include "mask2former/data/build_data_loader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/class_map.h"
#include "mask2former/data/segment_mapper.h"
#include "mask2former/data/semantic_mapper.h"

namespace mask2former {
namespace {

absl::Status AtLeast(absl::string_view field, int64_t value, int64_t low) {
  if (value >= low) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("data.", field, " must be >= ", low, ", got ", value));
}

absl::Status ValidateGenerated(const GeneratedData& generated) {
  M2F_RETURN_IF_ERROR(
      AtLeast("generated.train_images", generated.train_images(), 1));
  M2F_RETURN_IF_ERROR(
      AtLeast("generated.val_images", generated.val_images(), 1));
  for (const auto& [field, value] :
       {std::pair<const char*, int64_t>{"height", generated.height()},
        std::pair<const char*, int64_t>{"width", generated.width()}}) {
    if (value >= 32 && value % 32 == 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "data.generated.", field, " must be a multiple of 32, got ", value));
  }
  return absl::OkStatus();
}

// The class list must be that of the task.
absl::Status ValidateClassSet(const DataConfig& config) {
  const DataConfig::ClassSet wanted = config.task() == DataConfig::INSTANCE
                                          ? DataConfig::CITYSCAPES_THINGS_8
                                          : DataConfig::CITYSCAPES_19;
  if (config.class_set() == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("data.class_set must be ", DataConfig::ClassSet_Name(wanted),
                   " with data.task ", DataConfig::Task_Name(config.task()),
                   ", is ", DataConfig::ClassSet_Name(config.class_set())));
}

absl::Status ValidateFolder(const DataConfig& config) {
  const FolderData& folder = config.folder();
  for (const auto& [field, pattern] :
       {std::pair<const char*, std::string>{"train_images",
                                            folder.train_images()},
        std::pair<const char*, std::string>{"train_labels",
                                            folder.train_labels()},
        std::pair<const char*, std::string>{"val_images", folder.val_images()},
        std::pair<const char*, std::string>{"val_labels",
                                            folder.val_labels()}}) {
    if (!pattern.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("data.folder.", field,
                     " is not set: write a pattern below data.root, such as "
                     "\"train/images/*.png\""));
  }
  if (config.task() != DataConfig::SEMANTIC) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.task must be SEMANTIC with data.folder, whose labels do not tell "
        "things apart; is ",
        DataConfig::Task_Name(config.task())));
  }
  return ClassMap::Create(folder).status();
}

// Cityscapes' own fields.
absl::Status ValidateCityscapes(const DataConfig& config) {
  if (config.train_split().empty() || config.val_split().empty()) {
    return absl::InvalidArgumentError(
        "data.train_split and data.val_split must name folders, such as "
        "\"train\" and \"val\"");
  }
  if (config.has_generated()) {
    const auto is_drawn = [](const std::string& split) {
      return split == "train" || split == "val" || split == "test";
    };
    if (!is_drawn(config.train_split()) || !is_drawn(config.val_split()) ||
        config.train_split() == config.val_split()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "data.train_split and data.val_split must be two of train, val and "
          "test with data.generated, got \"",
          config.train_split(), "\" and \"", config.val_split(), "\""));
    }
  }
  return ValidateClassSet(config);
}
}  // namespace

absl::Status ValidateDataConfig(const DataConfig& config) {
  if (config.root().empty()) {
    return absl::InvalidArgumentError(
        "data.root is not set: name the folder that holds leftImg8bit/ and "
        "gtFine/, or that of your own pictures");
  }
  M2F_RETURN_IF_ERROR(config.has_folder() ? ValidateFolder(config)
                                          : ValidateCityscapes(config));
  M2F_RETURN_IF_ERROR(BuildSampleMapper(config, /*num_classes=*/1).status());
  M2F_RETURN_IF_ERROR(
      AtLeast("input.min_size_test", config.input().min_size_test(), 1));
  if (config.input().max_size_test() < config.input().min_size_test()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.input.min_size_test must be at most data.input.max_size_test (",
        config.input().max_size_test(), "), got ",
        config.input().min_size_test()));
  }
  M2F_RETURN_IF_ERROR(
      AtLeast("loader.num_workers", config.loader().num_workers(), 1));
  M2F_RETURN_IF_ERROR(
      AtLeast("loader.prefetch", config.loader().prefetch(), 1));
  if (config.has_generated()) {
    M2F_RETURN_IF_ERROR(ValidateGenerated(config.generated()));
  }
  return absl::OkStatus();
}

int64_t NumClasses(const DataConfig& config) {
  if (config.has_folder()) return config.folder().classes_size();
  return config.class_set() == DataConfig::CITYSCAPES_THINGS_8
             ? kCityscapesClasses - kCityscapesFirstThing
             : kCityscapesClasses;
}

CityscapesOptions ValOptions(const DataConfig& config) {
  CityscapesOptions options;
  options.task = config.task();
  options.label_source = config.label_source();
  options.instance_source = config.instance_source();
  return options;
}

CityscapesOptions TrainOptions(const DataConfig& config) {
  CityscapesOptions options = ValOptions(config);
  options.drop_without_things = config.task() == DataConfig::INSTANCE;
  return options;
}

absl::StatusOr<std::unique_ptr<SampleMapper>> BuildSampleMapper(
    const DataConfig& config, int64_t num_classes) {
  switch (config.task()) {
    case DataConfig::SEMANTIC:
      return SemanticMapper::Create(config.input(), num_classes);
    case DataConfig::INSTANCE:
      return SegmentMapper::Create(config.input(), SegmentMapper::Crops::kAny,
                                   num_classes);
    case DataConfig::PANOPTIC:
      return SegmentMapper::Create(config.input(),
                                   SegmentMapper::Crops::kVaried, num_classes);
  }
  return absl::InvalidArgumentError("data.task is none that is known");
}

absl::StatusOr<std::unique_ptr<Dataset>> BuildTrainDataset(
    const DataConfig& config) {
  M2F_RETURN_IF_ERROR(ValidateDataConfig(config));
  if (config.has_folder()) {
    return FolderDataset::Create(config.root(), config.folder(),
                                 FolderDataset::Split::kTrain);
  }
  return CityscapesDataset::Create(config.root(), config.train_split(),
                                   TrainOptions(config));
}

absl::StatusOr<std::unique_ptr<CityscapesDataset>> BuildValDataset(
    const DataConfig& config) {
  M2F_RETURN_IF_ERROR(ValidateDataConfig(config));
  if (config.has_folder()) {
    return absl::InvalidArgumentError(
        "data.folder is set: this needs Cityscapes");
  }
  return CityscapesDataset::Create(config.root(), config.val_split(),
                                   ValOptions(config));
}

absl::StatusOr<std::unique_ptr<FolderDataset>> BuildFolderValDataset(
    const DataConfig& config) {
  M2F_RETURN_IF_ERROR(ValidateDataConfig(config));
  if (!config.has_folder()) {
    return absl::InvalidArgumentError("data.folder is not set");
  }
  return FolderDataset::Create(config.root(), config.folder(),
                               FolderDataset::Split::kVal);
}

absl::StatusOr<std::unique_ptr<DataLoader>> BuildTrainLoader(
    const DataConfig& config, int64_t batch_size, int64_t rank,
    int64_t world_size) {
  M2F_ASSIGN_OR_RETURN(std::shared_ptr<const Dataset> dataset,
                       BuildTrainDataset(config));
  return BuildTrainLoader(config, std::move(dataset), batch_size, rank,
                          world_size);
}

absl::StatusOr<std::unique_ptr<DataLoader>> BuildTrainLoader(
    const DataConfig& config, std::shared_ptr<const Dataset> dataset,
    int64_t batch_size, int64_t rank, int64_t world_size) {
  M2F_ASSIGN_OR_RETURN(std::shared_ptr<const SampleMapper> mapper,
                       BuildSampleMapper(config, dataset->num_classes()));
  DataLoaderOptions options;
  options.batch_size = batch_size;
  options.rank = rank;
  options.world_size = world_size;
  options.num_workers = config.loader().num_workers();
  options.prefetch = config.loader().prefetch();
  options.seed = config.loader().seed();
  return DataLoader::Create(std::move(dataset), std::move(mapper), options);
}

}  // namespace mask2former
