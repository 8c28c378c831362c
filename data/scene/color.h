#ifndef MASK2FORMER_DATA_SCENE_COLOR_H_
#define MASK2FORMER_DATA_SCENE_COLOR_H_

#include "mask2former/data/scene/random.h"

namespace mask2former {

// Light of a surface or a pixel; 0..1 is what a picture can show.
struct Color {
  float r = 0;
  float g = 0;
  float b = 0;
};

inline Color operator+(Color a, Color b) {
  return {a.r + b.r, a.g + b.g, a.b + b.b};
}
inline Color operator*(float s, Color c) { return {s * c.r, s * c.g, s * c.b}; }

// a for t = 0, b for t = 1.
inline Color Mix(Color a, Color b, float t) { return (1 - t) * a + t * b; }

// hue and saturation in 0..1; hue 0 red, 1/3 green, 2/3 blue.
Color FromHsv(double hue, double saturation, double value);

// Mean of the three channels.
inline float Luminance(Color c) { return (c.r + c.g + c.b) * (1.0f / 3); }

// A colour to be seen on or beside `c`: much lighter if c is dark, much darker
// if it is light, of any hue.
Color Contrast(Color c, SceneRandom& random);

// Ranges of hue, saturation and value.
struct ColorRange {
  double hue[2];  // May go beyond 1, which wraps around.
  double saturation[2];
  double value[2];
};

// Draws evenly from a range.
Color DrawColor(const ColorRange& range, SceneRandom& random);

// Draws colours for objects: from the range that is natural for a kind of
// object, or from one range that all kinds share, so that colour alone does not
// tell what an object is.
class Palette {
 public:
  // natural: the probability, 0..1, of a colour from the natural range.
  explicit Palette(double natural) : natural_(natural) {}

  Color Draw(const ColorRange& range, SceneRandom& random) const;

 private:
  double natural_;
};

inline constexpr ColorRange kSharedColors = {{0, 1}, {0.02, 0.48}, {0.2, 0.9}};
inline constexpr ColorRange kVividColors = {{0, 1}, {0.1, 0.75}, {0.15, 0.95}};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_COLOR_H_
