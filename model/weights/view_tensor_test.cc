#include "mask2former/model/weights/view_tensor.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

// 0, 1, .. 11 as floats, `offset` bytes behind an aligned address, read as
// [3, 4] of the transposed matrix [4, 3].
RawTensor Transposed(size_t offset) {
  auto memory = std::make_shared<std::vector<char>>(12 * 4 + offset);
  for (int i = 0; i < 12; ++i) {
    const float value = static_cast<float>(i);
    std::memcpy(memory->data() + offset + 4 * i, &value, sizeof(value));
  }
  const absl::string_view storage(memory->data() + offset, 48);
  auto tensor = MakeRawTensor(ElementType::kFloat32, {3, 4}, {1, 3}, 0, storage,
                              std::move(memory));
  EXPECT_THAT(tensor, IsOk());
  return *std::move(tensor);
}

TEST(ViewTensorTest, SharesAlignedMemoryAndKeepsIt) {
  at::Tensor view;
  const void* data = nullptr;
  {
    const RawTensor raw = Transposed(0);
    data = raw.data.data();
    const auto viewed = ViewTensor(raw);
    ASSERT_THAT(viewed, IsOk());
    view = *viewed;
  }
  EXPECT_EQ(view.const_data_ptr(), data);
  EXPECT_THAT(view, TensorNear(at::arange(12.f).view({4, 3}).t(), 0., 0.));
}

TEST(ViewTensorTest, CopiesWhatIsNotAligned) {
  const RawTensor raw = Transposed(1);
  const auto view = ViewTensor(raw);
  ASSERT_THAT(view, IsOk());
  EXPECT_NE(view->const_data_ptr(), raw.data.data());
  EXPECT_THAT(*view, TensorNear(at::arange(12.f).view({4, 3}).t(), 0., 0.));
}

TEST(ViewTensorTest, ShowsEmptyTensorsAndNamesUnknownTypes) {
  auto empty = MakeRawTensor(ElementType::kInt64, {0, 3}, {3, 1}, 0, "", {});
  ASSERT_THAT(empty, IsOk());
  const auto view = ViewTensor(*empty);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ(view->sizes(), (std::vector<int64_t>{0, 3}));
  empty->type = ElementType::kComplex64;
  EXPECT_THAT(ViewTensor(*empty), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("dtype C64")));
}

}  // namespace
}  // namespace mask2former
