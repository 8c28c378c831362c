#!/usr/bin/env python3
"""Writes a small model in official names as detectron2 does, and what transformers makes of it.

  model/testdata/official_swin.pkl          {"model": NumPy arrays, ..}, half precision
  model/testdata/official_swin.safetensors  final class and mask logits of three pictures

Weights are the reference values of their names with the salt "file:"; pictures as hugging_face.py
has them.

Needs torch, transformers (4.57.1 was used), safetensors and numpy.
"""

import pathlib
import pickle

import safetensors.torch
import torch
from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, SwinConfig

from hugging_face import SIZES, STAGES, picture
from official_names import reference_state

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / "model/testdata"


def main():
    backbone = SwinConfig(embed_dim=2, depths=[2, 1, 1, 1], num_heads=[1, 2, 2, 4], window_size=3,
                          out_features=STAGES)
    model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(
        backbone_config=backbone, num_queries=3, num_labels=2, feature_size=32, mask_feature_size=16,
        hidden_dim=32, encoder_layers=1, decoder_layers=2, encoder_feedforward_dim=8,
        dim_feedforward=8, num_attention_heads=2, dropout=0.0)).eval()
    values, arrays = {}, {}
    for official, parts in reference_state(model, "file:").items():
        arrays[official] = torch.cat([value for _, value in parts]).half().numpy()
        values.update((name, value.half().float()) for name, value in parts)
    missing = model.load_state_dict(values, strict=False).missing_keys
    assert all(k.endswith(("layernorm.weight", "layernorm.bias", "empty_weight", "position_index"))
               for k in missing), missing
    # What the official files have besides.
    arrays["criterion.empty_weight"] = torch.tensor([1.0, 1.0, 0.1]).numpy()
    (TESTDATA / "official_swin.pkl").write_bytes(pickle.dumps(
        {"model": arrays, "__author__": "tools/goldens", "matching_heuristics": True}, protocol=4))
    tensors = {}
    for height, width in SIZES:
        with torch.inference_mode():
            out = model(pixel_values=picture(height, width))
        tensors[f"classes.{height}x{width}"] = out.class_queries_logits[0].contiguous()
        tensors[f"masks.{height}x{width}"] = out.masks_queries_logits[0].contiguous()
    safetensors.torch.save_file(tensors, TESTDATA / "official_swin.safetensors")


if __name__ == "__main__":
    main()
