// LibTorch and OpenCV's image readers bring libraries of their own; a second
// Protocol Buffers among them would crash before main() or corrupt messages.

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <string>
#include <vector>

namespace mask2former {
namespace {

// Paths of the shared objects in this process whose name begins with `name`.
std::set<std::string> Loaded(const std::string& name) {
  std::set<std::string> paths;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t slash = line.rfind('/');
    if (slash != std::string::npos &&
        line.compare(slash + 1, name.size(), name) == 0) {
      paths.insert(line.substr(line.find('/')));
    }
  }
  return paths;
}

TEST(OneProtobufTest, ThereIsExactlyOneInTheProcess) {
  // Uses all three, so that the linker keeps them.
  google::protobuf::Value value;
  ASSERT_TRUE(
      google::protobuf::TextFormat::ParseFromString("number_value: 2", &value));
  EXPECT_EQ(value.number_value(), 2);
  std::vector<uint8_t> png;
  ASSERT_TRUE(cv::imencode(".png", cv::Mat(2, 2, CV_8UC1, cv::Scalar(1)), png));
  EXPECT_THROW(TORCH_CHECK(false, "on purpose"), c10::Error);

  EXPECT_FALSE(Loaded("libc10.so").empty());
  EXPECT_FALSE(Loaded("libopencv_imgcodecs.so").empty());
  EXPECT_EQ(Loaded("libprotobuf.so").size(), 1)
      << ::testing::PrintToString(Loaded("libprotobuf.so"));
}

}  // namespace
}  // namespace mask2former
