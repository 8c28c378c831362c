#include "mask2former/data/transforms/resized_size.h"

#include <gtest/gtest.h>

namespace mask2former {
namespace {

TEST(ResizedSizeTest, CityscapesKeepsItsAspectRatioExactly) {
  for (const int64_t size : {512, 614, 716, 819, 921, 1024, 1126, 1228, 1331,
                             1433, 1536, 1638, 1740, 1843, 1945, 2048}) {
    EXPECT_EQ(ResizedSize({1024, 2048}, size, 4096),
              (ImageSize{size, 2 * size}));
  }
}

TEST(ResizedSizeTest, ShorterEdgeMayBeTheWidth) {
  EXPECT_EQ(ResizedSize({300, 200}, 100, 1000), (ImageSize{150, 100}));
}

TEST(ResizedSizeTest, LongerEdgeIsBound) {
  EXPECT_EQ(ResizedSize({1024, 2048}, 1024, 1000), (ImageSize{500, 1000}));
  EXPECT_EQ(ResizedSize({2048, 1024}, 1024, 1000), (ImageSize{1000, 500}));
}

TEST(ResizedSizeTest, RoundsToTheNearestPixel) {
  // 375 x 500: 500 * 333 / 375 = 444.0; 334: 445.33; 335: 446.67.
  EXPECT_EQ(ResizedSize({375, 500}, 333, 1000), (ImageSize{333, 444}));
  EXPECT_EQ(ResizedSize({375, 500}, 334, 1000), (ImageSize{334, 445}));
  EXPECT_EQ(ResizedSize({375, 500}, 335, 1000), (ImageSize{335, 447}));
}

}  // namespace
}  // namespace mask2former
