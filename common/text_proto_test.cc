#include "mask2former/common/text_proto.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/config/testing/sample.pb.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Writes `files` (name -> text) below a fresh folder and returns it.
std::string MakeFiles(const std::map<std::string, std::string>& files) {
  static int count = 0;
  const std::string folder =
      absl::StrCat(testing::TempDir(), "text_proto_test_", count++);
  for (const auto& [name, text] : files) {
    const std::string path = absl::StrCat(folder, "/", name);
    EXPECT_THAT(CreateDirectories(path.substr(0, path.rfind('/'))), IsOk());
    EXPECT_THAT(WriteFileAtomically(path, text), IsOk());
  }
  return folder;
}

struct BrokenConfig {
  std::string name;
  std::string text;
  std::string error;  // The whole message.
};

class BrokenConfigTest : public testing::TestWithParam<BrokenConfig> {};

TEST_P(BrokenConfigTest, SaysWhereAndWhat) {
  SampleConfig config;
  config.set_name("untouched");
  EXPECT_THAT(ParseConfig(GetParam().text, "a.textproto", config),
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().error));
  EXPECT_EQ(config.ShortDebugString(), "name: \"untouched\"");
}

INSTANTIATE_TEST_SUITE_P(
    Configs, BrokenConfigTest,
    testing::Values(
        BrokenConfig{"UnknownFieldNearAnother", "solver {\n  base_rl: 1\n}",
                     "a.textproto:2:3: unknown field 'base_rl' in message "
                     "mask2former.SampleSolver; did you mean 'base_lr'?"},
        BrokenConfig{"UnknownFieldNearNone", "model { optimizer {} }",
                     "a.textproto:1:9: unknown field 'optimizer' in message "
                     "mask2former.SampleModel; known are resnet, swin, "
                     "teacher"},
        BrokenConfig{"UnknownFieldOfADeeperMessage", "\nbase_lr: 1",
                     "a.textproto:2:1: unknown field 'base_lr' in message "
                     "mask2former.SampleConfig; did you mean "
                     "'solver.base_lr'?"},
        BrokenConfig{"UnknownFieldInOtherCase", "Name: 'x'",
                     "a.textproto:1:1: unknown field 'Name' in message "
                     "mask2former.SampleConfig; did you mean 'name'?"},
        BrokenConfig{"UnknownEnumValue", "solver { warmup_method: LINAER }",
                     "a.textproto:1:25: unknown value 'LINAER' for "
                     "'warmup_method' in message mask2former.SampleSolver; "
                     "did you mean 'LINEAR'?"},
        BrokenConfig{"UnknownEnumValueNearNone",
                     "solver { warmup_method: COSINE_2 }",
                     "a.textproto:1:25: unknown value 'COSINE_2' for "
                     "'warmup_method' in message mask2former.SampleSolver; "
                     "known are LINEAR, CONSTANT"},
        BrokenConfig{"NumberForEnum", "solver { warmup_method: 1 }",
                     "a.textproto:1:25: 'warmup_method' must be one of "
                     "LINEAR, CONSTANT, got the number 1"},
        BrokenConfig{"StringForNumber", "solver { base_lr: \"1e-4\" }",
                     "a.textproto:1:19: 'base_lr' must be a number (float), "
                     "got the string \"1e-4\""},
        BrokenConfig{"WordForNumber", "solver { base_lr: small }",
                     "a.textproto:1:19: 'base_lr' must be a number (float), "
                     "got the word small"},
        BrokenConfig{"FractionForWholeNumber", "solver { max_iter: 9e4 }",
                     "a.textproto:1:20: 'max_iter' must be a whole number "
                     "(int32), got the number 9e4"},
        BrokenConfig{"NumberForString", "name: 7",
                     "a.textproto:1:7: 'name' must be a string in quotes, got "
                     "the number 7"},
        BrokenConfig{"WordForString", "name: tiny",
                     "a.textproto:1:7: 'name' must be a string in quotes, got "
                     "the word tiny"},
        BrokenConfig{"WordForBool", "solver { amp: yes }",
                     "a.textproto:1:15: 'amp' must be true or false, got the "
                     "word yes"},
        BrokenConfig{"NumberForMessage", "solver: 3",
                     "a.textproto:1:9: 'solver' must be a message { .. } "
                     "(mask2former.SampleSolver), got the number 3"},
        BrokenConfig{"MessageForNumber", "solver { max_iter { a: 1 } }",
                     "a.textproto:1:19: 'max_iter' must be a whole number "
                     "(int32), got a message { .. }"},
        BrokenConfig{"ListForSingularField", "solver { max_iter: [1, 2] }",
                     "a.textproto:1:20: 'max_iter' takes one value, a whole "
                     "number (int32), not a list"},
        BrokenConfig{"TooLargeInt32", "sizes: [1, 2147483648]",
                     "a.textproto:1:12: 'sizes' must be in -2147483648 .. "
                     "2147483647 (int32), got 2147483648"},
        BrokenConfig{"NegativeUnsigned", "solver { seed: -1 }",
                     "a.textproto:1:16: 'seed' must be in 0 .. 4294967295 "
                     "(uint32), got -1"},
        BrokenConfig{"TooLargeInt64", "solver { tokens: 9223372036854775808 }",
                     "a.textproto:1:18: 'tokens' must be in "
                     "-9223372036854775808 .. 9223372036854775807 (int64), "
                     "got 9223372036854775808"},
        BrokenConfig{"TooLargeFloat", "solver { base_lr: 1e39 }",
                     "a.textproto:1:19: 'base_lr' must be in -3.40282e+38 .. "
                     "3.40282e+38 (float), got 1e39"},
        BrokenConfig{"FieldTwice", "name: 'a'\nsizes: 1\nname: 'b'",
                     "a.textproto:3:1: 'name' is set twice, first on line 1"},
        BrokenConfig{"MessageTwice", "solver {}\nsolver {}",
                     "a.textproto:2:1: 'solver' is set twice, first on line "
                     "1"},
        BrokenConfig{"TwoArmsOfAOneof", "model {\n resnet {}\n swin {}\n}",
                     "a.textproto:3:2: 'swin' and 'resnet' exclude each other "
                     "(oneof kind); 'resnet' is set on line 2"},
        BrokenConfig{"MissingColon", "name 'a'",
                     "a.textproto:1:6: expected ':' or '{' after 'name', found "
                     "''a''"},
        BrokenConfig{"MissingBrace", "solver {\n  max_iter: 1\n",
                     "a.textproto:3:1: expected '}', found the end of the "
                     "text"},
        BrokenConfig{"ExtraBrace", "solver {}\n}",
                     "a.textproto:2:1: '}' closes nothing"},
        BrokenConfig{"MissingValue", "solver { max_iter: }",
                     "a.textproto:1:20: expected a value, found '}'"},
        BrokenConfig{"UnclosedString", "name: \"abc\nsizes: 1",
                     "a.textproto:1:11: String literals cannot cross line "
                     "boundaries."},
        BrokenConfig{"UnclosedList", "sizes: [1, 2\nname: 'a'",
                     "a.textproto:2:1: expected ',' or ']', found 'name'"},
        BrokenConfig{"Extension", "[a.b]: 1",
                     "a.textproto:1:1: expected a field's name (extensions "
                     "are not supported), found '['"},
        BrokenConfig{"SeveralAtOnce",
                     "nmae: 'a'\nsolver { amp: 2 base_rl: 1 }\nsizes 1\n"
                     "classes: 3",
                     "a.textproto:1:1: unknown field 'nmae' in message "
                     "mask2former.SampleConfig; did you mean 'name'?\n"
                     "a.textproto:2:15: 'amp' must be true or false, got the "
                     "number 2\n"
                     "a.textproto:2:17: unknown field 'base_rl' in message "
                     "mask2former.SampleSolver; did you mean 'base_lr'?\n"
                     "a.textproto:3:7: expected ':' or '{' after 'sizes', "
                     "found '1'\n"
                     "a.textproto:4:10: 'classes' must be a string in quotes, "
                     "got the number 3"}),
    [](const auto& info) { return info.param.name; });

