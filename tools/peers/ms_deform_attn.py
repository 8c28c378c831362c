#!/usr/bin/env python3
"""Compares the speed of deformable attention on the CPU with Hugging Face transformers'.

  bazel build //pixel_decoder/ops:ms_deform_attn_benchmark
  python3 tools/peers/ms_deform_attn.py --threads 2 --rounds 7

One encoder layer's attention on a crop of 512 x 1024, float32; both sides draw reads as a trained
model makes them, up to a few pixels from the query's own place. The two take turns, in processes of
their own; a round's time is the mean of a second of runs on either side, and the median and the
minimum of the rounds count. Both run with glibc told to keep freed memory, the peer's best setting.

Needs: torch, transformers (timed with 4.57.1) for the peer.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

LEVELS = [(16, 32), (32, 64), (64, 128)]
HEADS, HEAD_DIM, POINTS = 8, 32, 4
CASES = ("forward", "forward_backward")
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592",
         "THP_MEM_ALLOC_ENABLE": "1"}


def peer(threads):
    """Serves the peer: the name of a case in, a second of runs, milliseconds a run out."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from transformers.models.mask2former import modeling_mask2former

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    places = torch.cat([
        torch.stack(torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w,
                                   indexing="ij")[::-1], -1).view(-1, 2) for h, w in LEVELS])
    queries = len(places)
    sizes = torch.tensor([(w, h) for h, w in LEVELS]).view(1, 1, 1, -1, 1, 2)
    offsets = 2 * torch.randn(1, queries, HEADS, len(LEVELS), POINTS, 2)
    locations = places.view(1, -1, 1, 1, 1, 2) + offsets / sizes
    weights = torch.rand(1, queries, HEADS, len(LEVELS) * POINTS).softmax(-1).view(
        1, queries, HEADS, len(LEVELS), POINTS)
    value = torch.randn(1, queries, HEADS, HEAD_DIM)
    gradient = torch.randn(1, queries, HEADS * HEAD_DIM)
    inputs = [t.contiguous().requires_grad_() for t in (value, locations, weights)]

    def run(case):
        with torch.set_grad_enabled(case != "forward"):
            out = modeling_mask2former.multi_scale_deformable_attention(
                inputs[0], LEVELS, inputs[1], inputs[2])
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


def main():
    env = dict(os.environ, OMP_NUM_THREADS=str(ARGS.threads), **TUNED)
    process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--peer", "--threads",
                                str(ARGS.threads)], env=env, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)

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
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    ARGS = parser.parse_args()
    if ARGS.peer:
        peer(ARGS.threads)
    else:
        main()
