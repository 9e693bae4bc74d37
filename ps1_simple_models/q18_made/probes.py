"""Question 18: the masks of a MADE, its layers, likelihood, sampling and training."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Question

from ..shared.bits import not_bits, strings, wrong_bits
from ..shared.networks import device_after_a_move, fill, some_mask

question = Question(
    title="MADE: one network, all conditionals",
    skills=["1.25"],
    after="q09_fvsbn",
    run_seconds=7,
    aim=(
        "Turn a fully connected network into an autoregressive one for any order by masks, and evaluate, sample and "
        "train it."
    ),
    hints={"made_masks": [
        "Do the example of the text by hand: order (1, 2, 0) gives the dimensions 0, 1, 2 the degrees 3, 1, 2. So "
        "the degrees are not `order + 1`: dimension `order[t]` has degree t + 1. Which side of a mask are the rows?",
        "`degrees[order] = torch.arange(1, D + 1)` inverts the permutation. A mask compares a column of degrees with "
        "a row: `above[:, None] >= below`. `below` starts as the degrees of the inputs and becomes those of the "
        "layer just made. In the layer, multiply weight and mask in every `forward`.",
        "Outputs have the degrees of the inputs and use `>`. Sampling: start from zeros, loop over "
        "`model.order.tolist()`, and in each round compute `model(x)` anew and fill column d from uniform column d. "
        "Training: loss = minus the mean of `made_log_prob`; `zero_grad`, `backward`, `step`; keep `loss.item()`.",
    ]},
    ambiguities=[
        "Masks may come back as bool or integer tensors too, and the buffer `mask` may be of any type.",
        "A model may be left in evaluation mode by `made_sample` or `made_log_prob`, or put back: none of the "
        "networks has layers to which this matters.",
        "made_log_prob, made_sample and train_made are tested with the grader's own autoregressive networks, so that "
        "an error in the masks does not cost their points.",
        "Training must be Adam on the given batches: history and parameters after 7 steps are compared with the "
        "reference's (any implementation of Adam passes; of each tensor a quarter of the entries may differ, since "
        "Adam's first step follows the sign of gradients that may be almost 0).",
    ],
)


def proper_order(rng, d):
    """A random order that differs from its own inverse, so that mixing them up shows."""
    while True:
        order = rng.permutation(d)
        if not torch.equal(order, torch.argsort(order)) and not torch.equal(order, torch.argsort(order).flip(0)):
            return order


def random_degrees(rng, d, *sizes):
    """Hidden degrees between 1 and D - 1, not sorted."""
    return [rng.integers(1, max(d, 2), size) for size in sizes]


class Autoregressive(nn.Module):
    """Logits that depend on the earlier dimensions of an order: linear in them and in products of neighbours, with a gain each."""

    def __init__(self, order, matrix, pairs, bias, gains=(1.0, 1.0, 1.0)):
        super().__init__()
        self.gains = gains
        self.register_buffer("order", order)
        self.matrix, self.pairs, self.bias = (
            nn.Parameter(matrix.clone()),
            nn.Parameter(pairs.clone()),
            nn.Parameter(bias.clone()),
        )

    def forward(self, x):
        steps = x[:, self.order]  # columns in the order of generation
        products = steps * torch.cat([torch.zeros_like(steps[:, :1]), steps[:, :-1]], 1)
        parts = steps @ self.matrix.tril(-1).T, products @ self.pairs.tril(-1).T, self.bias
        logits = sum(gain * part for gain, part in zip(self.gains, parts))
        out = torch.empty_like(logits)
        out[:, self.order] = logits
        return out


def toy(rng, d, scale=2.0):
    """An `Autoregressive` with random numbers and a proper order."""
    order = proper_order(rng, d) if d > 3 else rng.permutation(d)
    return Autoregressive(order, rng.normal(d, d, std=scale), rng.normal(d, d, std=scale), rng.normal(d))


def toy_logits(x, order, matrix, pairs, bias):
    """The same logits in NumPy, for the judges."""
    steps = x[:, order]
    products = steps * np.concatenate([np.zeros_like(steps[:, :1]), steps[:, :-1]], 1)
    logits = np.empty_like(steps)
    logits[:, order] = steps @ np.tril(matrix, -1).T + products @ np.tril(pairs, -1).T + bias
    return logits


# --- masks and layers -------------------------------------------------------------------------------------------


def as_floats(masks):
    return [torch.as_tensor(mask).float() for mask in masks]


@question.probe(points=1, title="masks with one hidden layer", public=True)
def masks_shallow(student, rng):
    d, width = rng.integer(4, 7), rng.integer(7, 10)
    degrees = random_degrees(rng, d, width)
    return {
        "order (1, 2, 0)": as_floats(
            student.made_masks(
                torch.tensor([1, 2, 0], device=rng.device), [torch.tensor([1, 2, 2, 1], device=rng.device)]
            )
        ),
        "random order": as_floats(student.made_masks(proper_order(rng, d), degrees)),
        "hidden layers given afterwards": len(degrees),
    }


def mask_inputs(rng):
    """Orders and hidden degrees: three and two hidden layers, none, and a single dimension."""
    cases = []
    for d, sizes in (
        (rng.integer(4, 8), (rng.integer(8, 12), rng.integer(5, 8), rng.integer(9, 13))),
        (8, (5, 7)),
        (5, ()),
        (1, (3,)),
        (4, (6, 6)),
    ):
        order = proper_order(rng, d) if d > 1 else rng.permutation(d)
        cases.append((order, random_degrees(rng, d, *sizes)))
    return cases


def masks_judge(evidence, expected, context):
    """no path from an input to an output that is not later in the order, and the masks of rule (1)"""
    if not isinstance(evidence, list) or len(evidence) != len(expected):
        return "the answer has an unexpected form."
    for got, want, (order, _) in zip(evidence, expected, mask_inputs(context.rng())):
        if isinstance(got, list) and [np.shape(mask) for mask in got] == [mask.shape for mask in want]:
            order, paths = order.cpu().numpy(), np.eye(len(order))
            for mask in got:
                paths = np.minimum(np.asarray(mask, dtype=float) @ paths, 1.0)
            leaks = np.triu(paths[order][:, order])
            if leaks.any():
                late, early = (int(k) for k in np.argwhere(leaks)[0][::-1])
                which = "itself" if late == early else f"input {order[late]}, which comes later"
                return (
                    f"order {order.tolist()}, {len(got) - 1} hidden layers: there is a path to output {order[early]} "
                    f"from {which}."
                )
    return Close()(evidence, expected, context)


@question.probe(points=1, title="masks with several hidden layers, with none, and D = 1", judge=masks_judge)
def masks_deep(student, rng):
    return [as_floats(student.made_masks(order, degrees)) for order, degrees in mask_inputs(rng)]


@question.probe(
    points=0.5,
    title="a masked layer, also after optimiser steps and after loading weights",
    judge=Close(rtol=1e-3, atol=1e-4),
)
def masked_layer(student, rng):
    n_in, n_out = rng.integer(3, 6), rng.integer(6, 9)
    mask = some_mask(rng, n_out, n_in)
    mask[1] = 0.0  # a unit without connections still has its bias
    x, target, test = rng.normal(6, n_in), rng.normal(6, n_out), rng.normal(4, n_in)
    layer = student.raw.MaskedLinear(mask.clone()).to(rng.device)
    bits = torch.eye(n_in + 1, n_in, device=rng.device)  # each input alone, and none
    found = {"connections of a new layer": ((layer(bits)[:-1] - layer(bits)[-1:]).abs() > 1e-7).float()}
    fill(layer, rng, 0.7)
    found["output"] = layer(test).detach().clone()
    found["output of one example"] = layer(test[:1]).detach().clone()
    with torch.no_grad():
        for p in layer.parameters():
            if p.requires_grad:
                p.fill_(0.25 if p.dim() == 1 else 0.0)  # from here on the mask has to show in the gradients, too
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.3, momentum=0.5)
    for _ in range(3):
        optimiser.zero_grad()
        ((layer(x) - target) ** 2).mean().backward()
        optimiser.step()
    found["after 3 steps of SGD"] = layer(test).detach().clone()
    other, another = (fill(student.raw.MaskedLinear(mask.clone()), rng, 0.7) for _ in range(2))
    layer.load_state_dict(other.state_dict())
    with torch.no_grad():
        found["after load_state_dict, in evaluation mode without gradients"] = layer.eval()(test)
    layer.zero_grad()
    layer(test).square().mean().backward()
    found["gradient after a pass without gradients"] = sum(
        mask * p.grad for p in layer.parameters() if p.dim() == 2 and p.grad is not None
    )
    layer.load_state_dict(another.state_dict())
    found["after load_state_dict, still in evaluation mode"] = layer(test)
    layer.load_state_dict(other.state_dict())
    found["after load_state_dict, in training mode"] = layer.train()(test)
    return found


@question.probe(
    points=0.5, title="a masked layer has the parameters of nn.Linear and the buffer `mask`, and moves as a whole"
)
def layer_moves(student, rng):
    n_in, n_out = rng.integer(3, 6), rng.integer(6, 9)
    mask = some_mask(rng, n_out, n_in).to("cpu")
    mask[:, 0] = 0.0
    layer = student.raw.MaskedLinear(mask)
    shapes = sorted(list(p.shape) for p in layer.parameters())
    with torch.no_grad():
        for p in layer.parameters():
            if p.requires_grad:
                p.fill_(0.5)
    wide = layer.to(torch.float64)(torch.ones(2, n_in, dtype=torch.float64))
    kept = torch.as_tensor(layer.mask).double()
    elsewhere = device_after_a_move(layer, torch.ones(2, n_in, dtype=torch.float64))
    return {"shapes of parameters()": shapes, "output in float64": wide, "the mask": kept, "device": elsewhere}


# --- the network and its likelihood -----------------------------------------------------------------------------


@question.probe(
    points=0.5, title="the forward pass and its gradient, with ordinary layers in place of the masked ones", public=True
)
def forward_pass(student, rng):
    found = []
    d = rng.integer(3, 6)
    for sizes, batch, scale in (
        ((rng.integer(6, 9),), rng.integer(2, 6), 1.0),
        ((d, d), 1, 1.0),
        ((), 3, 1.0),
        ((5, d), 4, 100.0),
    ):
        model = student.raw.MADE(rng.permutation(d), random_degrees(rng, d, *sizes))
        widths = [d, *sizes, d]
        model.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        fill(model, rng, 0.7).train(batch > 1)
        x, first = rng.normal(batch, d, std=scale), model.layers[0].weight
        logits = model(x)
        if logits.requires_grad:
            (logits * rng.normal(*logits.shape)).sum().backward()
        found.append(
            {
                "logits": logits,
                "gradient": torch.zeros_like(first) if first.grad is None else first.grad,
                "x afterwards": x,
            }
        )
    return found


@question.probe(
    points=0.5,
    title="log-probability from the logits of a given network",
    judge=Close(rtol=1e-4, atol=1e-4),
    public=True,
)
def log_prob(student, rng):
    d = rng.integer(4, 8)
    model, steep, steepest = (toy(rng, d, scale).to(rng.device) for scale in (2.0, 25.0, 3000.0))
    x = rng.bernoulli(rng.integer(3, 7), d)
    x = torch.cat([x, 1 - x[1:]])
    values, gradients = [], []
    for network in (model, steep, steepest):
        value = student.made_log_prob(network, x)
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            raise ValueError(
                "the result carries no gradient: compute with torch operations, without .item(), .detach() or "
                "torch.no_grad()"
            )
        weighted = (value * torch.linspace(1, 2, len(value), device=rng.device)).sum()
        values.append(value)
        gradients.append(torch.autograd.grad(weighted, (network.bias,))[0])
    return {
        "values": values[0],
        "gradient in the bias": gradients[0],
        "one example": student.made_log_prob(model, rng.bernoulli(1, d)),
        "logits far from zero": values[1:],
        "gradients in the bias, logits far from zero": gradients[1:],
    }


def distribution_orders(rng):
    """Orders of the networks of `distribution`, drawn first."""
    return [proper_order(rng, 8), torch.arange(8, device=rng.device), proper_order(rng, 5)]


def distribution_judge(evidence, expected, context):
    """probabilities sum to one, no logit changes with a later bit, and all values agree with the reference's"""
    if not isinstance(evidence, list) or len(evidence) != len(expected):
        return "the answer has an unexpected form."
    for got, want, order in zip(evidence, expected, distribution_orders(context.rng())):
        order = order.cpu().numpy()
        logs, logits = (
            np.asarray(got[name], dtype=float) for name in ("log-probabilities", "logits when one bit is flipped")
        )
        if (
            logs.shape != want["log-probabilities"].shape
            or logits.shape != want["logits when one bit is flipped"].shape
        ):
            return Close()(evidence, expected, context)
        if not (np.isfinite(logs).all() and np.isfinite(logits).all()):
            return "a logit or a log-probability is not finite."
        changes = np.abs(logits[1:] - logits[0]).max(1).T  # (output, flipped input)
        leaks = np.triu(changes[order][:, order]) > 1e-4
        if leaks.any():
            late, early = (int(k) for k in np.argwhere(leaks)[0][::-1])
            which = "its own bit" if late == early else f"the bit of dimension {order[late]}, which comes later"
            return f"in the order {order.tolist()} the logit of dimension {order[early]} changes with {which}."
        total = float(np.exp(np.minimum(logs, 50)).sum())
        if abs(total - 1) > 1e-3:
            return f"the probabilities of all 2^{len(order)} binary vectors sum to {total:.4g}, not to 1."
    return Close(rtol=1e-3, atol=1e-3)(evidence, expected, context)


