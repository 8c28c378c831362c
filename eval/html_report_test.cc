#include "mask2former/eval/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/build_task_evaluations.h"
#include "mask2former/eval/generic_metrics.h"
#include "mask2former/eval/own_classes_report.h"
#include "mask2former/eval/testing/worked_pictures.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// All tasks of the worked example.
Evaluation WorkedEvaluation() {
  InferenceConfig config;
  config.set_panoptic_on(true);
  config.set_instance_on(true);
  const auto tasks =
      BuildTaskEvaluations(config, CityscapesNetworkClasses(19).value(), "");
  Evaluation evaluation;
  for (const auto& task : *tasks) {
    for (const EvaluatedPicture& picture : WorkedPictures()) {
      EXPECT_THAT(task->Score(picture), IsOk());
    }
    task->Report(evaluation);
  }
  return evaluation;
}

std::string Page(const Evaluation& evaluation) {
  return HtmlReport(evaluation, {"tiny <val>", 2, "run/model.safetensors"})
      .value();
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(HtmlReportTest, ShowsTheScoresOfEveryTask) {
  const std::string page = Page(WorkedEvaluation());
  EXPECT_THAT(page,
              AllOf(HasSubstr("<title>tiny &lt;val&gt;</title>"),
                    HasSubstr("2 pictures, weights run/model"),
                    HasSubstr("<b>57.6</b>PQ"), HasSubstr("<b>54.6</b>IoU"),
                    HasSubstr("<b>63.0</b>AP<")));
  // Car: IoU, nIoU, accuracy 796 of 928 pixels, 928 of 16384.
  EXPECT_THAT(page, HasSubstr("car</td><td>80.9</td><td>81.0</td><td>85.8</td>"
                              "<td>5.7</td>"));
  // Car: PQ, SQ, RQ, two right, none wrong, one missed.
  EXPECT_THAT(page, HasSubstr("car</td><td>63.0</td><td>78.8</td><td>80.0</td>"
                              "<td>2</td><td>0</td><td>1</td>"));
  EXPECT_THAT(page, HasSubstr("bicycle</td><td>30.4</td><td>41.7</td>"));
  EXPECT_THAT(page, HasSubstr("rider</td><td>&ndash;</td><td>&ndash;</td>"));
}

TEST(HtmlReportTest, TheHeatMapHasTheSharesOfEachRow) {
  const std::string page = Page(WorkedEvaluation());
  EXPECT_EQ(Count(page, " predicted as "), 19 * 19);
  // 796 of 928 pixels, the root of which is 0.926.
  EXPECT_THAT(page,
              HasSubstr("<td style=\"background:rgba(33,102,172,0.926);"
                        "color:#fff\" title=\"796 pixels of car predicted as "
                        "car\">86</td>"));
  EXPECT_THAT(page, HasSubstr("rgba(178,24,43,0.328)\" title=\"100 pixels of "
                              "car predicted as truck\">11</td>"));
}

// Sound 6 of 8 right, crack 1 of 2.
OwnClassesResult OwnClasses() {
  GenericMetrics metrics(2);
  metrics.AddCounts({6, 2, 1, 1});
  return {{"sound", "c<rack"},
          {{1, 2, 3}, {255, 0, 0}},
          {false, true},
          metrics.Compute(),
          metrics.counts()};
}

TEST(HtmlReportTest, ShowsClassesOfTheUsersOwn) {
  Evaluation evaluation;
  evaluation.own_classes = OwnClasses();
  EXPECT_THAT(Page(evaluation), Not(HasSubstr("test-time augmentation")));
  evaluation.test_time_augmentation = true;
  const std::string page = Page(evaluation);
  EXPECT_THAT(
      page,
      AllOf(HasSubstr("With test-time augmentation"),
            HasSubstr("<b>45.8</b>mIoU"), HasSubstr("<b>70.0</b>pACC"),
            HasSubstr("rgb(255,0,0)\"></span>c&lt;rack</td><td>25.0</td>"
                      "<td>50.0</td><td>20.0</td>"),
            HasSubstr("mean of things</td><td>25.0</td>"),
            HasSubstr("title=\"2 pixels of sound predicted as c&lt;rack\">25"),
            Not(HasSubstr("road"))));
}

TEST(HtmlReportTest, IsWellFormedAndNeedsNoOtherFile) {
  Evaluation evaluation = WorkedEvaluation();
  evaluation.own_classes = OwnClasses();
  const std::string page = Page(evaluation);
  for (const std::string tag :
       {"table", "thead", "tbody", "tfoot", "tr", "td", "div", "span", "p"}) {
    EXPECT_EQ(Count(page, "<" + tag + ">") + Count(page, "<" + tag + " "),
              Count(page, "</" + tag + ">"))
        << tag;
  }
  EXPECT_THAT(page, AllOf(Not(HasSubstr("http")), Not(HasSubstr("src=\"/")),
                          Not(HasSubstr("nan"))));
}

TEST(HtmlReportTest, ShowsTheWorstPictures) {
  Evaluation evaluation;
  evaluation.worst = {
      {"panoptic", "ulm_1", 0.25,
       cv::Mat(8, 24, CV_8UC3, cv::Scalar(250, 10, 10))},
      {"panoptic", "ulm_2", 0.5, cv::Mat(8, 24, CV_8UC3, cv::Scalar(0, 0, 0))},
      {"instance", "ulm_2", 0, cv::Mat(8, 24, CV_8UC3, cv::Scalar(0, 0, 0))}};
  const std::string page = Page(evaluation);
  EXPECT_THAT(page, AllOf(HasSubstr("<figcaption>ulm_1: 25.0</figcaption>"),
                          HasSubstr("<figcaption>ulm_2: 50.0</figcaption>"),
                          Not(HasSubstr("Semantic"))));
  EXPECT_EQ(Count(page, "worst pictures: panoptic"), 1);
  EXPECT_EQ(Count(page, "worst pictures: instance"), 1);
  EXPECT_EQ(Count(page, "<figure>"), 3);
  const std::string begin = "base64,";
  const size_t from = page.find(begin) + begin.size();
  std::string jpeg;
  ASSERT_TRUE(absl::Base64Unescape(
      page.substr(from, page.find('"', from) - from), &jpeg));
  const cv::Mat bgr = cv::imdecode(
      std::vector<uint8_t>(jpeg.begin(), jpeg.end()), cv::IMREAD_COLOR);
  ASSERT_EQ(bgr.size(), cv::Size(24, 8));
  EXPECT_GT(bgr.at<cv::Vec3b>(4, 12)[2], 240) << "red is red";
}

}  // namespace
}  // namespace mask2former
