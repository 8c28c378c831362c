#!/usr/bin/env python3
"""Writes model/testdata/parity_{r50,swin_t}.safetensors: every piece of the model, whole and at its
published size, by transformers and the formulas of the papers.

Weights are reference values (common/testing/reference_values.h) with the salts "s29:" (R50) and
"s2:" (Swin-T); the batch is "image0" and "image1", 90 x 150, padded to 96 x 160; random points are
u("rand" + k, i). Computed in float64, batch norm in evaluation mode, stored in float32. Of a tensor
NAME there is every STEP-th element (metadata "step.NAME") of the flattened one:

  backbone.{res2..res5}                 pixel_decoder.{mask_features,level0..2}
  transformer_decoder.{logits,masks}.I  prediction I of ten
  matcher.I                             [pairs, 3] int32: image, query, target; I = 0 the final one
  criterion.losses [10, 3]              class, mask, dice, in the same order
  criterion.gradient_norms              of the weighted total, in the parameters of metadata "parameters"
  semantic                              scores of image0 at 45 x 75
  panoptic.{ids,categories}             of image0 at 45 x 75, thresholds in the metadata
  instance.{scores,categories,queries,areas}   the same, the best 20

Needs torch, transformers (4.57.1 was used), scipy, safetensors and numpy. Takes a minute.
"""

import json
import math
import pathlib

import safetensors.torch
import torch
from torch.nn.functional import interpolate
from transformers import (Mask2FormerConfig, Mask2FormerForUniversalSegmentation, ResNetConfig,
                          SwinConfig)
from transformers.models.mask2former.modeling_mask2former import Mask2FormerLoss

from hugging_face import MEAN, STAGES, STD
from official_names import official_name, reference_state
from reference_values import uniform

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / "model/testdata"
MODELS = {
    "r50": ("s29:", ResNetConfig(embedding_size=64, hidden_sizes=[256, 512, 1024, 2048],
                                 depths=[3, 4, 6, 3], layer_type="bottleneck", out_features=STAGES)),
    "swin_t": ("s2:", SwinConfig(embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24],
                                 window_size=7, out_features=STAGES)),
}
SIZE, PADDED, OUTPUT = (90, 150), (96, 160), (45, 75)
# Label and rectangle (y0, y1, x0, x1), half open, of every target.
TARGETS = [[(0, 45, 90, 0, 150), (8, 20, 45, 0, 75), (10, 0, 20, 0, 150), (13, 50, 80, 60, 100)],
           [(2, 0, 60, 10, 140), (5, 10, 90, 100, 104), (11, 60, 90, 20, 50)]]
WEIGHTS = {"loss_cross_entropy": 2.0, "loss_mask": 5.0, "loss_dice": 5.0}
# Random weights are sure of nothing: lower than the published 0.8.
OBJECT_THRESHOLD, OVERLAP_THRESHOLD, TOP_K, FIRST_THING = 0.1, 0.02, 20, 11


def build(salt, backbone):
    model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(
        backbone_config=backbone, num_queries=100, num_labels=19, feature_size=256,
        mask_feature_size=256, hidden_dim=256, encoder_layers=6, decoder_layers=10,
        encoder_feedforward_dim=1024, dim_feedforward=2048, num_attention_heads=8,
        dropout=0.0)).eval()
    values = {name: value for parts in reference_state(model, salt).values() for name, value in parts}
    model.load_state_dict(values, strict=False)
    return model.double()


def images():
    pictures = []
    for name in ("image0", "image1"):
        pixels = (256 * torch.from_numpy(uniform(name, 3 * math.prod(SIZE)))).floor()
        image = (pixels.view(3, *SIZE).float() - MEAN) / STD
        pictures.append(torch.nn.functional.pad(
            image, (0, PADDED[1] - SIZE[1], 0, PADDED[0] - SIZE[0])))
    return torch.stack(pictures).double()


def resize(maps, size):
    return interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def to_output(maps):
    return resize(resize(maps, PADDED)[:, :SIZE[0], :SIZE[1]], OUTPUT)


def semantic(logits, masks):
    scores = torch.einsum("qc,qhw->chw", logits.softmax(-1)[:, :-1], resize(masks, PADDED).sigmoid())
    return resize(scores[:, :SIZE[0], :SIZE[1]], OUTPUT)


def panoptic(logits, masks):
    """(ids [H, W], categories of the ids 1, 2, ..)"""
    scores, labels = logits.softmax(-1).max(-1)
    kept = (labels != logits.shape[1] - 1) & (scores > OBJECT_THRESHOLD)
    scores, labels, masks = scores[kept], labels[kept], to_output(masks)[kept].sigmoid()
    owner = (scores[:, None, None] * masks).argmax(0)
    ids, categories, stuff = torch.zeros(OUTPUT, dtype=torch.int32), [], {}
    for k, label in enumerate(labels.tolist()):
        area, original = (owner == k).sum().item(), (masks[k] >= 0.5).sum().item()
        region = (owner == k) & (masks[k] >= 0.5)
        if area == 0 or original == 0 or not region.any() or area / original < OVERLAP_THRESHOLD:
            continue
        if label in stuff:
            ids[region] = stuff[label]
            continue
        categories.append(label)
        ids[region] = len(categories)
        if label < FIRST_THING:
            stuff[label] = len(categories)
    return ids, torch.tensor(categories, dtype=torch.int32)


