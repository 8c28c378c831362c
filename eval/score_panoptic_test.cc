#include "mask2former/eval/score_panoptic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ScorePanopticTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    options_.ground_truth = root_ + "/gtFine/val";
    options_.predictions = root_ + "/results/panoptic.json";
    ASSERT_THAT(CreateDirectories(options_.ground_truth + "/aaa"), IsOk());
    ASSERT_THAT(CreateDirectories(root_ + "/results/panoptic"), IsOk());
    const std::vector<ExampleImage> images = WorkedExample();
    std::string separator;
    for (size_t i = 0; i < images.size(); ++i) {
      ASSERT_THAT(
          WritePngAtomically(TruthOf(images[i].name), images[i].instances),
          IsOk());
      const ExampleSegments segments = WorkedSegments()[i];
      cv::Mat rgb(segments.ids.size(), CV_8UC3, cv::Scalar(0, 0, 0));
      for (size_t id = 1; id <= segments.categories.size(); ++id) {
        rgb.setTo(cv::Scalar(static_cast<double>(id), 0, 0),
                  segments.ids == static_cast<int>(id));
      }
      ASSERT_THAT(WritePngAtomically(PngOf(images[i].name), rgb), IsOk());
      absl::StrAppend(&json_, separator, "{\"image_id\": \"", images[i].name,
                      "\", \"file_name\": \"", images[i].name,
                      ".png\", \"segments_info\": [");
      separator = "";
      for (size_t id = 1; id <= segments.categories.size(); ++id) {
        absl::StrAppend(&json_, separator, "{\"id\": ", id,
                        ", \"category_id\": ", segments.categories[id - 1],
                        "}");
        separator = ", ";
      }
      json_ += "]}";
    }
    json_ = absl::StrCat("{\"annotations\": [", json_, "]}");
    WriteJson(json_);
  }

  void WriteJson(const std::string& json) {
    ASSERT_THAT(WriteFileAtomically(options_.predictions, json), IsOk());
  }

  std::string TruthOf(const std::string& name) const {
    return absl::StrCat(root_, "/gtFine/val/aaa/", name,
                        "_gtFine_instanceIds.png");
  }
  std::string PngOf(const std::string& name) const {
    return absl::StrCat(root_, "/results/panoptic/", name, ".png");
  }

  void ExpectProblem(const std::string& problem) {
    std::ostringstream console;
    EXPECT_THAT(
        ScorePanoptic(options_, console),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(problem)));
    EXPECT_THAT(console.str(), Not(HasSubstr("Things")));
  }

  const std::string a_ = "aaa_000000_000019";
  const std::string b_ = "aaa_000001_000019";
  std::string root_, json_;
  ScorePanopticOptions options_;
};

TEST_F(ScorePanopticTest, PrintsAndReturnsWhatTheOfficialProgramDoes) {
  for (const int threads : {0, 1, 2, 9}) {
    options_.threads = threads;
    std::ostringstream console;
    const auto metrics = ScorePanoptic(options_, console);
    ASSERT_THAT(metrics, IsOk());
    EXPECT_EQ(console.str(),
              "\rImages Processed: 1 \rImages Processed: 2 \n" +
                  *ReadFile("eval/testdata/worked_example_panoptic.txt"));
    EXPECT_NEAR(metrics->Compute().all.mean.pq, 0.5763102441575941, 1e-15);
  }
}

