#include "mask2former/data/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/testing/golden_checksums.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<int64_t> Take(Sampler& sampler, int64_t count) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < count; ++i) indices.push_back(sampler.Next().index);
  return indices;
}

TEST(SamplerTest, EqualsTorchRandperm) {
  for (const auto& [seed, size] :
       {std::pair<int64_t, int64_t>{0, 7}, std::pair<int64_t, int64_t>{3, 7},
        std::pair<int64_t, int64_t>{(int64_t{1} << 40) + 5, 100},
        std::pair<int64_t, int64_t>{1, 2975}}) {
    Sampler sampler(seed, size);
    const std::vector<int64_t> indices = Take(sampler, 3 * size);
    EXPECT_EQ(Checksum(indices.data(), indices.size()),
              GoldenChecksum("sampler " + std::to_string(seed) + " " +
                             std::to_string(size)));
  }
}

TEST(SamplerTest, EveryPermutationHasEveryIndex) {
  Sampler sampler(11, 4);
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(Take(sampler, 4), UnorderedElementsAre(0, 1, 2, 3));
  }
}

TEST(SamplerTest, PositionsCount) {
  Sampler sampler(11, 3);
  for (int64_t i = 0; i < 8; ++i) EXPECT_EQ(sampler.Next().position, i);
  EXPECT_EQ(sampler.state().position, 8);
}

TEST(SamplerTest, SkippingEqualsTaking) {
  for (const int64_t skipped : {0, 1, 6, 7, 8, 13, 14, 15, 50}) {
    Sampler skipping(5, 7);
    Sampler taking(5, 7);
    skipping.Skip(skipped);
    Take(taking, skipped);
    EXPECT_EQ(Take(skipping, 20), Take(taking, 20)) << skipped;
  }
}

TEST(SamplerTest, GoesOnWhereItStood) {
  for (const int64_t taken : {0, 3, 7, 10, 21}) {
    Sampler sampler(5, 7);
    Take(sampler, taken);
    const SamplerState state = sampler.state();
    const std::vector<int64_t> rest = Take(sampler, 20);
    Sampler fresh(5, 7);
    ASSERT_THAT(fresh.Restore(state), IsOk());
    EXPECT_EQ(Take(fresh, 20), rest) << taken;
    // Backwards too.
    ASSERT_THAT(sampler.Restore(state), IsOk());
    EXPECT_EQ(Take(sampler, 20), rest) << taken;
  }
}

TEST(SamplerTest, RefusesTheStateOfAnotherStream) {
  Sampler sampler(5, 7);
  EXPECT_THAT(sampler.Restore({6, 7, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set data.loader.seed to 6")));
  EXPECT_THAT(sampler.Restore({5, 8, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("8 training pictures, this data set has 7")));
  EXPECT_THAT(
      sampler.Restore({5, 7, -1}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("negative")));
}

}  // namespace
}  // namespace mask2former
