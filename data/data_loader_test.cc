#include "mask2former/data/data_loader.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/mask_targets.h"
#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Samples made in memory; later ones of a batch tend to be ready first.
class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(int64_t size) : size_(size) {}

  int64_t size() const override { return size_; }
  int64_t num_classes() const override { return 19; }

  absl::StatusOr<Sample> Load(int64_t index) const override {
    ++loads_;
    std::this_thread::sleep_for(
        delay_ + std::chrono::microseconds((index * 7919) % 5 * 300));
    if (index == broken_) return absl::DataLossError("file 3 is cut short");
    if (index == throwing_) throw std::runtime_error("out of luck");
    Sample sample;
    sample.image = NoisePattern(8, 16, 3);
    sample.label = cv::Mat(8, 16, CV_8UC1, cv::Scalar(index % 19));
    sample.name = "sample" + std::to_string(index);
    return sample;
  }

  int64_t broken_ = -1;
  int64_t throwing_ = -1;
  std::chrono::milliseconds delay_{0};
  mutable std::atomic<int64_t> loads_{0};

 private:
  int64_t size_;
};

// Adds a random number, so that the image tells which one the sample got.
class FakeMapper : public SampleMapper {
 public:
  absl::StatusOr<TrainingExample> Map(Sample sample,
                                      SampleRandom& random) const override {
    TrainingExample example;
    example.target = MakeMaskTarget(sample.label, 19);
    example.image = at::empty({3, 8, 16}, at::kByte);
    auto* bytes = example.image.mutable_data_ptr<uint8_t>();
    for (int64_t i = 0; i < example.image.numel(); ++i) {
      bytes[i] = static_cast<uint8_t>(random.Integer(0, 255));
    }
    return example;
  }
};

DataLoaderOptions Options(int64_t batch_size, int64_t num_workers) {
  DataLoaderOptions options;
  options.batch_size = batch_size;
  options.num_workers = num_workers;
  options.seed = 9;
  return options;
}

std::unique_ptr<DataLoader> Loader(std::shared_ptr<const Dataset> dataset,
                                   const DataLoaderOptions& options) {
  return DataLoader::Create(std::move(dataset), std::make_shared<FakeMapper>(),
                            options)
      .value();
}

// All bytes of a batch, names included.
uint32_t Hash(const ImageBatch& batch) {
  std::string bytes;
  for (size_t i = 0; i < batch.images.size(); ++i) {
    bytes += batch.names[i] + "/";
    const at::Tensor& image = batch.images[i];
    const at::Tensor& masks = batch.targets[i].masks;
    const at::Tensor& labels = batch.targets[i].labels;
    bytes.append(reinterpret_cast<const char*>(image.const_data_ptr()),
                 image.nbytes());
    bytes.append(reinterpret_cast<const char*>(masks.const_data_ptr()),
                 masks.nbytes());
    bytes.append(reinterpret_cast<const char*>(labels.const_data_ptr()),
                 labels.nbytes());
  }
  return ChecksumBytes(bytes);
}

std::vector<uint32_t> Hashes(DataLoader& loader, int count) {
  std::vector<uint32_t> hashes;
  for (int i = 0; i < count; ++i) hashes.push_back(Hash(loader.Next().value()));
  return hashes;
}

TEST(DataLoaderTest, BatchesAreCompleteAndStraddlePermutations) {
  const auto loader = Loader(std::make_shared<FakeDataset>(5), Options(3, 2));
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    const auto batch = loader->Next();
    ASSERT_THAT(batch, IsOk());
    ASSERT_EQ(batch->images.size(), 3u);
    ASSERT_EQ(batch->targets.size(), 3u);
    EXPECT_THAT(batch->images[0].sizes(), ElementsAre(3, 8, 16));
    EXPECT_THAT(batch->targets[0].masks.sizes(), ElementsAre(1, 8, 16));
    names.insert(names.end(), batch->names.begin(), batch->names.end());
  }
  for (int pass = 0; pass < 3; ++pass) {
    const auto begin = names.begin() + 5 * pass;
    EXPECT_THAT(std::vector<std::string>(begin, begin + 5),
                ::testing::UnorderedElementsAre("sample0", "sample1", "sample2",
                                                "sample3", "sample4"));
  }
}

