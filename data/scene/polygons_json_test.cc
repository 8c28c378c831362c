#include "mask2former/data/scene/polygons_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mask2former {
namespace {

TEST(PolygonsJsonTest, ReadsBackAsWritten) {
  const std::vector<SceneObject> objects = {
      {"road", {{0, 1}, {20, 1}, {20, 9}}},
      {"license plate", {{3, 3}, {5, 3}, {5, 4}, {3, 4}}}};
  const nlohmann::json json =
      nlohmann::json::parse(PolygonsJson(objects, 10, 21), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["imgHeight"], 10);
  EXPECT_EQ(json["imgWidth"], 21);
  ASSERT_EQ(json["objects"].size(), 2u);
  EXPECT_EQ(json["objects"][1]["label"], "license plate");
  EXPECT_EQ(json["objects"][0]["polygon"],
            nlohmann::json::parse("[[0,1],[20,1],[20,9]]"));
}

TEST(PolygonsJsonTest, HoldsAnEmptyListForNoObjects) {
  const nlohmann::json json =
      nlohmann::json::parse(PolygonsJson({}, 4, 5), nullptr, false);
  EXPECT_EQ(json["objects"], nlohmann::json::array());
}

}  // namespace
}  // namespace mask2former
