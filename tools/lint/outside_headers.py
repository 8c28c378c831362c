"""Which outside target has a header: what `deps` of a source that includes it must list."""

# Start of the path as included -> label; the longest that fits decides.
OWNERS = {
    "ATen/": "@libtorch//:torch",
    "ATen/cuda/": "@libtorch//:torch_cuda",
    "absl/cleanup/": "@com_google_absl//absl/cleanup",
    "absl/container/flat_hash_map.h": "@com_google_absl//absl/container:flat_hash_map",
    "absl/functional/function_ref.h": "@com_google_absl//absl/functional:function_ref",
    "absl/status/status.h": "@com_google_absl//absl/status",
    "absl/status/statusor.h": "@com_google_absl//absl/status:statusor",
    "absl/strings/": "@com_google_absl//absl/strings",
    "absl/strings/str_format.h": "@com_google_absl//absl/strings:str_format",
    "absl/synchronization/": "@com_google_absl//absl/synchronization",
    "absl/types/span.h": "@com_google_absl//absl/types:span",
    "benchmark/": "@com_github_google_benchmark//:benchmark",
    "c10/": "@libtorch//:torch",
    "c10/cuda/": "@libtorch//:torch_cuda",
    "geos_c.h": "@geos",
    "gflags/": "@com_github_gflags_gflags//:gflags",
    "glog/": "@com_github_google_glog//:glog",
    "gmock/": "@com_google_googletest//:gtest",
    "google/protobuf/": "@com_google_protobuf//:protobuf",
    "gtest/": "@com_google_googletest//:gtest",
    "libdeflate.h": "@libdeflate",
    "nlohmann/": "@nlohmann_json//:json",
    "opencv2/core": "@opencv//:core",
    "opencv2/imgcodecs": "@opencv//:imgcodecs",
    "opencv2/imgproc": "@opencv//:imgproc",
    "torch/": "@libtorch//:torch",
    "zip.h": "@libzip",
}

# What the rule itself adds to `deps`.
ADDED_BY_RULE = {
    "@com_google_googletest//:gtest": ("m2f_cc_test", "m2f_cc_sanitized_test", "m2f_cuda_kernel_test",
                                       "cuda_emulation_test"),
    "@com_github_google_benchmark//:benchmark": ("m2f_cc_benchmark",),
}

# Listed to be linked, also where no source includes their headers.
LINKED_ONLY = ("@cuda//:cudart_static", "@libtorch//:torch_cuda")

# Folders of the compiler's and the system's own headers. <cuda_runtime.h>, too, comes without a
# label: from the toolkit or from //tools/cuda_emulation, as the rule decides.
SYSTEM = ("sanitizer/", "sys/")


def owner(header):
    """The label that has `header`; None for a system's header; KeyError where nothing is known."""
    starts = [start for start in OWNERS if header.startswith(start)]
    if starts:
        return OWNERS[max(starts, key=len)]
    if "/" in header and not header.startswith(SYSTEM):
        raise KeyError(header)
    return None
