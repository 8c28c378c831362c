#include "mask2former/data/cityscapes_panoptic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

namespace mask2former {
namespace {

TEST(CityscapesPanopticTest, CategoriesAreThe19EvaluatedClasses) {
  const nlohmann::json categories = CityscapesPanopticJsonCategories();
  std::vector<int> ids, things;
  for (const nlohmann::json& category : categories) {
    const int id = category.value("id", -1);
    ids.push_back(id);
    if (category.value("isthing", -1) == 1) things.push_back(id);
  }
  EXPECT_THAT(ids, testing::ElementsAre(7, 8, 11, 12, 13, 17, 19, 20, 21, 22,
                                        23, 24, 25, 26, 27, 28, 31, 32, 33));
  EXPECT_THAT(things, testing::ElementsAre(24, 25, 26, 27, 28, 31, 32, 33));
  EXPECT_EQ(categories.at(13).dump(),
            R"({"color":[0,0,142],"id":26,"isthing":1,"name":"car",)"
            R"("supercategory":"vehicle"})");
  EXPECT_EQ(categories.at(0).dump(),
            R"({"color":[128,64,128],"id":7,"isthing":0,"name":"road",)"
            R"("supercategory":"flat"})");
}

TEST(CityscapesPanopticTest, ImagesAreNamedAsInTheOfficialFile) {
  const std::string id = "ulm_000000_000019";
  EXPECT_EQ(PanopticJsonImage(id, cv::Size(2048, 1024),
                              CityscapesPanopticPictureName(id))
                .dump(),
            R"({"file_name":"ulm_000000_000019_gtFine_leftImg8bit.png",)"
            R"("height":1024,"id":"ulm_000000_000019","width":2048})");
}

}  // namespace
}  // namespace mask2former
