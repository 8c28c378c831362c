#!/usr/bin/env bash
# Unpacks the doctor's bundle, starts it with LibTorch by each way that there is, and reads what it
# says where there is none.
set -euo pipefail

archive="$PWD/tools/bundle/doctor_bundle.tar.xz"
package="$PWD/tools/bundle"
libraries="$(dirname "$(find -L "$PWD/.." -name libtorch_cpu.so | head -n 1)")"
version="$("$PWD/tools/bundle/libtorch_version")"
cd "$TEST_TMPDIR"

fail() { echo "FAILED: $1" >&2; cat out err >&2 || true; exit 1; }
# expect EXIT_CODE TEXT COMMAND...: it ends so and says so.
expect() {
  local wanted="$1" text="$2" code=0
  shift 2
  "$@" > out 2> err || code=$?
  [ "$code" = "$wanted" ] || fail "exit code $code instead of $wanted: $*"
  cat out err | grep -qF -- "$text" || fail "does not say '$text': $*"
}

tar -xf "$archive"
run="$PWD/doctor_bundle/run"
unset LIBTORCH_ROOT PYTHONPATH

# It holds no LibTorch and no CUDA, and each library once.
if find doctor_bundle \( -name 'libtorch*' -o -name 'libc10*' -o -name 'libcud*' \) -print | grep .; then
  fail "LibTorch or CUDA is in the bundle"
fi
[ -e doctor_bundle/lib/glibc/libc.so.6 ] || fail "no glibc in the bundle"
[ -e doctor_bundle/lib/libprotobuf.so.32 ] || [ -n "$(ls doctor_bundle/lib/libprotobuf.so.*)" ] || fail "no protobuf"

# A wheel's folder, as python3 -m pip leaves it.
mkdir -p site/torch
ln -s "$libraries" site/torch/lib
touch site/torch/__init__.py
echo "__version__ = '$version+cu130'" > site/torch/version.py

