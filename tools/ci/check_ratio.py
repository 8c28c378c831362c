#!/usr/bin/env python3
"""Fails where a benchmark's counter is below what is promised.

  python3 tools/ci/check_ratio.py PROGRAM --filter REGEX --counter times_faster --minimum 10

Runs a Google Benchmark program for a moment and reads its JSON. Every benchmark that --filter matches
must have the counter, at least --minimum large; there must be one. Meant for ratios so far from the
minimum that noise of the machine cannot matter.
"""

import argparse
import json
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--filter", required=True)
    parser.add_argument("--counter", required=True)
    parser.add_argument("--minimum", type=float, required=True)
    parser.add_argument("--min_time", default="0.1", help="Google Benchmark's --benchmark_min_time.")
    arguments = parser.parse_args()

    command = [arguments.program, "--benchmark_filter=" + arguments.filter, "--benchmark_format=json",
               "--benchmark_min_time=" + arguments.min_time]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if run.returncode != 0:
        sys.exit("%s ended with exit code %d" % (arguments.program, run.returncode))
    try:
        benchmarks = json.loads(run.stdout)["benchmarks"]
    except (ValueError, KeyError, TypeError):
        sys.exit("%s wrote no benchmarks that match %s" % (arguments.program, arguments.filter))
    failures = [] if benchmarks else ["no benchmark matches " + arguments.filter]
    for benchmark in benchmarks:
        value = benchmark.get(arguments.counter)
        text = "%s: %s %s, at least %g wanted" % (
            benchmark["name"], arguments.counter, "missing" if value is None else "%.1f" % value, arguments.minimum)
        print(text)
        # Written so that NaN fails, too.
        if value is None or not value >= arguments.minimum:
            failures.append(text)
    if failures:
        sys.exit("FAILED: " + "; ".join(failures))


if __name__ == "__main__":
    main()
