#!/usr/bin/env python3
"""Times //eval:score against the official Cityscapes programs, and compares their scores.

  bazel build //eval:score //tools/peers:decode
  python3 tools/peers/score.py --images 20 [--tasks semantic,instance,panoptic]

Makes pairs of 1024 x 2048 images with some 150 regions and 30 instances each, as street scenes
have; for the instance task 20 predicted masks each. For each task it prints the seconds per image
(elapsed, and of CPU) of the official program, of //eval:score with one thread and with one per core,
and of a program that only decodes the same files, with its decoder and with OpenCV's; all take turns, the median of
--rounds counts, and the files are in the page cache. Needs cityscapesscripts 2.3.0, numpy < 2.4,
Pillow < 13.
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
EVALUATED = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
MASKS = 20


def ellipse(rng, largest):
    x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
    w, h = rng.integers(4, largest, 2)
    return [int(x - w), int(y - h), int(x + w), int(y + h)]


def make_pair(rng):
    """(instanceIds, labelIds, prediction)."""
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


def write_masks(folder, name, instances, rng):
    """Twenty masks, off by some pixels, a few of them wrong."""
    values = [v for v in np.unique(instances) if v >= 24000][:MASKS]
    lines = []
    for i in range(MASKS):
        value = int(values[i % len(values)])
        moved = np.roll(instances == value, tuple(rng.integers(-4, 5, 2)), (0, 1))
        Image.fromarray(moved.astype(np.uint8) * 255).save(folder / f"{name}_{i}.png")
        label = value // 1000 if i % 7 else 26
        lines.append(f"{name}_{i}.png {label} {rng.random()}\n")
    (folder / f"{name}_pred.txt").write_text("".join(lines))


def write_panoptic(folder, name, instances):
    """Segments off by some pixels; returns the annotation."""
    moved = np.roll(instances, (2, -3), (0, 1))
    ids = np.zeros(instances.shape, np.int32)
    segments = []
    for value in np.unique(moved):
        label = int(value if value < 1000 else value // 1000)
        if label in EVALUATED:
            segments.append({"id": len(segments) + 1, "category_id": label})
            ids[moved == value] = len(segments)
    color = np.stack([ids % 256, ids // 256, ids * 0], -1).astype(np.uint8)
    Image.fromarray(color).save(folder / f"{name}.png")
    return {"image_id": name, "file_name": f"{name}.png", "segments_info": segments}


def write_set(root, images):
    truth = root / "gtFine" / "val" / "aaa"
    folders = {task: root / task for task in ("semantic", "instance", "panoptic/out")}
    for folder in (truth, *folders.values()):
        folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    annotations = []
    for i in range(images):
        instances, labels, prediction = make_pair(rng)
        name = f"aaa_{i:06}_000019"
        Image.fromarray(instances).save(truth / f"{name}_gtFine_instanceIds.png")
        Image.fromarray(labels).save(truth / f"{name}_gtFine_labelIds.png")
        Image.fromarray(prediction).save(folders["semantic"] / f"{name}_pred.png")
        write_masks(folders["instance"], name, instances, rng)
        annotations.append(write_panoptic(folders["panoptic/out"], name, instances))
    (root / "panoptic" / "out.json").write_text(json.dumps({"annotations": annotations}))
    subprocess.run(
        [sys.executable, "-m", "cityscapesscripts.preparation.createPanopticImgs",
         "--dataset-folder", str(root / "gtFine"), "--set-names", "val"],
        check=True, stdout=subprocess.DEVNULL,
    )


def seconds(command, **kwargs):
    """(elapsed, CPU) of a command."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **kwargs)
    elapsed = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def official(task, root):
    """(module and arguments, environment, result file)."""
    results = root / "evaluationResults"
    module = "cityscapesscripts.evaluation."
    if task == "semantic":
        command = [module + "evalPixelLevelSemanticLabeling"]
        result = results / "resultPixelLevelSemanticLabeling.json"
    elif task == "instance":
        command = [module + "evalInstanceLevelSemanticLabeling"]
        result = results / "resultInstanceLevelSemanticLabeling.json"
    else:
        result = root / "panoptic.json"
        command = [
            module + "evalPanopticSemanticLabeling",
            "--prediction-json-file", str(root / "panoptic" / "out.json"),
            "--results_file", str(result),
        ]
    env = {**os.environ, "CITYSCAPES_DATASET": str(root), "CITYSCAPES_RESULTS": str(root / task)}
    return [sys.executable, "-W", "ignore", "-m", *command], env, result


