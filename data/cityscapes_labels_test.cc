#include "mask2former/data/cityscapes_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(CityscapesLabelsTest, StandAtTheirIds) {
  ASSERT_EQ(CityscapesLabels().size(), 35u);
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    EXPECT_EQ(CityscapesLabels()[id].id, id);
  }
  EXPECT_EQ(CityscapesLabels()[34].name, "license plate");
  EXPECT_EQ(CityscapesLabels()[34].id, -1);
  EXPECT_EQ(CityscapesLabels()[34].train_id, -1);
}

TEST(CityscapesLabelsTest, MapTrainIdsToIdsAndBack) {
  const std::vector<int> ids = {7,  8,  11, 12, 13, 17, 19, 20, 21, 22,
                                23, 24, 25, 26, 27, 28, 31, 32, 33};
  std::set<int> classes;
  for (int train_id = 0; train_id < kCityscapesClasses; ++train_id) {
    EXPECT_EQ(CityscapesTrainIdToId()[train_id], ids[train_id]);
    EXPECT_EQ(CityscapesIdToTrainId()[ids[train_id]], train_id);
    EXPECT_EQ(CityscapesClass(train_id).train_id, train_id);
    classes.insert(ids[train_id]);
  }
  for (int id = 0; id < 256; ++id) {
    if (classes.count(id) == 0) {
      EXPECT_EQ(CityscapesIdToTrainId()[id], 255) << id;
    }
  }
  EXPECT_THROW(CityscapesClass(-1), std::out_of_range);
  EXPECT_THROW(CityscapesClass(kCityscapesClasses), std::out_of_range);
  for (int train_id = kCityscapesClasses; train_id < 256; ++train_id) {
    EXPECT_EQ(CityscapesTrainIdToId()[train_id], 0) << train_id;
  }
}

TEST(CityscapesLabelsTest, EvaluateExactlyTheClasses) {
  for (const CityscapesLabel& label : CityscapesLabels()) {
    EXPECT_EQ(label.ignore_in_eval,
              label.train_id < 0 || label.train_id == kCityscapesIgnore)
        << label.name;
    const bool is_thing =
        !label.ignore_in_eval && label.train_id >= kCityscapesFirstThing;
    EXPECT_EQ(label.has_instances,
              is_thing || label.name == "caravan" || label.name == "trailer")
        << label.name;
  }
}

TEST(CityscapesLabelsTest, HaveOneCategoryIdPerCategory) {
  std::map<int, std::string> categories;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    const auto inserted =
        categories.emplace(label.category_id, std::string(label.category));
    EXPECT_EQ(inserted.first->second, label.category) << label.name;
  }
  std::vector<std::string> names;
  for (const auto& [id, name] : categories) {
    EXPECT_EQ(id, static_cast<int>(names.size()));
    names.push_back(name);
  }
  EXPECT_THAT(names, ElementsAre("void", "flat", "construction", "object",
                                 "nature", "sky", "human", "vehicle"));
  EXPECT_EQ(names.size(), static_cast<size_t>(kCityscapesCategories));
}

TEST(CityscapesLabelsTest, AreFoundByExactName) {
  ASSERT_NE(FindCityscapesLabel("traffic sign"), nullptr);
  EXPECT_EQ(FindCityscapesLabel("traffic sign")->id, 20);
  EXPECT_EQ(FindCityscapesLabel("polegroup")->id, 18);
  EXPECT_EQ(FindCityscapesLabel("cargroup"), nullptr);
  EXPECT_EQ(FindCityscapesLabel(""), nullptr);
}

TEST(CityscapesLabelsTest, HaveTheOfficialColors) {
  EXPECT_THAT(CityscapesClass(0).color, ElementsAre(128, 64, 128));
  EXPECT_THAT(CityscapesClass(1).color, ElementsAre(244, 35, 232));
  EXPECT_THAT(CityscapesClass(12).color, ElementsAre(255, 0, 0));
  EXPECT_THAT(CityscapesClass(18).color, ElementsAre(119, 11, 32));
  // A sum over the table finds a typing mistake in any row.
  int sum = 0;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    sum += label.color[0] + 3 * label.color[1] + 7 * label.color[2];
  }
  EXPECT_EQ(sum, 34247);
}

}  // namespace
}  // namespace mask2former
