#include "mask2former/data/sample_random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "mask2former/data/testing/golden_checksums.h"

namespace mask2former {
namespace {

TEST(SampleRandomTest, EqualsAnIndependentImplementation) {
  SampleRandom random(5, 7);
  std::vector<int64_t> integers, large;
  std::vector<double> uniform;
  for (int i = 0; i < 999; ++i) integers.push_back(random.Integer(-18, 18));
  for (int i = 0; i < 999; ++i) {
    large.push_back(random.Integer(0, int64_t{3} << 30));
  }
  for (int i = 0; i < 999; ++i) uniform.push_back(random.Uniform(-32, 32));
  EXPECT_EQ(Checksum(integers.data(), integers.size()),
            GoldenChecksum("random integers"));
  EXPECT_EQ(Checksum(large.data(), large.size()),
            GoldenChecksum("random large"));
  EXPECT_EQ(Checksum(uniform.data(), uniform.size()),
            GoldenChecksum("random uniform"));
}

TEST(SampleRandomTest, SeedAndSampleBothMatter) {
  EXPECT_EQ(SampleRandom(1, 2).Uniform(), SampleRandom(1, 2).Uniform());
  EXPECT_NE(SampleRandom(1, 2).Uniform(), SampleRandom(1, 3).Uniform());
  EXPECT_NE(SampleRandom(1, 2).Uniform(), SampleRandom(2, 2).Uniform());
  EXPECT_NE(SampleRandom(1, 2).Uniform(), SampleRandom(2, 1).Uniform());
}

TEST(SampleRandomTest, FirstNumbersOfNeighbouringSamplesAreUniform) {
  std::array<int, 16> counts{};
  for (int i = 0; i < 16000; ++i) ++counts[SampleRandom(0, i).Integer(0, 15)];
  // Five standard deviations of a share of 1/16 of 16000.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 155);
}

TEST(SampleRandomTest, IntegerIncludesBothEnds) {
  SampleRandom random(1, 1);
  EXPECT_EQ(random.Integer(4, 4), 4);
  bool low = false, high = false;
  for (int i = 0; i < 200; ++i) {
    const int64_t value = random.Integer(-1, 1);
    ASSERT_LE(std::abs(value), 1);
    low |= value == -1;
    high |= value == 1;
  }
  EXPECT_TRUE(low && high);
}

TEST(SampleRandomTest, CoinsOfProbabilityZeroAndOneAreCertain) {
  SampleRandom random(1, 1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(random.Coin(0.0));
    EXPECT_TRUE(random.Coin(1.0));
  }
}

}  // namespace
}  // namespace mask2former
