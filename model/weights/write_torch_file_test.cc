#include "mask2former/model/weights/write_torch_file.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/weights/view_tensor.h"
#include "mask2former/model/weights/weight_file.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// That LibTorch's own reader takes it: tools/peers/weights.py.
TEST(WriteTorchFileTest, WhatIsWrittenIsReadAgain) {
  const std::string path = testing::TempDir() + "/written.pth";
  const at::Tensor matrix = at::arange(600.).view({2, 300});
  const std::map<std::string, at::Tensor> tensors = {
      {"a.weight", matrix.to(at::kFloat)},
      {"a.transposed", matrix.t()},
      {"a.half", matrix.to(at::kBFloat16)},
      {"a.counter", at::full({}, 7, at::kLong)},
      {"a.mask", matrix.gt(3)},
      {"a.none", at::empty({0, 3})}};
  ASSERT_THAT(WriteTorchFile(path, tensors, {{"", 1}, {"a", 2}}), IsOk());
  const auto file = ReadWeightFile(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->format, "PyTorch zip");
  ASSERT_EQ(file->tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const auto read = ViewTensor(file->tensors.at(name));
    ASSERT_THAT(read, IsOk());
    EXPECT_EQ(read->scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(read->sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(read->equal(tensor)) << name;
  }
}

TEST(WriteTorchFileTest, TheSameTensorsGiveTheSameBytes) {
  const std::string path = testing::TempDir() + "/same.pth";
  ASSERT_THAT(WriteTorchFile(path, {{"a", at::ones({3})}}, {}), IsOk());
  const auto first = ReadFile(path);
  ASSERT_THAT(WriteTorchFile(path, {{"a", at::ones({3})}}, {}), IsOk());
  const auto second = ReadFile(path);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(*first, *second);
}

TEST(WriteTorchFileTest, NamesWhatItCannotWrite) {
  const std::string path = testing::TempDir() + "/refused.pth";
  EXPECT_THAT(
      WriteTorchFile(path, {{"x", at::empty({1}, at::kUInt16)}}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr(path), HasSubstr("\"x\": dtype UInt16"))));
  EXPECT_THAT(
      WriteTorchFile(path, {{std::string(2000, 'x'), at::ones({1})}}, {}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("too long")));
  EXPECT_FALSE(FileExists(path));
}

}  // namespace
}  // namespace mask2former
