#ifndef MASK2FORMER_COMMON_LOGGING_H_
#define MASK2FORMER_COMMON_LOGGING_H_

// The one place that includes glog. LibTorch's c10/util/Logging.h defines
// macros of the same names; including it first and dropping them makes LOG and
// CHECK mean glog everywhere, in any include order.

#include <c10/util/Logging.h>

#undef CHECK
#undef CHECK_EQ
#undef CHECK_GE
#undef CHECK_GT
#undef CHECK_LE
#undef CHECK_LT
#undef CHECK_NE
#undef CHECK_NOTNULL
#undef DCHECK
#undef DCHECK_EQ
#undef DCHECK_GE
#undef DCHECK_GT
#undef DCHECK_LE
#undef DCHECK_LT
#undef DCHECK_NE
#undef DCHECK_NOTNULL
#undef DLOG
#undef LOG
#undef LOG_IF
#undef VLOG
#undef VLOG_IF
#undef VLOG_IS_ON

#include <glog/logging.h>  // IWYU pragma: export

#endif  // MASK2FORMER_COMMON_LOGGING_H_
