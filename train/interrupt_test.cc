#include "mask2former/train/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace mask2former {
namespace {

TEST(InterruptGuardTest, RemembersTheFirstSignal) {
  const InterruptGuard guard;
  EXPECT_EQ(guard.signal(), 0);
  std::raise(SIGTERM);
  EXPECT_EQ(guard.signal(), SIGTERM);
}

TEST(InterruptGuardTest, ANewGuardStartsClean) {
  {
    const InterruptGuard guard;
    std::raise(SIGINT);
    EXPECT_EQ(guard.signal(), SIGINT);
  }
  const InterruptGuard guard;
  EXPECT_EQ(guard.signal(), 0);
}

TEST(InterruptGuardDeathTest, TheSecondSignalEndsTheProgram) {
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace mask2former
