"""Question 11: networks for the probes, and how probabilities, drawings and training runs are judged."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Verdict

from ..shared.bits import not_bits, wrong_bits
from ..shared.networks import Notes, fill


class PixelChain(nn.Module):
    """A tiny model: the logit of a pixel is linear in the pixels before it, plus a label's own.

    In training mode every second pixel is not looked at (a dropout without chance). It notes each call: whether the
    call builds a graph, and whether the model and its part are in training mode.
    """

    def __init__(self, height, width, classes):
        super().__init__()
        pixels = height * width
        self.weight = nn.Parameter(torch.zeros(pixels, pixels))
        self.label = nn.Parameter(torch.zeros(classes, pixels))
        self.register_buffer("earlier", torch.ones(pixels, pixels).tril(-1))
        self.part = nn.Dropout(0.0)
        self.calls = Notes()

    def forward(self, x, y=None):
        seen = x.flatten(1).clone()
        if self.part.training:
            seen[:, ::2] = 0
        logits = nn.functional.linear(seen, self.weight * self.earlier)
        if y is not None:
            if len(y) != len(x):
                raise ValueError(f"the model got {len(y)} labels for {len(x)} images")
            logits = logits + self.label[y]
        self.calls.append((logits.requires_grad, self.training, self.part.training))
        return logits.reshape(x.shape)


def fill_network(model, rng, scale=0.6):
    """`fill` for a PixelCNN, such that its logits always vary with what it reads.

    A random head can be off for every image (a ReLU never opens). So every second unit of both ReLUs is kept open.
    """
    fill(model, rng, scale)
    outer, inner = model.head[1], model.head[3]
    with torch.no_grad():
        model.blocks[-1].out.bias[::2] = 3.0
        outer.weight[::2] = outer.weight[::2].abs() + 0.1
        outer.bias[::2] = 1.0
        inner.weight[:, ::2] = torch.sign(inner.weight[:, ::2] + 0.01) * (0.3 + inner.weight[:, ::2].abs())
    return model


# --- judges ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slopes(Close):
    """Gradients that are close; where all are 0, and should not be, there is none."""

    def __call__(self, evidence, expected, context):
        got, want = (np.concatenate([np.ravel(part) for part in value]) if isinstance(value, list) else np.ravel(value) for value in (evidence, expected))
        if got.dtype.kind == "f" and got.size == want.size and not got.any() and want.any():
            return Verdict(False, "there is no gradient: `.detach()`, `.data` or `no_grad` cuts the logits off from what they are computed from.")
        return super().__call__(evidence, expected, context)


def misshapen(evidence, expected):
    """Where evidence has another form than the reference's, or None: asked before anything is computed with it."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, want in expected.items():
        got = evidence[key]
        if isinstance(got, str):
            return f"{key}: {got}"
        if not isinstance(got, np.ndarray) or got.shape != want.shape or got.dtype.kind != want.dtype.kind:
            shape = f"shape {got.shape}" if isinstance(got, np.ndarray) else f"a {type(got).__name__}"
            return f"{key}: got {shape} where numbers of shape {want.shape} are expected."
        if not np.isfinite(got).all():
            return f"{key}: some numbers are not finite."
    return None


def normalised(evidence, expected, context):
    """the probabilities of all images sum to 1 for every class, and each is that of the reference with the same weights"""
    if problem := misshapen(evidence, expected):
        return problem
    for name, want in expected.items():
        got = evidence[name].astype(np.float64)
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


# --- drawing --------------------------------------------------------------------------------------------------


def drawing_network(make, rng):
    """A PixelCNN and what it shall draw: for each situation (images, known, uniforms, labels)."""
    model = fill_network(make(4, 1, 4, 3), rng, 0.5).eval()
    n, height, width = 6, 3, 4
    cases = {}
    for name in ("with labels", "without labels"):
        known = rng.bernoulli(n, 1, height, width, p=0.4) > 0  # two images with known pixels anywhere,
        known[:4] = False  # two to be drawn from nothing,
        known[2:4, :, 0] = True  # and two to be completed below the first row
        x = rng.bernoulli(n, 1, height, width) * known
        cases[name] = (x, known, rng.uniform(n, 1, height, width), rng.integers(0, 4, n) if name == "with labels" else None)
    return model, cases


