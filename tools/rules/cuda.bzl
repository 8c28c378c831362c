"""CUDA kernels: compiled by nvcc for a GPU, and as C++ for tests on any machine."""

load("@cuda//:nvcc.bzl", "NVCC")
load("//tools/config:cuda_architectures.bzl", "CUDA_ARCHITECTURES", "CUDA_PTX_ARCHITECTURE")
load(":cc.bzl", "m2f_cc_library", "m2f_cc_test")

_NVCC_FLAGS = [
    "--std=c++17",
    "-O3",
    "--expt-relaxed-constexpr",
    "-Xcompiler=-fPIC,-Wall,-Wextra",
    "-Werror=all-warnings",
] + [
    "-gencode=arch=compute_%s,code=sm_%s" % (a, a)
    for a in CUDA_ARCHITECTURES
] + ["-gencode=arch=compute_%s,code=compute_%s" % (CUDA_PTX_ARCHITECTURE, CUDA_PTX_ARCHITECTURE)]

# target_compatible_with of whatever needs the toolkit: left out of //... unless --config=cuda.
CUDA_ONLY = select({
    str(Label("//tools/config:cuda")): [],
    "//conditions:default": ["@platforms//:incompatible"],
})

_EMULATION = str(Label("//tools/cuda_emulation:runtime"))

_EMULATED_COPTS = [
    "-fno-strict-aliasing",  # float4* on float*, as kernels do.
    "-Wno-subobject-linkage",  # The .cu file is included by a .cc file.
    "-Wno-unknown-pragmas",  # unroll
]

# The runtime, not ThreadSanitizer, answers the calls that this puts before loads and stores.
# A sanitizer of the whole build goes before.
_RACE_COPTS = select({
    str(Label("//tools/config:asan")): [],
    str(Label("//tools/config:tsan")): [],
    "//conditions:default": [
        "-fsanitize=thread",
        "--param=tsan-instrument-func-entry-exit=0",
    ],
})

_SANITIZED_COPTS = select({
    str(Label("//tools/config:tsan")): [],
    "//conditions:default": [
        "-fsanitize=address,undefined,float-cast-overflow",
        "-fno-sanitize=vptr",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
        "-O1",
        "-g1",
    ],
})

_SANITIZED_LINKOPTS = select({
    str(Label("//tools/config:tsan")): [],
    "//conditions:default": ["-fsanitize=address,undefined"],
})

# ThreadSanitizer cannot follow fibres.
_NOT_UNDER_TSAN = select({
    str(Label("//tools/config:tsan")): ["@platforms//:incompatible"],
    "//conditions:default": [],
})

# Finds races only where _RACE_COPTS do.
_NOT_SANITIZED = select({
    str(Label("//tools/config:asan")): ["@platforms//:incompatible"],
    str(Label("//tools/config:tsan")): ["@platforms//:incompatible"],
    "//conditions:default": [],
})

def _cuda_objects_impl(ctx):
    if not NVCC:
        fail("%s needs the CUDA toolkit: set CUDA_HOME, or build without --config=cuda" % ctx.label)
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    objects = []
    for source in ctx.files.srcs:
        output = ctx.actions.declare_file("%s/%s.o" % (ctx.label.name, source.basename))
        arguments = ctx.actions.args()
        arguments.add_all(_NVCC_FLAGS)
        arguments.add_all(context.defines, before_each = "-D")
        arguments.add_all(context.includes, before_each = "-I")
        arguments.add_all(context.quote_includes, before_each = "-I")
        arguments.add_all(context.system_includes, before_each = "-isystem")
        arguments.add_all(["-c", source, "-o", output])
        ctx.actions.run(
            executable = NVCC,
            arguments = [arguments],
            inputs = depset([source], transitive = [context.headers]),
            outputs = [output],
            env = {"PATH": "/bin:/usr/bin:/usr/local/bin"},
            mnemonic = "CudaCompile",
            progress_message = "Compiling %s with nvcc" % source.short_path,
        )
        objects.append(output)
    return [DefaultInfo(files = depset(objects))]

_cuda_objects = rule(
    implementation = _cuda_objects_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "srcs": attr.label_list(allow_files = [".cu"]),
    },
)

def _emulated_sources_impl(ctx):
    outputs = []
    for source in ctx.files.srcs:
        output = ctx.actions.declare_file("%s/%s.cc" % (ctx.label.name, source.basename[:-len(".cu")]))
        ctx.actions.write(output, '#include "%s"\n' % source.path)
        outputs.append(output)
    return [DefaultInfo(files = depset(outputs))]

# x.cu -> x.cc that includes it, since a cc_library takes no .cu.
_emulated_sources = rule(
    implementation = _emulated_sources_impl,
    attrs = {"srcs": attr.label_list(allow_files = [".cu"])},
)

