"""The programs that take turns with peers: without any peer, with made-up programs (run by peers_test.sh)."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
import forward  # noqa: E402  pylint: disable=wrong-import-position
import ms_deform_attn  # noqa: E402  pylint: disable=wrong-import-position

# Answers lines as the peers of forward.py do, and says with what it was started.
ANSWERING = """
import json, os, sys
for lines, line in enumerate(sys.stdin, 1):
    print(json.dumps({"lines": lines, "forward_ms": 8, "labels_ms": 2, "cpu_ms": 15, "stages_ms": {}, "stages_cpu_ms": {},
                      "flags": sys.argv[1:], "environment": dict(os.environ)}), flush=True)
"""


def run_script(name, *flags, **environment):
    return subprocess.run([sys.executable, os.path.join(FOLDER, name), *flags], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class RowTimeTest(unittest.TestCase):

    def setUp(self):
        ms_deform_attn.ARGS = ms_deform_attn.parse(["--binary", "program"])

    def check_refused(self, rows, message):
        with self.assertRaises(SystemExit) as caught:
            ms_deform_attn.row_time(rows if isinstance(rows, str) else json.dumps({"benchmarks": rows}), "Run/x")
        self.assertEqual(caught.exception.code, message)

    def test_reads_milliseconds(self):
        row = {"name": "Run/x/manual_time", "real_time": 1.5, "time_unit": "ms"}
        self.assertEqual(ms_deform_attn.row_time(json.dumps({"context": {}, "benchmarks": [row]}), "Run/x"), 1.5)

    def test_refuses_what_is_no_time(self):
        row = {"real_time": 0., "time_unit": "ms"}
        self.check_refused([{**row, "error_occurred": True, "error_message": "needs a GPU"}], "Run/x: needs a GPU")
        self.check_refused([], "program has 0 benchmarks named Run/x")
        self.check_refused("", "program has 0 benchmarks named Run/x")
        self.check_refused([row, row], "program has 2 benchmarks named Run/x")
        self.check_refused([{**row, "time_unit": "us"}], "Run/x is in us, not in ms")


class MsDeformAttnTest(unittest.TestCase):

    def check_main(self, flags, times, expected):
        """times: of a program and a case, one for each round."""
        ms_deform_attn.ARGS = ms_deform_attn.parse(flags)
        times = {key: iter(values) for key, values in times.items()}
        peers = [types.SimpleNamespace(name=name, run=lambda case, name=name: next(times[name, case]))
                 for name in dict.fromkeys(name for name, _ in times) if name != "ours"]
        printed = io.StringIO()
        with mock.patch.multiple(ms_deform_attn, write_tensors=lambda path: None,
                                 start_peers=lambda path: peers, ours=lambda case: next(times["ours", case])):
            with contextlib.redirect_stdout(printed):
                ms_deform_attn.main("")
        self.assertEqual(printed.getvalue().splitlines()[:-1], expected)

    def test_leaves_the_first_round_out(self):
        self.check_main(["--rounds", "3", "--cases", "forward"],
                        {("ours", "forward"): [90, 2, 1, 4], ("HF", "forward"): [1, 60, 50, 40]},
                        ["forward           ours     2.0 (    1.0) ms   HF    50.0 (   40.0) ms    25.0 ( 40.0) times"])

    def test_compares_with_every_peer(self):
        self.check_main(["--rounds", "1", "--device", "cuda", "--precision", "bf16", "--cases", "fused_forward"],
                        {("ours", "fused_forward"): [9, 0.125], ("HF", "fused_forward"): [9, 2],
                         ("HF, all bf16", "fused_forward"): [9, 1]},
                        ["fused_forward     ours    0.125 (   0.125) ms   HF    2.000 (   2.000) ms    "
                         "16.0 ( 16.0) times",
                         "fused_forward     ours    0.125 (   0.125) ms   HF, all bf16    1.000 (   1.000) ms     "
                         "8.0 (  8.0) times"])

    def test_times_other_cases_on_a_gpu(self):
        self.assertEqual(ms_deform_attn.parse([]).cases, ("forward", "forward_backward"))
        self.assertIn("fused_backward", ms_deform_attn.parse(["--device", "cuda"]).cases)

    def test_refuses_what_it_cannot_time(self):
        for flags, message in ((["--precision", "bf16"], "on a CPU only fp32 is timed"),
                               (["--cases", "sideways"], "there is no 'sideways'; there are forward, backward"),
                               (["--device", "tpu"], "invalid choice: 'tpu'"),
                               (["--rounds", "0"], "must be positive")):
            done = run_script("ms_deform_attn.py", *flags)
            self.assertEqual(done.returncode, 2)
            self.assertIn(message, done.stderr.splitlines()[-1])

    def test_says_in_one_sentence_what_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            def check(binary, message):
                done = run_script("ms_deform_attn.py", "--device", "cuda", "--binary", binary, PYTHONPATH=folder)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, "^" + message + "\n$")
                self.assertEqual(done.stdout, "")

            check(f"{folder}/nowhere", "--binary: .*nowhere.*; build //pixel_decoder/ops.*first")
            binary = write(f"{folder}/binary.py", "import sys; sys.exit('there is no GPU')")
            check(f"{sys.executable} {binary}", "there is no GPU")
            write(f"{folder}/torch.py", "__version__ = '2.11.0+cpu'\n"
                  "def set_num_threads(count): pass\n"
                  "class cuda:\n  def is_available(): return False\n")
            write(binary, "import os; assert os.environ['M2F_BENCHMARK_GPU'] == 'fp32'")
            check(f"{sys.executable} {binary}", r"--device cuda: torch 2.11.0\+cpu of .*python.* finds no GPU")


class ForwardTest(unittest.TestCase):

    def start(self, *flags):
        """What the programs say that are started for these flags, by name."""
        with mock.patch.object(sys, "argv", ["forward.py", *flags]):
            forward.ARGS = forward.parse()
        program = [sys.executable, "-c", ANSWERING]
        runners, groups = forward.start_runners(program + ["ours"], program + ["peer"], program + ["official"])
        self.assertEqual([r for r in runners if not r.name.startswith("ours")], sum(groups, []))
        rows = {runner.name: runner.run() for runner in runners}
        for runner in runners:
            runner.end()
        return rows

    def test_takes_turns_on_a_cpu_with_and_without_freed_memory(self):
        rows = self.start("--official", "checkout", "--threads", "3")
        self.assertEqual(list(rows), ["ours", "ours, malloc as installed", "peer, as installed",
                                      "peer, malloc tuned", "peer, tuned, channels_last",
                                      "official, malloc tuned", "official, tuned, channels_last"])
        self.assertEqual(rows["ours"]["flags"], ["ours", "--precision=fp32"])
        self.assertEqual(rows["peer, as installed"]["flags"], ["peer", "--precision=fp32"])
        self.assertEqual(rows["official, tuned, channels_last"]["flags"],
                         ["official", "--precision=fp32", "--channels_last"])
        self.assertEqual(rows["ours"]["busy"], 0.5)
        for name, row in rows.items():
            self.assertEqual("MALLOC_TRIM_THRESHOLD_" in row["environment"], "tuned" in name, name)
            self.assertEqual("M2F_RETURN_FREED_MEMORY" in row["environment"], name == "ours, malloc as installed")
            self.assertEqual(row["environment"]["OMP_NUM_THREADS"], "3")

    def test_gives_both_sides_one_tf32_on_a_gpu(self):
        with mock.patch.dict(os.environ, {"NVIDIA_TF32_OVERRIDE": "1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "0"}):
            tf32 = self.start("--device", "cuda", "--compile", "--precision", "fp16")
            none = self.start("--device", "cuda", "--tf32", "none")
        self.assertEqual(list(tf32), ["ours", "peer", "peer, channels_last", "peer, compiled"])
        self.assertEqual(tf32["ours"]["flags"], ["ours", "--precision=fp16", "--tf32=all"])
        self.assertEqual(tf32["peer, compiled"]["flags"],
                         ["peer", "--precision=fp16", "--tf32=all", "--channels_last", "--compiled"])
        self.assertEqual(none["ours"]["flags"], ["ours", "--precision=fp32", "--tf32=none"])
        self.assertEqual(none["peer"]["flags"], ["peer", "--precision=fp32", "--tf32=none"])
        for row in [*tf32.values(), *none.values()]:
            self.assertNotIn("NVIDIA_TF32_OVERRIDE", row["environment"])
            self.assertNotIn("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", row["environment"])

    def test_goes_on_without_what_does_not_work(self):
        self.start("--threads", "1")
        answering = [sys.executable, "-c", ANSWERING]
        failing = [sys.executable, "-c", "import sys; sys.exit(3)"]
        printed = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
            runners = [forward.Runner("ours", answering, {}), forward.Runner("a", failing, {}, optional=True),
                       forward.Runner("b", answering, {}, optional=True)]
            self.assertEqual([r.name for r in forward.run_all(runners, folder)], ["ours", "b"])
            with self.assertRaises(SystemExit) as caught:
                forward.run_all([forward.Runner("c", failing, {})], folder)
        self.assertEqual(caught.exception.code, "c ended with 3")
        self.assertEqual(printed.getvalue(), "a: left out, for it does not work here\n")
        runners[0].end()
        runners[2].end()

    def test_reports_the_strongest_of_every_group(self):
        def runner(name, milliseconds):
            made = forward.Runner(name, ["true"], {})
            made.end()
            made.rows = [{"forward_ms": ms, "labels_ms": 5, "cpu_ms": 1, "stages_ms": {"backbone": ms},
                          "stages_cpu_ms": {}} for ms in milliseconds]
            return made

        self.start("--device", "cuda")
        ours, slow, fast = runner("ours", [2, 1, 9]), runner("slow", [8, 8, 8]), runner("fast", [6, 5, 7])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self.assertTrue(forward.report([ours, slow, fast], [[slow, fast], [slow], []]))
            self.assertFalse(forward.report([fast, ours], [[ours]]))
        lines = printed.getvalue().splitlines()
        self.assertIn("forward: 3.00 times ours for the fast (by the minima 5.00)", lines)
        self.assertIn("forward: 4.00 times ours for the slow (by the minima 8.00)", lines)
        self.assertIn("labels: 1.00 times ours for the slow (by the minima 1.00)", lines)
        self.assertIn("ours, stages_ms: backbone 2.0", lines)
        self.assertIn("TF32 of both sides: all", lines[0])
        self.assertFalse([line for line in lines if line.startswith("CPU time")])

    def test_compares_exactly_on_a_gpu_before_it_times(self):
        compared, reported = [], []

        def report(runners, groups):
            reported.append([(r.name, len(r.rows), r.rows[-1]["lines"], r.rows[-1]["flags"]) for r in runners])
            self.assertEqual(groups, [runners[1:]])
            for runner in runners:
                runner.end()
            return True

        with tempfile.TemporaryDirectory() as folder:
            program = write(f"{folder}/program.py", "import sys\nif '--write' not in sys.argv:" +
                            ANSWERING.replace("\n", "\n  "))
            with mock.patch.object(sys, "argv", ["forward.py", "--device", "cuda", "--rounds", "2", "--binary",
                                                 f"{sys.executable} {program}"]):
                forward.ARGS = forward.parse()
            with mock.patch.multiple(forward, __file__=program, report=report, compare=lambda ours, theirs, bound:
                                     compared.append((ours.name, theirs.name, bound))):
                with self.assertRaises(SystemExit) as caught:
                    forward.main(folder)
        self.assertEqual(caught.exception.code, 0)
        self.assertEqual(compared, [("ours, fp32 without TF32", "peer, fp32 without TF32", 1e-3),
                                    ("ours", "peer", 1), ("ours", "peer, channels_last", 1)])
        for name, rounds, lines, flags in reported[0]:
            self.assertEqual((rounds, lines), (2, 6), name)  # One to compare, three that warm up.
            self.assertIn("--tf32=all", flags)

    def test_largest_difference(self):
        for flags, bound in (([], 1e-3), (["--precision", "bf16"], None), (["--device", "cuda"], 1),
                             (["--device", "cuda", "--tf32", "none"], 1e-3),
                             (["--device", "cuda", "--tf32", "convolutions"], 1),
                             (["--device", "cuda", "--tf32", "none", "--precision", "bf16"], 1)):
            with mock.patch.object(sys, "argv", ["forward.py", *flags]):
                forward.ARGS = forward.parse()
            self.assertEqual(forward.largest_difference(), bound, flags)

    def test_refuses_what_it_cannot_time(self):
        for flags in (["--precision", "fp16"], ["--tf32", "none"]):
            done = run_script("forward.py", *flags)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--precision fp16 and --tf32 need --device cuda", done.stderr)


if __name__ == "__main__":
    unittest.main()
