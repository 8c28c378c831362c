#!/usr/bin/env python3
"""Writes data/testdata/goldens.txt: what the reference libraries make of patterns that any language
can compute, as one checksum a line.

  python3 tools/goldens/data.py

Needs numpy, Pillow (10.4), opencv-python and torch (2.11). Everything that C++ computes is computed
here a second time, from the libraries or from the published formulas; nothing is shared but the
patterns.
"""

import os
import zlib

import cv2
import numpy as np
import torch
from PIL import Image

OUTPUT = os.path.join(os.path.dirname(__file__), "../../data/testdata/goldens.txt")
SIZES = [int(x * 0.1 * 1024) for x in range(5, 21)]
MASK = (1 << 64) - 1


def hashed(values):
    """32-bit mix of an array of integers, as in data/testing/patterns.cc."""
    v = (values.astype(np.uint64) + 1) * 0x9E3779B1 & 0xFFFFFFFF
    v ^= v >> 15
    v = v * 0x85EBCA6B & 0xFFFFFFFF
    return v ^ (v >> 13)


def noise(height, width, channels):
    v = hashed(np.arange(height * width * channels)) >> 24
    return v.astype(np.uint8).reshape(height, width, channels)


def labels(height, width):
    """Blocks of 8 x 8 pixels of classes 0..18 and 255."""
    y, x = np.mgrid[0:height, 0:width]
    v = hashed((y // 8) * 1000 + x // 8) % 20
    return np.where(v == 19, 255, v).astype(np.uint8)


def checksum(array):
    return "%08x" % zlib.crc32(np.ascontiguousarray(array).tobytes())


# --- Reference transforms -------------------------------------------------------------------------


def pil_resize(image, height, width):
    return np.asarray(Image.fromarray(image.squeeze()).resize((width, height), Image.BILINEAR))


def nearest(label, height, width):
    tensor = torch.from_numpy(label.astype(np.float64))[None, None]
    out = torch.nn.functional.interpolate(tensor, size=(height, width), mode="nearest")
    return out[0, 0].numpy().astype(np.uint8)


def linear(image, factor, offset):
    out = image.astype(np.float32) * np.float32(factor) + np.float32(offset)
    return np.clip(out, 0, 255).astype(np.uint8)


def saturate(bgr, factor):
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    hsv[..., 1] = linear(hsv[..., 1], factor, 0)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def shift_hue(bgr, shift):
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + shift) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def jitter(rgb, brightness, contrast, saturation, hue, contrast_first):
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    if brightness is not None:
        bgr = linear(bgr, 1, brightness)
    if contrast is not None and contrast_first:
        bgr = linear(bgr, contrast, 0)
    if saturation is not None:
        bgr = saturate(bgr, saturation)
    if hue is not None:
        bgr = shift_hue(bgr, hue)
    if contrast is not None and not contrast_first:
        bgr = linear(bgr, contrast, 0)
    return bgr[..., ::-1]


class SampleRandom:
    """SplitMix64, seeded by mixing seed and sample; Lemire's bounded integers."""

    GOLDEN = 0x9E3779B97F4A7C15

    def __init__(self, seed, sample):
        self.state = self.mix(self.mix(seed + self.GOLDEN & MASK) + sample * self.GOLDEN & MASK)

    @staticmethod
    def mix(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def next(self):
        self.state = self.state + self.GOLDEN & MASK
        return self.mix(self.state)

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)

    def integer(self, low, high):
        size = high - low + 1
        while True:
            product = (self.next() >> 32) * size
            if (product & 0xFFFFFFFF) >= (1 << 32) % size:
                return low + (product >> 32)

    def coin(self, probability=0.5):
        return self.uniform() < probability


def draw_jitter(random):
    brightness = contrast = saturation = hue = None
    if random.coin():
        brightness = random.uniform(-32, 32)
    contrast_first = random.coin()
    if contrast_first and random.coin():
        contrast = random.uniform(0.5, 1.5)
    if random.coin():
        saturation = random.uniform(0.5, 1.5)
    if random.coin():
        hue = random.integer(-18, 18)
    if not contrast_first and random.coin():
        contrast = random.uniform(0.5, 1.5)
    return brightness, contrast, saturation, hue, contrast_first


def mapped(image, label, sizes, crop, seed, sample):
    """The whole training mapper: image [H, W, 3], labels, masks."""
    random = SampleRandom(seed, sample)
    short = sizes[random.integer(0, len(sizes) - 1)]
    height, width = label.shape
    scale = short / min(height, width)
    new_height, new_width = int(height * scale + 0.5), int(width * scale + 0.5)
    image = pil_resize(image, new_height, new_width)
    label = nearest(label, new_height, new_width)
    y = random.integer(0, new_height - crop[0])
    x = random.integer(0, new_width - crop[1])
    image = image[y:y + crop[0], x:x + crop[1]]
    label = label[y:y + crop[0], x:x + crop[1]]
    image = jitter(image, *draw_jitter(random))
    if random.coin():
        image, label = image[:, ::-1], label[:, ::-1]
    classes = [c for c in np.unique(label) if c != 255]
    masks = np.stack([label == c for c in classes])
    return image, np.array(classes, np.int64), masks


# --- The lines ------------------------------------------------------------------------------------


def resize_lines():
    # Each axis alone at the real sizes: the weights of an axis do not depend on the other one.
    for s in SIZES:
        yield f"pil rows {s}", checksum(pil_resize(noise(1024, 16, 1), s, 16))
        yield f"pil columns {s}", checksum(pil_resize(noise(16, 2048, 1), 16, 2 * s))
        yield f"nearest rows {s}", checksum(nearest(noise(1024, 16, 1)[..., 0], s, 16))
        yield f"nearest columns {s}", checksum(nearest(noise(16, 2048, 1)[..., 0], 16, 2 * s))
    for size in [(37, 53), (64, 64), (20, 90), (1, 1), (91, 7), (300, 200), (64, 53), (37, 96)]:
        yield f"pil color {size[0]} {size[1]}", checksum(pil_resize(noise(64, 96, 3), *size))


def color_lines():
    image = noise(96, 128, 3)
    for i, arguments in enumerate([
            (20.5, None, None, None, True),
            (-31.75, 1.4, None, None, False),
            (None, 0.55, None, None, True),
            (None, None, 1.37, None, True),
            (None, None, 0.61, None, True),
            (None, None, None, 18, True),
            (None, None, None, -18, True),
            (None, None, None, 7, False),
            (12.3, 1.23, 0.77, -5, True),
            (12.3, 1.23, 0.77, -5, False),
            (-7.9, 0.83, 1.44, 13, True),
            (None, 1.5, 1.5, 1, False),
            (None, None, None, None, True),
    ]):
        yield f"color {i}", checksum(jitter(image, *arguments))


def sampler_lines():
    for seed, size in [(0, 7), (3, 7), (2**40 + 5, 100), (1, 2975)]:
        generator = torch.Generator()
        generator.manual_seed(seed)
        stream = torch.cat([torch.randperm(size, generator=generator) for _ in range(3)])
        yield f"sampler {seed} {size}", checksum(stream.numpy())


def random_lines():
    random = SampleRandom(5, 7)
    yield "random integers", checksum(np.array([random.integer(-18, 18) for _ in range(999)]))
    yield "random large", checksum(np.array([random.integer(0, 3 * 2**30) for _ in range(999)]))
    yield "random uniform", checksum(np.array([random.uniform(-32, 32) for _ in range(999)]))


def mapper_lines():
    image, label = noise(256, 512, 3), labels(256, 512)
    sizes = [128, 153, 179, 204, 230, 256, 281, 307, 332, 358, 384, 409, 435, 460, 486, 512]
    for sample in range(12):
        image_out, classes, masks = mapped(image, label, sizes, (128, 256), 42, sample)
        yield f"mapper image {sample}", checksum(image_out.transpose(2, 0, 1))
        yield f"mapper labels {sample}", checksum(classes)
        yield f"mapper masks {sample}", checksum(masks)


def main():
    with open(OUTPUT, "w", encoding="ascii") as file:
        file.write("# CRC-32 of what the reference makes of a pattern. Written by tools/goldens/data.py.\n")
        for lines in (resize_lines, color_lines, sampler_lines, random_lines, mapper_lines):
            for key, value in lines():
                file.write(f"{key} = {value}\n")


if __name__ == "__main__":
    main()
