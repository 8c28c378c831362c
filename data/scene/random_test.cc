#include "mask2former/data/scene/random.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

namespace mask2former {
namespace {

TEST(SceneRandomTest, DrawsTheNumbersOfSplitMix64) {
  // The published generator's first numbers from seed 1234567.
  SceneRandom random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
}

TEST(SceneRandomTest, StaysInItsRangesAndReachesTheirEnds) {
  SceneRandom random(1);
  std::set<int> seen;
  double sum = 0;
  for (int i = 0; i < 4000; ++i) {
    const double u = random.Uniform(-2, 3);
    ASSERT_GE(u, -2);
    ASSERT_LT(u, 3);
    sum += u;
    seen.insert(random.Integer(-1, 2));
  }
  EXPECT_NEAR(sum / 4000, 0.5, 0.1);
  EXPECT_EQ(seen, (std::set<int>{-1, 0, 1, 2}));
  EXPECT_FALSE(random.Chance(0));
  EXPECT_TRUE(random.Chance(1));
}

TEST(SceneRandomTest, KeepsDrawsFromAForkApart) {
  SceneRandom a(5);
  SceneRandom b(5);
  SceneRandom fork = a.Fork();
  b.Fork();
  for (int i = 0; i < 10; ++i) fork.Next();
  EXPECT_EQ(a.Next(), b.Next());
}

TEST(SceneSeedTest, DiffersBySeedSplitAndIndex) {
  std::set<uint64_t> seeds;
  for (const uint64_t seed : {0, 1, 2}) {
    for (const char* split : {"train", "val", "test"}) {
      for (uint64_t index = 0; index < 100; ++index) {
        seeds.insert(SceneSeed(seed, split, index));
      }
    }
  }
  EXPECT_EQ(seeds.size(), 900u);
  EXPECT_EQ(SceneSeed(1, "val", 7), SceneSeed(1, "val", 7));
}

}  // namespace
}  // namespace mask2former
