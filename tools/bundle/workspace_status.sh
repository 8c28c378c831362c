#!/bin/sh
# For Bazel's --workspace_status_command: the commit of the checkout, and whether files differ from it.
# Prints nothing where there is no git or no checkout. Not "STABLE_": a commit alone rebuilds nothing.
commit="$(git rev-parse HEAD 2> /dev/null)" || exit 0
echo "BUILD_SCM_REVISION $commit"
changes="$(git --no-optional-locks status --porcelain 2> /dev/null)"
if [ -n "$changes" ]; then echo "BUILD_SCM_STATUS Modified"; else echo "BUILD_SCM_STATUS Clean"; fi
