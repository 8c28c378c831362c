#include "mask2former/tools/cuda_emulation/fibre.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mask2former {
namespace {

using ::testing::ElementsAre;

struct Walk {
  int first;
  std::vector<int>* visited;
};

// Three numbers, with a pause after each of the first two.
void Visit(void* argument) {
  const Walk& walk = *static_cast<Walk*>(argument);
  double step = 0.5;  // Must survive the pauses.
  for (int i = 0; i < 3; ++i) {
    walk.visited->push_back(walk.first + static_cast<int>(2 * i * step));
    if (i < 2) Fibre::Suspend();
  }
}

TEST(FibreTest, TakesTurns) {
  std::vector<int> visited;
  Walk one = {10, &visited}, two = {20, &visited};
  Fibre first, second;
  first.Start(&Visit, &one);
  second.Start(&Visit, &two);
  EXPECT_TRUE(first.Resume());
  EXPECT_TRUE(second.Resume());
  EXPECT_TRUE(second.Resume());
  EXPECT_FALSE(second.Resume());
  EXPECT_TRUE(first.Resume());
  EXPECT_FALSE(first.Resume());
  EXPECT_THAT(visited, ElementsAre(10, 20, 21, 22, 11, 12));
  EXPECT_FALSE(first.Resume());
  EXPECT_EQ(visited.size(), 6);
}

TEST(FibreTest, StartsAnewAfterTheEndOrInTheMiddle) {
  std::vector<int> visited;
  Walk walk = {0, &visited};
  Fibre fibre;
  EXPECT_FALSE(fibre.Resume());
  for (int run = 0; run < 3; ++run) {
    fibre.Start(&Visit, &walk);
    fibre.Resume();
    if (run == 1) continue;
    fibre.Resume();
    fibre.Resume();
  }
  EXPECT_THAT(visited, ElementsAre(0, 1, 2, 0, 0, 1, 2));
}

int Deep(int depth) {
  volatile char frame[256];
  frame[depth % 256] = 1;
  if (depth == 0) {
    Fibre::Suspend();
    return 0;
  }
  return Deep(depth - 1) + frame[depth % 256];
}

TEST(FibreTest, SuspendsDeepInItsStack) {
  int depth = 100;
  Fibre fibre;
  for (int run = 0; run < 2; ++run) {  // The first is dropped.
    fibre.Start([](void* d) { *static_cast<int*>(d) = -Deep(100); }, &depth);
    EXPECT_TRUE(fibre.Resume());
  }
  EXPECT_EQ(depth, 100);
  EXPECT_FALSE(fibre.Resume());
  EXPECT_EQ(depth, -100);
}

}  // namespace
}  // namespace mask2former
