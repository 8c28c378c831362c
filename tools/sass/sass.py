#!/usr/bin/env python3
"""Counts the instructions that a GPU runs for a kernel, without a GPU.

  python3 tools/sass/sass.py pixel_decoder/ops/ms_deform_attn_kernel.cu --kernel 'Forward.*float'
  python3 tools/sass/sass.py FILE.cu --kernel NAME --trips 3,4 --items 48 --maximum 20.5
  python3 tools/sass/sass.py --each tools/sass/ms_deform_attn.txt

Compiles the source with nvcc to sm_90 (--arch), disassembles it and prints for each kernel whose
demangled name matches --kernel: registers, spills, instructions, and every loop with its depth, its
instructions (those of loops inside it included) and what they are: loads and stores of global (LDG,
STG) and shared memory (LDS, STS), adds in the memory (RED, ATOM, ATOMG), shuffles (SHFL), float
arithmetic and the rest.

--trips n1,n2,.. says how often loops at depth 1, 2, .. run for each time that they are entered, and
gives what one warp issues: the sum over all instructions, those on skipped paths included. --items
says how many results (queries x heads x samples, say) that warp has then worked on, and divides by
it. A loop that runs over work of its own (a stride over the grid) gets trip count 1. Where loops of one
depth run differently often, --loops n1,n2,.. says it for each in the order printed; 0 is a loop that is
not entered, as one that is unrolled further than it runs.

--maximum fails (exit code 1) where a kernel issues more for an item. --each does what the lines of a file
say, each the arguments of one call with paths from the repository's root, and prints a line for each.

Needs nvcc (CUDA_HOME, /usr/local/cuda or PATH) and nvdisasm: --nvdisasm, or NVDISASM, beside nvcc,
on PATH, or inside the Python package triton (site-packages/triton/backends/nvidia/bin). Exit code 3
without them.
"""

import argparse
import collections
import dataclasses
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTRUCTION = re.compile(r"/\*([0-9a-f]+)\*/\s+(?:@!?U?P[T\d]+\s+)?([A-Z][\w.]*)\s*([^;]*);")
LABEL = re.compile(r"^(\.L_\w+):")
SECTION = re.compile(r"^\.text\.(\S+):")
TARGET = re.compile(r"`\((\.L_\w+)\)")
GROUPS = {
    "LDG": "LDG", "LD": "LDG", "STG": "STG", "ST": "STG", "LDS": "LDS", "STS": "STS", "RED": "RED", "REDG": "RED",
    "ATOM": "ATOM", "ATOMG": "ATOM", "ATOMS": "ATOMS", "SHFL": "SHFL", "LDL": "LDL", "STL": "STL",
    "FFMA": "float", "FADD": "float", "FMUL": "float", "MUFU": "float", "FSEL": "float", "FSETP": "float",
    "FMNMX": "float", "HFMA2": "float", "HADD2": "float", "HMUL2": "float", "DFMA": "float", "DADD": "float",
    "DMUL": "float",
}


@dataclasses.dataclass
class Loop:
    """Instructions first .. last of a kernel, by position."""

    first: int
    last: int
    depth: int = 1


@dataclasses.dataclass
class Kernel:
    """One kernel's code without the padding behind it."""

    name: str
    operations: list  # "LDG.E.128", in order.
    loops: list

    def count(self, first=0, last=None):
        """How many instructions of each group lie in first .. last."""
        part = self.operations[first:None if last is None else last + 1]
        return collections.Counter(GROUPS.get(o.partition(".")[0], "other") for o in part)

    def weighted(self, trips):
        """Instructions that a warp issues if a loop at depth d runs trips[d - 1] times."""
        return self.weighted_by_loop([trips[l.depth - 1] if l.depth <= len(trips) else 1 for l in self.loops])

    def weighted_by_loop(self, trips):
        """The same if loop i, of those in `loops`, runs trips[i] times for each time it is reached."""
        weights = [1] * len(self.operations)
        for loop, count in zip(self.loops, trips):
            for i in range(loop.first, loop.last + 1):
                weights[i] *= count
        return sum(weights)


