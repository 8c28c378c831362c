#include "mask2former/model/weights/weight_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kTestData[] = "model/weights/testdata/";

WeightFile Read(const std::string& path) {
  auto file = ReadWeightFile(path);
  EXPECT_THAT(file, IsOk());
  return file.ok() ? *std::move(file) : WeightFile();
}

struct Golden {
  const char* name;
  const char* format;
  const char* prefix;      // Of the names in expected.safetensors that it has.
  const char* lacks = "";  // The one that it has not.
};

class GoldenTest : public testing::TestWithParam<Golden> {};

// Files by NumPy, LibTorch and the reference writer of safetensors.
TEST_P(GoldenTest, HasEveryTensorAsTheReferenceWriterHasIt) {
  const WeightFile expected =
      Read(absl::StrCat(kTestData, "expected.safetensors"));
  const WeightFile file = Read(absl::StrCat(kTestData, GetParam().name));
  EXPECT_EQ(file.format, GetParam().format);
  EXPECT_THAT(file.ignored, IsEmpty());
  size_t wanted = 0;
  for (const auto& [name, tensor] : expected.tensors) {
    if (!absl::StartsWith(name, GetParam().prefix)) continue;
    if (name == GetParam().lacks) continue;
    ++wanted;
    ASSERT_EQ(file.tensors.count(name), 1) << name;
    const RawTensor& read = file.tensors.at(name);
    EXPECT_EQ(read.type, tensor.type) << name;
    EXPECT_EQ(read.shape, tensor.shape) << name;
    EXPECT_EQ(ContiguousBytes(read), ContiguousBytes(tensor)) << name;
  }
  EXPECT_GT(wanted, 10);
  EXPECT_EQ(file.tensors.size(), wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Files, GoldenTest,
    testing::Values(Golden{"numpy_protocol2.pkl", "pickle", "numpy."},
                    Golden{"numpy_protocol3.pkl", "pickle", "numpy."},
                    Golden{"numpy_protocol4.pkl", "pickle", "numpy."},
                    Golden{"numpy_protocol5.pkl", "pickle", "numpy."},
                    Golden{"torch_tensors.pkl", "pickle", "torch."},
                    Golden{"torch.pth", "PyTorch zip", "torch."},
                    Golden{"torch_legacy.pth", "PyTorch before 1.6", "torch."},
                    // A type that LibTorch had not then.
                    Golden{"torch_tar.pth", "PyTorch tar", "torch.",
                           "torch.uint16"},
                    Golden{"shards/model.safetensors.index.json",
                           "safetensors, 2 parts", "torch."},
                    Golden{"shards", "safetensors, 2 parts", "torch."}));

TEST(WeightFileTest, TensorsOutliveTheFile) {
  RawTensor tensor;
  for (const char* const name :
       {"numpy_protocol2.pkl", "torch.pth", "torch_tar.pth"}) {
    tensor = Read(absl::StrCat(kTestData, name)).tensors.begin()->second;
    EXPECT_EQ(ContiguousBytes(tensor).size(), tensor.num_bytes());
  }
}

TEST(WeightFileTest, KnowsClassesFromMetadataOrTheConfigBeside) {
  EXPECT_THAT(Read(absl::StrCat(kTestData, "expected.safetensors")).class_names,
              ElementsAre("road", "sky"));
  EXPECT_THAT(Read(absl::StrCat(kTestData, "shards")).class_names,
              ElementsAre("road", "sky"));
  EXPECT_THAT(Read(absl::StrCat(kTestData, "torch.pth")).class_names,
              IsEmpty());
}

TEST(WeightFileTest, RefusesByName) {
  const auto refuses = [](const std::string& name, const std::string& reason) {
    EXPECT_THAT(ReadWeightFile(kTestData + name),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(name), HasSubstr(reason))));
  };
  refuses("big_endian.pkl", "tensor \"a\": its dtype >f4 is big-endian");
  refuses("objects.pkl", "tensor \"a\": its dtype O8");
  refuses("code.pkl", "pickle, byte 28: refers to posix.system");
  EXPECT_THAT(ReadWeightFile("/none/x.pth"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none/x.pth")));
  EXPECT_THAT(ReadWeightFile("model/weights/testdata/.."),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("neither model.safetensors nor")));
}

