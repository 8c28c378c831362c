#include "mask2former/data/polygons/clip.h"

#include <geos_c.h>

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr double kDilation = 0.5;
constexpr int kSegmentsPerQuarterCircle = 4;

// GEOS's state of one thread.
class Context {
 public:
  static Context& Get() {
    thread_local Context context;
    return context;
  }

  Context() : handle_(GEOS_init_r()) {
    GEOSContext_setErrorMessageHandler_r(
        handle_,
        [](const char* message, void* error) {
          *static_cast<std::string*>(error) = message;
        },
        &error_);
  }
  ~Context() { GEOS_finish_r(handle_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  GEOSContextHandle_t handle() const { return handle_; }

  // The last error, as a status.
  absl::Status Error() const {
    return absl::InvalidArgumentError(
        absl::StrCat("its geometry cannot be computed: ", error_));
  }

 private:
  GEOSContextHandle_t handle_;
  std::string error_;
};

struct Destroy {
  void operator()(GEOSGeometry* geometry) const {
    GEOSGeom_destroy_r(Context::Get().handle(), geometry);
  }
};
using Geometry = std::unique_ptr<GEOSGeometry, Destroy>;

absl::StatusOr<Geometry> Checked(GEOSGeometry* geometry) {
  if (geometry == nullptr) return Context::Get().Error();
  return Geometry(geometry);
}

absl::StatusOr<Geometry> MakeGeometry(const Polygon& polygon) {
  if (polygon.size() < 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it has ", polygon.size(), " vertices, a polygon has at least 3"));
  }
  std::vector<double> xy;
  xy.reserve(2 * polygon.size() + 2);
  for (const cv::Point2d& p : polygon) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
      return absl::InvalidArgumentError("a vertex is not finite");
    }
    xy.push_back(p.x);
    xy.push_back(p.y);
  }
  if (polygon.front() != polygon.back()) {
    xy.push_back(xy[0]);
    xy.push_back(xy[1]);
  }
  if (xy.size() < 8) {
    return absl::InvalidArgumentError(
        "its last vertex repeats the first one and only two are left; a "
        "polygon has at least 3");
  }
  const GEOSContextHandle_t handle = Context::Get().handle();
  GEOSCoordSequence* sequence = GEOSCoordSeq_copyFromBuffer_r(
      handle, xy.data(), static_cast<unsigned int>(xy.size() / 2), 0, 0);
  if (sequence == nullptr) return Context::Get().Error();
  GEOSGeometry* ring = GEOSGeom_createLinearRing_r(handle, sequence);
  if (ring == nullptr) return Context::Get().Error();
  return Checked(GEOSGeom_createPolygon_r(handle, ring, nullptr, 0));
}

bool IsEmpty(const Geometry& geometry) {
  return GEOSisEmpty_r(Context::Get().handle(), geometry.get()) == 1;
}

// The outer rings of all polygons in a geometry; points and lines are left out.
absl::StatusOr<std::vector<Polygon>> Outlines(const Geometry& geometry) {
  const GEOSContextHandle_t handle = Context::Get().handle();
  std::vector<Polygon> outlines;
  const int parts = GEOSGetNumGeometries_r(handle, geometry.get());
  for (int i = 0; i < parts; ++i) {
    const GEOSGeometry* part = GEOSGetGeometryN_r(handle, geometry.get(), i);
    if (GEOSGeomTypeId_r(handle, part) != GEOS_POLYGON ||
        GEOSisEmpty_r(handle, part) != 0 || GEOSisValid_r(handle, part) != 1) {
      continue;
    }
    const GEOSCoordSequence* sequence =
        GEOSGeom_getCoordSeq_r(handle, GEOSGetExteriorRing_r(handle, part));
    unsigned int size = 0;
    if (sequence == nullptr ||
        GEOSCoordSeq_getSize_r(handle, sequence, &size) != 1) {
      return Context::Get().Error();
    }
    std::vector<double> xy(2 * static_cast<size_t>(size));
    if (GEOSCoordSeq_copyToBuffer_r(handle, sequence, xy.data(), 0, 0) != 1) {
      return Context::Get().Error();
    }
    Polygon outline(size);
    for (size_t j = 0; j < size; ++j) outline[j] = {xy[2 * j], xy[2 * j + 1]};
    if (outline.size() > 1) outline.pop_back();  // Repeats the first.
    outlines.push_back(std::move(outline));
  }
  return outlines;
}

absl::StatusOr<Geometry> Fattened(const Polygon& polygon) {
  M2F_ASSIGN_OR_RETURN(const Geometry given, MakeGeometry(polygon));
  return Checked(GEOSBuffer_r(Context::Get().handle(), given.get(), kDilation,
                              kSegmentsPerQuarterCircle));
}

}  // namespace

absl::StatusOr<std::vector<Polygon>> ClipPolygon(const Polygon& polygon,
                                                 const cv::Rect2d& rectangle) {
  const GEOSContextHandle_t handle = Context::Get().handle();
  M2F_ASSIGN_OR_RETURN(const Geometry given, MakeGeometry(polygon));
  M2F_ASSIGN_OR_RETURN(const Geometry repaired,
                       Checked(GEOSBuffer_r(handle, given.get(), 0.0, 16)));
  M2F_ASSIGN_OR_RETURN(
      const Geometry box,
      Checked(GEOSGeom_createRectangle_r(handle, rectangle.x, rectangle.y,
                                         rectangle.x + rectangle.width,
                                         rectangle.y + rectangle.height)));
  M2F_ASSIGN_OR_RETURN(
      const Geometry inside,
      Checked(GEOSIntersection_r(handle, repaired.get(), box.get())));
  return Outlines(inside);
}

struct OcclusionOrder::Covered {
  absl::Status Add(const Geometry& geometry) {
    M2F_ASSIGN_OR_RETURN(
        area, Checked(GEOSUnion_r(Context::Get().handle(), area.get(),
                                  geometry.get())));
    return absl::OkStatus();
  }

  Geometry area{GEOSGeom_createEmptyPolygon_r(Context::Get().handle())};
};

OcclusionOrder::OcclusionOrder() : covered_(std::make_unique<Covered>()) {}
OcclusionOrder::~OcclusionOrder() = default;

absl::StatusOr<std::vector<Polygon>> OcclusionOrder::AddAndSee(
    const Polygon& polygon) {
  M2F_ASSIGN_OR_RETURN(const Geometry object, Fattened(polygon));
  M2F_ASSIGN_OR_RETURN(
      const Geometry visible,
      Checked(GEOSDifference_r(Context::Get().handle(), object.get(),
                               covered_->area.get())));
  if (IsEmpty(visible)) return std::vector<Polygon>();
  M2F_RETURN_IF_ERROR(covered_->Add(object));
  return Outlines(visible);
}

absl::Status OcclusionOrder::Add(const Polygon& polygon) {
  M2F_ASSIGN_OR_RETURN(const Geometry object, Fattened(polygon));
  return covered_->Add(object);
}

}  // namespace mask2former
