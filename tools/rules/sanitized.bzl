"""Libraries with a twin under AddressSanitizer, for tests that feed them anything at all."""

load(":cc.bzl", "m2f_cc_library", "m2f_cc_test")

_COPTS = [
    "-fsanitize=address,undefined",
    "-fno-sanitize=vptr",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
    "-O1",
    "-g1",
]

_LINKOPTS = ["-fsanitize=address,undefined"]

# Two sanitizers do not go together.
_NOT_UNDER_TSAN = select({
    str(Label("//tools/config:tsan")): ["@platforms//:incompatible"],
    "//conditions:default": [],
})

def _twins(deps, sanitized):
    return [dep + "_sanitized" if dep in sanitized else dep for dep in deps]

def m2f_cc_twin_library(name, deps, sanitized = [], **kwargs):
    """m2f_cc_library <name>, and <name>_sanitized for m2f_cc_sanitized_test.

    `sanitized` are those of `deps` that have a twin, too.
    """
    m2f_cc_library(name = name, deps = deps, **kwargs)
    m2f_cc_library(
        name = name + "_sanitized",
        testonly = True,
        copts = _COPTS,
        linkopts = _LINKOPTS,
        target_compatible_with = _NOT_UNDER_TSAN,
        deps = _twins(deps, sanitized),
        **kwargs
    )

def m2f_cc_sanitized_test(name, srcs, deps, sanitized, **kwargs):
    """Tests `srcs` with the twins of those `deps` that are in `sanitized`."""
    m2f_cc_test(
        name = name,
        srcs = srcs,
        copts = _COPTS,
        linkopts = _LINKOPTS,
        target_compatible_with = _NOT_UNDER_TSAN,
        deps = _twins(deps, sanitized),
        **kwargs
    )
