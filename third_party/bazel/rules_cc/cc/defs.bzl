"""Stands in for rules_cc where Bazel cannot download it: every rule is the native one.

Debian's bazel-rules-cc needs a newer Bazel than Debian's own.
"""

cc_binary = native.cc_binary
cc_test = native.cc_test
cc_library = native.cc_library
cc_import = native.cc_import
cc_proto_library = native.cc_proto_library
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
cc_libc_top_alias = native.cc_libc_top_alias
cc_toolchain_alias = native.cc_toolchain_alias
objc_library = native.objc_library
objc_import = native.objc_import
fdo_prefetch_hints = native.fdo_prefetch_hints
fdo_profile = native.fdo_profile

def compiler_flag(name, **kwargs):
    native.filegroup(name = name)

def cc_flags_supplier(name, **kwargs):
    native.filegroup(name = name)
