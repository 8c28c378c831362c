#include "mask2former/model/weights/pickle.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/pickle_opcodes.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;
using Op = PickleOpcode;

// Training checkpoints of the largest published model have 20 thousand.
constexpr size_t kMaxValues = size_t{4} << 20;
constexpr size_t kMaxNameLength = 200;
constexpr int kFirstProtocol = 2;
constexpr int kLastProtocol = 5;
constexpr absl::string_view kOrderedDict = "collections OrderedDict";

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(absl::string_view bytes, absl::Span<const absl::string_view> globals)
      : bytes_(bytes), globals_(globals) {}

  absl::StatusOr<Pickle> Run() {
    bool stopped = false;
    while (!stopped) {
      const size_t at = position_;
      const absl::Status status = Step(stopped);
      if (!status.ok()) {
        return Malformed(
            absl::StrCat("pickle, byte ", at, ": ", status.message()));
      }
    }
    pickle_.size = position_;
    return std::move(pickle_);
  }

 private:
  // ---- Bytes.

  absl::StatusOr<absl::string_view> Take(uint64_t size) {
    if (size > bytes_.size() - position_) {
      return Malformed(absl::StrCat("needs ", size, " bytes, but only ",
                                    bytes_.size() - position_,
                                    " follow; is it cut off?"));
    }
    const absl::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }

  // A little-endian number of `size` bytes.
  absl::StatusOr<uint64_t> TakeNumber(size_t size) {
    M2F_ASSIGN_OR_RETURN(const absl::string_view taken, Take(size));
    uint64_t number = 0;
    std::memcpy(&number, taken.data(), size);
    return number;
  }

  // As many bytes as a number of `size` bytes before them says.
  absl::StatusOr<absl::string_view> TakeSized(size_t size) {
    M2F_ASSIGN_OR_RETURN(const uint64_t length, TakeNumber(size));
    return Take(length);
  }

  absl::StatusOr<absl::string_view> TakeLine() {
    const size_t end = bytes_.substr(position_, kMaxNameLength + 1).find('\n');
    if (end == absl::string_view::npos) return Malformed("a name has no end");
    const absl::string_view line = bytes_.substr(position_, end);
    position_ += end + 1;
    return line;
  }

  // ---- Values.

  absl::StatusOr<PickleValue*> New(Kind kind) {
    if (pickle_.values.size() >= kMaxValues) {
      return Malformed(
          absl::StrCat("more than ", kMaxValues, " values are not read"));
    }
    pickle_.values.emplace_back();
    pickle_.values.back().kind = kind;
    return &pickle_.values.back();
  }

  absl::Status Push(PickleValue* value) {
    if (stack_.size() >= kMaxValues) return Malformed("the stack is too deep");
    stack_.push_back(value);
    return absl::OkStatus();
  }

  absl::Status PushNew(Kind kind, int64_t number = 0,
                       absl::string_view text = {}) {
    M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
    value->number = number;
    value->text = text;
    return Push(value);
  }

  absl::Status PushText(Kind kind, absl::StatusOr<absl::string_view> text) {
    M2F_RETURN_IF_ERROR(text.status());
    return PushNew(kind, 0, *text);
  }

  size_t FirstAboveMark() const { return marks_.empty() ? 0 : marks_.back(); }

  absl::Status Need(size_t count) const {
    if (stack_.size() - FirstAboveMark() >= count) return absl::OkStatus();
    return Malformed("the stack is empty");
  }

  absl::StatusOr<PickleValue*> Pop() {
    M2F_RETURN_IF_ERROR(Need(1));
    PickleValue* const value = stack_.back();
    stack_.pop_back();
    return value;
  }

  // The values above the last mark, which goes too.
  absl::StatusOr<std::vector<PickleValue*>> PopToMark() {
    if (marks_.empty()) return Malformed("there is no mark");
    std::vector<PickleValue*> values(stack_.begin() + marks_.back(),
                                     stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return values;
  }

  absl::Status PushItems(Kind kind, const std::vector<PickleValue*>& items) {
    if (kind == Kind::kDict && items.size() % 2 != 0) {
      return Malformed("a key has no value");
    }
    M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(kind));
    value->items.assign(items.begin(), items.end());
    return Push(value);
  }

  absl::Status PushTuple(size_t count) {
    M2F_RETURN_IF_ERROR(Need(count));
    const std::vector<PickleValue*> items(stack_.end() - count, stack_.end());
    stack_.resize(stack_.size() - count);
    return PushItems(Kind::kTuple, items);
  }

  absl::Status AddTo(Kind kind, const std::vector<PickleValue*>& items) {
    M2F_RETURN_IF_ERROR(Need(1));
    PickleValue* const target = stack_.back();
    if (target->kind != kind) {
      return Malformed(kind == Kind::kList ? "appends to what is no list"
                                           : "sets items of what is no dict");
    }
    if (kind == Kind::kDict && items.size() % 2 != 0) {
      return Malformed("a key has no value");
    }
    target->items.insert(target->items.end(), items.begin(), items.end());
    return absl::OkStatus();
  }

  // ---- Memo.

  absl::Status Remember(uint64_t index) {
    M2F_RETURN_IF_ERROR(Need(1));
    memo_[index] = stack_.back();
    return absl::OkStatus();
  }

  absl::Status Recall(absl::StatusOr<uint64_t> index) {
    M2F_RETURN_IF_ERROR(index.status());
    const auto found = memo_.find(*index);
    if (found == memo_.end()) {
      return Malformed(absl::StrCat("memo ", *index, " is empty"));
    }
    return Push(found->second);
  }

  // ---- Globals and calls.

  absl::Status PushGlobal(absl::string_view module, absl::string_view name) {
    const std::string both = absl::StrCat(module.substr(0, kMaxNameLength), " ",
                                          name.substr(0, kMaxNameLength));
    const auto known = std::lower_bound(globals_.begin(), globals_.end(), both);
    if (known == globals_.end() || *known != both) {
      return Malformed(absl::StrCat(
          "refers to ", absl::CHexEscape(module.substr(0, kMaxNameLength)), ".",
          absl::CHexEscape(name.substr(0, kMaxNameLength)),
          ", which is not on the list of things that weight files need; "
          "nothing of the file is run"));
    }
    return PushNew(Kind::kGlobal, 0, *known);
  }

  absl::Status Call() {
    M2F_ASSIGN_OR_RETURN(PickleValue* const arguments, Pop());
    M2F_ASSIGN_OR_RETURN(PickleValue* const callee, Pop());
    if (!callee->is(Kind::kGlobal) || !arguments->is(Kind::kTuple)) {
      return Malformed("calls something that is no global");
    }
    if (callee->text == kOrderedDict) return PushOrderedDict(*arguments);
    return PushItems(Kind::kCall, {callee, arguments});
  }

  // OrderedDict() or, from Python 2, OrderedDict([[key, value], ..]).
  absl::Status PushOrderedDict(const PickleValue& arguments) {
    M2F_ASSIGN_OR_RETURN(PickleValue* const dict, New(Kind::kDict));
    if (arguments.items.size() > 1 ||
        (arguments.items.size() == 1 && !arguments.items[0]->is(Kind::kList))) {
      return Malformed("OrderedDict has unknown arguments");
    }
    if (arguments.items.size() == 1) {
      const PickleValue& pairs = *arguments.items[0];
      // A list may be given many times; its bytes have been paid for once.
      copied_ += pairs.items.size();
      if (copied_ > bytes_.size()) return Malformed("OrderedDict is too large");
      for (const PickleValue* const pair : pairs.items) {
        if ((!pair->is(Kind::kList) && !pair->is(Kind::kTuple)) ||
            pair->items.size() != 2) {
          return Malformed("OrderedDict has unknown arguments");
        }
        dict->items.insert(dict->items.end(), pair->items.begin(),
                           pair->items.end());
      }
    }
    return Push(dict);
  }

  absl::Status Build() {
    M2F_ASSIGN_OR_RETURN(PickleValue* const state, Pop());
    M2F_RETURN_IF_ERROR(Need(1));
    PickleValue* const target = stack_.back();
    // Attributes of an OrderedDict (LibTorch's _metadata) are not weights.
    if (target->is(Kind::kDict)) return absl::OkStatus();
    if (!target->is(Kind::kCall)) {
      return Malformed("gives a state to what is no object");
    }
    target->items.push_back(state);
    return absl::OkStatus();
  }

  absl::Status PushLong(absl::StatusOr<absl::string_view> digits) {
    M2F_RETURN_IF_ERROR(digits.status());
    if (digits->size() > sizeof(int64_t)) {
      return PushNew(Kind::kBigInt, 0, *digits);
    }
    uint64_t number = 0;
    std::memcpy(&number, digits->data(), digits->size());
    if (!digits->empty() && digits->size() < sizeof(number) &&
        (digits->back() & 0x80) != 0) {
      number |= ~uint64_t{0} << (8 * digits->size());
    }
    return PushNew(Kind::kInt, static_cast<int64_t>(number));
  }

  absl::Status Step(bool& stopped);
  absl::Status NumberOrText(uint8_t op);
  absl::Status Container(uint8_t op);
  absl::Status Object(uint8_t op);

  absl::string_view bytes_;
  absl::Span<const absl::string_view> globals_;
  size_t position_ = 0;
  size_t copied_ = 0;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, PickleValue*> memo_;
};

