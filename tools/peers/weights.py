#!/usr/bin/env python3
"""Closes the loop of weights with Hugging Face transformers and LibTorch in Python, at full size.

  bazel build //tools/convert_weights //tools/predict
  python3 tools/peers/weights.py --models R50,SwinT,SwinB [--names SwinT=official_names.txt]
      [--task semantic|instance|panoptic]

For each model, with random weights and the task's official configuration (19 classes, for instances
8, with Cityscapes' names):

  1. transformers' save_pretrained() -> //tools/predict --weights=FOLDER: final class and mask
     logits of three pictures, one of odd size, against transformers' own (largest difference)
  2. //tools/convert_weights back to a folder: from_pretrained() with no missing and no unexpected
     key, every weight bit for bit
  3. //tools/convert_weights to .pth: torch.load(weights_only=True); with --names its keys and shapes
     must be those of the file (lines "name (shape) dtype", as the official model prints them)
  4. that .pth back through //tools/convert_weights and //tools/predict: the same logits

Needs: torch, transformers (4.57.1 was used), safetensors, Pillow, numpy. float32 on the CPU.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from transformers import (Mask2FormerConfig, Mask2FormerForUniversalSegmentation, ResNetConfig,
                          SwinConfig)

STAGES = ["stage1", "stage2", "stage3", "stage4"]
MODELS = {
    "R50": (lambda: ResNetConfig(
        embedding_size=64, hidden_sizes=[256, 512, 1024, 2048], depths=[3, 4, 6, 3],
        layer_type="bottleneck", out_features=STAGES), "maskformer2_R50_bs16_90k"),
    "SwinT": (lambda: SwinConfig(
        embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7,
        out_features=STAGES), "swin/maskformer2_swin_tiny_bs16_90k"),
    "SwinB": (lambda: SwinConfig(
        embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32], window_size=12,
        out_features=STAGES), "swin/maskformer2_swin_base_IN21k_384_bs16_90k"),
}
THINGS = ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
STUFF = ["road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
         "vegetation", "terrain", "sky"]
TASKS = {"semantic": STUFF + THINGS, "instance": THINGS, "panoptic": STUFF + THINGS}
SIZES = [(128, 256), (181, 243), (256, 160)]  # Height, width.
MEAN = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
STD = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)


def program(name, *arguments):
    binary = pathlib.Path("bazel-bin/tools") / name / name
    run = subprocess.run([binary, *arguments], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{name} {' '.join(arguments)}:\n{run.stderr}")
    return run.stdout


def random_model(backbone, num_labels):
    torch.manual_seed(0)
    model = Mask2FormerForUniversalSegmentation(Mask2FormerConfig(
        backbone_config=backbone, num_queries=100, num_labels=num_labels, feature_size=256,
        mask_feature_size=256, hidden_dim=256, encoder_layers=6, decoder_layers=10,
        encoder_feedforward_dim=1024, dim_feedforward=2048, num_attention_heads=8,
        dropout=0.0)).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            # Nothing stays 0 or 1, so that no two tensors can be mistaken for each other.
            if name.endswith("running_var"):
                value.add_(torch.rand_like(value) * 0.1)
            elif value.is_floating_point():
                value.add_(torch.randn_like(value) * 0.01)
    return model


def predict(folder, config, weights, pictures):
    output = folder / "predictions"
    largest = {}
    for height, width in SIZES:
        program("predict", f"--config={config}", f"--weights={weights}",
                f"--input={pictures[height, width]}", f"--output={output}", "--save=raw",
                "--overwrite", "--set=trainer.device=CPU",
                f"--set=data.input.min_size_test={min(height, width)}",
                f"--set=data.input.max_size_test={max(height, width)}")
        largest[height, width] = safetensors.torch.load_file(
            output / f"{height}x{width}_raw.safetensors")
    return largest


def compare(what, ours, theirs):
    difference = (ours.double() - theirs.double()).abs().max().item()
    print(f"  {what}: largest difference {difference:.1e} (largest value "
          f"{theirs.abs().max().item():.1f})")
    if not difference <= 1e-4:
        sys.exit("more than 1e-4")


def check(name, task, names_file, folder):
    backbone, file = MODELS[name]
    classes = TASKS[task]
    model = random_model(backbone(), len(classes))
    theirs = folder / "transformers"
    model.save_pretrained(theirs)
    config = f"configs/cityscapes/{task}-segmentation/{file}.textproto"
    pictures, expected = {}, {}
    for height, width in SIZES:
        pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        pictures[height, width] = folder / f"{height}x{width}.png"
        Image.fromarray(pixels).save(pictures[height, width])
        image = (torch.from_numpy(pixels).permute(2, 0, 1).float() - MEAN) / STD
        image = torch.nn.functional.pad(image, (0, -width % 32, 0, -height % 32))[None]
        with torch.inference_mode():
            expected[height, width] = model(pixel_values=image)
    print(f"{name}, {task}: transformers -> //tools/predict")
    ours = predict(folder, config, theirs, pictures)
    for (height, width), out in expected.items():
        size = f"{height}x{width}"
        compare(f"{size} classes", ours[height, width]["pred_logits"], out.class_queries_logits[0])
        compare(f"{size} masks", ours[height, width]["pred_masks"], out.masks_queries_logits[0])

    back = folder / "back"
    program("convert_weights", f"--config={config}", f"--input={theirs}", f"--output={back}",
            f"--class_names={','.join(classes)}")
    again, info = Mask2FormerForUniversalSegmentation.from_pretrained(back, output_loading_info=True)
    bad = [info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[k]]
    if bad:
        sys.exit(f"from_pretrained: {bad}")
    if [again.config.id2label[i] for i in range(len(classes))] != classes:
        sys.exit(f"from_pretrained: labels {again.config.id2label}")
    state = model.state_dict()
    for key, value in again.state_dict().items():
        if key != "criterion.empty_weight" and not torch.equal(value, state[key]):
            sys.exit(f"{key} came back otherwise")
    print(f"  from_pretrained: {len(state)} tensors, none missing, none unexpected, all equal; "
          f"{len(classes)} labels by name")

    pth = folder / "official.pth"
    program("convert_weights", f"--config={config}", f"--input={theirs}", f"--output={pth}")
    loaded = torch.load(pth, weights_only=True)["model"]
    if names_file:
        lines = re.findall(r"^(\S+) \(([^)]*)\)", names_file.read_text(), re.M)
        wanted = {n: tuple(int(s) for s in shape.split(",") if s.strip()) for n, shape in lines}
        found = {n: tuple(v.shape) for n, v in loaded.items()}
        if wanted != found:
            sys.exit(f"keys or shapes differ: {sorted(set(wanted.items()) ^ set(found.items()))[:5]}")
    print(f"  torch.load(weights_only=True): {len(loaded)} tensors"
          + (", names and shapes as the official model's" if names_file else ""))
    for size, tensors in predict(folder, config, pth, pictures).items():
        for key, value in tensors.items():
            if not torch.equal(value, ours[size][key]):
                sys.exit(f"{key} of {size} changed on the way through .pth")
    print("  the .pth gives the same logits, bit for bit")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--task", choices=TASKS, default="semantic")
    parser.add_argument("--names", action="append", default=[],
                        help="MODEL=FILE with the official names and shapes")
    args = parser.parse_args()
    names = dict(item.split("=", 1) for item in args.names)
    for name in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            check(name, args.task, pathlib.Path(names[name]) if name in names else None, pathlib.Path(folder))


if __name__ == "__main__":
    main()
