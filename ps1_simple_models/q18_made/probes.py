"""Question 18: the masks of a MADE, its layers, the network, and drawing in its order."""

import copy
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, tensor_of, tried

from ..shared.bits import not_bits, strings
from ..shared.networks import (
    copy_with,
    device_after_a_move,
    fill,
    in_bfloat16,
    loaded_output,
    some_mask,
    trained_output,
    weight_gradient,
)

question = Question(
    title="MADE: one network, all conditionals",
    skills=["1.25"],
    uses=["bernoulli_log_prob", "train", "evaluate", "train_and_log", "fvsbn_logits", "fvsbn_log_prob", "ancestral_sample"],
    after="q09_fvsbn",
    lecture="masked autoencoders",
    run_seconds=30,
    aim="Turn a fully connected network into an autoregressive one for any order by masks, and draw in that order.",
    hints={
        "made_masks": (
            "With order (1, 2, 0), which dimension is drawn last, and how many inputs may its output know?",
            "Do order (1, 2, 0) with one hidden layer of degrees 1, 2 by hand: the first mask is 0 1 0 / 0 1 1, the "
            "second 1 1 / 0 0 / 1 0.",
            "First invert the permutation: dimension `order[t]` gets degree t + 1. Each mask then compares a column of "
            "degrees (the units of this layer) with a row (those below); what is above becomes what is below.",
        ),
        "MaskedLinear": (
            "Three things happen to `weight` after the layer is made: steps of an optimiser, loading, moving. When "
            "must the mask act, so that none of them can undo it?",
            "Think of weights 5, 5, 5 and a mask 1, 0, 0. The layer computes with 5, 0, 0 today, and next week, with "
            "weights 7, 7, 7, it computes with 7, 0, 0.",
            "Look up `register_buffer` in the documentation of `nn.Module`. `F.linear` takes the weight as an argument.",
        ),
        "MADE": (
            "After which layers does (18.2) apply the relu, and after which one not?",
            "With a single layer there is no relu at all.",
            "Loop over all layers but the last; what comes out of the last one is returned as it is.",
        ),
        "made_sample": (
            "Entry t of the reordered vector is dimension order[t]. Given such vectors, which columns does `model` want "
            "to see, and in which order do its logits come out?",
            "For order (1, 2, 0) the image (a, b, c) becomes (b, c, a). Which permutation brings it back, and what "
            "happens if you apply the first one again?",
            "Everything that goes into `ancestral_sample` is indexed by the order, what comes out by its inverse "
            "(`torch.argsort`). Inside, the model's input goes one way and its logits the other.",
        ),
    },
    ambiguities=[
        "The buffer may have any name and any type, as long as masked weights never act and the parameters are those "
        "of nn.Linear.",
        "made_sample may walk through the order by itself instead of calling ancestral_sample.",
        "made_sample is tested with the grader's own autoregressive networks, and MADE.forward with ordinary layers "
        "in place of the masked ones, so that an error in the masks does not cost their points.",
        "Samples are judged dimension by dimension, given the earlier dimensions of the same example; at u = σ(a) the "
        "bit is 0, as in Question 9.",
    ],
)

CLOSE = Fields(default=Close(rtol=1e-3, atol=1e-4))


def proper_order(rng, d):
    """A random order that differs from its own inverse, so that mixing them up shows."""
    while True:
        order = rng.permutation(d)
        if not torch.equal(order, torch.argsort(order)) and not torch.equal(order, torch.argsort(order).flip(0)):
            return order


def random_degrees(rng, d, *sizes):
    """Hidden degrees between 1 and D - 1, not sorted; the largest and the smallest occur."""
    layers = [rng.integers(1, max(d, 2), size) for size in sizes]
    for degrees in layers:
        degrees[1], degrees[-1] = max(d - 1, 1), 1
    return layers


# --- masks ----------------------------------------------------------------------------------------------------------


def numbered(mask):
    """A mask whose ones carry their place, counted from 1, so that a mistake can be told by its numbers."""
    if tensor_of(mask, "a mask").dtype != torch.float32:
        return mask
    return mask * torch.arange(1, mask.numel() + 1, device=mask.device, dtype=mask.dtype).reshape(mask.shape)


