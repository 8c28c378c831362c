#!/usr/bin/env bash
# check_ratio.py with programs that this script makes.
set -euo pipefail

script="$PWD/tools/ci/check_ratio.py"
cd "$TEST_TMPDIR"

# expect EXIT_CODE TEXT PROGRAM_OUTPUT [PROGRAM_EXIT_CODE]
expect() {
  local code=0
  printf '#!/bin/sh\necho "$@" > flags\ncat << "END"\n%s\nEND\nexit %s\n' "$3" "${4:-0}" > program
  chmod +x program
  python3 "$script" ./program --filter '^Compare/x' --counter times_faster --minimum 10 > log 2>&1 || code=$?
  [ "$code" = "$1" ] || { echo "exit code $code instead of $1 for $3"; cat log; exit 1; }
  grep -qF -- "$2" log || { echo "does not say '$2'"; cat log; exit 1; }
}

expect 0 "Compare/x: times_faster 33.4, at least 10 wanted" '{"benchmarks": [{"name": "Compare/x", "times_faster": 33.41}]}'
grep -qx -- "--benchmark_filter=^Compare/x --benchmark_format=json --benchmark_min_time=0.1" flags
expect 1 "FAILED: Compare/x: times_faster 9.9" '{"benchmarks": [{"name": "Compare/x", "times_faster": 9.94}]}'
expect 1 "FAILED: b: times_faster 1.0" \
  '{"benchmarks": [{"name": "a", "times_faster": 11}, {"name": "b", "times_faster": 1}]}'
expect 1 "nan" '{"benchmarks": [{"name": "Compare/x", "times_faster": NaN}]}'
expect 1 "times_faster missing" '{"benchmarks": [{"name": "Compare/x", "real_time": 11}]}'
expect 1 "no benchmark matches" '{"benchmarks": []}'
expect 1 "wrote no benchmarks" ''
expect 1 "exit code 3" '{"benchmarks": [{"name": "Compare/x", "times_faster": 33}]}' 3
echo "all as it should be"
