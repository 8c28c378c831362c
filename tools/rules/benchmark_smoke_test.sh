#!/bin/sh
# Runs a Google Benchmark binary for a moment: does it still work?
exec "$1" --benchmark_min_time=0.001
