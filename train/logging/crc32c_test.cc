#include "mask2former/train/logging/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace mask2former {
namespace {

TEST(Crc32cTest, EqualsTheExamplesOfTheRfc) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AA);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  EXPECT_EQ(Crc32c(ascending), 0x46DD794E);
  EXPECT_EQ(Crc32c(""), 0);
}

TEST(MaskedCrc32cTest, RotatesAndAdds) {
  EXPECT_EQ(MaskedCrc32c(""), 0xA282EAD8);
  // (0xE3069283 rotated right by 15 bits) + 0xA282EAD8.
  EXPECT_EQ(MaskedCrc32c("123456789"), 0x2507C60D + 0xA282EAD8);
}

}  // namespace
}  // namespace mask2former
