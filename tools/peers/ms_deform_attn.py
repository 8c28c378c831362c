#!/usr/bin/env python3
"""Compares the speed of deformable attention with Hugging Face transformers'.

  bazel build //pixel_decoder/ops:ms_deform_attn_benchmark
  python3 tools/peers/ms_deform_attn.py --threads 2 --rounds 7

One encoder layer's attention on a crop of 512 x 1024, float32. Our benchmark writes its inputs, reads
as a trained model makes them, up to a few pixels from the query's own place, and what it makes of
them; the peer reads them and must come to the same. The two take turns, in processes of their own; a
round's time is the mean of a second of runs on either side, and the median and the minimum of the
rounds count. Both run with glibc told to keep freed memory, the peer's best setting.

  bazel build --config=cuda //pixel_decoder/ops:ms_deform_attn_benchmark
  python3 tools/peers/ms_deform_attn.py --device cuda --precision bf16

The same on a GPU, on an image of 1024 x 2048. Both sides have ten runs at a time in the GPU's queue, as
in a model, and wait for them; the peer's allocator, too, keeps what it had. TF32 is on, but neither side
multiplies matrices. Beside fp16 and bf16 ours keeps coordinates and weights in float32, as autocast does
for the peer; a second peer has all of them in the type, which is faster and reads at other places.

  forward, backward, forward_backward  locations and weights given
  fused_forward, fused_backward        offsets and logits given: the peer runs its module's own steps
                                       between the linear layers, which are left out

--compile adds the peer as torch.compile makes it, where that works. --binary may be a command: with an
unpacked //tools/bundle:gpu_check it is "gpu_check/run ms_deform_attn_benchmark".

Needs: torch, safetensors, transformers (timed with 4.57.1) for the peer.
"""
import argparse
import contextlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

CASES = {"cpu": ("forward", "forward_backward"),
         "cuda": ("forward", "backward", "forward_backward", "fused_forward", "fused_backward")}
INPUTS = {"": ("value", "locations", "weights"), "fused_": ("value", "offsets", "logits")}
# Of the mean, for halves: one rounding of the type, and where the peer divides offsets in it, the jumps
# of gradients.
LARGEST_DIFFERENCE = {"fp16": 0.002, "bf16": 0.01}
QUEUE = 10  # Runs, as in our benchmark.
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592",
         "THP_MEM_ALLOC_ENABLE": "1"}


def form_of(case):
    """The start of the names of what the case takes and gives."""
    return "fused_" if case.startswith("fused_") else ""


