"""m2f_cuda_library: kernels compiled by nvcc, one object per source."""

load("@cuda//:nvcc.bzl", "NVCC")
load(":cc.bzl", "m2f_cc_library")

# Compiled for these, and as PTX for what comes after.
_ARCHITECTURES = ["80", "90"]

_NVCC_FLAGS = [
    "--std=c++17",
    "-O3",
    "--expt-relaxed-constexpr",
    "-Xcompiler=-fPIC,-Wall,-Wextra",
    "-Werror=all-warnings",
] + [
    "-gencode=arch=compute_%s,code=sm_%s" % (a, a)
    for a in _ARCHITECTURES
] + ["-gencode=arch=compute_%s,code=compute_%s" % (_ARCHITECTURES[-1], _ARCHITECTURES[-1])]

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

def m2f_cuda_library(name, srcs, hdrs, deps = [], tags = [], **kwargs):
    """Kernels whose launch functions `hdrs` declare. Built with --config=cuda only."""
    tags = tags + ["manual"]
    m2f_cc_library(
        name = name + "_headers",
        hdrs = hdrs,
        deps = deps + ["@cuda//:cudart"],
        tags = tags,
    )
    _cuda_objects(
        name = name + "_objects",
        srcs = srcs,
        deps = [":%s_headers" % name],
        tags = tags,
    )
    m2f_cc_library(
        name = name,
        srcs = [":%s_objects" % name],
        deps = [":%s_headers" % name],
        tags = tags,
        **kwargs
    )
