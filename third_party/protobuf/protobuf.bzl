"""@com_google_protobuf from the installed Protocol Buffers: what native proto rules ask for."""

_BUILD = """
package(default_visibility = ["//visibility:public"])

exports_files(["protoc"])

cc_library(
    name = "protobuf",
    linkopts = ["-lprotobuf", "-pthread"],
)

proto_lang_toolchain(
    name = "cc_toolchain",
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
"""

def _protobuf_repository_impl(repository_ctx):
    protoc = repository_ctx.which("protoc")
    if not protoc or not repository_ctx.path("/usr/include/google/protobuf/message.h").exists:
        fail("protobuf is not installed (Debian: apt-get install protobuf-compiler libprotobuf-dev; " +
             "or run tools/bazel, which installs what is missing)")
    repository_ctx.symlink(protoc, "protoc")
    repository_ctx.file("BUILD", _BUILD)

protobuf_repository = repository_rule(
    implementation = _protobuf_repository_impl,
    configure = True,
    local = True,
)