TEST(DataLoaderTest, NumberOfThreadsDoesNotMatter) {
  const auto dataset = std::make_shared<FakeDataset>(11);
  const std::vector<uint32_t> one = Hashes(*Loader(dataset, Options(4, 1)), 12);
  EXPECT_EQ(Hashes(*Loader(dataset, Options(4, 4)), 12), one);
  DataLoaderOptions many = Options(4, 7);
  many.prefetch = 5;
  EXPECT_EQ(Hashes(*Loader(dataset, many), 12), one);
  DataLoaderOptions other = Options(4, 1);
  other.seed = 10;
  EXPECT_NE(Hashes(*Loader(dataset, other), 12), one);
}

TEST(DataLoaderTest, ASampleIsDistortedAnewEachTime) {
  const auto loader = Loader(std::make_shared<FakeDataset>(1), Options(1, 2));
  EXPECT_NE(Hash(loader->Next().value()), Hash(loader->Next().value()));
}

TEST(DataLoaderTest, RanksShareTheStream) {
  const auto dataset = std::make_shared<FakeDataset>(11);
  const auto whole = Loader(dataset, Options(6, 2));
  std::vector<std::unique_ptr<DataLoader>> ranks;
  for (int64_t rank = 0; rank < 3; ++rank) {
    DataLoaderOptions options = Options(6, 2);
    options.rank = rank;
    options.world_size = 3;
    ranks.push_back(Loader(dataset, options));
    EXPECT_EQ(ranks.back()->batch_size_per_rank(), 2);
  }
  for (int step = 0; step < 5; ++step) {
    const ImageBatch all = whole->Next().value();
    for (size_t rank = 0; rank < 3; ++rank) {
      const ImageBatch part = ranks[rank]->Next().value();
      ASSERT_EQ(part.images.size(), 2u);
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(part.names[i], all.names[3 * i + rank]);
        EXPECT_TRUE(at::equal(part.images[i], all.images[3 * i + rank]));
      }
      EXPECT_EQ(ranks[rank]->state().position, 6 * (step + 1));
    }
  }
}

TEST(DataLoaderTest, GoesOnExactlyWhateverWasPrefetched) {
  const auto dataset = std::make_shared<FakeDataset>(7);
  const std::vector<uint32_t> all = Hashes(*Loader(dataset, Options(3, 2)), 10);
  for (const int64_t prefetch : {1, 4}) {
    DataLoaderOptions options = Options(3, 3);
    options.prefetch = prefetch;
    const auto interrupted = Loader(dataset, options);
    Hashes(*interrupted, 4);
    const SamplerState state = interrupted->state();
    EXPECT_EQ(state.position, 12);
    const auto resumed = Loader(dataset, Options(3, 1));
    ASSERT_THAT(resumed->Restore(state), IsOk());
    EXPECT_EQ(Hashes(*resumed, 6),
              std::vector<uint32_t>(all.begin() + 4, all.end()));
    // A loader that is already running can be set back, too.
    ASSERT_THAT(interrupted->Restore({9, 7, 0}), IsOk());
    EXPECT_EQ(Hashes(*interrupted, 10), all);
  }
}

