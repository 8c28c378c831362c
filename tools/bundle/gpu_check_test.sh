#!/usr/bin/env bash
# gpu_check runs what a bundle holds and writes one JSON: here with programs that this script makes.
set -euo pipefail

cp tools/bundle/gpu_check.sh "$TEST_TMPDIR/gpu_check"
cd "$TEST_TMPDIR"
mkdir -p bundle/bin bundle/files
mv gpu_check bundle/
echo "BUNDLE=made_up" > bundle/about
cat > bundle/run << 'END'
#!/bin/sh
program="$1"; shift
exec "$(dirname "$0")/bin/$program" "$@"
END
# What a program writes into the file that its flag names.
reporter() {  # reporter NAME REPORT EXIT_CODE
  cat > "bundle/bin/$1" << END
#!/bin/sh
for argument in "\$@"; do
  case "\$argument" in
    --gtest_output=json:*) printf '%s' '$2' > "\${argument#*json:}" ;;
    --benchmark_out=*) printf '%s' '$2' > "\${argument#*=}"; echo "\$@" > ../flags ;;
  esac
done
echo "$1 says goodbye"
exit $3
END
}
printf '#!/bin/sh\necho "{\\"ok\\": true}"\n' > bundle/bin/doctor
reporter a_test '{"tests": 2}' 0
reporter b_benchmark '{"benchmarks": []}' 0
chmod +x bundle/run bundle/gpu_check bundle/bin/*

bundle/gpu_check first.json --benchmark_min_time=0.01 > log
grep -qx "2 passed, 0 failed, 0 with cases skipped; first.json" log
grep -q -- "--benchmark_min_time=0.01" bundle/flags

reporter c_test '{"result": "SKIPPED"}' 0
printf '#!/bin/sh\nkill -SEGV $$\n' > bundle/bin/d_test
# Killed while they write: in the middle of a word, after a whole part of the report, in a string.
killed() {  # killed NAME REPORT
  reporter "$1" "$2" 0
  sed -i 's/^exit 0$/kill -KILL $$/' "bundle/bin/$1"
}
killed e_benchmark '{"benchmarks": ['
killed f_benchmark '{"benchmarks": [{"name": "a}"}'
killed g_benchmark '{"benchmarks": [{"name": "]}]}'
# Whole, whatever its strings hold; a program that fails after its report.
reporter h_benchmark '{"benchmarks": [{"name": "[{\"{"}]}' 3
chmod +x bundle/bin/*
code=0
bundle/gpu_check second.json > log 2>&1 || code=$?
[ "$code" = 1 ]
grep -qx "2 passed, 5 failed, 1 with cases skipped; second.json" log
grep -qx "d_test: FAILED" log

python3 - << 'END'
import json
first, second = json.load(open("first.json")), json.load(open("second.json"))
assert first["bundle"] == "made_up", first
assert first["doctor"] == {"exit": 0, "report": {"ok": True}}, first
assert first["tests"] == {"a_test": {"exit": 0, "report": {"tests": 2}}}, first
assert first["benchmarks"]["b_benchmark"]["report"] == {"benchmarks": []}, first
assert list(second["tests"]) == ["a_test", "c_test", "d_test"], second
assert second["tests"]["d_test"]["exit"] != 0 and second["tests"]["d_test"]["report"] is None, second
cut_off = {name: second["benchmarks"][name] for name in ("e_benchmark", "f_benchmark", "g_benchmark")}
assert all(entry == {"exit": 137, "report": None} for entry in cut_off.values()), cut_off
whole = second["benchmarks"]["h_benchmark"]
assert whole == {"exit": 3, "report": {"benchmarks": [{"name": '[{"{'}]}}, whole
END
echo "all as it should be"
