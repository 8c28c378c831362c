#include "mask2former/pixel_decoder/ops/benchmark/compared_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/device_buffer.h"

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ComparedArguments& SmallArguments() {
  static const auto* const arguments = new ComparedArguments(32);
  return *arguments;
}

TEST(ComparedKernelsTest, BothSidesOfEveryPairGiveTheSame) {
  M2F_REQUIRES_DEVICE();
  EXPECT_THAT(SmallArguments().shapes, ElementsAre(1, 2, 2, 4, 4, 8));
  EXPECT_EQ(SmallArguments().sizes.queries, 42);
  EXPECT_EQ(ComparedPairs().size(), 5);
  for (const ComparedPair& pair : ComparedPairs()) {
    EXPECT_EQ(FindDifferences(SmallArguments(), pair), "") << pair.name;
  }
}

TEST(ComparedKernelsTest, NamesWhatDiffers) {
  M2F_REQUIRES_DEVICE();
  for (ComparedPair pair : ComparedPairs()) {
    const bool forward = pair.our_results(SmallArguments()).count("output") > 0;
    // Of a side that does nothing, nothing is left but NaN.
    pair.theirs = [](const ComparedArguments&) {};
    EXPECT_THAT(FindDifferences(SmallArguments(), pair),
                HasSubstr(forward ? "10752 of 10752 numbers of output"
                                  : "10752 of 10752 numbers of grad_value"))
        << pair.name;
  }
  // A comparison of another's results.
  ComparedPair pair = ComparedPairs()[2];
  pair.their_results = [](const ComparedArguments& a) {
    ComparedResults results = ComparedPairs()[2].their_results(a);
    for (size_t i = 0; i < 10; ++i) results["grad_weights"][i] += 0.1f;
    return results;
  };
  EXPECT_EQ(FindDifferences(SmallArguments(), pair),
            "10 of 4032 numbers of grad_weights");
}

}  // namespace
}  // namespace mask2former::ops
