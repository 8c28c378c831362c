#!/usr/bin/env python3
"""Writes model/testdata/hugging_face_{resnet,swin}.safetensors: what transformers' Mask2Former
computes with weights that anyone can compute from its names.

Each file holds the final class and mask logits for three pictures (one of odd size, padded), and in
its metadata the names and shapes of the weights. A weight is made of u(name, i), see fill().

Needs torch, transformers (4.57.1 was used), safetensors and numpy.
"""

import json
import math
import pathlib

import numpy as np
import safetensors.torch
import torch
from transformers import (Mask2FormerConfig, Mask2FormerForUniversalSegmentation, ResNetConfig,
                          SwinConfig)

from reference_values import uniform

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = [(64, 64), (90, 150), (33, 97)]
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
STAGES = ["stage1", "stage2", "stage3", "stage4"]
BACKBONES = {
    "resnet": ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 32, 64], depths=[2, 2, 2, 2],
                           layer_type="basic", out_features=STAGES),
    "swin": SwinConfig(embed_dim=8, depths=[1, 2, 1, 1], num_heads=[1, 2, 4, 8], window_size=3,
                       out_features=STAGES),
}


def fill(name, shape):
    """The value of a weight. The same rules are in model/hugging_face_test.cc."""
    count = math.prod(shape)
    r = 2 * uniform(name, count) - 1
    if name.endswith("running_var"):
        value = 1 + 0.5 * r
    elif name.endswith("sampling_offsets.bias"):
        value = 4 * r
    elif len(shape) == 1:
        value = 1 + 0.1 * r if name.endswith("weight") else 0.1 * r
    elif "queries" in name or "level_embed" in name:
        value = math.sqrt(3) * r
    else:
        value = math.sqrt(3 * shape[0] / count) * r
    return torch.from_numpy(value.astype(np.float32)).view(shape)


def picture(height, width):
    name = f"picture{height}x{width}"
    values = np.floor(256 * uniform(name, 3 * height * width)).reshape(3, height, width)
    image = (torch.from_numpy(values.astype(np.float32)) - MEAN) / STD
    return torch.nn.functional.pad(image, (0, -width % 32, 0, -height % 32))[None]


def main():
    for kind, backbone in BACKBONES.items():
        model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(
            backbone_config=backbone, num_queries=5, num_labels=3, feature_size=32,
            mask_feature_size=32, hidden_dim=32, encoder_layers=1, decoder_layers=4,
            encoder_feedforward_dim=32, dim_feedforward=32, num_attention_heads=2,
            dropout=0.0)).eval()
        state = {k: v for k, v in model.state_dict().items() if v.is_floating_point()}
        model.load_state_dict({k: fill(k, tuple(v.shape)) for k, v in state.items()}, strict=False)
        tensors = {}
        for height, width in SIZES:
            with torch.inference_mode():
                out = model(pixel_values=picture(height, width))
            tensors[f"classes.{height}x{width}"] = out.class_queries_logits[0].contiguous()
            tensors[f"masks.{height}x{width}"] = out.masks_queries_logits[0].contiguous()
        path = ROOT / f"model/testdata/hugging_face_{kind}.safetensors"
        path.parent.mkdir(exist_ok=True)
        safetensors.torch.save_file(tensors, path, metadata={
            "shapes": json.dumps({k: list(v.shape) for k, v in state.items()},
                                 separators=(",", ":"))})
        for name, value in tensors.items():
            print(kind, name, tuple(value.shape), value.abs().mean().item())


if __name__ == "__main__":
    main()
