#!/usr/bin/env python3
"""Compares the speed of deformable attention on the CPU with Hugging Face transformers'.

  bazel build //pixel_decoder/ops:ms_deform_attn_benchmark
  python3 tools/peers/ms_deform_attn.py --threads 2 --rounds 7

One encoder layer's attention on a crop of 512 x 1024, float32. Our benchmark writes its inputs, reads
as a trained model makes them, up to a few pixels from the query's own place, and what it makes of
them; the peer reads them and must come to the same. The two take turns, in processes of their own; a
round's time is the mean of a second of runs on either side, and the median and the minimum of the
rounds count. Both run with glibc told to keep freed memory, the peer's best setting.

Needs: torch, safetensors, transformers (timed with 4.57.1) for the peer.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

LEVELS = [(16, 32), (32, 64), (64, 128)]
CASES = ("forward", "forward_backward")
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592",
         "THP_MEM_ALLOC_ENABLE": "1"}


def peer(tensors, threads):
    """Serves the peer: the name of a case in, a second of runs, milliseconds a run out."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from safetensors.torch import load_file
    from transformers.models.mask2former import modeling_mask2former

    torch.set_num_threads(threads)
    file = load_file(tensors)
    inputs = [file[name].requires_grad_() for name in ("value", "locations", "weights")]
    gradient = file["grad_output"]

    def attend():
        return modeling_mask2former.multi_scale_deformable_attention(
            inputs[0], LEVELS, inputs[1], inputs[2])

    out = attend()
    results = (out,) + torch.autograd.grad(out, inputs, gradient)
    for name, its in zip(("output", "grad_value", "grad_locations", "grad_weights"), results):
        # The gradient of a location jumps where a pixel ends, so that rounding may change a few.
        different = 1 - torch.isclose(file[name], its, 1e-3, 1e-4).float().mean().item()
        print(f"{name}: largest difference {(file[name] - its).abs().max():.1e}, "
              f"{different:.1e} of the numbers differ", file=sys.stderr)
        if different > 1e-4:
            sys.exit(f"{name} is not the same")

    def run(case):
        with torch.set_grad_enabled(case != "forward"):
            out = attend()
            if case != "forward":
                torch.autograd.grad(out, inputs, gradient)

    for line in sys.stdin:
        runs, start = 0, time.perf_counter()
        while runs < 2 or time.perf_counter() - start < 1:
            run(line.strip())
            runs += 1
        print((time.perf_counter() - start) * 1e3 / runs, flush=True)


def ours(case):
    env = dict(os.environ, OMP_NUM_THREADS=str(ARGS.threads), **TUNED)
    out = subprocess.run(
        [ARGS.binary, f"--benchmark_filter=^Run/{case}/", "--benchmark_min_time=1",
         "--benchmark_format=json"], env=env, text=True, check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout
    rows = json.loads(out)["benchmarks"]
    if len(rows) != 1:
        sys.exit(f"{ARGS.binary} has {len(rows)} benchmarks named Run/{case}")
    return rows[0]["real_time"]


def main(tensors):
    env = dict(os.environ, OMP_NUM_THREADS=str(ARGS.threads), **TUNED)
    subprocess.run([ARGS.binary], env=dict(env, M2F_BENCHMARK_TENSORS=tensors), check=True)
    process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--peer", tensors,
                                "--threads", str(ARGS.threads)], env=env, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def theirs(case):
        process.stdin.write(case + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        return float(line) if line else sys.exit(f"the peer ended with {process.wait()}")

    for case in CASES:
        rows = [(ours(case), theirs(case)) for _ in range(ARGS.rounds + 1)][1:]
        mine, its = zip(*rows)
        print(f"{case:17s} ours {statistics.median(mine):7.1f} ({min(mine):7.1f}) ms   Hugging Face "
              f"{statistics.median(its):7.1f} ({min(its):7.1f}) ms   "
              f"{statistics.median(its) / statistics.median(mine):5.1f} "
              f"({min(its) / min(mine):5.1f}) times", flush=True)
    print(f"{ARGS.threads} threads, {ARGS.rounds} rounds; median (minimum); load "
          f"{os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--binary",
                        default="bazel-bin/pixel_decoder/ops/ms_deform_attn_benchmark")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    ARGS = parser.parse_args()
    if ARGS.peer:
        peer(ARGS.peer, ARGS.threads)
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(f"{folder}/tensors.safetensors")
