#!/bin/sh
set -eu
exec python3 tools/peers/peers_test.py
