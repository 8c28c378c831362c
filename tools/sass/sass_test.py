"""sass.py reads nvdisasm's and ptxas's output right; needs no CUDA (run by sass_test.sh)."""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sass  # noqa: E402  pylint: disable=wrong-import-position

CODE = """
.text._Z6KernelPf:
        .type           _Z6KernelPf,@function
_Z6KernelPf:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/              @!P0 BRA `(.L_x_3) ;
.L_x_0:
        /*0020*/                   IADD3 R2, R2, 0x1, RZ ;
.L_x_1:
        /*0030*/                   LDG.E.128.CONSTANT R4, desc[UR4][R2.64] ;
        /*0040*/                   FFMA R0, R4, R5, R0 ;
        /*0050*/               @P1 BRA `(.L_x_1) ;
        /*0060*/                   SHFL.BFLY PT, R3, R0, 0x1, 0x1f ;
        /*0070*/              @!P2 BRA `(.L_x_0) ;
.L_x_3:
        /*0080*/                   REDG.E.ADD.F32.FTZ.RN.STRONG.GPU desc[UR4][R2.64], R0 ;
        /*0090*/                   EXIT ;
.L_x_4:
        /*00a0*/                   BRA `(.L_x_4);
        /*00b0*/                   NOP;
"""

LOG = """ptxas info    : Compiling entry function '_Z6KernelPf' for 'sm_90'
ptxas info    : Function properties for _Z6KernelPf
    8 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 39 registers, used 0 barriers, 384 bytes cmem[0]
"""


class SassTest(unittest.TestCase):

    def setUp(self):
        kernels = sass.parse(CODE)
        self.assertEqual([k.name for k in kernels], ["_Z6KernelPf"])
        self.kernel = kernels[0]

    def test_counts_without_padding(self):
        self.assertEqual(self.kernel.count(), {"other": 6, "LDG": 1, "float": 1, "SHFL": 1, "RED": 1})

    def test_finds_loops_by_backward_branches(self):
        self.assertEqual([(l.first, l.last, l.depth) for l in self.kernel.loops], [(2, 7, 1), (3, 5, 2)])
        self.assertEqual(self.kernel.count(3, 5), {"LDG": 1, "float": 1, "other": 1})

    def test_weighs_by_trips(self):
        self.assertEqual(self.kernel.weighted([]), 10)
        # 4 outside, 3 in the outer loop only, 3 in the inner.
        self.assertEqual(self.kernel.weighted([3, 4]), 4 + 3 * 3 + 3 * 3 * 4)

    def test_weighs_by_loop(self):
        self.assertEqual(self.kernel.weighted_by_loop([3, 4]), self.kernel.weighted([3, 4]))
        self.assertEqual(self.kernel.weighted_by_loop([3, 0]), 4 + 3 * 3)

    def test_reads_registers_and_spills(self):
        self.assertEqual(sass.parse_resources(LOG), {"_Z6KernelPf": "39 registers, 16 bytes spilled"})


class ProgramTest(unittest.TestCase):
    """The whole program, with an nvcc and an nvdisasm that say what is above."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(f"{self.folder}/bin")
        self.tool("nvcc", f"cat << 'END' >&2\n{LOG}END\necho >> {self.folder}/compiled")
        self.tool("nvdisasm", f"cat << 'END'\n{CODE}END")

    def tool(self, name, script):
        with open(f"{self.folder}/bin/{name}", "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(f"{self.folder}/bin/{name}", 0o755)

    def run_sass(self, *arguments):
        """Exit code and what it prints."""
        environment = {"CUDA_HOME": self.folder, "PATH": os.environ["PATH"]}
        # -S: without installed packages, among which there may be an nvdisasm.
        run = subprocess.run([sys.executable, "-S", sass.__file__, *arguments], env=environment,
                             capture_output=True, text=True, check=False)
        return run.returncode, run.stdout + run.stderr

    def test_fails_above_the_maximum(self):
        # 49 instructions, see test_weighs_by_trips.
        count = ["x.cu", "--trips", "3,4", "--items", "4"]
        code, text = self.run_sass(*count, "--maximum", "12.25")
        self.assertEqual(code, 0, text)
        self.assertIn("a warp issues 49; 12.25 for each of 4 items, at most 12.25 wanted\n", text)
        self.assertIn("39 registers", text)
        code, text = self.run_sass(*count, "--maximum", "12.24")
        self.assertEqual(code, 1, text)
        self.assertIn("at most 12.24 wanted: TOO MANY\n", text)
        code, text = self.run_sass(*count, "--maximum", "12.25", "--kernel", "Other")
        self.assertEqual(code, 1, text)
        self.assertIn("no kernel matches 'Other'", text)
        self.assertEqual(self.run_sass("x.cu", "--maximum", "12")[0], 2)

    def test_does_what_a_file_lists(self):
        path = f"{self.folder}/calls"
        line = "x.cu --kernel 'K[e]rnel' --loops {},4 --items 4 --maximum 12.25\n"
        with open(path, "w", encoding="utf-8") as file:
            file.write("# Two of one source.\n\n" + line.format(2) + line.format(3))
        code, text = self.run_sass("--each", path)
        self.assertEqual(code, 0, text)
        self.assertEqual(text.count("at most 12.25 wanted"), 2, text)
        with open(f"{self.folder}/compiled", encoding="utf-8") as file:
            self.assertEqual(file.read(), "\n")
        # One too many, whichever it is.
        for order in [(4, 3), (3, 4)]:
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(line.format(n) for n in order))
            code, text = self.run_sass("--each", path)
            self.assertEqual((code, text.count("TOO MANY")), (1, 1), text)
        with open(path, "w", encoding="utf-8") as file:
            file.write("# Nothing.\n")
        self.assertEqual(self.run_sass("--each", path)[0], 1)
        self.assertEqual(self.run_sass()[0], 2)

    def test_a_missing_tool_is_no_verdict(self):
        code, text = self.run_sass("x.cu", "--maximum", "1", "--items", "1", "--nvdisasm", "no/such")
        self.assertEqual(code, 1, text)  # The one beside nvcc is taken.
        os.remove(f"{self.folder}/bin/nvdisasm")
        os.environ["PATH"], path = self.folder, os.environ["PATH"]
        self.addCleanup(os.environ.update, {"PATH": path})
        code, text = self.run_sass("x.cu", "--maximum", "1", "--items", "1")
        self.assertEqual(code, 3, text)
        self.assertEqual(text.count("\n"), 1, text)
        self.assertIn("nvdisasm not found", text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
