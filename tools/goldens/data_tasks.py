#!/usr/bin/env python3
"""Writes data/testdata/goldens_tasks.txt and polygons_{0..5}.json: what the reference libraries make of
polygons and instance ids, as one checksum a line.

  python3 tools/goldens/data_tasks.py

Needs numpy, Pillow (10.4), opencv-python, torch (2.11), pycocotools (2.0.11), shapely (2.2) and
cityscapesscripts (2.3.0). Polygons are filled by pycocotools, cut and clipped by shapely; only the
order of these steps is written here.
"""

import json
import os

import numpy as np
import shapely
from cityscapesscripts.helpers.labels import id2label, name2label
from data import SIZES, SampleRandom, checksum, draw_jitter, hashed, jitter, noise, pil_resize
from PIL import Image
from pycocotools import mask as coco

TESTDATA = os.path.join(os.path.dirname(__file__), "../../data/testdata")
THINGS = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
MAPPER_SIZES = [128, 153, 179, 204, 230, 256, 281, 307, 332, 358, 384, 409, 435, 460, 486, 512]
PATTERN_LABELS = [0, 1, 3, 7, 8, 11, 17, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 26, 24, 26]


def pil_nearest(image, height, width):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.NEAREST))


# --- Polygons -------------------------------------------------------------------------------------


def fill(polygons, height, width):
    """Boolean mask of a list of [n, 2] polygons."""
    if not polygons:
        return np.zeros((height, width), bool)
    flat = [np.asarray(p, np.float64).reshape(-1).tolist() for p in polygons]
    return coco.decode(coco.merge(coco.frPyObjects(flat, height, width))).astype(bool)


def random_polygon(random):
    """As RandomPolygon() in data/polygons/coco_fill_test.cc."""
    count = random.integer(3, 12)
    on_lattice = random.coin()
    points = []
    for _ in range(count):
        x, y = random.uniform(-10, 74), random.uniform(-10, 58)
        points.append((np.floor(x), np.floor(y) + 0.5) if on_lattice else (x, y))
    return np.array(points)


def polygon_lines():
    for i in range(300):
        random = SampleRandom(11, i)
        yield f"coco polygon {i}", checksum(fill([random_polygon(random)], 48, 64).astype(np.uint8))
    for i in range(40):
        random = SampleRandom(12, i)
        polygons = [random_polygon(random) for _ in range(3)]
        yield f"coco union {i}", checksum(fill(polygons, 48, 64).astype(np.uint8))


# --- A polygons.json ------------------------------------------------------------------------------


