#include "mask2former/model/weights/pickled_tensors.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

using Kind = PickleValue::Kind;

struct NamedType {
  absl::string_view name;
  std::optional<ElementType> type;
};

constexpr NamedType kTorchTypes[] = {
    {"torch BFloat16Storage", ElementType::kBFloat16},
    {"torch BoolStorage", ElementType::kBool},
    {"torch ByteStorage", ElementType::kUInt8},
    {"torch CharStorage", ElementType::kInt8},
    {"torch ComplexDoubleStorage", ElementType::kComplex128},
    {"torch ComplexFloatStorage", ElementType::kComplex64},
    {"torch DoubleStorage", ElementType::kFloat64},
    {"torch FloatStorage", ElementType::kFloat32},
    {"torch HalfStorage", ElementType::kFloat16},
    {"torch IntStorage", ElementType::kInt32},
    {"torch LongStorage", ElementType::kInt64},
    {"torch ShortStorage", ElementType::kInt16},
    {"torch UntypedStorage", std::nullopt},
    {"torch bfloat16", ElementType::kBFloat16},
    {"torch bool", ElementType::kBool},
    {"torch complex128", ElementType::kComplex128},
    {"torch complex64", ElementType::kComplex64},
    {"torch float16", ElementType::kFloat16},
    {"torch float32", ElementType::kFloat32},
    {"torch float64", ElementType::kFloat64},
    {"torch int16", ElementType::kInt16},
    {"torch int32", ElementType::kInt32},
    {"torch int64", ElementType::kInt64},
    {"torch int8", ElementType::kInt8},
    {"torch uint16", ElementType::kUInt16},
    {"torch uint32", ElementType::kUInt32},
    {"torch uint64", ElementType::kUInt64},
    {"torch uint8", ElementType::kUInt8},
    {"torch.storage UntypedStorage", std::nullopt},
};

// What a file from before 0.4 calls its tensors; storages say the type.
constexpr absl::string_view kTensorClasses[] = {
    "torch ByteTensor",        "torch CharTensor",
    "torch DoubleTensor",      "torch FloatTensor",
    "torch HalfTensor",        "torch IntTensor",
    "torch LongTensor",        "torch ShortTensor",
    "torch.cuda ByteTensor",   "torch.cuda CharTensor",
    "torch.cuda DoubleTensor", "torch.cuda FloatTensor",
    "torch.cuda HalfTensor",   "torch.cuda IntTensor",
    "torch.cuda LongTensor",   "torch.cuda ShortTensor",
};

constexpr NamedType kNumpyTypes[] = {
    {"b1", ElementType::kBool},      {"c16", ElementType::kComplex128},
    {"c8", ElementType::kComplex64}, {"f2", ElementType::kFloat16},
    {"f4", ElementType::kFloat32},   {"f8", ElementType::kFloat64},
    {"i1", ElementType::kInt8},      {"i2", ElementType::kInt16},
    {"i4", ElementType::kInt32},     {"i8", ElementType::kInt64},
    {"u1", ElementType::kUInt8},     {"u2", ElementType::kUInt16},
    {"u4", ElementType::kUInt32},    {"u8", ElementType::kUInt64},
};

constexpr absl::string_view kOtherGlobals[] = {
    "__builtin__ bytes",
    "_codecs encode",
    "builtins bytes",
    "collections OrderedDict",
    "numpy dtype",
    "numpy ndarray",
    "numpy._core.multiarray _reconstruct",
    "numpy._core.multiarray scalar",
    "numpy._core.numeric _frombuffer",
    "numpy.core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy.core.numeric _frombuffer",
    "torch Size",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_tensor_v3",
    "torch.storage _load_from_bytes",
};

absl::Status Malformed(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

bool CallsAnyOf(const PickleValue& value,
                std::initializer_list<absl::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](absl::string_view name) { return value.Calls(name); });
}

