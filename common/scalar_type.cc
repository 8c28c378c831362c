#include "mask2former/common/scalar_type.h"

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

struct Pair {
  ElementType element;
  at::ScalarType type;
};

constexpr std::array<Pair, 13> kPairs = {
    {{ElementType::kFloat64, at::kDouble},
     {ElementType::kFloat32, at::kFloat},
     {ElementType::kFloat16, at::kHalf},
     {ElementType::kBFloat16, at::kBFloat16},
     {ElementType::kInt64, at::kLong},
     {ElementType::kInt32, at::kInt},
     {ElementType::kInt16, at::kShort},
     {ElementType::kInt8, at::kChar},
     {ElementType::kUInt64, at::kUInt64},
     {ElementType::kUInt32, at::kUInt32},
     {ElementType::kUInt16, at::kUInt16},
     {ElementType::kUInt8, at::kByte},
     {ElementType::kBool, at::kBool}}};

absl::Status NotSupported(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat(
      "dtype ", name, " is not supported; supported are ",
      absl::StrJoin(kPairs, ", ", [](std::string* out, const Pair& pair) {
        absl::StrAppend(out, ElementTypeName(pair.element));
      })));
}

}  // namespace

absl::StatusOr<at::ScalarType> ScalarTypeOf(ElementType type) {
  for (const Pair& pair : kPairs) {
    if (pair.element == type) return pair.type;
  }
  return NotSupported(ElementTypeName(type));
}

absl::StatusOr<ElementType> ElementTypeOf(at::ScalarType type) {
  for (const Pair& pair : kPairs) {
    if (pair.type == type) return pair.element;
  }
  return NotSupported(c10::toString(type));
}

}  // namespace mask2former
