"""Question 11: the masks of a MADE, its layers, likelihood, sampling and training."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder.probes import Close, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q11",
    title="MADE: one network, all conditionals",
    skills=["1.25"],
    minutes=60,
    aim="Turn a fully connected network into an autoregressive one for any order by masks, and evaluate, sample and train it.",
    hints=[
        "Do the example of the text by hand: order (1, 2, 0) gives the dimensions 0, 1, 2 the degrees 3, 1, 2. So the degrees are not "
        "`order + 1`: dimension `order[t]` has degree t + 1. Which side of a mask are the rows?",
        "`degrees[order] = torch.arange(1, D + 1)` inverts the permutation. A mask compares a column of degrees with a row: "
        "`above[:, None] >= below`. `below` starts as the degrees of the inputs and becomes those of the layer just made. In the "
        "layer, multiply weight and mask in every `forward`.",
        "Outputs have the degrees of the inputs and use `>`. Sampling: start from zeros, loop over `model.order.tolist()`, and in each "
        "round compute `model(x)` anew and fill column d from uniform column d. Training: loss = minus the mean of `made_log_prob`; "
        "`zero_grad`, `backward`, `step`; keep `loss.item()`.",
    ],
    ambiguities=[
        "Masks may come back as bool or integer tensors too, and the buffer `mask` may be of any type.",
        "A model may be left in evaluation mode by `made_sample` or `made_log_prob`, or put back: none of the networks has layers to which this matters.",
        "made_log_prob, made_sample and train_made are tested with the grader's own autoregressive networks, so that an error in the masks "
        "does not cost their points.",
        "Training must be Adam on the given batches: history and parameters after 7 steps are compared with the reference's (any implementation of "
        "Adam passes; of each tensor a quarter of the entries may differ, since Adam's first step follows the sign of gradients that may be almost 0).",
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


def fill(module, rng, scale=0.7):
    """Set all parameters to seeded numbers, whatever their order or the prefix that a parametrisation adds."""
    named = {name.replace("parametrizations.", "").replace(".original", ""): p for name, p in module.named_parameters()}
    with torch.no_grad():
        for name in sorted(named):
            if named[name].requires_grad:
                named[name].copy_(rng.normal(*named[name].shape, std=scale))
    return module.to(rng.device)


class Autoregressive(nn.Module):
    """Logits that depend on the earlier dimensions of an order: linear in them and in products of neighbours, with a gain each."""

    def __init__(self, order, matrix, pairs, bias, gains=(1.0, 1.0, 1.0)):
        super().__init__()
        self.gains = gains
        self.register_buffer("order", order)
        self.matrix, self.pairs, self.bias = nn.Parameter(matrix.clone()), nn.Parameter(pairs.clone()), nn.Parameter(bias.clone())

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


def strings(d, device="cpu"):
    """All 2^d binary vectors, one a row."""
    codes = torch.arange(2**d, device=device)
    return ((codes[:, None] >> torch.arange(d, device=device)) & 1).float()


# --- masks and layers -------------------------------------------------------------------------------------------


def as_floats(masks):
    return [torch.as_tensor(mask).float() for mask in masks]


@probe(points=1, title="masks with one hidden layer", public=True)
def masks_shallow(student, rng):
    d, width = rng.integer(4, 7), rng.integer(7, 10)
    degrees = random_degrees(rng, d, width)
    return {
        "order (1, 2, 0)": as_floats(student.made_masks(torch.tensor([1, 2, 0], device=rng.device), [torch.tensor([1, 2, 2, 1], device=rng.device)])),
        "random order": as_floats(student.made_masks(proper_order(rng, d), degrees)),
        "hidden layers given afterwards": len(degrees),
    }


def mask_inputs(rng):
    """Orders and hidden degrees: three and two hidden layers, none, and a single dimension."""
    cases = []
    for d, sizes in ((rng.integer(4, 8), (rng.integer(8, 12), rng.integer(5, 8), rng.integer(9, 13))), (8, (5, 7)), (5, ()), (1, (3,)), (4, (6, 6))):
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
                return f"order {order.tolist()}, {len(got) - 1} hidden layers: there is a path to output {order[early]} from {which}."
    return Close()(evidence, expected, context)


@probe(points=1, title="masks with several hidden layers, with none, and D = 1", judge=masks_judge)
def masks_deep(student, rng):
    return [as_floats(student.made_masks(order, degrees)) for order, degrees in mask_inputs(rng)]


def some_mask(rng, *shape):
    """A random mask that has zeros and ones."""
    mask = rng.bernoulli(*shape).reshape(-1)
    mask[0], mask[-1] = 1.0, 0.0
    return mask.reshape(shape)


@probe(points=0.5, title="a masked layer, also after optimiser steps and after loading weights", judge=Close(rtol=1e-3, atol=1e-4))
def masked_layer(student, rng):
    n_in, n_out = rng.integer(3, 6), rng.integer(6, 9)
    mask = some_mask(rng, n_out, n_in)
    mask[1] = 0.0  # a unit without connections still has its bias
    x, target, test = rng.normal(6, n_in), rng.normal(6, n_out), rng.normal(4, n_in)
    layer = student.raw.MaskedLinear(mask.clone()).to(rng.device)
    bits = torch.eye(n_in + 1, n_in, device=rng.device)  # each input alone, and none
    found = {"connections of a new layer": ((layer(bits)[:-1] - layer(bits)[-1:]).abs() > 1e-7).float()}
    fill(layer, rng)
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
    other, another = (fill(student.raw.MaskedLinear(mask.clone()), rng) for _ in range(2))
    layer.load_state_dict(other.state_dict())
    with torch.no_grad():
        found["after load_state_dict, in evaluation mode without gradients"] = layer.eval()(test)
    layer.zero_grad()
    layer(test).square().mean().backward()
    found["gradient after a pass without gradients"] = sum(mask * p.grad for p in layer.parameters() if p.dim() == 2 and p.grad is not None)
    layer.load_state_dict(another.state_dict())
    found["after load_state_dict, still in evaluation mode"] = layer(test)
    layer.load_state_dict(other.state_dict())
    found["after load_state_dict, in training mode"] = layer.train()(test)
    return found


def device_after_a_move(layer, x):
    """Where the output lies when the layer and its input have moved. The device "meta" holds no numbers: if the layer needs to
    look at them, the places of its tensors are the answer."""
    layer.to("meta")
    try:
        return layer(x.to("meta")).device.type
    except (NotImplementedError, RuntimeError):
        kept = [value for module in layer.modules() for value in vars(module).values()]
        for value in kept:
            if isinstance(value, (list, tuple, dict)):
                kept += value.values() if isinstance(value, dict) else value
        return next((value.device.type for value in kept if torch.is_tensor(value) and not value.is_meta), "meta")


@probe(points=0.5, title="a masked layer has the parameters of nn.Linear and the buffer `mask`, and moves as a whole")
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


@probe(points=0.5, title="the forward pass and its gradient, with ordinary layers in place of the masked ones", public=True)
def forward_pass(student, rng):
    found = []
    d = rng.integer(3, 6)
    for sizes, batch, scale in (((rng.integer(6, 9),), rng.integer(2, 6), 1.0), ((d, d), 1, 1.0), ((), 3, 1.0), ((5, d), 4, 100.0)):
        model = student.raw.MADE(rng.permutation(d), random_degrees(rng, d, *sizes))
        widths = [d, *sizes, d]
        model.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        fill(model, rng).train(batch > 1)
        x, first = rng.normal(batch, d, std=scale), model.layers[0].weight
        logits = model(x)
        if logits.requires_grad:
            (logits * rng.normal(*logits.shape)).sum().backward()
        found.append({"logits": logits, "gradient": torch.zeros_like(first) if first.grad is None else first.grad, "x afterwards": x})
    return found


@probe(points=0.5, title="log-probability from the logits of a given network", judge=Close(rtol=1e-4, atol=1e-4), public=True)
def log_prob(student, rng):
    d = rng.integer(4, 8)
    model, steep, steepest = (toy(rng, d, scale).to(rng.device) for scale in (2.0, 25.0, 3000.0))
    x = rng.bernoulli(rng.integer(3, 7), d)
    x = torch.cat([x, 1 - x[1:]])
    values, gradients = [], []
    for network in (model, steep, steepest):
        value = student.made_log_prob(network, x)
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            raise ValueError("the result carries no gradient: compute with torch operations, without .item(), .detach() or torch.no_grad()")
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
        logs, logits = (np.asarray(got[name], dtype=float) for name in ("log-probabilities", "logits when one bit is flipped"))
        if logs.shape != want["log-probabilities"].shape or logits.shape != want["logits when one bit is flipped"].shape:
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


@probe(points=1, title="a MADE is a distribution: it sums to one, and its Jacobian is triangular in the order", judge=distribution_judge)
def distribution(student, rng):
    found = []
    for order, sizes in zip(distribution_orders(rng), ((24,), (20, 16), ())):
        d = len(order)
        degrees = [1 + rng.permutation(size) % (d - 1) for size in sizes]
        model = fill(student.raw.MADE(order, degrees), rng)
        base = rng.bernoulli(6, d)
        flipped = [base] + [torch.where(torch.arange(d, device=rng.device) == j, 1 - base, base) for j in range(d)]
        found.append({
            "log-probabilities": student.made_log_prob(model, strings(d, rng.device)),
            "logits when one bit is flipped": torch.stack([model(x).detach() for x in flipped]),
        })
    return found


# --- sampling and training --------------------------------------------------------------------------------------


def sampling_inputs(rng):
    """Networks and uniform numbers; the last network has probabilities near 0 and 1, and uniforms there."""
    cases = [(toy(rng, d), rng.uniform(n, d)) for n, d in ((rng.integer(24, 32), rng.integer(5, 8)), (1, 6), (16, 5), (4, 1))]
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
        if got.shape != uniforms.shape:
            return f"got shape {got.shape} where {uniforms.shape} is expected."
        if not np.isin(got, (0.0, 1.0)).all():
            return "a sample holds other values than 0 and 1."
        p_one = 1 / (1 + np.exp(-toy_logits(got, order, *numbers)))
        rounding = 1e-4 * p_one * (1 - p_one) + 2e-7
        sure = (np.abs(uniforms - p_one) > rounding) | (uniforms == 0) | (uniforms == 1)  # 0 forces a 1, and 1 forces a 0
        wrong = (got != (uniforms < p_one)) & sure
        for step, i in enumerate(order):
            if wrong[:, i].any():
                n = int(np.argmax(wrong[:, i]))
                return (
                    f"order {order.tolist()}, step {step}: dimension {i} has u = {uniforms[n, i]:.5g} and probability {p_one[n, i]:.5g} "
                    f"given the bits drawn before, so it must be {int(uniforms[n, i] < p_one[n, i])}, but it is {int(got[n, i])}."
                )
    if not all(evidence["parameters require gradients"]):
        return "after `made_sample` the parameters of the network no longer require gradients, so it cannot be trained any more."
    return True


@probe(points=1, title="ancestral samples in the order of a given network", judge=sampling_judge, public=True)
def samples(student, rng):
    cases = [(model.to(rng.device), uniforms) for model, uniforms in sampling_inputs(rng)]
    drawn = [student.made_sample(*case) for case in cases]
    return {"samples": drawn, "parameters require gradients": [p.requires_grad for model, _ in cases for p in model.parameters()]}


TRAIN_STEPS, TRAIN_BATCH, TRAIN_RATE = 7, 11, 0.05  # a pass has three batches, the last one short
TRAIN_GAINS = (4.0, 0.03, 4.0)  # large gradients, so that clipped ones show, and small ones, where Adam's epsilon shows


def train_judge(evidence, expected, context):
    """history and parameters are those of Adam on the given batches, up to rounding"""
    history, wanted = (np.asarray(found["history"], dtype=float) for found in (evidence, expected))
    if history.shape != wanted.shape:
        return f"the history has {history.size} values for {len(wanted)} steps."
    if not abs(history[0] - wanted[0]) <= 2e-3 * wanted[0]:
        return (
            f"the history starts with {history[0]:.4f}, but the first batch has an NLL of {wanted[0]:.4f} nats per example before the first step "
            "(mean over examples, sum over dimensions)."
        )
    wrong = ~(np.abs(history - wanted) <= 2e-3 * np.abs(wanted))
    if wrong.any():
        step = int(np.argmax(wrong))
        return (
            f"step {step}: the history has {history[step]:.4f}, but with Adam on the given batches this batch has an NLL of {wanted[step]:.4f} nats "
            "an example before this step."
        )
    for name in ("matrix", "pairs", "bias"):
        got, want = (np.asarray(found["parameters"][name], dtype=float) for found in (evidence, expected))
        if got.shape != want.shape or not np.isfinite(got).all() or np.quantile(np.abs(got - want), 0.75) > 5e-5:
            return f"after {TRAIN_STEPS} steps the parameters are not those of Adam on the given batches, one step per batch."
    return True


@probe(points=1, title="training follows Adam on the given batches", judge=train_judge)
def training(student, rng):
    n, d = 2 * TRAIN_BATCH + rng.integer(2, 7), rng.integer(12, 16)
    matrix, pairs, bias = rng.normal(d, d, std=0.4), rng.normal(d, d), rng.normal(d, mean=-1.0, std=0.25)  # far off
    x, model = rng.bernoulli(n, d, p=0.6), Autoregressive(proper_order(rng, d), matrix, pairs, bias, TRAIN_GAINS).to(rng.device)
    history = student.train_made(model, x, TRAIN_STEPS, TRAIN_BATCH, TRAIN_RATE, torch.Generator().manual_seed(rng.integer(0, 10**6)))
    return {"history": torch.as_tensor([float(value) for value in history]), "parameters": dict(model.named_parameters())}


# --- mistakes: masks --------------------------------------------------------------------------------------------

DEGREES = "degrees[order] = torch.arange(1, len(order) + 1, device=order.device)"
HIDDEN = "masks.append((above[:, None] >= below).float())"
OUTPUT = "masks.append((degrees[:, None] > below).float())"

edit_mistake(
    "leak_at_output", "the output mask of `made_masks` uses ≥: an output then depends on its own input; it must be a strict >",
    (OUTPUT, "masks.append((degrees[:, None] >= below).float())"),
)
edit_mistake(
    "strict_everywhere", "`made_masks` uses > for connections into hidden units; nothing leaks, but information is lost, and the last dimensions miss their neighbours",
    (HIDDEN, "masks.append((above[:, None] > below).float())"),
)
edit_mistake(
    "signs_swapped", "`made_masks` uses > in the hidden layers and ≥ at the output; with several layers it loses information, and rule (1) is the other way round",
    (HIDDEN, "masks.append((above[:, None] > below).float())"), (OUTPUT, "masks.append((degrees[:, None] >= below).float())"),
)
edit_mistake(
    "order_is_not_degree", "`made_masks` takes `order` itself for the degrees; `order[t]` is the dimension at step t, so its inverse is needed",
    (DEGREES, "degrees = order + 1"),
)
edit_mistake(
    "order_ignored", "`made_masks` ignores the order and always uses 0, 1, …, D-1",
    (DEGREES, "degrees = torch.arange(1, len(order) + 1, device=order.device)"),
)
edit_mistake(
    "inputs_unordered", "`made_masks` uses the order for the outputs but not for the inputs; both have the same degrees",
    ("masks, below = [], degrees\n", "masks, below = [], torch.arange(1, len(order) + 1, device=order.device)\n"),
)
edit_mistake(
    "outputs_unordered", "`made_masks` uses the order for the inputs but not for the outputs; both have the same degrees",
    (OUTPUT, "masks.append((torch.arange(1, len(order) + 1, device=order.device)[:, None] > below).float())"),
)
edit_mistake(
    "degrees_from_zero", "in `made_masks` the degrees of inputs and outputs start at 0 instead of 1, so they do not fit those of the hidden units",
    (DEGREES, "degrees[order] = torch.arange(0, len(order), device=order.device)"),
)
edit_mistake(
    "order_reversed", "`made_masks` counts the order from its end: `order[0]` comes first and has degree 1",
    (DEGREES, "degrees[order] = torch.arange(len(order), 0, -1, device=order.device)"),
)
edit_mistake(
    "masks_transposed", "the masks of `made_masks` are transposed: an `nn.Linear` weight has the shape (units of this layer, units of the layer below)",
    ("    return masks\n", "    return [mask.T.contiguous() for mask in masks]\n"),
)
edit_mistake(
    "comparison_reversed", "`made_masks` keeps the connections that must be cut in the hidden layers: a unit may see units of *lower or equal* degree",
    (HIDDEN, "masks.append((above[:, None] <= below).float())"),
)
edit_mistake(
    "always_inputs_below", "`made_masks` compares every hidden layer with the degrees of the inputs; the layer below is what counts",
    ("        below = above\n", "        below = above if above is hidden_degrees[-1] else degrees\n"),
)
edit_mistake(
    "one_hidden_layer_only", "`made_masks` uses the first hidden layer only",
    ("    for above in hidden_degrees:\n", "    for above in hidden_degrees[:1]:\n"),
)
edit_mistake(
    "output_sees_first_layer", "the output mask of `made_masks` compares with the degrees of the first hidden layer instead of the last",
    (OUTPUT, "masks.append((degrees[:, None] > (hidden_degrees[0] if hidden_degrees else degrees)).float())"),
)
edit_mistake(
    "needs_a_hidden_layer", "`made_masks` fails without a hidden layer: an empty `hidden_degrees` leaves a single mask, from inputs to outputs",
    (OUTPUT, "masks.append((degrees[:, None] > hidden_degrees[-1]).float())"),
)


edit_mistake(
    "list_extended", "`made_masks` appends to the list `hidden_degrees`, which belongs to the caller",
    ("    return masks\n", "    hidden_degrees.append(degrees)\n    return masks\n"),
)


@mistake("`made_masks` orders the units of the hidden layers by their degrees; they come in the given sequence")
def sorts_degrees(ref):
    return {"made_masks": lambda order, hidden: ref.made_masks(order, [degrees.sort().values for degrees in hidden])}


@mistake("`made_masks` makes up its own hidden degrees 1, 2, …, D-1, 1, 2, … instead of using those that are given")
def own_degrees(ref):
    def made_masks(order, hidden):
        return ref.made_masks(order, [1 + torch.arange(len(h), device=order.device) % max(len(order) - 1, 1) for h in hidden])

    return {"made_masks": made_masks}


# --- mistakes: layers and likelihood ----------------------------------------------------------------------------

BUFFER = 'self.register_buffer("mask", mask.clone())'
LINEAR = "return F.linear(x, self.weight * self.mask, self.bias)"

edit_mistake(
    "plain_attribute", "the mask of `MaskedLinear` is a plain attribute: it stays behind when the layer moves to another device",
    (BUFFER, "self.mask = mask.clone()"),
)
edit_mistake(
    "trained_mask", "the mask of `MaskedLinear` is a parameter, so the optimiser changes it",
    (BUFFER, "self.mask = nn.Parameter(mask.clone())"),
)
edit_mistake(
    "frozen_mask", "the mask of `MaskedLinear` is among the layer's parameters, though it does not require gradients; weight and bias are the only ones, a buffer is the place for it",
    (BUFFER, "self.mask = nn.Parameter(mask.clone(), requires_grad=False)"),
)
edit_mistake(
    "masked_in_training_only", "`MaskedLinear` masks its weights in training mode only (or only while gradients are computed); in evaluation mode after loading weights the mask does not act",
    (LINEAR, "if self.training:\n            self.weight.data *= self.mask\n        return F.linear(x, self.weight, self.bias)"),
)
edit_mistake(
    "stale_weights", "`MaskedLinear` keeps the masked weights of an earlier call in evaluation mode; weights that are loaded afterwards are not used",
    (BUFFER, BUFFER + "\n        self.effective = None"),
    (LINEAR, "if self.training or self.effective is None:\n            self.effective = self.weight.detach() * self.mask\n"
             "        return F.linear(x, self.weight * self.mask if self.training else self.effective, self.bias)"),
)
edit_mistake(
    "masked_once", "`MaskedLinear` masks its weight once, when it is made; the first optimiser step or loaded weights undo this",
    (BUFFER, "self.weight.data *= mask"), (LINEAR, "return F.linear(x, self.weight, self.bias)"),
)
edit_mistake("mask_forgotten", "`MaskedLinear` leaves connections open where its mask is 0", (LINEAR, "return F.linear(x, self.weight, self.bias)"))
edit_mistake("layer_no_bias", "`MaskedLinear.forward` lacks the bias", (LINEAR, "return F.linear(x, self.weight * self.mask)"))
edit_mistake(
    "bias_masked", "in `MaskedLinear.forward` the bias of units without connections is cut too; an output that depends on nothing still has its bias",
    (LINEAR, "return F.linear(x, self.weight * self.mask, self.bias * self.mask.amax(1))"),
)

FORWARD = "        for layer in self.layers[:-1]:\n            x = F.relu(layer(x))\n        return self.layers[-1](x)\n"

edit_mistake(
    "residual_connection", "`MADE.forward` adds a layer's input to its output where the shapes allow it, past the masks",
    (FORWARD, FORWARD.replace("x = F.relu(layer(x))", "h = F.relu(layer(x))\n            x = h + x if h.shape == x.shape else h")),
)
edit_mistake(
    "relu_at_the_end", "`MADE.forward` applies ReLU to the logits as well, so that no probability is below one half",
    (FORWARD, "        for layer in self.layers:\n            x = F.relu(layer(x))\n        return x\n"),
)
edit_mistake(
    "no_relu", "`MADE.forward` has no ReLU between its layers, so the whole network is linear",
    (FORWARD, "        for layer in self.layers:\n            x = layer(x)\n        return x\n"),
)
edit_mistake(
    "returns_probabilities", "`MADE.forward` returns probabilities; it should return logits",
    (FORWARD, FORWARD.replace("return self.layers[-1](x)", "return torch.sigmoid(self.layers[-1](x))")),
)
edit_mistake(
    "relu_at_the_input_only", "`MADE.forward` applies ReLU before the layers instead of after them",
    (FORWARD, "        for layer in self.layers[:-1]:\n            x = layer(F.relu(x))\n        return self.layers[-1](x)\n"),
)

edit_mistake(
    "forward_detached", "`MADE.forward` cuts the gradient (`no_grad`, `.detach()` or `.data`), so the layers below are never trained",
    (FORWARD, FORWARD.replace("F.relu(layer(x))", "F.relu(layer(x)).detach()").replace("self.layers[-1](x)", "self.layers[-1](x) + 0 * x.sum()")),
)
edit_mistake(
    "squeezed", "`MADE.forward` loses the axis of the examples when there is only one",
    (FORWARD, FORWARD.replace("return self.layers[-1](x)", "return self.layers[-1](x).squeeze()")),
)

LOG_PROB = 'return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum(1)'

edit_mistake("log_prob_sign", "`made_log_prob` returns the loss, the negative log-probability", (LOG_PROB, LOG_PROB.replace("return -", "return ")))
edit_mistake("log_prob_mean", "`made_log_prob` averages over the dimensions; the log-probability is their sum", (LOG_PROB, LOG_PROB.replace(".sum(1)", ".mean(1)")))
edit_mistake("log_prob_batch", "`made_log_prob` returns one number for the batch; it should be one per example", (LOG_PROB, LOG_PROB.replace(".sum(1)", ".sum()")))
edit_mistake(
    "log_prob_of_one", "`made_log_prob` sums log P(x_d = 1) whatever x_d is; a zero contributes log(1 - P(x_d = 1))",
    (LOG_PROB, "return F.logsigmoid(model(x)).sum(1)"),
)
edit_mistake(
    "log_prob_sigmoid_twice", "`made_log_prob` applies the sigmoid twice: a function that expects logits gets probabilities",
    (LOG_PROB, LOG_PROB.replace("model(x)", "torch.sigmoid(model(x))")),
)
edit_mistake(
    "log_prob_clamped", "`made_log_prob` cuts the logarithms at -100, as binary cross-entropy on probabilities does; work with the logits as they are",
    (LOG_PROB, 'return -F.binary_cross_entropy(torch.sigmoid(model(x)), x, reduction="none").sum(1)'),
)
edit_mistake(
    "log_prob_nan_gradient", "the gradient of `made_log_prob` is NaN at large logits: `torch.where` also differentiates the branch that it does not take, where an exp overflows",
    (LOG_PROB, "a = (2 * x - 1) * model(x)\n    return torch.where(a > 0, -torch.log1p(torch.exp(-a)), a - torch.log1p(torch.exp(a))).sum(1)"),
)
edit_mistake(
    "log_prob_reordered", "`made_log_prob` puts x in the model's order before the comparison; column d of the logits belongs to dimension d already",
    (LOG_PROB, LOG_PROB.replace("model(x), x,", "model(x), x[:, model.order],")),
)


@mistake("`made_log_prob` runs without gradients, so nothing can be trained")
def log_prob_detached(ref):
    return {"made_log_prob": lambda model, x: ref.made_log_prob(model, x).detach()}


# --- mistakes: sampling -----------------------------------------------------------------------------------------

LOOP = "for d in model.order.tolist():"
P_ONE = "p_one = torch.sigmoid(model(x)[:, d])"
DRAW = "x[:, d] = (uniforms[:, d] < p_one).to(x.dtype)"

edit_mistake(
    "sampling_in_index_order", "`made_sample` goes through the dimensions 0, 1, …, D-1 and ignores the model's order, so it uses bits before they are drawn",
    (LOOP, "for d in range(uniforms.shape[1]):"),
)
edit_mistake(
    "sampling_by_inverse", "`made_sample` goes through the inverse of the order: `order[t]` is the dimension to draw at step t",
    (LOOP, "for d in torch.argsort(model.order).tolist():"),
)
edit_mistake(
    "sampling_at_once", "`made_sample` draws each bit as if the earlier ones were 0 (all from one pass, or from the end of the order); each step needs a new pass with the bits drawn so far",
    (P_ONE, "p_one = torch.sigmoid(model(torch.zeros_like(x))[:, d])"),
)
edit_mistake(
    "uniforms_by_step", "`made_sample` uses column t of `uniforms` at step t; column d belongs to dimension d",
    (LOOP, "for t, d in enumerate(model.order.tolist()):"), (DRAW, "x[:, d] = (uniforms[:, t] < p_one).to(x.dtype)"),
)
edit_mistake(
    "uniform_above", "`made_sample` sets a bit to 1 if the uniform number is above p; this happens with probability 1 - p",
    (DRAW, "x[:, d] = (uniforms[:, d] > p_one).to(x.dtype)"),
)
edit_mistake(
    "at_most", "`made_sample` sets a bit to 1 also where the uniform number equals p; a uniform number of 1 must give a 0 even if p is rounded to 1",
    (DRAW, "x[:, d] = (uniforms[:, d] <= p_one).to(x.dtype)"),
)
edit_mistake(
    "sampling_clamped", "`made_sample` keeps its probabilities away from 0 and 1, so that events occur which are much rarer",
    (P_ONE, P_ONE + ".clamp(1e-6, 1 - 1e-6)"),
)
edit_mistake(
    "sampling_freezes", "after `made_sample` the parameters of the network no longer require gradients, so that it cannot be trained any more",
    ("x = torch.zeros_like(uniforms)\n", "model.requires_grad_(False)\n    x = torch.zeros_like(uniforms)\n"),
)
edit_mistake(
    "most_likely", "`made_sample` takes the more likely value of each bit and ignores the uniform numbers",
    (DRAW, "x[:, d] = (p_one > 0.5).to(x.dtype)"),
)
edit_mistake(
    "no_sigmoid", "`made_sample` compares the uniform numbers with logits; they have to be probabilities",
    (P_ONE, "p_one = model(x)[:, d]"),
)
edit_mistake(
    "fed_with_probabilities", "`made_sample` feeds probabilities forward instead of the bits that were drawn",
    (DRAW, "x[:, d] = p_one"), ("    return x\n", "    return (uniforms < x).to(x.dtype)\n"),
)
edit_mistake(
    "fed_with_uniforms", "`made_sample` feeds the uniform numbers to the network instead of the bits that were drawn",
    (P_ONE, "p_one = torch.sigmoid(model(uniforms)[:, d])"),
)


@mistake("`made_sample` writes its samples into `uniforms`", catches="in-place change")
def writes_into_uniforms(ref):
    @torch.no_grad()
    def made_sample(model, uniforms):
        for d in model.order.tolist():
            uniforms[:, d] = (uniforms[:, d] < torch.sigmoid(model(uniforms)[:, d])).float()
        return uniforms

    return {"made_sample": made_sample}


# --- mistakes: training -----------------------------------------------------------------------------------------

LOSS = "loss = -made_log_prob(model, batch).mean()"

edit_mistake(
    "no_zero_grad", "`train_made` never clears the gradients, so they add up over the steps",
    ("        optimiser.zero_grad()\n", ""),
)
edit_mistake(
    "ascends", "`train_made` maximises the NLL: the loss is minus the mean log-probability", (LOSS, "loss = made_log_prob(model, batch).mean()"),
)
edit_mistake(
    "no_step", "`train_made` never changes the parameters: no step is taken, or the gradients are cleared between `backward` and the step", ("        optimiser.step()\n", ""),
)
edit_mistake(
    "first_batch_only", "`train_made` uses the first batch in every step",
    (LOSS, "batch = first = batch if not history else first\n        " + LOSS),
)
edit_mistake(
    "rate_ignored", "`train_made` ignores `learning_rate`", ("lr=learning_rate", "lr=1e-3"),
)
edit_mistake(
    "sgd", "`train_made` uses plain SGD; Adam is asked for", ("torch.optim.Adam(", "torch.optim.SGD("),
)
edit_mistake(
    "new_optimiser_each_step", "`train_made` makes a new optimiser in every step, which forgets Adam's running averages",
    (LOSS, "optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)\n        " + LOSS),
)
edit_mistake(
    "weight_decay", "`train_made` adds a weight decay; Adam with PyTorch's defaults has none",
    ("lr=learning_rate)", "lr=learning_rate, weight_decay=1e-4)"),
)
edit_mistake(
    "clipped", "`train_made` clips the gradients; that is not asked for",
    ("        optimiser.step()\n", "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimiser.step()\n"),
)
edit_mistake(
    "adamw", "`train_made` uses AdamW, which also shrinks the parameters; Adam is asked for", ("torch.optim.Adam(", "torch.optim.AdamW("),
)
edit_mistake(
    "last_batch_dropped", "`train_made` leaves out the smaller last batch of every pass",
    ("in data.batches(x, batch_size, generator, steps=steps):", "in data.batches(x, batch_size, generator, drop_last=True, steps=steps):"),
)
edit_mistake(
    "divided_by_batch_size", "`train_made` divides the sum over a batch by `batch_size`; the last batch of a pass is smaller",
    (LOSS, "loss = -made_log_prob(model, batch).sum() / batch_size"),
)
edit_mistake(
    "history_per_dimension", "the history of `train_made` is an average over dimensions; it should be nats per example",
    ("history.append(loss.item())", "history.append(loss.item() / x.shape[1])"),
)
edit_mistake(
    "history_after_the_step", "the history of `train_made` holds the loss after the step; it should be measured before the parameters change",
    ("history.append(loss.item())", "history.append(-made_log_prob(model, batch).mean().item())"),
)
edit_mistake(
    "history_sum", "the history of `train_made` sums over the batch; it should be the mean over examples",
    ("history.append(loss.item())", "history.append(loss.item() * len(batch))"),
)
edit_mistake(
    "one_pass", "`train_made` makes one pass over the data and stops, whatever `steps` says",
    ("in data.batches(x, batch_size, generator, steps=steps):", "in data.batches(x, batch_size, generator):"),
)


# --- alternatives -----------------------------------------------------------------------------------------------


@alternative("loops in Python and NumPy; logsigmoid; samples that start from ones, in float64")
def loops(ref):
    def made_masks(order, hidden_degrees):
        order = order.tolist()
        degrees = [order.index(dim) + 1 for dim in range(len(order))]
        layers = [degrees, *(h.tolist() for h in hidden_degrees), degrees]
        masks = []
        for n in range(len(layers) - 1):
            mask = np.zeros((len(layers[n + 1]), len(layers[n])), dtype=np.float32)
            for k, above in enumerate(layers[n + 1]):
                for m, below in enumerate(layers[n]):
                    mask[k, m] = above > below if n == len(layers) - 2 else above >= below
            masks.append(torch.from_numpy(mask))
        return masks

    def made_log_prob(model, x):
        logits = model(x)
        return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(dim=-1)

    @torch.no_grad()
    def made_sample(model, uniforms):
        x = torch.ones_like(uniforms)
        for d in model.order:
            new = x.clone()
            new[:, d] = (uniforms[:, d].double() < 1 / (1 + torch.exp(-model(x)[:, d].double()))).float()
            x = new
        return x.double()

    return {"made_masks": made_masks, "made_log_prob": made_log_prob, "made_sample": made_sample}


@alternative("argsort for the degrees, boolean masks; Bernoulli distributions; history of tensors")
def library(ref):
    def made_masks(order, hidden_degrees):
        degrees = torch.argsort(order) + 1
        layers = [degrees, *hidden_degrees]
        masks = [above.unsqueeze(1) >= below.unsqueeze(0) for below, above in pairwise(layers)]
        return [*masks, degrees.unsqueeze(1) > layers[-1].unsqueeze(0)]

    def made_log_prob(model, x):
        return torch.distributions.Independent(torch.distributions.Bernoulli(logits=model(x)), 1).log_prob(x)

    def train_made(model, x, steps, batch_size, learning_rate, generator):
        optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
        losses = []
        for batch in ref.data.batches(x, batch_size, generator, steps=steps):
            model.zero_grad(set_to_none=True)
            loss = F.binary_cross_entropy_with_logits(model(batch), batch, reduction="sum") / len(batch)
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        return losses

    return {"made_masks": made_masks, "made_log_prob": made_log_prob, "train_made": train_made}


edit_alternative(
    "masks_in_place", "the layer masks its weight.data at every use; the forward pass as a loop with an index",
    (LINEAR, "self.weight.data = self.weight.data * self.mask\n        out = x @ self.weight.T + self.bias\n        if self.weight.requires_grad and out.requires_grad:\n            "
             "mask = self.mask\n            out = x @ (self.weight * mask).T + self.bias\n        return out"),
    (FORWARD, "        for n, layer in enumerate(self.layers):\n            x = layer(x)\n            if n < len(self.layers) - 1:\n                x = x.clamp(min=0)\n        return x\n"),
)
edit_alternative(
    "where", "torch.where in the layer; the first pass of sampling starts from given bits of any value",
    (LINEAR, "weight = torch.where(self.mask > 0, self.weight, torch.zeros_like(self.weight))\n        return torch.einsum('ni,oi->no', x, weight) + self.bias"),
    ("x = torch.zeros_like(uniforms)\n", "x = (uniforms > 0.5).to(uniforms.dtype)\n"),
)
edit_alternative(
    "signed", "a buffer that is not saved, weights masked when made as well; logsigmoid of signed logits; an optimiser without foreach",
    (BUFFER, 'self.register_buffer("mask", mask.bool(), persistent=False)\n        self.weight.data.mul_(mask)'),
    (LOG_PROB, "return F.logsigmoid((2 * x - 1) * model(x).double()).sum(1)"),
    ("lr=learning_rate)", "lr=learning_rate, foreach=False)"),
)
