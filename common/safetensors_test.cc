#include "mask2former/common/safetensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string TempPath(const std::string& name) {
  return absl::StrCat(testing::TempDir(), name);
}

// Same dtype, sizes and bytes.
void ExpectSame(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.scalar_type(), expected.scalar_type());
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_TRUE(at::equal(actual, expected));
}

std::string WithHeader(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string text(sizeof(size), '\0');
  std::memcpy(&text[0], &size, sizeof(size));
  return text + header + data;
}

TEST(ReadSafetensorsTest, ReadsAFileByTheReferenceWriter) {
  const auto file = ReadSafetensors("common/testdata/python.safetensors");
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->metadata,
              ElementsAre(Pair("format", "pt"), Pair("schlüssel", "wert")));
  const at::Tensor values = at::arange(-3, 3, at::kLong).view({2, 3});
  EXPECT_EQ(file->tensors.size(), 14);
  ExpectSame(file->tensors.at("f64"), values.to(at::kDouble) / 3);
  ExpectSame(file->tensors.at("f32"), values.to(at::kFloat) / 3);
  ExpectSame(file->tensors.at("f16"), values.to(at::kHalf) / 3);
  ExpectSame(file->tensors.at("bf16"), values.to(at::kBFloat16) / 3);
  ExpectSame(file->tensors.at("i64"), values * (int64_t{1} << 40));
  ExpectSame(file->tensors.at("i32"), (values * (1 << 20)).to(at::kInt));
  ExpectSame(file->tensors.at("i16"), (values * (1 << 10)).to(at::kShort));
  ExpectSame(file->tensors.at("i8"), values.to(at::kChar));
  ExpectSame(file->tensors.at("u8"), (values + 200).to(at::kByte));
  ExpectSame(file->tensors.at("bool"), values.gt(0));
  ExpectSame(file->tensors.at("scalar"), at::full({}, 2.5f));
  ExpectSame(file->tensors.at("empty"), at::zeros({0, 4}));
  ExpectSame(file->tensors.at("odd"), at::arange(1, 4, at::kByte));
  ExpectSame(file->tensors.at("größe"), at::ones({1}));
}

TEST(WriteSafetensorsTest, ReadsBackEqual) {
  const std::string path = TempPath("round_trip.safetensors");
  const at::Tensor matrix = at::rand({3, 5});
  const std::map<std::string, at::Tensor> tensors = {
      {"transposed", matrix.t()},
      {"every second", matrix.slice(1, 0, 5, 2)},
      {"parameter", at::rand({2}).set_requires_grad(true)},
      {"flags", matrix > 0.5},
      {"bytes", at::arange(7, at::kByte)},
      {"step", at::full({}, 12, at::kLong)},
      {"nothing", at::empty({4, 0, 2}, at::kHalf)},
      {"quote \" and \\ and \n", at::ones({1}, at::kDouble)}};
  ASSERT_THAT(WriteSafetensors(path, tensors, {{"a", "1"}, {"b", "\"x\""}}),
              IsOk());
  const auto file = ReadSafetensors(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->metadata, ElementsAre(Pair("a", "1"), Pair("b", "\"x\"")));
  ASSERT_EQ(file->tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    SCOPED_TRACE(name);
    ExpectSame(file->tensors.at(name), tensor.detach());
  }
}

TEST(WriteSafetensorsTest, TensorsThatAreReadMayBeChanged) {
  const std::string path = TempPath("changed.safetensors");
  ASSERT_THAT(WriteSafetensors(path, {{"a", at::zeros({2})}}), IsOk());
  auto first = ReadSafetensors(path);
  ASSERT_THAT(first, IsOk());
  first->tensors.at("a").add_(1);
  const auto second = ReadSafetensors(path);
  ASSERT_THAT(second, IsOk());
  ExpectSame(second->tensors.at("a"), at::zeros({2}));
}

