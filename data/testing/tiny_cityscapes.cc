#include "mask2former/data/testing/tiny_cityscapes.h"

#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/sample_random.h"

namespace mask2former {
namespace {

constexpr int kOutOfRoi = 3;
constexpr int kRoad = 7;
constexpr int kSky = 23;
constexpr int kPerson = 24;
constexpr int kCar = 26;

std::string City(const std::string& split, int64_t index) {
  if (split != "train") return "tinyville";
  return index % 2 == 0 ? "aachen" : "ulm";
}

// What a polygons.json says of the rectangles that were filled.
std::string PolygonsOf(const cv::Rect& r, absl::string_view label) {
  const int right = r.x + r.width - 1;
  const int bottom = r.y + r.height - 1;
  return absl::StrFormat(
      R"({"label": "%s", "polygon": [[%d, %d], [%d, %d], [%d, %d], [%d, %d]]})",
      label, r.x, r.y, right, r.y, right, bottom, r.x, bottom);
}

struct Scene {
  cv::Mat image;      // CV_8UC3, R, G, B.
  cv::Mat ids;        // CV_8UC1
  cv::Mat instances;  // CV_16UC1
  std::string polygons;
};

Scene Draw(const TinyCityscapesOptions& options, SampleRandom& random) {
  const auto height = static_cast<int>(options.height);
  const auto width = static_cast<int>(options.width);
  Scene scene;
  scene.instances = cv::Mat(height, width, CV_16UC1, cv::Scalar(kSky));
  scene.polygons = absl::StrCat(R"({"imgHeight": )", height,
                                R"(, "imgWidth": )", width, R"(, "objects": [)",
                                PolygonsOf({0, 0, width, height}, "sky"));
  const auto fill = [&scene](const cv::Rect& area, int value) {
    cv::rectangle(scene.instances, area, cv::Scalar(value), cv::FILLED);
    const int id = value >= 1000 ? value / 1000 : value;
    absl::StrAppend(&scene.polygons, ",\n",
                    PolygonsOf(area, CityscapesLabels()[id].name));
  };
  fill(cv::Rect(0, height / 2, width, height - height / 2), kRoad);
  const auto car = static_cast<int>(random.Integer(0, width / 2));
  fill(cv::Rect(car, height / 2, width / 4, height / 4), kCar * 1000);
  const auto person = static_cast<int>(random.Integer(0, width - width / 8));
  fill(cv::Rect(person, height / 4, width / 16 + 1, height / 2),
       kPerson * 1000);
  fill(cv::Rect(0, height - 2, width, 2), kOutOfRoi);
  scene.polygons += "]}\n";

  scene.image = cv::Mat(height, width, CV_8UC3);
  scene.ids = cv::Mat(height, width, CV_8UC1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int instance = scene.instances.at<uint16_t>(y, x);
      const int id = instance >= 1000 ? instance / 1000 : instance;
      scene.ids.at<uint8_t>(y, x) = static_cast<uint8_t>(id);
      const std::array<uint8_t, 3>& color = CityscapesLabels()[id].color;
      for (int c = 0; c < 3; ++c) {
        scene.image.at<cv::Vec3b>(y, x)[c] = cv::saturate_cast<uint8_t>(
            color[c] + static_cast<int>(random.Integer(-20, 20)));
      }
    }
  }
  return scene;
}

// Plainly: syncing every file to the disk would take most of a test's time.
absl::Status WriteText(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (file.flush()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write ", path));
}

absl::Status WritePng(const std::string& path, const cv::Mat& image) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes, EncodePng(image));
  return WriteText(path, bytes);
}

absl::Status WriteSplit(const std::string& root, const std::string& split,
                        int64_t count, const TinyCityscapesOptions& options) {
  for (int64_t i = 0; i < count; ++i) {
    const auto path = [&](const std::string& kind, const std::string& suffix) {
      return TinyCityscapesPath(root, kind, split, i, suffix);
    };
    for (const char* kind : {"leftImg8bit", "gtFine"}) {
      M2F_RETURN_IF_ERROR(CreateDirectories(
          absl::StrCat(root, "/", kind, "/", split, "/", City(split, i))));
    }
    SampleRandom random(split == "train" ? 1 : 2, i);
    const Scene scene = Draw(options, random);
    M2F_RETURN_IF_ERROR(
        WritePng(path("leftImg8bit", "leftImg8bit"), scene.image));
    M2F_RETURN_IF_ERROR(WritePng(path("gtFine", "gtFine_labelIds"), scene.ids));
    M2F_RETURN_IF_ERROR(
        WritePng(path("gtFine", "gtFine_instanceIds"), scene.instances));
    M2F_RETURN_IF_ERROR(WriteText(
        absl::StrCat(root, "/gtFine/", split, "/", City(split, i), "/",
                     absl::StrFormat("%s_%06d_000019_gtFine_polygons.json",
                                     City(split, i), i)),
        scene.polygons));
    if (!options.train_ids) continue;
    const std::array<uint8_t, 256>& table = CityscapesIdToTrainId();
    cv::Mat train_ids;
    cv::LUT(scene.ids,
            cv::Mat(1, 256, CV_8UC1, const_cast<uint8_t*>(table.data())),
            train_ids);
    M2F_RETURN_IF_ERROR(
        WritePng(path("gtFine", "gtFine_labelTrainIds"), train_ids));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteTinyCityscapes(const std::string& root,
                                 const TinyCityscapesOptions& options) {
  M2F_RETURN_IF_ERROR(WriteSplit(root, "train", options.train_images, options));
  return WriteSplit(root, "val", options.val_images, options);
}

std::string TinyCityscapesPath(const std::string& root, const std::string& kind,
                               const std::string& split, int64_t index,
                               const std::string& suffix) {
  const std::string city = City(split, index);
  return absl::StrFormat("%s/%s/%s/%s/%s_%06d_000019_%s.png", root, kind, split,
                         city, city, index, suffix);
}

}  // namespace mask2former
