#ifndef MASK2FORMER_DATA_SAMPLER_H_
#define MASK2FORMER_DATA_SAMPLER_H_

#include <ATen/core/Generator.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace mask2former {

// Where a stream of samples stands; enough to go on exactly.
struct SamplerState {
  int64_t seed = 0;
  int64_t dataset_size = 0;
  int64_t position = 0;  // Elements taken from the whole stream, of all ranks.
};

// An endless stream of sample indices: a random permutation of all, then the
// next one, and so on. There are no epochs; a batch may straddle two
// permutations.
//
// The stream is the same on every rank and for any number of ranks. It equals
// repeated torch.randperm(size, generator=g) after g.manual_seed(seed).
class Sampler {
 public:
  // dataset_size >= 1 (checked).
  Sampler(int64_t seed, int64_t dataset_size);

  // The next index, 0 .. dataset_size - 1, and its place in the stream.
  struct Element {
    int64_t position;
    int64_t index;
  };
  Element Next();

  // Passes over `count` elements, >= 0.
  void Skip(int64_t count);

  SamplerState state() const;

  // Continues where a stream with this state stood.
  //
  // Returns InvalidArgument if the state is of another seed or data set: the
  // order would not be the saved run's.
  absl::Status Restore(const SamplerState& state);

 private:
  void Rewind();

  int64_t seed_;
  int64_t dataset_size_;
  at::Generator generator_;
  std::vector<int64_t> permutation_;  // The one that holds position_ - 1.
  int64_t permutations_ = 0;          // Made so far.
  int64_t position_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SAMPLER_H_
