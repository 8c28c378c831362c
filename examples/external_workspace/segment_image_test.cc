// Runs segment_image on a picture, with weights drawn at random, and compares
// its label file with the same model's labels computed here.

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/configs/experiment.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"

namespace mask2former {
namespace {

constexpr char kConfig[] =
    "../mask2former/configs/quickstart/semantic.textproto";

TEST(SegmentImageTest, WritesTheModelsLabels) {
  const std::string folder = std::string(std::getenv("TEST_TMPDIR")) + "/";
  at::manual_seed(1);
  const auto experiment = ReadExperiment(kConfig, /*overrides=*/{});
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  const auto segmentor = BuildSegmentor(experiment->model());
  ASSERT_TRUE(segmentor.ok()) << segmentor.status();
  (*segmentor)->eval();
  ASSERT_TRUE(SaveWeights(folder + "model.safetensors", **segmentor, {}).ok());
  cv::Mat picture(70, 100, CV_8UC3);
  cv::theRNG().state = 1;
  cv::randu(picture, 0, 256);
  ASSERT_TRUE(WritePngAtomically(folder + "picture.png", picture).ok());

  const std::string command = "./segment_image " + std::string(kConfig) + " " +
                              folder + "model.safetensors " + folder +
                              "picture.png " + folder + "labels.png";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;

  const auto labels = ReadPng(folder + "labels.png", PngFormat::kGray8);
  ASSERT_TRUE(labels.ok()) << labels.status();
  const SemanticPrediction wanted =
      PredictSemantic(**segmentor, experiment->model().inference(),
                      ImageToTensor(picture), {picture.rows, picture.cols});
  ASSERT_EQ(labels->size(), picture.size());
  EXPECT_EQ(cv::norm(*labels, wanted.train_ids, cv::NORM_INF), 0);
}

TEST(SegmentImageTest, SaysWhichFileIsMissing) {
  const std::string command =
      "./segment_image no_such.textproto x y z 2>&1 | grep -q no_such";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace mask2former