bool IsParameter(const PickleValue& value) {
  return value.Calls("torch._utils _rebuild_parameter");
}

bool IsTorchTensor(const PickleValue& value) {
  return CallsAnyOf(
      value, {"torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2",
              "torch._utils _rebuild_tensor_v3"});
}

bool IsReconstructed(const PickleValue& value) {
  return CallsAnyOf(value, {"numpy.core.multiarray _reconstruct",
                            "numpy._core.multiarray _reconstruct"});
}

bool IsBuffer(const PickleValue& value) {
  return CallsAnyOf(value, {"numpy.core.numeric _frombuffer",
                            "numpy._core.numeric _frombuffer"});
}

bool IsScalar(const PickleValue& value) {
  return CallsAnyOf(
      value, {"numpy.core.multiarray scalar", "numpy._core.multiarray scalar"});
}

const std::vector<const PickleValue*>& Arguments(const PickleValue& call) {
  return call.items[1]->items;
}

// The state that BUILD gave an object; nullptr unless there is one, a tuple of
// at least `size`.
const std::vector<const PickleValue*>* State(const PickleValue& call,
                                             size_t size) {
  if (call.items.size() != 3 || !call.items[2]->is(Kind::kTuple) ||
      call.items[2]->items.size() < size) {
    return nullptr;
  }
  return &call.items[2]->items;
}

absl::StatusOr<std::vector<int64_t>> Sizes(const PickleValue& value) {
  const PickleValue* list = &value;
  if (value.Calls("torch Size") && Arguments(value).size() == 1) {
    list = Arguments(value)[0];
  }
  if (!list->is(Kind::kTuple) && !list->is(Kind::kList)) {
    return Malformed("its sizes are no tuple");
  }
  if (list->items.size() > 64) return Malformed("has over 64 dimensions");
  std::vector<int64_t> sizes;
  for (const PickleValue* const item : list->items) {
    if (!item->is(Kind::kInt)) return Malformed("a size is no number");
    sizes.push_back(item->number);
  }
  return sizes;
}

absl::StatusOr<ElementType> NumpyType(const PickleValue& dtype) {
  if (!dtype.Calls("numpy dtype") || Arguments(dtype).empty() ||
      !Arguments(dtype)[0]->is(Kind::kString)) {
    return Malformed("its dtype is none of NumPy's");
  }
  absl::string_view name = Arguments(dtype)[0]->text;
  bool big_endian = absl::ConsumePrefix(&name, ">");
  if (!big_endian) {
    absl::ConsumePrefix(&name, "<") || absl::ConsumePrefix(&name, "|") ||
        absl::ConsumePrefix(&name, "=");
  }
  // (version, byte order, ..)
  const auto* const state = State(dtype, 2);
  if (state == nullptr && dtype.items.size() != 2) {
    return Malformed("its dtype has an unknown state");
  }
  if (state != nullptr) {
    big_endian |= (*state)[1]->is(Kind::kString) && (*state)[1]->text == ">";
  }
  if (big_endian) {
    return Malformed(absl::StrCat(
        "its dtype >", absl::CHexEscape(name.substr(0, 20)),
        " is big-endian, which is not supported; save it from a little-endian "
        "copy (array.astype(array.dtype.newbyteorder('<')))"));
  }
  for (const NamedType& row : kNumpyTypes) {
    if (row.name == name) return *row.type;
  }
  return Malformed(absl::StrCat("its dtype ",
                                absl::CHexEscape(name.substr(0, 20)),
                                " is not one of numbers"));
}

// Of text whose characters are below U+0100, the bytes with their numbers.
absl::StatusOr<std::string> Latin1(absl::string_view utf8) {
  std::string bytes;
  bytes.reserve(utf8.size());
  for (size_t i = 0; i < utf8.size(); ++i) {
    const uint8_t byte = utf8[i];
    if (byte < 0x80) {
      bytes.push_back(utf8[i]);
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < utf8.size() &&
               (static_cast<uint8_t>(utf8[i + 1]) & 0xc0) == 0x80) {
      bytes.push_back(
          static_cast<char>((byte & 0x03) << 6 | (utf8[++i] & 0x3f)));
    } else {
      return Malformed("text that should stand for bytes has other characters");
    }
  }
  return bytes;
}

}  // namespace

