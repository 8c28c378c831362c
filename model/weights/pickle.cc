#include "mask2former/model/weights/pickle.h"

#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/weights/pickle_opcodes.h"
#include "mask2former/model/weights/pickle_stack.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;
using Op = PickleOpcode;

constexpr size_t kMaxLineLength = 200;
constexpr int kFirstProtocol = 2;
constexpr int kLastProtocol = 5;

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

// Tells the stack what the bytes say.
class Reader {
 public:
  Reader(absl::string_view bytes, absl::Span<const absl::string_view> globals)
      : bytes_(bytes), stack_(globals, bytes.size()) {}

  absl::StatusOr<Pickle> Run() {
    Pickle pickle;
    bool stopped = false;
    while (!stopped) {
      const size_t at = position_;
      const absl::Status status = Step(stopped);
      if (!status.ok()) {
        return Malformed(
            absl::StrCat("pickle, byte ", at, ": ", status.message()));
      }
    }
    pickle.values = stack_.TakeValues();
    pickle.root = root_;
    pickle.size = position_;
    return pickle;
  }

 private:
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
    const size_t end = bytes_.substr(position_, kMaxLineLength + 1).find('\n');
    if (end == absl::string_view::npos) return Malformed("a name has no end");
    const absl::string_view line = bytes_.substr(position_, end);
    position_ += end + 1;
    return line;
  }

  // Text after its length of `size` bytes.
  absl::Status Text(Kind kind, size_t size) {
    M2F_ASSIGN_OR_RETURN(const absl::string_view text, TakeSized(size));
    return stack_.PushText(kind, text);
  }

  // A number in two's complement after its length of `size` bytes.
  absl::Status Long(size_t size) {
    M2F_ASSIGN_OR_RETURN(const absl::string_view digits, TakeSized(size));
    if (digits.size() > sizeof(int64_t)) {
      return stack_.PushText(Kind::kBigInt, digits);
    }
    uint64_t number = 0;
    std::memcpy(&number, digits.data(), digits.size());
    if (!digits.empty() && digits.size() < sizeof(number) &&
        (digits.back() & 0x80) != 0) {
      number |= ~uint64_t{0} << (8 * digits.size());
    }
    return stack_.PushNumber(Kind::kInt, static_cast<int64_t>(number));
  }

  absl::Status Step(bool& stopped);
  absl::Status NumberOrText(uint8_t op);
  absl::Status Container(uint8_t op);
  absl::Status Object(uint8_t op);

  absl::string_view bytes_;
  size_t position_ = 0;
  PickleStack stack_;
  const PickleValue* root_ = nullptr;
};

absl::Status Reader::Step(bool& stopped) {
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
      M2F_ASSIGN_OR_RETURN(root_, stack_.Pop());
      stopped = true;
      return absl::OkStatus();
    }
    case Op::kMark:
      return stack_.Mark();
    case Op::kPop:
      return stack_.PopAny();
    case Op::kPopMark:
      return stack_.PopMarked();
    case Op::kDup:
      return stack_.Duplicate();
    default:
      return NumberOrText(op);
  }
}

absl::Status Reader::NumberOrText(uint8_t op) {
  switch (op) {
    case Op::kNone:
      return stack_.PushNumber(Kind::kNone, 0);
    case Op::kNewTrue:
      return stack_.PushNumber(Kind::kBool, 1);
    case Op::kNewFalse:
      return stack_.PushNumber(Kind::kBool, 0);
    case Op::kBinInt: {
      M2F_ASSIGN_OR_RETURN(const uint64_t number, TakeNumber(4));
      return stack_.PushNumber(Kind::kInt, static_cast<int32_t>(number));
    }
    case Op::kBinInt1:
    case Op::kBinInt2: {
      M2F_ASSIGN_OR_RETURN(const uint64_t number,
                           TakeNumber(op == Op::kBinInt1 ? 1 : 2));
      return stack_.PushNumber(Kind::kInt, static_cast<int64_t>(number));
    }
    case Op::kLong1:
      return Long(1);
    case Op::kLong4:
      return Long(4);
    case Op::kBinFloat: {
      M2F_ASSIGN_OR_RETURN(const uint64_t big_endian, TakeNumber(8));
      const uint64_t bits = __builtin_bswap64(big_endian);
      double real = 0;
      std::memcpy(&real, &bits, sizeof(bits));
      return stack_.PushReal(real);
    }
    case Op::kShortBinUnicode:
    case Op::kShortBinString:
      return Text(Kind::kString, 1);
    case Op::kBinUnicode:
    case Op::kBinString:
      return Text(Kind::kString, 4);
    case Op::kBinUnicode8:
      return Text(Kind::kString, 8);
    case Op::kShortBinBytes:
      return Text(Kind::kBytes, 1);
    case Op::kBinBytes:
      return Text(Kind::kBytes, 4);
    case Op::kBinBytes8:
    case Op::kByteArray8:
      return Text(Kind::kBytes, 8);
    default:
      return Container(op);
  }
}