def masks_of(student, order, hidden):
    """All masks, numbered."""
    answer = student.made_masks(order, hidden)
    if not isinstance(answer, (list, tuple)):
        return f"it returns {type(answer).__name__} where a list of masks is expected."
    return [numbered(mask) for mask in answer]


def mask_cases(rng):
    """The example of the text, and random ones with a single hidden layer."""
    d = rng.integer(4, 7)
    example = (torch.tensor(numbers, device=rng.device) for numbers in ([1, 2, 0], [1, 2, 2, 1]))
    order, degrees = example
    return {
        "order (1, 2, 0), hidden degrees 1, 2, 2, 1": (order, [degrees]),
        "a random order": (proper_order(rng, d), random_degrees(rng, d, rng.integer(7, 10))),
        "dimensions in their own order": (torch.arange(d, device=rng.device), random_degrees(rng, d, 8)),
    }


def mask_edge_cases(rng):
    """More layers, none, and layers that could be mixed up."""
    d = rng.integer(5, 8)
    few = 2 + (rng.integers(0, 2, 9) + rng.integer(0, d - 3))
    return {
        "three hidden layers": (proper_order(rng, d), random_degrees(rng, d, 9, rng.integer(5, 8), 11)),
        "two hidden layers as wide as the input": (proper_order(rng, d), random_degrees(rng, d, d, d)),
        "no hidden layer": (proper_order(rng, d), []),
        "a first hidden layer without degree 1": (proper_order(rng, d), [few, *random_degrees(rng, d, 8)]),
        "the last dimension first": (torch.arange(d, device=rng.device).flip(0), random_degrees(rng, d, 7, 9)),
        "many dimensions": (proper_order(rng, 40), random_degrees(rng, 40, 30)),
        "two dimensions": (torch.tensor([1, 0], device=rng.device), random_degrees(rng, 2, 4)),
        "one dimension": (torch.zeros(1, dtype=torch.long, device=rng.device), random_degrees(rng, 1, 3)),
    }


def wrong_masks(got, want, order, hidden):
    """What is wrong with the masks of one network, in words; None if nothing is."""
    if isinstance(got, str):
        return got
    if len(got) != len(want):
        return f"{len(got)} masks are returned for {len(hidden)} hidden layers."
    for number, (mask, right) in enumerate(zip(got, want), 1):
        which = f"mask {number} of {len(want)}"
        if mask.shape != right.shape:
            return f"{which} has shape {mask.shape} where {right.shape} is expected, (units of this layer, units below)."
        if mask.dtype != np.float32:
            return f"{which} has type {mask.dtype}; float32 is expected."
        if ((mask != 0) & (mask != 1 + np.arange(mask.size).reshape(mask.shape))).any():
            return f"{which} holds other values than 0 and 1."
    order, paths = order.cpu().numpy(), np.eye(len(order))
    for mask in got:
        paths = np.minimum((mask != 0) @ paths, 1.0)
    leaks = np.triu(paths[order][:, order])
    if leaks.any():
        late, early = (int(k) for k in np.argwhere(leaks)[0][::-1])
        source = "its own input" if late == early else f"input {order[late]}, which comes later"
        return f"in the order {order.tolist()} there is a path to output {order[early]} from {source}."
    for number, (mask, right) in enumerate(zip(got, want), 1):
        wrong = (mask != 0) != (right != 0)
        if wrong.any():
            unit, below = (int(k) for k in np.argwhere(wrong)[0])
            does = "cuts a connection that may stay" if right[unit, below] else "keeps a connection that must be cut"
            return f"mask {number} of {len(want)} {does}: to unit {unit} from unit {below} below (counted from 0)."
    return None