def find_loops(addresses, branches):
    """Loops are backward branches; those that share a head are one."""
    position = {address: i for i, address in enumerate(addresses)}
    ends = {}
    for source, target in branches:
        if target < source and target in position:
            ends[target] = max(ends.get(target, 0), source)
    loops = [Loop(position[head], position[end]) for head, end in sorted(ends.items())]
    for loop in loops:
        loop.depth = sum(o.first <= loop.first and loop.last <= o.last for o in loops)
    return loops


def parse(text):
    """The kernels of `nvdisasm -c`."""
    kernels = []
    for chunk in re.split(r"(?m)^(?=\.text\.\S+:)", text):
        section = SECTION.match(chunk)
        if not section:
            continue
        instructions, labels, pending = [], {}, []
        for line in chunk.splitlines()[1:]:
            label = LABEL.match(line)
            if label:
                pending.append(label.group(1))
                continue
            found = INSTRUCTION.search(line)
            if found:
                address = int(found.group(1), 16)
                labels.update((name, address) for name in pending)
                pending = []
                instructions.append((address, found.group(2), found.group(3)))
        branches = []
        for address, operation, operands in instructions:
            target = TARGET.search(operands)
            if operation.startswith("BRA") and target and target.group(1) in labels:
                branches.append((address, labels[target.group(1)]))
        # Behind the code: a branch to itself, then NOPs up to the alignment.
        traps = {source for source, target in branches if source == target}
        kept = [(a, o) for a, o, _ in instructions if o != "NOP" and a not in traps]
        kernels.append(Kernel(section.group(1), [o for _, o in kept],
                              find_loops([a for a, _ in kept], branches)))
    return kernels


def parse_resources(text):
    """Kernel -> "40 registers, 0 bytes spilled", of `ptxas -v`."""
    result, name, spilled = {}, None, 0
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\S+)'", line):
            name = found.group(1)
        elif found := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(found.group(1)) + int(found.group(2))
        elif (found := re.search(r"Used (\d+) registers(.*)", line)) and name:
            result[name] = f"{found.group(1)} registers, {spilled} bytes spilled"
    return result


