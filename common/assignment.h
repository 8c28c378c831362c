#ifndef MASK2FORMER_COMMON_ASSIGNMENT_H_
#define MASK2FORMER_COMMON_ASSIGNMENT_H_

#include <cstdint>
#include <vector>

namespace mask2former {

// A one-to-one pairing of queries and targets of one image: query queries[i]
// belongs to target targets[i]. `queries` ascends; both have min(Q, N) entries.
struct Assignment {
  std::vector<int64_t> queries;
  std::vector<int64_t> targets;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_ASSIGNMENT_H_
