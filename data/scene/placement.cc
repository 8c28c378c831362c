#include "mask2former/data/scene/placement.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "mask2former/data/scene/people.h"
#include "mask2former/data/scene/roadside.h"
#include "mask2former/data/scene/vehicles.h"

namespace mask2former {
namespace {

struct Bounds {
  double left, top, right, bottom;
  double Area() const {
    return std::max(0.0, right - left) * std::max(0.0, bottom - top);
  }
};

Bounds BoundsOf(const Drawing& drawing, const Camera& camera) {
  Bounds bounds = {1e9, 1e9, -1e9, -1e9};
  for (const Polygon& part : drawing.parts) {
    for (const cv::Point2d& p : part) {
      bounds.left = std::min(bounds.left, p.x);
      bounds.right = std::max(bounds.right, p.x);
      bounds.top = std::min(bounds.top, p.y);
      bounds.bottom = std::max(bounds.bottom, p.y);
    }
  }
  return bounds;
}

Bounds Cut(const Bounds& a, const Bounds& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top),
          std::min(a.right, b.right), std::min(a.bottom, b.bottom)};
}

// Collects drawings that can be seen.
class Placer {
 public:
  Placer(const Street& street, const SceneOptions& options,
         const Palette& palette, SceneRandom& random)
      : street_(street),
        camera_(street.camera),
        options_(options),
        palette_(palette),
        random_(random),
        picture_{0, 0, camera_.width - 1.0, camera_.height - 1.0} {}

  // How many of something that there are `mean` of on average.
  int Count(double low, double high) {
    const double mean = random_.Uniform(low, high + 1) * options_.density;
    return static_cast<int>(mean);
  }

  // Tries places until what `make` draws there is seen for the most part.
  // `overlap`: how much of it or of another thing may be hidden, 0..1.
  bool Try(double overlap, const std::function<Place()>& propose,
           const std::function<std::vector<Drawing>(const Place&)>& make) {
    for (int attempt = 0; attempt < 24; ++attempt) {
      const Place place = propose();
      if (place.z <= 0) continue;
      std::vector<Drawing> drawings = make(place);
      Bounds bounds = BoundsOf(drawings[0], camera_);
      for (const Drawing& drawing : drawings) {
        const Bounds other = BoundsOf(drawing, camera_);
        bounds = {std::min(bounds.left, other.left),
                  std::min(bounds.top, other.top),
                  std::max(bounds.right, other.right),
                  std::max(bounds.bottom, other.bottom)};
      }
      if (Cut(bounds, picture_).Area() < 0.7 * bounds.Area()) continue;
      bool free = true;
      for (const Bounds& taken : taken_) {
        const double common = Cut(bounds, taken).Area();
        free =
            free && common <= overlap * std::min(bounds.Area(), taken.Area());
      }
      if (!free) continue;
      taken_.push_back(bounds);
      for (Drawing& drawing : drawings) placed_.push_back(std::move(drawing));
      return true;
    }
    return false;
  }

  // A Z at which something `metres` high is between `smallest` and `largest`
  // of the picture's height; 0 if that is nearer than the camera sees.
  double Depth(double metres, double smallest, double largest) {
    const double focal = camera_.focal / camera_.height;
    const double nearest =
        std::max(metres * focal / largest, street_.near * 1.12);
    const double farthest =
        metres * focal / std::max(smallest, 4 * options_.minimum_size);
    const double t = random_.Uniform(0, 1);
    return farthest < nearest ? 0 : nearest + (farthest - nearest) * t * t;
  }

  // The X that shows at a column, 0..1 of the width, at depth z.
  double XAt(double column, double z) const {
    return (column * camera_.width - camera_.horizon_x) * z / camera_.focal;
  }

  const StreetSide& Side() { return street_.sides[random_.Integer(0, 1)]; }

  // Places all that moves or stands by the road: one of each kind, then the
  // next of each, so that many of one kind leave room for the others.
  void Fill();
  void Trees();
  void Groups();

  std::vector<Drawing> Take() {
    std::stable_sort(
        placed_.begin(), placed_.end(),
        [](const Drawing& a, const Drawing& b) { return a.depth > b.depth; });
    return std::move(placed_);
  }

 private:
  void Person();
  void Bicycle(bool ridden);
  void Motorcycle();
  void Car();
  void LargeVehicle(const char* kind);
  void Pole(Sign sign);
  // Where something on two wheels rides.
  Place OnTheRoad();

  const Street& street_;
  const Camera& camera_;
  const SceneOptions& options_;
  const Palette& palette_;
  SceneRandom& random_;
  const Bounds picture_;
  std::vector<Bounds> taken_;
  std::vector<Drawing> placed_;
};

constexpr double kPersonScale = 1.15;  // A little larger than life.