expect 0 "All fits" env LIBTORCH_ROOT="$PWD/site/torch" "$run" doctor
expect 0 "All fits" env PYTHONPATH="$PWD/site" "$run" doctor
# With the glibc that it brings, as on a host whose own is older.
expect 0 "All fits" env LIBTORCH_ROOT="$PWD/site/torch" M2F_BUNDLED_GLIBC=1 "$run" doctor
expect 0 "$PWD/doctor_bundle/lib/libprotobuf.so" env LIBTORCH_ROOT="$PWD/site/torch" "$run" doctor
grep -qE '^glog +[0-9]+\.[0-9]+' out || fail "does not tell glog's version"
# What it loads is in the bundle or LibTorch's; of the host it takes glibc at most, and not even that with
# its own. LD_DEBUG tells, in a file for each process; the shell that becomes the program comes before it.
expect_own_libraries() {  # expect_own_libraries HOST_LIBRARIES ENVIRONMENT...
  local host="$1" path loaded=0 torch
  # Where the files really are, with their neighbours in nvidia/.
  torch="$(readlink -f "$(dirname "$(readlink -f "$libraries/libtorch_cpu.so")")/../..")"
  shift
  rm -rf debug
  mkdir debug
  expect 0 "All fits" env "$@" LD_DEBUG=libs LD_DEBUG_OUTPUT="$PWD/debug/of" LIBTORCH_ROOT="$PWD/site/torch" "$run" doctor
  while read -r path; do
    loaded=$((loaded + 1))
    case "$path" in
      "$PWD/doctor_bundle"/* | "$PWD/site"/* | "$torch"/*) ;;
      *) [[ " $host " == *" $(basename "$path") "* ]] || fail "takes $path from the host" ;;
    esac
  done < <(awk '/calling init: / { sub(/.*calling init: /, ""); found = found $0 "\n" }
    /initialize program: / { last = found; found = "" }
    END { printf "%s", last }' "$(grep -l "calling init: .*libtorch_cpu.so" debug/of.*)")
  [ "$loaded" -ge 10 ] || fail "LD_DEBUG names only $loaded libraries"
}
glibc="$(cd doctor_bundle/lib/glibc && echo *)"
expect_own_libraries "$glibc"
expect_own_libraries "" M2F_BUNDLED_GLIBC=1
# It would notice: without the bundle's copy, the host's is taken.
mkdir aside
mv doctor_bundle/lib/libprotobuf.so.* aside/
if (expect_own_libraries "$glibc") > noticed 2>&1; then fail "does not notice a library that is missing"; fi
grep -qE "takes .*/libprotobuf|libprotobuf.*cannot open" noticed || fail "does not name the library that is missing"
mv aside/libprotobuf.so.* doctor_bundle/lib/
# From another folder, through a link.
ln -s "$run" started_by_link
expect 0 "All fits" env LIBTORCH_ROOT="$PWD/site/torch" ./started_by_link doctor
expect 0 "doctor" "$run"
expect 1 "there is no program 'dokter'" "$run" dokter

expect 1 "has no lib/libtorch_cpu.so" env LIBTORCH_ROOT="$PWD" "$run" doctor
mkdir -p other/torch
ln -s "$libraries" other/torch/lib
echo "2.9.1+cpu" > other/torch/build-version
expect 1 "built for LibTorch $version, but $PWD/other/torch is 2.9.1" env LIBTORCH_ROOT="$PWD/other/torch" "$run" doctor
grep -qF "pip install torch==$version" err || fail "does not say how to get it"
rm other/torch/build-version
expect 0 "cannot tell the version" env LIBTORCH_ROOT="$PWD/other/torch" "$run" doctor

# Neither LIBTORCH_ROOT nor Python.
mkdir tools_only
for program in sh readlink dirname ls sed getconf cut sort head cat; do
  ln -s "$(command -v "$program")" tools_only/
done
expect 1 "LIBTORCH_ROOT is not set, and there is no python3" env PATH="$PWD/tools_only" "$run" doctor
# A Python without torch.
printf '#!/bin/sh\necho\n' > tools_only/python3
chmod +x tools_only/python3
expect 1 "has no torch" env PATH="$PWD/tools_only" "$run" doctor

# A bundle for GPUs refuses a LibTorch for CPUs.
mkdir -p cpu/torch/lib
ln -s "$libraries"/libtorch_cpu.so cpu/torch/lib/
echo "__version__ = '$version+cpu'" > cpu/torch/version.py
sed -i 's/^CUDA=.*/CUDA=1/' doctor_bundle/about
expect 1 "is a LibTorch for CPUs only" env LIBTORCH_ROOT="$PWD/cpu/torch" "$run" doctor

# A LibTorch for GPUs without CUDA's libraries, of which a program needs one that is nowhere.
touch cpu/torch/lib/libtorch_cuda.so
ln -s "$libraries"/* cpu/torch/lib/ 2> /dev/null || true
sed 's/libprotobuf\.so\.../libprotobuf.so.99/' doctor_bundle/bin/doctor > doctor_bundle/bin/lacking
chmod +x doctor_bundle/bin/lacking
expect 1 "not here: libprotobuf.so.99" env LIBTORCH_ROOT="$PWD/cpu/torch" "$run" lacking
grep -qF "without --no-deps" err || fail "does not say what brings CUDA's libraries"

# Where a commit is known, the archive tells it; the size is a limit.
printf 'bin\t%s\tlibtorch_version\n' "$package/libtorch_version" > manifest
# shellcheck disable=SC2016  # It must not be run.
printf 'BUILD_TIMESTAMP 1\nBUILD_SCM_REVISION 1a2b$(3c)\nBUILD_SCM_STATUS Modified\n' > status
pack() { "$package/pack.sh" packed.tar.xz packed manifest "$package/libtorch_version" 0 "$@"; }
about() { tar -xOf packed.tar.xz packed/about; }
grep -qx "COMMIT=unknown" doctor_bundle/about || fail "the unstamped archive"
pack 60 status > out 2> err || fail "does not pack"
expect 0 "COMMIT=1a2b3c-modified" about
sed -i 's/Modified/Clean/' status
pack 60 status > out 2> err || fail "does not pack"
grep -qx "COMMIT=1a2b3c" <(about) || fail "tells another commit"
pack 60 "" > out 2> err || fail "does not pack"
expect 0 "COMMIT=unknown" about
expect 1 "MB, more than the 0 allowed" pack 0 status

# Of what Bazel asks for it.
mkdir checkout
cd checkout
export GIT_CEILING_DIRECTORIES="$TEST_TMPDIR" HOME="$TEST_TMPDIR"
[ -z "$("$package/workspace_status.sh")" ] || fail "a commit where there is no checkout"
git init -q .
git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m first
wanted="BUILD_SCM_REVISION $(git rev-parse HEAD)"
[ "$("$package/workspace_status.sh")" = "$wanted"$'\n'"BUILD_SCM_STATUS Clean" ] || fail "the commit"
touch new
[ "$("$package/workspace_status.sh")" = "$wanted"$'\n'"BUILD_SCM_STATUS Modified" ] || fail "the commit with changes"

echo "all as it should be"
