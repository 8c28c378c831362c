#include "mask2former/data/data_loader.h"

#include <c10/util/Exception.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/sample_random.h"

namespace mask2former {
namespace {

absl::Status CheckOptions(const DataLoaderOptions& options) {
  if (options.batch_size < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch size must be >= 1, got ", options.batch_size));
  }
  if (options.world_size < 1 || options.rank < 0 ||
      options.rank >= options.world_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank must be 0 .. world size - 1, got rank ",
                     options.rank, " of ", options.world_size));
  }
  if (options.batch_size % options.world_size != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the batch of ", options.batch_size, " images cannot be split over ",
        options.world_size, " processes: change one to divide the other"));
  }
  if (options.num_workers < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.loader.num_workers must be >= 1, got ", options.num_workers));
  }
  if (options.prefetch < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.loader.prefetch must be >= 1, got ", options.prefetch));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataLoader>> DataLoader::Create(
    std::shared_ptr<const Dataset> dataset,
    std::shared_ptr<const SampleMapper> mapper,
    const DataLoaderOptions& options) {
  M2F_RETURN_IF_ERROR(CheckOptions(options));
  if (dataset->size() < 1) {
    return absl::InvalidArgumentError("the data set has no pictures");
  }
  return std::unique_ptr<DataLoader>(
      new DataLoader(std::move(dataset), std::move(mapper), options));
}

DataLoader::DataLoader(std::shared_ptr<const Dataset> dataset,
                       std::shared_ptr<const SampleMapper> mapper,
                       const DataLoaderOptions& options)
    : dataset_(std::move(dataset)),
      mapper_(std::move(mapper)),
      options_(options),
      sampler_(options.seed, dataset_->size()) {
  delivered_ = sampler_.state();
  taken_ = delivered_.position;
}

DataLoader::~DataLoader() { StopThreads(); }

int64_t DataLoader::batch_size_per_rank() const {
  return options_.batch_size / options_.world_size;
}

absl::StatusOr<ImageBatch> DataLoader::Next() {
  if (threads_.empty()) StartThreads();
  std::unique_ptr<PendingBatch> pending;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_.wait(lock, [this] {
      return !queue_.empty() &&
             queue_.front()->finished == batch_size_per_rank();
    });
    pending = std::move(queue_.front());
    queue_.pop_front();
  }
  work_.notify_all();
  taken_ += options_.batch_size;
  ImageBatch batch;
  batch.names = std::move(pending->names);
  for (absl::StatusOr<TrainingExample>& example : pending->examples) {
    if (!example.ok()) return std::move(example).status();
    batch.images.push_back(std::move(example->image));
    batch.targets.push_back(std::move(example->target));
  }
  delivered_.position = taken_;
  return batch;
}

SamplerState DataLoader::state() const { return delivered_; }

absl::Status DataLoader::Restore(const SamplerState& state) {
  StopThreads();
  M2F_RETURN_IF_ERROR(sampler_.Restore(state));
  delivered_ = state;
  taken_ = state.position;
  return absl::OkStatus();
}

void DataLoader::StartThreads() {
  for (int64_t i = 0; i < options_.num_workers; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

void DataLoader::StopThreads() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  queue_.clear();
  stopping_ = false;
}

void DataLoader::Work() {
  const int64_t batch_size = batch_size_per_rank();
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    const auto has_claims = [&] {
      return !queue_.empty() && queue_.back()->claimed < batch_size;
    };
    work_.wait(lock, [&] {
      return stopping_ || has_claims() ||
             static_cast<int64_t>(queue_.size()) < options_.prefetch;
    });
    if (stopping_) return;
    if (!has_claims()) {
      auto batch = std::make_unique<PendingBatch>();
      batch->examples.resize(batch_size, absl::UnknownError("not read yet"));
      batch->names.resize(batch_size);
      queue_.push_back(std::move(batch));
    }
    // The pointer stays valid: only finished batches leave the queue.
    PendingBatch* const batch = queue_.back().get();
    const int64_t slot = batch->claimed++;
    sampler_.Skip(options_.rank);
    const Sampler::Element element = sampler_.Next();
    sampler_.Skip(options_.world_size - 1 - options_.rank);
    lock.unlock();
    std::string name;
    absl::StatusOr<TrainingExample> example = Produce(element, name);
    lock.lock();
    batch->examples[slot] = std::move(example);
    batch->names[slot] = std::move(name);
    if (++batch->finished == batch_size) ready_.notify_one();
  }
}

absl::StatusOr<TrainingExample> DataLoader::Produce(
    const Sampler::Element& element, std::string& name) const {
  name = absl::StrCat("picture ", element.index);
  try {
    M2F_ASSIGN_OR_RETURN(Sample sample, dataset_->Load(element.index));
    name = sample.name;
    SampleRandom random(options_.seed, element.position);
    return mapper_->Map(std::move(sample), random);
  } catch (const c10::Error& e) {
    return absl::InternalError(
        absl::StrCat(name, ": ", e.what_without_backtrace()));
  } catch (const std::exception& e) {
    return absl::InternalError(absl::StrCat(name, ": ", e.what()));
  }
}

}  // namespace mask2former
