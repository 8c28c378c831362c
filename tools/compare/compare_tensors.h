#ifndef MASK2FORMER_TOOLS_COMPARE_COMPARE_TENSORS_H_
#define MASK2FORMER_TOOLS_COMPARE_COMPARE_TENSORS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mask2former {

// An element counts as different if |actual - expected| > atol + rtol
// |expected|, or if one of the two is not a number.
struct Tolerance {
  double atol = 0;
  double rtol = 0;
};

// The first element, in row-major order, that is different.
struct FirstDifference {
  std::vector<int64_t> index;
  double expected = 0;
  double actual = 0;
};

// Two tensors of one name. If their sizes differ, nothing below is set.
struct TensorComparison {
  std::string name;
  std::string expected_type, actual_type;  // Such as "float [2, 3]".
  bool sizes_match = false;

  int64_t num_elements = 0;
  int64_t num_different = 0;
  // The largest |actual - expected|, and the largest of it over the larger of
  // the two magnitudes, 0 .. 2. Infinite where one is not a number.
  double max_abs = 0;
  double max_rel = 0;
  // Of the two as vectors; 1 if both are zero or empty.
  double cosine = 1;
  std::optional<FirstDifference> first;

  bool IsDifferent() const { return !sizes_match || num_different > 0; }
};

struct SetComparison {
  std::vector<TensorComparison> tensors;  // Names in both, by name.
  std::vector<std::string> only_expected, only_actual;

  // Tensors that are different or in one set only.
  int64_t NumDifferent() const;
};

// Compares element by element in double; two tensors of integers exactly.
// Elements that are not a number on both sides are equal, as are infinities of
// one sign. dtypes may differ.
TensorComparison CompareTensors(const std::string& name,
                                const at::Tensor& expected,
                                const at::Tensor& actual,
                                const Tolerance& tolerance);

// Compares those of equal names.
SetComparison CompareSets(const std::map<std::string, at::Tensor>& expected,
                          const std::map<std::string, at::Tensor>& actual,
                          const Tolerance& tolerance);

// A table with a line per tensor, then the names that one side lacks and a
// summary. `only_different` leaves out tensors that agree.
std::string TextReport(const SetComparison& comparison, bool only_different);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_COMPARE_COMPARE_TENSORS_H_