def walked(evidence, expected, cases):
    """The first network whose masks are wrong, in words; True if there is none."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, (order, hidden) in cases.items():
        got = evidence[key]
        if not isinstance(got, str):
            got = [np.asarray(mask) for mask in got]
        problem = wrong_masks(got, [np.asarray(mask) for mask in expected[key]], order, hidden)
        if problem:
            return f"{key}: {problem}"
    return True


def ordinary_masks(evidence, expected, context):
    """all connections that (18.1) allows, and no path from an input to an output that is not later in the order"""
    return walked(evidence, expected, mask_cases(context.rng()))


def edge_masks(evidence, expected, context):
    """as in the public probe"""
    key = "hidden degrees afterwards, added up"
    evidence, expected = dict(evidence), dict(expected)
    if evidence.pop(key, None) != expected.pop(key):
        return "the list `hidden_degrees` or what is in it has changed; it belongs to the caller."
    return walked(evidence, expected, mask_edge_cases(context.rng()))


@question.probe(points=0.5, title="made_masks: one hidden layer", judge=ordinary_masks, public=True)
def masks(student, rng):
    return {key: tried(lambda case=case: masks_of(student, *case)) for key, case in mask_cases(rng).items()}


@question.probe(points=1.5, title="made_masks: several hidden layers, none, D = 1", judge=edge_masks)
def mask_edges(student, rng):
    cases = mask_edge_cases(rng)
    found = {key: tried(lambda case=case: masks_of(student, *case)) for key, case in cases.items()}
    left = [sum([float(degrees.sum()) for degrees in hidden]) for _, hidden in cases.values()]
    return found | {"hidden degrees afterwards, added up": left}


# --- MaskedLinear ---------------------------------------------------------------------------------------------------


def weights_for(rng, n_in, n_out, scale=0.6):
    """A weight and a bias, drawn whatever parameters a layer has, so that what is drawn next does not depend on them."""
    return rng.normal(n_out, n_in, std=scale), rng.normal(n_out, std=scale)


def layer_with(layer, weight, bias):
    """A layer with this weight and bias; a parameter of another shape stays as it was made."""
    with torch.no_grad():
        for p in layer.parameters():
            for value in (weight, bias):
                if p.requires_grad and p.shape == value.shape:
                    p.copy_(value)
    return layer.to(weight.device)


def connections(layer, rng):
    """Which inputs a new layer's outputs depend on: the places of its weights, counted from 1, and 0 for the others."""
    bits = torch.eye(layer.in_features + 1, layer.in_features, device=rng.device)  # each input alone, and none
    change = tensor_of(layer(bits), "the output", (layer.in_features + 1, layer.out_features))
    return numbered(((change[:-1] - change[-1]).abs() > 1e-7).float().T)


@question.probe(points=0.5, title="MaskedLinear: its output", judge=CLOSE, public=True)
def masked_output(student, rng):
    found, make = {}, student.raw.MaskedLinear
    mask = some_mask(rng, 4, 6)
    found["connections of a new layer, numbered"] = attempt(connections, make(mask.clone()).to(rng.device), rng)
    for name, n_in, n_out in (("more units than inputs", 4, 7), ("fewer units than inputs", 6, 3), ("a square mask", 5, 5)):
        mask, x = some_mask(rng, n_out, n_in), rng.normal(rng.integer(2, 5), n_in)
        mask[1] = 0.0  # a unit without connections still has its bias
        found[f"output, {name}"] = attempt(layer_with(make(mask.to(rng.device)), *weights_for(rng, n_in, n_out)), x)
    return found


def by_input(layer, x):
    """The gradient for the input of a number made of the output."""
    output = tensor_of(layer(x), "the output")
    if not output.requires_grad:
        return "the output carries no gradient, so nothing below the layer can be trained."
    return torch.autograd.grad(output.square().mean(), x)[0]


LAYER = Fields({"output in float64": Close(rtol=1e-10, atol=1e-10)}, default=Close(rtol=1e-3, atol=1e-4))


