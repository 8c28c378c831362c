"""The linter finds what it is for (run by lint_test.sh)."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import build_lists  # noqa: E402  pylint: disable=wrong-import-position
import lint  # noqa: E402  pylint: disable=wrong-import-position
import outside_headers  # noqa: E402  pylint: disable=wrong-import-position


def write(root, files):
    for path, text in files.items():
        os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
        with open(f"{root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)


class LintTest(unittest.TestCase):

    def test_guard(self):
        good = "#ifndef MASK2FORMER_DATA_X_H_\n#define MASK2FORMER_DATA_X_H_\n#endif\n"
        self.assertEqual(lint.check_guard("data/x.h", good), [])
        self.assertIn("MASK2FORMER_DATA_Y_H_", lint.check_guard("data/y.h", good)[0])

    def test_folder_order(self):
        text = '#include "mask2former/train/trainer.h"\n'
        self.assertIn("matcher/ may not depend on train/", lint.check_includes("matcher/x.cc", text)[0])
        self.assertEqual(lint.check_includes("tools/x.cc", text), [])
        text = '#include "mask2former/matcher/matcher.h"\n'
        self.assertEqual(len(lint.check_includes("data/x.cc", text)), 1)
        text = '#include "mask2former/configs/experiment.pb.h"\n'
        self.assertEqual(lint.check_includes("train/main.cc", text), [])
        self.assertEqual(len(lint.check_includes("train/trainer.cc", text)), 1)

    def test_glog(self):
        self.assertEqual(len(lint.check_includes("data/x.cc", "#include <glog/logging.h>\n")), 1)
        self.assertEqual(lint.check_includes("common/logging.h", "#include <glog/logging.h>\n"), [])

    def test_deps(self):
        build = ('load("//tools/rules:cc.bzl", "m2f_cc_library")\n'
                 'm2f_cc_library(name = "a", hdrs = ["a.h"])\n'
                 'm2f_cc_library(name = "b", srcs = ["b.cc"], deps = select({"x": [], "y": []}))\n'
                 'm2f_cc_library(name = "c", srcs = ["c.cc"], deps = [":a"])\n')
        files = {"data/BUILD": build, "data/a.h": "", "data/b.cc": '#include "mask2former/data/a.h"\n',
                 "data/c.cc": "", "data/d.cc": ""}
        with tempfile.TemporaryDirectory() as root:
            write(root, files)
            problems = lint.check_builds(root, list(files))
        self.assertEqual(len(problems), 3, problems)
        self.assertIn("add :a to deps", problems[0])
        self.assertIn("dep :a is not included", problems[1])
        self.assertIn("data/d.cc: in no target", problems[2])

    def test_outside_deps(self):
        build = ('m2f_cc_library(name = "a", srcs = ["a.cc"], deps = ["@libtorch//:torch_cuda", "@opencv//:core"])\n'
                 'm2f_cc_test(name = "a_test")\n')
        files = {"data/BUILD": build, "data/a.cc": "#include <zip.h>\n#include <new/thing.h>\n#include <sys/stat.h>\n",
                 "data/a_test.cc": '#include <gtest/gtest.h>\n#include "absl/strings/match.h"\n'}
        with tempfile.TemporaryDirectory() as root:
            write(root, files)
            problems = lint.check_builds(root, list(files))
        self.assertEqual(problems, [
            "//data:a: data/a.cc includes zip.h; add @libzip to deps",
            "data/a.cc: say in tools/lint/outside_headers.py which target has new/thing.h",
            "//data:a: dep @opencv//:core is not included",
            "//data:a_test: data/a_test.cc includes absl/strings/match.h; add @com_google_absl//absl/strings to deps",
        ])

    def test_outside_headers(self):
        self.assertEqual(outside_headers.owner("absl/strings/str_format.h"),
                         "@com_google_absl//absl/strings:str_format")
        self.assertEqual(outside_headers.owner("c10/cuda/CUDAGuard.h"), "@libtorch//:torch_cuda")
        self.assertIsNone(outside_headers.owner("vector"))

    def test_order(self):
        build = ('m2f_cc_library(\n    name = "a",\n    deps = [\n        ":b",\n        "//common:z",\n'
                 '        "//common/testing:a",\n        "@libzip",\n    ] + select({\n'
                 '        "x": ["@b", "//a"],\n    }),\n)\n')
        problems = build_lists.check_order("data/BUILD", build)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn("data/BUILD:9: deps of a are not in order at @b", problems[0])
        fixed = build_lists.rewrite(build, {})
        self.assertEqual(build_lists.check_order("data/BUILD", fixed), [])
        self.assertIn('        "x": [\n            "//a",\n            "@b",\n        ],\n', fixed)
        commented = 'm2f_cc_library(name = "a", deps = [\n    ":c",  # First.\n    ":b",\n])\n'
        self.assertEqual(build_lists.check_order("data/BUILD", commented), [])
        self.assertEqual(build_lists.rewrite(commented, {}), commented)

    def test_visibility(self):
        public = 'package(\n    default_testonly = True,\n    default_visibility = ["//visibility:public"],\n)\n'
        self.assertIn("data/BUILD: no public", build_lists.check_visibility("data/BUILD", public)[0])
        private = public.replace("//visibility:public", "//data:__pkg__")
        self.assertEqual(build_lists.check_visibility("data/BUILD", private), [])

    def test_fix(self):
        build = ('m2f_cc_library(\n    name = "a",\n    srcs = ["a.cc"],\n    deps = [":b"],\n)\n\n'
                 'm2f_cc_library(\n    name = "b",\n    hdrs = ["b.h"],\n)\n')
        files = {"data/BUILD": build, "data/b.h": "",
                 "data/a.cc": '#include <zip.h>\n#include "absl/strings/match.h"\n'}
        with tempfile.TemporaryDirectory() as root:
            write(root, files)
            self.assertEqual(lint.check_builds(root, list(files), fix=True), [])
            self.assertEqual(lint.read(root, "data/BUILD"), build.replace(
                'deps = [":b"]', 'deps = [\n        "@com_google_absl//absl/strings",\n        "@libzip",\n    ]'))

    def test_gpu_bundle(self):
        build = ('m2f_cuda_kernel_test(name = "k_test")\n'
                 'm2f_cc_test(name = "x_test", tags = ["gpu"])\n'
                 'm2f_cc_test(name = "y_test")\n'
                 'm2f_cc_test(name = "z_test", deps = ["//common/testing:requires_cuda"])\n')
        bundle = 'm2f_bundle(name = "gpu_check", binaries = ["//common:x_test"])\n'
        targets = {t.label: t for t in lint.read_build("common", build) + lint.read_build("tools/bundle", bundle)}
        self.assertEqual(lint.check_gpu_bundle(targets),
                         ["//tools/bundle:gpu_check: add //common:k_test to binaries",
                          "//tools/bundle:gpu_check: add //common:z_test to binaries"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
