#!/usr/bin/env python3
"""Writes eval/testdata/: what the official Cityscapes program says of made-up images.

  random_sets.safetensors           scores of 200 sets of three images that both languages draw from
                                    u(name, i): see eval/testing/random_images.cc
  random_generic.safetensors        mIoU, fwIoU, mACC, pACC of the same sets, fractions, by the formulas of the
                                    original training code's generic evaluator
  worked_example_official.{txt,json}  its console output and its result file for the two images of
                                    eval/testing/worked_example.cc
  palette_{1,2,4,8}_bits.png        5 x 7 pixels, values (13 y + x) mod (number of colours)

Needs cityscapesscripts 2.3.0, numpy < 2.4, Pillow < 13 and safetensors.
"""

import contextlib
import io
import pathlib
import re
import tempfile
import warnings

import numpy as np
import safetensors.numpy
from PIL import Image
from reference_values import uniform

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTDATA = ROOT / "eval" / "testdata"

SETS = 200
IMAGES = 3
HEIGHT, WIDTH = 48, 96
TRUTH_RECTANGLES = 7
WRONG_RECTANGLES = 5
BACKGROUNDS = [7, 11, 21, 23, 0]


def labels_of(instances):
    return np.where(instances < 1000, instances, instances // 1000).astype(np.uint8)


class Draws:
    """Integers from u(name, 0), u(name, 1), ..."""

    def __init__(self, name):
        self.values = iter(uniform(name, 200))

    def __call__(self, n):
        return int(next(self.values) * n)

    def rectangle(self):
        top, left = self(HEIGHT - 4), self(WIDTH - 4)
        bottom, right = top + 1 + self(HEIGHT // 2), left + 1 + self(WIDTH // 3)
        return slice(top, min(bottom, HEIGHT)), slice(left, min(right, WIDTH))


def random_image(name):
    """(instanceIds, predicted label ids)."""
    draw = Draws(name)
    instances = np.full((HEIGHT, WIDTH), BACKGROUNDS[draw(5)], np.uint16)
    for _ in range(TRUTH_RECTANGLES):
        where = draw.rectangle()
        if draw(2) == 0:
            value = draw(34)
        else:
            value = (24 + draw(10)) * 1000 + draw(3)
        instances[where] = value
    prediction = labels_of(instances)
    for _ in range(WRONG_RECTANGLES):
        where = draw.rectangle()
        if draw(2) == 0:
            value = draw(34)
        else:
            value = 24 + draw(10)
        prediction[where] = value
    return instances, prediction


def save(folder, name, instances, prediction):
    """Writes the three images; returns the paths of prediction and ground truth."""
    truth = folder / "gtFine" / "val" / "aaa"
    results = folder / "results"
    truth.mkdir(parents=True, exist_ok=True)
    results.mkdir(exist_ok=True)
    Image.fromarray(instances).save(truth / f"{name}_gtFine_instanceIds.png")
    labels = truth / f"{name}_gtFine_labelIds.png"
    Image.fromarray(labels_of(instances)).save(labels)
    predicted = results / f"{name}_pred.png"
    Image.fromarray(prediction).save(predicted)
    return str(predicted), str(labels)


def run_official(pairs, quiet, export=None):
    """(result dictionary, console output) of the official program."""
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official

    args = official.args
    args.quiet = quiet
    args.colorized, args.bold, args.nocol = False, "", ""
    args.JSONOutput = export is not None
    args.exportFile = str(export)
    output = io.StringIO()
    predictions, labels = zip(*pairs)
    with contextlib.redirect_stdout(output), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = official.evaluateImgLists(list(predictions), list(labels), args)
    return result, output.getvalue()


def scores_of(result):
    """19 IoU, 8 nIoU, 7 category IoU, 2 category nIoU, then the four averages."""
    from cityscapesscripts.helpers.labels import labels

    classes = [l for l in labels if not l.ignoreInEval]
    things = [l for l in classes if l.hasInstances]
    categories = ["flat", "construction", "object", "nature", "sky", "human", "vehicle"]
    return (
        [result["classScores"][l.name] for l in classes]
        + [result["classInstScores"][l.name] for l in things]
        + [result["categoryScores"][c] for c in categories]
        + [result["categoryInstScores"][c] for c in categories[-2:]]
        + [result["averageScoreClasses"], result["averageScoreInstClasses"]]
        + [result["averageScoreCategories"], result["averageScoreInstCategories"]]
    )


def write_random_sets():
    scores, checksums = [], []
    weights = np.arange(34 * 34).reshape(34, 34)
    for s in range(SETS):
        with tempfile.TemporaryDirectory() as folder:
            pairs = [
                save(
                    pathlib.Path(folder),
                    f"aaa_{s:06}_{i:06}",
                    *random_image(f"eval/{s}/{i}"),
                )
                for i in range(IMAGES)
            ]
            result, _ = run_official(pairs, quiet=True)
        scores.append(scores_of(result))
        checksums.append(int((np.array(result["confMatrix"], np.int64) * weights).sum()))
    safetensors.numpy.save_file(
        {"scores": np.array(scores), "checksums": np.array(checksums)},
        TESTDATA / "random_sets.safetensors",
    )


def generic_scores(images):
    """mIoU, fwIoU, mACC, pACC of (instanceIds, predicted label ids), classes and ignored pixels by train id."""
    from cityscapesscripts.helpers.labels import labels

    classes = 19
    train_ids = np.full(256, classes)
    for label in labels:
        if 0 <= label.trainId < classes:
            train_ids[label.id] = label.trainId
    matrix = np.zeros((classes + 1, classes + 1), np.int64)  # [prediction, ground truth]
    for instances, prediction in images:
        np.add.at(matrix, (train_ids[prediction], train_ids[labels_of(instances)]), 1)
    matrix = matrix[:-1, :-1]
    right, truth, predicted = matrix.diagonal(), matrix.sum(0), matrix.sum(1)
    seen = truth > 0
    iou = right[seen] / (truth + predicted - right)[seen]
    return [
        iou.mean(),
        (iou * truth[seen]).sum() / truth.sum(),
        (right[seen] / truth[seen]).mean(),
        right.sum() / truth.sum(),
    ]


def write_random_generic():
    example = generic_scores((instances, prediction) for _, instances, prediction in worked_example())
    # What the original evaluator itself says of these.
    assert np.allclose(np.multiply(example, 100), [70.2146, 85.1414, 73.0398, 89.3113], 0, 5e-5)
    scores = [
        generic_scores(random_image(f"eval/{s}/{i}") for i in range(IMAGES)) for s in range(SETS)
    ]
    assert np.isfinite(scores).all()
    safetensors.numpy.save_file(
        {"scores": np.array(scores)}, TESTDATA / "random_generic.safetensors"
    )


def worked_example():
    """(name, instanceIds, prediction), drawn from the source that the tests draw from."""
    source = (ROOT / "eval" / "testing" / "worked_example.cc").read_text()
    for name, text in re.findall(r'MakeImage\("(\w+)",(.*?)\}\}\)', source, re.S):
        images = []
        for rectangles in re.split(r"\}\},", text):
            image = np.zeros((64, 128), np.uint16)
            for r in re.findall(r"(\d+), (\d+),\s+(\d+),\s+(\d+),\s+(\d+)", rectangles):
                top, bottom, left, right, value = map(int, r)
                image[top:bottom, left:right] = value
            images.append(image)
        yield name, images[0], images[1].astype(np.uint8)


def write_worked_example():
    with tempfile.TemporaryDirectory() as folder:
        pairs = [save(pathlib.Path(folder), *image) for image in worked_example()]
        assert len(pairs) == 2
        export = TESTDATA / "worked_example_official.json"
        result, text = run_official(pairs, quiet=False, export=export)
    assert result["averageScoreClasses"] == 0.5461136588693251
    (TESTDATA / "worked_example_official.txt").write_bytes(text.encode())


def write_palettes():
    y, x = np.mgrid[:5, :7]
    for bits in (1, 2, 4, 8):
        colors = min(2**bits, 34)
        image = Image.fromarray(((13 * y + x) % colors).astype(np.uint8), "P")
        image.putpalette([(7 * i + 50) % 256 for i in range(3 * colors)])
        image.save(TESTDATA / f"palette_{bits}_bits.png", bits=bits)


def main():
    TESTDATA.mkdir(exist_ok=True)
    write_random_sets()
    write_random_generic()
    write_worked_example()
    write_palettes()
    for path in TESTDATA.iterdir():
        path.chmod(0o644)


if __name__ == "__main__":
    main()
