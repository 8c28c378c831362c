#include "mask2former/tools/cuda_emulation/race_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mask2former/common/testing/device_buffer.h"
#include "mask2former/tools/cuda_emulation/racy_kernel.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What a launch reported; "" if it worked.
std::string Report(cudaError_t error) {
  EXPECT_EQ(cudaGetLastError(), error);
  if (error == cudaSuccess) return "";
  EXPECT_EQ(error, cudaErrorLaunchFailure);
  return cudaGetErrorString(error);
}

TEST(RaceDetectorTest, FindsAnAdditionThatIsNotAtomic) {
  DeviceBuffer<int> values(std::vector<int>(64));
  EXPECT_THAT(
      Report(LaunchSum(values.data(), 1, 64, /*atomic=*/false)),
      AllOf(HasSubstr("SumKernel, block (0, 0, 0): race: thread number"),
            HasSubstr("of the same block writes in SumKernel"),
            HasSubstr("nothing orders the two")));
  EXPECT_THAT(Report(LaunchSum(values.data(), 9, 1, /*atomic=*/false)),
              HasSubstr("thread number 0 of block number"));
  EXPECT_EQ(Report(LaunchSum(values.data(), 9, 64, /*atomic=*/true)), "");
  // One thread may do as it likes.
  EXPECT_EQ(Report(LaunchSum(values.data(), 1, 1, /*atomic=*/false)), "");
}

TEST(RaceDetectorTest, WantsABarrierBetweenWriterAndReader) {
  DeviceBuffer<int> values(64);
  const auto report = [&](int distance, Order order) {
    return Report(LaunchNeighbour(values.data(), distance, order));
  };
  for (const int distance : {1, 32}) {  // Within a warp, and beyond.
    EXPECT_THAT(report(distance, Order::kNone), HasSubstr("race"));
    EXPECT_EQ(report(distance, Order::kBlock), "");
  }
  EXPECT_EQ(report(1, Order::kWarp), "");
  EXPECT_THAT(report(32, Order::kWarp), HasSubstr("race"));
  EXPECT_THAT(report(1, Order::kShuffle), HasSubstr("race"));
  EXPECT_EQ(report(0, Order::kNone), "");
}

TEST(RaceDetectorTest, TellsPartsOfAWordApart) {
  DeviceBuffer<int> values(64);
  EXPECT_EQ(Report(LaunchHalfWords(values.data())), "");
}

TEST(RaceDetectorTest, FollowsBarriersOfPartsOfAWarp) {
  RaceDetector detector;
  detector.StartGrid(64, {});
  detector.StartBlock(0);
  const auto use = [&](int thread, bool write) {
    return detector.Access(thread, 4096, 4, write, /*atomic=*/false, nullptr);
  };
  EXPECT_TRUE(use(1, /*write=*/true));
  detector.WarpBarrier(0, 0x6);  // Lanes 1 and 2; then 2 and 5.
  detector.WarpBarrier(0, 0x24);
  EXPECT_TRUE(use(5, /*write=*/false));
  EXPECT_FALSE(use(4, /*write=*/false));
  EXPECT_THAT(detector.race(), HasSubstr("thread number 1"));
  detector.BlockBarrier();
  EXPECT_TRUE(use(40, /*write=*/true));
  EXPECT_FALSE(use(41, /*write=*/true));
  detector.StartGrid(64, {});
  detector.StartBlock(0);
  EXPECT_TRUE(use(41, /*write=*/true));
}

TEST(RaceDetectorTest, TakesSharedMemoryOfTwoBlocksForTwo) {
  RaceDetector detector;
  detector.StartGrid(32, {{4096, 64}});
  for (const uintptr_t address : {4096, 4156, 4160}) {
    detector.StartBlock(0);
    EXPECT_TRUE(detector.Access(0, address, 4, true, false, nullptr));
    detector.StartBlock(1);
    EXPECT_EQ(detector.Access(0, address, 4, true, false, nullptr),
              address < 4160);
  }
}

}  // namespace
}  // namespace mask2former
