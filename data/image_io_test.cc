#include "mask2former/data/image_io.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string TempPath(const std::string& name) {
  return ::testing::TempDir() + "/" + name;
}

cv::Mat Noise(int height, int width, int type) {
  cv::Mat image(height, width, type);
  cv::RNG generator(7);
  generator.fill(image, cv::RNG::UNIFORM, cv::Scalar::all(0),
                 cv::Scalar::all(CV_MAT_DEPTH(type) == CV_16U ? 65536 : 256));
  return image;
}

bool Equal(const cv::Mat& a, const cv::Mat& b) {
  return a.type() == b.type() && a.size() == b.size() &&
         cv::norm(a, b, cv::NORM_INF) == 0;
}

std::string Encoded(const cv::Mat& image) { return EncodePng(image).value(); }

// PNGs of kinds that EncodePng() does not write, by OpenCV.
std::string EncodedByOpenCv(const cv::Mat& image, std::vector<int> flags = {}) {
  std::vector<unsigned char> bytes;
  cv::imencode(".png", image, bytes, flags);
  return std::string(bytes.begin(), bytes.end());
}

// 2 x 2 pixels, colours 0 and 1 of a palette of two, written by Pillow 10.4.
std::string PalettePng() {
  const unsigned char bytes[] = {
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00,
      0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00,
      0x00, 0x02, 0x01, 0x03, 0x00, 0x00, 0x00, 0x48, 0x78, 0x9f, 0x67,
      0x00, 0x00, 0x00, 0x06, 0x50, 0x4c, 0x54, 0x45, 0x01, 0x02, 0x03,
      0x04, 0x05, 0x06, 0x95, 0x53, 0x6f, 0x48, 0x00, 0x00, 0x00, 0x0c,
      0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x70, 0x60, 0x68, 0x00,
      0x00, 0x01, 0x44, 0x00, 0xc1, 0x3a, 0x7a, 0x1c, 0x56, 0x00, 0x00,
      0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
  return std::string(reinterpret_cast<const char*>(bytes), sizeof(bytes));
}

TEST(ImageIoTest, ReadsBackWhatItWrote) {
  for (const auto& [type, format] : {std::pair{CV_8UC3, PngFormat::kRgb8},
                                     std::pair{CV_8UC1, PngFormat::kGray8},
                                     std::pair{CV_16UC1, PngFormat::kGray16}}) {
    const cv::Mat image = Noise(31, 45, type);
    const std::string path = TempPath("written.png");
    ASSERT_THAT(WritePngAtomically(path, image), IsOk());
    const auto read = ReadPng(path, format);
    ASSERT_THAT(read, IsOk());
    EXPECT_TRUE(Equal(*read, image)) << cv::typeToString(type);
  }
}

TEST(ImageIoTest, ChannelsAreRedGreenBlue) {
  // OpenCV encodes B, G, R.
  const std::string bytes =
      EncodedByOpenCv(cv::Mat(1, 1, CV_8UC3, cv::Scalar(3, 2, 1)));
  const auto image = DecodePng(bytes, PngFormat::kRgb8, "pixel.png");
  ASSERT_THAT(image, IsOk());
  EXPECT_EQ(image->at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
}

TEST(ImageIoTest, DetectsEveryTruncation) {
  const std::string bytes = Encoded(Noise(40, 40, CV_8UC3));
  for (size_t length = 0; length < bytes.size(); length += 97) {
    EXPECT_THAT(DecodePng(bytes.substr(0, length), PngFormat::kRgb8, "a.png"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.png is")))
        << length;
  }
  EXPECT_THAT(DecodePng(bytes.substr(0, bytes.size() - 1), PngFormat::kRgb8,
                        "frankfurt.png"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("frankfurt.png is cut short"),
                             HasSubstr("copy or extract it again"))));
}

TEST(ImageIoTest, DetectsAChangedByte) {
  std::string bytes = Encoded(Noise(40, 40, CV_8UC3));
  bytes[bytes.size() / 2] ^= 1;
  EXPECT_THAT(DecodePng(bytes, PngFormat::kRgb8, "a.png"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum")));
}

TEST(ImageIoTest, ColourIsNoLabelImage) {
  EXPECT_THAT(DecodePng(Encoded(Noise(4, 4, CV_8UC3)), PngFormat::kGray8,
                        "a_gtFine_color.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a_gtFine_color.png is 8-bit RGB"),
                             HasSubstr("this is a colour image, use "
                                       "*_gtFine_labelIds.png"))));
  EXPECT_THAT(
      DecodePng(EncodedByOpenCv(Noise(4, 4, CV_8UC4)), PngFormat::kGray8, "a"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("8-bit RGBA")));
}

TEST(ImageIoTest, PaletteIsNoLabelImage) {
  EXPECT_THAT(DecodePng(PalettePng(), PngFormat::kGray8, "palette.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("palette.png is 1-bit palette"),
                             HasSubstr("not label ids"))));
}

TEST(ImageIoTest, WrongBitDepthIsNamed) {
  EXPECT_THAT(DecodePng(Encoded(Noise(4, 4, CV_16UC1)), PngFormat::kGray8,
                        "a_gtFine_instanceIds.png"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("16-bit gray"),
                             HasSubstr("use *_gtFine_labelIds.png"))));
  EXPECT_THAT(
      DecodePng(Encoded(Noise(4, 4, CV_8UC1)), PngFormat::kGray16, "a.png"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("use *_gtFine_instanceIds.png")));
  EXPECT_THAT(
      DecodePng(
          EncodedByOpenCv(Noise(4, 9, CV_8UC1), {cv::IMWRITE_PNG_BILEVEL, 1}),
          PngFormat::kGray8, "a.png"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1-bit gray")));
}

TEST(ImageIoTest, GrayIsNoPhotograph) {
  EXPECT_THAT(DecodePng(Encoded(Noise(4, 4, CV_8UC1)), PngFormat::kRgb8, "a"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("must be 8-bit RGB"),
                             HasSubstr("*_leftImg8bit.png"))));
}

TEST(ImageIoTest, OtherFilesAreNotPng) {
  EXPECT_THAT(
      DecodePng("P6 1 1 255\n...", PngFormat::kRgb8, "a.png"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a PNG")));
}

TEST(ImageIoTest, MissingFileIsNamed) {
  const std::string path = TempPath("no_such.png");
  EXPECT_THAT(ReadPng(path, PngFormat::kRgb8),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path)));
  EXPECT_THAT(ReadPngInfo(path),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path)));
  EXPECT_THAT(ReadImageAsRgb(path),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(path)));
}