def instances(logits, masks):
    """The best pairs of query and class: scores, categories, queries, areas."""
    scores, index = logits.softmax(-1)[:, :-1].flatten().topk(TOP_K)
    classes = logits.shape[1] - 1
    queries, categories, masks = index // classes, index % classes, to_output(masks)
    binary = (masks > 0).double()
    quality = (masks.sigmoid() * binary).sum((1, 2)) / (binary.sum((1, 2)) + 1e-6)
    scores = scores * quality[queries]
    order = scores.argsort(descending=True)
    areas = binary.sum((1, 2))[queries]
    return [t[order].float() if i == 0 else t[order].int()
            for i, t in enumerate((scores, categories, queries, areas))]


def train(out, predictions, model):
    """Assignments, losses [10, 3] and gradient norms by official name."""
    labels, masks = [], []
    for targets in TARGETS:
        labels.append(torch.tensor([t[0] for t in targets]))
        mask = torch.zeros(len(targets), *PADDED, dtype=torch.float64)
        for i, (_, y0, y1, x0, x1) in enumerate(targets):
            mask[i, y0:y1, x0:x1] = 1
        masks.append(mask)
    draws = 0

    def rand(*sizes, device=None):
        nonlocal draws
        draw = torch.from_numpy(uniform(f"rand{draws}", math.prod(sizes))).float().double()
        draws += 1
        return draw.view(*sizes)

    real_rand, torch.rand = torch.rand, rand
    loss = Mask2FormerLoss(model.config, WEIGHTS)
    assignments, match = [], loss.matcher.forward
    loss.matcher.forward = lambda *a: assignments.append(match(*a)) or assignments[-1]
    auxiliary = [{"masks_queries_logits": m, "class_queries_logits": c} for c, m in predictions[:-1]]
    terms = loss.double()(predictions[-1][1], predictions[-1][0], masks, labels, auxiliary)
    torch.rand = real_rand
    assert draws == 40
    rows = [[terms[name + suffix] for name in WEIGHTS] for suffix in ["", *(f"_{i}" for i in range(9))]]
    sum(w * t for row in rows for w, t in zip(WEIGHTS.values(), row)).backward()
    squares = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            official = official_name(name)[0]
            squares[official] = squares.get(official, 0) + parameter.grad.square().sum()
    pairs = [torch.tensor([[b, q, t] for b, (queries, targets) in enumerate(layer)
                           for q, t in zip(queries.tolist(), targets.tolist())], dtype=torch.int32)
             for layer in assignments]
    losses = torch.tensor([[term.item() for term in row] for row in rows])
    return pairs, losses, {name: square.sqrt().item() for name, square in sorted(squares.items())}


def run(name):
    model = build(*MODELS[name])
    tensors, metadata = {}, {"object_threshold": str(OBJECT_THRESHOLD), "top_k": str(TOP_K),
                             "overlap_threshold": str(OVERLAP_THRESHOLD)}

    def keep(key, tensor, step=1):
        tensors[key] = tensor.detach().flatten()[::step].float().contiguous()
        metadata["step." + key] = str(step)

    outputs = {}
    pixels = model.model.pixel_level_module
    pixels.encoder.register_forward_hook(lambda _, __, out: outputs.update(maps=out.feature_maps))
    pixels.decoder.register_forward_hook(lambda _, __, out: outputs.update(pixels=out))
    out = model(pixel_values=images(), output_auxiliary_logits=True)
    for i, feature_map in enumerate(outputs["maps"]):
        keep(f"backbone.res{i + 2}", feature_map, 1009 // 2**i)
    keep("pixel_decoder.mask_features", outputs["pixels"].mask_features, 1009)
    for i, level in enumerate(outputs["pixels"].multi_scale_features):
        keep(f"pixel_decoder.level{i}", level, (53, 101, 401)[i])
    predictions = [(p["class_queries_logits"], p["masks_queries_logits"]) for p in out.auxiliary_logits]
    predictions.append((out.class_queries_logits, out.masks_queries_logits))
    for i, (logits, masks) in enumerate(predictions):
        keep(f"transformer_decoder.logits.{i}", logits, 11)
        keep(f"transformer_decoder.masks.{i}", masks, 607)
    final = predictions[-1][0][0].detach(), predictions[-1][1][0].detach()
    keep("semantic", semantic(*final), 101)
    tensors["panoptic.ids"], tensors["panoptic.categories"] = panoptic(*final)
    for key, value in zip(("scores", "categories", "queries", "areas"), instances(*final)):
        tensors[f"instance.{key}"] = value
    pairs, losses, norms = train(out, predictions, model)
    for i, layer in enumerate(pairs):
        tensors[f"matcher.{i}"] = layer
    tensors["criterion.losses"] = losses.float()
    tensors["criterion.gradient_norms"] = torch.tensor(list(norms.values()))
    metadata["parameters"] = json.dumps(list(norms), separators=(",", ":"))
    path = TESTDATA / f"parity_{name}.safetensors"
    safetensors.torch.save_file(tensors, path, metadata=metadata)
    print(name, path.stat().st_size, "bytes; mask features", outputs["pixels"].mask_features[0].mean().item(),
          "semantic", semantic(*final).mean().item(), "segments", tensors["panoptic.categories"].tolist(),
          "losses", losses[0].tolist(), "total", sum(
              w * losses[:, i].sum().item() for i, w in enumerate(WEIGHTS.values())))


if __name__ == "__main__":
    for model_name in MODELS:
        run(model_name)
