#include "mask2former/tools/doctor/libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(LibrariesTest, TellVersionsOfHeadersAndLibraries) {
  EXPECT_THAT(ProtobufHeaderVersion(),
              MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_EQ(ProtobufLibraryVersion(), ProtobufHeaderVersion());
  EXPECT_THAT(OpenCvHeaderVersion(), StartsWith("4."));
  EXPECT_EQ(OpenCvLibraryVersion(), OpenCvHeaderVersion());
}

TEST(LibrariesTest, AskingTwiceGivesTheSame) {
  EXPECT_EQ(ProtobufLibraryVersion(), ProtobufLibraryVersion());
}

TEST(LibrariesTest, FindsLoadedFiles) {
  EXPECT_THAT(LoadedLibraries("libprotobuf.so"),
              ElementsAre(HasSubstr("/libprotobuf.so.")));
  EXPECT_THAT(LoadedLibraries("libm.so"), ElementsAre(EndsWith("libm.so.6")));
  EXPECT_THAT(LoadedLibraries("libno_such"), IsEmpty());
}

}  // namespace
}  // namespace mask2former
