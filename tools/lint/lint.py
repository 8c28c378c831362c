#!/usr/bin/env python3
"""Checks what compilers do not: format, folder order, includes against deps, visibility, guards, logging.

  python3 tools/lint/lint.py [CHECKOUT]        prints one line per problem; exit code 1 if any
  python3 tools/lint/lint.py --fix [CHECKOUT]  formats C++ sources, sorts BUILD files and corrects
                                               their deps in place first

Needs only Python's standard library and clang-format (version 14 decides; others are told apart by
a note, because they format differently).
"""

import os
import re
import shutil
import subprocess
import sys

import build_lists
import outside_headers

CLANG_FORMAT_VERSION = "14"

# Folder -> the folders whose headers it may include, besides its own.
PIECES = ["backbone", "pixel_decoder", "transformer_decoder", "matcher", "data"]
ALLOWED = {"common": set()}
for _piece in PIECES:
    ALLOWED[_piece] = {"common"}
ALLOWED["model"] = {"common", *PIECES}
ALLOWED["eval"] = ALLOWED["model"] | {"model"}
ALLOWED["train"] = ALLOWED["eval"] | {"eval"}
ALLOWED["configs"] = ALLOWED["train"] | {"train"}
ALLOWED["tools"] = ALLOWED["configs"] | {"configs"}
# Programs are composition roots: they may read a whole experiment.
PROGRAM = re.compile(r"^(train|eval)/main(_.*)?\.(cc|h)$")

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
CPP = (".h", ".cc", ".cu", ".cuh")
# Rules whose source is <name>.cc unless they say otherwise.
TESTS_ITS_NAME = ("m2f_cc_test", "m2f_cc_benchmark", "m2f_cuda_kernel_test", "cuda_emulation_test")
GPU_BUNDLE = ("tools/bundle", "gpu_check")
REQUIRES_CUDA = ("common/testing", "requires_cuda")


def tracked_files(root):
    """Paths of the checkout's own files, relative to it."""
    try:
        out = subprocess.run(
            ["git", "-C", root, "-c", "safe.directory=*", "ls-files", "--cached", "--others",
             "--exclude-standard"],
            capture_output=True, text=True, check=True).stdout
        return sorted(p for p in out.splitlines() if os.path.isfile(os.path.join(root, p)))
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if not f.startswith(("bazel-", ".git"))]
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
        return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def check_guard(path, text):
    if not path.endswith(".h"):
        return []
    want = "MASK2FORMER_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
    directives = re.findall(r"^#\s*(ifndef|define)\s+(\w+)", text, re.M)
    if directives[:2] == [("ifndef", want), ("define", want)]:
        return []
    return [f"{path}: the include guard must be {want}"]


def check_includes(path, text):
    problems = []
    top = path.split("/")[0]
    for quote, header in INCLUDE.findall(text):
        if header == "glog/logging.h" and path != "common/logging.h":
            problems.append(f"{path}: include mask2former/common/logging.h instead of {header}")
        if not header.startswith("mask2former/"):
            continue
        if quote == "<":
            problems.append(f'{path}: include "{header}" with quotes')
        other = header.split("/")[1]
        if other == top or top not in ALLOWED:
            continue
        allowed = ALLOWED[top] | ({"configs", "train"} if PROGRAM.search(path) else set())
        if other not in allowed:
            problems.append(f"{path}: {top}/ may not depend on {other}/ ({header})")
    return problems


class Target:
    """One rule of a BUILD file, as far as this linter cares."""

    def __init__(self, package, kind, attributes):
        self.package, self.kind, self.attributes = package, kind, attributes
        self.name = attributes.get("name", "")
        self.label = (package, self.name)

    def files(self, attribute):
        return [f"{self.package}/{f}" if self.package else f
                for f in self.attributes.get(attribute) or [] if isinstance(f, str)]

    def sources(self):
        sources = self.files("srcs") + self.files("hdrs") + self.files("stand_ins")
        if self.kind in TESTS_ITS_NAME and not self.attributes.get("srcs"):
            sources.append(f"{self.package}/{self.name}.cc")
        return sources

    def deps(self):
        """Label as written -> (package, name), or the label again for outside ones."""
        found = {}
        for dep in (self.attributes.get("deps") or []) + (self.attributes.get("kernels") or []):
            found[dep] = dep if dep.startswith("@") else parse_label(dep, self.package)
        return found

    def write(self, label):
        """A label as this target's `deps` write it."""
        if isinstance(label, str):
            return label
        package, name = label
        if package == self.package:
            return f":{name}"
        return f"//{package}" if name == package.rpartition("/")[2] else f"//{package}:{name}"


def parse_label(text, here):
    package, _, name = text.partition(":")
    package = package[2:] if package.startswith("//") else here
    return package, name or package.rpartition("/")[2]


def read_build(package, text):
    """The targets of a BUILD file: BUILD files are Python once every rule is a function."""
    targets = []

    class Names(dict):
        def __missing__(self, name):
            def rule(*args, **attributes):
                if name == "glob":
                    return []
                if name == "select":
                    return [v for values in args[0].values() for v in values or []]
                if "name" in attributes:
                    targets.append(Target(package, name, attributes))
                return None

            return rule

    code = re.sub(r"^load\(.*?\)\n", "", text, flags=re.M | re.S)
    exec(compile(code, package + "/BUILD", "exec"), Names(dict=dict))  # pylint: disable=exec-used
    return targets


