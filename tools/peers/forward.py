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

--compile adds the peer as torch.compile makes it, channels_last, where that works; its ratios stand on
lines of their own.

On a GPU (--device cuda) all must give the same in float32 without TF32 first, whatever precision is timed.
Then peers run under inference_mode with cudnn.benchmark, with and without channels_last, and in fp16
and bf16 under autocast, as ours does. What is left of float32 may be TF32 in the convolutions and the
matrix products of both sides, or as --tf32 says: LibTorch's own default is convolutions.

  forward   picture to class and mask logits of the last decoder layer
  labels    logits to a label per pixel: upsampling, sigmoid, class sum, argmax
  cpu       CPU time of both, of all threads; with --threads 1 it says who does less work even on a
            machine that is busy otherwise
  busy      on a CPU: CPU time / (wall time * threads); below about 0.85 something else had the cores

Ends with exit code 1 where a peer is faster.

Needs: numpy, Pillow, safetensors; torch, torchvision, transformers (timed with 4.57.1) for the peer;
fvcore, hydra-core, iopath, omegaconf, pycocotools, shapely, tabulate, timm and yacs for the official
code.
"""
import argparse
import importlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import types

TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592",
         "THP_MEM_ALLOC_ENABLE": "1"}
# They would overrule --tf32.
TF32_VARIABLES = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
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
    import torch
    from transformers import Mask2FormerForUniversalSegmentation

    model = Mask2FormerForUniversalSegmentation.from_pretrained(folder).eval()
    call = torch.compile(model) if ARGS.compiled else model

    def run(image):
        out = call(pixel_values=image)
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

    if ARGS.device == "cuda":
        if not torch.cuda.is_available():
            sys.exit(f"--device cuda: torch {torch.__version__} of {sys.executable} finds no GPU")
        torch.backends.cuda.matmul.allow_tf32 = ARGS.tf32 == "all"
        torch.backends.cudnn.allow_tf32 = ARGS.tf32 != "none"
        torch.backends.cudnn.benchmark = True
    torch.set_num_threads(ARGS.threads)
    torch.manual_seed(0)
    answers = os.dup(1)  # Others may print.
    os.dup2(2, 1)
    model, run = official(ARGS.official, folder) if ARGS.official else hugging_face(folder)
    layout = torch.channels_last if ARGS.channels_last else torch.contiguous_format
    model.to(ARGS.device, memory_format=layout)
    image = read_picture(folder).to(ARGS.device, memory_format=layout)
    height, width = image.shape[2:]
    half = torch.float16 if ARGS.precision == "fp16" else torch.bfloat16
    for line in sys.stdin:
        with torch.inference_mode(), torch.autocast(ARGS.device, half, ARGS.precision != "fp32"):
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

    def __init__(self, name, command, environment, optional=False):
        env = {k: v for k, v in os.environ.items() if k not in TUNED and k not in TF32_VARIABLES}
        env.update(environment, OMP_NUM_THREADS=str(ARGS.threads))
        self.name = name
        self.optional = optional  # The others go on without it.
        self.output = None  # A file of results.
        self.rows = []
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def run(self, output=""):
        """One run; `output`: a file for what it gives. None if an optional program ended in that."""
        try:
            self.process.stdin.write(output + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            code = self.end()
            if self.optional and output:
                return None
            sys.exit(1 if code == 1 else f"{self.name} ended with {code}")  # It has said why.
        row = json.loads(line)
        row["busy"] = row["cpu_ms"] / ((row["forward_ms"] + row["labels_ms"]) * ARGS.threads)
        return row

    def end(self):
        """Waits for the end that comes when there are no more lines; the exit code."""
        self.process.communicate()
        return self.process.returncode

    def median(self, key):
        return statistics.median(r[key] for r in self.rows)

    def best(self, key):
        return min(r[key] for r in self.rows)


def compare(ours, theirs, bound):
    """How far two files of results are apart, in words; ends the program if too far.

    bound: of the mean; None: as far as may be.
    """
    from safetensors.numpy import load_file

    a, b = load_file(ours.output), load_file(theirs.output)
    # Rounding may move a cell over the edge of a mask that a query attends to, so that single
    # numbers differ more than the mean.
    apart = {k: float(abs(a[k] - b[k]).mean() / abs(b[k]).mean()) for k in ("pred_logits", "pred_masks")}
    print(f"{theirs.name}: class logits differ by {apart['pred_logits']:.1e} of their mean, mask "
          f"logits by {apart['pred_masks']:.1e}; labels of "
          f"{100 * float((a['labels'] == b['labels']).mean()):.3f} % of the pixels are equal")
    if bound is not None and not all(x <= bound for x in apart.values()):  # NaN fails, too.
        sys.exit(f"{theirs.name} does not give the same")


def run_all(runners, folder):
    """One run of each, whose results are kept. Returns those that are still there."""
    running = []
    for i, runner in enumerate(runners):
        runner.output = f"{folder}/results{i}.safetensors"
        if runner.run(runner.output) is None:
            print(f"{runner.name}: left out, for it does not work here", flush=True)
        else:
            running.append(runner)
    return running


def check_exactly(sides, folder):
    """Ends the program if they do not give the same in float32 without TF32.

    sides: pairs of name and command, ours first.
    """
    first = None
    for name, command in sides:
        runner = Runner(f"{name}, fp32 without TF32", command, TUNED)
        runner.output = f"{folder}/{name}.safetensors"
        runner.run(runner.output)
        runner.end()
        first = first or runner
        if runner is not first:
            compare(first, runner, 1e-3)


def start_runners(ours, theirs, officials):
    """Those that take turns, ours first, and the peers among them by group: of each the strongest counts."""
    on_cpu = ARGS.device == "cpu"
    setting = [f"--precision={ARGS.precision}"] + ([] if on_cpu else [f"--tf32={ARGS.tf32}"])
    ours, theirs, officials = ours + setting, theirs + setting, officials + setting
    runners = [Runner("ours", ours, {})]

    def plain_and_channels_last(name, command):
        return [Runner(name + (", malloc tuned" if on_cpu else ""), command, TUNED),
                Runner(name + (", tuned" if on_cpu else "") + ", channels_last", command + ["--channels_last"],
                       TUNED)]

    peers = []
    if on_cpu:
        runners.append(Runner("ours, malloc as installed", ours, {"M2F_RETURN_FREED_MEMORY": "1"}))
        peers.append(Runner("peer, as installed", theirs, {}))
    groups = [peers + plain_and_channels_last("peer", theirs)]
    if ARGS.compile:
        groups.append([Runner("peer, compiled", theirs + ["--channels_last", "--compiled"], TUNED, optional=True)])
    if ARGS.official:
        groups.append(plain_and_channels_last("official", officials))
    return runners + sum(groups, []), groups


def largest_difference():
    """What compare() allows the timed programs."""
    if ARGS.precision == "fp32" and (ARGS.device == "cpu" or ARGS.tf32 == "none"):
        return 1e-3
    # What check_exactly() has found the same may differ, but must not be noise.
    return None if ARGS.device == "cpu" else 1


def report(runners, groups):
    """Prints the times; whether ours are the shortest."""
    on_cpu = ARGS.device == "cpu"
    where = "" if on_cpu else f"GPU, TF32 of both sides: {ARGS.tf32}, "
    print(f"{ARGS.size}, {ARGS.precision}, {where}{ARGS.threads} threads, {ARGS.rounds} rounds; median (min) ms, "
          f"load {os.getloadavg()[0]:.2f}")
    for r in runners:
        busy = f"   busy {r.median('busy'):.2f}" if on_cpu else ""
        print(f"{r.name:30s} forward {r.median('forward_ms'):8.1f} ({r.best('forward_ms'):8.1f})   "
              f"labels {r.median('labels_ms'):7.1f} ({r.best('labels_ms'):7.1f})   "
              f"cpu {r.median('cpu_ms'):8.1f} ({r.best('cpu_ms'):8.1f}){busy}")
    for key in ("stages_ms", "stages_cpu_ms"):
        rows = [r[key] for r in runners[0].rows]
        print(f"ours, {key}: " + ", ".join(
            f"{k} {statistics.median(r[k] for r in rows):.1f}" for k in rows[0]))
    slower = False
    keys = {"forward_ms": "forward", "labels_ms": "labels"}
    if on_cpu:  # On a GPU it is mostly waiting.
        keys["cpu_ms"] = "CPU time"
    for key, what in keys.items():
        for other in [min(group, key=lambda r: r.median(key)) for group in groups if group]:
            ratio = other.median(key) / runners[0].median(key)
            ratio_min = other.best(key) / runners[0].best(key)
            slower = slower or ratio < 1
            print(f"{what}: {ratio:.2f} times ours for the {other.name} (by the minima "
                  f"{ratio_min:.2f})")
    return not slower


def main(folder):
    height, width = map(int, ARGS.size.split("x"))
    if height % 32 or width % 32:
        sys.exit("--size: multiples of 32, for the peers do not pad")
    inputs = [sys.executable, os.path.abspath(__file__), "--inputs", folder]
    subprocess.run(inputs + ["--write", "--size", ARGS.size], check=True)
    ours = shlex.split(ARGS.binary) + [
        "--serve", f"--size={height}x{width}", f"--threads={ARGS.threads}", f"--device={ARGS.device}",
        f"--weights={folder}/model.safetensors", f"--picture={folder}/picture.png"]
    ours += [f"--set={s}" for s in ARGS.set]
    if ARGS.config:
        ours.append(f"--config={ARGS.config}")
    theirs = inputs + ["--threads", str(ARGS.threads), "--device", ARGS.device]
    officials = theirs + ["--official", ARGS.official or ""]
    if ARGS.official:
        subprocess.run([ARGS.convert, f"--config={OFFICIAL_CONFIG}",
                        f"--input={folder}", f"--output={folder}/official.pth"],
                       check=True)
    if ARGS.device != "cpu":
        exactly = ["--precision=fp32", "--tf32=none"]
        check_exactly([("ours", ours + exactly), ("peer", theirs + exactly)] +
                      [("official", officials + exactly)] * bool(ARGS.official), folder)
    runners, groups = start_runners(ours, theirs, officials)
    runners = run_all(runners, folder)  # Warms up.
    groups = [[r for r in group if r in runners] for group in groups]
    for runner in sum(groups, []):
        compare(runners[0], runner, largest_difference())
    for _ in range(0 if ARGS.device == "cpu" else 3):  # Algorithms have been chosen; now clocks rise.
        for runner in runners:
            runner.run()
    for _ in range(ARGS.rounds):
        for runner in runners:
            runner.rows.append(runner.run())
    sys.exit(0 if report(runners, groups) else 1)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="512x1024", help="height x width")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["fp32", "fp16", "bf16"], default="fp32",
                        help="fp16 (on a GPU), bf16: autocast on both sides")
    parser.add_argument("--tf32", choices=["none", "convolutions", "all"],
                        help="what a GPU may compute in TF32; all by default")
    parser.add_argument("--compile", action="store_true", help="also the peer by torch.compile")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--config", help="for our program")
    parser.add_argument("--set", action="append", default=[],
                        help="a setting for our program, such as "
                             "model.inference.shrink_mask_features=true")
    parser.add_argument("--binary", default="bazel-bin/tools/benchmark/benchmark",
                        help="ours; may be a command, such as \"gpu_check/run benchmark\", then with --config")
    parser.add_argument("--official", metavar="MASK2FORMER[:DETECTRON2]",
                        help="checkouts of the official code")
    parser.add_argument("--convert", default="bazel-bin/tools/convert_weights/convert_weights",
                        help="with --official")
    parser.add_argument("--inputs", help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--channels_last", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--compiled", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.device == "cpu" and (args.precision == "fp16" or args.tf32):
        parser.error("--precision fp16 and --tf32 need --device cuda")
    args.tf32 = args.tf32 or "all"
    return args


if __name__ == "__main__":
    ARGS = parse()
    if ARGS.write:
        write_inputs(ARGS.inputs, *map(int, ARGS.size.split("x")))
    elif ARGS.inputs:
        peer(ARGS.inputs)
    else:
        with tempfile.TemporaryDirectory() as work:
            main(work)
