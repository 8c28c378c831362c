"""Writes backbone/testdata/swin.safetensors.

Needs torch, safetensors and transformers 4.57, whose SwinBackbone is the oracle. Run from the root
of the repository:

    python3 tools/goldens/swin.py

Parameters and inputs are reference values (common/testing/reference_values.h) of the names that this
repository gives them, with the prefix "backbone." and the salt "s2:". Everything is computed and
stored in float64, for three networks:

  tiny   Swin-T, input 1 x 3 x 70 x 101 of 2 u("odd", i) - 1
  base   Swin-B with windows of 12, input 1 x 3 x 136 x 200 of 2 u("base", i) - 1: its last two maps
         are smaller than a window
  small  24 channels, depths 1 2 1 2, windows of 5, input 2 x 3 x 47 x 62 of 2 u("small", i) - 1

NETWORK.res2 .. res5 are every 101st element of the flattened [B, C, H, W] feature maps, for `small`
every 11th; small.gradient_norms.NAME is the L2 norm of the gradient in each parameter, and in
"input", of sum(map * u(NAME OF MAP, i)) over the four maps.
"""

import re

import torch
from safetensors.torch import save_file
from transformers import SwinBackbone, SwinConfig

from reference_values import uniform

SALT = "s2:"
PREFIX = "backbone."
STEP = 101
SMALL_STEP = 11
STAGES = ["stage1", "stage2", "stage3", "stage4"]
MAPS = ["res2", "res3", "res4", "res5"]

RENAMES = [
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.self\.relative_", ".attn.relative_"),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
]
PARTS = {"query": 0, "key": 1, "value": 2}


def our_name(name):
    """Our name and, for a third of the queries, keys and values, which."""
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    name = re.sub(
        r"^hidden_states_norms\.stage(\d)\.", lambda m: f"norm{int(m.group(1)) - 1}.", name
    )
    match = re.match(r"(.*)\.attention\.self\.(query|key|value)\.(weight|bias)$", name)
    if match:
        return f"{match.group(1)}.attn.qkv.{match.group(3)}", PARTS[match.group(2)]
    return name, None


def values(name, sizes):
    count = 1
    for size in sizes:
        count *= size
    return torch.from_numpy(uniform(name, count)).reshape(sizes)


def parameter(name, sizes):
    r = 2 * values(SALT + PREFIX + name, sizes) - 1
    if name.endswith("relative_position_bias_table"):
        r = 0.5 * r
    elif len(sizes) == 1:
        r = 1 + 0.1 * r if name.endswith("weight") else 0.1 * r
    else:
        r = (3 * sizes[0] / r.numel()) ** 0.5 * r
    return r.float().double()  # Stored as float.


def compute(name, sizes, gradients, **config):
    swin = SwinBackbone(SwinConfig(drop_path_rate=0.0, out_features=STAGES, **config))
    swin = swin.double().eval()
    leaves = {}
    with torch.no_grad():
        for their_name, tensor in swin.named_parameters():
            ours, part = our_name(their_name)
            shape = list(tensor.shape)
            if part is None:
                tensor.copy_(parameter(ours, shape))
            else:
                shape[0] *= 3
                tensor.copy_(parameter(ours, shape).chunk(3)[part])
            leaves.setdefault(ours, []).append(tensor)
    x = (2 * values(name if name != "tiny" else "odd", sizes) - 1).requires_grad_(gradients)
    leaves["input"] = [x]
    results = {}
    with torch.set_grad_enabled(gradients):
        maps = swin(x).feature_maps
        total = 0
        for key, feature_map in zip(MAPS, maps):
            total = total + (feature_map * values(key, feature_map.shape)).sum()
            flat = feature_map.detach().flatten()
            results[f"{name}.{key}"] = flat[:: SMALL_STEP if gradients else STEP].clone()
    if gradients:
        total.backward()
        for key, parts in leaves.items():
            square = sum(part.grad.square().sum() for part in parts)
            results[f"{name}.gradient_norms.{key}"] = square.sqrt()
    return results


def main():
    results = compute("tiny", [1, 3, 70, 101], False)
    results.update(
        compute(
            "base",
            [1, 3, 136, 200],
            False,
            embed_dim=128,
            depths=[2, 2, 18, 2],
            num_heads=[4, 8, 16, 32],
            window_size=12,
        )
    )
    results.update(
        compute(
            "small",
            [2, 3, 47, 62],
            True,
            embed_dim=24,
            depths=[1, 2, 1, 2],
            num_heads=[1, 2, 3, 4],
            window_size=5,
        )
    )
    save_file(results, "backbone/testdata/swin.safetensors")


main()
