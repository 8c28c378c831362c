"""sass.py reads nvdisasm's and ptxas's output right; needs no CUDA (run by sass_test.sh)."""

import os
import sys
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


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
