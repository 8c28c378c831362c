"""@libtorch//:torch and :torch_cuda.

From LIBTORCH_ROOT (a folder with include/ and lib/: an unpacked LibTorch, or the `torch` folder of
an installed wheel) where that is set, else from the wheel that pip downloads. The wheel's Python
part is not used.
"""

LIBTORCH_VERSION = "2.11.0"

# What libtorch_cpu.so of the CUDA wheel loads even where there is no GPU.
_COMPANIONS = ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]

# Folders below include/ that nobody here needs. `google` is an old protobuf that would shadow the
# real one.
_LEFT_OUT = [
    "dnnl",
    "fbgemm",
    "google",
    "kineto",
    "pybind11",
    "tensorpipe",
    "xnnpack",
]

_BUILD = """
package(default_visibility = ["//visibility:public"])

# Headers and the CPU library. Users of at::parallel_for must compile with -fopenmp, or it runs on
# one thread without a word; the m2f_cc rules do.
cc_library(
    name = "torch",
    srcs = [{cpu}],
    hdrs = glob(["include/**"]),
    includes = [
        "include",
        "include/torch/csrc/api/include",
    ],
    # libgomp and the CUDA companions are reached through libtorch_cpu.so only.
    linkopts = ["-Wl,--allow-shlib-undefined"],
)

# Adds what runs on a GPU. The CUDA libraries that libtorch_cuda.so needs are those of pip's packages
# where the wheel was installed with them, else the host's.
cc_library(
    name = "torch_cuda",
    srcs = [{cuda}],
    # Old tags: a library's path, unlike a program's, is not looked at for what its libraries need.
    linkopts = ["-Wl,--allow-shlib-undefined,--disable-new-dtags", {cuda_paths}],
    deps = [":torch"],
    alwayslink = True,
)
"""

_CPU = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"]
_CUDA = ["libtorch_cuda.so", "libc10_cuda.so", "libtorch_nvshmem.so"]

def _download(repository_ctx):
    python = repository_ctx.which("python3")
    if not python:
        fail("python3 with pip is needed to fetch LibTorch (or set LIBTORCH_ROOT)")
    machine = repository_ctx.execute(["uname", "-m"]).stdout.strip()
    repository_ctx.report_progress("Downloading LibTorch %s (530 MB)" % LIBTORCH_VERSION)
    for requirement in ["torch==" + LIBTORCH_VERSION] + _COMPANIONS:
        result = repository_ctx.execute(
            [
                python,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary=:all:",
                "--python-version=3.11",
                "--implementation=cp",
                "--platform=manylinux_2_28_" + machine,
                "--platform=manylinux_2_27_" + machine,
                "--platform=manylinux_2_25_" + machine,
                "--platform=manylinux_2_17_" + machine,
                "--platform=manylinux2014_" + machine,
                "--dest=wheels",
                requirement,
            ],
            timeout = 3600,
        )
        if result.return_code:
            fail("pip could not download %s; set LIBTORCH_ROOT to use a LibTorch you have.\n%s" %
                 (requirement, result.stderr))
    for wheel in repository_ctx.path("wheels").readdir():
        repository_ctx.report_progress("Unpacking " + wheel.basename)
        result = repository_ctx.execute([python, "-m", "zipfile", "-e", wheel, "wheel"], timeout = 3600)
        if result.return_code:
            fail("could not unpack %s: %s" % (wheel, result.stderr))
    repository_ctx.delete("wheels")
    return repository_ctx.path("wheel/torch")

def _libtorch_repository_impl(repository_ctx):
    root = repository_ctx.os.environ.get("LIBTORCH_ROOT", "")
    if root:
        root = repository_ctx.path(root)
        if not root.get_child("lib").get_child("libtorch_cpu.so").exists:
            fail("LIBTORCH_ROOT=%s has no lib/libtorch_cpu.so; name the folder that holds include/ and lib/" % root)
    else:
        root = _download(repository_ctx)

    # By name, for what is left out must not be seen at all: compilers look into folders, not into
    # lists of headers.
    for folder in root.get_child("include").readdir():
        if folder.basename not in _LEFT_OUT:
            repository_ctx.symlink(folder, "include/" + folder.basename)

    # Folders of the packages that a wheel is installed with.
    folders = [root.get_child("lib")]
    packages = repository_ctx.path(str(root.dirname) + "/nvidia")
    if packages.exists:
        libs = [package.get_child("lib") for package in packages.readdir()]
        folders += [lib for lib in libs if lib.exists]

    # One folder for all that is linked, so that each library finds the others beside itself.
    found = {}
    for name in _CPU + _CUDA:
        for folder in folders:
            library = folder.get_child(name)
            if name not in found and library.exists:
                repository_ctx.symlink(library, "lib/" + name)
                found[name] = True
    repository_ctx.file("BUILD", _BUILD.format(
        cpu = ", ".join(['"lib/%s"' % name for name in _CPU if name in found]),
        cuda = ", ".join(['"lib/%s"' % name for name in _CUDA if name in found]),
        cuda_paths = ", ".join(['"-Wl,-rpath,%s"' % folder for folder in folders[1:]]),
    ))

libtorch_repository = repository_rule(
    implementation = _libtorch_repository_impl,
    environ = ["LIBTORCH_ROOT"],
)
