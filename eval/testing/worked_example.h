#ifndef MASK2FORMER_EVAL_TESTING_WORKED_EXAMPLE_H_
#define MASK2FORMER_EVAL_TESTING_WORKED_EXAMPLE_H_

// Two images of 64 x 128 pixels drawn from rectangles, whose scores were
// computed by the official program. They have instances of several sizes,
// groups, ignored instances, void, and wrong predictions of every kind.

#include <array>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace mask2former {

struct ExampleImage {
  std::string name;     // City, sequence and frame: "aaa_000000_000019".
  cv::Mat instances;    // CV_16UC1, an instanceIds image.
  cv::Mat labels;       // CV_8UC1, the labelIds image that belongs to it.
  cv::Mat predictions;  // CV_8UC1, label ids.
};

// A and B, in this order; new copies for every caller.
std::vector<ExampleImage> WorkedExample();

struct ExampleInstance {
  int label_id;
  double score;
  cv::Mat mask;  // CV_8UC1, 0 or 255.
};

// The predicted instances of A and of B.
std::vector<std::vector<ExampleInstance>> WorkedPredictions();

// A segment map [H, W] CV_32SC1, and the category of each id from 1 on.
struct ExampleSegments {
  cv::Mat ids;
  std::vector<int> categories;  // categories[id - 1]
};

// The predicted segments of A and of B.
std::vector<ExampleSegments> WorkedSegments();

// What `instances` shows as label ids: instances of a class become the class.
cv::Mat LabelsOfInstances(const cv::Mat& instances);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TESTING_WORKED_EXAMPLE_H_