TEST(ReadConfigTest, LaterFilesWinAndListsAreReplaced) {
  const std::string folder = MakeFiles({
      {"run/a.textproto",
       "solver { max_iter: 10 }\n"
       "include: ['../bases/one.textproto', '../bases/two.textproto']\n"
       "sizes: [7]"},
      {"bases/one.textproto",
       "include: 'root.textproto' name: 'one' solver { seed: 1 } "
       "model { resnet { depth: 101 } } classes: 'x'"},
      {"bases/two.textproto",
       "name: 'two' solver { base_lr: 2 } model { swin {} }"},
      {"bases/root.textproto",
       "name: 'root' sizes: [1, 2, 3] solver { max_iter: 1 amp: false } "
       "classes: ['a', 'b'] datasets { root: 'r' }"},
  });
  const auto config = ReadTextProto<SampleConfig>(folder + "/run/a.textproto");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->ShortDebugString(),
            "name: \"two\" solver { base_lr: 2 max_iter: 10 amp: false seed: 1 "
            "} model { swin { } } sizes: 7 datasets { root: \"r\" } "
            "classes: \"x\"");
}

TEST(ReadConfigTest, AFileMayBeIncludedByTwoOthers) {
  const std::string folder = MakeFiles({
      {"a.textproto", "include: 'b.textproto' include: 'c.textproto'"},
      {"b.textproto", "include: 'd.textproto' name: 'b'"},
      {"c.textproto", "include: 'd.textproto'"},
      {"d.textproto", "name: 'd'"},
  });
  const auto config = ReadTextProto<SampleConfig>(folder + "/a.textproto");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->name(), "d");  // The last of all that were read.
}

