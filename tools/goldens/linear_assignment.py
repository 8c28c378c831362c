"""Writes matcher/testdata/linear_assignment.bin: what SciPy makes of 10,000 matrices.

Needs numpy and scipy. Run from the root of the repository:

    python3 tools/goldens/linear_assignment.py

The matrices are not stored: matcher/linear_assignment_test.cc makes them again, by the same formula.
Per matrix 12 bytes, little-endian: the total cost (float64, entries added in order of rows) and the
FNV-1a hash of the pairs (uint32; rows and columns alternating, each as 2 bytes).
"""

import struct
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from reference_values import uniform

COUNT = 10000


def matrix(index):
    """Matrix `index`: 10 kinds of entries, and sizes that lean to the small side."""
    sizes = uniform(f"size{index}", 2)
    rows, columns = (int(201 * v * v) for v in sizes)
    u = uniform(f"cost{index}", rows * columns).reshape(rows, columns)
    kind = index % 10
    if kind == 0:  # All different.
        return u
    if kind == 1:  # Both signs.
        return 2 * u - 1
    if kind == 2:  # Huge.
        return (2 * u - 1) * 1e10
    if kind == 3:  # Negative and huge.
        return u * -1e300
    if kind == 4:  # Few values, many ties.
        return np.floor(4 * u)
    if kind == 5:  # Two values.
        return np.floor(2 * u)
    if kind == 6:  # Nothing but ties.
        return np.full_like(u, 3.0)
    if kind == 7:  # Small and huge side by side.
        return np.where(u < 0.5, u * 1e10, u)
    if kind == 8:  # Equal rows.
        return np.broadcast_to(np.floor(64 * u[:1]), u.shape).copy()
    # Products, the worst case for shortest paths; integers, so with ties.
    return np.arange(1.0, rows + 1)[:, None] * np.arange(1.0, columns + 1)[None]


def record(costs):
    rows, columns = linear_sum_assignment(costs)
    total = 0.0
    for row, column in zip(rows, columns):
        total += costs[row, column]
    h = 2166136261
    for byte in np.stack([rows, columns], 1).astype("<u2").tobytes():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return struct.pack("<dI", total, h)


def main():
    path = Path(__file__).parents[2] / "matcher/testdata/linear_assignment.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(record(matrix(i)) for i in range(COUNT)))


if __name__ == "__main__":
    main()