absl::Status Machine::Step(bool& stopped) {
  M2F_ASSIGN_OR_RETURN(const uint64_t op, TakeNumber(1));
  switch (op) {
    case Op::kProto: {
      M2F_ASSIGN_OR_RETURN(const uint64_t protocol, TakeNumber(1));
      if (protocol < kFirstProtocol || protocol > kLastProtocol) {
        return Malformed(absl::StrCat("protocol ", protocol,
                                      " is not known; known are ",
                                      kFirstProtocol, " to ", kLastProtocol));
      }
      return absl::OkStatus();
    }
    case Op::kFrame:  // How far to read at once; all is here already.
      return TakeNumber(8).status();
    case Op::kStop: {
      M2F_ASSIGN_OR_RETURN(pickle_.root, Pop());
      stopped = true;
      return absl::OkStatus();
    }
    case Op::kMark:
      if (marks_.size() >= kMaxValues) return Malformed("too many marks");
      marks_.push_back(stack_.size());
      return absl::OkStatus();
    case Op::kPop:
      if (stack_.size() == FirstAboveMark() && !marks_.empty()) {
        return PopToMark().status();
      }
      return Pop().status();
    case Op::kPopMark:
      return PopToMark().status();
    case Op::kDup:
      M2F_RETURN_IF_ERROR(Need(1));
      return Push(stack_.back());
    default:
      return NumberOrText(op);
  }
}