absl::Status MemoryBudget::Charge(uint64_t bytes) {
  if (bytes > left_) {
    return Malformed("refers to itself more often than weights do");
  }
  left_ -= bytes;
  return absl::OkStatus();
}

absl::Span<const absl::string_view> WeightGlobals() {
  static const auto* const kGlobals = [] {
    auto* const names = new std::vector<absl::string_view>(
        std::begin(kOtherGlobals), std::end(kOtherGlobals));
    names->insert(names->end(), std::begin(kTensorClasses),
                  std::end(kTensorClasses));
    for (const NamedType& row : kTorchTypes) names->push_back(row.name);
    std::sort(names->begin(), names->end());
    return names;
  }();
  return *kGlobals;
}

absl::StatusOr<std::optional<ElementType>> TorchType(
    const PickleValue& global) {
  for (const NamedType& row : kTorchTypes) {
    if (global.IsGlobal(row.name)) return row.type;
  }
  return Malformed("its type is none of LibTorch's");
}

bool PickledTensors::IsTensor(const PickleValue& value) const {
  return IsTorchTensor(value) || IsParameter(value) || IsReconstructed(value) ||
         IsBuffer(value) || IsScalar(value) ||
         (value.is(Kind::kExternal) && source_.tensor != nullptr);
}

absl::StatusOr<RawTensor> PickledTensors::Read(const PickleValue& value) {
  M2F_RETURN_IF_ERROR(budget_.Charge(sizeof(RawTensor)));
  if (value.is(Kind::kExternal)) return source_.tensor(*value.items[0]);
  if (IsTorchTensor(value)) return ReadTensor(value);
  if (IsParameter(value) && !Arguments(value).empty() &&
      IsTorchTensor(*Arguments(value)[0])) {
    return ReadTensor(*Arguments(value)[0]);
  }
  return ReadArray(value);
}

absl::StatusOr<RawTensor> PickledTensors::ReadTensor(const PickleValue& call) {
  // (storage, offset, sizes, strides, requires_grad, hooks, dtype, ..)
  const auto& arguments = Arguments(call);
  if (arguments.size() < 4 || !arguments[1]->is(Kind::kInt)) {
    return Malformed("the tensor has unknown arguments");
  }
  M2F_ASSIGN_OR_RETURN(PickledStorage storage, Storage(*arguments[0]));
  if (call.Calls("torch._utils _rebuild_tensor_v3") && arguments.size() > 6) {
    M2F_ASSIGN_OR_RETURN(storage.type, TorchType(*arguments[6]));
  }
  if (!storage.type.has_value()) return Malformed("the tensor has no type");
  M2F_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, Sizes(*arguments[2]));
  M2F_ASSIGN_OR_RETURN(std::vector<int64_t> strides, Sizes(*arguments[3]));
  return MakeRawTensor(*storage.type, std::move(sizes), std::move(strides),
                       arguments[1]->number, storage.bytes, keep_);
}

