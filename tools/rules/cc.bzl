"""cc_* with this repository's warnings and include prefix."""

# -fopenmp: without it at::parallel_for runs on one thread.
_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Werror",
    "-fopenmp",
]

_LINKOPTS = ["-fopenmp"]

# A test is compiled far more often than it runs long: without optimisation in a quarter less time. What
# it calls is optimised. (Debian's fortified functions need optimisation.)
_TEST_COPTS = [
    "-O0",
    "-U_FORTIFY_SOURCE",
]

# Who may take tests and benchmarks: the archive that runs them on a GPU host.
_BUNDLE = [str(Label("//tools/bundle:__pkg__"))]

def m2f_cc_library(name, srcs = [], hdrs = [], copts = [], linkopts = [], **kwargs):
    """A library whose headers are included as "mask2former/<path>"."""
    for src in srcs:
        if src.endswith(".h"):
            fail("%s: list headers in hdrs; srcs do not get the prefix" % src)
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _COPTS + copts,
        include_prefix = "mask2former",
        linkopts = _LINKOPTS + linkopts,
        strip_include_prefix = "/",
        **kwargs
    )

def m2f_cc_binary(name, srcs, copts = [], **kwargs):
    """A program."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = _COPTS + copts,
        linkopts = _LINKOPTS,
        **kwargs
    )

def m2f_cc_test(name, deps, srcs = None, size = "small", copts = [], linkopts = [], **kwargs):
    """Tests <name>.cc with GoogleTest."""
    kwargs.setdefault("visibility", _BUNDLE)
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs or [name + ".cc"],
        copts = _COPTS + _TEST_COPTS + copts,
        linkopts = _LINKOPTS + linkopts,
        deps = deps + [
            "@com_google_googletest//:gtest",
            "@com_google_googletest//:gtest_main",
        ],
        **kwargs
    )

def m2f_cc_benchmark(name, deps, **kwargs):
    """Benchmark binary <name>, and <name>_smoke_test that runs it for a moment."""
    kwargs.setdefault("visibility", _BUNDLE)
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        copts = _COPTS,
        linkopts = _LINKOPTS,
        deps = deps + ["@com_github_google_benchmark//:benchmark"],
        **kwargs
    )
    native.sh_test(
        name = name + "_smoke_test",
        srcs = [str(Label("//tools/rules:benchmark_smoke_test.sh"))],
        args = ["$(location :%s)" % name],
        data = [":" + name],
        **kwargs
    )