absl::Status Machine::NumberOrText(uint8_t op) {
  switch (op) {
    case Op::kNone:
      return PushNew(Kind::kNone);
    case Op::kNewTrue:
      return PushNew(Kind::kBool, 1);
    case Op::kNewFalse:
      return PushNew(Kind::kBool, 0);
    case Op::kBinInt: {
      M2F_ASSIGN_OR_RETURN(const uint64_t number, TakeNumber(4));
      return PushNew(Kind::kInt, static_cast<int32_t>(number));
    }
    case Op::kBinInt1:
    case Op::kBinInt2: {
      M2F_ASSIGN_OR_RETURN(const uint64_t number,
                           TakeNumber(op == Op::kBinInt1 ? 1 : 2));
      return PushNew(Kind::kInt, static_cast<int64_t>(number));
    }
    case Op::kLong1:
      return PushLong(TakeSized(1));
    case Op::kLong4:
      return PushLong(TakeSized(4));
    case Op::kBinFloat: {
      M2F_ASSIGN_OR_RETURN(const uint64_t big_endian, TakeNumber(8));
      const uint64_t bits = __builtin_bswap64(big_endian);
      M2F_ASSIGN_OR_RETURN(PickleValue* const value, New(Kind::kFloat));
      std::memcpy(&value->real, &bits, sizeof(bits));
      return Push(value);
    }
    case Op::kShortBinUnicode:
    case Op::kShortBinString:
      return PushText(Kind::kString, TakeSized(1));
    case Op::kBinUnicode:
    case Op::kBinString:
      return PushText(Kind::kString, TakeSized(4));
    case Op::kBinUnicode8:
      return PushText(Kind::kString, TakeSized(8));
    case Op::kShortBinBytes:
      return PushText(Kind::kBytes, TakeSized(1));
    case Op::kBinBytes:
      return PushText(Kind::kBytes, TakeSized(4));
    case Op::kBinBytes8:
    case Op::kByteArray8:
      return PushText(Kind::kBytes, TakeSized(8));
    default:
      return Container(op);
  }
}

