#!/usr/bin/env bash
# A project that takes the deformable attention gets LibTorch and little more: none of this
# repository's other rooms, no OpenCV, no protobuf. Its CPU kernel for plain pointers comes without
# LibTorch.
set -euo pipefail

allowed='^(@libtorch|@cuda|@com_google_absl|@platforms)//|^//(pixel_decoder/ops|common|common/cuda|tools/config):'

strangers() { grep -Ev "$allowed" "$1" || true; }

operator=tools/lint/operator_closure
for wanted in //pixel_decoder/ops:ms_deform_attn_cpu_kernel.cc @libtorch//:torch; do
  grep -qxF "$wanted" "$operator" || { echo "$operator lacks $wanted"; exit 1; }
done
if [ -n "$(strangers "$operator")" ]; then
  echo "//pixel_decoder/ops:ms_deform_attn needs more than LibTorch and common/:"
  strangers "$operator"
  exit 1
fi

kernel=tools/lint/kernel_closure
grep -qxF //pixel_decoder/ops:ms_deform_attn_cpu_kernel.cc "$kernel" || { echo "$kernel lacks the kernel"; exit 1; }
if [ -n "$(strangers "$kernel")" ] || grep "^@libtorch//" "$kernel"; then
  echo "//pixel_decoder/ops:ms_deform_attn_cpu_kernel needs more than common/:"
  strangers "$kernel"
  exit 1
fi

# The same look at a whole program finds what it looks for.
for wanted in //data:image_io @opencv//:core @com_google_protobuf//:protobuf; do
  strangers tools/lint/program_closure | grep -qxF "$wanted" || { echo "$wanted was not seen"; exit 1; }
done
