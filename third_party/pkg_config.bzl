"""An installed library under the labels of its own Bazel build.

Asks pkg-config for compiler and linker flags. Where a library is missing, its targets exist but
fail when built, with the package to install: what does not use it still builds.
"""

def _split(label):
    package, _, name = label.partition(":")
    return package, name or package.rpartition("/")[2]

def _flags(repository_ctx, module):
    result = repository_ctx.execute(["pkg-config", "--cflags", "--libs", module])
    if result.return_code:
        return None
    # Linking order matters for archives, repetition does not.
    return [flag for flag in result.stdout.split(" ") if flag.strip()]

def _unique(items):
    seen = {}
    for item in items:
        seen[item.strip()] = True
    return seen.keys()

def _target(repository_ctx, name, module):
    flags = _flags(repository_ctx, module)
    if flags == None:
        return """
genrule(
    name = "{name}_is_missing",
    outs = ["{name}_is_missing.cc"],
    cmd = "echo 'pkg-config does not know {module}: install it (Debian: apt-get install {debian}), then run bazel sync --configure' >&2; exit 1",
)

cc_library(
    name = "{name}",
    srcs = [":{name}_is_missing"],
)
""".format(name = name, module = module, debian = repository_ctx.attr.debian)
    defines = _unique([flag[2:] for flag in flags if flag.startswith("-D") and flag != "-DNOMINMAX"])
    linkopts = _unique([flag for flag in flags if flag.startswith("-l") or flag.startswith("-L")])
    return """
cc_library(
    name = "{name}",
    defines = {defines},
    linkopts = {linkopts},
)
""".format(name = name, defines = defines, linkopts = linkopts)

def _pkg_config_repository_impl(repository_ctx):
    packages = {}
    for label, module in repository_ctx.attr.modules.items():
        package, name = _split(label)
        packages.setdefault(package, []).append(_target(repository_ctx, name, module))
    packages.setdefault("", [])
    for package, targets in packages.items():
        repository_ctx.file(
            (package + "/" if package else "") + "BUILD",
            'package(default_visibility = ["//visibility:public"])\n' + "".join(targets),
        )

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "debian": attr.string(doc = "Package to name where the library is missing."),
        "modules": attr.string_dict(doc = "Label in this repository -> module of pkg-config."),
    },
    environ = ["PKG_CONFIG_PATH"],
    configure = True,
    local = True,
)
