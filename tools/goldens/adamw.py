#!/usr/bin/env python3
"""Writes train/optimizer/testdata/adamw.safetensors: five steps of PyTorch's clipping, AdamW and
polynomial schedule on four small parameters, one of which has no gradient in the third step.

Needs torch and safetensors.
"""

import pathlib

import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]

STEPS = 5
BASE_LR = 1e-2
MAX_NORM = 0.5
# name -> shape, lr multiplier, weight decay
PARAMETERS = {
    "backbone.weight": ((4, 3), 0.1, 0.05),
    "head.weight": ((5,), 1.0, 0.05),
    "head.bias": ((2,), 1.0, 0.05),
    "norm.weight": ((3,), 1.0, 0.0),
}


def main():
    torch.manual_seed(7)
    parameters = {n: torch.nn.Parameter(torch.randn(s)) for n, (s, _, _) in PARAMETERS.items()}
    tensors = {f"start.{n}": p.detach().clone() for n, p in parameters.items()}
    optimizer = torch.optim.AdamW(
        [{"params": [parameters[n]], "lr": BASE_LR * m, "weight_decay": d}
         for n, (_, m, d) in PARAMETERS.items()],
        betas=(0.9, 0.999), eps=1e-8, foreach=False, fused=False)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (1 - t / STEPS) ** 0.9)
    for step in range(STEPS):
        for name, parameter in parameters.items():
            parameter.grad = None
            if (step, name) != (2, "head.bias"):
                # One step small enough not to be clipped.
                parameter.grad = torch.randn_like(parameter) * (0.02 if step == 3 else 1.0)
                tensors[f"grad.{step}.{name}"] = parameter.grad.clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM)
        tensors[f"norm.{step}"] = norm.detach().clone()
        optimizer.step()
        schedule.step()
        for name, parameter in parameters.items():
            tensors[f"expected.{step}.{name}"] = parameter.detach().clone()
    for name, parameter in parameters.items():
        state = optimizer.state[parameter]
        tensors[f"state.exp_avg.{name}"] = state["exp_avg"]
        tensors[f"state.exp_avg_sq.{name}"] = state["exp_avg_sq"]
        tensors[f"state.step.{name}"] = state["step"]
    safetensors.torch.save_file(tensors, ROOT / "train/optimizer/testdata/adamw.safetensors")


if __name__ == "__main__":
    main()