TEST(ReadConfigTest, ShowsTheCircleOfIncludes) {
  const std::string folder = MakeFiles({
      {"a.textproto", "name: 'a' include: 'x/b.textproto'"},
      {"x/b.textproto", "include: 'c.textproto'"},
      {"x/c.textproto", "\ninclude: './../x/b.textproto'"},
  });
  EXPECT_THAT(
      ReadTextProto<SampleConfig>(folder + "/a.textproto"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               absl::StrCat(folder,
                            "/x/c.textproto:2:10: include goes in a circle: ",
                            folder, "/x/b.textproto -> ", folder,
                            "/x/c.textproto -> ", folder, "/x/b.textproto")));
}

TEST(ReadConfigTest, SaysWhoIncludesAMissingFile) {
  const std::string folder =
      MakeFiles({{"a.textproto", "include: 'none.textproto' nmae: 'a'"}});
  const auto config = ReadTextProto<SampleConfig>(folder + "/a.textproto");
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("/a.textproto:1:10: cannot "
                                               "include: "),
                                     HasSubstr("/none.textproto"),
                                     HasSubstr("unknown field 'nmae'"))));
}

TEST(ReadConfigTest, ListsTheMistakesOfAllFilesOnce) {
  const std::string folder = MakeFiles({
      {"a.textproto", "include: ['b.textproto', 'b.textproto'] sizes: 'x'"},
      {"b.textproto", "nmae: 'b'"},
  });
  SampleConfig config;
  const absl::Status status =
      ReadConfig(folder + "/a.textproto", {"solver.amp=2"}, config);
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(status.message()), '\n');
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("/b.textproto:1:1: unknown field 'nmae'"),
                          HasSubstr("/a.textproto:1:48: 'sizes'"),
                          StartsWith("--set solver.amp=2: 'amp'")));
}

TEST(ReadConfigTest, RefusesAFileThatDoesNotExist) {
  EXPECT_THAT(
      ReadTextProto<SampleConfig>("/none/a.textproto"),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none/a.textproto")));
}

TEST(ReadConfigTest, IncludeIsAnOrdinaryUnknownFieldElsewhere) {
  SampleSolver solver;
  EXPECT_THAT(ParseConfig("include: 'a'", "x", solver),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("x:1:1: unknown field 'include'")));
}

struct Override {
  std::string name;
  std::string text;
  std::string result;  // Of a config that holds kBefore.
};

constexpr char kBefore[] =
    "name: 'old' sizes: [1, 2] solver { base_lr: 1 max_iter: 5 } "
    "model { resnet { depth: 101 } } classes: 'a'";

class OverrideTest : public testing::TestWithParam<Override> {};

