#include "mask2former/data/scene/render.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mask2former/data/scene/noise.h"

namespace mask2former {
namespace {

constexpr int kSupersampleBelow = 700;  // Rows.
constexpr uint8_t kFullLight = 255;
constexpr uint8_t kInShadow = 140;

// Which surface shows where, and how much light falls there, at `factor` times
// the picture's resolution.
class Canvas {
 public:
  Canvas(const Camera& camera, int factor)
      : camera_(camera),
        factor_(factor),
        owner_(camera.height, camera.width, CV_16UC1, cv::Scalar(0)),
        surface_(camera.height * factor, camera.width * factor, CV_16UC1,
                 cv::Scalar(0)),
        light_(camera.height * factor, camera.width * factor, CV_8UC1,
               cv::Scalar(kFullLight)) {
    surfaces_.emplace_back();  // Where nothing is: black.
  }

  void Draw(const OutlinedDrawing& item) {
    const Drawing& drawing = item.drawing;
    ++owners_;
    FillPolygon(Fine(drawing.shadow), light_.rows, light_.cols,
                [&](int y, int first, int last) {
                  uint8_t* row = light_.ptr<uint8_t>(y);
                  std::fill(row + first, row + last + 1, kInShadow);
                });
    const uint16_t base = Add(drawing.surface);
    FillPolygon(item.outline, owner_.rows, owner_.cols,
                [&](int y, int first, int last) {
                  uint16_t* row = owner_.ptr<uint16_t>(y);
                  std::fill(row + first, row + last + 1, owners_);
                  for (int i = 0; i < factor_; ++i) {
                    uint16_t* fine = surface_.ptr<uint16_t>(y * factor_ + i);
                    std::fill(fine + first * factor_,
                              fine + (last + 1) * factor_, base);
                    uint8_t* light = light_.ptr<uint8_t>(y * factor_ + i);
                    std::fill(light + first * factor_,
                              light + (last + 1) * factor_, kFullLight);
                  }
                });
    for (const Detail& detail : drawing.details) {
      const uint16_t surface = Add(detail.surface);
      FillPolygon(Fine(detail.polygon), surface_.rows, surface_.cols,
                  [&](int y, int first, int last) {
                    const uint16_t* owner = owner_.ptr<uint16_t>(y / factor_);
                    uint16_t* row = surface_.ptr<uint16_t>(y);
                    for (int x = first; x <= last; ++x) {
                      if (owner[x / factor_] == owners_) row[x] = surface;
                    }
                  });
    }
  }

  // The light of each pixel, [H, W] CV_32FC3.
  cv::Mat Resolve() const {
    cv::Mat picture(camera_.height, camera_.width, CV_32FC3);
    const float weight = 1.0f / (factor_ * factor_);
    for (int y = 0; y < camera_.height; ++y) {
      auto* row = picture.ptr<cv::Vec3f>(y);
      for (int x = 0; x < camera_.width; ++x) {
        Color sum;
        for (int j = 0; j < factor_; ++j) {
          const int fine_y = y * factor_ + j;
          const uint16_t* surface = surface_.ptr<uint16_t>(fine_y);
          const uint8_t* light = light_.ptr<uint8_t>(fine_y);
          for (int i = 0; i < factor_; ++i) {
            const int fine_x = x * factor_ + i;
            const Color color = Shade(surfaces_[surface[fine_x]], camera_,
                                      (fine_x + 0.5) / factor_ - 0.5,
                                      (fine_y + 0.5) / factor_ - 0.5);
            sum = sum + (weight / kFullLight * light[fine_x]) * color;
          }
        }
        row[x] = {sum.r, sum.g, sum.b};
      }
    }
    return picture;
  }

 private:
  uint16_t Add(const Surface& surface) {
    surfaces_.push_back(surface);
    return static_cast<uint16_t>(surfaces_.size() - 1);
  }

  Polygon Fine(const Polygon& polygon) const {
    Polygon fine;
    fine.reserve(polygon.size());
    for (const cv::Point2d& p : polygon) {
      fine.emplace_back((p.x + 0.5) * factor_ - 0.5,
                        (p.y + 0.5) * factor_ - 0.5);
    }
    return fine;
  }

