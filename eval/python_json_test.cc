#include "mask2former/eval/python_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace mask2former {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Expected values are those that Python 3.11 prints.
TEST(PythonJsonTest, WritesNumbersAsPythonDoes) {
  EXPECT_EQ(JsonNumber(0.1), "0.1");
  EXPECT_EQ(JsonNumber(1), "1.0");
  EXPECT_EQ(JsonNumber(0), "0.0");
  EXPECT_EQ(JsonNumber(-0.0), "-0.0");
  EXPECT_EQ(JsonNumber(0.6000000000000001), "0.6000000000000001");
  EXPECT_EQ(JsonNumber(0.0001), "0.0001");
  EXPECT_EQ(JsonNumber(0.00001), "1e-05");
  EXPECT_EQ(JsonNumber(1e15), "1000000000000000.0");
  EXPECT_EQ(JsonNumber(1e16), "1e+16");
  EXPECT_EQ(JsonNumber(double{0.9f}), "0.8999999761581421");
}

TEST(PythonJsonTest, WritesWhatIsNoNumber) {
  EXPECT_EQ(JsonNumber(kNaN), "NaN");
  EXPECT_EQ(JsonNumber(kInfinity), "Infinity");
  EXPECT_EQ(JsonNumber(-kInfinity), "-Infinity");
  EXPECT_EQ(JsonNumber(kNaN, JsonNan::kNull), "null");
  EXPECT_EQ(JsonNumber(kInfinity, JsonNan::kNull), "null");
}

TEST(PythonJsonTest, EscapesStrings) {
  EXPECT_EQ(JsonString("a \"b\" \\ \n"), R"("a \"b\" \\ \u000a")");
}

TEST(PythonJsonTest, IndentsByFour) {
  EXPECT_EQ(JsonDictionary(
                std::map<std::string, std::string>{
                    {"b", JsonList({"1", "2"}, "    ")}, {"a", "3"}},
                ""),
            "{\n    \"a\": 3,\n    \"b\": [\n        1,\n        2\n    ]\n}");
  EXPECT_EQ(JsonDictionary(std::vector<JsonEntry>{{"7", "1"}, {"11", "2"}}, ""),
            "{\n    \"7\": 1,\n    \"11\": 2\n}");
  EXPECT_EQ(JsonList({}, ""), "[]");
}

}  // namespace
}  // namespace mask2former