@question.probe(points=1, title="MaskedLinear: the mask holds after steps, loading, copying and moving", judge=LAYER)
def layer_edges(student, rng):
    make, n_in, n_out = student.raw.MaskedLinear, rng.integer(3, 6), rng.integer(6, 9)
    x, target, test = rng.normal(8, n_in), rng.normal(8, n_out), rng.normal(4, n_in)
    mask = some_mask(rng, n_out, n_in).to(rng.device)
    mask[1] = 0.0
    layer, other, another = (make(mask.clone()).to(rng.device) for _ in range(3))
    inputs, weights, whole_x = test.clone().requires_grad_(), rng.normal(n_out, n_in), rng.integers(-2, 3, 3, n_in)
    layer_with(other, *weights_for(rng, n_in, n_out)), layer_with(another, *weights_for(rng, n_in, n_out))
    whole = layer_with(make(mask.clone()), rng.integers(-2, 3, n_out, n_in), rng.integers(-2, 3, n_out))
    found = {
        "numbers in the parameters": sorted(p.numel() for p in layer.parameters()),
        "output after 3 steps of SGD": attempt(trained_output, layer, x, target, test),
        "output after load_state_dict, in evaluation mode": attempt(loaded_output, layer, other, test, graph=True),
        "output after load_state_dict, under no_grad": attempt(loaded_output, layer, another, test, training=True),
        "output after load_state_dict, in evaluation mode and under no_grad": attempt(loaded_output, layer, other, test),
        "gradient of the weights": attempt(weight_gradient, layer.train(), mask, test),
        "gradient of the input, in evaluation mode": attempt(lambda: by_input(layer.eval(), inputs)),
        "output of one example": attempt(layer, test[:1]),
        "a deep copy with other weights": attempt(copy_with, layer, weights, test),
        "output in float64": attempt(lambda: layer.to(torch.float64)(test.double())),
        "output in bfloat16": attempt(in_bfloat16, whole, whole_x),
    }
    found["place of the output after a move to the device meta"] = attempt(device_after_a_move, layer, test.double())
    return found


# --- the network ----------------------------------------------------------------------------------------------------


def plain_network(student, rng, *widths):
    """A MADE whose layers are ordinary ones with random weights."""
    d = widths[0]
    model = student.raw.MADE(rng.permutation(d), random_degrees(rng, d, *widths[1:-1]))
    model.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
    return fill(model, rng, 0.7)


def logits_of(model, x):
    """The logits, if two passes agree."""
    logits, again = (tensor_of(model(x), "the answer") for _ in range(2))
    if not logits.is_meta and logits.shape == again.shape and not torch.allclose(logits.double(), again.double(), equal_nan=True):
        return "two passes with the same input give different logits, so something random is inside."
    return logits


def gradient_by_first(model, x, factor):
    """The gradient of the summed logits, weighted, by the first layer's weight."""
    logits = tensor_of(model(x), "the answer", factor.shape)
    if not logits.requires_grad:
        return "the logits carry no gradient, so nothing can be trained."
    (found,) = torch.autograd.grad((logits * factor).sum(), (model.layers[0].weight,), allow_unused=True)
    return "the gradient does not reach the first layer." if found is None else found


@question.probe(points=0.5, title="MADE: logits with ordinary layers in place of the masked ones", judge=CLOSE, public=True)
def forward_pass(student, rng):
    found = {}
    for name, d, sizes in (("one hidden layer", 4, (12,)), ("two hidden layers", 3, (9, 11)), ("no hidden layer", 5, ())):
        x = rng.normal(rng.integer(3, 6), d)
        found[f"logits, {name}"] = tried(lambda: logits_of(plain_network(student, rng, d, *sizes, d), x))
    return found


FORWARD = Fields({"logits in float64": Close(rtol=1e-10, atol=1e-10)}, default=Close(rtol=1e-3, atol=1e-4))


@question.probe(points=0.5, title="MADE: gradients, equal widths, one example, float64", judge=FORWARD)
def forward_edges(student, rng):
    d = rng.integer(3, 6)
    model, square, deep = (plain_network(student, rng, *widths, d) for widths in ((d, 20), (d, d, d), (d, 12, d, 10)))
    x, factor = rng.normal(6, d), rng.normal(6, d)
    return {
        "gradient by the first weight": attempt(gradient_by_first, model, x, factor),
        "gradient by the first weight, three hidden layers, in evaluation mode": attempt(gradient_by_first, deep.eval(), x, factor),
        "logits of layers as wide as the input": attempt(square, x),
        "logits of one example": attempt(model, x[:1]),
        "logits of large inputs": attempt(model, 100 * x),
        "logits of zeros and ones, in evaluation mode": attempt(lambda: model.eval()(rng.bernoulli(6, d))),
        "logits in float64": attempt(lambda: copy.deepcopy(model).double()(x.double())),
        "x afterwards": x,
    }