def demangle(names):
    program = shutil.which("c++filt")
    if not program or not names:
        return dict(zip(names, names))
    out = subprocess.run([program], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    short = [re.sub(r"\(anonymous namespace\)::|_GLOBAL__N__\w+?::|mask2former::|ops::", "", n)
             for n in out.splitlines()]
    return dict(zip(names, short))


def give_up(message):
    """Ends the program for lack of a tool, which is no verdict on the kernels."""
    print(message, file=sys.stderr)
    sys.exit(3)


def find_nvcc():
    for path in [os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin/nvcc"), shutil.which("nvcc")]:
        if path and os.path.exists(path):
            return path
    return give_up("sass: nvcc not found: set CUDA_HOME to the CUDA toolkit")


def find_nvdisasm(given, nvcc):
    triton = importlib.util.find_spec("triton")
    inside = triton and triton.origin and os.path.join(os.path.dirname(triton.origin), "backends/nvidia/bin/nvdisasm")
    for path in [given, os.environ.get("NVDISASM"), os.path.join(os.path.dirname(nvcc), "nvdisasm"),
                 shutil.which("nvdisasm"), inside]:
        if path and os.path.exists(path):
            return path
    return give_up("sass: nvdisasm not found: give --nvdisasm; `pip install triton` has one in "
                   "triton/backends/nvidia/bin")


def disassemble(source, arch, nvcc, nvdisasm, flags):
    """`nvdisasm -c` and `ptxas -v` of a source."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT, os.path.join(folder, "mask2former"))
        cubin = os.path.join(folder, "kernel.cubin")
        compiled = subprocess.run(
            [nvcc, "--std=c++17", "-O3", "--expt-relaxed-constexpr", f"-arch=sm_{arch}", "-cubin", "-Xptxas=-v",
             "-I", folder, *flags, source, "-o", cubin], capture_output=True, text=True, check=False)
        if compiled.returncode != 0:
            sys.exit(compiled.stderr)
        return subprocess.run([nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout, \
            compiled.stdout + compiled.stderr


def describe(counts):
    return f"{sum(counts.values())} instructions: " + ", ".join(
        f"{n} {group}" for group, n in sorted(counts.items(), key=lambda item: (item[0] == "other", item[0])))


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?")
    parser.add_argument("--kernel", default="", help="regular expression for the demangled name")
    parser.add_argument("--arch", default="90")
    parser.add_argument("--trips", default="", help="how often loops run, by depth: 3,4")
    parser.add_argument("--loops", default="", help="the same for each loop, in the order printed: 1,0,2")
    parser.add_argument("--items", type=float, default=0, help="results that a warp works on")
    parser.add_argument("--maximum", type=float, help="of what a warp may issue for an item")
    parser.add_argument("--each", help="file of arguments, a call in each line")
    parser.add_argument("--nvdisasm", default="")
    parser.add_argument("--flag", action="append", default=[], help="one more flag for nvcc, such as --flag=-DX=1")
    return parser


def parse_arguments(words):
    """What they say, with at least a source or a file of calls."""
    parser = make_parser()
    arguments = parser.parse_args(words)
    if (arguments.source is None) == (arguments.each is None):
        parser.error("give a source or --each")
    if arguments.maximum is not None and not arguments.items > 0:
        parser.error("--maximum is for each of --items")
    return arguments


def read_calls(path):
    """The calls that a file lists; lines that begin with # are comments."""
    calls = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = shlex.split(line, comments=True)
            if words:
                calls.append(parse_arguments(words))
                calls[-1].source = os.path.join(ROOT, calls[-1].source)
    if not calls:
        sys.exit(f"sass: {path} lists nothing")
    return calls


def print_kernel(kernel, name, arch, resources):
    print(f"{name}  (sm_{arch})")
    print(f"  {resources}")
    print(f"  {describe(kernel.count())}")
    for loop in kernel.loops:
        inner = not any(o.first >= loop.first and o.last <= loop.last and o is not loop for o in kernel.loops)
        print(f"  {'  ' * loop.depth}{'innermost ' if inner else ''}loop, depth {loop.depth}: "
              f"{describe(kernel.count(loop.first, loop.last))}")


def issued_by_warp(kernel, arguments):
    trips = [float(t) for t in arguments.trips.split(",") if t]
    by_loop = [float(t) for t in arguments.loops.split(",") if t]
    if by_loop and len(by_loop) != len(kernel.loops):
        sys.exit(f"sass: --loops has {len(by_loop)} numbers, the kernel {len(kernel.loops)} loops")
    if not (trips or by_loop or arguments.items):
        return None
    return kernel.weighted_by_loop(by_loop) if by_loop else kernel.weighted(trips)


def count_kernels(arguments, code, log, brief):
    """Prints what one call asks for; whether all kernels that it means exist and keep its maximum."""
    kernels, resources = parse(code), parse_resources(log)
    names = demangle([k.name for k in kernels])
    shown = [k for k in kernels if re.search(arguments.kernel, names[k.name])]
    good = True
    for kernel in shown:
        if not brief:
            print_kernel(kernel, names[kernel.name], arguments.arch, resources.get(kernel.name, "registers unknown"))
        issued = issued_by_warp(kernel, arguments)
        if issued is None:
            continue
        line = f"  a warp issues {issued:g}"
        if arguments.items:
            line += f"; {issued / arguments.items:.2f} for each of {arguments.items:g} items"
        if arguments.maximum is not None:
            fits = issued / arguments.items <= arguments.maximum
            good = good and fits
            line += f", at most {arguments.maximum:g} wanted" + ("" if fits else ": TOO MANY")
        print(names[kernel.name].partition("(")[0] + ":" + line[1:] if brief else line)
    if not shown:
        print(f"no kernel matches {arguments.kernel!r}; there are:\n  " + "\n  ".join(names.values()))
    return good and bool(shown)


def main():
    arguments = parse_arguments(sys.argv[1:])
    nvcc = find_nvcc()
    nvdisasm = find_nvdisasm(arguments.nvdisasm, nvcc)
    calls = read_calls(arguments.each) if arguments.each else [arguments]
    disassembled, good = {}, True
    for call in calls:
        what = (call.source, call.arch, nvcc, nvdisasm, tuple(call.flag))
        if what not in disassembled:
            disassembled[what] = disassemble(*what)
        good = count_kernels(call, *disassembled[what], brief=bool(arguments.each)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
