#include "mask2former/data/scene/color.h"

#include <cmath>

namespace mask2former {

Color FromHsv(double hue, double saturation, double value) {
  const double sector = (hue - std::floor(hue)) * 6;
  const int i = static_cast<int>(sector) % 6;
  const double fraction = sector - std::floor(sector);
  const auto v = static_cast<float>(value);
  const auto p = static_cast<float>(value * (1 - saturation));
  const auto q = static_cast<float>(value * (1 - saturation * fraction));
  const auto t = static_cast<float>(value * (1 - saturation * (1 - fraction)));
  switch (i) {
    case 0:
      return {v, t, p};
    case 1:
      return {q, v, p};
    case 2:
      return {p, v, t};
    case 3:
      return {p, q, v};
    case 4:
      return {t, p, v};
    default:
      return {v, p, q};
  }
}

Color DrawColor(const ColorRange& range, SceneRandom& random) {
  const double hue = random.Uniform(range.hue[0], range.hue[1]);
  const double saturation =
      random.Uniform(range.saturation[0], range.saturation[1]);
  const double value = random.Uniform(range.value[0], range.value[1]);
  return FromHsv(hue, saturation, value);
}

Color Contrast(Color c, SceneRandom& random) {
  const double hue = random.Uniform(0, 1);
  const double saturation = random.Uniform(0, 0.7);
  const double value = Luminance(c) > 0.45f ? random.Uniform(0.04, 0.2)
                                            : random.Uniform(0.82, 1.0);
  return FromHsv(hue, Luminance(c) > 0.45f ? saturation : saturation * 0.3,
                 value);
}

Color Palette::Draw(const ColorRange& range, SceneRandom& random) const {
  return DrawColor(random.Chance(natural_) ? range : kSharedColors, random);
}

}  // namespace mask2former