TEST(DataLoaderTest, RefusesTheStateOfAnotherRun) {
  const auto loader = Loader(std::make_shared<FakeDataset>(7), Options(3, 2));
  EXPECT_THAT(loader->Restore({8, 7, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("seed")));
}

TEST(DataLoaderTest, AnErrorComesWithTheBatchItBelongsTo) {
  const auto good = std::make_shared<FakeDataset>(8);
  const auto bad = std::make_shared<FakeDataset>(8);
  bad->broken_ = 3;
  const auto loader = Loader(good, Options(2, 2));
  const auto failing = Loader(bad, Options(2, 4));
  int errors = 0;
  for (int i = 0; i < 8; ++i) {
    const ImageBatch expected = loader->Next().value();
    const auto batch = failing->Next();
    if (expected.names[0] == "sample3" || expected.names[1] == "sample3") {
      EXPECT_THAT(batch, StatusIs(absl::StatusCode::kDataLoss,
                                  HasSubstr("file 3 is cut short")));
      ++errors;
    } else {
      ASSERT_THAT(batch, IsOk());
      EXPECT_EQ(Hash(*batch), Hash(expected));
    }
  }
  EXPECT_EQ(errors, 2);
}

TEST(DataLoaderTest, ABatchThatCouldNotBeReadIsNotPassedOver) {
  const auto dataset = std::make_shared<FakeDataset>(8);
  const std::vector<uint32_t> all = Hashes(*Loader(dataset, Options(2, 2)), 9);
  dataset->broken_ = 3;
  const auto loader = Loader(dataset, Options(2, 2));
  int64_t good = 0;
  while (loader->Next().ok()) ++good;
  EXPECT_EQ(loader->state().position, 2 * good);
  dataset->broken_ = -1;
  const auto resumed = Loader(dataset, Options(2, 2));
  ASSERT_THAT(resumed->Restore(loader->state()), IsOk());
  EXPECT_EQ(Hashes(*resumed, 9 - good),
            std::vector<uint32_t>(all.begin() + good, all.end()));
}

TEST(DataLoaderTest, AnExceptionBecomesAnError) {
  const auto dataset = std::make_shared<FakeDataset>(1);
  dataset->throwing_ = 0;
  EXPECT_THAT(Loader(dataset, Options(1, 1))->Next(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("out of luck")));
}

TEST(DataLoaderTest, ReadsNoFurtherAheadThanAsked) {
  const auto dataset = std::make_shared<FakeDataset>(100);
  DataLoaderOptions options = Options(4, 3);
  options.prefetch = 2;
  const auto loader = Loader(dataset, options);
  ASSERT_THAT(loader->Next(), IsOk());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(dataset->loads_, 4 + 2 * 4);
}

TEST(DataLoaderTest, StartsNoThreadBeforeItIsUsed) {
  const auto dataset = std::make_shared<FakeDataset>(100);
  const auto loader = Loader(dataset, Options(4, 3));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(dataset->loads_, 0);
}

TEST(DataLoaderTest, EndsInTheMiddleOfABatch) {
  const auto dataset = std::make_shared<FakeDataset>(100);
  dataset->delay_ = std::chrono::milliseconds(30);
  auto loader = Loader(dataset, Options(4, 2));
  ASSERT_THAT(loader->Next(), IsOk());
  const auto start = std::chrono::steady_clock::now();
  loader.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start,
            std::chrono::milliseconds(500));
}

TEST(DataLoaderTest, NamesTheOptionThatIsOutOfRange) {
  const auto create = [](const DataLoaderOptions& options, int64_t size) {
    return DataLoader::Create(std::make_shared<FakeDataset>(size),
                              std::make_shared<FakeMapper>(), options)
        .status();
  };
  const auto is_invalid = [](const std::string& message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
  };
  DataLoaderOptions options;
  options.batch_size = 0;
  EXPECT_THAT(create(options, 1), is_invalid("batch size must be >= 1"));
  options = {};
  options.batch_size = 16;
  options.world_size = 3;
  EXPECT_THAT(create(options, 1), is_invalid("16 images cannot be split"));
  options.rank = 3;
  EXPECT_THAT(create(options, 1), is_invalid("got rank 3 of 3"));
  options = {};
  options.num_workers = 0;
  EXPECT_THAT(create(options, 1), is_invalid("data.loader.num_workers"));
  options = {};
  options.prefetch = 0;
  EXPECT_THAT(create(options, 1), is_invalid("data.loader.prefetch"));
  EXPECT_THAT(create({}, 0), is_invalid("no pictures"));
}

}  // namespace
}  // namespace mask2former
