"""Which repositories of Bazel's own must come from this machine instead of the network.

An upstream Bazel downloads rules_cc and its kin itself. Debian's Bazel has them in
/usr/share/bazel (packages bazel-rules-java, bazel-rules-proto, bazel-platforms, bazel-skylib)
and must be pointed there.
"""

# Repository name -> where Debian keeps it (the first that exists).
_DEBIAN = {
    "bazel_features": ["/usr/share/bazel/tools/features"],
    "bazel_skylib": ["/usr/share/bazel/tools/skylib"],
    "platforms": ["/usr/share/bazel/tools/platforms", "/usr/share/bazel/platforms"],
    "rules_java": ["/usr/share/bazel/rules/java"],
    "rules_license": ["/usr/share/bazel/rules/license"],
    "rules_proto": ["/usr/share/bazel/rules/proto"],
    "rules_python": ["/usr/share/bazel/rules/python"],
}

# Repository name -> its stand-in in this folder, where Debian has none that loads.
_STAND_INS = ["rules_cc", "remote_coverage_tools"]

def _is_upstream_bazel():
    return native.bazel_version[:1].isdigit()

def _host_bazel_impl(repository_ctx):
    lines = []
    if not repository_ctx.attr.upstream and repository_ctx.path("/usr/share/bazel").exists:
        for name, paths in _DEBIAN.items():
            for path in paths:
                if repository_ctx.path(path).exists:
                    lines.append('    native.local_repository(name = "%s", path = "%s")' % (name, path))
                    break
        here = str(repository_ctx.path(Label("//third_party/bazel:BUILD")).dirname)
        for name in _STAND_INS:
            lines.append('    native.local_repository(name = "%s", path = "%s/%s")' % (name, here, name))
    repository_ctx.file("BUILD", "")
    repository_ctx.file(
        "repositories.bzl",
        "def offline_bazel_repositories():\n" + "\n".join(lines or ["    pass"]) + "\n",
    )

_host_bazel = repository_rule(
    implementation = _host_bazel_impl,
    attrs = {"upstream": attr.bool(doc = "Whether this Bazel downloads its own repositories.")},
    local = True,
)

def host_bazel(name):
    _host_bazel(name = name, upstream = _is_upstream_bazel())
