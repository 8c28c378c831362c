#include "mask2former/tools/compare/compare_tensors.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string TypeName(const at::Tensor& tensor) {
  std::string name = at::toString(tensor.scalar_type());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return absl::StrCat(name, " [", absl::StrJoin(tensor.sizes(), ", "), "]");
}

bool IsInteger(const at::Tensor& tensor) {
  return at::isIntegralType(tensor.scalar_type(), /*includeBool=*/true);
}

std::vector<int64_t> Coordinates(int64_t element, at::IntArrayRef sizes) {
  std::vector<int64_t> index(sizes.size());
  for (size_t i = sizes.size(); i-- > 0;) {
    index[i] = element % sizes[i];
    element /= sizes[i];
  }
  return index;
}

// |a - b|: 0 if they are the same, infinite if that is not a number.
double Distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double distance = std::abs(a - b);
  return std::isnan(distance) ? kInfinity : distance;
}

// Not 0 for large integers that are one number in double.
double Distance(int64_t a, int64_t b) {
  const uint64_t larger = static_cast<uint64_t>(std::max(a, b));
  return static_cast<double>(larger - static_cast<uint64_t>(std::min(a, b)));
}

template <typename Number>
void CompareElements(const at::Tensor& expected, const at::Tensor& actual,
                     const Tolerance& tolerance, TensorComparison& comparison) {
  const Number* const e = expected.const_data_ptr<Number>();
  const Number* const a = actual.const_data_ptr<Number>();
  double dot = 0, square_e = 0, square_a = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double x = static_cast<double>(e[i]), y = static_cast<double>(a[i]);
    dot += x * y;
    square_e += x * x;
    square_a += y * y;
    const double distance = Distance(e[i], a[i]);
    if (distance == 0) continue;
    const double larger = std::max(std::abs(x), std::abs(y));
    comparison.max_abs = std::max(comparison.max_abs, distance);
    comparison.max_rel =
        std::max(comparison.max_rel,
                 std::isinf(distance) ? kInfinity : distance / larger);
    // Infinite distances are beyond any tolerance, also an infinite one.
    if (std::isinf(distance) ||
        distance > tolerance.atol + tolerance.rtol * std::abs(x)) {
      ++comparison.num_different;
      if (!comparison.first) {
        comparison.first =
            FirstDifference{Coordinates(i, expected.sizes()), x, y};
      }
    }
  }
  if (square_e > 0 || square_a > 0) {
    const double norms = std::sqrt(square_e) * std::sqrt(square_a);
    comparison.cosine = norms > 0 ? dot / norms : 0;
  }
}

std::string FirstText(const FirstDifference& first) {
  return absl::StrFormat("[%s] %.9g, not %.9g",
                         absl::StrJoin(first.index, ", "), first.actual,
                         first.expected);
}

}  // namespace

int64_t SetComparison::NumDifferent() const {
  return static_cast<int64_t>(only_expected.size() + only_actual.size()) +
         std::count_if(tensors.begin(), tensors.end(),
                       [](const TensorComparison& tensor) {
                         return tensor.IsDifferent();
                       });
}

TensorComparison CompareTensors(const std::string& name,
                                const at::Tensor& expected,
                                const at::Tensor& actual,
                                const Tolerance& tolerance) {
  TensorComparison comparison;
  comparison.name = name;
  comparison.expected_type = TypeName(expected);
  comparison.actual_type = TypeName(actual);
  comparison.sizes_match = expected.sizes() == actual.sizes();
  if (!comparison.sizes_match) return comparison;
  comparison.num_elements = expected.numel();
  const at::ScalarType type =
      IsInteger(expected) && IsInteger(actual) ? at::kLong : at::kDouble;
  const at::Tensor e = expected.to(type).contiguous();
  const at::Tensor a = actual.to(type).contiguous();
  if (type == at::kLong) {
    CompareElements<int64_t>(e, a, tolerance, comparison);
  } else {
    CompareElements<double>(e, a, tolerance, comparison);
  }
  return comparison;
}

SetComparison CompareSets(const std::map<std::string, at::Tensor>& expected,
                          const std::map<std::string, at::Tensor>& actual,
                          const Tolerance& tolerance) {
  SetComparison comparison;
  for (const auto& [name, tensor] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end()) {
      comparison.only_expected.push_back(name);
    } else {
      comparison.tensors.push_back(
          CompareTensors(name, tensor, found->second, tolerance));
    }
  }
  for (const auto& item : actual) {
    if (expected.count(item.first) == 0) {
      comparison.only_actual.push_back(item.first);
    }
  }
  return comparison;
}

std::string TextReport(const SetComparison& comparison, bool only_different) {
  size_t width = 6;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (only_different && !tensor.IsDifferent()) continue;
    width = std::max(width, tensor.name.size());
  }
  std::string text =
      absl::StrFormat("%-*s %10s %10s %12s  %s\n", width, "tensor", "max abs",
                      "max rel", "cosine", "first difference");
  for (const TensorComparison& tensor : comparison.tensors) {
    if (only_different && !tensor.IsDifferent()) continue;
    if (!tensor.sizes_match) {
      absl::StrAppendFormat(&text, "%-*s %10s %10s %12s  is %s, not %s\n",
                            width, tensor.name, "-", "-", "-",
                            tensor.actual_type, tensor.expected_type);
      continue;
    }
    absl::StrAppendFormat(&text, "%-*s %10.3g %10.3g %12.9f  ", width,
                          tensor.name, tensor.max_abs, tensor.max_rel,
                          tensor.cosine);
    if (tensor.first) {
      absl::StrAppendFormat(&text, "%s; %d of %d\n", FirstText(*tensor.first),
                            tensor.num_different, tensor.num_elements);
    } else {
      text += "-\n";
    }
  }
  for (const std::string& name : comparison.only_expected) {
    absl::StrAppend(&text, "missing: ", name, "\n");
  }
  for (const std::string& name : comparison.only_actual) {
    absl::StrAppend(&text, "not expected: ", name, "\n");
  }
  const int64_t in_one_set = static_cast<int64_t>(
      comparison.only_expected.size() + comparison.only_actual.size());
  absl::StrAppend(&text, comparison.tensors.size(), " tensors compared, ",
                  comparison.NumDifferent() - in_one_set, " different; ",
                  comparison.only_expected.size(), " missing, ",
                  comparison.only_actual.size(), " not expected\n");
  return text;
}

}  // namespace mask2former