TEST_P(OverrideTest, ChangesOneField) {
  SampleConfig config, expected;
  ASSERT_THAT(ParseConfig(kBefore, "before", config), IsOk());
  ASSERT_THAT(ParseConfig(GetParam().result, "expected", expected), IsOk());
  EXPECT_THAT(ApplyOverrides({GetParam().text}, config), IsOk());
  EXPECT_EQ(config.DebugString(), expected.DebugString());
}

// `result` says it in full, to be read without adding in one's head.
std::string After(const std::string& name, const std::string& sizes,
                  const std::string& solver, const std::string& model,
                  const std::string& classes) {
  return absl::StrCat("name: '", name, "' sizes: ", sizes, " solver {", solver,
                      "} model {", model, "} classes: ", classes);
}

constexpr char kSolver[] = "base_lr: 1 max_iter: 5";
constexpr char kModel[] = "resnet { depth: 101 }";

INSTANTIATE_TEST_SUITE_P(
    Kinds, OverrideTest,
    testing::Values(
        Override{
            "Float", "solver.base_lr=5e-5",
            After("old", "[1,2]", "base_lr: 5e-5 max_iter: 5", kModel, "'a'")},
        Override{
            "Negative", "solver.max_iter=-3",
            After("old", "[1,2]", "base_lr: 1 max_iter: -3", kModel, "'a'")},
        Override{"Bool", "solver.amp=false",
                 After("old", "[1,2]", "base_lr: 1 max_iter: 5 amp: false",
                       kModel, "'a'")},
        Override{"Enum", "solver.warmup_method=CONSTANT",
                 After("old", "[1,2]",
                       "base_lr: 1 max_iter: 5 warmup_method: CONSTANT", kModel,
                       "'a'")},
        Override{"BareString", "name=a=b c",
                 After("a=b c", "[1,2]", kSolver, kModel, "'a'")},
        Override{"QuotedString", "name='q'",
                 After("q", "[1,2]", kSolver, kModel, "'a'")},
        Override{"StringWithQuoteInside", "name=say \"x\" \\ y",
                 After("say \"x\" \\\\ y", "[1,2]", kSolver, kModel, "'a'")},
        Override{"EmptyString",
                 "name=", After("", "[1,2]", kSolver, kModel, "'a'")},
        Override{"CommaList", "sizes=7, 8",
                 After("old", "[7,8]", kSolver, kModel, "'a'")},
        Override{"BracketList", "sizes=[7,8,9]",
                 After("old", "[7,8,9]", kSolver, kModel, "'a'")},
        Override{"OneElement", "sizes=7",
                 After("old", "7", kSolver, kModel, "'a'")},
        Override{"EmptyList", "sizes=[]",
                 After("old", "[]", kSolver, kModel, "'a'")},
        Override{
            "BareStringList", "classes=road, side walk",
            After("old", "[1,2]", kSolver, kModel, "['road','side walk']")},
        Override{"QuotedStringList", "classes=['x,y','z']",
                 After("old", "[1,2]", kSolver, kModel, "['x,y','z']")},
        Override{"EnumList", "solver.methods=LINEAR,CONSTANT",
                 After("old", "[1,2]",
                       "base_lr: 1 max_iter: 5 methods: [LINEAR, CONSTANT]",
                       kModel, "'a'")},
        Override{
            "MessageIsMerged", "solver={max_iter: 6}",
            After("old", "[1,2]", "base_lr: 1 max_iter: 6", kModel, "'a'")},
        Override{"MessageWithoutBraces", "solver=max_iter: 6 amp: true",
                 After("old", "[1,2]", "base_lr: 1 max_iter: 6 amp: true",
                       kModel, "'a'")},
        Override{"OtherArmOfAOneof", "model.swin.window=12",
                 After("old", "[1,2]", kSolver, "swin { window: 12 }", "'a'")},
        Override{"MessageList", "datasets=[{root: 'a'}, {root: 'b'}]",
                 absl::StrCat(kBefore,
                              " datasets { root: 'a' } datasets { root: 'b' "
                              "}")}),
    [](const auto& info) { return info.param.name; });