def start_torch():
    """The module, with the best settings."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    torch.set_num_threads(ARGS.threads)
    if ARGS.device == "cuda":
        if not torch.cuda.is_available():
            sys.exit(f"--device cuda: torch {torch.__version__} of {sys.executable} finds no GPU")
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return torch


def make_attention(torch, file, levels, form, dtype):
    """Hugging Face's operator: the tensors that it reads, and a function without arguments.

    dtype: what all of them are to be; None: as in the file.
    """
    from transformers.models.mask2former import modeling_mask2former

    def take(name):
        return file[name].to(dtype or file[name].dtype).requires_grad_()

    if not form:
        inputs = [take(name) for name in INPUTS[form]]
        run = modeling_mask2former.multi_scale_deformable_attention
        if ARGS.compiled:
            run = torch.compile(run, dynamic=False)
        return inputs, lambda: run(inputs[0], levels, inputs[1], inputs[2])

    class Given(torch.nn.Module):
        """In place of a linear layer."""

        def __init__(self, tensor):
            super().__init__()
            self.tensor = torch.nn.Parameter(tensor)

        def forward(self, _):
            return self.tensor

    inputs = [take("value")]
    heads, head_dim = inputs[0].shape[2:]
    points = file["logits"].shape[-1]
    module = modeling_mask2former.Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention(
        heads * head_dim, heads, len(levels), points)
    module.value_proj = module.output_proj = torch.nn.Identity()
    module.sampling_offsets, module.attention_weights = Given(take("offsets")), Given(take("logits"))
    inputs += [module.sampling_offsets.tensor, module.attention_weights.tensor]
    reference_points = take("reference_points").detach()
    if ARGS.compiled:
        module = torch.compile(module, dynamic=False)

    def attend():
        value = inputs[0].flatten(2)
        # Its queries would be read by the linear layers only.
        return module(value, encoder_hidden_states=value, reference_points=reference_points,
                      spatial_shapes_list=levels)[0]

    return inputs, attend


def compare(torch, name, ours, its, size):
    """Ends the program if they differ by more than rounding explains; says by how much they do.

    size: the largest height or width.
    """
    what = f"{name}: largest difference {(ours - its).abs().max():.1e}, "
    if ARGS.precision == "fp32":
        # The gradient of a location jumps where a pixel ends, so that rounding may change a few; it is
        # as many times larger as a level is, and so are its errors.
        absolute = 1e-4 * size if name == "grad_locations" else 1e-4
        different = 1 - torch.isclose(ours, its, 1e-3, absolute).float().mean().item()
        print(f"{what}{different:.1e} of the numbers differ", file=sys.stderr)
        same = different <= 1e-4
    else:
        different = ((ours - its).abs().mean() / its.abs().mean()).item()
        print(f"{what}mean difference {different:.1e} of the mean", file=sys.stderr)
        same = ARGS.all_half or different <= LARGEST_DIFFERENCE[ARGS.precision]
    if not same:
        sys.exit(f"{name} is not the same")


def peer():
    """Serves a peer: the name of a case in, a second of runs, milliseconds a run out.

    Before that, a line when it has come to our results.
    """
    torch = start_torch()
    from safetensors.torch import load_file

    if ARGS.compiled:  # Else the graph could not be kept.
        import torch._functorch.config
        torch._functorch.config.donated_buffer = False
    half = {"fp32": None, "fp16": torch.float16, "bf16": torch.bfloat16}[ARGS.precision]
    file = load_file(ARGS.peer, device=ARGS.device)
    levels = [tuple(shape) for shape in file["level_shapes"].view(-1, 2).tolist()]

    def autocast():
        if half is None or ARGS.all_half:
            return contextlib.nullcontext()
        return torch.autocast(ARGS.device, half)

    attentions, outputs = {}, {}
    for form in dict.fromkeys(map(form_of, ARGS.cases)):
        keep = form + "backward" in ARGS.cases
        try:
            inputs, attend = make_attention(torch, file, levels, form, half if ARGS.all_half else None)
            with autocast():
                out = attend()
            gradient = file["grad_output"].to(out.dtype)
            gradients = torch.autograd.grad(out, inputs, gradient, retain_graph=keep)
        except RuntimeError as error:
            sys.exit(f"this peer cannot run: {str(error).strip().splitlines()[0]}")
        attentions[form] = inputs, attend, gradient
        if keep:
            outputs[form] = out
        for name, its in zip(("output",) + tuple("grad_" + n for n in INPUTS[form]), (out,) + gradients):
            compare(torch, form + name, file[form + name].float(), its.float(), max(map(max, levels)))
        del out, gradients

    def run(case):
        form = form_of(case)
        inputs, attend, gradient = attentions[form]
        if case == form + "backward":
            torch.autograd.grad(outputs[form], inputs, gradient, retain_graph=True)
            return
        forward_only = case == form + "forward"
        with torch.set_grad_enabled(not forward_only), autocast():
            out = attend()
        if not forward_only:
            torch.autograd.grad(out, inputs, gradient)

    def finish():
        if ARGS.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    queue = QUEUE if ARGS.device == "cuda" else 1
    print("ready", flush=True)
    for line in sys.stdin:
        case = line.strip()
        if ARGS.device == "cuda":  # Wakes it up.
            for _ in range(queue):
                run(case)
        runs, start = 0, finish()
        while runs < 2 or finish() - start < 1:
            for _ in range(queue):
                run(case)
            runs += queue
        print((finish() - start) * 1e3 / runs, flush=True)


class Peer:
    """A process that runs peer()."""

    def __init__(self, name, flags, tensors):
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--peer", tensors, "--threads", str(ARGS.threads),
             "--device", ARGS.device, "--precision", ARGS.precision, "--cases", ",".join(ARGS.cases)] + flags,
            env=environment(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def is_ready(self):
        return bool(self.process.stdout.readline())

    def run(self, case):
        self.process.stdin.write(case + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return float(line) if line else sys.exit(f"{self.name} ended with {self.process.wait()}")


def environment():
    return dict(os.environ, OMP_NUM_THREADS=str(ARGS.threads), **TUNED)


def row_time(text, name):
    """Milliseconds of the only row in Google Benchmark's JSON."""
    try:
        rows = json.loads(text)["benchmarks"]
    except ValueError:
        rows = []
    if len(rows) != 1:
        sys.exit(f"{ARGS.binary} has {len(rows)} benchmarks named {name}")
    if rows[0].get("error_occurred"):
        sys.exit(f"{name}: {rows[0]['error_message']}")
    if rows[0]["time_unit"] != "ms":
        sys.exit(f"{name} is in {rows[0]['time_unit']}, not in ms")
    return rows[0]["real_time"]


