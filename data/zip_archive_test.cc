#include "mask2former/data/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/testing/zip_folder.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ZipArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = FreshTestFolder();
    ASSERT_THAT(CreateDirectories(root_ + "/box/b"), IsOk());
    for (int i = 0; i < 3000; ++i) long_ += std::to_string(i * i);
    // The first, third, ... file by name is compressed.
    ASSERT_THAT(WriteFileAtomically(root_ + "/box/a.txt", long_), IsOk());
    ASSERT_THAT(WriteFileAtomically(root_ + "/box/b/c.txt", "see"), IsOk());
    ASSERT_THAT(WriteFileAtomically(root_ + "/box/b/d.txt", ""), IsOk());
    path_ = root_ + "/box.zip";
    ASSERT_THAT(ZipFolder(root_, "box", path_), IsOk());
  }

  std::string root_;
  std::string path_;
  std::string long_;
};

TEST_F(ZipArchiveTest, ReadsCompressedAndStoredFiles) {
  const auto archive = ZipArchive::Open(path_);
  ASSERT_THAT(archive, IsOk());
  EXPECT_LT(std::filesystem::file_size(path_), long_.size());
  EXPECT_EQ((*archive)->Read("box/a.txt").value(), long_);
  EXPECT_EQ((*archive)->Read("box/b/c.txt").value(), "see");
  EXPECT_EQ((*archive)->Read("box/b/d.txt").value(), "");
  EXPECT_EQ((*archive)->ReadStart("box/a.txt", 5).value(), long_.substr(0, 5));
  EXPECT_EQ((*archive)->ReadStart("box/b/c.txt", 99).value(), "see");
}

TEST_F(ZipArchiveTest, ListsFolders) {
  const auto archive = ZipArchive::Open(path_).value();
  EXPECT_THAT(archive->List("").value(), ElementsAre("box"));
  EXPECT_THAT(archive->List("box").value(), ElementsAre("a.txt", "b"));
  EXPECT_THAT(archive->List("box/b/").value(), ElementsAre("c.txt", "d.txt"));
  EXPECT_TRUE(archive->HasFolder("box/b"));
  EXPECT_FALSE(archive->HasFolder("box/a.txt"));
  EXPECT_TRUE(archive->HasFile("box/a.txt"));
  EXPECT_FALSE(archive->HasFile("box/b"));
  EXPECT_THAT(archive->List("bag"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("no folder bag in " + path_)));
  EXPECT_THAT(archive->Read("box/x"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("no file box/x in " + path_)));
}

TEST_F(ZipArchiveTest, ReadsInManyThreads) {
  const auto archive = ZipArchive::Open(path_).value();
  std::vector<std::thread> threads;
  std::vector<int> good(8, 0);
  for (size_t i = 0; i < good.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 20; ++j) {
        good[i] += archive->Read("box/a.txt").value() == long_;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(good, ::testing::Each(20));
}

TEST_F(ZipArchiveTest, AnArchiveCutInHalf) {
  const std::string bytes = ReadFile(path_).value();
  ASSERT_THAT(WriteFileAtomically(path_, bytes.substr(0, bytes.size() / 2)),
              IsOk());
  EXPECT_THAT(
      ZipArchive::Open(path_),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr(path_ + " (" + std::to_string(bytes.size() / 2) +
                               " bytes) cannot be opened"),
                     HasSubstr("download it again"))));
}

TEST_F(ZipArchiveTest, ADamagedFileIsNotRead) {
  std::string bytes = ReadFile(path_).value();
  const size_t stored = bytes.find("see");
  ASSERT_NE(stored, std::string::npos);
  bytes[stored] = 'S';
  bytes[80] ^= 1;  // Of the compressed file.
  ASSERT_THAT(WriteFileAtomically(path_, bytes), IsOk());
  const auto archive = ZipArchive::Open(path_).value();
  EXPECT_THAT(archive->Read("box/b/c.txt"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("box/b/c.txt in " + path_),
                             HasSubstr("checksum is wrong"))));
  EXPECT_THAT(archive->Read("box/a.txt"),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("box/a.txt in " + path_)));
}

TEST_F(ZipArchiveTest, WhatIsNoArchive) {
  EXPECT_THAT(ZipArchive::Open(root_ + "/none.zip"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.zip")));
  ASSERT_THAT(WriteFileAtomically(path_, "<html>please log in</html>"), IsOk());
  EXPECT_THAT(ZipArchive::Open(path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("26 bytes")));
}

}  // namespace
}  // namespace mask2former