TEST(ApplyOverridesTest, LaterOnesWin) {
  SampleConfig config;
  EXPECT_THAT(
      ApplyOverrides({"name=a", "sizes=1", "name=b", "sizes=2"}, config),
      IsOk());
  EXPECT_EQ(config.ShortDebugString(), "name: \"b\" sizes: 2");
}

TEST(ApplyOverridesTest, NamesEveryMistake) {
  SampleConfig config;
  config.set_name("untouched");
  const absl::Status status = ApplyOverrides(
      {"solver.base_rl=1", "max_iter=1", "solver.max_iter=many", "name",
       "datasets.root=x", "name.first=x", "solver.warmup_method=LINER",
       "solver.max_iter=", "solver={max_iter 1}", "sizes=[1",
       "solver.max_iter=1 name: 2", "include=a", "name=ok"},
      config);
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(status.message()), '\n');
  EXPECT_THAT(
      lines,
      ElementsAre(
          "--set solver.base_rl=1: unknown field 'base_rl' in message "
          "mask2former.SampleSolver; did you mean 'base_lr'?",
          "--set max_iter=1: unknown field 'max_iter' in message "
          "mask2former.SampleConfig; did you mean 'solver.max_iter'?",
          "--set solver.max_iter=many: 'max_iter' must be a whole number "
          "(int32), got the word many",
          "--set name: expected path.to.field=value",
          "--set datasets.root=x: 'datasets' in message "
          "mask2former.SampleConfig is a list; set it as a whole",
          "--set name.first=x: 'name' in message mask2former.SampleConfig is "
          "no message, it has no fields",
          "--set solver.warmup_method=LINER: unknown value 'LINER' for "
          "'warmup_method' in message mask2former.SampleSolver; did you mean "
          "'LINEAR'?",
          "--set solver.max_iter=: 'max_iter' must be a whole number (int32), "
          "got the string \"\"",
          HasSubstr("cannot read the value '{max_iter 1}': expected ':'"),
          HasSubstr("cannot read the value '[1'"),
          HasSubstr("cannot read the value '1 name: 2'"),
          "--set include=a: an include stands in a file"));
  EXPECT_EQ(config.name(), "untouched");
}

TEST(PrintConfigTest, ReadsBackToTheSameMessage) {
  SampleConfig config, again;
  ASSERT_THAT(
      ParseConfig(absl::StrCat(
                      kBefore,
                      " datasets { root: 'a\\n\\'\"' } datasets { repeat: 2 }"),
                  "before", config),
      IsOk());
  config.mutable_solver()->set_base_lr(0.1f);
  config.mutable_solver()->set_weight_decay(1. / 3);
  config.mutable_model()->mutable_resnet()->add_mean(123.675f);
  const std::string text = PrintConfig(config);
  EXPECT_THAT(text, HasSubstr("sizes: [1, 2]"));
  EXPECT_THAT(text, HasSubstr("base_lr: 0.1\n"));
  ASSERT_THAT(ParseConfig(text, "printed", again), IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(config, again));
}

TEST(WithDefaultsTest, SetsWhatDeclaresADefaultAndReadsBack) {
  SampleConfig config, again;
  ASSERT_THAT(ParseConfig("solver { max_iter: 3 } datasets { root: 'a' } "
                          "model { swin {} }",
                          "x", config),
              IsOk());
  const SampleConfig full = WithDefaults(config);
  EXPECT_EQ(full.ShortDebugString(),
            "name: \"none\" solver { base_lr: 0.0001 weight_decay: 0.05 "
            "max_iter: 3 warmup_method: LINEAR amp: true } "
            "model { swin { window: 7 } } "
            "datasets { root: \"a\" repeat: 1 }");
  ASSERT_THAT(ParseConfig(PrintConfig(full), "printed", again), IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(full, again));
}

TEST(WithDefaultsTest, FillsAbsentMessagesButChoosesNoArm) {
  EXPECT_EQ(WithDefaults(SampleConfig()).ShortDebugString(),
            "name: \"none\" solver { base_lr: 0.0001 weight_decay: 0.05 "
            "max_iter: 90000 warmup_method: LINEAR amp: true }");
}

}  // namespace
}  // namespace mask2former
