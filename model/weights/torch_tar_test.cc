#include "mask2former/model/weights/torch_tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string TestData() {
  const auto bytes = ReadFile("model/weights/testdata/torch_tar.pth");
  EXPECT_THAT(bytes, IsOk());
  return *bytes;
}

TEST(TorchTarTest, FindsTensorsByTheirNumbers) {
  const std::string bytes = TestData();
  const auto tar = TorchTar::Read(bytes);
  ASSERT_THAT(tar, IsOk());
  const PickleValue* const model = tar->pickle().root->Find("model");
  ASSERT_NE(model, nullptr);
  const PickleValue* const row = model->Find("torch.row");
  ASSERT_NE(row, nullptr);
  ASSERT_EQ(row->kind, PickleValue::Kind::kExternal);
  const auto tensor = tar->Find(*row->items[0], nullptr);
  ASSERT_THAT(tensor, IsOk());
  EXPECT_EQ(tensor->type, ElementType::kFloat32);
  EXPECT_THAT(tensor->shape, ElementsAre(6));
  // In the archive, not a copy.
  EXPECT_GE(tensor->data.data(), bytes.data());
  EXPECT_LE(tensor->data.data() + tensor->data.size(),
            bytes.data() + bytes.size());
}

TEST(TorchTarTest, NamesTensorsThatAreNotThere) {
  const std::string bytes = TestData();
  const auto tar = TorchTar::Read(bytes);
  ASSERT_THAT(tar, IsOk());
  PickleValue id;
  id.kind = PickleValue::Kind::kString;
  for (const char* const text : {"3", "", "99999999999999999999", "x"}) {
    id.text = text;
    EXPECT_THAT(tar->Find(id, nullptr),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(id.text == "3" ? "tensor 3 is not in"
                                                  : "an unknown id")));
  }
}

TEST(TorchTarTest, RefusesAFileCutOffAnywhere) {
  const std::string whole = TestData();
  // What follows the last file is padding.
  const size_t end = whole.find_last_not_of('\0') + 1;
  for (size_t size = 0; size < end; ++size) {
    EXPECT_FALSE(TorchTar::Read(whole.substr(0, size)).ok()) << size;
  }
}

TEST(TorchTarTest, RefusesBigEndianMachines) {
  std::string bytes = TestData();
  // little_endian: True -> False, in place.
  const size_t key = bytes.find("little_endian");
  ASSERT_NE(key, std::string::npos);
  const size_t value = bytes.find('\x88', key);
  ASSERT_LT(value - key, 20);
  bytes[value] = '\x89';
  EXPECT_THAT(
      TorchTar::Read(bytes),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("big-endian")));
}

}  // namespace
}  // namespace mask2former
