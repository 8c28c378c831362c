#include "mask2former/data/scene/scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/scene/random.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

// FNV-1a over the bytes of an image.
uint64_t Hash(const cv::Mat& image) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* row = image.ptr<uint8_t>(y);
    for (size_t i = 0; i < image.cols * image.elemSize(); ++i) {
      hash = (hash ^ row[i]) * 0x100000001B3u;
    }
  }
  return hash;
}

SceneOptions Size(int height, int width) {
  SceneOptions options;
  options.height = height;
  options.width = width;
  return options;
}

TEST(MakeSceneTest, GivesTheSameBytesForTheSameSeed) {
  const Scene a = MakeScene(Size(96, 192), 5);
  const Scene b = MakeScene(Size(96, 192), 5);
  const Scene c = MakeScene(Size(96, 192), 6);
  EXPECT_EQ(Hash(a.image), Hash(b.image));
  EXPECT_EQ(Hash(a.instance_ids), Hash(b.instance_ids));
  EXPECT_NE(Hash(a.image), Hash(c.image));
  EXPECT_NE(Hash(a.label_ids), Hash(c.label_ids));
}

TEST(MakeSceneTest, GivesTheSameBytesOnEveryMachine) {
  // Computed once; a change of the pictures needs a new generator version in
  // scene_manifest.cc, so that old datasets are not taken for new ones.
  const Scene scene = MakeScene(Size(128, 256), 1);
  EXPECT_EQ(Hash(scene.image), 3643430629178143797u);
  EXPECT_EQ(Hash(scene.label_ids), 14716851067525556606u);
}

TEST(MakeSceneTest, WorksAtAnySize) {
  for (const auto& [height, width] :
       {std::pair(32, 32), std::pair(67, 131), std::pair(200, 90),
        std::pair(64, 400), std::pair(1024, 2048)}) {
    SceneOptions options = Size(height, width);
    options.rare_classes = 1;
    options.void_areas = 1;
    const Scene scene = MakeScene(options, 3);
    EXPECT_EQ(scene.image.size(), cv::Size(width, height));
    EXPECT_EQ(scene.image.type(), CV_8UC3);
    EXPECT_EQ(scene.label_ids.type(), CV_8UC1);
    EXPECT_EQ(scene.instance_ids.type(), CV_16UC1);
    for (const SceneObject& object : scene.objects) {
      EXPECT_GE(object.polygon.size(), 3u);
      for (const cv::Point& p : object.polygon) {
        EXPECT_TRUE(p.inside(cv::Rect(0, 0, width, height))) << object.label;
      }
    }
  }
}

TEST(MakeSceneTest, LabelsEveryPixelAndRelatesInstancesToLabels) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Scene scene = MakeScene(Size(96, 192), seed);
    for (int y = 0; y < 96; ++y) {
      for (int x = 0; x < 192; ++x) {
        const int label = scene.label_ids.at<uint8_t>(y, x);
        const int instance = scene.instance_ids.at<uint16_t>(y, x);
        ASSERT_NE(label, 0);
        ASSERT_EQ(instance >= 1000 ? instance / 1000 : instance, label);
      }
    }
  }
}

constexpr const char* kDefaultClasses[] = {
    "road",         "sidewalk",   "building", "fence", "pole",
    "traffic sign", "vegetation", "terrain",  "sky",   "person",
    "rider",        "car",        "bicycle"};

