#!/usr/bin/env python3
"""Compares the speed of a forward pass with Hugging Face transformers' Mask2Former.

  bazel build //tools/benchmark
  python3 tools/peers/forward.py --size 512x1024 --threads 2 --rounds 7

Both run R50 with 100 queries and 19 classes, batch 1, on the same random weights and the same picture
of noise, which are written once and read by all; what they say of it is compared first, in float32
it must be the same. They take turns, in processes of their own, so that other work on the machine
hits all. The peer runs as installed, with glibc told to keep freed memory, which our programs do by
themselves, and so with channels_last; ratios are to the strongest one.

--official=MASK2FORMER[:DETECTRON2] adds the official code from its checkout (commit 9b0651c6), and
detectron2 from another where it is not installed. On a CPU their compiled extensions need not be
built: the deformable attention has no CPU kernel, so that the official code falls back to PyTorch's
grid_sample, and nothing else of detectron2's is used. Needs //tools/convert_weights, too.

  forward   picture to class and mask logits of the last decoder layer
  labels    logits to a label per pixel: upsampling, sigmoid, class sum, argmax
  cpu       CPU time of both, of all threads; with --threads 1 it says who does less work even on a
            machine that is busy otherwise
  busy      on a CPU: CPU time / (wall time * threads); below about 0.85 something else had the cores

Needs: numpy, Pillow, safetensors; torch, torchvision, transformers (timed with 4.57.1) for the peer;
fvcore, hydra-core, iopath, omegaconf, pycocotools, shapely, tabulate, timm and yacs for the official
code.
"""
import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import types

TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592",
         "THP_MEM_ALLOC_ENABLE": "1"}
OFFICIAL_CONFIG = "configs/cityscapes/semantic-segmentation/maskformer2_R50_bs16_90k.textproto"


