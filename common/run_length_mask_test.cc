#include "mask2former/common/run_length_mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Pixels = std::vector<uint8_t>;

Pixels Decoded(const RunLengthMask& mask) {
  Pixels pixels(mask.height() * mask.width(), 77);
  mask.Decode(pixels.data());
  return pixels;
}

TEST(RunLengthMaskTest, RunsGoOnFromRowToRow) {
  RunLengthMask mask(4);
  const Pixels upper = {0, 0, 1, 1};
  const Pixels lower = {255, 0, 0, 7};
  mask.AppendRows(upper.data(), 1);
  mask.AppendRows(lower.data(), 1);
  EXPECT_EQ(mask.height(), 2);
  EXPECT_EQ(mask.width(), 4);
  EXPECT_EQ(mask.area(), 4);
  EXPECT_THAT(mask.runs(), ElementsAre(2, 3, 2, 1));
  EXPECT_EQ(Decoded(mask), (Pixels{0, 0, 1, 1, 1, 0, 0, 1}));
}

TEST(RunLengthMaskTest, WholeAndEmptyMasksAreOneRun) {
  const Pixels full(60, 1), empty(60, 0);
  RunLengthMask inside(6), outside(6);
  inside.AppendRows(full.data(), 10);
  outside.AppendRows(empty.data(), 10);
  EXPECT_THAT(inside.runs(), ElementsAre(0, 60));
  EXPECT_THAT(outside.runs(), ElementsAre(60));
  EXPECT_EQ(inside.area(), 60);
  EXPECT_EQ(outside.area(), 0);
  EXPECT_EQ(Decoded(inside), full);
  EXPECT_EQ(Decoded(outside), empty);
}

TEST(RunLengthMaskTest, NoRowsAreNoRuns) {
  RunLengthMask mask(6);
  mask.AppendRows(nullptr, 0);
  EXPECT_EQ(mask.height(), 0);
  EXPECT_THAT(mask.runs(), IsEmpty());
  EXPECT_EQ(RunLengthMask().area(), 0);
}

// Runs of every length, begun and ended anywhere in a word, in one piece or in
// several.
TEST(RunLengthMaskTest, GivesBackWhatItGot) {
  std::mt19937 random(3);
  for (const int width : {1, 7, 8, 33}) {
    for (const double change : {0.02, 0.2, 0.9}) {
      const int rows = 40;
      Pixels pixels(rows * width);
      bool inside = random() % 2 == 0;
      int64_t area = 0;
      for (uint8_t& pixel : pixels) {
        if (std::bernoulli_distribution(change)(random)) inside = !inside;
        pixel = inside ? 1 : 0;
        area += pixel;
      }
      RunLengthMask once(width), parts(width);
      once.AppendRows(pixels.data(), rows);
      for (int y = 0; y < rows; y += 5) {
        parts.AppendRows(pixels.data() + y * width, 5);
      }
      EXPECT_EQ(Decoded(once), pixels);
      EXPECT_EQ(parts.runs(), once.runs());
      EXPECT_EQ(once.area(), area);
    }
  }
}

}  // namespace
}  // namespace mask2former
