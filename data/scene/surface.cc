#include "mask2former/data/scene/surface.h"

#include <algorithm>
#include <cmath>

#include "mask2former/data/scene/noise.h"

namespace mask2former {
namespace {

// A place on a surface and the size of a pixel there.
struct Spot {
  float u;
  float v;
  float pixel_u;
  float pixel_v;
};

float Clamp01(float t) { return std::min(1.0f, std::max(0.0f, t)); }

float Fraction(float t) { return t - std::floor(t); }

// How much of a pixel around t lies in [low, high].
float Inside(float t, float low, float high, float pixel) {
  pixel = std::max(pixel, 1e-6f);
  return Clamp01((t - low) / pixel + 0.5f) * Clamp01((high - t) / pixel + 0.5f);
}

// 1 where a pattern of this period can be seen, 0 where pixels are too large.
float Visible(float period, float pixel) {
  return Clamp01(2 - 2.5f * pixel / period);
}

Spot Locate(const Surface& surface, const Camera& camera, double x, double y) {
  const double dx = x - camera.horizon_x;
  const double dy = y - camera.horizon_y;
  const double focal = camera.focal;
  double u, v, pixel_u, pixel_v;
  switch (surface.plane) {
    case Plane::kGround: {
      // Far enough that nothing of the pattern is left.
      const double z = focal * camera.elevation / std::max(dy, 0.3);
      u = dx * z / focal;
      v = z;
      pixel_u = z / focal;
      pixel_v = z * z / (focal * camera.elevation);
      break;
    }
    case Plane::kSide: {
      const double side =
          surface.offset > 0 ? std::max(dx, 0.3) : std::min(dx, -0.3);
      const double z = focal * surface.offset / side;
      u = z;
      v = camera.elevation - dy * z / focal;
      pixel_u = z * z / (focal * std::abs(surface.offset));
      pixel_v = z / focal;
      break;
    }
    case Plane::kFront: {
      const double scale = surface.offset / focal;
      u = dx * scale;
      v = camera.elevation - dy * scale;
      pixel_u = scale;
      pixel_v = scale;
      break;
    }
    case Plane::kPicture:
    default: {
      const double scale = 1.0 / camera.height;
      u = x * scale;
      v = y * scale;
      pixel_u = scale;
      pixel_v = scale;
    }
  }
  return {static_cast<float>(u), static_cast<float>(v),
          static_cast<float>(pixel_u), static_cast<float>(pixel_v)};
}

Color Sky(const Surface& s, const Spot& p) {
  const float height = Clamp01(1 - p.v / s.extent.y);  // 0 at the horizon.
  const Color clear = Mix(s.accent, s.base, std::sqrt(height));
  const float cloud =
      FractalNoise((p.u + s.origin.x) * 3.5f, p.v * 9 + s.origin.y, s.seed, 4);
  const float cover = Clamp01((cloud - s.cell.x) * 5);
  const Color white = Mix({0.92f, 0.92f, 0.93f}, s.base, 0.25f);
  return Mix(clear, (0.72f + 0.5f * cloud) * white, 0.75f * cover);
}

Color Asphalt(const Surface& s, const Spot& p) {
  const float grain =
      ValueNoise(p.u * 28, p.v * 12, s.seed) * Visible(0.08f, p.pixel_u);
  const float patches = FractalNoise(p.u * 0.5f, p.v * 0.18f, s.seed + 1, 3);
  const float track = std::abs(Fraction(p.u * 0.55f) - 0.5f);
  return (0.82f + 0.14f * (grain - 0.5f) + 0.3f * patches + 0.14f * track) *
         s.base;
}

Color Paving(const Surface& s, const Spot& p) {
  const float u = (p.u - s.origin.x) / s.cell.x;
  const float v = p.v / s.cell.y;
  const auto iu = static_cast<int32_t>(std::floor(u));
  const auto iv = static_cast<int32_t>(std::floor(v));
  const float pixel_u = p.pixel_u / s.cell.x;
  const float pixel_v = p.pixel_v / s.cell.y;
  const float joint = 0.07f;
  const float slab = Inside(u - iu, joint, 1 - joint, pixel_u) *
                     Inside(v - iv, joint, 1 - joint, pixel_v);
  const float seen = Visible(1, std::max(pixel_u, pixel_v * 0.6f));
  const float tone = 0.84f + 0.3f * CellNoise(iu, iv, s.seed) +
                     ((iu + iv) & 1 ? 0.06f : -0.06f);
  const float grain = 0.08f * (ValueNoise(p.u * 20, p.v * 20, s.seed) - 0.5f);
  const Color even = 0.92f * s.base;
  const Color near = Mix(0.45f * s.base, (tone + grain) * s.base, slab);
  return Mix(even, near, seen);
}

Color Grass(const Surface& s, const Spot& p) {
  // Far tufts are drawn larger, so that grass keeps its grain on the screen.
  const float far = 0.5f * std::floor(std::max(p.v, 4.0f) * 0.25f);
  const float size = 1 + far;
  const float u = p.u / size;
  const float v = p.v / (size * (1 + 0.5f * far));
  const float blades = ValueNoise(u * 24, v * 13, s.seed);
  const float tufts = ValueNoise(u * 7, v * 5, s.seed + 1);
  const float meadow = ValueNoise(p.u * 0.7f, p.v * 0.4f, s.seed + 2);
  const float tone = 0.4f + 0.62f * blades + 0.45f * tufts + 0.15f * meadow;
  return tone * Mix(s.base, s.accent, Clamp01(tufts * 1.6f - 0.5f));
}

Color Leaves(const Surface& s, const Spot& p) {
  const float u = (p.u - s.origin.x) / s.cell.x;
  const float v = (p.v - s.origin.y) / s.cell.y;
  const float dabs = ValueNoise(u, v, s.seed);
  const float fine = ValueNoise(u * 2.3f, v * 2.3f, s.seed + 1);
  const float clumps = ValueNoise(u * 0.28f, v * 0.28f, s.seed + 2);
  const float sharp = Clamp01((dabs * 0.6f + fine * 0.4f - 0.34f) * 3.2f);
  const float above = Clamp01((p.v - s.origin.y) / s.extent.y + 0.5f);
  const float tone =
      (0.32f + 0.8f * sharp) * (0.6f + 0.5f * clumps) * (0.7f + 0.5f * above);
  return tone * Mix(s.base, s.accent, clumps * sharp);
}

Color Facade(const Surface& s, const Spot& p) {
  const float u = (p.u - s.origin.x) / s.cell.x;
  const float v = p.v / s.cell.y;
  const auto iu = static_cast<int32_t>(std::floor(u));
  const auto iv = static_cast<int32_t>(std::floor(v));
  const float fu = u - iu;
  const float fv = v - iv;
  const float pixel_u = p.pixel_u / s.cell.x;
  const float pixel_v = p.pixel_v / s.cell.y;
  const float plaster =
      0.93f + 0.14f * FractalNoise(p.u * 0.9f, p.v * 0.9f, s.seed, 3);
  Color color = plaster * s.base;
  // A ledge between floors, and the eaves.
  const float ledge = Inside(fv, 0, 0.07f, pixel_v);
  color = Mix(color, 1.18f * s.base, ledge * Visible(1, pixel_v));
  const float below_top = s.extent.y - p.v;
  if (below_top < 0.55f) {
    return Mix(0.55f * s.base, color, Inside(below_top, 0.4f, 9, p.pixel_v));
  }
  if (below_top < s.cell.y * 0.35f) return color;
  const bool shop = iv == 0;
  const float left = shop ? 0.12f : 0.24f;
  const float low = shop ? 0.0f : 0.26f;
  const float high = shop ? 0.8f : 0.84f;
  const float frame = Inside(fu, left - 0.06f, 1 - left + 0.06f, pixel_u) *
                      Inside(fv, low - 0.05f, high + 0.05f, pixel_v);
  const float pane =
      Inside(fu, left, 1 - left, pixel_u) * Inside(fv, low, high, pixel_v);
  const float bar = shop ? 0 : Inside(fu, 0.47f, 0.53f, pixel_u);
  const float lit = CellNoise(iu, iv, s.seed + 5);
  const float mirror = 0.65f + 0.5f * (fv - low) + 0.35f * lit;
  const Color glass = mirror * s.accent;
  const Color trim = 1.3f * s.base + Color{0.05f, 0.05f, 0.05f};
  const Color near = Mix(Mix(color, trim, frame), Mix(glass, trim, bar), pane);
  const Color far = Mix(color, s.accent, 0.3f);
  return Mix(far, near, Visible(1, std::max(pixel_u, pixel_v)));
}

Color Pickets(const Surface& s, const Spot& p) {
  const float u = (p.u - s.origin.x) / s.cell.x;
  const float pixel = p.pixel_u / s.cell.x;
  const float board = Inside(Fraction(u), 0.2f, 0.8f, pixel);
  const float height = (p.v - s.origin.y) / s.extent.y;
  const float pixel_v = p.pixel_v / s.extent.y;
  const float rail = std::max(Inside(height, 0.14f, 0.26f, pixel_v),
                              Inside(height, 0.74f, 0.86f, pixel_v));
  const auto index = static_cast<int32_t>(std::floor(u));
  const float tone = 0.85f + 0.3f * CellNoise(index, 7, s.seed);
  const float solid =
      std::max(rail, Mix({0.6f, 0, 0}, {board, 0, 0}, Visible(1, pixel)).r);
  return Mix(s.accent, (rail > board ? 0.92f : tone) * s.base, solid);
}

Color Bricks(const Surface& s, const Spot& p) {
  const float v = p.v / s.cell.y;
  const auto iv = static_cast<int32_t>(std::floor(v));
  const float u = p.u / s.cell.x + (iv & 1 ? 0.5f : 0.0f);
  const auto iu = static_cast<int32_t>(std::floor(u));
  const float pixel_u = p.pixel_u / s.cell.x;
  const float pixel_v = p.pixel_v / s.cell.y;
  const float stone = Inside(u - iu, 0.06f, 0.94f, pixel_u) *
                      Inside(v - iv, 0.1f, 0.9f, pixel_v);
  const float tone = 0.75f + 0.45f * CellNoise(iu, iv, s.seed);
  const Color near = Mix(0.5f * s.base, tone * s.base, stone);
  return Mix(0.9f * s.base, near, Visible(1, std::max(pixel_u, pixel_v)));
}

// Position across a surface, 0..1.
float Across(const Surface& s, const Spot& p) {
  return (p.u - s.origin.x) / s.extent.x;
}

// Height on a surface, 0 at the bottom, 1 at the top; `origin` is its lower
// left corner.
float Up(const Surface& s, const Spot& p) {
  return (p.v - s.origin.y) / s.extent.y;
}

Color Cylinder(const Surface& s, const Spot& p) {
  const float across = Clamp01(Across(s, p));
  const float tone = 1.45f - 1.15f * across;
  const float shine = Inside(across, 0.2f, 0.35f, 0.1f) * 0.25f;
  return tone * s.base + Color{shine, shine, shine};
}

Color Paint(const Surface& s, const Spot& p) {
  const float up = Clamp01(Up(s, p));
  const float gloss = Inside(up, 0.62f, 0.7f, 0.08f) * 0.18f;
  return (0.55f + 0.6f * up) * s.base + Color{gloss, gloss, gloss};
}

Color Glass(const Surface& s, const Spot& p) {
  const float across = Across(s, p);
  const float up = Up(s, p);
  const float streak =
      Inside(Fraction(across * 0.8f + up * 0.5f + 0.1f), 0.3f, 0.52f, 0.06f);
  return (0.6f + 0.55f * up + 0.5f * streak) * s.accent;
}

Color Cloth(const Surface& s, const Spot& p) {
  const float folds = ValueNoise(p.u * 14, p.v * 3.5f, s.seed);
  const float weave = ValueNoise(p.u * 30, p.v * 30, s.seed + 1);
  return (0.62f + 0.55f * folds + 0.16f * weave) * s.base;
}

Color Wheel(const Surface& s, const Spot& p, float tyre, int spokes) {
  const float du = (p.u - s.origin.x) / s.cell.x;
  const float dv = (p.v - s.origin.y) / s.cell.y;
  const float radius = std::sqrt(du * du + dv * dv);
  const float pixel = p.pixel_v / s.cell.y;
  if (radius > tyre) return {0.06f, 0.06f, 0.065f};
  if (radius < 0.16f) return 0.5f * s.base;
  // `spokes` lines through the hub.
  float nearest = 1;
  for (int i = 0; i < spokes; ++i) {
    // Fixed directions, half a turn divided evenly; exact enough as constants.
    static constexpr float kX[] = {1, 0.809f, 0.309f, -0.309f, -0.809f};
    static constexpr float kY[] = {0, 0.588f, 0.951f, 0.951f, 0.588f};
    nearest = std::min(nearest, std::abs(du * kY[i] - dv * kX[i]));
  }
  const float spoke = Inside(nearest, -1, 0.07f, pixel);
  const float rim = Inside(radius, tyre - 0.1f, 2, pixel);
  return Mix(s.accent, s.base, std::max(spoke, rim));
}

Color Coach(const Surface& s, const Spot& p) {
  const float height = Up(s, p);
  const float pixel_v = p.pixel_v / s.extent.y;
  const float u = (p.u - s.origin.x) / s.cell.x;
  const float pixel_u = p.pixel_u / s.cell.x;
  const float row = Inside(height, 0.42f, 0.83f, pixel_v);
  const float pane = row * Inside(Fraction(u), 0.07f, 0.93f, pixel_u);
  const float band = Inside(height, 0.27f, 0.34f, pixel_v);
  const Color body = (0.75f + 0.35f * height) * s.base;
  const Color glass =
      (0.7f + 0.9f * (height - 0.42f) +
       0.25f * CellNoise(static_cast<int32_t>(std::floor(u)), 3, s.seed)) *
      s.accent;
  const Color striped = Mix(body, 0.45f * s.base, band);
  const float seen = Visible(1, pixel_u);
  return Mix(Mix(striped, glass, 0.85f * row), Mix(striped, glass, pane), seen);
}

Color Cargo(const Surface& s, const Spot& p) {
  const float rib = Inside(Fraction((p.u - s.origin.x) / s.cell.x), 0.0f, 0.22f,
                           p.pixel_u / s.cell.x);
  const float up = Clamp01(Up(s, p));
  return (0.85f + 0.25f * up) *
         Mix(s.base, 0.7f * s.base, rib * Visible(s.cell.x, p.pixel_u));
}

Color Pattern(const Surface& s, const Spot& p) {
  switch (s.texture) {
    case Texture::kFlat:
      return s.base;
    case Texture::kVoid:
      return (0.6f + 0.8f * ValueNoise(p.u * 60, p.v * 60, s.seed)) * s.base;
    case Texture::kSky:
      return Sky(s, p);
    case Texture::kAsphalt:
      return Asphalt(s, p);
    case Texture::kPaving:
      return Paving(s, p);
    case Texture::kGrass:
      return Grass(s, p);
    case Texture::kLeaves:
      return Leaves(s, p);
    case Texture::kFacade:
      return Facade(s, p);
    case Texture::kPickets:
      return Pickets(s, p);
    case Texture::kBricks:
      return Bricks(s, p);
    case Texture::kCylinder:
      return Cylinder(s, p);
    case Texture::kPaint:
      return Paint(s, p);
    case Texture::kGlass:
      return Glass(s, p);
    case Texture::kCloth:
      return Cloth(s, p);
    case Texture::kWheel:
      return Wheel(s, p, 0.68f, 5);
    case Texture::kSpokes:
      return Wheel(s, p, 0.8f, 4);
    case Texture::kCoach:
      return Coach(s, p);
    case Texture::kCargo:
      return Cargo(s, p);
  }
  return s.base;
}

}  // namespace

Color Shade(const Surface& surface, const Camera& camera, double x, double y) {
  return surface.light * Pattern(surface, Locate(surface, camera, x, y));
}

}  // namespace mask2former
