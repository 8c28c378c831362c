#!/bin/sh
# Runs the doctor, all GPU tests and all operator benchmarks of this bundle, times the model stage by stage,
# and writes one JSON.
#
#   ./gpu_check [OUTPUT.json] [BENCHMARK FLAGS...]    by default gpu_check.json
#
# {"bundle", "commit", "date", "host", "gpus": ["NAME, ...", ...], "doctor": {"exit", "result", "report"},
#  "tests": {NAME: {"exit", "result", "report"}}, "benchmarks": the same, "pipeline": the same by precision}
#
# A report is the program's own JSON, null if it ended before it wrote one. A result is "passed", "skipped"
# (cases need a GPU, and there is none), "no row matches --benchmark_filter", or says what failed:
#   - the exit code is not 0, or there is no whole report;
#   - a row of a benchmark ended with an error;
#   - the doctor names a GPU, and a case or row was skipped or says that it needs one.
# Exit code 1 if something failed. Where there is no GPU, the last line says that nothing of it was checked, and
# the exit code is 1 if the bundle was built with CUDA, for then the doctor misses one.
#
# M2F_CHECK_SECONDS  that each program may take (900)
# M2F_CHECK_SIZE     height x width of the picture for the model (512x1024 on a GPU, else 128x256)
set -u

here="$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)"
. "$here/about"
output="${1:-gpu_check.json}"
[ $# -eq 0 ] || shift
filtered=no
for flag in "$@"; do
  case "$flag" in --benchmark_filter=*) filtered=yes ;; esac
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export TEST_TMPDIR="$work" TMPDIR="$work"
passed=0 failed=0 skipped=0

# Seconds that a program may take; where there is no timeout(1), as long as it likes.
seconds="${M2F_CHECK_SECONDS:-900}" limit=""
if command -v timeout > /dev/null; then limit="timeout $seconds"; fi

# keep_if_complete REPORT: null in place of a report whose writer was stopped before its end. Its brackets
# tell, those in strings aside: the outermost closes last.
keep_if_complete() {
  awk '{ gsub(/\\./, ""); gsub(/"[^"]*"/, ""); opened += gsub(/[{[]/, ""); closed += gsub(/[]}]/, "") }
    END { exit !(opened > 0 && opened == closed) }' "$1" 2> /dev/null || echo null > "$1"
}

# count REGEX REPORT: how often it is there.
count() {
  awk -v regex="$1" '{ n += gsub(regex, "") } END { print n + 0 }' "$2"
}

# What may be wrong where there is a GPU and a program does not use it.
likely_fix() {
  if [ "${CUDA:-0}" != 1 ]; then
    echo "this archive was built for CPUs; pack it with bazel build --config=cuda"
  elif [ "$doctor" -ne 0 ]; then
    echo "solve what the doctor reports"
  else
    echo "the doctor finds nothing wrong; see with nvidia-smi that no other process has the GPU to itself"
  fi
}

# judge REPORT CODE: sets result, to "passed", "skipped", "" (there was nothing to run) or what failed.
judge() {
  result=passed
  if [ "$2" -eq 124 ] && [ -n "$limit" ]; then
    result="stopped after $seconds s; M2F_CHECK_SECONDS gives it more"
  elif [ "$2" -ne 0 ]; then
    result="exit code $2"
  elif [ "$(cat "$1")" = null ]; then
    if [ "$filtered" = yes ] && grep -q "^Failed to match any benchmarks" "$work/log"; then
      result=""
    else
      result="exit code 0, but it wrote no report, so nothing shows that it ran"
    fi
  else
    cases="$(count '"result": *"SKIPPED"' "$1")"
    rows="$(count '"error_message": *"needs a GPU' "$1")"
    errors="$(($(count '"error_message": *"' "$1") - rows))"
    if [ "$errors" -gt 0 ]; then
      result="rows that ended with an error: $errors"
    elif [ $((cases + rows)) -gt 0 ]; then
      result=skipped
      [ -z "$gpus" ] || result="cases skipped although there is a GPU: $((cases + rows)); $(likely_fix)"
    fi
  fi
}