@question.probe(
    points=1,
    title="a MADE is a distribution: it sums to one, and its Jacobian is triangular in the order",
    judge=distribution_judge,
)
def distribution(student, rng):
    found = []
    for order, sizes in zip(distribution_orders(rng), ((24,), (20, 16), ())):
        d = len(order)
        degrees = [1 + rng.permutation(size) % (d - 1) for size in sizes]
        model = fill(student.raw.MADE(order, degrees), rng, 0.7)
        base = rng.bernoulli(6, d)
        flipped = [base] + [torch.where(torch.arange(d, device=rng.device) == j, 1 - base, base) for j in range(d)]
        found.append(
            {
                "log-probabilities": student.made_log_prob(model, strings(d, rng.device)),
                "logits when one bit is flipped": torch.stack([model(x).detach() for x in flipped]),
            }
        )
    return found


# --- sampling and training --------------------------------------------------------------------------------------


def sampling_inputs(rng):
    """Networks and uniform numbers; the last network has probabilities near 0 and 1, and uniforms there."""
    cases = [
        (toy(rng, d), rng.uniform(n, d)) for n, d in ((rng.integer(24, 32), rng.integer(5, 8)), (1, 6), (16, 5), (4, 1))
    ]
    biases = torch.tensor([10.0, -10.0, 100.0, -16.0, 16.0], device=rng.device)[rng.permutation(5)]
    edges = torch.tensor([0.0, 1e-6, 7e-5, 1 - 7e-5, 1 - 1e-6, 1.0], device=rng.device)
    faint = Autoregressive(proper_order(rng, 5), *(rng.normal(5, 5, std=0.3) for _ in range(2)), biases)
    return [*cases, (faint, torch.stack([edges[rng.permutation(6)] for _ in range(5)], 1))]


