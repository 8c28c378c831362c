#include "mask2former/model/weights/raw_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

absl::StatusOr<RawTensor> Bytes(std::vector<int64_t> shape,
                                std::vector<int64_t> strides, int64_t offset) {
  return MakeRawTensor(ElementType::kUInt8, std::move(shape),
                       std::move(strides), offset, "abcdefghijkl", nullptr);
}

TEST(RawTensorTest, ReadsAnyStridesInRowMajorOrder) {
  const auto rows = Bytes({3, 4}, {4, 1}, 0);
  ASSERT_THAT(rows, IsOk());
  EXPECT_TRUE(rows->is_contiguous());
  EXPECT_EQ(ContiguousBytes(*rows), "abcdefghijkl");
  const auto columns = Bytes({3, 4}, {1, 3}, 0);
  ASSERT_THAT(columns, IsOk());
  EXPECT_FALSE(columns->is_contiguous());
  EXPECT_EQ(ContiguousBytes(*columns), "adgjbehkcfil");
  const auto part = Bytes({2, 1, 2}, {6, 99, 2}, 1);
  ASSERT_THAT(part, IsOk());
  EXPECT_EQ(ContiguousBytes(*part), "bdhj");
  const auto scalar = Bytes({}, {}, 11);
  ASSERT_THAT(scalar, IsOk());
  EXPECT_EQ(ContiguousBytes(*scalar), "l");
}

TEST(RawTensorTest, MovesWholeElements) {
  const auto pairs = MakeRawTensor(ElementType::kInt16, {2, 2}, {1, 2}, 1,
                                   "..aabbccdd", nullptr);
  ASSERT_THAT(pairs, IsOk());
  EXPECT_EQ(pairs->num_bytes(), 8);
  EXPECT_EQ(ContiguousBytes(*pairs), "aaccbbdd");
}

TEST(RawTensorTest, RefusesElementsOutside) {
  const auto refuses = [](const absl::StatusOr<RawTensor>& tensor,
                          const std::string& reason) {
    EXPECT_THAT(tensor, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr(reason)));
  };
  refuses(Bytes({3, 4}, {4, 1}, 1), "reaches beyond");
  refuses(Bytes({13}, {1}, 0), "reaches beyond");
  refuses(Bytes({}, {}, 12), "reaches beyond");
  refuses(Bytes({2}, {kLargest}, 1), "reaches beyond");
  refuses(Bytes({kLargest, 3}, {1, 1}, 0), "is too large");
  refuses(Bytes({2}, {1}, -1), "is too large");
  refuses(Bytes({1000, 12}, {0, 1}, 0), "repeats elements");
  refuses(Bytes({-1}, {1}, 0), "negative");
  refuses(Bytes({1}, {-1}, 0), "negative");
  refuses(Bytes({1, 1}, {1}, 0), "2 sizes and 1 strides");
  refuses(Bytes(std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1), 0),
          "at most 64");
}

TEST(RawTensorTest, EmptyTensorsNeedNoStorage) {
  const auto empty = Bytes({kLargest, 0, kLargest}, {1, 1, kLargest}, 5);
  ASSERT_THAT(empty, IsOk());
  EXPECT_EQ(empty->num_elements(), 0);
  EXPECT_EQ(ContiguousBytes(*empty), "");
}

TEST(RawTensorTest, StridesOfBothOrders) {
  EXPECT_THAT(RowMajorStrides({2, 3, 4}), ElementsAre(12, 4, 1));
  EXPECT_THAT(ColumnMajorStrides({2, 3, 4}), ElementsAre(1, 2, 6));
  EXPECT_THAT(RowMajorStrides({1, kLargest, 4}), ElementsAre(kLargest, 4, 1));
}

}  // namespace
}  // namespace mask2former
