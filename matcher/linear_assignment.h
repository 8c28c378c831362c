#ifndef MASK2FORMER_MATCHER_LINEAR_ASSIGNMENT_H_
#define MASK2FORMER_MATCHER_LINEAR_ASSIGNMENT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace mask2former {

// Row rows[i] goes with column columns[i]. Rows ascend; both have as many
// entries as the shorter side of the matrix.
struct LinearAssignment {
  std::vector<int64_t> rows;
  std::vector<int64_t> columns;
};

// Pairs rows with columns, one to one and as many as possible, so that the sum
// of the pairs' costs is least.
//
//   costs         row-major, num_rows * num_columns entries, none of them
//                 beyond 1e300 in magnitude
//   num_rows      >= 0
//   num_columns   >= 0
//
// Among equally cheap assignments it picks the one that
// scipy.optimize.linear_sum_assignment (1.4 and later) picks. Either side may
// be the longer, or 0. Takes O(r^2 c) steps, r the shorter side, c the longer.
//
// Returns InvalidArgument, naming row and column, if a cost is NaN, infinite or
// too large, or if `costs` has another number of entries.
//
// Source: D. F. Crouse, "On implementing 2D rectangular assignment algorithms",
// IEEE Transactions on Aerospace and Electronic Systems 52(4), 2016: shortest
// augmenting paths after Jonker and Volgenant.
absl::StatusOr<LinearAssignment> SolveLinearAssignment(
    absl::Span<const double> costs, int64_t num_rows, int64_t num_columns);

}  // namespace mask2former

#endif  // MASK2FORMER_MATCHER_LINEAR_ASSIGNMENT_H_
