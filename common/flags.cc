#include "mask2former/common/flags.h"

#include <gflags/gflags.h>

#include <map>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "mask2former/common/config/suggestion.h"

namespace mask2former {
namespace {

constexpr absl::string_view kSet = "set";
constexpr size_t kHelpColumns = 80;

using FlagInfo = google::CommandLineFlagInfo;

// Sorted by name.
std::map<std::string, FlagInfo> AllFlags() {
  std::vector<FlagInfo> infos;
  google::GetAllFlags(&infos);
  std::map<std::string, FlagInfo> result;
  for (FlagInfo& info : infos) {
    std::string name = info.name;
    result.emplace(std::move(name), std::move(info));
  }
  return result;
}

// As a person would say it.
std::string TypeName(const FlagInfo& flag) {
  if (flag.type == "double") return "number";
  if (flag.type == "string" || flag.type == "bool") return flag.type;
  return absl::StartsWith(flag.type, "u") ? "whole number >= 0"
                                          : "whole number";
}

// Breaks `text` into lines that fit beside an indentation of `indent` blanks.
std::string Wrapped(absl::string_view text, size_t indent) {
  std::string result;
  size_t column = 0;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (column == 0 || column + 1 + word.size() > kHelpColumns) {
      if (column > 0) result += '\n';
      result.append(indent, ' ');
      column = indent;
    } else {
      result += ' ';
      ++column;
    }
    absl::StrAppend(&result, word);
    column += word.size();
  }
  return result + "\n";
}

// Walks over the arguments once; collects mistakes instead of stopping.
class Parser {
 public:
  Parser(const std::string& source_file,
         const std::vector<std::string>& arguments)
      : arguments_(arguments), flags_(AllFlags()) {
    for (const auto& [name, info] : flags_) {
      if (info.filename == source_file) known_.push_back("--" + name);
    }
    known_.push_back("--help");
    known_.push_back(absl::StrCat("--", kSet));
  }

  absl::StatusOr<CommandLine> Parse() {
    CommandLine result;
    for (const std::string& argument : arguments_) {
      if (argument == "--help" || argument == "-help" || argument == "-h") {
        result.help = true;
        return result;
      }
    }
    while (next_ < arguments_.size()) TakeOne(result);
    if (mistakes_.empty()) Assign();
    if (!mistakes_.empty()) {
      mistakes_.push_back("--help lists the flags");
      return absl::InvalidArgumentError(absl::StrJoin(mistakes_, "\n"));
    }
    return result;
  }

 private:
  void TakeOne(CommandLine& result) {
    const std::string& argument = arguments_[next_++];
    absl::string_view rest = argument;
    if (!absl::ConsumePrefix(&rest, "-")) {
      mistakes_.push_back(absl::StrCat("unexpected argument '", argument,
                                       "'; flags start "
                                       "with '--'"));
      return;
    }
    absl::ConsumePrefix(&rest, "-");
    const size_t equals = rest.find('=');
    const std::string name(rest.substr(0, equals));
    const bool has_value = equals != absl::string_view::npos;
    std::string value(has_value ? rest.substr(equals + 1) : "");

    if (name == kSet) {
      if (has_value || TakeValue(name, value)) {
        result.overrides.push_back(std::move(value));
      }
      return;
    }
    const auto flag = flags_.find(name);
    if (flag != flags_.end()) {
      if (!has_value && flag->second.type == "bool") {
        value = "true";
      } else if (!has_value && !TakeValue(name, value)) {
        return;
      }
      SetOnce(name, value);
      return;
    }
    const auto negated =
        flags_.find(std::string(absl::StripPrefix(name, "no")));
    if (!has_value && absl::StartsWith(name, "no") && negated != flags_.end() &&
        negated->second.type == "bool") {
      SetOnce(negated->first, "false");
      return;
    }
    mistakes_.push_back(
        absl::StrCat("unknown flag --", name, Suggest("--" + name, known_)));
  }

  // The argument after a flag without "=".
  bool TakeValue(const std::string& name, std::string& value) {
    if (next_ == arguments_.size()) {
      mistakes_.push_back(absl::StrCat("--", name, " needs a value"));
      return false;
    }
    value = arguments_[next_++];
    return true;
  }

  void SetOnce(const std::string& name, const std::string& value) {
    if (!values_.emplace(name, value).second) {
      mistakes_.push_back(absl::StrCat("--", name, " is given twice"));
    }
  }

  void Assign() {
    for (const auto& [name, value] : values_) {
      if (google::SetCommandLineOption(name.c_str(), value.c_str()).empty()) {
        const FlagInfo& flag = flags_.at(name);
        mistakes_.push_back(absl::StrCat("--", name, " is a ", TypeName(flag),
                                         ", got '", value, "'"));
      }
    }
  }

  const std::vector<std::string>& arguments_;
  const std::map<std::string, FlagInfo> flags_;
  std::vector<std::string> known_;
  size_t next_ = 0;
  std::map<std::string, std::string> values_;
  std::vector<std::string> mistakes_;
};

}  // namespace

absl::StatusOr<CommandLine> ParseFlags(
    const std::string& source_file, const std::vector<std::string>& arguments) {
  return Parser(source_file, arguments).Parse();
}

std::string FlagsHelp(absl::string_view usage, const std::string& source_file,
                      bool with_set) {
  std::map<std::string, std::string> entries;
  for (const auto& [name, flag] : AllFlags()) {
    if (flag.filename != source_file) continue;
    std::string head = absl::StrCat("  --", name, "  (", TypeName(flag));
    if (!flag.default_value.empty()) {
      absl::StrAppend(&head, ", default ", flag.default_value);
    }
    entries[name] =
        absl::StrCat(head, ")\n", Wrapped(flag.description, /*indent=*/6));
  }
  if (with_set) {
    entries[std::string(kSet)] = absl::StrCat(
        "  --set  (path.to.field=value, any number of times)\n",
        Wrapped("Overrides a setting of --config, for instance "
                "--set=data.root=/data/cityscapes --set=eval.num_pictures=0",
                /*indent=*/6));
  }
  std::string result =
      absl::StrCat(absl::StripAsciiWhitespace(usage), "\n\nFlags:\n");
  for (const auto& [name, text] : entries) result += text;
  return result;
}

}  // namespace mask2former
