"""Every outside library, under the labels that its own Bazel build uses.

A project that already has one of these repositories keeps its own: define it before calling
mask2former_repositories().
"""

load("//third_party/bazel:host_bazel.bzl", "host_bazel")
load("//third_party/cuda:cuda.bzl", "cuda_repository")
load("//third_party/libtorch:libtorch.bzl", "libtorch_repository")
load("//third_party/opencv:opencv.bzl", "opencv_repository")
load("//third_party/protobuf:protobuf.bzl", "protobuf_repository")
load(":pkg_config.bzl", "pkg_config_repository")

# Target of the upstream build -> modules of pkg-config.
_ABSEIL = {
    "absl/algorithm:container": "absl_algorithm_container",
    "absl/base:core_headers": "absl_core_headers",
    "absl/cleanup": "absl_cleanup",
    "absl/container:flat_hash_map": "absl_flat_hash_map",
    "absl/container:flat_hash_set": "absl_flat_hash_set",
    "absl/container:inlined_vector": "absl_inlined_vector",
    "absl/functional:function_ref": "absl_function_ref",
    "absl/random": "absl_random_random",
    "absl/status": "absl_status",
    "absl/status:statusor": "absl_statusor",
    "absl/strings": "absl_strings",
    "absl/strings:str_format": "absl_str_format",
    "absl/synchronization": "absl_synchronization",
    "absl/time": "absl_time",
    "absl/types:span": "absl_span",
}

def mask2former_repositories():
    """Defines the repositories that do not exist yet."""
    existing = native.existing_rules()
    for name, rule, arguments in [
        ("mask2former_host_bazel", host_bazel, {}),
        ("libtorch", libtorch_repository, {}),
        ("cuda", cuda_repository, {}),
        ("com_google_protobuf", protobuf_repository, {}),
        ("com_google_absl", pkg_config_repository, dict(
            modules = _ABSEIL,
            debian = "libabsl-dev",
        )),
        ("com_github_google_glog", pkg_config_repository, dict(
            modules = {":glog": "libglog"},
            debian = "libgoogle-glog-dev",
        )),
        ("com_github_gflags_gflags", pkg_config_repository, dict(
            modules = {":gflags": "gflags"},
            debian = "libgflags-dev",
        )),
        ("com_google_googletest", pkg_config_repository, dict(
            modules = {":gtest": "gmock", ":gtest_main": "gmock_main"},
            debian = "libgmock-dev",
        )),
        ("com_github_google_benchmark", pkg_config_repository, dict(
            modules = {":benchmark": "benchmark", ":benchmark_main": "benchmark_main"},
            debian = "libbenchmark-dev",
        )),
        ("nlohmann_json", pkg_config_repository, dict(
            modules = {":json": "nlohmann_json"},
            debian = "nlohmann-json3-dev",
        )),
        ("libdeflate", pkg_config_repository, dict(
            modules = {":libdeflate": "libdeflate"},
            debian = "libdeflate-dev",
        )),
        ("geos", pkg_config_repository, dict(
            modules = {":geos": "geos"},
            debian = "libgeos-dev",
        )),
        ("libzip", pkg_config_repository, dict(
            modules = {":libzip": "libzip"},
            debian = "libzip-dev",
        )),
        ("opencv", opencv_repository, {}),
    ]:
        if name not in existing:
            rule(name = name, **arguments)