def scene(index, height=256, width=512):
    """Objects on top of each other: things, groups, stuff, void, deleted ones, license plates."""
    random = SampleRandom(21, index)
    labels = ["road", "building", "pole", "static", "person", "rider", "car", "truck", "bus", "train",
              "motorcycle", "bicycle", "caravan", "cargroup", "persongroup", "polegroup", "license plate"]
    objects = [{"label": "sky", "polygon": [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]}]
    for i in range(24 + 4 * index):
        label = labels[random.integer(0, len(labels) - 1)]
        x, y = random.integer(-20, width), random.integer(-10, height)
        w, h = random.integer(8, width // 3), random.integer(6, height // 2)
        count = random.integer(3, 14)
        angles = sorted(random.uniform(0, 2 * np.pi) for _ in range(count))
        if random.coin(0.1):
            angles = angles[::2] + angles[1::2]  # Crosses itself.
        polygon = []
        for angle in angles:
            r = random.uniform(0.4, 0.5)
            polygon.append([
                int(min(max(x + r * w * np.cos(angle), 0), width - 1)),
                int(min(max(y + r * h * np.sin(angle), 0), height - 1))
            ])
        entry = {"label": label, "polygon": polygon}
        if random.coin(0.08):
            entry["deleted"] = int(random.coin())
        objects.append(entry)
    objects.append({"label": "ego vehicle", "polygon": [[100, 250], [400, 250], [511, 255], [0, 255]]})
    return {"imgHeight": height, "imgWidth": width, "objects": objects}


def things(annotation):
    """[(class, crowd, polygons)], front to back."""
    result = []
    union = shapely.Polygon()
    for entry in annotation["objects"][::-1]:
        if "deleted" in entry:
            continue
        name = entry["label"]
        label = name2label[name] if name in name2label else name2label[name[:-len("group")]]
        if label.id < 0:
            continue
        points = np.asarray(entry["polygon"], "f4") + 0.5
        polygon = shapely.Polygon(points).buffer(0.5, quad_segs=4)
        if not label.hasInstances or label.ignoreInEval:
            union = union.union(polygon)
            continue
        visible = polygon.difference(union)
        if visible.is_empty:
            continue
        union = union.union(polygon)
        parts = visible.geoms if isinstance(visible, shapely.MultiPolygon) else [visible]
        result.append((THINGS.index(label.name), name.endswith("group"),
                       [np.array(p.exterior.coords) for p in parts]))
    return result


def clip(polygons, x, y, width, height):
    box = shapely.box(x, y, x + width, y + height)
    result = []
    for points in polygons:
        inside = shapely.Polygon(points).buffer(0.0).intersection(box)
        for part in getattr(inside, "geoms", [inside]):
            if isinstance(part, shapely.Polygon) and not part.is_empty:
                result.append(np.array(part.exterior.coords) - (x, y))
    return result


def scene_lines():
    for i in range(6):
        annotation = scene(i)
        with open(os.path.join(TESTDATA, f"polygons_{i}.json"), "w", encoding="ascii") as file:
            json.dump(annotation, file)
            file.write("\n")
        found = things(annotation)
        masks = [fill(polygons, 256, 512) for _, _, polygons in found]
        yield f"things classes {i}", checksum(np.array([c for c, _, _ in found], np.int64))
        yield f"things crowds {i}", checksum(np.array([c for _, c, _ in found], np.uint8))
        for j, mask in enumerate(masks):
            yield f"things mask {i} {j}", checksum(mask.astype(np.uint8))


# --- The mappers ----------------------------------------------------------------------------------


def instance_ids(height, width):
    """Blocks of 16 x 16 pixels, as in data/testing/patterns.cc."""
    y, x = np.mgrid[0:height, 0:width]
    v = hashed((y // 16) * 999 + x // 16)
    label = np.array(PATTERN_LABELS)[v % len(PATTERN_LABELS)]
    is_instance = (label >= 24) & ((v >> 8) % 4 > 0)
    return np.where(is_instance, label * 1000 + (v >> 16) % 100, label).astype(np.int64)


def label_of(value):
    return id2label[value // 1000 if value >= 1000 else value]


class View:
    """The random choices of a training example, and what becomes of the picture."""

    def __init__(self, sample, height=256, width=512, crop=(128, 256)):
        random = SampleRandom(42, sample)
        short = MAPPER_SIZES[random.integer(0, len(MAPPER_SIZES) - 1)]
        scale = short / min(height, width)
        self.original = (height, width)
        self.size = int(height * scale + 0.5), int(width * scale + 0.5)
        self.crop = crop
        self.y = random.integer(0, self.size[0] - crop[0])
        self.x = random.integer(0, self.size[1] - crop[1])
        image = self.cut(pil_resize(noise(height, width, 3), *self.size))
        image = jitter(image, *draw_jitter(random))
        self.flip = random.coin()
        self.image = image[:, ::-1] if self.flip else image

    def cut(self, image):
        return image[self.y:self.y + self.crop[0], self.x:self.x + self.crop[1]]

    def map(self, image):
        image = self.cut(pil_nearest(image, *self.size))
        return image[:, ::-1] if self.flip else image

    def polygons(self, polygons):
        factor = np.array([self.size[1] * 1.0 / self.original[1], self.size[0] * 1.0 / self.original[0]])
        result = clip([p * factor for p in polygons], self.x, self.y, self.crop[1], self.crop[0])
        if self.flip:
            result = [np.stack([self.crop[1] - p[:, 0], p[:, 1]], 1) for p in result]
        return result


def example_lines(name, image, targets):
    yield f"{name} image", checksum(image.transpose(2, 0, 1))
    yield f"{name} labels", checksum(np.array([c for c, _ in targets], np.int64))
    yield f"{name} masks", checksum(np.stack([m for _, m in targets]))
    yield f"{name} empty", "%08x" % sum(not m.any() for _, m in targets)


def polygon_mapper_lines():
    for sample in range(12):
        view = View(sample)
        targets = [(c, fill(view.polygons(p), *view.crop))
                   for c, crowd, p in things(scene(sample % 6)) if not crowd]
        yield from example_lines(f"polygons mapper {sample}", view.image, targets)


def thing_mapper_lines():
    ids = instance_ids(256, 512)
    for sample in range(12):
        view = View(sample)
        targets = []
        for value in np.unique(ids[ids >= 24]):
            label = label_of(value)
            if label.hasInstances and not label.ignoreInEval and value >= 1000:
                mask = (ids == value).astype(np.uint8)
                targets.append((THINGS.index(label.name), view.map(mask).astype(bool)))
        yield from example_lines(f"things mapper {sample}", view.image, targets)


def panoptic_mapper_lines():
    ids = instance_ids(256, 512)
    rgb = np.zeros((*ids.shape, 3), np.uint8)
    segments = []
    for value in np.unique(ids):
        label = label_of(value)
        if label.ignoreInEval:
            continue
        rgb[ids == value] = [value % 256, value // 256, value // 65536]
        segments.append((value, label.trainId, value < 1000 and label.hasInstances))
    for sample in range(12):
        view = View(sample)
        decoded = view.map(rgb).astype(np.int64) @ [1, 256, 65536]
        targets = [(c, decoded == value) for value, c, crowd in segments if not crowd]
        yield from example_lines(f"panoptic mapper {sample}", view.image, targets)


def resize_lines():
    for s in SIZES:
        yield f"pil nearest rows {s}", checksum(pil_nearest(noise(1024, 16, 1)[..., 0], s, 16))
        yield f"pil nearest columns {s}", checksum(pil_nearest(noise(16, 2048, 1)[..., 0], 16, 2 * s))


def main():
    with open(os.path.join(TESTDATA, "goldens_tasks.txt"), "w", encoding="ascii") as file:
        file.write("# CRC-32 of what the reference makes of polygons and ids. Written by "
                   "tools/goldens/data_tasks.py.\n")
        for lines in (resize_lines, polygon_lines, scene_lines, polygon_mapper_lines, thing_mapper_lines,
                      panoptic_mapper_lines):
            for key, value in lines():
                file.write(f"{key} = {value}\n")


if __name__ == "__main__":
    main()