TEST_F(ScorePanopticTest, ReadsGroundTruthInPanopticFormat) {
  const std::string truth = root_ + "/truth.json";
  const std::string json =
      "{\"categories\": [{\"id\": 26, \"name\": \"car\", \"isthing\": 1}], "
      "\"annotations\": [{\"image_id\": \"x\", \"file_name\": \"x.png\", "
      "\"segments_info\": [{\"id\": 5, \"category_id\": 26, \"area\": 8, "
      "\"iscrowd\": 0}]}]}";
  ASSERT_THAT(WriteFileAtomically(truth, json), IsOk());
  ASSERT_THAT(CreateDirectories(root_ + "/truth"), IsOk());
  ASSERT_THAT(WritePngAtomically(root_ + "/truth/x.png",
                                 cv::Mat(2, 4, CV_8UC3, cv::Scalar(5, 0, 0))),
              IsOk());
  ASSERT_THAT(WritePngAtomically(PngOf("x"),
                                 cv::Mat(2, 4, CV_8UC3, cv::Scalar(0, 0, 2))),
              IsOk());
  WriteJson(
      R"({"annotations": [{"image_id": "x", "file_name": "x.png",
          "segments_info": [{"id": 131072, "category_id": 26}]}]})");
  options_.ground_truth = truth;
  options_.quiet = true;
  std::ostringstream console;
  const auto metrics = ScorePanoptic(options_, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(metrics->Compute().things.mean.pq, 1);
  EXPECT_EQ(metrics->Compute().categories.size(), 1u);
  EXPECT_EQ(console.str(), "");
}

TEST_F(ScorePanopticTest, TheProgramDoesTheSame) {
  const std::string text = root_ + "/console.txt";
  const std::string json = root_ + "/scores.json";
  const std::string command = absl::StrCat(
      "eval/score --task=panoptic --ground_truth=", options_.ground_truth,
      " --predictions=", options_.predictions, " --json=", json);
  ASSERT_EQ(std::system(absl::StrCat(command, " > ", text).c_str()), 0);
  EXPECT_THAT(
      *ReadFile(text),
      HasSubstr(*ReadFile("eval/testdata/worked_example_panoptic.txt")));
  EXPECT_THAT(*ReadFile(json), HasSubstr("\"per_class\": {\n        \"7\""));
  EXPECT_NE(
      std::system(absl::StrCat(command, " --train_ids 2> /dev/null").c_str()),
      0);
}

TEST_F(ScorePanopticTest, NamesPicturesWithoutPrediction) {
  WriteJson(absl::StrReplaceAll(json_, {{"\"" + b_ + "\"", "\"other\""}}));
  ExpectProblem(options_.predictions +
                " has no prediction for 1 of 2 pictures; it has, for instance, "
                "\"" +
                a_ + "\":\n  no annotation with image_id \"" + b_ + "\"");
}

TEST_F(ScorePanopticTest, NamesPngsOfAnotherSize) {
  ASSERT_THAT(WritePngAtomically(PngOf(a_), cv::Mat::zeros(64, 64, CV_8UC3)),
              IsOk());
  ExpectProblem(PngOf(a_) + " (image_id " + a_ +
                "): the prediction is 64 x 64 (height x width), the ground "
                "truth 64 x 128");
}

TEST_F(ScorePanopticTest, NamesDuplicateIds) {
  WriteJson(absl::StrReplaceAll(json_, {{"\"id\": 2", "\"id\": 1"}}));
  ExpectProblem(PngOf(a_) + " (image_id " + a_ +
                "): the prediction lists the segment id 1 twice");
  WriteJson(absl::StrReplaceAll(json_, {{"\"" + b_ + "\"", "\"" + a_ + "\""}}));
  ExpectProblem(options_.predictions + ": annotations[1] has the image_id \"" +
                a_ + "\" for the second time");
}

