#!/usr/bin/env bash
# A project that takes the deformable attention gets LibTorch and little more: none of this
# repository's other rooms, no OpenCV, no protobuf.
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

# The same look at a whole program finds what it looks for.
for wanted in //data:image_io @opencv//:core @com_google_protobuf//:protobuf; do
  strangers tools/lint/program_closure | grep -qxF "$wanted" || { echo "$wanted was not seen"; exit 1; }
done