TEST(ImageIoTest, InfoComesFromTheHeader) {
  const std::string path = TempPath("info.png");
  ASSERT_THAT(WritePngAtomically(path, Noise(3, 300, CV_16UC1)), IsOk());
  const auto info = ReadPngInfo(path);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->height, 3);
  EXPECT_EQ(info->width, 300);
  EXPECT_EQ(Describe(*info), "16-bit gray");
}

TEST(ImageIoTest, ReadImageAsRgbConverts) {
  const std::string path = TempPath("gray.png");
  cv::Mat gray(2, 2, CV_8UC1, cv::Scalar(9));
  ASSERT_THAT(WritePngAtomically(path, gray), IsOk());
  const auto image = ReadImageAsRgb(path);
  ASSERT_THAT(image, IsOk());
  EXPECT_TRUE(Equal(*image, cv::Mat(2, 2, CV_8UC3, cv::Scalar(9, 9, 9))));

  const std::string red = TempPath("red.bmp");
  ASSERT_TRUE(cv::imwrite(red, cv::Mat(2, 2, CV_8UC3, cv::Scalar(0, 0, 255))));
  const auto red_image = ReadImageAsRgb(red);
  ASSERT_THAT(red_image, IsOk());
  EXPECT_EQ(red_image->at<cv::Vec3b>(1, 1), cv::Vec3b(255, 0, 0));
}

TEST(ImageIoTest, ReadImageAsRgbNamesWhatItCannotRead) {
  const std::string text = TempPath("notes.txt");
  ASSERT_THAT(WriteFileAtomically(text, "no picture"), IsOk());
  EXPECT_THAT(ReadImageAsRgb(text),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(text)));
  const std::string cut = TempPath("cut.png");
  ASSERT_THAT(
      WriteFileAtomically(cut, Encoded(Noise(9, 9, CV_8UC3)).substr(0, 100)),
      IsOk());
  EXPECT_THAT(ReadImageAsRgb(cut),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut short")));
}

TEST(ImageIoTest, RefusesToWriteOtherTypes) {
  EXPECT_THAT(WritePngAtomically(TempPath("f.png"), Noise(2, 2, CV_8UC4)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("f.png")));
  EXPECT_THAT(EncodePng(cv::Mat()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

}  // namespace
}  // namespace mask2former
