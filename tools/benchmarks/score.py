#!/usr/bin/env python3
"""Times //eval:score against the official Cityscapes program, and compares their scores.

  bazel build //eval:score
  python3 tools/benchmarks/score.py --score bazel-bin/eval/score --images 20

Makes pairs of 1024 x 2048 images with some 150 regions and 30 instances each, as street scenes
have. Prints seconds per image, elapsed and of CPU, of the official program and of //eval:score with
one thread and with one per core; the files are in the page cache. Needs cityscapesscripts 2.3.0, numpy < 2.4, Pillow < 13.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image, ImageDraw

HEIGHT, WIDTH = 1024, 2048
STUFF = [0, 1, 4, 7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23]
THINGS = [24, 25, 26, 27, 28, 29, 31, 32, 33]


def ellipse(rng, largest):
    x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
    w, h = rng.integers(4, largest, 2)
    return [int(x - w), int(y - h), int(x + w), int(y + h)]


def make_pair(rng):
    """(instanceIds, prediction)."""
    truth = Image.new("I", (WIDTH, HEIGHT), 7)
    draw = ImageDraw.Draw(truth)
    draw.rectangle([0, 0, WIDTH, 300], fill=23)
    draw.rectangle([0, 200, WIDTH, 500], fill=11)
    for _ in range(120):
        draw.ellipse(ellipse(rng, 120), fill=int(rng.choice(STUFF)))
    for i in range(30):
        draw.ellipse(ellipse(rng, 80), fill=int(rng.choice(THINGS)) * 1000 + i)
    instances = np.array(truth).astype(np.uint16)
    labels = np.where(instances < 1000, instances, instances // 1000).astype(np.uint8)
    # Borders are off by some pixels, and some regions are wrong.
    prediction = Image.fromarray(np.roll(labels, (2, -3), (0, 1)))
    draw = ImageDraw.Draw(prediction)
    for _ in range(20):
        draw.ellipse(ellipse(rng, 40), fill=int(rng.choice(STUFF + THINGS)))
    return instances, labels, np.array(prediction)


def write_set(root, images):
    truth, results = root / "gtFine" / "val" / "aaa", root / "results"
    truth.mkdir(parents=True)
    results.mkdir()
    rng = np.random.default_rng(1)
    for i in range(images):
        instances, labels, prediction = make_pair(rng)
        name = f"aaa_{i:06}_000019"
        Image.fromarray(instances).save(truth / f"{name}_gtFine_instanceIds.png")
        Image.fromarray(labels).save(truth / f"{name}_gtFine_labelIds.png")
        Image.fromarray(prediction).save(results / f"{name}_pred.png")


def seconds(command, **kwargs):
    """(elapsed, CPU) of a command, the least of three runs each."""
    runs = []
    for _ in range(3):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **kwargs)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        runs.append((time.perf_counter() - start, cpu))
    return np.min(runs, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--score", default="bazel-bin/eval/score")
    parser.add_argument("--images", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_set(root, args.images)
        official = seconds(
            [sys.executable, "-W", "ignore", "-m",
             "cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling"],
            env={**os.environ, "CITYSCAPES_DATASET": str(root)},
        )
        elapsed, cpu = official / args.images
        print(f"official program            {elapsed:.4f} s, CPU {cpu:.4f} s")
        command = [
            args.score,
            f"--ground_truth={root}/gtFine/val",
            f"--predictions={root}/results",
            f"--json={root}/ours.json",
        ]
        for threads, label in ((1, "one thread"), (0, f"{os.cpu_count()} threads")):
            ours = seconds(command + [f"--threads={threads}"])
            elapsed, cpu = ours / args.images
            ratio, cpu_ratio = official / ours
            print(
                f"//eval:score, {label:12}  {elapsed:.4f} s, CPU {cpu:.4f} s; "
                f"{ratio:.1f} and {cpu_ratio:.1f} times as fast"
            )
        results = root / "evaluationResults" / "resultPixelLevelSemanticLabeling.json"
        theirs = json.loads(results.read_text())
        mine = json.loads((root / "ours.json").read_text())
        largest = 0.0
        for group in ("classScores", "classInstScores", "categoryScores", "categoryInstScores"):
            for name, score in theirs[group].items():
                assert np.isnan(score) == np.isnan(mine[group][name]), (group, name)
                if not np.isnan(score):
                    largest = max(largest, abs(score - mine[group][name]))
        assert theirs["confMatrix"] == mine["confMatrix"]
        print(f"largest difference of a score  {largest:.1e}; confusion matrices equal")


if __name__ == "__main__":
    main()
