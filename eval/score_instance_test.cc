#include "mask2former/eval/score_instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
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

class ScoreInstanceTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    options_.ground_truth = root_ + "/gtFine/val";
    options_.predictions = root_ + "/results";
    ASSERT_THAT(CreateDirectories(options_.ground_truth + "/aaa"), IsOk());
    ASSERT_THAT(CreateDirectories(options_.predictions), IsOk());
    const std::vector<ExampleImage> images = WorkedExample();
    for (size_t i = 0; i < images.size(); ++i) {
      ASSERT_THAT(
          WritePngAtomically(TruthOf(images[i].name), images[i].instances),
          IsOk());
      std::string text;
      const std::vector<ExampleInstance> instances = WorkedPredictions()[i];
      for (size_t j = 0; j < instances.size(); ++j) {
        ASSERT_THAT(
            WritePngAtomically(MaskOf(images[i].name, j), instances[j].mask),
            IsOk());
        absl::StrAppend(&text, images[i].name, "_", j, ".png ",
                        instances[j].label_id, " ", instances[j].score, "\n");
      }
      ASSERT_THAT(WriteFileAtomically(TextOf(images[i].name), text), IsOk());
    }
  }

  std::string TruthOf(const std::string& name) const {
    return absl::StrCat(options_.ground_truth, "/aaa/", name,
                        "_gtFine_instanceIds.png");
  }
  std::string TextOf(const std::string& name) const {
    return absl::StrCat(options_.predictions, "/", name, "_pred.txt");
  }
  std::string MaskOf(const std::string& name, size_t index) const {
    return absl::StrCat(options_.predictions, "/", name, "_", index, ".png");
  }

  void ExpectProblem(const std::string& problem) {
    std::ostringstream console;
    EXPECT_THAT(
        ScoreInstance(options_, console),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(problem)));
    EXPECT_THAT(console.str(), Not(HasSubstr("average")));
  }

  const std::string a_ = "aaa_000000_000019";
  const std::string b_ = "aaa_000001_000019";
  std::string root_;
  ScoreInstanceOptions options_;
};

TEST_F(ScoreInstanceTest, PrintsAndReturnsWhatTheOfficialProgramDoes) {
  for (const int threads : {0, 1, 2, 9}) {
    options_.threads = threads;
    std::ostringstream console;
    const auto metrics = ScoreInstance(options_, console);
    ASSERT_THAT(metrics, IsOk());
    EXPECT_EQ(console.str(),
              "Matching 2 pairs of images...\n\rImages Processed: 1 \rImages "
              "Processed: 2 \n" +
                  *ReadFile("eval/testdata/worked_example_instances.txt"));
    EXPECT_NEAR(metrics->Compute().mean_ap, 0.6302083333, 1e-10);
  }
}

TEST_F(ScoreInstanceTest, TheProgramDoesTheSame) {
  const std::string text = root_ + "/console.txt";
  const std::string json = root_ + "/scores.json";
  const std::string command = absl::StrCat(
      "eval/score --task=instance --ground_truth=", options_.ground_truth,
      " --predictions=", options_.predictions, " --json=", json);
  ASSERT_EQ(std::system(absl::StrCat(command, " > ", text).c_str()), 0);
  EXPECT_THAT(
      *ReadFile(text),
      HasSubstr(*ReadFile("eval/testdata/worked_example_instances.txt")));
  EXPECT_THAT(*ReadFile(json), HasSubstr("\"allAp50%\": 0.80208333333333"));
  EXPECT_THAT(*ReadFile(json), HasSubstr("\"resultApMatrix\": ["));
}

TEST_F(ScoreInstanceTest, APictureWithoutInstancesHasAnEmptyFile) {
  ASSERT_THAT(WriteFileAtomically(TextOf(b_), ""), IsOk());
  std::ostringstream console;
  options_.quiet = true;
  const auto metrics = ScoreInstance(options_, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(metrics->Compute().class_ap[4], 0);  // The bus.
  EXPECT_EQ(console.str(), "");
}

TEST_F(ScoreInstanceTest, NamesPicturesWithoutPrediction) {
  ASSERT_EQ(std::remove(TextOf(b_).c_str()), 0);
  ExpectProblem(TruthOf(b_) + " has no prediction: no file " + b_ + "*.txt");
}

TEST_F(ScoreInstanceTest, NamesMasksThatAreMissing) {
  ASSERT_EQ(std::remove(MaskOf(a_, 3).c_str()), 0);
  ExpectProblem(MaskOf(a_, 3));
}

TEST_F(ScoreInstanceTest, NamesMasksOfAnotherSize) {
  ASSERT_THAT(
      WritePngAtomically(MaskOf(a_, 3), cv::Mat::ones(64, 127, CV_8UC1)),
      IsOk());
  ExpectProblem(MaskOf(a_, 3) +
                ": the mask is 64 x 127 (height x width) of CV_8UC1, the "
                "ground truth 64 x 128");
}

TEST_F(ScoreInstanceTest, NamesInstancesWithoutClass) {
  cv::Mat instances = WorkedExample()[1].instances;
  instances.at<uint16_t>(2, 3) = 40001;
  ASSERT_THAT(WritePngAtomically(TruthOf(b_), instances), IsOk());
  ExpectProblem(TruthOf(b_) +
                ": the instance image has the value 40001 at 1 pixels");
}

TEST_F(ScoreInstanceTest, NamesGarbage) {
  ASSERT_THAT(WriteFileAtomically(TextOf(a_), "{\"annotations\": []}"), IsOk());
  ASSERT_THAT(WriteFileAtomically(MaskOf(b_, 0), "\x89PNG\r\n"), IsOk());
  std::ostringstream console;
  EXPECT_THAT(ScoreInstance(options_, console),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("2 of 2 images cannot be scored"),
                             HasSubstr(TextOf(a_) + ", line 1, has 2 fields"),
                             HasSubstr(MaskOf(b_, 0)))));
}

}  // namespace
}  // namespace mask2former