def ours(case):
    name = f"Run/{case}" if ARGS.device == "cpu" else f"RunGpu/{ARGS.precision}_{case}"
    out = subprocess.run(
        shlex.split(ARGS.binary) + [f"--benchmark_filter=^{name}/", "--benchmark_min_time=1",
                                    "--benchmark_format=json"],
        env=environment(), text=True, check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout
    return row_time(out, name)


def write_tensors(path):
    more = {"M2F_BENCHMARK_TENSORS": path}
    if ARGS.device == "cuda":
        more["M2F_BENCHMARK_GPU"] = ARGS.precision
    try:
        if subprocess.run(shlex.split(ARGS.binary), env=dict(environment(), **more), check=False).returncode:
            sys.exit(1)  # It has said why.
    except OSError as error:
        sys.exit(f"--binary: {error}; build //pixel_decoder/ops:ms_deform_attn_benchmark first")


def start_peers(tensors):
    """The first is needed, the others are left out where they do not run."""
    peers = [("Hugging Face", [])]
    if ARGS.precision != "fp32":
        peers.append((f"Hugging Face, all {ARGS.precision}", ["--all_half"]))
    if ARGS.compile:
        peers += [(name + ", compiled", flags + ["--compiled"]) for name, flags in peers]
    started = []
    for name, flags in peers:
        candidate = Peer(name, flags, tensors)
        if candidate.is_ready():
            started.append(candidate)
            continue
        code = candidate.process.wait()
        if not started:
            sys.exit(1 if code == 1 else f"{name} ended with {code}")
        print(f"{name}: left out, for it does not run or gives something else", flush=True)
    return started


def summary(case, mine, name, its):
    """A line that compares times in ms."""
    digits = 1 if ARGS.device == "cpu" else 3
    width = 7 if ARGS.device == "cpu" else 8
    numbers = [f"{f(times):{width}.{digits}f}" for times in (mine, its) for f in (statistics.median, min)]
    return (f"{case:17s} ours {numbers[0]} ({numbers[1]}) ms   {name} {numbers[2]} ({numbers[3]}) ms   "
            f"{statistics.median(its) / statistics.median(mine):5.1f} ({min(its) / min(mine):5.1f}) times")


def main(tensors):
    write_tensors(tensors)
    peers = start_peers(tensors)
    for case in ARGS.cases:
        rows = [[ours(case)] + [p.run(case) for p in peers] for _ in range(ARGS.rounds + 1)][1:]
        mine, *others = zip(*rows)
        for p, its in zip(peers, others):
            print(summary(case, mine, p.name, its), flush=True)
    where = "" if ARGS.device == "cpu" else f"GPU, {ARGS.precision}, "
    print(f"{where}{ARGS.threads} threads, {ARGS.rounds} rounds; median (minimum); load "
          f"{os.getloadavg()[0]:.2f}")


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "fp16", "bf16"], default="fp32",
                        help="of values, offsets and logits; others than fp32 with --device cuda")
    parser.add_argument("--cases", help=f"a list out of {', '.join(CASES['cuda'])}")
    parser.add_argument("--compile", action="store_true", help="also the peer by torch.compile")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--binary", default="bazel-bin/pixel_decoder/ops/ms_deform_attn_benchmark")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--all_half", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--compiled", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    args.cases = tuple(args.cases.split(",")) if args.cases else CASES[args.device]
    for case in args.cases:
        if case not in CASES["cuda"]:
            parser.error(f"--cases: there is no '{case}'; there are {', '.join(CASES['cuda'])}")
    if args.device == "cpu" and args.precision != "fp32" and not args.peer:
        parser.error("--precision: on a CPU only fp32 is timed")
    if args.rounds < 1 or args.threads < 1:
        parser.error("--rounds and --threads must be positive")
    return args


if __name__ == "__main__":
    ARGS = parse(sys.argv[1:])
    if ARGS.peer:
        peer()
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(f"{folder}/tensors.safetensors")
