#ifndef MASK2FORMER_DATA_SCENE_SCENE_OPTIONS_H_
#define MASK2FORMER_DATA_SCENE_SCENE_OPTIONS_H_

namespace mask2former {

// What scenes look like. The defaults give every picture about a dozen classes
// that a small network can learn at a few hundred pixels' width.
struct SceneOptions {
  int height = 256;  // Pixels, kMinimumSceneSize..kMaximumSceneSize.
  int width = 512;

  // Factor on the number of cars, people, signs, ...; 0..4.
  double density = 1;

  // Thickness of the thinnest things, poles, as a part of the picture's
  // height; 0.002..0.2. Signs are at least 2.6 times as wide; people, riders
  // and vehicles at least 4 times as high, or they are not placed.
  double minimum_size = 0.045;

  // Probability, 0..1, that an object has a colour natural for its class
  // instead of one from a range that all classes share.
  double natural_colors = 0.85;

  // Probability, 0..1, of each of wall, traffic light, truck, train,
  // motorcycle and caravan, which the default leaves out.
  double rare_classes = 0;

  // Probability, 0..1, of each kind of void: the hood of the own car, the
  // border left by rectification, and distant groups of cars and people.
  double void_areas = 0.25;
};

inline constexpr int kMinimumSceneSize = 32;
inline constexpr int kMaximumSceneSize = 8192;

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_SCENE_OPTIONS_H_
