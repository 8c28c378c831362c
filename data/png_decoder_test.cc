#include "mask2former/data/png_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/png_chunks.h"
#include "mask2former/data/testing/png_bytes.h"

namespace mask2former {
namespace {

// What libpng makes of it, in R, G, B.
cv::Mat Expected(const std::string& png) {
  const cv::Mat buffer(1, static_cast<int>(png.size()), CV_8UC1,
                       const_cast<char*>(png.data()));
  cv::Mat image = cv::imdecode(buffer, cv::IMREAD_UNCHANGED);
  if (image.channels() != 3) return image;
  cv::Mat rgb(image.size(), CV_8UC3);
  cv::mixChannels(image, rgb, {0, 2, 1, 1, 2, 0});
  return rgb;
}

void ExpectLikeLibpng(const std::string& png, const std::string& what) {
  const auto image = DecodeLabelPng(png);
  ASSERT_THAT(image, IsOk()) << what;
  const cv::Mat expected = Expected(png);
  ASSERT_EQ(image->type(), expected.type()) << what;
  ASSERT_EQ(image->size(), expected.size()) << what;
  EXPECT_EQ(cv::norm(*image, expected, cv::NORM_INF), 0) << what;
}

// Noise, regions, runs of all lengths, and values whose frequencies halve, for
// which codes become long.
cv::Mat RandomImage(cv::RNG& rng, int type, int height, int width, int kind) {
  cv::Mat image(height, width, type);
  rng.fill(image, cv::RNG::UNIFORM, 0, 65536);
  if (kind == 0) return image;
  cv::Mat bytes(height, width * static_cast<int>(image.elemSize()), CV_8UC1,
                image.data);
  if (kind == 1) {
    image.setTo(cv::Scalar(7, 1, 0));
    for (int i = 0; i < 9; ++i) {
      cv::Mat region = image(cv::Range(rng.uniform(0, height), height),
                             cv::Range(rng.uniform(0, width), width));
      region.setTo(cv::Scalar(rng.uniform(0, 300), rng.uniform(0, 9), 200));
    }
    return image;
  }
  int left = 0, value = 0;
  for (int i = 0; i < bytes.rows * bytes.cols; ++i) {
    if (kind == 2 && left-- == 0) {
      left = rng.uniform(0, 40);
      value = rng.uniform(0, 256);
    }
    if (kind == 3) {
      for (value = 0; value < 200 && rng.uniform(0, 10) > 3;) ++value;
    }
    bytes.data[i] = static_cast<uint8_t>(value);
  }
  return image;
}

// A PNG of these rows of filter byte and residuals.
std::string Png(int width, int height, int bit_depth, int color_type,
                const std::string& filtered) {
  std::string header = PngNumber(width) + PngNumber(height);
  header += static_cast<char>(bit_depth);
  header += static_cast<char>(color_type);
  header += std::string(3, '\0');
  const std::string stream = StoredZlib(filtered);
  const size_t half = stream.size() / 2;
  return std::string(kPngSignature) + PngChunk("IHDR", header) +
         PngChunk("IDAT", stream.substr(0, half)) +
         PngChunk("IDAT", stream.substr(half)) + PngChunk("IEND", "");
}

TEST(PngDecoderTest, EqualsLibpngForEveryWayToCompress) {
  cv::RNG rng(1);
  for (const int type : {CV_8UC1, CV_16UC1, CV_8UC3}) {
    for (int i = 0; i < 120; ++i) {
      const int height = rng.uniform(1, 60), width = rng.uniform(1, 120);
      const cv::Mat image = RandomImage(rng, type, height, width, i % 4);
      const std::vector<int> settings = {cv::IMWRITE_PNG_COMPRESSION, i % 10,
                                         cv::IMWRITE_PNG_STRATEGY, (i / 4) % 5};
      std::vector<uint8_t> bytes;
      ASSERT_TRUE(cv::imencode(".png", image, bytes, settings));
      ExpectLikeLibpng(std::string(bytes.begin(), bytes.end()),
                       std::to_string(type) + ", " + std::to_string(i));
    }
  }
}

TEST(PngDecoderTest, EqualsLibpngForEveryFilter) {
  cv::RNG rng(2);
  for (int i = 0; i < 300; ++i) {
    const int pixel = 1 + i % 3;
    const int height = rng.uniform(1, 30), width = rng.uniform(1, 90);
    // Residuals are mostly zero, so that the short cuts are taken.
    std::string filtered;
    for (int y = 0; y < height; ++y) {
      filtered += static_cast<char>(i < 150 ? i / 3 % 5 : rng.uniform(0, 5));
      for (int x = 0; x < width * pixel; ++x) {
        const bool zero = rng.uniform(0, 60) > 0 && y % 7 != 6;
        filtered += static_cast<char>(zero ? 0 : rng.uniform(0, 256));
      }
    }
    ExpectLikeLibpng(
        Png(width, height, pixel == 2 ? 16 : 8, pixel == 3 ? 2 : 0, filtered),
        std::to_string(i));
  }
}

TEST(PngDecoderTest, LeavesOtherKindsToOthers) {
  const std::string row(2, '\0');
  EXPECT_THAT(DecodeLabelPng(Png(8, 1, 1, 0, row)),
              StatusIs(absl::StatusCode::kUnimplemented, testing::_));
  const auto gray = EncodePng(cv::Mat::zeros(3, 3, CV_8UC1));
  std::string transparent = *gray;
  transparent.insert(kPngHeaderBytes, PngChunk("tRNS", std::string(2, '\0')));
  EXPECT_THAT(DecodeLabelPng(transparent),
              StatusIs(absl::StatusCode::kUnimplemented, testing::_));
}

TEST(PngDecoderTest, FindsDamage) {
  // An unknown filter; too few rows; far too few rows.
  EXPECT_THAT(DecodeLabelPng(Png(1, 1, 8, 0, "\x05\x01")),
              StatusIs(absl::StatusCode::kDataLoss,
                       "its picture data are "
                       "damaged"));
  EXPECT_THAT(DecodeLabelPng(Png(1, 2, 8, 0, std::string(3, '\0'))),
              StatusIs(absl::StatusCode::kDataLoss, testing::_));
  EXPECT_THAT(
      DecodeLabelPng(Png(60000, 60000, 8, 0, "\1\2")),
      StatusIs(absl::StatusCode::kDataLoss, "its picture data end early"));
}

// Whatever the stream holds: an error, or what it held before.
TEST(PngDecoderTest, SurvivesDamage) {
  cv::RNG rng(3);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const cv::Mat image = RandomImage(rng, CV_8UC1, 20, 50, i % 4);
    std::vector<uint8_t> bytes;
    ASSERT_TRUE(cv::imencode(".png", image, bytes,
                             {cv::IMWRITE_PNG_COMPRESSION, i % 10}));
    for (int change = rng.uniform(1, 4); change > 0; --change) {
      const int last = static_cast<int>(bytes.size()) - 20;
      bytes[rng.uniform(41, last)] = static_cast<uint8_t>(rng.next());
    }
    const auto result = DecodeLabelPng(absl::string_view(
        reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (result.ok()) {
      EXPECT_EQ(cv::norm(*result, image, cv::NORM_INF), 0) << i;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace mask2former
