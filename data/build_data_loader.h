#ifndef MASK2FORMER_DATA_BUILD_DATA_LOADER_H_
#define MASK2FORMER_DATA_BUILD_DATA_LOADER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/data_loader.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/data/sample_mapper.h"

namespace mask2former {

// Verifies every field of `config` without touching the disk, so that a mistake
// in any of them shows before anything is read or drawn.
//
// Returns InvalidArgument, naming the first wrong field and its range.
absl::Status ValidateDataConfig(const DataConfig& config);

// K, the classes of the data: what model.num_classes must be.
int64_t NumClasses(const DataConfig& config);

// Which files config.task reads, for training or for anything else.
CityscapesOptions TrainOptions(const DataConfig& config);
CityscapesOptions ValOptions(const DataConfig& config);

// Turns samples of the data set into examples for config.task.
//
// Returns InvalidArgument if a setting is out of range.
absl::StatusOr<std::unique_ptr<SampleMapper>> BuildSampleMapper(
    const DataConfig& config, int64_t num_classes);

// The training pictures and their labels, as config.task needs them: of
// config.train_split, or of config.folder. The instance task leaves pictures
// without things out.
//
// Returns as CityscapesDataset::Create() or FolderDataset::Create().
absl::StatusOr<std::unique_ptr<Dataset>> BuildTrainDataset(
    const DataConfig& config);

// The pictures to validate on: config.val_split of Cityscapes.
//
// Returns as CityscapesDataset::Create(); InvalidArgument with config.folder.
absl::StatusOr<std::unique_ptr<CityscapesDataset>> BuildValDataset(
    const DataConfig& config);

// The same of config.folder. Returns as FolderDataset::Create();
// InvalidArgument without config.folder.
absl::StatusOr<std::unique_ptr<FolderDataset>> BuildFolderValDataset(
    const DataConfig& config);

// Makes the stream of training batches that `config` describes.
//
//   batch_size   images per step over all ranks, a multiple of world_size
//   rank         of this process, 0 .. world_size - 1
//
// `dataset` of the second form is any data set whose samples have what
// config.task needs (dataset.h): crops, colours and order are as `config` says,
// its paths are not used.
//
// Returns InvalidArgument if a setting is out of range, NotFound or
// InvalidArgument for data, as BuildTrainDataset().
absl::StatusOr<std::unique_ptr<DataLoader>> BuildTrainLoader(
    const DataConfig& config, int64_t batch_size, int64_t rank = 0,
    int64_t world_size = 1);
absl::StatusOr<std::unique_ptr<DataLoader>> BuildTrainLoader(
    const DataConfig& config, std::shared_ptr<const Dataset> dataset,
    int64_t batch_size, int64_t rank = 0, int64_t world_size = 1);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_BUILD_DATA_LOADER_H_
