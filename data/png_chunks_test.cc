#include "mask2former/data/png_chunks.h"

#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/testing/png_bytes.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

std::string Signature() { return std::string(kPngSignature); }
std::string Header() { return PngChunk("IHDR", std::string(13, '\1')); }
std::string Whole() {
  return Signature() + Header() + PngChunk("IDAT", "anything at all") +
         PngChunk("IEND", "");
}

TEST(BigEndian32Test, TheHighestByteIsFirst) {
  EXPECT_EQ(BigEndian32("\x01\x02\x03\xff"), 0x010203FFu);
  EXPECT_EQ(BigEndian32("\xff\x80\x7f\x01"), 0xFF807F01u);
}

TEST(Crc32Test, HasThePublishedCheckValue) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
  // The checksum that ends every PNG.
  EXPECT_EQ(Crc32("IEND"), 0xAE426082u);
}

TEST(Crc32Test, IsTheSameByEightBytesAndByOne) {
  // A message followed by its checksum, low byte first, leaves a constant.
  for (size_t length = 0; length < 40; ++length) {
    std::string message(length, 'x');
    for (size_t i = 0; i < length; ++i) message[i] += static_cast<char>(7 * i);
    const uint32_t crc = Crc32(message);
    for (int byte = 0; byte < 4; ++byte) {
      message += static_cast<char>(crc >> (8 * byte));
    }
    EXPECT_EQ(Crc32(message), 0x2144DF1Cu) << length;
  }
}

TEST(CheckPngChunksTest, AcceptsAWholeFile) {
  EXPECT_THAT(CheckPngChunks(Whole()), IsOk());
}

TEST(CheckPngChunksTest, RefusesEveryTruncation) {
  const std::string whole = Whole();
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(CheckPngChunks(whole.substr(0, length)).code(),
              absl::StatusCode::kDataLoss)
        << length;
  }
}

TEST(CheckPngChunksTest, RefusesEveryChangedByte) {
  for (size_t i = 0; i < Whole().size(); ++i) {
    std::string changed = Whole();
    changed[i] ^= 0x40;
    EXPECT_FALSE(CheckPngChunks(changed).ok()) << i;
  }
}

TEST(CheckPngChunksTest, SaysWhatIsWrong) {
  EXPECT_THAT(
      CheckPngChunks("\xff\xd8 a JPEG, say, of some length ....."),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not a PNG")));
  EXPECT_THAT(CheckPngChunks(""),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is empty")));
  EXPECT_THAT(
      CheckPngChunks(Signature() + Header() + PngChunk("IEND", "")),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no picture data")));
  EXPECT_THAT(
      CheckPngChunks(Signature() + PngChunk("IDAT", "and no header before it")),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no PNG header")));
}

TEST(CheckPngChunksTest, IgnoresWhatFollowsTheEndMarker) {
  EXPECT_THAT(CheckPngChunks(Whole() + "appended"), IsOk());
}

}  // namespace
}  // namespace mask2former
