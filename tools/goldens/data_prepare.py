#!/usr/bin/env python3
"""Writes data/testdata/goldens_prepare.txt and prepare_*.png: what the official preparation scripts make
of data/testdata/polygons_{0..2}.json, as one checksum a line.

  python3 tools/goldens/data_prepare.py

Needs cityscapesscripts (2.3.0), numpy and Pillow (10.4). Run data_tasks.py first.
"""

import contextlib
import io
import os
import pathlib
import shutil
import tempfile

import numpy as np
from cityscapesscripts.preparation.createPanopticImgs import convert2panoptic
from cityscapesscripts.preparation.json2instanceImg import json2instanceImg
from cityscapesscripts.preparation.json2labelImg import json2labelImg
from data import checksum
from PIL import Image

TESTDATA = pathlib.Path(__file__).parent / "../../data/testdata"
# Also in data/prepare_cityscapes_test.cc. "b-a" stands before "b" in paths with "/".
CITIES = ["b", "b-a", "ulm"]


def main():
    lines = []
    with tempfile.TemporaryDirectory() as root:
        for i, city in enumerate(CITIES):
            folder = pathlib.Path(root) / "val" / city
            folder.mkdir(parents=True)
            stem = str(folder / f"{city}_{i:06}_000019_gtFine_")
            polygons = str(TESTDATA / f"polygons_{i}.json")
            json2labelImg(polygons, stem + "labelIds.png", "ids")
            json2labelImg(polygons, stem + "labelTrainIds.png", "trainIds")
            json2instanceImg(polygons, stem + "instanceIds.png", "ids")
            lines.append((f"prepare train ids {i}", np.array(Image.open(stem + "labelTrainIds.png"))))
            for kind in ("labelIds", "instanceIds"):
                shutil.copyfile(f"{stem}{kind}.png", TESTDATA / f"prepare_{i}_{kind}.png")
        with contextlib.redirect_stdout(io.StringIO()):
            convert2panoptic(root, root, setNames=["val"])
        for i, city in enumerate(CITIES):
            name = f"{city}_{i:06}_000019_gtFine_panoptic.png"
            path = os.path.join(root, "cityscapes_panoptic_val", name)
            lines.append((f"prepare panoptic {i}", np.array(Image.open(path))))
        text = (pathlib.Path(root) / "cityscapes_panoptic_val.json").read_bytes()
        lines.append(("prepare json", np.frombuffer(text, np.uint8)))
    with open(TESTDATA / "goldens_prepare.txt", "w", encoding="ascii") as file:
        file.write("# CRC-32 of what the official scripts write. Written by tools/goldens/data_prepare.py.\n")
        for key, array in lines:
            file.write(f"{key} = {checksum(array)}\n")


if __name__ == "__main__":
    main()
