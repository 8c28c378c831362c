#!/bin/sh
# Runs the doctor, all GPU tests and all operator benchmarks of this bundle and writes one JSON.
#
#   ./gpu_check [OUTPUT.json] [BENCHMARK FLAGS...]    by default gpu_check.json
#
# {"bundle", "date", "host", "doctor": {"exit", "report"}, "tests": {NAME: {"exit", "report"}},
#  "benchmarks": {NAME: {"exit", "report"}}}; a report is the program's own JSON, null if it ended
# before it wrote one. Exit code 1 if the doctor, a test or a benchmark failed.
set -u

here="$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)"
. "$here/about"
output="${1:-gpu_check.json}"
[ $# -eq 0 ] || shift
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# Seconds that a program may take; where there is no timeout(1), as long as it likes.
limit=""
if command -v timeout > /dev/null; then limit="timeout ${M2F_CHECK_SECONDS:-900}"; fi

# keep_if_complete REPORT: null in place of a report whose writer was stopped before its end. Its brackets
# tell, those in strings aside: the outermost closes last.
keep_if_complete() {
  awk '{ gsub(/\\./, ""); gsub(/"[^"]*"/, ""); opened += gsub(/[{[]/, ""); closed += gsub(/[]}]/, "") }
    END { exit !(opened > 0 && opened == closed) }' "$1" 2> /dev/null || echo null > "$1"
}

# run_one KIND NAME REPORT COMMAND...: runs it in files/, notes how it ended.
run_one() {
  kind="$1" name="$2" report="$3"
  shift 3
  (cd "$here/files" && $limit "$here/run" "$name" "$@") > "$work/log" 2>&1
  code=$?
  keep_if_complete "$report"
  printf '%s "%s": {"exit": %d, "report": %s}' "$comma" "$name" "$code" "$(cat "$report")" >> "$work/$kind"
  comma=,
  word=passed
  if [ "$code" -ne 0 ]; then
    word=FAILED
    failed=$((failed + 1))
  elif grep -q '"result": "SKIPPED"' "$report"; then
    word="passed, with cases skipped"
    skipped=$((skipped + 1))
  else
    passed=$((passed + 1))
  fi
  echo "$name: $word"
  [ "$code" -eq 0 ] || tail -n 20 "$work/log"
}

mkdir -p "$here/files"
: > "$work/tests"
: > "$work/benchmarks"

(cd "$here/files" && "$here/run" doctor --json) > "$work/doctor.json" 2> "$work/doctor.log"
doctor=$?
keep_if_complete "$work/doctor.json"
if [ "$doctor" -ne 0 ]; then
  failed=$((failed + 1))
  cat "$work/doctor.json" "$work/doctor.log"
fi

comma=""
for program in "$here"/bin/*_test; do
  [ -e "$program" ] || continue
  name="$(basename "$program")"
  TEST_TMPDIR="$work" run_one tests "$name" "$work/$name.json" "--gtest_output=json:$work/$name.json"
done
comma=""
for program in "$here"/bin/*_benchmark; do
  [ -e "$program" ] || continue
  name="$(basename "$program")"
  run_one benchmarks "$name" "$work/$name.json" "--benchmark_out=$work/$name.json" \
    --benchmark_out_format=json "$@"
done

{
  printf '{"bundle": "%s", "date": "%s", "host": "%s",\n' "$BUNDLE" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -n)"
  printf '"doctor": {"exit": %d, "report": %s},\n' "$doctor" "$(cat "$work/doctor.json")"
  printf '"tests": {%s},\n"benchmarks": {%s}}\n' "$(cat "$work/tests")" "$(cat "$work/benchmarks")"
} > "$output.part" && mv "$output.part" "$output" || exit 1
echo "$passed passed, $failed failed, $skipped with cases skipped; $output"
[ "$failed" -eq 0 ]
