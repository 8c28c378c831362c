#include "mask2former/model/weights/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;
using ::testing::HasSubstr;

constexpr std::array<absl::string_view, 2> kGlobals = {
    "collections OrderedDict", "pieces Piece"};

// `body` as a pickle of protocol 2, which ends with '.'.
std::string Program(const std::string& body) { return "\x80\x02" + body + "."; }

absl::StatusOr<Pickle> Read(const std::string& bytes) {
  static auto* const kept = new std::deque<std::string>;  // Values point there.
  kept->push_back(bytes);
  return ReadPickle(kept->back(), kGlobals);
}

template <size_t N>
std::string Bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

class NumberTest
    : public testing::TestWithParam<std::pair<std::string, int64_t>> {};

TEST_P(NumberTest, IsRead) {
  const std::string program = Program(GetParam().first);
  const auto pickle = Read(program);
  ASSERT_THAT(pickle, IsOk());
  EXPECT_EQ(pickle->root->kind, Kind::kInt);
  EXPECT_EQ(pickle->root->number, GetParam().second);
  EXPECT_EQ(pickle->size, program.size());
}

INSTANTIATE_TEST_SUITE_P(
    Opcodes, NumberTest,
    testing::Values(std::make_pair(Bytes("K\xff"), 255),
                    std::make_pair(Bytes("M\x01\x02"), 513),
                    std::make_pair(Bytes("J\xfe\xff\xff\xff"), -2),
                    std::make_pair(Bytes("\x8a\x00"), 0),
                    std::make_pair(Bytes("\x8a\x01\xff"), -1),
                    std::make_pair(Bytes("\x8a\x02\xff\x00"), 255),
                    std::make_pair(Bytes("\x8b\x05\x00\x00\x00"
                                         "\x00\x00\x00\x00\x01"),
                                   int64_t{1} << 32)));

TEST(ReadPickleTest, ReadsFloatsTextAndConstants) {
  const std::string program =
      Program(Bytes("(G\x3f\xf8\x00\x00\x00\x00\x00\x00X\x02\x00\x00\x00"
                    "ab\x8c\x01"
                    "cU\x01"
                    "dT\x01\x00\x00\x00"
                    "eC\x01"
                    "fB\x01\x00\x00\x00gN\x88\x89t"));
  const auto pickle = Read(program);
  ASSERT_THAT(pickle, IsOk());
  const auto& items = pickle->root->items;
  ASSERT_EQ(items.size(), 10);
  EXPECT_EQ(items[0]->real, 1.5);
  std::string text;
  for (int i = 1; i < 7; ++i) text += std::string(items[i]->text) + " ";
  EXPECT_EQ(text, "ab c d e f g ");
  EXPECT_EQ(items[4]->kind, Kind::kString);
  EXPECT_EQ(items[5]->kind, Kind::kBytes);
  EXPECT_EQ(items[7]->kind, Kind::kNone);
  EXPECT_EQ(items[8]->number, 1);
  EXPECT_EQ(items[9]->number, 0);
}

TEST(ReadPickleTest, DictsListsAndTheMemo) {
  // {"a": [1], "b": the same list, "a": 2}, both ways of setting.
  const auto pickle =
      Read(Program(Bytes("}(U\x01"
                         "a]q\x05K\x01"
                         "aU\x01"
                         "bh\x05uU\x01"
                         "aK\x02s")));
  ASSERT_THAT(pickle, IsOk());
  const PickleValue* const b = pickle->root->Find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b, pickle->root->items[1]);
  ASSERT_EQ(b->items.size(), 1);
  EXPECT_EQ(b->items[0]->number, 1);
  EXPECT_EQ(pickle->root->Find("a")->number, 2);
  EXPECT_EQ(pickle->root->Find("c"), nullptr);
  EXPECT_EQ(b->Find("a"), nullptr);
}

TEST(ReadPickleTest, NotesCallsAndStatesWithoutMakingThem) {
  const auto call = Read(Program(Bytes("cpieces\nPiece\nK\x07\x85R(K\x08tb")));
  ASSERT_THAT(call, IsOk());
  EXPECT_TRUE(call->root->Calls("pieces Piece"));
  ASSERT_EQ(call->root->items.size(), 3);
  EXPECT_EQ(call->root->items[1]->items[0]->number, 7);
  EXPECT_EQ(call->root->items[2]->items[0]->number, 8);
  const auto kept = Read(Program(Bytes("K\x03\x85Q")));
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->root->kind, Kind::kExternal);
  EXPECT_EQ(kept->root->items[0]->items[0]->number, 3);
}

