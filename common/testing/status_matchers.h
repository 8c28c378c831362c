#ifndef MASK2FORMER_COMMON_TESTING_STATUS_MATCHERS_H_
#define MASK2FORMER_COMMON_TESTING_STATUS_MATCHERS_H_

// GoogleTest matchers for absl::Status and absl::StatusOr.

#include <gmock/gmock.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mask2former {
namespace testing_internal {

inline absl::Status ToStatus(const absl::Status& status) { return status; }

template <typename T>
absl::Status ToStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

}  // namespace testing_internal

MATCHER(IsOk, "is OK") {
  const absl::Status status = testing_internal::ToStatus(arg);
  *result_listener << status.ToString();
  return status.ok();
}

// StatusIs(absl::StatusCode::kNotFound, HasSubstr("frankfurt"))
MATCHER_P2(StatusIs, code, message,
           "has code " + absl::StatusCodeToString(code) +
               " and a message that " +
               ::testing::DescribeMatcher<std::string>(message)) {
  const absl::Status status = testing_internal::ToStatus(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         ::testing::ExplainMatchResult(message, std::string(status.message()),
                                       result_listener);
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_STATUS_MATCHERS_H_
