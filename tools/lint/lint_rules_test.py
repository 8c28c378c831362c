"""The linter finds what it is for (run by lint_test.sh)."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint  # noqa: E402  pylint: disable=wrong-import-position


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
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(root + "/data")
            build = ('load("//tools/rules:cc.bzl", "m2f_cc_library")\n'
                     'm2f_cc_library(name = "a", hdrs = ["a.h"])\n'
                     'm2f_cc_library(name = "b", srcs = ["b.cc"], deps = select({"x": [], "y": []}))\n'
                     'm2f_cc_library(name = "c", srcs = ["c.cc"], deps = [":a"])\n')
            for name, text in {"BUILD": build, "a.h": "", "b.cc": '#include "mask2former/data/a.h"\n',
                               "c.cc": "", "d.cc": ""}.items():
                with open(f"{root}/data/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
            problems = lint.check_builds(root, ["data/BUILD", "data/a.h", "data/b.cc", "data/c.cc", "data/d.cc"])
        self.assertEqual(len(problems), 3, problems)
        self.assertIn("add //data:a to deps", problems[0])
        self.assertIn("dep //data:a is not included", problems[1])
        self.assertIn("data/d.cc: in no target", problems[2])

    def test_gpu_bundle(self):
        build = ('m2f_cuda_kernel_test(name = "k_test")\n'
                 'm2f_cc_test(name = "x_test", tags = ["gpu"])\n'
                 'm2f_cc_test(name = "y_test")\n')
        bundle = 'm2f_bundle(name = "gpu_check", binaries = ["//common:x_test"])\n'
        targets = {t.label: t for t in lint.read_build("common", build) + lint.read_build("tools/bundle", bundle)}
        self.assertEqual(lint.check_gpu_bundle(targets),
                         ["//tools/bundle:gpu_check: add //common:k_test to binaries"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
