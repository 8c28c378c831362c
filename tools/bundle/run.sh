#!/bin/sh
# Starts a program of this bundle with the LibTorch of this machine.
#
#   ./run                       lists the programs
#   ./run PROGRAM [ARGUMENT...]
#
# LibTorch is $LIBTORCH_ROOT (a folder with lib/libtorch_cpu.so), else the torch that python3
# would import. Neither Python nor Bazel is needed otherwise.
set -eu

here="$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)"
. "$here/about"

fail() {
  printf '%s: %s\n' "$BUNDLE" "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

if [ $# -eq 0 ]; then
  echo "usage: $0 PROGRAM [ARGUMENT...]; programs:"
  ls "$here/bin"
  exit 0
fi
program="$1"
shift
[ -x "$here/bin/$program" ] || fail "there is no program '$program'; there are:" $(ls "$here/bin")

install_hint="pip install torch==$LIBTORCH_VERSION brings it; or set LIBTORCH_ROOT to the folder that has lib/libtorch_cpu.so"
root="${LIBTORCH_ROOT:-}"
if [ -z "$root" ]; then
  command -v python3 > /dev/null ||
    fail "no LibTorch: LIBTORCH_ROOT is not set, and there is no python3 whose torch could be taken" "$install_hint"
  root="$(python3 -c '
import importlib.util
spec = importlib.util.find_spec("torch")
print(spec.submodule_search_locations[0] if spec else "")')"
  [ -n "$root" ] || fail "no LibTorch: LIBTORCH_ROOT is not set, and $(command -v python3) has no torch" "$install_hint"
fi
[ -e "$root/lib/libtorch_cpu.so" ] || fail "$root has no lib/libtorch_cpu.so, so it is no LibTorch" "$install_hint"

# Of a wheel, of an unpacked LibTorch.
found="$(sed -n "s/^__version__ *= *['\"]\([0-9.]*\).*/\1/p" "$root/version.py" 2> /dev/null || true)"
[ -n "$found" ] || found="$(sed -n 's/^\([0-9.]*\).*/\1/p' "$root/build-version" 2> /dev/null || true)"
if [ -z "$found" ]; then
  printf '%s: note: cannot tell the version of %s; %s is needed\n' "$BUNDLE" "$root" "$LIBTORCH_VERSION" >&2
elif [ "$found" != "$LIBTORCH_VERSION" ]; then
  fail "built for LibTorch $LIBTORCH_VERSION, but $root is $found" "$install_hint"
fi
if [ "$CUDA" = 1 ] && [ ! -e "$root/lib/libtorch_cuda.so" ]; then
  fail "built with CUDA, but $root is a LibTorch for CPUs only" "$install_hint"
fi

path="$here/lib:$root/lib"
cuda_folders=0
for folder in "$root"/../nvidia/*/lib; do
  [ ! -d "$folder" ] || { path="$path:$folder" cuda_folders=$((cuda_folders + 1)); }
done
path="$path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}:$here/lib/last"
# A wheel brings dozens, unless it was installed alone. Elsewhere CUDA may be where the loader looks anyway.
if [ "$CUDA" = 1 ] && [ "$cuda_folders" -lt 5 ]; then
  lacking="$(LD_TRACE_LOADED_OBJECTS=1 LD_LIBRARY_PATH="$path" "$here/bin/$program" 2> /dev/null |
    sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u | tr '\n' ' ')"
  [ -z "$lacking" ] || fail "built with CUDA, but these libraries of it are not here: $lacking" \
    "pip install torch==$LIBTORCH_VERSION, without --no-deps, brings them; or add their folder to LD_LIBRARY_PATH"
fi

# An older glibc than this bundle was made with cannot load it; the one brought along can.
host_glibc="$(getconf GNU_LIBC_VERSION 2> /dev/null | cut -d ' ' -f 2)"
oldest="$(printf '%s\n%s\n' "${host_glibc:-0}" "$GLIBC_VERSION" | sort -V | head -n 1)"
if [ "$oldest" = "$GLIBC_VERSION" ] && [ -z "${M2F_BUNDLED_GLIBC:-}" ]; then
  LD_LIBRARY_PATH="$path" exec "$here/bin/$program" "$@"
fi
exec "$here/lib/glibc/$LOADER" --library-path "$here/lib/glibc:$path" "$here/bin/$program" "$@"
