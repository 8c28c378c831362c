#include "mask2former/common/program.h"

#include <c10/util/Exception.h>
#include <gflags/gflags.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/flags.h"

DEFINE_string(word, "", "Anything.");

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

int RunWith(std::vector<std::string> arguments,
            const std::function<absl::Status(const CommandLine&)>& body,
            bool takes_overrides = true) {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  const google::FlagSaver saver;
  return RunProgram({"Does a thing.", __FILE__, takes_overrides},
                    static_cast<int>(argv.size()), argv.data(), body);
}

TEST(RunProgramTest, HandsFlagsAndSettingsToTheBody) {
  std::string seen;
  EXPECT_EQ(RunWith({"--word=x", "--set=a=1"},
                    [&](const CommandLine& line) {
                      seen = FLAGS_word + line.overrides.at(0);
                      return absl::OkStatus();
                    }),
            0);
  EXPECT_EQ(seen, "xa=1");
}

TEST(RunProgramTest, PrintsHelpWithoutRunning) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunWith({"--help"},
                    [](const CommandLine&) -> absl::Status {
                      throw std::logic_error("ran");
                    }),
            0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr("Does a thing."), HasSubstr("--word")));
}

TEST(RunProgramTest, ReportsUnknownFlagsWithoutRunning) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({"--wort=x"},
                    [](const CommandLine&) -> absl::Status {
                      throw std::logic_error("ran");
                    }),
            1);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("did you mean '--word'?"), Not(HasSubstr("ran"))));
}

TEST(RunProgramTest, RefusesSettingsWhereNoneAreRead) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      RunWith(
          {"--set=a=1"}, [](const CommandLine&) { return absl::OkStatus(); },
          /*takes_overrides=*/false),
      1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--set"));
}

TEST(RunProgramTest, TurnsErrorsAndExceptionsIntoOneLogEntry) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({},
                    [](const CommandLine&) {
                      return absl::NotFoundError("no weights");
                    }),
            1);
  EXPECT_EQ(RunWith({},
                    [](const CommandLine&) -> absl::Status {
                      TORCH_CHECK(false, "bad tensor");
                    }),
            1);
  EXPECT_EQ(RunWith({},
                    [](const CommandLine&) -> absl::Status {
                      throw std::runtime_error("bad thing");
                    }),
            1);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr("no weights"), HasSubstr("bad tensor"),
                         HasSubstr("bad thing"), Not(HasSubstr("frame #"))));
}

TEST(KeepFreedMemoryTest, TakesLargeBlocksFromTheHeap) {
  KeepFreedMemory();
  const auto mapped_before = mallinfo2().hblks;
  void* const block = std::malloc(size_t{256} << 20);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(mallinfo2().hblks, mapped_before);
  std::free(block);
}

}  // namespace
}  // namespace mask2former
