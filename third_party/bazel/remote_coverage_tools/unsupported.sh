#!/bin/sh
echo "bazel coverage needs an upstream Bazel (Bazelisk)." >&2
exit 1
