"""Official names of the parameters of transformers' Mask2Former, and the reference values of their
weights, for the golden scripts. Written apart from model/weights/name_tables.cc, so that one can
check the other. Needs torch and numpy.
"""

import math
import re

import torch

from reference_values import uniform

PREDICTOR = "sem_seg_head.predictor."
PIXELS = "sem_seg_head.pixel_decoder."
# Tried from top to bottom; the first that fits counts.
NAMES = [
    # ResNet
    (r"encoder\.embedder\.embedder\.convolution\.(.*)", r"backbone.stem.conv1.\1"),
    (r"encoder\.embedder\.embedder\.normalization\.(.*)", r"backbone.stem.conv1.norm.\1"),
    (r"encoder\.encoder\.stages\.(\d)\.layers\.(\d+)\.(.*)", r"backbone.res+2\1.\2.\3"),
    # Swin
    (r"encoder\.embeddings\.patch_embeddings\.projection\.(.*)", r"backbone.patch_embed.proj.\1"),
    (r"encoder\.embeddings\.norm\.(.*)", r"backbone.patch_embed.norm.\1"),
    (r"encoder\.hidden_states_norms\.stage(\d)\.(.*)", r"backbone.norm-1\1.\2"),
    (r"encoder\.encoder\.layers\.(\d)\.(.*)", r"backbone.layers.\1.\2"),
    # Pixel decoder
    (r"decoder\.input_projections\.(.*)", PIXELS + r"input_proj.\1"),
    (r"decoder\.level_embed", PIXELS + "transformer.level_embed"),
    (r"decoder\.encoder\.layers\.(.*)", PIXELS + r"transformer.encoder.layers.\1"),
    (r"decoder\.(adapter_1|layer_1)\.0\.(.*)", PIXELS + r"\1.\2"),
    (r"decoder\.(adapter_1|layer_1)\.1\.(.*)", PIXELS + r"\1.norm.\2"),
    (r"decoder\.mask_projection\.(.*)", PIXELS + r"mask_features.\1"),
]
INSIDE = [
    (r"\.shortcut\.convolution\.", ".shortcut."), (r"\.shortcut\.normalization\.", ".shortcut.norm."),
    (r"\.layer\.(\d)\.convolution\.", r".conv+1\1."),
    (r"\.layer\.(\d)\.normalization\.", r".conv+1\1.norm."),
    (r"\.layernorm_before\.", ".norm1."), (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.self\.relative", ".attn.relative"), (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."), (r"\.output\.dense\.", ".mlp.fc2."),
    (r"(encoder\.layers\.\d\.)self_attn_layer_norm", r"\1norm1"),
    (r"(encoder\.layers\.\d\.)final_layer_norm", r"\1norm2"),
    (r"(encoder\.layers\.\d\.)fc(\d)", r"\1linear\2"),
]
LAYERS = [
    (r"self_attn\.(.*)", "self_attention", r"self_attn.\1"),
    (r"self_attn_layer_norm\.(.*)", "self_attention", r"norm.\1"),
    (r"cross_attn\.(.*)", "cross_attention", r"multihead_attn.\1"),
    (r"cross_attn_layer_norm\.(.*)", "cross_attention", r"norm.\1"),
    (r"fc(\d\..*)", "ffn", r"linear\1"), (r"final_layer_norm\.(.*)", "ffn", r"norm.\1"),
]
TOP = {"queries_features": "query_feat", "queries_embedder": "query_embed",
       "level_embed": "level_embed", "decoder.layernorm": "decoder_norm"}
THIRDS = {"q": 0, "k": 1, "v": 2, "query": 0, "key": 1, "value": 2}


def counted(name):
    """name+23 -> name5, as the replacements above write sums."""
    return re.sub(r"([a-z])([+-]\d)(\d)", lambda m: m[1] + str(int(m[2]) + int(m[3])), name)


def official_name(name):
    """(official name, which third of it along dimension 0 or None); None for what is of no use."""
    if name.startswith("class_predictor."):
        return PREDICTOR + "class_embed." + name.split(".")[1], None
    if name.startswith("model.pixel_level_module."):
        rest = name.removeprefix("model.pixel_level_module.")
        for pattern, replacement in NAMES:
            if re.fullmatch(pattern, rest):
                rest = counted(re.sub(pattern, replacement, rest))
                break
        else:
            return None
        for pattern, replacement in INSIDE:
            rest = counted(re.sub(pattern, replacement, rest))
        part = re.fullmatch(r"(.*)\.attention\.self\.(query|key|value)\.(\w+)", rest)
        return (f"{part[1]}.attn.qkv.{part[3]}", THIRDS[part[2]]) if part else (rest, None)
    rest = name.removeprefix("model.transformer_module.")
    for theirs, ours in TOP.items():
        if rest.startswith(theirs + "."):
            return PREDICTOR + ours + rest.removeprefix(theirs), None
    mask = re.fullmatch(r"decoder\.mask_predictor\.mask_embedder\.(\d)\.0\.(\w+)", rest)
    if mask:
        return f"{PREDICTOR}mask_embed.layers.{mask[1]}.{mask[2]}", None
    layer = re.fullmatch(r"decoder\.layers\.(\d+)\.(.*)", rest)
    for pattern, kind, replacement in LAYERS if layer else []:
        if re.fullmatch(pattern, layer[2]):
            start = f"{PREDICTOR}transformer_{kind}_layers.{layer[1]}."
            part = re.fullmatch(r"self_attn\.([qkv])_proj\.(\w+)", layer[2])
            if part:
                return f"{start}self_attn.in_proj_{part[2]}", THIRDS[part[1]]
            return start + re.sub(pattern, replacement, layer[2]), None
    return None


def reference_weight(name, shape, salt):
    """As FillWithReferenceValues() of common/testing/reference_values.h, float."""
    r = torch.from_numpy(2 * uniform(salt + name, math.prod(shape)) - 1).view(shape)
    if name.endswith("running_mean"):
        r = 0.1 * r
    elif name.endswith("running_var"):
        r = 1 + 0.5 * r
    elif name.endswith("sampling_offsets.bias"):
        r = 4 * r
    elif name.endswith("relative_position_bias_table"):
        r = 0.5 * r
    elif re.search(r"query_feat|query_embed|level_embed", name):
        r = math.sqrt(3) * r
    elif len(shape) == 1:
        r = 1 + 0.1 * r if name.endswith("weight") else 0.1 * r
    else:
        r = math.sqrt(3 * shape[0] / math.prod(shape)) * r
        if name.split(".")[-2] in ("output_proj", "out_proj", "linear2"):
            r = 0.25 * r
    return r.float()


def reference_state(model, salt):
    """{official name: [(name in model, value of it)]}, one or three per name."""
    state = {}
    for name, value in model.state_dict().items():
        if not value.is_floating_point() or name == "criterion.empty_weight":
            continue
        found = official_name(name)
        if found is None:  # Of no use.
            continue
        official, part = found
        shape = tuple(value.shape)
        if part is None:
            tensor = reference_weight(official, shape, salt)
        else:
            whole = reference_weight(official, (3 * shape[0], *shape[1:]), salt)
            tensor = whole.chunk(3)[part]
        state.setdefault(official, []).append((part, name, tensor))
    return {official: [(name, tensor) for _, name, tensor in sorted(parts, key=lambda p: p[0] or 0)]
            for official, parts in state.items()}
