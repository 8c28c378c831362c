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

TEST(LibrariesTest, ReadsVersionsFromFileNames) {
  EXPECT_EQ(VersionInFileName("/usr/lib/libglog.so.0.6.0"), "0.6.0");
  EXPECT_EQ(VersionInFileName("/usr/lib/libglog.so"), "");
  EXPECT_EQ(VersionInFileName("/opt/a.so.3/libglog.so.1"), "1");
  EXPECT_EQ(VersionInFileName("/opt/a.so.3/libglog.so"), "");
  EXPECT_EQ(VersionInFileName(""), "");
}

}  // namespace
}  // namespace mask2former
