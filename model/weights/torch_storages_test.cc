#include "mask2former/model/weights/torch_storages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/weights/stored_zip.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

std::string TestData(const std::string& name) {
  const auto bytes = ReadFile("model/weights/testdata/" + name);
  EXPECT_THAT(bytes, IsOk());
  return *bytes;
}

// An archive with `pickle` and one storage of 8 bytes.
std::string Archive(std::vector<ZipItem> more) {
  std::vector<ZipItem> items = {{"w/data.pkl", {"\x80\x02}."}},
                                {"w/data/0", {"12345678"}}};
  items.insert(items.end(), more.begin(), more.end());
  const auto zip = StoreZip(items);
  EXPECT_THAT(zip, IsOk());
  return absl::StrJoin(zip->pieces, "");
}

TEST(TorchStoragesTest, FindsThePickleAndTheStoragesOfBothForms) {
  const std::string zip = TestData("torch.pth");
  const auto modern = ReadTorchZip(zip);
  ASSERT_THAT(modern, IsOk());
  const std::string old = TestData("torch_legacy.pth");
  ASSERT_TRUE(IsLegacyTorch(old));
  EXPECT_FALSE(IsLegacyTorch(zip));
  const auto legacy = ReadLegacyTorch(old);
  ASSERT_THAT(legacy, IsOk());
  EXPECT_EQ(modern->storages.size(), legacy->storages.size());
  EXPECT_NE(modern->pickle.root->Find("model"), nullptr);
  EXPECT_NE(legacy->pickle.root->Find("model"), nullptr);
}

TEST(TorchStoragesTest, RefusesALegacyFileCutOffAnywhere) {
  const std::string whole = TestData("torch_legacy.pth");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ReadLegacyTorch(whole.substr(0, size)).ok()) << size;
  }
}

TEST(TorchStoragesTest, NamesWhatIsNoWeightArchive) {
  EXPECT_THAT(
      ReadTorchZip(Archive({{"w/constants.pkl", {}}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("TorchScript")));
  EXPECT_THAT(ReadTorchZip(Archive({{"w/byteorder", {"big"}}})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("byte order big")));
  const auto zip = StoreZip({{"w/other", {}}});
  ASSERT_THAT(zip, IsOk());
  EXPECT_THAT(ReadTorchZip(absl::StrJoin(zip->pieces, "")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("without data.pkl")));
}

TEST(TorchStoragesTest, ComparesAStorageWithItsId) {
  const std::string archive = Archive({});
  const auto file = ReadTorchZip(archive);
  ASSERT_THAT(file, IsOk());
  const auto find = [&](const std::string& key, int8_t size) {
    std::string program = "\x80\x02(U\x07storagectorch\nFloatStorage\nU";
    program.push_back(static_cast<char>(key.size()));
    program += key + "U\x03" + "cpuK";
    program.push_back(size);
    program += "t.";
    const auto id = ReadPickle(program, WeightGlobals());
    EXPECT_THAT(id, IsOk());
    return file->Find(*id->root);
  };
  const auto found = find("0", 2);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->bytes, "12345678");
  EXPECT_EQ(found->type, ElementType::kFloat32);
  EXPECT_THAT(find("0", 3), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("should have 12 bytes, it has "
                                               "8")));
  EXPECT_THAT(find("1", 2), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("storage 1 is not in the")));
}

// As before 0.4: elements 3 and 4 of 8.
TEST(TorchStoragesTest, AStorageMayBePartOfAnother) {
  const std::string archive = Archive({});
  const auto file = ReadTorchZip(archive);
  ASSERT_THAT(file, IsOk());
  const auto find = [&](int8_t begin) {
    const std::string program =
        std::string("\x80\x02(U\x07storagectorch\nCharStorage\nU\x01") +
        "0U\x03" + "cpuK\x08U\x01" + "1K" + static_cast<char>(begin) +
        "K\x02\x87t.";
    const auto id = ReadPickle(program, WeightGlobals());
    EXPECT_THAT(id, IsOk());
    return file->Find(*id->root);
  };
  const auto found = find(3);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->bytes, "45");
  EXPECT_THAT(find(7), StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("ends beyond it")));
}

TEST(TorchStoragesTest, AStorageAloneIsAStorage) {
  EXPECT_THAT(LoadStorage(TestData("torch_legacy.pth")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a storage is none")));
  EXPECT_FALSE(LoadStorage("").ok());
}

}  // namespace
}  // namespace mask2former
