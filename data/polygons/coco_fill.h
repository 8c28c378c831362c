#ifndef MASK2FORMER_DATA_POLYGONS_COCO_FILL_H_
#define MASK2FORMER_DATA_POLYGONS_COCO_FILL_H_

#include <opencv2/core/mat.hpp>

#include "mask2former/data/polygons/polygon.h"

namespace mask2former {

// Sets the pixels inside a polygon to 1 by the rule of the COCO tools: vertices
// are rounded to fifths of a pixel, a column's pixels lie inside where the
// column's centre line has crossed the outline an odd number of times.
//
//   polygon  any number of vertices; |x|, |y| below 10^8; may cross itself and
//            reach outside the picture
//   mask     [H, W] CV_8UC1; pixels outside the polygon stay as they are
//
// Bit for bit what pycocotools decodes; filling several polygons one after the
// other equals its merge().
//
// Throws c10::Error on another type of mask or a vertex beyond the range.
//
// Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014,
// and the behaviour of its mask tools 2.0.11.
void FillCocoPolygon(const Polygon& polygon, cv::Mat& mask);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_POLYGONS_COCO_FILL_H_
