#include "mask2former/common/element_type.h"

#include <array>

namespace mask2former {
namespace {

struct Row {
  ElementType type;
  int64_t size;
  absl::string_view name;
};

// In the order of the enumeration.
constexpr std::array<Row, 15> kRows = {{
    {ElementType::kFloat64, 8, "F64"},
    {ElementType::kFloat32, 4, "F32"},
    {ElementType::kFloat16, 2, "F16"},
    {ElementType::kBFloat16, 2, "BF16"},
    {ElementType::kInt64, 8, "I64"},
    {ElementType::kInt32, 4, "I32"},
    {ElementType::kInt16, 2, "I16"},
    {ElementType::kInt8, 1, "I8"},
    {ElementType::kUInt64, 8, "U64"},
    {ElementType::kUInt32, 4, "U32"},
    {ElementType::kUInt16, 2, "U16"},
    {ElementType::kUInt8, 1, "U8"},
    {ElementType::kBool, 1, "BOOL"},
    {ElementType::kComplex64, 8, "C64"},
    {ElementType::kComplex128, 16, "C128"},
}};

}  // namespace

int64_t ElementSize(ElementType type) {
  return kRows[static_cast<size_t>(type)].size;
}

absl::string_view ElementTypeName(ElementType type) {
  return kRows[static_cast<size_t>(type)].name;
}

std::optional<ElementType> ElementTypeFromName(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

absl::string_view ElementTypeNames() {
  return "F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL, "
         "C64, C128";
}

}  // namespace mask2former