def files_of(task, root):
    truth = root / "gtFine" / "val" / "aaa"
    if task == "panoptic":
        return [*(root / "gtFine" / "cityscapes_panoptic_val").glob("*.png"),
                *(root / "panoptic" / "out").glob("*.png")]
    kinds = ["*_instanceIds.png"] + (["*_labelIds.png"] if task == "semantic" else [])
    return [p for kind in kinds for p in truth.glob(kind)] + [*(root / task).glob("*.png")]


def largest_difference(theirs, mine, path=""):
    """Of all numbers of two result files, which must have the same keys."""
    if isinstance(theirs, dict):
        assert theirs.keys() == mine.keys(), (path, theirs.keys(), mine.keys())
        return max(largest_difference(theirs[k], mine[k], f"{path}/{k}") for k in theirs)
    if isinstance(theirs, list):
        assert len(theirs) == len(mine), path
        return max((largest_difference(a, b, path) for a, b in zip(theirs, mine)), default=0)
    if isinstance(theirs, str):
        assert theirs == mine, path
        return 0
    if np.isnan(theirs) or np.isnan(mine) or np.isinf(theirs):
        assert theirs == mine or np.isnan(theirs) and np.isnan(mine), path
        return 0
    return abs(theirs - mine)


def compare(task, root, args):
    command, env, result = official(task, root)
    truth = root / "gtFine" / ("cityscapes_panoptic_val.json" if task == "panoptic" else "val")
    predictions = root / "panoptic" / "out.json" if task == "panoptic" else root / task
    ours = [str(pathlib.Path(args.score).resolve()), f"--task={task}", f"--ground_truth={truth}",
            f"--predictions={predictions}", f"--json={root}/ours.json"]
    decode = str(pathlib.Path(args.decode).resolve())
    files = "\n".join(map(str, files_of(task, root))).encode() + b"\n"
    cores = os.cpu_count()
    # The official instance program caches its ground truth inside its package.
    cache = pathlib.Path(subprocess.check_output(
        [sys.executable, "-c", "import cityscapesscripts; print(cityscapesscripts.__path__[0])"],
        text=True).strip()) / "evaluation" / "gtInstances.json"
    rows = {"official program": [], "//eval:score, one thread": [],
            f"//eval:score, {cores} threads": [], "decoding, one thread": [],
            f"decoding, {cores} threads": [], f"OpenCV decoding, {cores} threads": []}
    names = list(rows)
    for _ in range(args.rounds):
        cache.unlink(missing_ok=True)
        rows[names[0]].append(seconds(command, env=env, cwd=root))
        rows[names[1]].append(seconds(ours + ["--threads=1"]))
        rows[names[2]].append(seconds(ours))
        rows[names[3]].append(seconds([decode, "1", "own"], input=files))
        rows[names[4]].append(seconds([decode, str(cores), "own"], input=files))
        rows[names[5]].append(seconds([decode, str(cores), "opencv"], input=files))
    cache.unlink(missing_ok=True)
    medians = {name: np.median(runs, axis=0) / args.images for name, runs in rows.items()}
    print(f"\n{task}: {args.images} images, seconds per image, median of {args.rounds}")
    for name, (elapsed, cpu) in medians.items():
        ratio = medians[names[0]][0] / elapsed
        print(f"  {name:28}{elapsed:.4f} s, CPU {cpu:.4f} s; {ratio:.1f} times as fast")
    for ours_name, decode_name in (
            (names[1], names[3]), (names[2], names[4]), (names[2], names[5])):
        ratio = medians[ours_name][0] / medians[decode_name][0]
        print(f"  {ours_name} takes {ratio:.2f} times as long as {decode_name}")
    difference = largest_difference(
        json.loads(result.read_text()), json.loads((root / "ours.json").read_text()))
    print(f"  largest difference of a number in the result files: {difference:.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--score", default="bazel-bin/eval/score")
    parser.add_argument("--decode", default="bazel-bin/tools/peers/decode")
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", default="semantic,instance,panoptic")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_set(root, args.images)
        for task in args.tasks.split(","):
            compare(task, root, args)


if __name__ == "__main__":
    main()
