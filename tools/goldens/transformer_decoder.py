"""Prints the reference values of transformer_decoder/masked_attention_decoder_test.cc.

Runs the transformer decoder of Hugging Face's Mask2Former on inputs and weights that are made from
names (the numbers of common/testing/reference_values.h), so that the C++ test makes the same ones.

Needs torch, numpy and transformers (written with 2.11, 2.2 and 4.57.1):

    python3 tools/goldens/transformer_decoder.py
"""
import numpy as np
import torch
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerTransformerModule

from reference_values import uniform

BATCH, QUERIES, CHANNELS, HEADS, HIDDEN, LAYERS, MASK_CHANNELS, CLASSES = 2, 7, 16, 4, 24, 5, 12, 3
IN_CHANNELS = 20
LEVELS = ((2, 3), (4, 6), (8, 12))
MASK_SIZE = (16, 24)
SALT = "decoder:"
GRADIENTS = (
    "query_feat.weight", "query_embed.weight", "level_embed.weight", "decoder_norm.weight", "class_embed.weight",
    "mask_embed.layers.0.weight", "mask_embed.layers.2.bias", "input_proj.0.weight", "input_proj.2.bias",
    "transformer_cross_attention_layers.0.multihead_attn.in_proj_weight",
    "transformer_cross_attention_layers.4.multihead_attn.in_proj_bias",
    "transformer_cross_attention_layers.2.norm.weight",
    "transformer_self_attention_layers.0.self_attn.in_proj_weight",
    "transformer_self_attention_layers.3.self_attn.out_proj.weight",
    "transformer_ffn_layers.1.linear1.weight", "transformer_ffn_layers.4.linear2.weight",
)


def tensor(name, *shape, scale=3**0.5):
    values = scale * (2 * uniform(name, int(np.prod(shape))) - 1)
    return torch.from_numpy(values).float().reshape(shape)


def weight(name, *shape):
    """The rule of FillWithReferenceValues for the names of this decoder."""
    if name.startswith(("query_feat", "query_embed", "level_embed")):
        return tensor(SALT + name, *shape)
    if len(shape) == 1:
        r = tensor(SALT + name, *shape, scale=0.1)
        return 1 + r if name.endswith("weight") else r
    scale = (3 / (np.prod(shape) / shape[0])) ** 0.5
    if name.split(".")[-2] in ("out_proj", "linear2"):
        scale /= 4
    return tensor(SALT + name, *shape, scale=scale)


def official_state(in_channels):
    """The published names and their shapes."""
    c = CHANNELS
    shapes = {}

    def pair(name, out, *rest):
        shapes[name + ".weight"] = (out, *rest)
        shapes[name + ".bias"] = (out,)

    for i in range(LAYERS):
        for kind, attention in (("self_attention", "self_attn"), ("cross_attention", "multihead_attn")):
            layer = f"transformer_{kind}_layers.{i}"
            shapes[f"{layer}.{attention}.in_proj_weight"] = (3 * c, c)
            shapes[f"{layer}.{attention}.in_proj_bias"] = (3 * c,)
            pair(f"{layer}.{attention}.out_proj", c, c)
            pair(f"{layer}.norm", c)
        layer = f"transformer_ffn_layers.{i}"
        pair(f"{layer}.linear1", HIDDEN, c)
        pair(f"{layer}.linear2", c, HIDDEN)
        pair(f"{layer}.norm", c)
    pair("decoder_norm", c)
    for name, count in (("query_feat", QUERIES), ("query_embed", QUERIES), ("level_embed", 3)):
        shapes[name + ".weight"] = (count, c)
    pair("class_embed", CLASSES + 1, c)
    for i in range(3):
        pair(f"mask_embed.layers.{i}", MASK_CHANNELS if i == 2 else c, c)
    if in_channels != c:
        for i in range(3):
            pair(f"input_proj.{i}", c, in_channels, 1, 1)
    return {name: weight(name, *shape) for name, shape in shapes.items()}


