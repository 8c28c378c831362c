"""m2f_proto_library: a .proto and its C++, imported as "mask2former/<path>"."""

def m2f_proto_library(name, srcs, deps = [], visibility = None):
    """Declares <x>_proto and <x>_cc_proto; `name` is <x>_proto."""
    if not name.endswith("_proto"):
        fail("name must end in _proto: " + name)
    native.proto_library(
        name = name,
        srcs = srcs,
        deps = deps,
        import_prefix = "mask2former",
        strip_import_prefix = "/",
        visibility = visibility,
    )
    native.cc_proto_library(
        name = name[:-len("_proto")] + "_cc_proto",
        deps = [":" + name],
        visibility = visibility,
    )
