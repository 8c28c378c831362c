"""@opencv//:core, :imgproc and :imgcodecs, from the installed OpenCV 4.

Only these three: highgui, dnn and their kin bring a window system and a second protobuf.
OPENCV_ROOT names another prefix than /usr; it must hold include/opencv4 and lib.
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "core",
    hdrs = glob(["include/opencv2/**"]),
    includes = ["include"],
    linkopts = [{search}"-lopencv_core"],
)

cc_library(
    name = "imgproc",
    linkopts = ["-lopencv_imgproc"],
    deps = [":core"],
)

cc_library(
    name = "imgcodecs",
    linkopts = ["-lopencv_imgcodecs"],
    deps = [":core"],
)
"""

_MISSING = """
package(default_visibility = ["//visibility:public"])

[genrule(
    name = name + "_is_missing",
    outs = [name + "_is_missing.cc"],
    cmd = "echo 'no OpenCV 4 in {prefix}/include/opencv4: install it (Debian: apt-get install libopencv-imgcodecs-dev libopencv-imgproc-dev) or set OPENCV_ROOT' >&2; exit 1",
) for name in ["core", "imgproc", "imgcodecs"]]

[cc_library(
    name = name,
    srcs = [":" + name + "_is_missing"],
) for name in ["core", "imgproc", "imgcodecs"]]
"""

def _opencv_repository_impl(repository_ctx):
    root = repository_ctx.os.environ.get("OPENCV_ROOT", "")
    prefix = root or "/usr"
    include = repository_ctx.path(prefix + "/include/opencv4")
    if not include.exists:
        repository_ctx.file("BUILD", _MISSING.format(prefix = prefix))
        return
    repository_ctx.symlink(include, "include")
    search = '"-L%s/lib", "-Wl,-rpath,%s/lib", ' % (root, root) if root else ""
    repository_ctx.file("BUILD", _BUILD.format(search = search))

opencv_repository = repository_rule(
    implementation = _opencv_repository_impl,
    environ = ["OPENCV_ROOT"],
    configure = True,
    local = True,
)