def write_inputs(folder, height, width):
    """model.safetensors and config.json as transformers writes them, and picture.png."""
    import numpy as np
    from PIL import Image

    import weights

    weights.random_model(weights.MODELS["R50"][0](), num_labels=19).save_pretrained(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(f"{folder}/picture.png")


def read_picture(folder):
    """[1, 3, H, W], normalised."""
    import numpy as np
    import torch
    from PIL import Image

    import weights

    pixels = torch.from_numpy(np.array(Image.open(f"{folder}/picture.png")))
    return ((pixels.permute(2, 0, 1).float() - weights.MEAN) / weights.STD)[None].contiguous()


def hugging_face(folder):
    """The model, and a function: image [1, 3, H, W] -> logits of classes and masks."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import Mask2FormerForUniversalSegmentation

    model = Mask2FormerForUniversalSegmentation.from_pretrained(folder).eval()

    def run(image):
        out = model(pixel_values=image)
        return out.class_queries_logits, out.masks_queries_logits

    return model, run


def official(checkouts, folder):
    """The same of the official code, with the weights of official.pth."""
    import torch
    folders = checkouts.split(":")
    sys.path[:0] = folders
    for extension in ("MultiScaleDeformableAttention", "detectron2._C"):
        try:
            importlib.import_module(extension)
        except ImportError:  # Nothing of them is called on a CPU.
            if ARGS.device != "cpu":
                sys.exit(f"--official on {ARGS.device} needs {extension}: without it the official "
                         "code falls back to PyTorch's grid_sample, which is not what it runs there")
            sys.modules[extension] = types.ModuleType(extension)
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model
    from detectron2.projects.deeplab import add_deeplab_config
    from mask2former import add_maskformer2_config

    cfg = get_cfg()
    add_deeplab_config(cfg)
    add_maskformer2_config(cfg)
    cfg.merge_from_file(os.path.join(
        folders[0], "configs/cityscapes/semantic-segmentation/maskformer2_R50_bs16_90k.yaml"))
    cfg.MODEL.DEVICE = ARGS.device
    model = build_model(cfg).eval()
    fit = model.load_state_dict(torch.load(f"{folder}/official.pth")["model"], strict=False)
    wrong = [k for k in fit.missing_keys + fit.unexpected_keys if not k.startswith("criterion.")]
    if wrong:
        sys.exit(f"weights do not fit the official code: {wrong}")

    def run(image):
        out = model.sem_seg_head(model.backbone(image))
        return out["pred_logits"], out["pred_masks"]

    return model, run


def peer(folder):
    """Serves runs of a peer: a line in, a run, a line of JSON out.

    A line that is not empty names a file for what the run gave.
    """
    import torch
    from safetensors.torch import save_file

    def now():
        if ARGS.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    torch.set_num_threads(ARGS.threads)
    torch.manual_seed(0)
    answers = os.dup(1)  # Others may print.
    os.dup2(2, 1)
    model, run = official(ARGS.official, folder) if ARGS.official else hugging_face(folder)
    layout = torch.channels_last if ARGS.channels_last else torch.contiguous_format
    model.to(ARGS.device, memory_format=layout)
    image = read_picture(folder).to(ARGS.device, memory_format=layout)
    height, width = image.shape[2:]
    half = ARGS.precision == "bf16"
    for line in sys.stdin:
        with torch.inference_mode(), torch.autocast(ARGS.device, torch.bfloat16, half):
            cpu, start = time.process_time(), now()
            classes, masks = run(image)
            middle = now()
            classes, masks = classes.float(), masks.float()
            whole = torch.nn.functional.interpolate(
                masks, size=(height, width), mode="bilinear", align_corners=False)
            labels = torch.einsum("bqc,bqhw->bchw", classes.softmax(-1)[..., :-1],
                                  whole.sigmoid()).argmax(1)
            end = now()
            cpu = time.process_time() - cpu
        row = {"forward_ms": (middle - start) * 1e3, "labels_ms": (end - middle) * 1e3,
               "cpu_ms": cpu * 1e3}
        if line.strip():
            save_file({"pred_logits": classes[0].cpu().contiguous(),
                       "pred_masks": masks[0].cpu().contiguous(),
                       "labels": labels[0].cpu().to(torch.uint8)}, line.strip())
        os.write(answers, (json.dumps(row) + "\n").encode())


class Runner:
    """One of the programs that take turns."""

    def __init__(self, name, command, environment):
        env = {k: v for k, v in os.environ.items() if k not in TUNED}
        env.update(environment, OMP_NUM_THREADS=str(ARGS.threads))
        self.name = name
        self.rows = []
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def run(self, output=""):
        """One run; `output`: a file for what it gives."""
        self.process.stdin.write(output + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended with {self.process.wait()}")
        row = json.loads(line)
        row["busy"] = row["cpu_ms"] / ((row["forward_ms"] + row["labels_ms"]) * ARGS.threads)
        return row

    def median(self, key):
        return statistics.median(r[key] for r in self.rows)

    def best(self, key):
        return min(r[key] for r in self.rows)


def compare(ours, theirs):
    """How far two files of results are apart, in words; ends the program if too far."""
    from safetensors.numpy import load_file

    a, b = load_file(ours.output), load_file(theirs.output)
    # Rounding may move a cell over the edge of a mask that a query attends to, so that single
    # numbers differ more than the mean.
    apart = {k: float(abs(a[k] - b[k]).mean() / abs(b[k]).mean()) for k in ("pred_logits", "pred_masks")}
    print(f"{theirs.name}: class logits differ by {apart['pred_logits']:.1e} of their mean, mask "
          f"logits by {apart['pred_masks']:.1e}; labels of "
          f"{100 * float((a['labels'] == b['labels']).mean()):.3f} % of the pixels are equal")
    if ARGS.precision == "fp32" and not max(apart.values()) <= 1e-3:
        sys.exit(f"{theirs.name} does not give the same")


def main(folder):
    height, width = map(int, ARGS.size.split("x"))
    if height % 32 or width % 32:
        sys.exit("--size: multiples of 32, for the peers do not pad")
    inputs = [sys.executable, os.path.abspath(__file__), "--inputs", folder]
    subprocess.run(inputs + ["--write", "--size", ARGS.size], check=True)
    ours = [ARGS.binary, "--serve", f"--size={height}x{width}", f"--threads={ARGS.threads}",
            f"--precision={ARGS.precision}", f"--device={ARGS.device}",
            f"--weights={folder}/model.safetensors", f"--picture={folder}/picture.png"]
    ours += [f"--set={s}" for s in ARGS.set]
    if ARGS.config:
        ours.append(f"--config={ARGS.config}")
    theirs = inputs + ["--threads", str(ARGS.threads), "--precision", ARGS.precision,
                       "--device", ARGS.device]
    runners = [Runner("ours", ours, {}),
               Runner("ours, malloc as installed", ours, {"M2F_RETURN_FREED_MEMORY": "1"}),
               Runner("peer, as installed", theirs, {}),
               Runner("peer, malloc tuned", theirs, TUNED),
               Runner("peer, tuned, channels_last", theirs + ["--channels_last"], TUNED)]
    rivals = [runners[2:]]  # Of each the strongest counts.
    if ARGS.official:
        subprocess.run([ARGS.convert, f"--config={OFFICIAL_CONFIG}",
                        f"--input={folder}", f"--output={folder}/official.pth"],
                       check=True)
        theirs += ["--official", ARGS.official]
        rivals.append([Runner("official, malloc tuned", theirs, TUNED),
                       Runner("official, tuned, channels_last", theirs + ["--channels_last"],
                              TUNED)])
        runners += rivals[-1]
    for i, runner in enumerate(runners):  # Warms up.
        runner.output = f"{folder}/results{i}.safetensors"
        runner.run(runner.output)
    for runner in runners[2:]:
        compare(runners[0], runner)
    for _ in range(ARGS.rounds):
        for runner in runners:
            runner.rows.append(runner.run())
    print(f"{ARGS.size}, {ARGS.precision}, {ARGS.threads} threads, {ARGS.rounds} rounds; median (min) ms, load "
          f"{os.getloadavg()[0]:.2f}")
    for r in runners:
        print(f"{r.name:30s} forward {r.median('forward_ms'):8.1f} ({r.best('forward_ms'):8.1f})   "
              f"labels {r.median('labels_ms'):7.1f} ({r.best('labels_ms'):7.1f})   "
              f"cpu {r.median('cpu_ms'):8.1f} ({r.best('cpu_ms'):8.1f})   "
              f"busy {r.median('busy'):.2f}")
    for key in ("stages_ms", "stages_cpu_ms"):
        rows = [r[key] for r in runners[0].rows]
        print(f"ours, {key}: " + ", ".join(
            f"{k} {statistics.median(r[k] for r in rows):.1f}" for k in rows[0]))
    slower = False
    for key, what in (("forward_ms", "forward"), ("labels_ms", "labels"), ("cpu_ms", "CPU time")):
        for other in [min(group, key=lambda r: r.median(key)) for group in rivals]:
            ratio = other.median(key) / runners[0].median(key)
            ratio_min = other.best(key) / runners[0].best(key)
            slower = slower or ratio < 1
            print(f"{what}: {ratio:.2f} times ours for the {other.name} (by the minima "
                  f"{ratio_min:.2f})")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="512x1024", help="height x width")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32",
                        help="bf16: autocast on both sides")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--config", help="for our program")
    parser.add_argument("--set", action="append", default=[],
                        help="a setting for our program, such as "
                             "model.inference.shrink_mask_features=true")
    parser.add_argument("--binary", default="bazel-bin/tools/benchmark/benchmark")
    parser.add_argument("--official", metavar="MASK2FORMER[:DETECTRON2]",
                        help="checkouts of the official code")
    parser.add_argument("--convert", default="bazel-bin/tools/convert_weights/convert_weights",
                        help="with --official")
    parser.add_argument("--inputs", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--channels_last", action="store_true", help=argparse.SUPPRESS)
    ARGS = parser.parse_args()
    if ARGS.write:
        write_inputs(ARGS.inputs, *map(int, ARGS.size.split("x")))
    elif ARGS.inputs:
        peer(ARGS.inputs)
    else:
        with tempfile.TemporaryDirectory() as work:
            main(work)
