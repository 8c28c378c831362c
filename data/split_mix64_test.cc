#include "mask2former/data/split_mix64.h"

#include <gtest/gtest.h>

namespace mask2former {
namespace {

TEST(SplitMix64Test, GivesThePublishedNumbers) {
  SplitMix64 bits(1234567);
  for (const uint64_t number :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
        4593380528125082431u, 16408922859458223821u}) {
    EXPECT_EQ(bits.Next(), number);
  }
}

TEST(SplitMix64Test, SeedsThatDifferByAStepOverlap) {
  SplitMix64 first(5), second(5 + SplitMix64::kStep);
  first.Next();
  EXPECT_EQ(first.Next(), second.Next());
  EXPECT_NE(SplitMix64(5).Next(), SplitMix64(6).Next());
}

}  // namespace
}  // namespace mask2former
