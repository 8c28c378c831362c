"""@cuda//:cudart, :cudart_static and the path of nvcc, from CUDA_HOME, /usr/local/cuda or PATH.

Loads without a toolkit too: NVCC is then empty, and only targets that need CUDA fail.
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "cudart",
    hdrs = glob(["include/**"], exclude = ["include/**/*.md"]),
    includes = ["include"],
)

# The runtime itself, for programs without LibTorch, which brings its own.
cc_library(
    name = "cudart_static",
    srcs = glob(["lib/libcudart_static.a"]),
    linkopts = ["-ldl", "-lpthread", "-lrt"],
    deps = [":cudart"],
)
"""

def _cuda_repository_impl(repository_ctx):
    candidates = [repository_ctx.os.environ.get("CUDA_HOME", ""), "/usr/local/cuda"]
    nvcc = None
    for home in candidates:
        if home and repository_ctx.path(home + "/bin/nvcc").exists:
            nvcc = repository_ctx.path(home + "/bin/nvcc")
            break
    nvcc = nvcc or repository_ctx.which("nvcc")
    if nvcc:
        nvcc = nvcc.realpath
        include = repository_ctx.path(str(nvcc.dirname.dirname) + "/include")
        if not include.exists:
            include = repository_ctx.path(str(nvcc.dirname.dirname) + "/targets/x86_64-linux/include")
        repository_ctx.symlink(include, "include")
        for folder in ["lib64", "targets/x86_64-linux/lib", "lib"]:
            library = repository_ctx.path("%s/%s/libcudart_static.a" % (nvcc.dirname.dirname, folder))
            if library.exists:
                repository_ctx.symlink(library, "lib/libcudart_static.a")
                break
    repository_ctx.file("BUILD", _BUILD)
    repository_ctx.file("nvcc.bzl", 'NVCC = "%s"\n' % (nvcc or ""))

cuda_repository = repository_rule(
    implementation = _cuda_repository_impl,
    environ = ["CUDA_HOME", "PATH"],
    configure = True,
    local = True,
)