def m2f_cuda_library(name, srcs, hdrs, deps = [], testonly = False, **kwargs):
    """Kernels whose launch functions `hdrs` declare, without LibTorch.

    <name> needs --config=cuda. <name>_emulated and <name>_emulated_sanitized are the same sources
    as C++ on //tools/cuda_emulation, built everywhere, for m2f_cuda_kernel_test.

    `deps` are what both compilers can read: headers, or libraries without CUDA.
    """
    m2f_cc_library(
        name = name + "_headers",
        hdrs = hdrs,
        deps = deps + ["@cuda//:cudart"],
        target_compatible_with = CUDA_ONLY,
        testonly = testonly,
    )
    _cuda_objects(
        name = name + "_objects",
        srcs = srcs,
        deps = [":%s_headers" % name],
        target_compatible_with = CUDA_ONLY,
        testonly = testonly,
    )
    m2f_cc_library(
        name = name,
        srcs = [":%s_objects" % name],
        deps = [":%s_headers" % name],
        target_compatible_with = CUDA_ONLY,
        testonly = testonly,
        **kwargs
    )
    _emulated_sources(
        name = name + "_emulated_sources",
        srcs = srcs,
    )
    for suffix, copts, linkopts, architecture in [
        ("", _RACE_COPTS, [], "900"),
        ("_sanitized", _SANITIZED_COPTS, _SANITIZED_LINKOPTS, "800"),
    ]:
        m2f_cc_library(
            name = name + "_emulated" + suffix,
            testonly = True,
            srcs = [":%s_emulated_sources" % name],
            hdrs = hdrs,
            copts = _EMULATED_COPTS + copts + ["-D__CUDA_ARCH__=" + architecture],
            linkopts = linkopts,
            textual_hdrs = srcs,
            deps = deps + [_EMULATION + suffix],
            **kwargs
        )

def m2f_cuda_kernel_test(name, kernels, deps = [], tags = [], **kwargs):
    """Tests <name>.cc, which calls the launch functions of `kernels` and knows no LibTorch.

    <name> runs the emulated kernels, or with --config=cuda those for the GPU. <name>_sanitized runs
    the emulated ones under AddressSanitizer and UndefinedBehaviorSanitizer, always.
    """
    m2f_cc_test(
        name = name,
        tags = tags + ["gpu"],
        target_compatible_with = _NOT_UNDER_TSAN,
        deps = deps + select({
            str(Label("//tools/config:cuda")): kernels + ["@cuda//:cudart_static"],
            "//conditions:default": [kernel + "_emulated" for kernel in kernels] + [_EMULATION],
        }),
        **kwargs
    )
    _sanitized_test(
        name = name,
        tags = tags,
        deps = deps + [kernel + "_emulated_sanitized" for kernel in kernels],
        **kwargs
    )

def cuda_emulation_test(name, kernels = [], deps = [], sanitized = True, **kwargs):
    """Tests <name>.cc, whose kernels stand in it or in `kernels`; emulated always."""
    m2f_cc_test(
        name = name,
        target_compatible_with = _NOT_UNDER_TSAN if sanitized else _NOT_SANITIZED,
        deps = deps + [kernel + "_emulated" for kernel in kernels] + [_EMULATION],
        **kwargs
    )
    if sanitized:
        _sanitized_test(
            name = name,
            deps = deps + [kernel + "_emulated_sanitized" for kernel in kernels],
            **kwargs
        )

def _sanitized_test(name, deps, **kwargs):
    m2f_cc_test(
        name = name + "_sanitized",
        srcs = [name + ".cc"],
        copts = _SANITIZED_COPTS,
        # Another order of blocks and threads.
        env = {"M2F_CUDA_EMULATION_SEED": "2"},
        linkopts = _SANITIZED_LINKOPTS,
        target_compatible_with = _NOT_UNDER_TSAN,
        deps = deps + [_EMULATION + "_sanitized"],
        **kwargs
    )

def cuda_emulation_runtime(name, srcs, hdrs, stand_ins, visibility):
    """What emulated kernels link, and the CUDA headers that they see; see //tools/cuda_emulation."""
    native.cc_library(
        name = name + "_stand_ins",
        hdrs = stand_ins,
        strip_include_prefix = "include",
    )
    for suffix, copts, linkopts in [
        ("", [], []),
        ("_sanitized", _SANITIZED_COPTS, _SANITIZED_LINKOPTS),
    ]:
        m2f_cc_library(
            name = name + suffix,
            testonly = True,
            srcs = srcs,
            hdrs = hdrs,
            copts = copts,
            linkopts = linkopts,
            visibility = visibility,
            deps = [":%s_stand_ins" % name],
        )
