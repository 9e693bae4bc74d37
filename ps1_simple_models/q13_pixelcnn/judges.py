"""Question 13: how probabilities and training runs are judged."""

import numpy as np
import torch
from torch import nn

from ..shared.networks import Notes, fill


class PixelChain(nn.Module):
    """A tiny autoregressive model: the logit of pixel t is linear in the pixels before it, plus a label's bias.

    In training mode half of the pixels that it looks at are dropped at random if ``dropout`` is set. ``passes`` notes
    for each pass that builds a graph whether the model and its dropout were in training mode (0, 1/2 or 1), its bias, the
    images and the labels; ``quiet_passes`` notes only the mode of the others. ``gain`` multiplies the logits.
    """

    def __init__(self, height, width, classes, dropout=0.0, gain=1.0):
        super().__init__()
        pixels = height * width
        self.weight = nn.Parameter(torch.zeros(pixels, pixels))
        self.bias = nn.Parameter(torch.zeros(pixels))
        self.label = nn.Parameter(torch.zeros(classes, pixels))
        self.register_buffer("earlier", torch.ones(pixels, pixels).tril(-1))
        self.dropout = nn.Dropout(dropout)
        self.gain = gain
        self.passes, self.quiet_passes = Notes(), Notes()

    def forward(self, x, y=None):
        logits = nn.functional.linear(self.dropout(x.flatten(1)), self.weight * self.earlier, self.bias)
        if y is not None:
            logits = logits + self.label[y]
        mode = (self.training + self.dropout.training) / 2
        if logits.requires_grad:
            self.passes.append((mode, self.bias.detach().clone(), x.detach(), y))
        else:
            self.quiet_passes.append(mode)
        return self.gain * logits.reshape(x.shape)


# --- judges ---------------------------------------------------------------------------------------------------


def misshapen(evidence, expected, place=""):
    """Where evidence has another form than the reference's, or None: asked before anything is computed with it."""
    if isinstance(expected, dict):
        if not isinstance(evidence, dict) or set(evidence) != set(expected):
            return place or "the answer"
        return next(
            filter(
                None, (misshapen(evidence[key], want, f"{place}, {key}".strip(", ")) for key, want in expected.items())
            ),
            None,
        )
    same = (
        isinstance(evidence, np.ndarray)
        and evidence.shape == expected.shape
        and evidence.dtype.kind == expected.dtype.kind
    )
    return None if same else place


def normalised(evidence, expected, context):
    """the probabilities of all images sum to 1 for every class, and each is that of the reference with the same weights"""
    if place := misshapen(evidence, expected):
        return f"{place}: one log-probability is expected for each image."
    for name, want in expected.items():
        got = evidence[name].astype(np.float64)
        if not np.isfinite(got).all():
            return f"{name}: some log-probabilities are not finite."
        total = float(np.exp(np.clip(got, -700, 50)).sum())
        if abs(total - 1) > 2e-3:
            return (
                f"{name}: the probabilities of all {len(got)} images sum to {total:.3g}, not to 1: a pixel sees itself "
                "or a later one."
            )
        if not np.allclose(got, want, rtol=1e-3, atol=1e-3):
            return (
                f"{name}: the probabilities of all {len(got)} images sum to 1, but they are not those of a PixelCNN "
                "with these weights."
            )
    return True


def training_data(rng):
    """Different images, labels, batch size (two batches a pass, the last one short) and a model's first weights."""
    batch, classes = rng.integer(9, 12), 3
    n = batch + rng.integer(3, 6)
    codes = rng.permutation(2**12)[:n]
    images = ((codes[:, None] >> torch.arange(12, device=rng.device)) & 1).float().reshape(n, 1, 3, 4)
    model = fill(PixelChain(3, 4, classes), rng, 0.5)
    return images, rng.integers(0, classes, n), batch, model


TRAIN_STEPS, TRAIN_RATE = {"run": 5, "again": 4, "generator goes on": 4}, 0.2  # a pass has two batches


NOBODY = -2  # fills up the numbers of the images of a step


def followed(evidence, expected, context):
    """every pass shows each image once with its label, in an order of the generator; weights and history are those of Adam on these batches"""
    for name, wanted in TRAIN_STEPS.items():
        made, logged = (getattr(evidence[name][part], "shape", ())[:1] for part in ("images", "history"))
        if made and logged and not made == logged == (wanted,):
            return f"steps={wanted} gave {made[0]} steps and {logged[0]} entries in the history."
    if place := misshapen(evidence, expected):
        return f"{place}: this has an unexpected form."
    rng = context.rng()
    rng.device = "cpu"
    images, labels, batch, model = training_data(rng)
    runs, per_pass = [], -(-len(images) // batch)
    for name in TRAIN_STEPS:
        noted = [
            (step[step != NOBODY], label[step != NOBODY])
            for step, label in zip(evidence[name]["images"], evidence[name]["labels"])
        ]
        if not all(len(step) and step.min() >= 0 and step.max() < len(images) for step, _ in noted):
            return "the model was shown images that are not among the given ones."
        if not all(np.array_equal(labels[torch.from_numpy(step)].numpy(), label) for step, label in noted):
            return "images and labels do not belong together, or the labels are left out."
        runs.append([step.tolist() for step, _ in noted])
    sizes = (batch, len(images) - batch * (per_pass - 1))
    for steps in runs:
        for start in range(0, len(steps), per_pass):
            part = steps[start : start + per_pass]  # a run may end within a pass
            shown = sum(map(len, part))
            if len(set().union(*part)) != shown or (len(part) == per_pass and shown != len(images)):
                return (
                    f"{len(images)} images in batches of {batch}: the {per_pass} batches of a pass do not show every "
                    "image once."
                )
            if any(len(step) not in sizes for step in part):
                return f"the batches of a pass have {[len(step) for step in part]} images; batch_size is {batch}."
    if runs[0][:per_pass] == runs[0][per_pass : 2 * per_pass]:
        return "the second pass has the same batches as the first: the data are not reshuffled."
    if runs[0][: len(runs[1])] != runs[1]:
        return "two runs with equally seeded generators see different batches: something else is random."
    if runs[1] == runs[2]:
        return "a generator that has moved on gives the same batches: the data are not shuffled with it."
    if all(len(set(map(frozenset, steps))) == per_pass for steps in runs):
        return (
            "all passes of a run have the same batches, only in another order: reshuffle the images, not the batches."
        )
    return replayed(evidence["run"], runs[0], images, labels, model)


def replayed(run, steps, images, labels, model):
    """Adam on the very same batches: its history and its weights."""
    optimiser = torch.optim.Adam(model.parameters(), lr=TRAIN_RATE)
    for step, indices in enumerate(steps):
        x, y = images[sorted(indices)], labels[sorted(indices)]
        loss = nn.functional.binary_cross_entropy_with_logits(model(x, y), x, reduction="sum") / len(x)
        got = float(run["history"][step])
        if not abs(got - loss.item()) <= 2e-3 * loss.item():
            return (
                f"step {step}: the history says {got:.3f}, but Adam with lr={TRAIN_RATE} on the same batches has a "
                f"mean of -log p of {loss.item():.3f} nats per image before this step."
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for name, p in model.named_parameters():
        difference = np.abs(run["weights"][name] - p.detach().double().numpy())
        # not the largest difference: where a first gradient is almost 0, Adam's step depends on rounding
        if not np.quantile(difference, 0.9) <= 3e-4:
            return "the weights after the last step are not those of Adam on the batches that the model was shown."
    return True
