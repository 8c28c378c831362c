#!/usr/bin/env bash
# Writes a bundle; see bundle.bzl.
#   pack.sh ARCHIVE NAME MANIFEST LIBTORCH_VERSION_PROGRAM CUDA MAX_MEGABYTES [STATUS]
# Lines of MANIFEST: kind (bin, file or script), path, name in the bundle. Of STATUS: key, value.
set -euo pipefail

archive="$1" name="$2" manifest="$3" libtorch_version="$4" cuda="$5" max_megabytes="$6" status="${7:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/$name"
mkdir -p "$root/bin" "$root/lib/glibc" "$root/lib/last" "$root/files"

# What the host brings: LibTorch, CUDA and what they need.
is_host_library() {
  case "$1" in
    libtorch* | libc10* | libcaffe2* | libshm.so*) return 0 ;;
    libcuda.so* | libcudart.so* | libcudnn* | libcublas* | libcufft* | libcufile* | libcupti* | libcurand*) return 0 ;;
    libcusolver* | libcusparse* | libnccl* | libnvidia* | libnvJitLink* | libnvrtc* | libnvshmem* | libnvtx* | libnvToolsExt*) return 0 ;;
  esac
  return 1
}

# glibc itself, taken only where the host's is older.
is_glibc() {
  case "$1" in
    ld-linux* | libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | libutil.so* | libmvec.so* | libresolv.so*) return 0 ;;
  esac
  return 1
}

needed_by() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# Copies what $1 needs, and what that needs. Not by ldd alone: it would go through LibTorch, too.
declare -A seen
collect() {
  local object="$1" soname path found folder file
  found="$(ldd "$object")"
  while read -r soname; do
    if [ -z "$soname" ] || [ -n "${seen[$soname]:-}" ] || is_host_library "$soname"; then continue; fi
    seen[$soname]=1
    path="$(awk -v name="$soname" '$1 == name && $2 == "=>" && $3 ~ /^\// { print $3; exit }' <<< "$found")"
    if is_glibc "$soname"; then
      [ -n "$path" ] || path="$(awk -v name="/$soname" 'index($1, name) { print $1; exit }' <<< "$found")"
      cp -L "$path" "$root/lib/glibc/$soname"
      continue
    fi
    if [ -z "$path" ]; then
      echo "$object needs $soname, which is not on this machine" >&2
      exit 1
    fi
    folder=lib
    # LibTorch's own goes first: two of them in a process would be two thread pools.
    [[ "$soname" != libgomp* ]] || folder=lib/last
    # Under its own name, which may tell its version (glog's does).
    file="$(basename "$(readlink -f "$path")")"
    install -m 0644 "$path" "$root/$folder/$file"
    [ "$file" = "$soname" ] || ln -s "$file" "$root/$folder/$soname"
    collect "$path"
  done <<< "$(needed_by "$object")"
}

while IFS=$'\t' read -r kind path target; do
  case "$kind" in
    bin)
      if [ -e "$root/bin/$target" ]; then
        echo "two programs are named $target" >&2
        exit 1
      fi
      collect "$path"
      install -m 0755 "$path" "$root/bin/$target"
      strip "$root/bin/$target"
      ;;
    script)
      install -m 0755 "$path" "$root/$target"
      ;;
    file)
      mkdir -p "$root/files/$(dirname "$target")"
      install -m 0644 "$path" "$root/files/$target"
      ;;
  esac
done < "$manifest"

first="$(find "$root/bin" -type f | sort | head -n 1)"
loader="$(readelf -l "$first" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')"
cp -L "$loader" "$root/lib/glibc/$(basename "$loader")"
# Also what only LibTorch needs: parts of two glibcs in a process do not fit together.
glibc="$(dirname "$(ldd "$first" | awk '$1 == "libc.so.6" { print $3 }')")"
for part in libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libmvec.so.1 libresolv.so.2; do
  [ ! -e "$glibc/$part" ] || cp -L "$glibc/$part" "$root/lib/glibc/$part"
done
# "1a2b3c", "1a2b3c-modified"; a word that a shell can read.
commit=""
if [ -n "$status" ]; then
  commit="$(awk '$1 == "BUILD_SCM_REVISION" { commit = $2 }
    $1 == "BUILD_SCM_STATUS" && $2 == "Modified" { changes = "-modified" }
    END { if (commit != "") print commit changes }' "$status" | tr -cd 'A-Za-z0-9._-')"
fi
cat > "$root/about" << END
BUNDLE=$name
LIBTORCH_VERSION=$("$libtorch_version")
CUDA=$cuda
GLIBC_VERSION=$(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2)
LOADER=$(basename "$loader")
COMMIT=${commit:-unknown}
END

# The same bytes for the same contents.
tar --create --directory "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$name" |
  xz --threads=0 -6 > "$archive"
bytes="$(stat -Lc %s "$archive")"
if [ "$bytes" -gt $((max_megabytes * 1000000)) ]; then
  echo "$archive has $((bytes / 1000000)) MB, more than the $max_megabytes allowed; largest parts:" >&2
  du -a "$root" | sort -rn | head -n 15 >&2
  exit 1
fi
