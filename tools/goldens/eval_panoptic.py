#!/usr/bin/env python3
"""Writes eval/testdata/: what the official panoptic program says of made-up predictions.

  random_panoptic.safetensors           PQ, SQ, RQ of the 19 classes in 200 sets of three images each,
                                        which both languages draw from u(name, i): see
                                        eval/testing/random_images.cc
  random_panoptic_groups.safetensors    PQ, SQ, RQ, N of all, things and stuff; NaN where the official
                                        program divides by zero
  worked_example_panoptic.{txt,json}    its table and its result file for eval/testing/worked_example.cc

Needs cityscapesscripts 2.3.0, numpy < 2.4, Pillow < 13 and safetensors.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import tempfile
import warnings

import numpy as np
import safetensors.numpy
from PIL import Image
from eval import IMAGES, ROOT, SETS, TESTDATA, Draws, random_image, worked_example

CLASSES = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
RECTANGLES = 6


def random_segments(name, instances):
    """(id map, [(id, category)]), drawn like RandomSegments() in eval/testing/random_images.cc."""
    draw = Draws(name + "/segments")
    ids = np.zeros(instances.shape, np.int32)
    segments = []
    for i, value in enumerate(np.unique(instances)):
        label = int(value if value < 1000 else value // 1000)
        category = CLASSES[draw(19)]
        if label in CLASSES and draw(5) > 0:
            category = label
        ids[instances == value] = 300 * (i + 1)
        segments.append((300 * (i + 1), category))
    for i in range(RECTANGLES):
        where, void, category = draw.rectangle(), draw(3) == 0, CLASSES[draw(19)]
        ids[where] = 0 if void else 70000 + i
        if not void:
            segments.append((70000 + i, category))
    present = set(np.unique(ids).tolist())
    return ids, [s for s in segments if s[0] in present]


def run_official(folder, images):
    """(statistics, categories) for [(name, instances, ids, segments)]."""
    from cityscapesscripts.evaluation import evalPanopticSemanticLabeling as official
    from cityscapesscripts.preparation.createPanopticImgs import convert2panoptic

    truth = folder / "gtFine" / "val" / "aaa"
    results = folder / "results"
    truth.mkdir(parents=True)
    results.mkdir()
    annotations = {}
    for name, instances, ids, segments in images:
        Image.fromarray(instances).save(truth / f"{name}_gtFine_instanceIds.png")
        color = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)
        Image.fromarray(color).save(results / f"{name}.png")
        annotations[name] = {
            "image_id": name,
            "file_name": f"{name}.png",
            "segments_info": [{"id": i, "category_id": c} for i, c in segments],
        }
    with contextlib.redirect_stdout(io.StringIO()):
        convert2panoptic(str(folder / "gtFine"), None, False, ["val"])
        base = folder / "gtFine" / "cityscapes_panoptic_val"
        truths = json.loads(base.with_suffix(".json").read_text())
        categories = {c["id"]: c for c in truths["categories"]}
        pairs = [(t, annotations[t["image_id"]]) for t in truths["annotations"]]
        statistics = official.pq_compute_single_core(0, pairs, base, results, categories)
    return statistics, categories


def group(statistics, categories, is_thing):
    try:
        return statistics.pq_average(categories, isthing=is_thing)[0]
    except ZeroDivisionError:
        return {"pq": np.nan, "sq": np.nan, "rq": np.nan, "n": 0}


def per_class(statistics, categories):
    rows = []
    for label in CLASSES:
        try:
            rows.append(statistics.pq_average({label: categories[label]}, isthing=None)[1][label])
        except ZeroDivisionError:  # The category does not occur.
            rows.append({"pq": 0, "sq": 0, "rq": 0})
    return rows


def values(rows, keys):
    return [[row[key] for key in keys] for row in rows]


def write_random_sets():
    classes, groups = [], []
    for s in range(SETS):
        images = []
        for i in range(IMAGES):
            instances, _ = random_image(f"eval/{s}/{i}")
            segments = random_segments(f"eval/{s}/{i}", instances)
            images.append((f"aaa_{s:06}_{i:06}", instances, *segments))
        with tempfile.TemporaryDirectory() as folder:
            result = run_official(pathlib.Path(folder), images)
        classes.append(values(per_class(*result), ["pq", "sq", "rq"]))
        groups.append(
            values([group(*result, g) for g in (None, True, False)], ["pq", "sq", "rq", "n"])
        )
    safetensors.numpy.save_file(
        {"classes": np.array(classes, np.float64)}, TESTDATA / "random_panoptic.safetensors"
    )
    safetensors.numpy.save_file(
        {"groups": np.array(groups, np.float64)}, TESTDATA / "random_panoptic_groups.safetensors"
    )


def example_segments():
    """[(id map, [(id, category)])], from the source that the tests draw from."""
    source = (ROOT / "eval" / "testing" / "worked_example.cc").read_text()
    source = source[source.index("WorkedSegments()") :]
    images = []
    for text in source.split("// B")[:2]:
        ids, segments = np.zeros((64, 128), np.int32), []
        for numbers in re.findall(r"\{(\d+), (\d+), (\d+), (\d+), (\d+)\}", text):
            top, bottom, left, right, category = map(int, numbers)
            segments.append((len(segments) + 1, category))
            ids[top:bottom, left:right] = len(segments)
        images.append((ids, segments))
    return images


def write_worked_example():
    from cityscapesscripts.evaluation import evalPanopticSemanticLabeling as official

    segments = example_segments()
    assert [len(s) for _, s in segments] == [7, 7]
    images = [(*i[:2], *s) for i, s in zip(worked_example(), segments)]
    with tempfile.TemporaryDirectory() as folder:
        statistics, categories = run_official(pathlib.Path(folder), images)
    results = official.average_pq(statistics, categories)
    assert abs(results["All"]["pq"] - 0.5763102441575941) < 1e-12, results["All"]
    with open(TESTDATA / "worked_example_panoptic.json", "w") as file:
        json.dump(results, file, sort_keys=True, indent=4)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        official.print_results(results, categories)
    (TESTDATA / "worked_example_panoptic.txt").write_text(output.getvalue())


def main():
    warnings.simplefilter("ignore")
    write_worked_example()
    write_random_sets()
    for path in TESTDATA.glob("*panoptic*"):
        os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