TEST(WriteSafetensorsTest, LayoutIsSortedAndAligned) {
  const std::string path = TempPath("layout.safetensors");
  ASSERT_THAT(WriteSafetensors(path, {{"b", at::ones({1})},
                                      {"a", at::ones({1}, at::kByte)},
                                      {"c", at::ones({1}, at::kDouble)},
                                      {"d", at::ones({1})}}),
              IsOk());
  const auto text = ReadFile(path);
  ASSERT_THAT(text, IsOk());
  uint64_t header_size = 0;
  std::memcpy(&header_size, text->data(), sizeof(header_size));
  EXPECT_EQ(header_size % 8, 0);
  EXPECT_EQ(text->size(), 8 + header_size + 17);
  EXPECT_THAT(
      text->substr(8, header_size),
      testing::StartsWith(
          R"({"a":{"data_offsets":[16,17],"dtype":"U8","shape":[1]},)"
          R"("b":{"data_offsets":[8,12],"dtype":"F32","shape":[1]},)"
          R"("c":{"data_offsets":[0,8],"dtype":"F64","shape":[1]},)"
          R"("d":{"data_offsets":[12,16],"dtype":"F32","shape":[1]}})"));
}

TEST(WriteSafetensorsTest, WritesAnEmptyFile) {
  const std::string path = TempPath("empty.safetensors");
  ASSERT_THAT(WriteSafetensors(path, {}), IsOk());
  const auto file = ReadSafetensors(path);
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->tensors, IsEmpty());
  EXPECT_THAT(file->metadata, IsEmpty());
}

TEST(WriteSafetensorsTest, WritesAThousandTensors) {
  const std::string path = TempPath("thousand.safetensors");
  std::map<std::string, at::Tensor> tensors;
  for (int i = 0; i < 1000; ++i) {
    tensors[absl::StrCat("layer.", i, ".weight")] = at::full({i % 7, 3}, i);
  }
  ASSERT_THAT(WriteSafetensors(path, tensors), IsOk());
  const auto file = ReadSafetensors(path);
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->tensors.size(), 1000);
  for (const auto& [name, tensor] : tensors) {
    ExpectSame(file->tensors.at(name), tensor);
  }
}

TEST(WriteSafetensorsTest, NamesWhatItCannotWrite) {
  const std::string path = TempPath("refused.safetensors");
  const auto refuses = [&](const std::string& name, const at::Tensor& tensor,
                           const std::string& reason) {
    EXPECT_THAT(WriteSafetensors(path, {{name, tensor}}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(path), HasSubstr(reason))));
  };
  refuses("x", at::Tensor(), "tensor \"x\": is undefined");
  refuses("x", at::empty({1}, at::kComplexFloat),
          "tensor \"x\": dtype ComplexFloat is not supported");
  refuses("x", at::ones({2, 2}).to_sparse(), "is not a dense tensor");
  refuses("__metadata__", at::ones({1}), "the name is reserved");
  refuses("\xff", at::ones({1}), "not UTF-8");
  EXPECT_FALSE(FileExists(path));
  EXPECT_THAT(WriteSafetensors("/none/x.safetensors", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
}

struct Malformed {
  std::string name;
  std::string header;
  std::string data;
  std::string reason;
};

class MalformedTest : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedTest, NamesFileAndReason) {
  const std::string path =
      TempPath(absl::StrCat(GetParam().name, ".safetensors"));
  ASSERT_THAT(
      WriteFileAtomically(path, WithHeader(GetParam().header, GetParam().data)),
      IsOk());
  EXPECT_THAT(ReadSafetensors(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(path), HasSubstr(GetParam().reason))));
}

