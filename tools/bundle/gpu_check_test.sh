#!/usr/bin/env bash
# gpu_check runs what a bundle holds and writes one JSON: here with programs that this script makes, and with
# two real ones that miss a GPU.
set -euo pipefail

real_test="$PWD/train/logging/memory_usage_test"
real_benchmark="$PWD/common/point_sample_benchmark"
cp tools/bundle/gpu_check.sh "$TEST_TMPDIR/gpu_check"
cd "$TEST_TMPDIR"
mkdir -p bundle/bin bundle/files
mv gpu_check bundle/
printf 'BUNDLE=made_up\nCUDA=1\nCOMMIT=abc123\n' > bundle/about
cat > bundle/run << 'END'
#!/bin/sh
program="$1"; shift
exec "$(dirname "$0")/bin/$program" "$@"
END

fail() { echo "FAILED: $1" >&2; cat log >&2; exit 1; }
# check EXIT_CODE JSON FLAGS...: it ends so; what it prints is in log.
check() {
  local wanted="$1" code=0
  shift
  bundle/gpu_check "$@" > log 2>&1 || code=$?
  [ "$code" = "$wanted" ] || fail "exit code $code instead of $wanted"
}
says() { grep -qxF -- "$1" log || fail "does not say '$1'"; }
program() { cat > "bundle/bin/$1"; chmod +x "bundle/bin/$1"; }
# What a program writes into the file that its flag names.
reporter() {  # reporter NAME REPORT EXIT_CODE
  program "$1" << END
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
# doctor EXIT_CODE ROWS...: as //tools/doctor --json prints them.
doctor() {
  local code="$1" comma="" row
  shift
  {
    printf '#!/bin/sh\ncat << "DONE"\n{\n  "ok": true,\n  "rows": {\n'
    for row in '"CUDA driver": "up to CUDA 13.0"' "$@"; do
      printf '%s    %s' "$comma" "$row"
      comma=$',\n'
    done
    # A string that only speaks of one.
    printf '\n  },\n  "notes": [{"what": "\\"GPU 7\\": \\"none\\", GPU 8"}]\n}\nDONE\nexit %s\n' "$code"
  } | program doctor
}
chmod +x bundle/run bundle/gpu_check

doctor 0
reporter a_test '{"tests": 2}' 0
reporter b_benchmark '{"benchmarks": []}' 0
program benchmark << 'END'
#!/bin/sh
echo "some words" >&2
echo "$*" >> ../pipeline
echo '{"device": "some"}'
END
check 0 first.json --benchmark_min_time=0.01
says "3 passed, 0 failed, 0 with cases skipped; first.json"
says "benchmark, fp32: passed"
[ "$(tail -n 1 log)" = "NOTHING OF THE GPU WAS CHECKED: the doctor finds no GPU on this host" ] || fail "last line"
grep -q -- "--benchmark_min_time=0.01" bundle/flags
grep -qx -- "--json --device=cpu --precision=fp32 --size=128x256 --rounds=2" bundle/pipeline || fail "pipeline"

# Without a GPU cases may be skipped, all else counts.
reporter c_test '{"result": "SKIPPED"}' 0
printf '#!/bin/sh\nkill -SEGV $$\n' | program d_test
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
# Nothing to show for it.
printf '#!/bin/sh\nexit 0\n' | program i_test
reporter j_benchmark '{"benchmarks": [{"error_message": "needs a GPU"}, {"error_message": "needs a GPU"}]}' 0
reporter k_benchmark '{"benchmarks": [{"error_message": "needs a GPU"}, {"error_message": "they differ"}]}' 0
check 1 second.json
says "3 passed, 7 failed, 2 with cases skipped; second.json"
says "c_test: passed, with cases skipped"
says "d_test: FAILED: exit code 139"
says "i_test: FAILED: exit code 0, but it wrote no report, so nothing shows that it ran"
says "j_benchmark: passed, with cases skipped"
says "k_benchmark: FAILED: rows that ended with an error: 1"
[ "$(tail -n 1 log)" = "NOTHING OF THE GPU WAS CHECKED: the doctor finds no GPU on this host" ] || fail "last line"

python3 - << 'END'
import json
first, second = json.load(open("first.json")), json.load(open("second.json"))
assert (first["bundle"], first["commit"], first["gpus"]) == ("made_up", "abc123", []), first
assert (first["doctor"]["exit"], first["doctor"]["result"]) == (0, "passed"), first
assert first["doctor"]["report"]["ok"] is True, first
assert first["tests"] == {"a_test": {"exit": 0, "result": "passed", "report": {"tests": 2}}}, first
assert first["benchmarks"]["b_benchmark"]["report"] == {"benchmarks": []}, first
assert first["pipeline"] == {"fp32": {"exit": 0, "result": "passed", "report": {"device": "some"}}}, first
assert list(second["tests"]) == ["a_test", "c_test", "d_test", "i_test"], second
assert second["tests"]["c_test"]["result"] == "skipped", second
assert second["tests"]["d_test"] == {"exit": 139, "result": "exit code 139", "report": None}, second
cut_off = {name: second["benchmarks"][name] for name in ("e_benchmark", "f_benchmark", "g_benchmark")}
assert all(entry == {"exit": 137, "result": "exit code 137", "report": None} for entry in cut_off.values()), cut_off
whole = second["benchmarks"]["h_benchmark"]
assert (whole["exit"], whole["report"]) == (3, {"benchmarks": [{"name": '[{"{'}]}), whole
END

# With a GPU, what is skipped has failed; the fix is what is most likely.
rm bundle/bin/[d-i]_* bundle/bin/k_* bundle/pipeline
doctor 0 '"GPU 0": "H100, compute capability 9.0"' '"GPU 1": "L4"'
check 1 third.json
says 'GPUs: "H100, compute capability 9.0", "L4"'
says "4 passed, 2 failed, 0 with cases skipped; third.json"
nothing_wrong="the doctor finds nothing wrong; see with nvidia-smi that no other process has the GPU to itself"
says "c_test: FAILED: cases skipped although there is a GPU: 1; $nothing_wrong"
says "j_benchmark: FAILED: cases skipped although there is a GPU: 2; $nothing_wrong"
if grep -q "NOTHING OF THE GPU" log; then fail "it was checked"; fi
printf -- '--json --device=cuda --precision=%s --size=512x1024\n' fp32 bf16 | diff - bundle/pipeline
doctor 1 '"GPU 0": "H100"'
check 1 fourth.json
says "doctor: FAILED: exit code 1"
says "c_test: FAILED: cases skipped although there is a GPU: 1; solve what the doctor reports"
sed -i 's/^CUDA=.*/CUDA=0/' bundle/about
check 1 fourth.json
says "c_test: FAILED: cases skipped although there is a GPU: 1; this archive was built for CPUs; pack it with bazel build --config=cuda"
python3 - << 'END'
import json
third = json.load(open("third.json"))
assert third["gpus"] == ["H100, compute capability 9.0", "L4"], third
assert third["tests"]["c_test"]["result"].startswith("cases skipped although there is a GPU: 1; "), third
assert list(third["pipeline"]) == ["fp32", "bf16"], third
END
rm bundle/bin/[cj]_*
doctor 0 '"GPU 0": "H100"'
check 0 fifth.json
says "4 passed, 0 failed, 0 with cases skipped; fifth.json"
# A doctor that says nothing.
printf '#!/bin/sh\nexit 0\n' | program doctor
check 1 fifth.json
says "doctor: FAILED: exit code 0, but it wrote no report"
[ "$(tail -n 1 log)" = "WHETHER THERE IS A GPU IS NOT KNOWN: the doctor did not run, see what it says above" ] || fail "last line"

# Real programs without a GPU: what they write is understood. A filter may leave rows of one program only.
rm bundle/bin/*
export CUDA_VISIBLE_DEVICES=
doctor 0
printf '#!/bin/sh\nexec "%s" "$@"\n' "$real_test" | program real_test
printf '#!/bin/sh\nexec "%s" "$@"\n' "$real_benchmark" | program real_benchmark
check 0 sixth.json --benchmark_filter=Gpu
says "0 passed, 0 failed, 2 with cases skipped; sixth.json"
check 0 sixth.json --benchmark_filter=no_such_row
says "real_benchmark: no row matches --benchmark_filter"
doctor 0 '"GPU 0": "H100"'
check 1 sixth.json --benchmark_filter=Gpu
says "0 passed, 2 failed, 0 with cases skipped; sixth.json"
grep -q "needs a GPU and a build with --config=cuda" log || fail "does not tell why the test skipped"
grep -q "ERROR OCCURRED: 'needs a GPU'" log || fail "does not tell why the benchmark skipped"

rm bundle/bin/real_*
printf '#!/bin/sh\nexec sleep 60\n' | program slow_test
M2F_CHECK_SECONDS=1 check 1 seventh.json
says "slow_test: FAILED: stopped after 1 s; M2F_CHECK_SECONDS gives it more"
echo "all as it should be"