void Placer::Person() {
  Try(
      0.3,
      [&] {
        Place place;
        place.scale = kPersonScale;
        place.z = Depth(1.75 * kPersonScale, 0.26, 0.48);
        const StreetSide& side = Side();
        const double t = random_.Uniform(0, 1);
        if (random_.Chance(0.25)) {  // Crosses the road.
          place.x = side.sign * side.curb * t;
        } else {
          place.x =
              side.sign * (side.sidewalk.from + 0.3 +
                           t * (side.sidewalk.to - side.sidewalk.from - 0.6));
        }
        return place;
      },
      [&](const Place& place) {
        return std::vector<Drawing>{
            MakePerson(camera_, place, palette_, random_)};
      });
}

Place Placer::OnTheRoad() {
  Place place;
  place.scale = kPersonScale;
  place.z = Depth(1.9 * kPersonScale, 0.3, 0.5);
  const StreetSide& side = Side();
  place.x = side.sign * side.curb * random_.Uniform(0.15, 0.9);
  return place;
}

void Placer::Bicycle(bool ridden) {
  Try(
      0.3,
      [&] {
        Place place = OnTheRoad();
        if (!ridden) {
          const StreetSide& side = Side();
          place.x =
              side.sign * random_.Uniform(side.sidewalk.from, side.sidewalk.to);
        }
        return place;
      },
      [&](const Place& place) {
        return MakeBicycle(ridden, camera_, place, palette_, random_);
      });
}

void Placer::Motorcycle() {
  const bool ridden = random_.Chance(0.6);
  Try(
      0.3, [&] { return OnTheRoad(); },
      [&](const Place& place) {
        return MakeMotorcycle(ridden, camera_, place, palette_, random_);
      });
}

void Placer::Car() {
  const double kind = random_.Uniform(0, 1);
  const bool crossing = kind < 0.3;
  Try(
      0.35,
      [&] {
        Place place;
        place.z = Depth(1.5, 0.16, 0.34);
        const StreetSide& side = Side();
        if (crossing) {
          place.z = std::min(place.z, 11.0);
          place.x = XAt(random_.Uniform(0.15, 0.85), place.z);
        } else if (kind < 0.65) {  // Parked.
          place.x = side.sign * (side.curb - random_.Uniform(0.7, 1.1));
        } else {
          place.x = side.sign * random_.Uniform(0.4, 0.7) * side.curb;
        }
        return place;
      },
      [&](const Place& place) {
        if (!crossing) return MakeCar(camera_, place, palette_, random_);
        return std::vector<Drawing>{
            MakeCrossingCar(camera_, place, palette_, random_)};
      });
}

void Placer::LargeVehicle(const char* kind) {
  Try(
      0.45,
      [&] {
        Place place;
        place.z = Depth(3.2, 0.28, 0.46);
        const StreetSide& side = Side();
        place.x = side.sign * std::max(1.6, side.curb - 1.6);
        return place;
      },
      [&](const Place& place) {
        return std::vector<Drawing>{
            MakeBoxVehicle(kind, camera_, place, palette_, random_)};
      });
}

void Placer::Pole(Sign sign) {
  const double minimum = options_.minimum_size * camera_.height;
  const double pole_height =
      sign == Sign::kNone ? random_.Uniform(4.6, 6) : random_.Uniform(2.7, 3.7);
  Try(
      sign == Sign::kNone ? 0.6 : 0.4,
      [&] {
        Place place;
        place.scale = 1.1;
        place.z = random_.Uniform(6.5, 15);
        const StreetSide& side = Side();
        place.x = side.sign * (side.curb + random_.Uniform(0.3, 0.7));
        return place;
      },
      [&](const Place& place) {
        return MakePole(sign, pole_height, minimum, camera_, place, palette_,
                        random_);
      });
}

void Placer::Fill() {
  using Kind = std::vector<std::function<void()>>;
  std::vector<Kind> kinds;
  const auto add = [&](int count, std::function<void()> place) {
    kinds.emplace_back(count, std::move(place));
  };
  add(std::max(options_.density > 0 ? 1 : 0, Count(0.6, 1.8)),
      [&] { Bicycle(true); });
  for (const char* kind : {"bus", "truck", "train", "caravan"}) {
    const double probability = kind == std::string("bus")
                                   ? 0.6 * options_.density
                                   : options_.rare_classes;
    add(random_.Chance(probability), [this, kind] { LargeVehicle(kind); });
  }
  add(Count(2, 4), [&] { Car(); });
  add(Count(2, 3), [&] { Pole(Sign::kTrafficSign); });
  add(2 * random_.Chance(options_.rare_classes),
      [&] { Pole(Sign::kTrafficLight); });
  add(Count(1, 2), [&] { Pole(Sign::kNone); });
  add(Count(2, 4), [&] { Person(); });
  add(random_.Chance(0.4 * options_.density), [&] { Bicycle(false); });
  add(random_.Chance(options_.rare_classes), [&] { Motorcycle(); });
  for (size_t i = 0, placed = 1; placed > 0; ++i) {
    placed = 0;
    for (const Kind& kind : kinds) {
      if (i < kind.size()) {
        kind[i]();
        ++placed;
      }
    }
  }
}