def check_builds(root, files, fix=False):
    problems, targets = [], {}
    ours = [f for f in files if not f.startswith(("third_party/", "examples/"))]
    for path in ours:
        if os.path.basename(path) == "BUILD":
            for target in read_build(os.path.dirname(path), read(root, path)):
                targets[target.label] = target
    provider = {}  # Header -> label.
    listed = set()
    for label, target in targets.items():
        for header in target.files("hdrs"):
            provider["mask2former/" + header] = label
        listed.update(target.sources())
        if target.kind == "m2f_proto_library":
            name = target.name[: -len("_proto")] + "_cc_proto"
            for source in target.files("srcs"):
                provider["mask2former/" + source[: -len(".proto")] + ".pb.h"] = (target.package, name)
    changes = {}  # Package -> what build_lists.rewrite() takes.
    for target in targets.values():
        if target.kind.startswith(("m2f_cc_", "m2f_cuda_")):
            problems += check_deps(root, target, targets, provider, changes.setdefault(target.package, {}))
    for path in ours:
        if os.path.basename(path) == "BUILD":
            text = read(root, path)
            problems += build_lists.check_visibility(path, text) + build_lists.check_order(path, text)
            new = build_lists.rewrite(text, changes.get(os.path.dirname(path), {})) if fix else text
            if new != text:
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(new)
    if fix:
        return check_builds(root, files)
    problems += check_gpu_bundle(targets)
    for path in ours:
        if path.endswith(CPP) and path not in listed:
            problems.append(f"{path}: in no target")
    return problems


def check_deps(root, target, targets, provider, changes):
    """`deps` list what the sources include, and nothing else; what differs goes into `changes`, too."""
    problems, deps, used = [], target.deps(), set()
    here = f"//{target.package}:{target.name}"
    add, drop = changes.setdefault(target.name, ([], []))
    for source in target.sources():
        if not source.endswith(CPP) or not os.path.exists(os.path.join(root, source)):
            continue
        for _, header in INCLUDE.findall(read(root, source)):
            ours = header.startswith("mask2former/")
            try:
                owner = provider[header] if ours else outside_headers.owner(header)
            except KeyError:
                problems.append(f"{source}: no target has {header}" if ours else
                                f"{source}: say in tools/lint/outside_headers.py which target has {header}")
                continue
            if owner is None or owner == target.label or owner in used:
                continue
            used.add(owner)
            if owner not in deps.values() and target.kind not in outside_headers.ADDED_BY_RULE.get(owner, ()):
                add.append(target.write(owner))
                problems.append(f"{here}: {source} includes {header}; add {target.write(owner)} to deps")
    for written, dep in deps.items():
        if dep in used or dep in outside_headers.LINKED_ONLY:
            continue
        other = targets.get(dep)
        if isinstance(dep, str) or (other and other.attributes.get("hdrs") and not other.attributes.get("alwayslink")):
            drop.append(written)
            problems.append(f"{here}: dep {written} is not included")
    return problems


def check_gpu_bundle(targets):
    """What needs a GPU is in the bundle that runs it where there is one, and so are the kernels' tests."""
    bundle = targets.get(GPU_BUNDLE)
    if bundle is None:
        return []
    held = set()
    for label in bundle.attributes["binaries"]:
        held.add(parse_label(label, GPU_BUNDLE[0]))
    here = "//%s:%s" % GPU_BUNDLE
    return [f"{here}: add //{t.package}:{t.name} to binaries" for t in targets.values()
            if t.label not in held
            and (t.kind == "m2f_cuda_kernel_test" or "gpu" in (t.attributes.get("tags") or [])
                 or REQUIRES_CUDA in t.deps().values())]


def check_format(root, sources, fix):
    program = shutil.which("clang-format")
    if not program:
        return ["clang-format is not installed (Debian: apt-get install clang-format)"]
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(rf"version {CLANG_FORMAT_VERSION}\.", version):
        print(f"note: format not checked: clang-format {CLANG_FORMAT_VERSION} decides, here is {version.strip()}")
        return []
    if fix:
        subprocess.run([program, "-i", *sources], cwd=root, check=True)
        return []
    problems = []
    for start in range(0, len(sources), 50):
        result = subprocess.run([program, "--dry-run", *sources[start:start + 50]], cwd=root,
                                capture_output=True, text=True, check=True)
        for path in dict.fromkeys(re.findall(r"^(\S+?):\d+:\d+: warning: code should be", result.stderr, re.M)):
            problems.append(f"{path}: not formatted; run python3 tools/lint/lint.py --fix")
    return problems


def main(arguments):
    fix = "--fix" in arguments
    rest = [a for a in arguments if a != "--fix"]
    root = os.path.abspath(rest[0] if rest else os.path.join(os.path.dirname(__file__), "../.."))
    files = tracked_files(root)
    sources = [f for f in files if f.endswith(CPP)]
    problems = check_format(root, sources, fix)
    for path in sources:
        text = read(root, path)
        problems += check_guard(path, text) + check_includes(path, text)
    problems += check_builds(root, files, fix)
    for problem in problems:
        print(problem)
    print(f"lint: {len(sources)} sources, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
