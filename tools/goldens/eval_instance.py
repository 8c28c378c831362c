#!/usr/bin/env python3
"""Writes eval/testdata/: what the official instance-level program says of made-up predictions.

  random_instances_{0,1}.safetensors   AP by class and threshold and the averages of 100 sets of three
                                       images each, which both languages draw from u(name, i): see
                                       eval/testing/random_images.cc
  worked_example_instances.{txt,json}  its table and its result file for eval/testing/worked_example.cc

Where the official program stops with an error (all predictions of a class ignored), the AP of that
class and threshold is 0.

Needs cityscapesscripts 2.3.0, numpy < 2.4, Pillow < 13 and safetensors.
"""

import contextlib
import io
import os
import pathlib
import re
import tempfile
import warnings

import numpy as np
import safetensors.numpy
from PIL import Image
from eval import IMAGES, ROOT, SETS, TESTDATA, Draws, labels_of, random_image, worked_example
from eval import HEIGHT, WIDTH

PREDICTIONS = 12


def random_predictions(name, instances):
    """[(label id, score, mask)], drawn like RandomPredictions() in eval/testing/random_images.cc."""
    draw = Draws(name + "/masks")
    predictions = []
    for _ in range(PREDICTIONS):
        label, score, kind = 24 + draw(10), (1 + draw(10)) / 16, draw(4)
        row, column, where = draw(HEIGHT), draw(WIDTH), draw.rectangle()
        mask = np.zeros((HEIGHT, WIDTH), bool)
        if kind == 0:
            mask[where] = True
        else:
            value = int(instances[row, column])
            mask = instances == value
            mask[where] = kind == 3
            if labels_of(instances)[row, column] >= 24:
                label = int(labels_of(instances)[row, column])
        predictions.append((label, score, mask))
    return predictions


def save(folder, name, instances, predictions):
    """Writes an image's files; returns the paths of prediction and ground truth."""
    truth = folder / "gtFine" / "val" / "aaa"
    results = folder / "results"
    truth.mkdir(parents=True, exist_ok=True)
    results.mkdir(exist_ok=True)
    path = truth / f"{name}_gtFine_instanceIds.png"
    Image.fromarray(instances).save(path)
    lines = []
    for i, (label, score, mask) in enumerate(predictions):
        Image.fromarray(mask.astype(np.uint8) * 255).save(results / f"{name}_{i}.png")
        lines.append(f"{name}_{i}.png {label} {score}\n")
    (results / f"{name}.txt").write_text("".join(lines))
    return str(results / f"{name}.txt"), str(path)


def run_official(folder, pairs):
    """(AP [8, 10], averages, console table, result dictionary), cell by cell."""
    from cityscapesscripts.evaluation import evalInstanceLevelSemanticLabeling as official

    args = official.args
    args.quiet, args.colorized, args.JSONOutput = True, False, False
    args.gtInstancesFile = str(folder / "gtInstances.json")
    args.predictionPath = str(folder / "results")
    overlaps = args.overlaps
    official.setInstanceLabels(args)
    names = args.instLabels
    predictions, truths = map(list, zip(*pairs))
    instances = official.getGtInstances(truths, args)
    matches = official.matchGtWithPreds(predictions, truths, instances, args)
    ap = np.zeros((1, len(names), len(overlaps)))
    for c, name in enumerate(names):
        for t, overlap in enumerate(overlaps):
            args.instLabels, args.overlaps = [name], np.array([overlap])
            try:
                ap[0, c, t] = official.evaluateMatches(matches, args)[0, 0, 0]
            except IndexError:
                ap[0, c, t] = 0
    args.instLabels, args.overlaps = names, overlaps
    averages = official.computeAverages(ap, args)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        official.printResults(averages, args)
    return ap[0], averages, output.getvalue(), official.prepareJSONDataForResults(averages, ap, args)


def write_random_sets():
    cells, averages = [], []
    for s in range(SETS):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            pairs = []
            for i in range(IMAGES):
                instances, _ = random_image(f"eval/{s}/{i}")
                predictions = random_predictions(f"eval/{s}/{i}", instances)
                pairs.append(save(folder, f"aaa_{s:06}_{i:06}", instances, predictions))
            ap, means, _, _ = run_official(folder, pairs)
        cells.append(ap)
        averages.append([means["allAp"], means["allAp50%"]])
    for half in range(2):
        part = slice(half * SETS // 2, (half + 1) * SETS // 2)
        safetensors.numpy.save_file(
            {"ap": np.array(cells[part]), "averages": np.array(averages[part])},
            TESTDATA / f"random_instances_{half}.safetensors",
        )


def example_predictions():
    """{name: [(label id, score, mask)]}, from the source that the tests draw from."""
    source = (ROOT / "eval" / "testing" / "worked_example.cc").read_text()
    source = source[source.index("WorkedPredictions()") :]
    images = [[]]
    for numbers in re.findall(r"\{(\d+), (\d+), (\d+), (\d+), (\d+), (0\.\d+)\}|(// B)", source):
        if numbers[-1]:
            images.append([])
            continue
        top, bottom, left, right, label = map(int, numbers[:5])
        mask = np.zeros((64, 128), bool)
        mask[top:bottom, left:right] = True
        images[-1].append((label, float(numbers[5]), mask))
    return images


def write_worked_example():
    from cityscapesscripts.helpers.csHelpers import writeDict2JSON

    masks = example_predictions()
    assert [len(m) for m in masks] == [9, 5], [len(m) for m in masks]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pairs = [
            save(folder, image[0], image[1], predictions)
            for image, predictions in zip(worked_example(), masks)
        ]
        _, averages, text, result = run_official(folder, pairs)
    assert abs(averages["allAp"] - 0.6302083333) < 1e-9
    (TESTDATA / "worked_example_instances.txt").write_text(text)
    writeDict2JSON(result, str(TESTDATA / "worked_example_instances.json"))


def main():
    warnings.simplefilter("ignore")
    write_random_sets()
    write_worked_example()
    for path in TESTDATA.glob("*instances*"):
        os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
