"""Writes pixel_decoder/testdata/ms_deform_attn_pixel_decoder.safetensors.

Needs torch, safetensors and transformers 4.57, whose Mask2FormerPixelDecoder is the oracle. Run from
the root of the repository:

    python3 tools/goldens/pixel_decoder.py

Parameters and inputs are reference values (common/testing/reference_values.h) of the names that this
repository gives them. Everything is computed in float64 except the position embeddings, and stored
in float64: outputs "mask_features" and "levels.I", and "gradient_norms.NAME", the L2 norm of the
gradient in each parameter and input of sum(output * u(NAME, i)) over the four outputs.
"""

import re

import torch
from safetensors.torch import save_file
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerPixelDecoder

from reference_values import uniform

SALT = "pixel_decoder:"
CHANNELS = [8, 12, 20, 24]  # Strides 4, 8, 16, 32.
HEIGHT, WIDTH = 64, 32

RENAMES = [
    (r"^input_projections\.", "input_proj."),
    (r"^level_embed$", "transformer.level_embed"),
    (r"^encoder\.", "transformer.encoder."),
    (r"\.self_attn_layer_norm\.", ".norm1."),
    (r"\.final_layer_norm\.", ".norm2."),
    (r"\.fc(\d)\.", r".linear\1."),
    (r"^(adapter_1|layer_1)\.0\.", r"\1."),
    (r"^(adapter_1|layer_1)\.1\.", r"\1.norm."),
    (r"^mask_projection\.", "mask_features."),
]


def our_name(name):
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def values(name, *sizes):
    count = 1
    for size in sizes:
        count *= size
    return torch.from_numpy(uniform(name, count)).reshape(sizes)


def parameter(name, sizes):
    r = 2 * values(SALT + name, *sizes) - 1
    if name.endswith("sampling_offsets.bias"):
        r = 4 * r
    elif name.endswith("level_embed"):
        r = 3**0.5 * r
    elif len(sizes) == 1:
        r = 1 + 0.1 * r if name.endswith("weight") else 0.1 * r
    else:
        fan_in = r.numel() / sizes[0]
        r = (3 / fan_in) ** 0.5 * r
        if name.split(".")[-2] in ("output_proj", "linear2"):
            r = 0.25 * r
    return r.float().double()  # Stored as float.


def main():
    config = Mask2FormerConfig(
        feature_size=64,
        mask_feature_size=16,
        encoder_layers=2,
        encoder_feedforward_dim=40,
        num_attention_heads=4,
        dropout=0.0,
    )
    decoder = Mask2FormerPixelDecoder(config, CHANNELS).double()
    embed = decoder.position_embedding.forward
    decoder.position_embedding.forward = lambda shape, device, dtype: embed(
        shape, device, torch.float32
    ).double()
    leaves = {}
    with torch.no_grad():
        for name, tensor in decoder.named_parameters():
            tensor.copy_(parameter(our_name(name), tuple(tensor.shape)))
            leaves[our_name(name)] = tensor
    pyramid = []
    for i, channels in enumerate(CHANNELS):
        stride = 4 << i
        # Small, so that the norms' epsilon counts.
        x = 0.02 * (2 * values(f"input.{i}", 2, channels, HEIGHT // stride, WIDTH // stride) - 1)
        pyramid.append(x.requires_grad_())
        leaves[f"input.{i}"] = x

    output = decoder(pyramid)
    results = {"mask_features": output.mask_features}
    for i, level in enumerate(output.multi_scale_features):
        results[f"levels.{i}"] = level
    total = sum((t * values(name, *t.shape)).sum() for name, t in results.items())
    total.backward()
    for name, leaf in leaves.items():
        results["gradient_norms." + name] = leaf.grad.norm()
    save_file(
        {name: tensor.detach().contiguous() for name, tensor in results.items()},
        "pixel_decoder/testdata/ms_deform_attn_pixel_decoder.safetensors",
    )


main()
