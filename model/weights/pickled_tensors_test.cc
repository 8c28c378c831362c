#include "mask2former/model/weights/pickled_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <size_t N>
std::string Bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

std::string Text(const std::string& text) {
  return "U" + std::string(1, static_cast<char>(text.size())) + text;
}

// Reads what `body` leaves on the stack; storages hold 0, 1, .. 7.
absl::StatusOr<RawTensor> Read(const std::string& body,
                               uint64_t budget = 10000) {
  const std::string program = "\x80\x02" + body + ".";
  const auto pickle = ReadPickle(program, WeightGlobals());
  EXPECT_THAT(pickle, IsOk());
  if (!pickle.ok()) return pickle.status();
  MemoryBudget memory(budget);
  StorageSource source;
  source.find = [](const PickleValue&) {
    return PickledStorage{ElementType::kUInt8,
                          absl::string_view("\0\1\2\3\4\5\6\7", 8)};
  };
  source.load = [](absl::string_view bytes) {
    return PickledStorage{std::nullopt, bytes};
  };
  PickledTensors tensors(std::make_shared<std::string>(program), memory,
                         source);
  EXPECT_TRUE(tensors.IsTensor(*pickle->root));
  auto tensor = tensors.Read(*pickle->root);
  if (tensor.ok() && tensor->num_elements() > 0) {
    // Reads it while the pickle is still there.
    EXPECT_EQ(ContiguousBytes(*tensor).size(), tensor->num_bytes());
  }
  return tensor;
}

// An array with a dtype, the shape (2,) and these contents.
std::string Array(const std::string& dtype, const std::string& contents) {
  return "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n" +
         Bytes("K\x00\x85") + "U\x01" + "btR(" + Bytes("K\x01K\x02\x85") +
         dtype + Bytes("\x89") + contents + "tb";
}

std::string Dtype(const std::string& name, const std::string& order) {
  return "cnumpy\ndtype\n" + Text(name) + Bytes("K\x00K\x01\x87R(K\x03") +
         Text(order) + "NNNtb";
}

TEST(PickledTensorsTest, ReadsAnArrayOfPython2) {
  const auto array = Read(Array(Dtype("i2", "<"), Text("abcd")));
  ASSERT_THAT(array, IsOk());
  EXPECT_EQ(array->type, ElementType::kInt16);
  EXPECT_THAT(array->shape, ElementsAre(2));
}

TEST(PickledTensorsTest, NamesWhatIsWrongWithAnArray) {
  const auto refuses = [](const std::string& body, const std::string& reason) {
    EXPECT_THAT(Read(body), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr(reason)));
  };
  refuses(Array(Dtype("f4", ">"), Text("12345678")), ">f4 is big-endian");
  refuses(Array(Dtype(">f4", "="), Text("12345678")), ">f4 is big-endian");
  refuses(Array(Dtype("O8", "|"), "]"), "dtype O8 is not one of numbers");
  refuses(Array(Dtype("S3", "|"), Text("abcdef")), "dtype S3 is not");
  refuses(Array(Dtype("f4", "<"), "]"), "holds objects");
  refuses(Array(Dtype("f4", "<"), Text("123")), "reaches beyond");
  refuses(Array(Dtype("f4", "<"), Text("123456789")),
          "takes 8 bytes, 9 are there");
  refuses(Array("N", Text("12")), "dtype is none of NumPy's");
  refuses(Array(Dtype("i1", "<"), "c_codecs\nencode\nX" +
                                      Bytes("\x03\x00\x00\x00\xe2\x82\xac") +
                                      Text("latin1") + Bytes("\x86R")),
          "has other characters");
  refuses("cnumpy.core.multiarray\n_reconstruct\n)R", "an unknown state");
}

TEST(PickledTensorsTest, DecodesTextThatStandsForBytes) {
  const auto array =
      Read(Array(Dtype("u1", "|"), "c_codecs\nencode\nX" +
                                       Bytes("\x03\x00\x00\x00\x41\xc3\xbf") +
                                       Text("latin1") + Bytes("\x86R")));
  ASSERT_THAT(array, IsOk());
  EXPECT_EQ(ContiguousBytes(*array), "A\xff");
}

// A tensor of the 8 bytes with offset, sizes and strides as given.
std::string Tensor(const std::string& rest,
                   const std::string& version = "_rebuild_tensor_v2") {
  return "ctorch._utils\n" + version + "\n(NQ" + rest + "tR";
}

TEST(PickledTensorsTest, ReadsStridedTensorsAndParameters) {
  const std::string tensor =
      Tensor(Bytes("K\x01K\x02K\x03\x86K\x01K\x02\x86\x89)"));
  const auto strided = Read(tensor);
  ASSERT_THAT(strided, IsOk());
  EXPECT_THAT(strided->shape, ElementsAre(2, 3));
  EXPECT_EQ(ContiguousBytes(*strided), Bytes("\1\3\5\2\4\6"));
  const auto parameter = Read("ctorch._utils\n_rebuild_parameter\n" + tensor +
                              Bytes("\x88)\x87R"));
  ASSERT_THAT(parameter, IsOk());
  EXPECT_EQ(ContiguousBytes(*parameter), Bytes("\1\3\5\2\4\6"));
}

TEST(PickledTensorsTest, AnUntypedStorageTakesTheTensorsType) {
  const auto tensor =
      Read(Tensor(Bytes("K\x01K\x02\x85K\x01\x85\x89)ctorch\nuint16\n"),
                  "_rebuild_tensor_v3"));
  ASSERT_THAT(tensor, IsOk());
  EXPECT_EQ(tensor->type, ElementType::kUInt16);
  EXPECT_EQ(ContiguousBytes(*tensor), Bytes("\2\3\4\5"));
}

TEST(PickledTensorsTest, NamesWhatIsWrongWithATensor) {
  const auto refuses = [](const std::string& body, const std::string& reason) {
    EXPECT_THAT(Read(body), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr(reason)));
  };
  refuses(Tensor(Bytes("K\x07K\x02\x85K\x01\x85")), "reaches beyond");
  refuses(Tensor(Bytes("K\x00K\x09\x85K\x00\x85")), "repeats elements");
  refuses(Tensor(Bytes("K\x00NK\x01\x85")), "its sizes are no tuple");
  refuses(Tensor(Bytes("K\x00N\x85K\x01\x85")), "a size is no number");
  refuses(Tensor("N"), "unknown arguments");
  refuses("ctorch._utils\n_rebuild_parameter\n)R", "unknown arguments");
  // A parameter of a parameter of ..
  refuses(
      "ctorch._utils\n_rebuild_parameter\nctorch._utils\n_rebuild_"
      "parameter\n" +
          Tensor(Bytes("K\x00K\x01\x85K\x01\x85")) + Bytes("\x85R\x85R"),
      "unknown arguments");
}

TEST(PickledTensorsTest, TakesNoMoreMemoryThanItMay) {
  EXPECT_THAT(Read(Array(Dtype("i2", "<"), Text("abcd")), 10),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("refers to itself more often")));
}

TEST(WeightGlobalsTest, AreSortedAndCallNothingButConstructors) {
  const auto globals = WeightGlobals();
  EXPECT_TRUE(std::is_sorted(globals.begin(), globals.end()));
  for (const absl::string_view global : globals) {
    EXPECT_EQ(global.find("system"), absl::string_view::npos);
    EXPECT_EQ(global.find("eval"), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace mask2former
