#ifndef MASK2FORMER_DATA_DATA_LOADER_H_
#define MASK2FORMER_DATA_DATA_LOADER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/common/image_batch.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/sample_mapper.h"
#include "mask2former/data/sampler.h"

namespace mask2former {

struct DataLoaderOptions {
  int64_t batch_size = 1;  // Over all ranks; a multiple of world_size.
  int64_t rank = 0;
  int64_t world_size = 1;
  int64_t num_workers = 1;  // Threads.
  int64_t prefetch = 2;     // Batches prepared ahead.
  int64_t seed = 0;
};

// An endless stream of training batches, read and transformed by threads.
//
// Batch k holds elements k B .. (k + 1) B - 1 of the sampler's stream, B being
// the batch size over all ranks; of these, rank r has r, r + world_size, ... .
// A sample's random numbers come from the seed and its place in the stream. So
// batches depend on data, settings and seed only: neither on the number of
// threads nor on timing, and over all ranks together not on their number.
class DataLoader {
 public:
  // Starts no threads yet; the first Next() does.
  //
  // Returns InvalidArgument if an option is out of range or the data set is
  // empty.
  static absl::StatusOr<std::unique_ptr<DataLoader>> Create(
      std::shared_ptr<const Dataset> dataset,
      std::shared_ptr<const SampleMapper> mapper,
      const DataLoaderOptions& options);

  // Ends the threads; waits for the samples that they are working on, no more.
  ~DataLoader();

  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  // The next batch of this rank, batch_size / world_size images; waits for it.
  // Next(), state() and Restore() belong to one thread.
  //
  // Returns the error of the batch's first sample that could not be read, in
  // the order of the stream; the call after that goes on behind this batch.
  absl::StatusOr<ImageBatch> Next();

  // Where the batches that Next() has returned end: what is prefetched does not
  // count, nor does a batch that could not be read, until another has been.
  SamplerState state() const;

  // Goes on where a loader with this state stood; what is prefetched is
  // dropped. Other numbers of threads and ranks are fine.
  absl::Status Restore(const SamplerState& state);

  // Images per batch of this rank.
  int64_t batch_size_per_rank() const;

 private:
  struct PendingBatch {
    std::vector<absl::StatusOr<TrainingExample>> examples;
    std::vector<std::string> names;
    int64_t claimed = 0;  // Samples that a thread has taken on.
    int64_t finished = 0;
  };

  DataLoader(std::shared_ptr<const Dataset> dataset,
             std::shared_ptr<const SampleMapper> mapper,
             const DataLoaderOptions& options);

  void StartThreads();
  void StopThreads();
  void Work();
  absl::StatusOr<TrainingExample> Produce(const Sampler::Element& element,
                                          std::string& name) const;

  const std::shared_ptr<const Dataset> dataset_;
  const std::shared_ptr<const SampleMapper> mapper_;
  const DataLoaderOptions options_;
  SamplerState delivered_;
  int64_t taken_ = 0;  // Position after all calls of Next().
  std::mutex mutex_;
  std::condition_variable work_;  // There may be a sample to claim, or the end.
  std::condition_variable ready_;  // The front batch may be finished.
  // Guarded by mutex_.
  Sampler sampler_;
  std::deque<std::unique_ptr<PendingBatch>> queue_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_DATA_LOADER_H_