  const Camera& camera_;
  const int factor_;
  uint16_t owners_ = 0;
  cv::Mat owner_;
  cv::Mat surface_;
  cv::Mat light_;
  std::vector<Surface> surfaces_;
};

// Weights w, 1 - 2 w, w along rows and columns; edges repeat.
void Blur(cv::Mat& picture, float w) {
  const int height = picture.rows;
  const int width = picture.cols;
  std::vector<cv::Vec3f> line(std::max(height, width));
  const auto smooth = [w](const cv::Vec3f& a, const cv::Vec3f& b,
                          const cv::Vec3f& c) {
    return (1 - 2 * w) * b + w * (a + c);
  };
  for (int y = 0; y < height; ++y) {
    auto* row = picture.ptr<cv::Vec3f>(y);
    std::copy(row, row + width, line.begin());
    for (int x = 0; x < width; ++x) {
      row[x] = smooth(line[std::max(x - 1, 0)], line[x],
                      line[std::min(x + 1, width - 1)]);
    }
  }
  std::vector<cv::Vec3f> above(picture.ptr<cv::Vec3f>(0),
                               picture.ptr<cv::Vec3f>(0) + width);
  for (int y = 0; y < height; ++y) {
    auto* row = picture.ptr<cv::Vec3f>(y);
    const auto* below = picture.ptr<cv::Vec3f>(std::min(y + 1, height - 1));
    for (int x = 0; x < width; ++x) {
      const cv::Vec3f old = row[x];
      row[x] = smooth(above[x], old, below[x]);
      above[x] = old;
    }
  }
}

// What happens between the street and the file.
struct Development {
  float gain[3];  // Exposure and colour balance.
  float tilt_x;   // Light that changes across the picture.
  float tilt_y;
  float haze;  // Added everywhere.
  float blur;
  float noise;  // Standard deviation, parts of full scale.
  uint32_t seed;
};

Development DrawDevelopment(SceneRandom& random) {
  Development d;
  const double exposure = random.Uniform(0.72, 1.2);
  for (float& gain : d.gain) gain = exposure * random.Uniform(0.84, 1.16);
  d.tilt_x = random.Uniform(-0.12, 0.12);
  d.tilt_y = random.Uniform(-0.1, 0.1);
  d.haze = random.Uniform(0, 0.06);
  d.blur = random.Uniform(0.1, 0.22);
  d.noise = random.Uniform(0.006, 0.022);
  d.seed = static_cast<uint32_t>(random.Next());
  return d;
}

// Close to a normal deviate of variance 1: a sum of four bytes.
float Deviate(uint32_t hash) {
  const int sum = static_cast<int>((hash & 255) + (hash >> 8 & 255) +
                                   (hash >> 16 & 255) + (hash >> 24));
  return static_cast<float>(sum - 510) * (1.0f / 147.8f);
}

}  // namespace

cv::Mat RenderPicture(const std::vector<OutlinedDrawing>& drawings,
                      const Camera& camera, SceneRandom& random) {
  Canvas canvas(camera, camera.height < kSupersampleBelow ? 2 : 1);
  for (const OutlinedDrawing& item : drawings) {
    if (!item.outline.empty()) canvas.Draw(item);
  }
  cv::Mat light = canvas.Resolve();
  const Development d = DrawDevelopment(random);
  Blur(light, d.blur);
  cv::Mat picture(camera.height, camera.width, CV_8UC3);
  for (int y = 0; y < camera.height; ++y) {
    const auto* in = light.ptr<cv::Vec3f>(y);
    auto* out = picture.ptr<cv::Vec3b>(y);
    const float down = static_cast<float>(y) / camera.height - 0.5f;
    for (int x = 0; x < camera.width; ++x) {
      const float across = static_cast<float>(x) / camera.width - 0.5f;
      // Corners are darker.
      const float vignette = 1 - 0.25f * (down * down + across * across);
      const float tilt =
          vignette * (1 + 2 * (d.tilt_x * across + d.tilt_y * down));
      for (int c = 0; c < 3; ++c) {
        const float noise =
            d.noise *
            Deviate(HashCell(x, y, d.seed + static_cast<uint32_t>(c)));
        const float value = in[x][c] * d.gain[c] * tilt + d.haze + noise;
        out[x][c] = static_cast<uint8_t>(
            std::min(255.0f, std::max(0.0f, value * 255.0f + 0.5f)));
      }
    }
  }
  return picture;
}

}  // namespace mask2former