def sampling_judge(evidence, expected, context):
    """each bit is 1 exactly if its uniform number is below its probability, given the bits that come earlier in the order"""
    cases = sampling_inputs(context.rng())
    if not isinstance(evidence, dict) or set(evidence) != set(expected) or len(evidence["samples"]) != len(cases):
        return "the answer has an unexpected form."
    for got, (model, uniforms) in zip(evidence["samples"], cases):
        numbers = [value.detach().cpu().double().numpy() for value in (model.matrix, model.pairs, model.bias)]
        order, uniforms = model.order.cpu().numpy(), uniforms.cpu().double().numpy()
        if np.asarray(got).dtype.kind != "f":
            return "the samples are not floats."
        got = np.asarray(got, dtype=float)
        problem = not_bits(got, uniforms.shape)
        if problem:
            return problem
        p_one = 1 / (1 + np.exp(-toy_logits(got, order, *numbers)))
        wrong = wrong_bits(got, uniforms, p_one, 1e-4 * p_one * (1 - p_one) + 2e-7)
        for step, i in enumerate(order):
            if wrong[:, i].any():
                n = int(np.argmax(wrong[:, i]))
                return (
                    f"order {order.tolist()}, step {step}: dimension {i} has u = {uniforms[n, i]:.5g} and probability "
                    f"{p_one[n, i]:.5g} given the bits drawn before, so it must be "
                    f"{int(uniforms[n, i] < p_one[n, i])}, but it is {int(got[n, i])}."
                )
    if not all(evidence["parameters require gradients"]):
        return (
            "after `made_sample` the parameters of the network no longer require gradients, so it cannot be trained "
            "any more."
        )
    return True


