"""Prints the expected numbers of train/criterion/compute_losses_test.cc.

Needs torch, scipy and transformers 4.57, whose Mask2FormerLoss is the oracle. Run from the root of
the repository:

    python3 tools/goldens/criterion.py

Inputs are reference values (u(name, i) of common/testing/reference_values.h); the k-th random draw
is u("rand" + k, i). Two batches: one with 3 and 2 targets, one with none and with more than queries.
"""

import torch
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import Mask2FormerLoss

from reference_values import uniform

QUERIES, CLASSES, HEIGHT, WIDTH, POINTS, PREDICTIONS = 6, 4, 8, 12, 100, 3


def values(name, *sizes):
    count = 1
    for size in sizes:
        count *= size
    return torch.from_numpy(uniform(name, count)).reshape(sizes)


def run(case, counts):
    # Double, so that the numbers hold to more digits than a float implementation has.
    torch.set_default_dtype(torch.float64)
    classes, masks = [], []
    for p in range(PREDICTIONS):
        name = f"{case}{p}"
        classes.append((4 * values(name + "class", 2, QUERIES, CLASSES + 1) - 2).requires_grad_())
        masks.append((8 * values(name + "mask", 2, QUERIES, HEIGHT, WIDTH) - 4).requires_grad_())
    labels, targets = [], []
    for b, n in enumerate(counts):
        labels.append((CLASSES * values(f"{case}labels{b}", n)).long())
        coarse = values(f"{case}targets{b}", n, 4, 6) < 0.4
        targets.append(coarse.repeat_interleave(8, 1).repeat_interleave(8, 2).double())

    draws = 0

    def rand(*sizes, device=None):
        nonlocal draws
        draw = values(f"rand{draws}", *sizes).float().double()
        draws += 1
        return draw

    torch.rand = rand
    config = Mask2FormerConfig(num_labels=CLASSES, train_num_points=POINTS)
    config.num_labels = CLASSES
    weights = {"loss_cross_entropy": 2.0, "loss_mask": 5.0, "loss_dice": 5.0}
    loss = Mask2FormerLoss(config, weights)
    assignments = []
    match = loss.matcher.forward
    loss.matcher.forward = lambda *a: assignments.append(match(*a)) or assignments[-1]
    auxiliary = [
        {"masks_queries_logits": m, "class_queries_logits": c} for m, c in zip(masks[:-1], classes[:-1])
    ]
    terms = loss(masks[-1], classes[-1], targets, labels, auxiliary)
    total = sum(weights[key.removesuffix("_0").removesuffix("_1")] * value for key, value in terms.items())
    total.backward()

    print(f"{case}: {draws} draws, total {total:.9f}")
    for i, suffix in enumerate(["", "_0", "_1"]):
        row = [terms[f"loss_{name}{suffix}"] for name in ("cross_entropy", "mask", "dice")]
        print("  ce, mask, dice", ", ".join(f"{value:.9f}" for value in row))
        print("  pairs", [[list(zip(q.tolist(), t.tolist()))] for q, t in assignments[i]])
        p = (i - 1) % PREDICTIONS
        print(f"  gradient norms {classes[p].grad.norm():.9f}, {masks[p].grad.norm():.9f}")


if __name__ == "__main__":
    run("usual", [3, 2])
    run("odd", [0, 8])