absl::StatusOr<RawTensor> PickledTensors::ReadArray(const PickleValue& call) {
  const PickleValue* dtype = nullptr;
  const PickleValue* contents = nullptr;
  std::vector<int64_t> shape;
  bool column_major = false;
  if (IsReconstructed(call)) {
    // (version, shape, dtype, whether Fortran's order, contents)
    const auto* const state = State(call, 5);
    if (state == nullptr || !(*state)[3]->is(Kind::kBool)) {
      return Malformed("the array has an unknown state");
    }
    M2F_ASSIGN_OR_RETURN(shape, Sizes(*(*state)[1]));
    dtype = (*state)[2];
    column_major = (*state)[3]->number != 0;
    contents = (*state)[4];
  } else if (IsBuffer(call) && Arguments(call).size() == 4) {
    // (contents, dtype, shape, order)
    const auto& arguments = Arguments(call);
    M2F_ASSIGN_OR_RETURN(shape, Sizes(*arguments[2]));
    dtype = arguments[1];
    contents = arguments[0];
    if (!arguments[3]->is(Kind::kString) ||
        (arguments[3]->text != "C" && arguments[3]->text != "F")) {
      return Malformed("the array's order is neither C nor F");
    }
    column_major = arguments[3]->text == "F";
  } else if (IsScalar(call) && Arguments(call).size() == 2) {
    dtype = Arguments(call)[0];
    contents = Arguments(call)[1];
  } else {
    return Malformed("the array has unknown arguments");
  }
  M2F_ASSIGN_OR_RETURN(const ElementType type, NumpyType(*dtype));
  M2F_ASSIGN_OR_RETURN(const absl::string_view bytes, Bytes(*contents));
  std::vector<int64_t> strides =
      column_major ? ColumnMajorStrides(shape) : RowMajorStrides(shape);
  M2F_ASSIGN_OR_RETURN(RawTensor tensor,
                       MakeRawTensor(type, std::move(shape), std::move(strides),
                                     /*offset=*/0, bytes, keep_));
  if (static_cast<uint64_t>(tensor.num_bytes()) != bytes.size()) {
    return Malformed(absl::StrCat("the array takes ", tensor.num_bytes(),
                                  " bytes, ", bytes.size(), " are there"));
  }
  return tensor;
}

absl::StatusOr<PickledStorage> PickledTensors::Storage(
    const PickleValue& value) {
  const auto known = storages_.find(&value);
  if (known != storages_.end()) return known->second;
  PickledStorage storage;
  if (value.is(Kind::kExternal)) {
    M2F_ASSIGN_OR_RETURN(storage, source_.find(*value.items[0]));
  } else if (value.Calls("torch.storage _load_from_bytes") &&
             Arguments(value).size() == 1) {
    M2F_ASSIGN_OR_RETURN(const absl::string_view bytes,
                         Bytes(*Arguments(value)[0]));
    // Of every call once, but calls may share their bytes.
    M2F_RETURN_IF_ERROR(budget_.Charge(bytes.size()));
    M2F_ASSIGN_OR_RETURN(storage, source_.load(bytes));
  } else {
    return Malformed("the tensor has no storage");
  }
  storages_[&value] = storage;
  return storage;
}

absl::StatusOr<absl::string_view> PickledTensors::Bytes(
    const PickleValue& value) {
  // Text: a str of Python 2.
  if (value.is(Kind::kBytes) || value.is(Kind::kString)) return value.text;
  if (CallsAnyOf(value, {"__builtin__ bytes", "builtins bytes"}) &&
      Arguments(value).empty()) {
    return absl::string_view();
  }
  if (!value.Calls("_codecs encode") || Arguments(value).size() != 2 ||
      !Arguments(value)[0]->is(Kind::kString) ||
      !Arguments(value)[1]->is(Kind::kString) ||
      Arguments(value)[1]->text != "latin1") {
    return Malformed(value.is(Kind::kList) ? "holds objects, not numbers"
                                           : "its contents are no bytes");
  }
  const PickleValue* const text = Arguments(value)[0];
  const auto known = bytes_.find(text);
  if (known != bytes_.end()) return known->second;
  M2F_RETURN_IF_ERROR(budget_.Charge(text->text.size()));
  M2F_ASSIGN_OR_RETURN(std::string bytes, Latin1(text->text));
  keep_->decoded.push_back(std::move(bytes));
  bytes_[text] = keep_->decoded.back();
  return bytes_[text];
}

}  // namespace mask2former
