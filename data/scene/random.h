#ifndef MASK2FORMER_DATA_SCENE_RANDOM_H_
#define MASK2FORMER_DATA_SCENE_RANDOM_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "mask2former/data/split_mix64.h"

namespace mask2former {

// Random numbers that are the same on every machine, which the distributions of
// the standard library are not.
//
// Do not draw twice in the arguments of one function call: their order of
// evaluation is the compiler's choice. Braced initialisers have an order.
class SceneRandom {
 public:
  explicit SceneRandom(uint64_t seed) : bits_(seed) {}

  uint64_t Next() { return bits_.Next(); }

  // In [low, high), with 53 random bits.
  double Uniform(double low, double high);

  // In low..high, both included; low <= high.
  int Integer(int low, int high);

  // True with this probability.
  bool Chance(double probability) { return Uniform(0, 1) < probability; }

  // -1 or 1.
  int Sign() { return Chance(0.5) ? 1 : -1; }

  // A stream of its own: what is drawn from it moves nothing in this one.
  SceneRandom Fork() { return SceneRandom(Next()); }

 private:
  SplitMix64 bits_;
};

// The seed of picture number `index` of a split; any change gives another.
uint64_t SceneSeed(uint64_t seed, absl::string_view split, uint64_t index);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_RANDOM_H_