# run_one KIND NAME PROGRAM ARGUMENT...: runs it in files/, notes how it ended. Its report is $work/NAME.json;
# of the kind pipeline, what it prints.
run_one() {
  kind="$1" name="$2" program="$3" report="$work/$2.json" shown="$2"
  shift 3
  if [ "$kind" = pipeline ]; then
    shown="$program, $name"
    (cd "$here/files" && $limit "$here/run" "$program" "$@") > "$report" 2> "$work/log"
  else
    (cd "$here/files" && $limit "$here/run" "$program" "$@") > "$work/log" 2>&1
  fi
  code=$?
  keep_if_complete "$report"
  judge "$report" "$code"
  case "$result" in
    "")
      result="no row matches --benchmark_filter"
      echo "$shown: $result"
      ;;
    passed)
      passed=$((passed + 1))
      echo "$shown: passed"
      ;;
    skipped)
      skipped=$((skipped + 1))
      echo "$shown: passed, with cases skipped"
      ;;
    *)
      failed=$((failed + 1))
      echo "$shown: FAILED: $result"
      [ "$code" -eq 0 ] || tail -n 20 "$work/log"
      grep -hE 'needs a GPU|Skipped|ERROR OCCURRED' "$work/log" | sort -u | head -n 20
      ;;
  esac
  printf '%s "%s": {"exit": %d, "result": "%s", "report": %s}' \
    "$comma" "$name" "$code" "$result" "$(cat "$report")" >> "$work/$kind"
  comma=,
}

mkdir -p "$here/files"
: > "$work/tests"
: > "$work/benchmarks"
: > "$work/pipeline"

(cd "$here/files" && $limit "$here/run" doctor --json) > "$work/doctor.json" 2> "$work/doctor.log"
doctor=$?
keep_if_complete "$work/doctor.json"
doctor_result=passed
if [ "$doctor" -ne 0 ]; then
  doctor_result="exit code $doctor"
elif [ "$(cat "$work/doctor.json")" = null ]; then
  doctor_result="exit code 0, but it wrote no report"
fi
if [ "$doctor_result" != passed ]; then
  failed=$((failed + 1))
  echo "doctor: FAILED: $doctor_result"
  cat "$work/doctor.json" "$work/doctor.log"
fi
# The rows that it has for GPUs, as a list of JSON strings.
gpus="$(awk '{
  while (match($0, /"GPU [0-9]+": *"[^"]*"/)) {
    row = substr($0, RSTART, RLENGTH)
    $0 = substr($0, RSTART + RLENGTH)
    sub(/^"GPU [0-9]+": */, "", row)
    printf "%s%s", comma, row
    comma = ", "
  }
}' "$work/doctor.json")"
echo "GPUs: ${gpus:-none}"

comma=""
for program in "$here"/bin/*_test; do
  [ -e "$program" ] || continue
  name="$(basename "$program")"
  run_one tests "$name" "$name" "--gtest_output=json:$work/$name.json"
done
comma=""
for program in "$here"/bin/*_benchmark; do
  [ -e "$program" ] || continue
  name="$(basename "$program")"
  run_one benchmarks "$name" "$name" "--benchmark_out=$work/$name.json" --benchmark_out_format=json "$@"
done
comma=""
if [ -e "$here/bin/benchmark" ]; then
  if [ -n "$gpus" ]; then
    for precision in fp32 bf16; do
      run_one pipeline "$precision" benchmark --json --device=cuda "--precision=$precision" \
        "--size=${M2F_CHECK_SIZE:-512x1024}"
    done
  else
    run_one pipeline fp32 benchmark --json --device=cpu --precision=fp32 "--size=${M2F_CHECK_SIZE:-128x256}" --rounds=2
  fi
fi

{
  printf '{"bundle": "%s", "commit": "%s", "date": "%s", "host": "%s", "gpus": [%s],\n' \
    "$BUNDLE" "${COMMIT:-unknown}" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -n)" "$gpus"
  printf '"doctor": {"exit": %d, "result": "%s", "report": %s},\n' \
    "$doctor" "$doctor_result" "$(cat "$work/doctor.json")"
  printf '"tests": {%s},\n"benchmarks": {%s},\n"pipeline": {%s}}\n' \
    "$(cat "$work/tests")" "$(cat "$work/benchmarks")" "$(cat "$work/pipeline")"
} > "$output.part" && mv "$output.part" "$output" || exit 1
echo "$passed passed, $failed failed, $skipped with cases skipped; $output"
if [ "$(cat "$work/doctor.json")" = null ]; then
  echo "WHETHER THERE IS A GPU IS NOT KNOWN: the doctor did not run, see what it says above"
elif [ -z "$gpus" ]; then
  echo "NOTHING OF THE GPU WAS CHECKED: the doctor finds no GPU on this host"
fi
[ "$failed" -eq 0 ]