TEST(ReadPickleTest, AnOrderedDictIsADictAndItsAttributesAreDropped) {
  const auto pickle =
      Read(Program(Bytes("ccollections\nOrderedDict\n](](U\x01"
                         "aK\x01"
                         "ee\x85R}b")));
  ASSERT_THAT(pickle, IsOk());
  EXPECT_EQ(pickle->root->kind, Kind::kDict);
  ASSERT_NE(pickle->root->Find("a"), nullptr);
  EXPECT_EQ(pickle->root->Find("a")->number, 1);
}

TEST(ReadPickleTest, CirclesDoNoHarm) {
  const auto pickle =
      Read(Program(Bytes("]q\x00h\x00"
                         "a")));
  ASSERT_THAT(pickle, IsOk());
  EXPECT_EQ(pickle->root->items[0], pickle->root);
}

struct Refused {
  std::string name;
  std::string body;
  std::string reason;
};

class RefusedTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTest, SaysWhereAndWhy) {
  EXPECT_THAT(Read(Program(GetParam().body)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(GetParam().reason)));
}

INSTANTIATE_TEST_SUITE_P(
    Pickles, RefusedTest,
    testing::Values(
        Refused{"Global", Bytes("Ncos\nsystem\n"),
                "pickle, byte 3: refers to os.system, which is not on the"},
        Refused{"StackGlobal",
                Bytes("U\x02"
                      "osU\x06"
                      "system\x93"),
                "byte 14: refers to os.system"},
        Refused{"GlobalOfSpaces", Bytes("ccollections OrderedDict\n\n"),
                "refers to collections OrderedDict."},
        Refused{"EndlessName", "c" + std::string(1000, 'x'), "has no end"},
        Refused{"Inst", Bytes("(ios\nsystem\n"), "byte 3: opcode 0x69"},
        Refused{"Obj", Bytes("(o"), "opcode 0x6f"},
        Refused{"Extension", Bytes("\x82\x01"), "opcode 0x82"},
        Refused{"NewObjEx", Bytes("\x92"), "opcode 0x92"},
        Refused{"OldInt", Bytes("I1\n"), "opcode 0x49"},
        Refused{"OldPersistentId", Bytes("Px\n"), "opcode 0x50"},
        Refused{"Buffer", Bytes("\x97"), "opcode 0x97"},
        Refused{"CallsAList", Bytes("])R"),
                "calls something that is no global"},
        Refused{"StateOfAList", Bytes("]]b"), "what is no object"},
        Refused{"AppendsToADict", Bytes("}Na"), "appends to what is no list"},
        Refused{"SetsItemsOfAList", Bytes("]NNs"), "of what is no dict"},
        Refused{"OddDict", Bytes("(Nd"), "a key has no value"},
        Refused{"OddItems", Bytes("}(Nu"), "a key has no value"},
        Refused{"NoMark", Bytes("Nt"), "there is no mark"},
        Refused{"EmptyStack", Bytes("\x85"), "the stack is empty"},
        Refused{"BelowTheMark", Bytes("N(\x85"), "the stack is empty"},
        Refused{"EmptyMemo", Bytes("h\x03"), "memo 3 is empty"},
        Refused{"LongText",
                Bytes("X\xff\xff\xff\xff"
                      "ab"),
                "byte 2: needs 4294967295 bytes, but only 3 follow"},
        Refused{"HugeBytes", Bytes("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"),
                "needs 18446744073709551615 bytes"},
        Refused{"Protocol", Bytes("\x80\x06"), "protocol 6 is not known"},
        Refused{"OrderedDictOfText",
                Bytes("ccollections\nOrderedDict\nU\x01x\x85R"),
                "unknown arguments"}),
    [](const auto& info) { return info.param.name; });

TEST(ReadPickleTest, RefusesAPickleCutOffAnywhere) {
  const std::string whole =
      Program(Bytes("}(U\x01"
                    "a]q\x05K\x01"
                    "aX\x01\x00\x00\x00"
                    "bcpieces\nPiece\n)Ru"));
  ASSERT_THAT(Read(whole), IsOk());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(
        Read(whole.substr(0, size)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pickle, byte")))
        << size;
  }
}

TEST(ReadPickleTest, ListsCannotBeMultipliedByOrderedDicts) {
  // A list of 200 pairs, made into a dict 200 times.
  std::string body = "ccollections\nOrderedDict\nq";
  body += Bytes("\x00](");
  for (int i = 0; i < 200; ++i) body += "NN\x86";
  body += Bytes("e\x85q\x01");
  for (int i = 0; i < 200; ++i) body += Bytes("h\x00h\x01R0");
  EXPECT_THAT(Read(Program(body)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("OrderedDict is too large")));
}

}  // namespace
}  // namespace mask2former
