#!/usr/bin/env python3
"""Writes model/weights/testdata: the same tensors in every format that weights come in.

  expected.safetensors      the values, row-major, by the reference writer
  numpy_protocol{2..5}.pkl  detectron2's form, NumPy arrays of all dtypes, C and Fortran order
  torch_tensors.pkl         LibTorch tensors in a plain pickle, as the official Swin converter writes
  torch.pth, torch_legacy.pth   torch.save now and before 1.6: shared storages, strides, bfloat16, ..
  torch_tar.pth             the same as torch.save wrote before 0.1.10; torch.load still reads it
  shards/                   safetensors in two parts with an index, config.json with class names
  big_endian.pkl, objects.pkl, code.pkl   what must be refused; code.pkl would run os.system

Needs numpy, torch and safetensors.
"""

import collections
import io
import json
import pathlib
import pickle
import struct
import tarfile

import numpy as np
import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "model/weights/testdata"

NUMPY_TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]


def numpy_arrays():
    arrays = {}
    for name in NUMPY_TYPES:
        values = np.arange(-3, 9).reshape(3, 4) * (17 if name != "b1" else 1)
        arrays[f"numpy.{name}"] = (values % 3 > 0) if name == "b1" else values.astype(name)
    base = np.arange(24, dtype="f4").reshape(2, 3, 4) / 7
    arrays["numpy.fortran"] = np.asfortranarray(base)
    arrays["numpy.transposed"] = base.transpose(2, 0, 1)
    arrays["numpy.sliced"] = base[:, 1:, ::2]
    arrays["numpy.empty"] = np.zeros((0, 5), "f4")
    arrays["numpy.scalar"] = np.float64(2.5)
    # Bytes above 0x7f, which protocol 2 writes as two.
    arrays["numpy.bytes"] = np.arange(256, dtype="u1")
    return arrays


def torch_tensors():
    base = torch.arange(24, dtype=torch.float32).view(4, 6) / 3
    linear = torch.nn.Linear(2, 3)
    with torch.no_grad():
        linear.weight.copy_(torch.arange(6.0).view(3, 2) / 10)
    tensors = collections.OrderedDict()
    tensors["torch.base"] = base
    tensors["torch.row"] = base[1]
    tensors["torch.transposed"] = base.t()
    tensors["torch.strided"] = base[::2, 1::2]
    tensors["torch.parameter"] = linear.weight
    tensors["torch.bfloat16"] = (base / 9).to(torch.bfloat16)
    tensors["torch.half"] = base.half()
    tensors["torch.double"] = base.double()
    tensors["torch.counter"] = torch.tensor(7)
    tensors["torch.bool"] = base > 3
    tensors["torch.uint8"] = base.to(torch.uint8)
    tensors["torch.uint16"] = torch.tensor([1, 65535], dtype=torch.uint16)
    tensors["torch.empty"] = torch.zeros(3, 0)
    return tensors


class NumberedTensors(pickle.Pickler):
    """Pickles an object whose tensors are numbers, from 1000 on."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.tensors = []

    def persistent_id(self, value):
        if not isinstance(value, torch.Tensor):
            return None
        self.tensors.append(value.detach())
        return str(999 + len(self.tensors))


def torch_tar(checkpoint):
    """A tar archive of a description of the machine, the object, its tensors and their storages."""
    def dump(value):
        return pickle.dumps(value, protocol=2)

    file = io.BytesIO()
    numbered = NumberedTensors(file)
    numbered.dump(checkpoint)
    members = {"sys_info": dump({"protocol_version": 1000, "little_endian": True,
                                 "type_sizes": {"short": 2, "int": 4, "long": 4}}),
               "pickle": file.getvalue()}
    storages, parts = {}, []  # By address: (number, storage); (number, whole, first, elements).
    tensors = [dump(len(numbered.tensors))]
    for i, tensor in enumerate(numbered.tensors):
        storage = tensor.storage()
        address = storage.data_ptr() or -i
        number = storages.setdefault(address, (5000 + len(storages), storage))[0]
        offset = tensor.storage_offset()
        if tensor.shape == (6,):  # As a storage that is part of another.
            parts.append((9000 + i, number, offset, 6))
            number, offset = 9000 + i, 0
        sizes = [*tensor.shape, *tensor.stride(), offset]
        tensors += [dump((1000 + i, number, torch.FloatTensor)),
                    struct.pack(f"<q{len(sizes)}q", tensor.dim(), *sizes)]
    members["tensors"] = b"".join(tensors)
    contents = [dump(len(storages))]
    for number, storage in storages.values():
        kind = getattr(torch, storage.pickle_storage_type())
        contents += [dump((number, "cpu", kind)), struct.pack("<q", storage.size()),
                     bytes(storage.untyped())]
    members["storages"] = b"".join(contents) + dump(parts)

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, member in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(member), 1.5  # A fraction, for an extended header.
            tar.addfile(info, io.BytesIO(member))
    return out.getvalue()


class Code:
    def __reduce__(self):
        import os
        return os.system, ("echo this was run",)


def write(name, contents):
    (OUT / name).parent.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_bytes(contents)


def main():
    arrays, tensors = numpy_arrays(), torch_tensors()
    for protocol in (2, 3, 4, 5):
        write(f"numpy_protocol{protocol}.pkl", pickle.dumps(
            {"model": arrays, "__author__": "tools/goldens", "matching_heuristics": True},
            protocol=protocol))
    write("torch_tensors.pkl", pickle.dumps(
        {"model": tensors, "__author__": "third_party", "matching_heuristics": True}))
    checkpoint = {"model": tensors, "iteration": 12, "optimizer": {"state": {0: {"step": 1.5}}},
                  "big": 2**100, "note": "none"}
    for name, is_zip in (("torch.pth", True), ("torch_legacy.pth", False)):
        file = io.BytesIO()
        torch.save(checkpoint, file, _use_new_zipfile_serialization=is_zip)
        write(name, file.getvalue())

    old = collections.OrderedDict((k, v) for k, v in tensors.items() if k != "torch.uint16")
    write("torch_tar.pth", torch_tar({**checkpoint, "model": old}))
    loaded = torch.load(OUT / "torch_tar.pth", weights_only=False)["model"]
    assert all(torch.equal(loaded[k], v) and loaded[k].dtype == v.dtype for k, v in old.items())

    expected = {k: torch.from_numpy(np.ascontiguousarray(v).reshape(v.shape))
                for k, v in arrays.items()}
    expected.update({k: v.detach().contiguous().clone() for k, v in tensors.items()})
    write("expected.safetensors", safetensors.torch.save(
        expected, metadata={"class_names": json.dumps(["road", "sky"])}))

    names = sorted(k for k in expected if k.startswith("torch."))
    parts = {"model-00001-of-00002.safetensors": names[:5],
             "model-00002-of-00002.safetensors": names[5:]}
    weight_map = {}
    for part, members in parts.items():
        write(f"shards/{part}", safetensors.torch.save({k: expected[k] for k in members}))
        weight_map.update({k: part for k in members})
    write("shards/model.safetensors.index.json", json.dumps(
        {"metadata": {"total_size": 1}, "weight_map": weight_map}, indent=1).encode())
    write("shards/config.json", json.dumps({"id2label": {"1": "sky", "0": "road"}}).encode())

    write("big_endian.pkl", pickle.dumps({"a": np.arange(3, dtype=">f4")}, protocol=2))
    write("objects.pkl", pickle.dumps({"a": np.array([None, "x"], dtype=object)}, protocol=2))
    write("code.pkl", pickle.dumps({"model": {"a": Code()}}, protocol=2))


if __name__ == "__main__":
    main()