absl::Status Reader::Container(uint8_t op) {
  switch (op) {
    case Op::kEmptyTuple:
      return stack_.PushTuple(0);
    case Op::kTuple1:
      return stack_.PushTuple(1);
    case Op::kTuple2:
      return stack_.PushTuple(2);
    case Op::kTuple3:
      return stack_.PushTuple(3);
    case Op::kEmptyList:
      return stack_.PushNumber(Kind::kList, 0);
    case Op::kEmptyDict:
      return stack_.PushNumber(Kind::kDict, 0);
    case Op::kTuple:
      return stack_.PushMarked(Kind::kTuple);
    case Op::kList:
      return stack_.PushMarked(Kind::kList);
    case Op::kDict:
      return stack_.PushMarked(Kind::kDict);
    case Op::kAppend:
      return stack_.AddTop(Kind::kList, 1);
    case Op::kSetItem:
      return stack_.AddTop(Kind::kDict, 2);
    case Op::kAppends:
      return stack_.AddMarked(Kind::kList);
    case Op::kSetItems:
      return stack_.AddMarked(Kind::kDict);
    default:
      return Object(op);
  }
}

absl::Status Reader::Object(uint8_t op) {
  switch (op) {
    case Op::kBinPut:
    case Op::kLongBinPut: {
      M2F_ASSIGN_OR_RETURN(const uint64_t index,
                           TakeNumber(op == Op::kBinPut ? 1 : 4));
      return stack_.Remember(index);
    }
    case Op::kMemoize:
      return stack_.RememberNext();
    case Op::kBinGet:
    case Op::kLongBinGet: {
      M2F_ASSIGN_OR_RETURN(const uint64_t index,
                           TakeNumber(op == Op::kBinGet ? 1 : 4));
      return stack_.Recall(index);
    }
    case Op::kGlobal: {
      M2F_ASSIGN_OR_RETURN(const absl::string_view module, TakeLine());
      M2F_ASSIGN_OR_RETURN(const absl::string_view name, TakeLine());
      return stack_.PushGlobal(module, name);
    }
    case Op::kStackGlobal: {
      M2F_ASSIGN_OR_RETURN(const PickleValue* const name, stack_.Pop());
      M2F_ASSIGN_OR_RETURN(const PickleValue* const module, stack_.Pop());
      if (!name->is(Kind::kString) || !module->is(Kind::kString)) {
        return Malformed("a global's name is no string");
      }
      return stack_.PushGlobal(module->text, name->text);
    }
    case Op::kReduce:
    case Op::kNewObj:
      return stack_.Call();
    case Op::kBuild:
      return stack_.Build();
    case Op::kBinPersId:
      return stack_.PushExternal();
    default:
      return Malformed(absl::StrFormat(
          "opcode 0x%02x is not one that weight files of protocol 2 to 5 need; "
          "nothing of the file is run",
          op));
  }
}

}  // namespace

absl::StatusOr<Pickle> ReadPickle(absl::string_view bytes,
                                  absl::Span<const absl::string_view> globals) {
  return Reader(bytes, globals).Run();
}

}  // namespace mask2former