TEST(WeightFileTest, TellsFormatsByTheirFirstBytes) {
  const auto refuses = [](const std::string& bytes, const std::string& reason) {
    EXPECT_THAT(
        ReadWeightBytes(bytes, nullptr),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)));
  };
  refuses("", "neither safetensors nor");
  refuses("version https://git-lfs.github.com/spec/v1", "neither");
  refuses("PK\x03\x04", "zip: the file is too short");
  refuses("\x80\x02N.", "holds None instead of a dict");
  refuses("\x80\x02}.rest", "pickle, byte 4: 4 bytes follow its end");
  refuses(std::string(257, 'x') + "ustar" + std::string(250, 'x'),
          "tar, byte 0: a header is damaged");
}

TEST(WeightFileTest, ALengthMayLookLikeAPickle) {
  // 0x0280 bytes of header: the first bytes of a pickle of protocol 2.
  std::string header =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(0x280, ' ');
  const std::string bytes =
      std::string("\x80\x02\0\0\0\0\0\0", 8) + header + "x";
  const auto file = ReadWeightBytes(bytes, nullptr);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->format, "safetensors");
  EXPECT_EQ(ContiguousBytes(file->tensors.at("a")), "x");
}

TEST(WeightFileTest, JoinsNamesOfDictsInDictsAndIgnoresTheRest) {
  const std::string array =
      "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01)cnumpy\ndtype\nU\x02"
      "u1\x85R\x89U\x01xtb";
  const std::string bytes =
      "\x80\x02}(U\x01"
      "a}U\x01"
      "b" +
      array +
      "sU\x01"
      "cK\x03K\x04Nu.";
  const auto file = ReadWeightBytes(bytes, nullptr);
  ASSERT_THAT(file, IsOk());
  ASSERT_EQ(file->tensors.size(), 1);
  EXPECT_EQ(ContiguousBytes(file->tensors.at("a.b")), "x");
  ASSERT_EQ(file->ignored.size(), 2);
  EXPECT_EQ(file->ignored[0].name, "c");
  EXPECT_EQ(file->ignored[0].reason, "a number, not a tensor");
  EXPECT_EQ(file->ignored[1].name, "4");
}

TEST(WeightFileTest, DictsThatHoldThemselvesEnd) {
  EXPECT_THAT(
      ReadWeightBytes(std::string("\x80\x02}q\0U\x01xh\0s.", 12), nullptr),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("over 16 deep")));
  // Each of 14 dicts holds the next ten times: ten to the power of 13 names.
  std::string bytes = "\x80\x02";
  for (char i = 0; i < 14; ++i) bytes += std::string("}q") + i;
  for (char i = 0; i < 13; ++i) {
    for (char k = 0; k < 10; ++k) {
      bytes += std::string("h") + i + "U\x01" + static_cast<char>('a' + k) +
               "h" + static_cast<char>(i + 1) + "s0";
    }
  }
  bytes += std::string("h\0.", 3);
  EXPECT_THAT(ReadWeightBytes(bytes, nullptr),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("refers to itself more often")));
}

TEST(WeightFileTest, RefusesAnIndexThatDoesNotFit) {
  const std::string folder = testing::TempDir() + "/parts";
  ASSERT_THAT(CreateDirectories(folder), IsOk());
  const auto part = ReadFile(
      absl::StrCat(kTestData, "shards/model-00001-of-00002.safetensors"));
  ASSERT_THAT(part, IsOk());
  ASSERT_THAT(WriteFileAtomically(folder + "/p.safetensors", *part), IsOk());
  const auto refuses = [&](const std::string& index,
                           const std::string& reason) {
    const std::string path = folder + "/model.safetensors.index.json";
    ASSERT_THAT(WriteFileAtomically(path, index), IsOk());
    EXPECT_THAT(ReadWeightFile(path),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(path), HasSubstr(reason))));
  };
  refuses("{}", "no object \"weight_map\"");
  refuses("[", "not a JSON object");
  refuses(R"({"weight_map": {"a": "../p.safetensors"}})",
          "\"a\": not the name of a file beside it");
  refuses(R"({"weight_map": {"a": "p.safetensors"}})", "is not listed");
}

}  // namespace
}  // namespace mask2former
