#!/bin/sh
# Runs each row of a Google Benchmark binary once, on small sizes: does it still work?
M2F_SMALL_BENCHMARKS=1 exec "$1" --benchmark_min_time=0