void Placer::Trees() {
  for (int i = Count(2, 4); i > 0; --i) {
    const bool bush = random_.Chance(0.3);
    const StreetSide& side = Side();
    const Strip& strip = side.verge.to > side.verge.from     ? side.verge
                         : side.garden.to > side.garden.from ? side.garden
                                                             : side.sidewalk;
    Place place;
    place.z = bush ? random_.Uniform(6, 16) : random_.Uniform(9, 34);
    const double margin = 0.25 * (strip.to - strip.from);
    place.x =
        side.sign * random_.Uniform(strip.from + margin, strip.to - margin);
    Drawing tree = MakeTree(bush, camera_, place, palette_, random_);
    const Bounds bounds = BoundsOf(tree, camera_);
    bool free = Cut(bounds, picture_).Area() > 0.35 * bounds.Area();
    for (const Bounds& taken : taken_) {
      free = free && Cut(bounds, taken).Area() < 0.5 * taken.Area();
    }
    if (free) placed_.push_back(std::move(tree));
  }
}

// Cars or people too far and too many to be told apart.
void Placer::Groups() {
  if (random_.Chance(options_.void_areas)) {
    Drawing group;
    const StreetSide& side = Side();
    const double z = random_.Uniform(22, 30);
    group.depth = z;
    for (int i = 0; i < 3; ++i) {
      Place place;
      place.x = side.sign * (side.curb - 0.9);
      place.z = z + 5.0 * (2 - i);
      std::vector<Drawing> car = MakeCar(camera_, place, palette_, random_);
      group.surface = car[0].surface;
      for (Polygon& part : car[0].parts) group.parts.push_back(part);
      for (Detail& detail : car[0].details) group.details.push_back(detail);
    }
    group.label = "cargroup";
    placed_.push_back(std::move(group));
  }
  if (random_.Chance(options_.void_areas)) {
    Drawing group;
    const StreetSide& side = Side();
    const double z = random_.Uniform(15, 24);
    group.depth = z;
    for (int i = 0; i < 4; ++i) {
      Place place;
      place.x = side.sign * (side.sidewalk.from + 0.5 + 0.45 * i);
      place.z = z;
      place.scale = random_.Uniform(0.9, 1.1);
      Drawing person = MakePerson(camera_, place, palette_, random_);
      group.surface = person.surface;
      for (Polygon& part : person.parts) group.parts.push_back(part);
      for (Detail& detail : person.details) group.details.push_back(detail);
    }
    group.label = "persongroup";
    placed_.push_back(std::move(group));
  }
}

void SortByDepth(std::vector<Drawing>& drawings) {
  std::stable_sort(
      drawings.begin(), drawings.end(),
      [](const Drawing& a, const Drawing& b) { return a.depth > b.depth; });
}

}  // namespace

std::vector<Drawing> PlaceObjects(const Street& street,
                                  const SceneOptions& options,
                                  const Palette& palette, SceneRandom& random) {
  std::vector<Drawing> drawings;
  // Behind the fences: trees in gardens.
  for (const StreetSide& side : street.sides) {
    if (side.garden.to - side.garden.from < 1.5) continue;
    for (int i = random.Integer(0, 2); i > 0; --i) {
      Place place;
      place.z = random.Uniform(10, 40);
      place.x = side.sign *
                random.Uniform(side.garden.from + 0.8, side.garden.to - 0.5);
      const bool bush = random.Chance(0.4);
      drawings.push_back(MakeTree(bush, street.camera, place, palette, random));
    }
  }
  SortByDepth(drawings);
  const int fenced = random.Integer(0, 2);  // 2: both sides.
  for (int i = 0; i < 2; ++i) {
    const bool walled = random.Chance(options.rare_classes);
    if (fenced != i && fenced != 2 && !walled) continue;
    const StreetSide& side = street.sides[i];
    const double x = side.sign * (side.sidewalk.to + 0.02);
    const double near = random.Uniform(0.7, 1) * std::abs(x);
    const double far = near + random.Uniform(14, 40);
    drawings.push_back(MakeBarrier(walled ? "wall" : "fence", x, near,
                                   std::min(far, street.far), street.camera,
                                   palette, random));
  }
  Placer placer(street, options, palette, random);
  placer.Fill();
  placer.Trees();
  placer.Groups();
  for (Drawing& drawing : placer.Take()) {
    drawings.push_back(std::move(drawing));
  }
  return drawings;
}

}  // namespace mask2former
