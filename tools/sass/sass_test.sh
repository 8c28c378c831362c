#!/bin/sh
set -eu
exec python3 tools/sass/sass_test.py
