#!/usr/bin/env python3
"""Writes common/testdata/python.safetensors: a file by the reference writer, with every dtype.

Needs torch and safetensors.
"""

import pathlib

import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    values = torch.arange(-3, 3).view(2, 3)
    tensors = {
        "f64": values.to(torch.float64) / 3,
        "f32": values.to(torch.float32) / 3,
        "f16": values.to(torch.float16) / 3,
        "bf16": values.to(torch.bfloat16) / 3,
        "i64": values * 2**40,
        "i32": (values * 2**20).to(torch.int32),
        "i16": (values * 2**10).to(torch.int16),
        "i8": values.to(torch.int8),
        "u8": (values + 200).to(torch.uint8),
        "bool": values > 0,
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "odd": torch.tensor([1, 2, 3], dtype=torch.uint8),
        "größe": torch.tensor([1.0]),
    }
    path = ROOT / "common/testdata/python.safetensors"
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt", "schlüssel": "wert"})


if __name__ == "__main__":
    main()