INSTANTIATE_TEST_SUITE_P(
    Files, MalformedTest,
    testing::Values(
        Malformed{"NotJson", "{\"a\":", "", "the header is not JSON"},
        Malformed{"NotAnObject", "[1]", "", "not a JSON object"},
        Malformed{"Garbage", std::string("\x80\x00\xff", 3), "",
                  "the header is not JSON"},
        Malformed{"EmptyHeader", "", "", "the header is not JSON"},
        Malformed{"NameTwice",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                  R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                  "xx", "the header names \"a\" twice"},
        Malformed{"FieldTwice",
                  R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],)"
                  R"("data_offsets":[0,1]}})",
                  "x", "the header names \"dtype\" twice"},
        Malformed{"EntryIsNoObject", R"({"a":3})", "",
                  "tensor \"a\": must have dtype, shape and data_offsets"},
        Malformed{"NoDtype", R"({"a":{"shape":[1],"data_offsets":[0,1]}})", "x",
                  "must have dtype, shape and data_offsets"},
        Malformed{"DtypeIsNoString",
                  R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}})", "x",
                  "dtype is not a string"},
        Malformed{
            "UnknownDtype",
            R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})",
            "x",
            "tensor \"a\": dtype F8_E4M3 is not supported; supported are F64"},
        Malformed{"ShapeIsNoList",
                  R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", "x",
                  "shape is not a list"},
        Malformed{"NegativeSize",
                  R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})",
                  "x", "shape holds something other than a size"},
        Malformed{"FractionalSize",
                  R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})",
                  "x", "shape holds something other than a size"},
        Malformed{"SizesOverflow",
                  R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],)"
                  R"("data_offsets":[0,0]}})",
                  "", "shape is too large"},
        Malformed{"WrongSizeForShape",
                  R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
                  "12345678",
                  "shape [3] of F32 takes 12 bytes, data_offsets give 8"},
        Malformed{"OneOffset",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", "x",
                  "data_offsets must be two whole numbers"},
        Malformed{"NegativeOffset",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})",
                  "x", "data_offsets must be two whole numbers"},
        Malformed{"OffsetsRunBackwards",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})",
                  "x", "data_offsets 1, 0 run backwards"},
        Malformed{"BeyondTheFile",
                  R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})",
                  "x", "ends beyond the file, which holds 1 bytes of data"},
        Malformed{"HugeTensor",
                  R"({"a":{"dtype":"U8","shape":[9000000000000000000],)"
                  R"("data_offsets":[0,9000000000000000000]}})",
                  "x", "ends beyond the file"},
        Malformed{"Overlap",
                  R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                  R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                  "xyz", "tensor \"b\": its data (1 .. 3) overlaps another"},
        Malformed{"Hole",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                  R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                  "xyz", "tensor \"b\": its data (2 .. 3) leaves a hole"},
        Malformed{"TrailingBytes",
                  R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                  "xyz", "2 bytes at the end belong to no tensor"},
        Malformed{"MetadataIsNoObject", R"({"__metadata__":[]})", "",
                  "__metadata__ is not an object"},
        Malformed{"MetadataIsNoString", R"({"__metadata__":{"step":1}})", "",
                  "__metadata__: \"step\" is not a string"}),
    [](const auto& info) { return info.param.name; });

TEST(ReadSafetensorsTest, RefusesAFileCutOffAnywhere) {
  const auto whole = ReadFile("common/testdata/python.safetensors");
  ASSERT_THAT(whole, IsOk());
  const std::string path = TempPath("cut.safetensors");
  for (size_t size = 0; size < whole->size(); ++size) {
    ASSERT_THAT(WriteFileAtomically(path, whole->substr(0, size)), IsOk());
    ASSERT_THAT(ReadSafetensors(path),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(path)))
        << size;
  }
}

TEST(ReadSafetensorsTest, RefusesHeadersLargerThanTheFileOrTheLimit) {
  const std::string path = TempPath("long.safetensors");
  std::string text = WithHeader("{}", "");
  text[0] = 3;
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
  EXPECT_THAT(ReadSafetensors(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a header of 3 bytes, but only 2 follow")));
  text[7] = 1;
  ASSERT_THAT(WriteFileAtomically(path, text), IsOk());
  EXPECT_THAT(ReadSafetensors(path),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is it a safetensors file?")));
}

TEST(ReadSafetensorsTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(ReadSafetensors("/none/x.safetensors"),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("\"/none/x.safetensors\"")));
  EXPECT_THAT(
      ReadSafetensors(testing::TempDir()),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("directory")));
}

}  // namespace
}  // namespace mask2former
