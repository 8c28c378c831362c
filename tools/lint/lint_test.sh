#!/bin/sh
# Lints the checkout that this test was built from.
set -eu
root="$(dirname "$(readlink -f WORKSPACE)")"
python3 tools/lint/lint_rules_test.py
exec python3 tools/lint/lint.py "$root"
