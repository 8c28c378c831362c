#include "mask2former/train/logging/metrics_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

std::string TempPath(const std::string& name) {
  return absl::StrCat(testing::TempDir(), name);
}

std::string Contents(const std::string& path) {
  const auto text = ReadFile(path);
  EXPECT_THAT(text, IsOk());
  return text.ok() ? *text : "";
}

TEST(MetricsWriterTest, WritesAJsonObjectALineInTheGivenOrder) {
  const std::string path = TempPath("order.jsonl");
  auto writer = MetricsWriter::Create(path, std::nullopt);
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Write(20, {{"loss", 41.5}, {"lr", 1e-4}}), IsOk());
  // Seen at once, without closing the file.
  EXPECT_EQ(Contents(path), "{\"iteration\":20,\"loss\":41.5,\"lr\":0.0001}\n");
  EXPECT_THAT((*writer)->Write(40, {}), IsOk());
  EXPECT_THAT(Contents(path), HasSubstr("}\n{\"iteration\":40}\n"));
}

TEST(MetricsWriterTest, NumbersReadBackExactly) {
  const std::string path = TempPath("exact.jsonl");
  auto writer = MetricsWriter::Create(path, std::nullopt);
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Write(1, {{"third", 1. / 3}, {"tiny", 5e-324}}),
              IsOk());
  const auto line = nlohmann::json::parse(Contents(path));
  EXPECT_EQ(line["third"].get<double>(), 1. / 3);
  EXPECT_EQ(line["tiny"].get<double>(), 5e-324);
}

TEST(MetricsWriterTest, WritesNumbersThatAreNotFiniteAsStrings) {
  const std::string path = TempPath("nan.jsonl");
  auto writer = MetricsWriter::Create(path, std::nullopt);
  ASSERT_THAT(writer, IsOk());
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(
      (*writer)->Write(1, {{"a", std::numeric_limits<double>::quiet_NaN()},
                           {"b", kInfinity},
                           {"c", -kInfinity}}),
      IsOk());
  EXPECT_EQ(Contents(path),
            "{\"iteration\":1,\"a\":\"NaN\",\"b\":\"Infinity\","
            "\"c\":\"-Infinity\"}\n");
}

TEST(MetricsWriterTest, ResumingDropsLaterLinesAndATornOne) {
  const std::string path = TempPath("resume.jsonl");
  ASSERT_THAT(WriteFileAtomically(path,
                                  "{\"iteration\":20,\"loss\":1}\n"
                                  "{\"note\":\"kept\"}\n"
                                  "{\"iteration\":60,\"loss\":3}\n"
                                  "{\"iteration\":40,\"loss\":2}\n"
                                  "{\"iteration\":8"),
              IsOk());
  auto writer = MetricsWriter::Create(path, 40);
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Write(60, {{"loss", 4}}), IsOk());
  EXPECT_EQ(Contents(path),
            "{\"iteration\":20,\"loss\":1}\n"
            "{\"note\":\"kept\"}\n"
            "{\"iteration\":40,\"loss\":2}\n"
            "{\"iteration\":60,\"loss\":4.0}\n");
}

TEST(MetricsWriterTest, ResumingWithoutAFileStartsOne) {
  const std::string path = TempPath("resume_nothing.jsonl");
  auto writer = MetricsWriter::Create(path, 40);
  ASSERT_THAT(writer, IsOk());
  EXPECT_EQ(Contents(path), "");
}

TEST(MetricsWriterTest, ANewRunDoesNotMixWithAnother) {
  const std::string path = TempPath("other.jsonl");
  ASSERT_THAT(WriteFileAtomically(path, "{\"iteration\":20}\n"), IsOk());
  EXPECT_THAT(
      MetricsWriter::Create(path, std::nullopt),
      StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("another run")));
  EXPECT_EQ(Contents(path), "{\"iteration\":20}\n");
}

TEST(MetricsWriterTest, RefusesANameTwiceAndAMissingFolder) {
  auto writer = MetricsWriter::Create(TempPath("twice.jsonl"), std::nullopt);
  ASSERT_THAT(writer, IsOk());
  EXPECT_THAT((*writer)->Write(1, {{"a", 1}, {"a", 2}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\"")));
  EXPECT_THAT(
      (*writer)->Write(1, {{"iteration", 1}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"iteration\"")));
  EXPECT_THAT(
      MetricsWriter::Create("/none/x.jsonl", std::nullopt),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none/x.jsonl")));
}

TEST(MetricsWriterTest, ReportsALineThatDoesNotFit) {
  const std::string path = TempPath("limit.jsonl");
  auto writer = MetricsWriter::Create(path, std::nullopt);
  ASSERT_THAT(writer, IsOk());
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 4;
  signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = (*writer)->Write(1, {});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("cannot write \"", path, "\"")));
}

}  // namespace
}  // namespace mask2former