absl::Status Machine::Container(uint8_t op) {
  switch (op) {
    case Op::kEmptyTuple:
      return PushTuple(0);
    case Op::kTuple1:
      return PushTuple(1);
    case Op::kTuple2:
      return PushTuple(2);
    case Op::kTuple3:
      return PushTuple(3);
    case Op::kEmptyList:
      return PushNew(Kind::kList);
    case Op::kEmptyDict:
      return PushNew(Kind::kDict);
    case Op::kTuple:
    case Op::kList:
    case Op::kDict: {
      M2F_ASSIGN_OR_RETURN(const std::vector<PickleValue*> items, PopToMark());
      return PushItems(op == Op::kTuple  ? Kind::kTuple
                       : op == Op::kList ? Kind::kList
                                         : Kind::kDict,
                       items);
    }
    case Op::kAppend: {
      M2F_ASSIGN_OR_RETURN(PickleValue* const item, Pop());
      return AddTo(Kind::kList, {item});
    }
    case Op::kSetItem: {
      M2F_ASSIGN_OR_RETURN(PickleValue* const value, Pop());
      M2F_ASSIGN_OR_RETURN(PickleValue* const key, Pop());
      return AddTo(Kind::kDict, {key, value});
    }
    case Op::kAppends:
    case Op::kSetItems: {
      M2F_ASSIGN_OR_RETURN(const std::vector<PickleValue*> items, PopToMark());
      return AddTo(op == Op::kAppends ? Kind::kList : Kind::kDict, items);
    }
    default:
      return Object(op);
  }
}

absl::Status Machine::Object(uint8_t op) {
  switch (op) {
    case Op::kBinPut:
    case Op::kLongBinPut: {
      M2F_ASSIGN_OR_RETURN(const uint64_t index,
                           TakeNumber(op == Op::kBinPut ? 1 : 4));
      return Remember(index);
    }
    case Op::kMemoize:
      return Remember(memo_.size());
    case Op::kBinGet:
      return Recall(TakeNumber(1));
    case Op::kLongBinGet:
      return Recall(TakeNumber(4));
    case Op::kGlobal: {
      M2F_ASSIGN_OR_RETURN(const absl::string_view module, TakeLine());
      M2F_ASSIGN_OR_RETURN(const absl::string_view name, TakeLine());
      return PushGlobal(module, name);
    }
    case Op::kStackGlobal: {
      M2F_ASSIGN_OR_RETURN(PickleValue* const name, Pop());
      M2F_ASSIGN_OR_RETURN(PickleValue* const module, Pop());
      if (!name->is(Kind::kString) || !module->is(Kind::kString)) {
        return Malformed("a global's name is no string");
      }
      return PushGlobal(module->text, name->text);
    }
    case Op::kReduce:
    case Op::kNewObj:
      return Call();
    case Op::kBuild:
      return Build();
    case Op::kBinPersId: {
      M2F_ASSIGN_OR_RETURN(PickleValue* const id, Pop());
      return PushItems(Kind::kExternal, {id});
    }
    default:
      return Malformed(absl::StrFormat(
          "opcode 0x%02x is not one that weight files of protocol 2 to 5 need; "
          "nothing of the file is run",
          op));
  }
}

}  // namespace

const PickleValue* PickleValue::Find(absl::string_view key) const {
  if (kind != Kind::kDict) return nullptr;
  for (size_t i = items.size(); i >= 2; i -= 2) {
    if (items[i - 2]->is(Kind::kString) && items[i - 2]->text == key) {
      return items[i - 1];
    }
  }
  return nullptr;
}

absl::StatusOr<Pickle> ReadPickle(absl::string_view bytes,
                                  absl::Span<const absl::string_view> globals) {
  return Machine(bytes, globals).Run();
}

}  // namespace mask2former