def distribution_orders(rng):
    """Orders of the networks of `distribution`, and their hidden layers; drawn first."""
    return {
        "one hidden layer": (proper_order(rng, 6), (20,)),
        "two hidden layers": (torch.arange(5, device=rng.device), (20, 16)),
        "no hidden layer": (proper_order(rng, 5), ()),
    }


def distribution_judge(evidence, expected, context):
    """probabilities sum to one, no logit changes with a later bit, and all logits agree with the reference's"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, (order, _) in distribution_orders(context.rng()).items():
        got, want = evidence[key], expected[key]
        if isinstance(got, str):
            return f"{key}: {got}"
        if np.shape(got) != want.shape or np.asarray(got).dtype.kind != "f":
            return Fields(default=Close())(evidence, expected, context)
        got, order, bits = np.asarray(got, dtype=float), order.cpu().numpy(), strings(len(order)).numpy()
        if not np.isfinite(got).all():
            return f"{key}: a logit is not finite."
        flipped = np.arange(len(bits))[:, None] ^ (1 << np.arange(len(order)))  # the row with bit j flipped
        changes = np.abs(got[flipped] - got[:, None]).max(0).T  # (output, flipped input)
        leaks = np.triu(changes[order][:, order]) > 1e-4
        if leaks.any():
            late, early = (int(k) for k in np.argwhere(leaks)[0][::-1])
            which = "its own bit" if late == early else f"the bit of dimension {order[late]}, which comes later"
            return f"{key}, order {order.tolist()}: the logit of dimension {order[early]} changes with {which}."
        total = float(np.exp(-np.logaddexp(0, np.where(bits > 0, -got, got)).sum(1)).sum())
        if abs(total - 1) > 1e-3:
            return f"{key}: the probabilities of all 2^{len(order)} binary vectors sum to {total:.4g}, not to 1."
    return Fields(default=Close(rtol=1e-3, atol=1e-3))(evidence, expected, context)


def filled_made(model, layers):
    """A MADE with these weights and biases."""
    for layer, (weight, bias) in zip(model.layers, layers):
        layer_with(layer, weight, bias)
    return model


@question.probe(points=0.5, title="a whole MADE: sums to one, and no logit sees a later bit", judge=distribution_judge)
def distribution(student, rng):
    found = {}
    cases = distribution_orders(rng)
    degrees = {key: [1 + rng.permutation(n) % (len(order) - 1) for n in sizes] for key, (order, sizes) in cases.items()}
    layers = {
        key: [weights_for(rng, *pair, 0.7) for pair in pairwise((len(order), *sizes, len(order)))]
        for key, (order, sizes) in cases.items()
    }
    for key, (order, _) in cases.items():
        model = fill(student.raw.MADE(order, degrees[key]), rng, 0.7)
        found[key] = tried(lambda: logits_of(filled_made(model, layers[key]), strings(len(order), rng.device)))
    return found


# --- drawing --------------------------------------------------------------------------------------------------------


class Ordered(nn.Module):
    """Whole-numbered logits, linear in the dimensions that come before in the order. Each depends clearly on the one before."""

    def __init__(self, rng, order):
        super().__init__()
        d = len(order)
        weight = rng.integers(-3, 4, d, d) * rng.bernoulli(d, d, p=min(1.0, 2 / d))
        if d > 1:
            weight.diagonal(-1).copy_((2 * rng.bernoulli(d - 1) - 1) * rng.integers(2, 4, d - 1))
        self.register_buffer("order", order.clone())
        self.weight, self.bias = nn.Parameter(weight.tril(-1)), nn.Parameter(rng.integers(-1, 2, d).float())

    def forward(self, x):
        steps = x[:, self.order] @ self.weight.T + self.bias
        return torch.zeros_like(steps).index_copy(1, self.order, steps)


def drawing(rng, n, order, known=0.0, start=0.0):
    """(model, x, known, uniforms); no uniform number is near a probability, so that rounding cannot change a bit."""
    d = len(order)
    model, mask = Ordered(rng, order), rng.bernoulli(n, d, p=known) > 0
    x = torch.where(mask, rng.bernoulli(n, d), start * torch.ones(n, d, device=rng.device))
    return model.to(rng.device), x, mask, torch.sigmoid(rng.integers(-4, 4, n, d) + 0.5)


def ordinary_drawings(rng):
    """Drawn from nothing and completed."""
    d = rng.integer(5, 8)
    return {
        "from nothing": drawing(rng, rng.integer(9, 12), proper_order(rng, d)),
        "with known entries": drawing(rng, rng.integer(9, 12), proper_order(rng, d), known=0.4),
        "in the order 0, 1, 2, …": drawing(rng, rng.integer(9, 12), torch.arange(d, device=rng.device), known=0.2),
    }


def tied(rng):
    """Many logits are exactly 0 and many uniform numbers exactly 0.5."""
    model, x, mask, uniforms = drawing(rng, 8, proper_order(rng, 6))
    with torch.no_grad():
        model.bias.zero_()
        model.weight[:3] = 0
    return model, x, mask, torch.where(rng.bernoulli(8, 6, p=0.7) > 0, 0.5, uniforms)


def in_float64(rng):
    """Uniform numbers 1e-9 below and above their probability."""
    model, x, mask, _ = drawing(rng, 2, proper_order(rng, 6))
    model, near = model.double(), rng.uniform(6, low=0.2, high=0.8, dtype=torch.float64)
    near[:2] = rng.uniform(2, low=0.53, high=0.6, dtype=torch.float64)  # logits between 0 and u
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.logit(near))
    uniforms = torch.stack([near - 1e-9, near + 1e-9])
    return model, x.double(), mask, torch.zeros_like(uniforms).index_copy(1, model.order, uniforms)


def unlikely(rng):
    """Probabilities near 0 and 1, and uniform numbers on both sides of them."""
    model, x, mask, _ = drawing(rng, 8, proper_order(rng, 5))
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor([10.0, -10.0, 20.0, -20.0, 4.0], device=rng.device)[rng.permutation(5)])
    edges = torch.tensor([1e-8, 5e-7, 2e-5, 7e-5, 1 - 7e-5, 1 - 2e-5, 1 - 5e-7, 0.97], device=rng.device)
    return model, x, mask, torch.stack([edges[rng.permutation(8)] for _ in range(5)], 1)


def edge_drawings(rng):
    """Where a wrong reordering, or a loop of one's own, goes wrong."""
    d = rng.integer(5, 7)
    last = drawing(rng, 8, proper_order(rng, d), known=1.0)
    last[2][:, last[0].order[-1]] = False  # all is known but what is drawn last
    upper = drawing(rng, 8, torch.arange(d, device=rng.device).flip(0), start=0.0)
    upper[2][:, d // 2 :] = True
    return {
        "as many examples as dimensions": drawing(rng, d, proper_order(rng, d), known=0.3),
        "the last dimension first, the later half known": (upper[0], rng.bernoulli(8, d) * upper[2], *upper[2:]),
        "all known but what is drawn last": last,
        "unknown entries hold 7": drawing(rng, 8, proper_order(rng, d), known=0.4, start=7.0),
        "everything known": drawing(rng, 4, proper_order(rng, d), known=1.0),
        "many dimensions": drawing(rng, 3, proper_order(rng, 11), known=0.2),
        "one example": drawing(rng, 1, proper_order(rng, 8), known=0.3),
        "one dimension": drawing(rng, 10, torch.zeros(1, dtype=torch.long, device=rng.device)),
        "u equals the probability": tied(rng),
        "unlikely bits": unlikely(rng),
        "float64, u within 1e-9 of the probability": in_float64(rng),
    }


def drawn(student, cases):
    """For each case the samples, and the places of each example's ones added up, which tell more at a glance."""
    found = {}
    for number, (key, (model, *rest)) in enumerate(cases.items()):
        model.train(number % 2 == 0)
        answer = tried(lambda: tensor_of(student.made_sample(model, *rest), "the answer"))
        found[f"{key}: samples"] = found[f"{key}: places of the ones, added up"] = answer
        if isinstance(answer, torch.Tensor) and answer.shape == rest[0].shape:
            places = torch.arange(1.0, 1 + answer.shape[1], dtype=torch.float64, device=answer.device)
            found[f"{key}: places of the ones, added up"] = answer.detach().double() @ places
    models = [model for model, *_ in cases.values()]
    found["autograd afterwards"] = [
        float(torch.is_grad_enabled()), sum(float(p.requires_grad) for model in models for p in model.parameters())
    ]
    found["modes of the models afterwards"] = [10.0 * model.training + number for number, model in enumerate(models)]
    found["numbers in the models afterwards, added up"] = [
        sum(float(p.detach().abs().sum()) for p in model.parameters()) + float(model.order @ model.order.flip(0)) for model in models
    ]
    torch.set_grad_enabled(True)
    return found


def misdrawn(samples, model, x, known, uniforms):
    """What is wrong with the first wrong bit, in the order in which they are drawn; None if all are right."""
    got = torch.from_numpy(samples).to(x)
    with torch.no_grad():
        p_one = torch.sigmoid(model(got).double())
    changed, wrong = known & (got != x), ~known & (got != (uniforms.double() < p_one))
    if changed.any():
        return "a known entry has been changed."
    for step, i in enumerate(model.order.tolist()):
        if not wrong[:, i].any():
            continue
        n = int(wrong[:, i].nonzero()[0])
        u, p, bit = float(uniforms[n, i]), float(p_one[n, i]), int(got[n, i])
        if u == p:
            return f"u and σ(a) are both {u:.4g}, so u < σ(a) is false and the bit is 0, but it is {bit}."
        if abs(u - p) < 2e-9:
            return "in float64 a bit is wrong whose u is 1e-9 from its probability: something is rounded to float32."
        return (
            f"order {model.order.tolist()}, step {step}: dimension {i} of example {n} has u = {u:.5g} and σ(a) = "
            f"{p:.5g} given the dimensions before it, so it is {1 - bit}, but it is {bit} here."
        )
    return None


def walked_samples(evidence, expected, cases, context):
    """The first situation that is wrong, and in it the first bit, in words; True if there is none."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, (model, x, known, uniforms) in cases.items():
        got = evidence[f"{key}: samples"]
        if isinstance(got, str):
            return f"{key}: {got}"
        got = np.asarray(got)
        if f"torch.{got.dtype}" != str(x.dtype):
            return f"{key}: the samples have type {got.dtype}; they are expected in the type of x, {x.dtype}."
        problem = not_bits(got, tuple(x.shape)) or misdrawn(got, model, x, known, uniforms)
        if problem:
            return f"{key}: {problem}"
    on, count = evidence["autograd afterwards"]
    if not on:
        return "autograd stays switched off for everything that follows."
    if count != expected["autograd afterwards"][1]:
        return "afterwards the parameters of the model no longer require gradients."
    modes = "modes of the models afterwards"
    if not Close()(evidence[modes], expected[modes], context).passed:
        return "afterwards the model is not in the mode (training or evaluation) that it was in before."
    left = "numbers in the models afterwards, added up"
    if not Close()(evidence[left], expected[left], context).passed:
        return "the parameters or the order of the model have changed."
    return True


def ordinary_samples(evidence, expected, context):
    """each unknown bit is 1 exactly if its u is below its probability, given the dimensions before it in the order"""
    return walked_samples(evidence, expected, ordinary_drawings(context.rng()), context)


def edge_samples(evidence, expected, context):
    """as in the public probe; the models are left as they were"""
    return walked_samples(evidence, expected, edge_drawings(context.rng()), context)


@question.probe(points=0.5, title="made_sample: draws and completes", judge=ordinary_samples, public=True)
def samples(student, rng):
    return drawn(student, ordinary_drawings(rng))


@question.probe(points=1.5, title="made_sample: known entries anywhere, orders, ties, float64", judge=edge_samples)
def sample_edges(student, rng):
    return drawn(student, edge_drawings(rng))