TEST(MakeSceneTest, ShowsEveryDefaultClassInMostPictures) {
  constexpr int kScenes = 40;
  std::map<std::string, int> count;
  double void_area = 0;
  for (int seed = 0; seed < kScenes; ++seed) {
    const Scene scene = MakeScene(Size(128, 256), seed);
    std::array<int, 256> pixels{};
    for (int y = 0; y < 128; ++y) {
      for (int x = 0; x < 256; ++x) ++pixels[scene.label_ids.at<uint8_t>(y, x)];
    }
    int classes = 0;
    for (const CityscapesLabel& label : CityscapesLabels()) {
      if (label.id < 0) continue;
      const double area = pixels[label.id] / (128.0 * 256);
      if (label.ignore_in_eval) {
        void_area += area / kScenes;
      } else if (area > 0.001) {
        ++count[std::string(label.name)];
        ++classes;
      }
    }
    EXPECT_GE(classes, 10) << seed;
  }
  for (const char* name : kDefaultClasses) {
    EXPECT_GE(count[name], 0.8 * kScenes) << name;
  }
  EXPECT_GE(count["bus"], 0.25 * kScenes);
  EXPECT_GT(void_area, 0.002);
  EXPECT_LT(void_area, 0.06);
}

// Sums of the classes' colours, for their means.
struct ColorSums {
  std::array<double, 3> sum{};
  double count = 0;
};

TEST(MakeSceneTest, DoesNotGiveClassesAwayByColour) {
  // A classifier that knows only each class's mean colour: fitted on 40
  // pictures, scored on 20 others.
  const auto& train_ids = CityscapesIdToTrainId();
  const SceneOptions options = Size(96, 192);
  const auto for_each_pixel = [&](const char* split, int scenes,
                                  const auto& visit) {
    for (int i = 0; i < scenes; ++i) {
      const Scene scene = MakeScene(options, SceneSeed(1, split, i));
      for (int y = 0; y < options.height; ++y) {
        for (int x = 0; x < options.width; ++x) {
          const int label = train_ids[scene.label_ids.at<uint8_t>(y, x)];
          if (label != kCityscapesIgnore) {
            visit(label, scene.image.at<cv::Vec3b>(y, x));
          }
        }
      }
    }
  };
  std::array<ColorSums, kCityscapesClasses> colors;
  for_each_pixel("train", 40, [&](int label, const cv::Vec3b& pixel) {
    ++colors[label].count;
    for (int c = 0; c < 3; ++c) colors[label].sum[c] += pixel[c];
  });
  using Counts = std::array<double, kCityscapesClasses>;
  Counts right{}, truth{}, guessed{};
  double pixels = 0;
  for_each_pixel("val", 20, [&](int label, const cv::Vec3b& pixel) {
    int best = -1;
    double best_distance = 1e18;
    for (int k = 0; k < kCityscapesClasses; ++k) {
      if (colors[k].count == 0) continue;
      double distance = 0;
      for (int c = 0; c < 3; ++c) {
        const double d = pixel[c] - colors[k].sum[c] / colors[k].count;
        distance += d * d;
      }
      if (distance < best_distance) {
        best_distance = distance;
        best = k;
      }
    }
    ++truth[label];
    ++guessed[best];
    right[label] += best == label;
    ++pixels;
  });
  double mean_iou = 0;
  double correct = 0;
  int classes = 0;
  for (int k = 0; k < kCityscapesClasses; ++k) {
    correct += right[k];
    if (truth[k] == 0) continue;
    const double iou = right[k] / (truth[k] + guessed[k] - right[k]);
    EXPECT_LT(iou, 0.5) << CityscapesClass(k).name;
    mean_iou += iou;
    ++classes;
  }
  mean_iou /= classes;
  RecordProperty("mean_iou", std::to_string(mean_iou));
  RecordProperty("accuracy", std::to_string(correct / pixels));
  EXPECT_GE(classes, 13);
  EXPECT_LT(mean_iou, 0.45);
  EXPECT_LT(correct / pixels, 0.45);
}

TEST(CheckSceneOptionsTest, NamesTheOptionAndItsRange) {
  EXPECT_THAT(CheckSceneOptions({}), IsOk());
  EXPECT_THAT(CheckSceneOptions(Size(16, 64)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("height must be in 32..8192, got 16")));
  EXPECT_THAT(CheckSceneOptions(Size(64, 9000)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("width")));
  SceneOptions options;
  options.natural_colors = 1.5;
  EXPECT_THAT(CheckSceneOptions(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("natural_colors must be in 0..1")));
}

}  // namespace
}  // namespace mask2former