@question.probe(points=1, title="ancestral samples in the order of a given network", judge=sampling_judge, public=True)
def samples(student, rng):
    cases = [(model.to(rng.device), uniforms) for model, uniforms in sampling_inputs(rng)]
    drawn = [student.made_sample(*case) for case in cases]
    return {
        "samples": drawn,
        "parameters require gradients": [p.requires_grad for model, _ in cases for p in model.parameters()],
    }


TRAIN_STEPS, TRAIN_BATCH, TRAIN_RATE = 7, 11, 0.05  # a pass has three batches, the last one short


TRAIN_GAINS = (4.0, 0.03, 4.0)  # large gradients, so that clipped ones show, and small ones, where Adam's epsilon shows


def train_judge(evidence, expected, context):
    """history and parameters are those of Adam on the given batches, up to rounding"""
    history, wanted = (np.asarray(found["history"], dtype=float) for found in (evidence, expected))
    if history.shape != wanted.shape:
        return f"the history has {history.size} values for {len(wanted)} steps."
    if not abs(history[0] - wanted[0]) <= 2e-3 * wanted[0]:
        return (
            f"the history starts with {history[0]:.4f}, but the first batch has an NLL of {wanted[0]:.4f} nats per "
            "example before the first step (mean over examples, sum over dimensions)."
        )
    wrong = ~(np.abs(history - wanted) <= 2e-3 * np.abs(wanted))
    if wrong.any():
        step = int(np.argmax(wrong))
        return (
            f"step {step}: the history has {history[step]:.4f}, but with Adam on the given batches this batch has an "
            f"NLL of {wanted[step]:.4f} nats an example before this step."
        )
    for name in ("matrix", "pairs", "bias"):
        got, want = (np.asarray(found["parameters"][name], dtype=float) for found in (evidence, expected))
        if got.shape != want.shape or not np.isfinite(got).all() or np.quantile(np.abs(got - want), 0.75) > 5e-5:
            return (
                f"after {TRAIN_STEPS} steps the parameters are not those of Adam on the given batches, one step per "
                "batch."
            )
    return True


@question.probe(points=1, title="training follows Adam on the given batches", judge=train_judge)
def training(student, rng):
    n, d = 2 * TRAIN_BATCH + rng.integer(2, 7), rng.integer(12, 16)
    matrix, pairs, bias = rng.normal(d, d, std=0.4), rng.normal(d, d), rng.normal(d, mean=-1.0, std=0.25)  # far off
    x, model = (
        rng.bernoulli(n, d, p=0.6),
        Autoregressive(proper_order(rng, d), matrix, pairs, bias, TRAIN_GAINS).to(rng.device),
    )
    history = student.train_made(
        model, x, TRAIN_STEPS, TRAIN_BATCH, TRAIN_RATE, torch.Generator().manual_seed(rng.integer(0, 10**6))
    )
    return {
        "history": torch.as_tensor([float(value) for value in history]),
        "parameters": dict(model.named_parameters()),
    }