def their_state(ours):
    """The same under Hugging Face's names; the class head lies outside their module."""
    theirs = {}
    for name, value in ours.items():
        parts = name.split(".")
        if parts[0] in ("transformer_self_attention_layers", "transformer_cross_attention_layers", "transformer_ffn_layers"):
            prefix = f"decoder.layers.{parts[1]}."
            rest = ".".join(parts[2:])
            if parts[0].startswith("transformer_ffn"):
                rest = rest.replace("linear", "fc").replace("norm.", "final_layer_norm.")
            elif parts[0].startswith("transformer_cross"):
                rest = rest.replace("multihead_attn.", "cross_attn.").replace("norm.", "cross_attn_layer_norm.")
            elif parts[-1].startswith("in_proj"):
                for letter, rows in zip("qkv", value.chunk(3)):
                    theirs[f"{prefix}self_attn.{letter}_proj.{parts[-1][8:]}"] = rows
                continue
            elif parts[2] == "norm":
                rest = rest.replace("norm.", "self_attn_layer_norm.")
            theirs[prefix + rest] = value
        elif parts[0] == "mask_embed":
            theirs[f"decoder.mask_predictor.mask_embedder.{parts[2]}.0.{parts[3]}"] = value
        elif parts[0] == "input_proj":
            theirs["input_projections." + ".".join(parts[1:])] = value
        elif parts[0] != "class_embed":
            new = {"decoder_norm": "decoder.layernorm", "query_feat": "queries_features",
                   "query_embed": "queries_embedder", "level_embed": "level_embed"}[parts[0]]
            theirs[f"{new}.{parts[1]}"] = value
    return theirs


def statistics(t):
    flat = t.detach().double().flatten()
    n = flat.numel()
    return [flat.mean(), flat.abs().mean(), flat[0], flat[n // 2], flat[n - 1]]


def run(in_channels, pre_norm):
    config = Mask2FormerConfig(
        hidden_dim=CHANNELS, num_attention_heads=HEADS, dim_feedforward=HIDDEN, decoder_layers=LAYERS + 1,
        mask_feature_size=MASK_CHANNELS, num_queries=QUERIES, dropout=0.0, pre_norm=pre_norm)
    module = Mask2FormerTransformerModule(in_channels, config).eval()
    # Their projections hide in a plain list.
    for i, projection in enumerate(module.input_projections):
        module.add_module(f"input_projections_{i}", projection)
    ours = {name: value.requires_grad_() for name, value in official_state(in_channels).items()}
    theirs = {name.replace("input_projections.", "input_projections_"): value for name, value in their_state(ours).items()}
    expected = set(name for name, _ in module.named_parameters())
    assert expected == set(theirs), expected ^ set(theirs)

    blocked = []
    original = type(module.decoder.mask_predictor).forward

    def record(*args, **kwargs):
        masks, attention = original(module.decoder.mask_predictor, *args, **kwargs)
        one_head = attention.reshape(BATCH, HEADS, QUERIES, -1)[:, 0]
        size = args[2]
        logits = torch.nn.functional.interpolate(masks, size=size, mode="bilinear", align_corners=False)
        blocked.append((int(one_head.sum()), int(one_head.all(-1).sum()), float(logits.detach().abs().min())))
        return masks, attention

    module.decoder.mask_predictor.forward = record
    levels = [tensor(f"level{i}", BATCH, in_channels, *size) for i, size in enumerate(LEVELS)]
    # The common part moves whole masks below the threshold, so that some rows are blocked everywhere.
    features = tensor("mask_features", BATCH, MASK_CHANNELS, *MASK_SIZE) + 2 * tensor(
        "mask_shift", BATCH, MASK_CHANNELS, 1, 1)
    output = torch.func.functional_call(module, theirs, (levels, features))
    print(f"in_channels {in_channels}, pre_norm {pre_norm}")
    loss = 0
    for i, (hidden, masks) in enumerate(zip(output.intermediate_hidden_states, output.masks_queries_logits)):
        logits = hidden.transpose(0, 1) @ ours["class_embed.weight"].T + ours["class_embed.bias"]
        for name, value in (("class", logits), ("mask", masks)):
            numbers = ", ".join(f"{float(s):.6f}" for s in statistics(value))
            print(f"  {name} {i}: {{{numbers}}}")
            loss = loss + (value * tensor(f"{name}_gradient{i}", *value.shape, scale=1.0)).sum()
        print(f"  blocked {i}: {blocked[i][0]}, full rows {blocked[i][1]}, closest to the threshold {blocked[i][2]:.1e}")
    loss.backward()
    print(f"  sum {loss.item():.5f}")
    for name in GRADIENTS:
        if name in ours:
            print(f'  {{"{name}", {ours[name].grad.norm().item():.4f}}},')


for arguments in ((CHANNELS, False), (IN_CHANNELS, False), (CHANNELS, True)):
    run(*arguments)