def raster_drawn(evidence, expected, context):
    """each unknown pixel is 1 exactly if its uniform number is below its probability given the pixels before it; known ones stay"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    rng = context.rng()
    rng.device = "cpu"
    model, cases = drawing_network(context.reference.PixelCNN, rng)
    for name, (x, known, uniforms, y) in cases.items():
        got = evidence[name]
        if isinstance(got, str):
            return f"{name}: {got}"
        if not isinstance(got, np.ndarray):
            return f"{name}: images are expected."
        if problem := not_bits(got, tuple(x.shape)):
            return f"{name}: {problem}"
        given = known.numpy()
        if (got != x.numpy())[given].any():
            return f"{name}: a known pixel has been changed."
        with torch.no_grad():
            p = torch.sigmoid(model(torch.from_numpy(got).float(), y)).numpy()
        wrong = wrong_bits(got, uniforms.numpy(), p, 2e-3) & ~given
        if wrong.any():
            n, _, i, j = (int(k) for k in min(np.argwhere(wrong), key=lambda place: tuple(place[2:])))
            below = "below" if uniforms[n, 0, i, j] < p[n, 0, i, j] else "above"
            return (
                f"{name}: the uniform number of pixel ({i}, {j}) of image {n} (counted from 0) is {below} its probability "
                f"given the pixels before it, but the pixel is {int(got[n, 0, i, j])}."
            )
    return True


# --- training -------------------------------------------------------------------------------------------------

SIDE = 4


def start_network(model, rng):
    """A start from which a PixelCNN of 8 channels learns at every seed, however it was made; labels have no effect yet."""
    fill(model, rng, 0.25)
    with torch.no_grad():
        for p in model.label_maps.parameters():
            p.zero_()
        model.head[1].weight.copy_(torch.eye(8, device=rng.device)[:, :, None, None])
        model.head[1].bias.fill_(0.5)
        model.head[3].weight.copy_(0.4 * (1 - 2 * (torch.arange(8, device=rng.device) % 2))[None, :, None, None])
        model.head[3].bias.zero_()
    return model


def streaks(rng, n):
    """Images and labels: in class 0 a pixel mostly copies its left neighbour, in class 1 the one above, in class 2 it is its opposite."""
    y = rng.integers(0, 3, n)
    x = rng.bernoulli(n, 1, SIDE, SIDE)
    flips = rng.bernoulli(n, 1, SIDE, SIDE, p=0.05)
    for i in range(SIDE):
        for j in range(SIDE):
            left = (x[:, 0, i, j - 1] - flips[:, 0, i, j]).abs() if j else x[:, 0, i, j]
            above = (x[:, 0, i - 1, j] - flips[:, 0, i, j]).abs() if i else x[:, 0, i, j]
            x[:, 0, i, j] = torch.where(y == 0, left, torch.where(y == 1, above, 1 - above if i else above))
    return x, y


def training_data(rng):
    """Training images and labels, held-out ones, and the held-out ones with this and all later pixels scrambled, pixel by pixel."""
    (x, y), (new_x, new_y) = streaks(rng, 192), streaks(rng, 80)
    pixels = SIDE * SIDE
    repeated = new_x.flatten(1).repeat(pixels, 1, 1)  # (pixel, image, pixels)
    later = torch.ones(pixels, pixels, device=rng.device).triu()[:, None] > 0
    scrambled = torch.where(later, rng.bernoulli(*repeated.shape), repeated)
    return x, y, new_x, new_y, scrambled


def learned(evidence, expected, context):
    """on held-out images the trained network's logits, each asked without a look at its own and later pixels, are hardly worse than the reference's"""
    if problem := misshapen(evidence, expected):
        return problem
    rng = context.rng()
    rng.device = "cpu"
    new_x = training_data(rng)[2]
    new_x = new_x.flatten(1).double()

    def nll(logits):
        loss = nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(logits).double(), new_x, reduction="none")
        return float(loss.sum(1).mean())

    nothing = SIDE * SIDE * np.log(2)
    for name, want in expected.items():
        got, reference = nll(evidence[name]), nll(want)
        if not got <= reference + 0.1 + 0.15 * max(0.0, nothing - reference):
            return (
                f"{name}: after training held-out images cost {got:.2f} nats, which is more than right training needs with "
                f"the same data, start and budget; coin tosses cost {nothing:.2f}."
            )
    return True