// PNGs hold 24 bits: such an id is in the list only, and is never taken for
// the segment whose id has the same low bits.
TEST_F(ScorePanopticTest, KeepsIdsAboveTheRangeOfInt) {
  const std::string truth = root_ + "/truth.json";
  ASSERT_THAT(CreateDirectories(root_ + "/truth"), IsOk());
  ASSERT_THAT(WritePngAtomically(root_ + "/truth/x.png",
                                 cv::Mat(2, 4, CV_8UC3, cv::Scalar(5, 0, 0))),
              IsOk());
  ASSERT_THAT(WritePngAtomically(PngOf("x"),
                                 cv::Mat(2, 4, CV_8UC3, cv::Scalar(7, 0, 0))),
              IsOk());
  const auto score = [&](const std::string& true_id,
                         const std::string& predicted_id) {
    EXPECT_THAT(
        WriteFileAtomically(
            truth, absl::StrCat(R"({"categories": [{"id": 26, "name": "car",
                "isthing": 1}], "annotations": [{"image_id": 3000000000,
                "file_name": "x.png", "segments_info": [{"id": )",
                                true_id, R"(, "category_id": 26, "area": 8,
                "iscrowd": 0}]}]})")),
        IsOk());
    WriteJson(absl::StrCat(R"({"annotations": [{"image_id": 3000000000,
        "file_name": "x.png", "segments_info": [{"id": )",
                           predicted_id, R"(, "category_id": 26}]}]})"));
    options_.ground_truth = truth;
    std::ostringstream console;
    return ScorePanoptic(options_, console);
  };
  const auto matched = score("5", "7");
  ASSERT_THAT(matched, IsOk());
  EXPECT_EQ(matched->Compute().categories[0].true_positives, 1);
  // 2^32 + 5, 2^31 + 5.
  for (const char* true_id : {"4294967301", "2147483653"}) {
    const auto missed = score(true_id, "7");
    ASSERT_THAT(missed, IsOk());
    EXPECT_EQ(missed->Compute().categories[0].true_positives, 0);
    EXPECT_EQ(missed->Compute().categories[0].false_negatives, 1);
  }
  EXPECT_THAT(score("5", "4294967303"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("(image_id 3000000000)"),
                             HasSubstr("the segment id 7, which is not in"))));
}

TEST_F(ScorePanopticTest, NamesPngsOutsideOfTheFolder) {
  const std::string b_file = "\"" + b_ + ".png\"";
  WriteJson(absl::StrReplaceAll(json_, {{b_file, "\"../x.png\""}}));
  ExpectProblem(options_.predictions + ": the image_id " + b_ +
                " names the PNG \"../x.png\", which is " + root_ +
                "/results/x.png, outside of the folder " + root_ +
                "/results/panoptic");
  WriteJson(absl::StrReplaceAll(json_, {{b_file, "\"" + PngOf(b_) + "\""}}));
  ExpectProblem("want a path relative to the folder ");
  WriteJson(json_);
  options_.ground_truth = root_ + "/truth.json";
  ASSERT_THAT(CreateDirectories(root_ + "/truth"), IsOk());
  ASSERT_THAT(
      WriteFileAtomically(options_.ground_truth,
                          R"({"categories": [], "annotations": [{"image_id":
                          "a", "file_name": "../gtFine/a.png",
                          "segments_info": []}]})"),
      IsOk());
  ExpectProblem(options_.ground_truth +
                ": the image_id a names the PNG \"../gtFine/a.png\"");
}

TEST_F(ScorePanopticTest, NamesInstancesWithoutClass) {
  cv::Mat instances = WorkedExample()[1].instances;
  instances.at<uint16_t>(2, 3) = 40001;
  ASSERT_THAT(WritePngAtomically(TruthOf(b_), instances), IsOk());
  ExpectProblem(TruthOf(b_) + ": the instance image has the value 40001");
}

TEST_F(ScorePanopticTest, NamesGarbage) {
  ASSERT_THAT(WriteFileAtomically(PngOf(a_), "no PNG"), IsOk());
  ExpectProblem(PngOf(a_) + " is not a PNG file");
  WriteJson(json_.substr(0, json_.size() / 2));
  ExpectProblem(options_.predictions + ": is no JSON");
}

TEST_F(ScorePanopticTest, NamesFilesThatAreMissing) {
  std::ostringstream console;
  options_.predictions = root_ + "/none.json";
  EXPECT_THAT(ScorePanoptic(options_, console),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.json")));
  ASSERT_THAT(WriteFileAtomically(options_.predictions, json_), IsOk());
  EXPECT_THAT(ScorePanoptic(options_, console),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("there is no folder"),
                             HasSubstr("none, which must hold the PNGs"))));
}

}  // namespace
}  // namespace mask2former
