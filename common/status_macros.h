#ifndef MASK2FORMER_COMMON_STATUS_MACROS_H_
#define MASK2FORMER_COMMON_STATUS_MACROS_H_

// Early return on an error, for functions that return absl::Status or
// absl::StatusOr.

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define M2F_RETURN_IF_ERROR(expression)             \
  do {                                              \
    const ::absl::Status m2f_status = (expression); \
    if (!m2f_status.ok()) return m2f_status;        \
  } while (false)

// M2F_ASSIGN_OR_RETURN(const int n, ReadNumber());
#define M2F_ASSIGN_OR_RETURN(declaration, expression)              \
  M2F_ASSIGN_OR_RETURN_NAMED(M2F_CONCAT(m2f_status_or_, __LINE__), \
                             declaration, expression)

#define M2F_ASSIGN_OR_RETURN_NAMED(name, declaration, expression) \
  auto name = (expression);                                       \
  if (!name.ok()) return std::move(name).status();                \
  declaration = *std::move(name)

#define M2F_CONCAT(a, b) M2F_CONCAT_INNER(a, b)
#define M2F_CONCAT_INNER(a, b) a##b

#endif  // MASK2FORMER_COMMON_STATUS_MACROS_H_
