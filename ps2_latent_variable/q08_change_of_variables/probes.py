"""Question 8: coupling layers, actnorm, rational-quadratic splines, and the log-density of a flow."""

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import AnswerError, attempt, gradient, tensor_of, tried, two_of

from ..shared.flows import back, both, forwards, inverse_gradients, layer_gradients, unchanged

question = Question(
    title="Change of variables",
    skills=["2.23", "2.24", "2.28", "2.37"],
    uses=["train"],
    lecture="normalising flows",
    run_seconds=16,
    aim="Make densities from invertible layers, and check every log-determinant against autograd's Jacobian.",
    hints={
        "AffineCoupling": (
            "When z is known and x is not: which inputs of the network do you have all the same?",
            "D = 2, keep x_1 = 1, log_scale = log 3 and shift = 1: (1, 2) becomes (1, 7), and the log-determinant is "
            "log 3. What must (1, 7) become again?",
            "The network sees x times the mask, both ways. `torch.where` puts the kept numbers back. Which of the "
            "network's log-scales do not belong into the sum?",
        ),
        "ActNorm": (
            "Mean and variance of x e^a + b, if x has mean m and variance σ²? Set them to 0 and 1.",
            "One dimension, batch 1, 3: m = 2 and σ = 1, so a = 0 and b = -2. And for the batch 2, 6?",
            "Under `torch.no_grad()` copy numbers into the parameters (`copy_`), so that they stay the same parameters. "
            "Every example has the same log-determinant: how do you give N of them?",
        ),
        "ChannelMix": (
            "A picture of one place: which matrix is the Jacobian? And of two places, side by side?",
            "C = 2, W = ((2, 0), (0, 3)), four places: four 2s and four 3s on the diagonal, so the log-determinant is 4 log 6.",
            "`torch.linalg.slogdet` gives log|det| also where the determinant is negative, or too small for a float.",
        ),
        "spline": (
            "At the middle of a bin with s = d_0 = d_1 = 1, what are y and the slope?",
            "With top = s t² + d_0 t(1-t) and the bottom of (8.3), the quotient rule in t, times dt/dx. Try t = 0: your "
            "slope must be d_0.",
            "Compute y and the slope for all x; choose with `torch.where` at the end. Between the "
            "knots means: from the first of xs to the last.",
        ),
        "flow_log_prob": (
            "What does the second layer see: x, or what the first layer made of it?",
            "One layer z = 2x in one dimension, x = 0: log 0.399 + log 2 = -0.226.",
            "Walk through the layers, and keep the log-determinants' sum. The normal density is evaluated once, at the end, "
            "and summed over dimensions.",
        ),
    },
    ambiguities=[
        "AffineCoupling, ActNorm and ChannelMix are made with the given `__init__`; helpers and further buffers are free.",
        "AffineCoupling is probed with networks of the grader that look at all they are given, flow_log_prob with layers "
        "of the grader, and spline with knots of the grader: an error in one of them does not cost the points of another.",
        "The slope of the spline may come from autograd, if the result can be differentiated once more.",
        "The log-determinant of ActNorm must have N entries, as for all layers.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
DIGITS = Close(rtol=1e-12, atol=1e-12)   # of a sum, of which only one part may have been rounded
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is
LOOSE = Close(rtol=1e-3, atol=1e-3)
SPLINE = Fields({"in float64": WIDE, "gradient inside": LOOSE, "gradient outside": LOOSE}, default=Close())


# --- AffineCoupling -----------------------------------------------------------------------------------------------


class Looks(nn.Module):
    """A network with fixed random weights, whose answers depend on everything it is given."""

    def __init__(self, rng, dim, dtype=torch.float32, scale=0.7):
        super().__init__()
        self.inner = nn.Parameter(rng.normal(dim, 8, std=0.6, dtype=dtype))
        self.outer = nn.Parameter(rng.normal(8, 2 * dim, std=scale, dtype=dtype))
        self.level = nn.Parameter(rng.normal(2 * dim, std=0.5, dtype=dtype))

    def forward(self, x):
        if tuple(x.shape[1:]) != (len(self.inner),):
            raise AnswerError(f"the network is given shape {tuple(x.shape)}; it wants all {len(self.inner)} columns")
        return (torch.tanh(x @ self.inner + 0.3) @ self.outer + self.level).chunk(2, -1)


def made(student, rng, mask, dtype=torch.float32, scale=0.7):
    """A coupling layer of the student's around a network of the grader's."""
    mask = torch.tensor(mask, dtype=dtype, device=rng.device)
    return student.raw.AffineCoupling(Looks(rng, len(mask), dtype, scale).to(rng.device), mask)


@question.probe(points=0.5, title="AffineCoupling: there", public=True, judge=TOLD)
def coupling(student, rng):
    four, two = made(student, rng, [1, 0, 0, 1]), made(student, rng, [0, 1])
    return {
        "two dimensions, the second kept": attempt(forwards, two, rng.normal(5, 2)),
        "four dimensions": attempt(forwards, four, rng.normal(3, 4)),
    }


@question.probe(points=0.5, title="AffineCoupling: and back", public=True, judge=TOLD)
def coupling_back(student, rng):
    four, two = made(student, rng, [1, 0, 0, 1]), made(student, rng, [0, 1])
    return {
        "two dimensions, the second kept": attempt(back, two, rng.normal(5, 2)),
        "four dimensions": attempt(back, four, rng.normal(3, 4)),
    }


@question.probe(points=1, title="AffineCoupling: masks, gradients, float64", judge=Fields({"in float64": WIDE, "inverse in float64": WIDE}, default=Close()))
def coupling_edges(student, rng):
    five = made(student, rng, [0, 1, 1, 0, 1])
    wide = made(student, rng, [1, 0, 1], torch.float64)
    everything, nothing = made(student, rng, [1, 1, 1]), made(student, rng, [0, 0, 0])
    strong = made(student, rng, [0, 1, 0], scale=4.0)
    x, z, wide_x, many = rng.normal(4, 5), rng.normal(4, 5), rng.normal(4, 3, dtype=torch.float64), rng.normal(4, 3)
    leaf, weight = rng.normal(6, 5).requires_grad_(), rng.normal(6, 5)
    return {
        "five dimensions": attempt(forwards, five, x),
        "inverse of five dimensions": attempt(back, five, z),
        "as many examples as dimensions": attempt(forwards, strong, many[:3]),
        "one example": attempt(forwards, five, x[:1]),
        "inverse of one example": attempt(back, five, z[:1]),
        "all dimensions kept": attempt(forwards, everything, many),
        "no dimension kept": attempt(forwards, nothing, many),
        "strong scales": attempt(forwards, strong, many),
        "inverse with strong scales": attempt(back, strong, many),
        "gradient of z and the log-determinant": attempt(layer_gradients, five, leaf, weight),
        "gradient of the inverse": attempt(inverse_gradients, five, leaf, weight),
        "in float64": attempt(forwards, wide, wide_x),
        "inverse in float64": attempt(back, wide, wide_x),
        "x afterwards": attempt(unchanged, five, x),
        "z afterwards": attempt(unchanged, five.inverse, z),
    }


# --- ActNorm ------------------------------------------------------------------------------------------------------


def batch_of(rng, n, d, dtype=torch.float32):
    """A batch whose dimensions have means and spreads of their own."""
    return rng.normal(n, d, dtype=dtype) * (0.3 + 3 * rng.uniform(d, dtype=dtype)) + rng.normal(d, std=2.0, dtype=dtype)


def normed(student, rng, dim, dtype=torch.float32):
    """A new actnorm layer on the device."""
    return student.raw.ActNorm(dim).to(rng.device).to(dtype)


@question.probe(points=0.5, title="ActNorm: the first batch, the next, and back", public=True, judge=TOLD)
def actnorm(student, rng):
    layer, first, second = normed(student, rng, 3), batch_of(rng, 6, 3), batch_of(rng, 4, 3)
    return {
        "the first batch": attempt(forwards, layer, first),
        "log_scale after it": tried(lambda: layer.log_scale.detach().clone()),
        "shift after it": tried(lambda: layer.shift.detach().clone()),
        "the next batch": attempt(forwards, layer, second),
        "inverse": attempt(back, layer, second),
    }


def in_evaluation(layer, first, second):
    """A layer whose first batch comes in evaluation mode and without gradients; the second in training mode."""
    layer.eval()
    with torch.no_grad():
        layer(first)
    return forwards(layer.train(), second)


def first_after_inverse(layer, first, second):
    """The first batch of `forward` when `inverse` was called before it, whatever that gave."""
    attempt(layer.inverse, second)
    return forwards(layer, first)


def reloaded(student, rng, layer, batch):
    """A new layer with the state of a used one, and a batch that would initialise it otherwise."""
    other = normed(student, rng, 3)
    other.load_state_dict(layer.state_dict())
    return forwards(other, batch)


def trained(layer, first, second):
    """log_scale and shift after the first batch and two steps of gradient descent, made known to the optimiser before."""
    known = dict(layer.named_parameters())
    for batch in (first, second):
        z, logdet = both(layer, batch)
        loss = (0.5 * z.square().sum(1) - logdet.reshape(-1) + z.sum(1).sin()).mean()
        slopes = gradient("z and the log-determinant", loss, **known)
        with torch.no_grad():
            for p, slope in zip(known.values(), slopes, strict=True):
                p.sub_(0.05 * slope)
    return [layer.log_scale.detach().clone(), layer.shift.detach().clone()]


def set_by_hand(layer, log_scale, shift):
    """A layer that is initialised, with given parameters."""
    with torch.no_grad():
        layer.log_scale.copy_(log_scale), layer.shift.copy_(shift), layer.initialised.fill_(True)
    return layer


@question.probe(points=1.5, title="ActNorm: one initialisation, kept state, gradients", judge=Fields({"in float64": WIDE}, default=Close()))
def actnorm_edges(student, rng):
    first, second, third = batch_of(rng, 7, 3), batch_of(rng, 5, 3), batch_of(rng, 3, 3)
    used = normed(student, rng, 3)
    known = [set_by_hand(normed(student, rng, 3), rng.normal(3), rng.normal(3)) for _ in range(3)]
    leaf, weight = batch_of(rng, 4, 3).requires_grad_(), rng.normal(4, 3)
    tiny = 5e-4 * rng.normal(6, 2)
    wide = batch_of(rng, 6, 2, torch.float64)
    return {
        "the first batch": attempt(forwards, used, first),
        "third batch": tried(lambda: (used(second), forwards(used, third))[1]),
        "one example later": attempt(forwards, used, third[:1]),
        "inverse of one example": attempt(back, used, third[:1]),
        "a later batch in evaluation mode": tried(lambda: forwards(used.eval(), second)),
        "initialised afterwards": tried(lambda: [float(used.initialised), float(used.initialised.numel()), float(len(used.state_dict()))]),
        "after loading": attempt(reloaded, student, rng, used, second),
        "first batch in evaluation mode": attempt(in_evaluation, normed(student, rng, 3), first, second),
        "first batch, after a call of inverse": attempt(first_after_inverse, normed(student, rng, 3), first, second),
        "parameters set by hand": attempt(forwards, known[0], second),
        "inverse of parameters set by hand": attempt(back, known[0], second),
        "gradient with parameters set by hand": attempt(layer_gradients, known[1], leaf, weight),
        "gradient in the first batch": attempt(layer_gradients, normed(student, rng, 3), leaf, weight),
        "parameters after two steps of training": attempt(trained, normed(student, rng, 3), first, second),
        "a first batch of two": attempt(forwards, normed(student, rng, 3), third[:2]),
        "a tiny spread": attempt(forwards, normed(student, rng, 2), tiny),
        "in float64": tried(lambda: [forwards(normed(student, rng, 2, torch.float64), wide * factor) for factor in (1, 1.7, 2.9)]),
        "x afterwards": attempt(unchanged, normed(student, rng, 3), first),
        "z afterwards": attempt(unchanged, known[2].inverse, first),
    }


# --- ChannelMix ---------------------------------------------------------------------------------------------------


def mixer(student, rng, channels, scale=1.0, sign=0, dtype=torch.float32):
    """A 1×1 convolution with a matrix that is far from symmetric, and whose determinant has the sign asked for."""
    weight = scale * (rng.normal(channels, channels, std=0.6, dtype=dtype) + torch.eye(channels, dtype=dtype, device=rng.device).roll(1, 0))
    if sign and float(torch.linalg.slogdet(weight)[0]) != sign:
        weight[0] = -weight[0]
    return student.raw.ChannelMix(weight).to(rng.device)


@question.probe(points=0.5, title="ChannelMix: there and back", public=True, judge=TOLD)
def mixing(student, rng):
    two, three = mixer(student, rng, 2), mixer(student, rng, 3)
    return {
        "two channels": attempt(forwards, two, rng.normal(3, 2, 2, 4)),
        "three channels": attempt(forwards, three, rng.normal(2, 3, 4, 3)),
        "inverse of three channels": attempt(back, three, rng.normal(2, 3, 4, 3)),
    }


def moved(layer, rng, channels):
    """A layer after a step of training: another matrix in the same parameter."""
    with torch.no_grad():
        layer.weight.copy_(layer.weight + 0.5 * rng.normal(channels, channels))
    return layer


@question.probe(points=1, title="ChannelMix: determinants, shapes, gradients, float64", judge=Fields({"in float64": WIDE, "inverse in float64": WIDE}, default=Close()))
def mixing_edges(student, rng):
    four, wide = mixer(student, rng, 4), mixer(student, rng, 3, dtype=torch.float64)
    minus, tiny, single = mixer(student, rng, 3, sign=-1), mixer(student, rng, 12, scale=1e-4), mixer(student, rng, 1, sign=-1)
    used, places = mixer(student, rng, 3), [rng.normal(3, 3, *size) for size in ((2, 5), (4, 1), (1, 3))]
    attempt(forwards, used, places[0]), attempt(back, used, places[0])
    used, wide_x = moved(used, rng, 3), rng.normal(2, 3, 3, 2, dtype=torch.float64)
    leaf, weight = rng.normal(5, 4, 2, 3).requires_grad_(), rng.normal(5, 4, 2, 3)

    def slopes_there():
        z, logdet = both(four, leaf)
        total = (weight * tensor_of(z, "z", weight.shape)).sum() + ((1 + weight[:, 0, 0, 0]) * tensor_of(logdet, "the log-determinant", (5,))).sum()
        return gradient("z and the log-determinant", total, x=leaf, weight=four.weight)

    return {
        "a positive determinant": attempt(forwards, mixer(student, rng, 3, sign=1), rng.normal(4, 3, 2, 3)),
        "a negative determinant": attempt(forwards, minus, rng.normal(4, 3, 2, 3)),
        "a tiny determinant": attempt(forwards, tiny, rng.normal(3, 12, 2, 2)),
        "as many channels as rows and columns": attempt(forwards, four, rng.normal(3, 4, 4, 4)),
        "other sizes of picture": tried(lambda: [forwards(minus, x) for x in places]),
        "one place": attempt(forwards, four, rng.normal(3, 4, 1, 1)),
        "one picture": attempt(forwards, four, rng.normal(1, 4, 2, 3)),
        "one channel": attempt(forwards, single, rng.normal(3, 1, 3, 2)),
        "inverse with a negative determinant": attempt(back, minus, rng.normal(4, 3, 2, 3)),
        "inverse of as many channels as rows and columns": attempt(back, four, rng.normal(3, 4, 4, 4)),
        "inverse of other sizes of picture": tried(lambda: [back(minus, x) for x in places]),
        "inverse of one picture": attempt(back, four, rng.normal(1, 4, 2, 3)),
        "after the weight has changed": attempt(forwards, used, places[0]),
        "inverse after the weight has changed": attempt(back, used, places[0]),
        "gradient of z and the log-determinant": attempt(slopes_there),
        "gradient of the inverse": attempt(inverse_gradients, four, leaf, weight),
        "in float64": tried(lambda: [forwards(each, wide_x) for each in (wide, mixer(student, rng, 3, 0.7, dtype=torch.float64), mixer(student, rng, 3, 1.9, dtype=torch.float64))]),
        "inverse in float64": attempt(back, wide, wide_x),
        "x afterwards": attempt(unchanged, four, rng.normal(3, 4, 2, 2)),
        "z afterwards": attempt(unchanged, four.inverse, rng.normal(3, 4, 2, 2)),
    }


# --- spline -------------------------------------------------------------------------------------------------------


def knots(rng, *shape, bins=4, box=3.0, dtype=torch.float32):
    """Knots in [-box, box] whose bins and slopes differ; the outer slopes are 1."""
    edges = []
    for _ in range(2):
        parts = 0.15 + rng.uniform(*shape, bins, dtype=dtype)
        rising = 2 * box * parts.cumsum(-1) / parts.sum(-1, keepdim=True) - box
        ends = torch.full_like(rising[..., :1], box)
        edges.append(torch.cat([-ends, rising[..., :-1], ends], -1))
    slopes = torch.cat([torch.ones_like(ends), torch.exp(rng.normal(*shape, bins - 1, dtype=dtype)), torch.ones_like(ends)], -1)
    return *edges, slopes


def inside(rng, xs, high=1.0):
    """A random point of the box for each spline."""
    return xs[..., -1] * high * rng.uniform(*xs.shape[:-1], low=-1, dtype=xs.dtype)


def values_of(student, x, *curve):
    """y and log-slope as evidence."""
    y, log_slope = two_of(student.spline(x, *curve), "y", "the log-slope")
    return {"y": tensor_of(y, "y"), "log-slope": tensor_of(log_slope, "the log-slope")}


def spline_gradients(student, x, curve, weight):
    """Gradients of a weighted sum of y and log-slope by x and all knots."""
    leaves = [value.clone().requires_grad_() for value in (x, *curve)]
    y, log_slope = two_of(student.spline(*leaves), "y", "the log-slope")
    total = weight * tensor_of(y, "y", x.shape) + weight.cos() * tensor_of(log_slope, "the log-slope", x.shape)
    return gradient("y and the log-slope", total, **dict(zip(("x", "xs", "ys", "slopes"), leaves)))


def outer_gradients(student, x, curve, weight):
    """Gradients for points outside: by x and by all but the outer knots, which are fixed."""
    by_x, *by_knots = spline_gradients(student, x, curve, weight)
    return [by_x, *(slopes[..., 1:-1] for slopes in by_knots)]


@question.probe(points=1, title="spline: inside and outside", public=True, judge=TOLD)
def spline_values(student, rng):
    curve = knots(rng, 8)
    return {
        "inside": attempt(values_of, student, inside(rng, curve[0]), *curve),
        "outside": attempt(values_of, student, 3 + 3 * rng.uniform(8), *curve),
        "one bin": attempt(values_of, student, inside(rng, knots(rng, 6, bins=1)[0]), *knots(rng, 6, bins=1)),
        "x of two axes": tried(lambda: (lambda each: values_of(student, inside(rng, each[0]), *each))(knots(rng, 3, 2, bins=5))),
    }


@question.probe(points=1.5, title="spline: knots, far outside, gradients, float64", judge=SPLINE)
def spline_edges(student, rng):
    curve, box = knots(rng, 6, bins=5), rng.number(0.8, 1.0)
    xs, ys, slopes = curve
    small = knots(rng, 100, bins=2, box=box)   # many: y rounds to the border or not
    wide = knots(rng, 5, bins=6, dtype=torch.float64)
    flat = knots(rng, 6, bins=3)
    flat = (flat[0], flat[1], torch.cat([flat[2][:, :1], 1e-3 + 0 * flat[2][:, 1:-1], flat[2][:, -1:]], -1))
    out = torch.cat([3.2 + 4 * rng.uniform(3), -3.2 - 4 * rng.uniform(3)])
    weight, single = rng.normal(6), knots(rng, bins=4)
    steep = knots(rng, 6, bins=5)
    steep = (*steep[:2], torch.cat([steep[2][:, :1], 20 * steep[2][:, 1:-1], steep[2][:, -1:]], -1))
    return {
        "inside": attempt(values_of, student, inside(rng, xs), *curve),
        "a small box": attempt(values_of, student, inside(rng, small[0]), *small),
        "outside a small box": attempt(values_of, student, 1.05 * box + rng.uniform(100), *small),
        "left of the box": attempt(values_of, student, out[3:], *(value[3:] for value in curve)),
        "far outside": attempt(values_of, student, 1000 * out, *curve),
        "at inner knots": attempt(values_of, student, xs[:, 2].clone(), *curve),
        "at the first knot": attempt(values_of, student, xs[:, 0].clone(), *curve),
        "at the last knot": attempt(values_of, student, xs[:, -1].clone(), *curve),
        "just inside the box": attempt(values_of, student, 0.999 * xs[:, -1], *curve),
        "nearly flat at the knots": attempt(values_of, student, inside(rng, flat[0]), *flat),
        "steep at the knots": attempt(values_of, student, inside(rng, steep[0]), *steep),
        "a single number": attempt(values_of, student, inside(rng, single[0]), *single),
        "three axes": tried(lambda: (lambda each: values_of(student, inside(rng, each[0], 1.4), *each))(knots(rng, 2, 3, 2))),
        "gradient inside": attempt(spline_gradients, student, inside(rng, xs), curve, weight),
        "gradient outside": tried(lambda: outer_gradients(student, out, steep, weight)),
        "in float64": attempt(values_of, student, inside(rng, wide[0], 1.2), *wide),
        "x afterwards": attempt(unchanged, lambda x: student.raw.spline(x, *curve), inside(rng, xs, 1.5)),
    }


# --- flow_log_prob ------------------------------------------------------------------------------------------------


class Mixed(nn.Module):
    """A layer of the grader: a matrix, then a bend in each dimension; its log-determinant depends on x."""

    def __init__(self, rng, dim, dtype=torch.float32):
        super().__init__()
        self.matrix = nn.Parameter(rng.normal(dim, dim, std=0.3, dtype=dtype) + torch.eye(dim, dtype=dtype, device=rng.device))
        self.shift = nn.Parameter(rng.normal(dim, dtype=dtype))

    def forward(self, x):
        y = x @ self.matrix.T + self.shift
        logdet = torch.linalg.slogdet(self.matrix)[1] + torch.log(1 + 0.5 * y.cos()).sum(1)
        return y + 0.5 * y.sin(), logdet


class Stretch(nn.Module):
    """A layer of the grader as actnorm is: one log-determinant, seen N times."""

    def __init__(self, rng, dim):
        super().__init__()
        self.log_scale = nn.Parameter(rng.normal(dim))

    def forward(self, x):
        return x * self.log_scale.exp(), self.log_scale.sum().expand(len(x))


def density_gradients(student, layers, x, weight):
    """Gradients of a weighted sum of log-densities."""
    total = weight * tensor_of(student.flow_log_prob(layers, x), "the log-density", weight.shape)
    return gradient("the log-density", total, x=x, **{name.replace(".", "_"): p for name, p in layers.named_parameters()})


def density_of(student, layers, x):
    """The log-densities as evidence."""
    return tensor_of(student.flow_log_prob(layers, x), "the log-density")


@question.probe(points=0.5, title="flow_log_prob: one layer, two layers", public=True, judge=TOLD)
def density(student, rng):
    layers = nn.ModuleList([Mixed(rng, 2), Mixed(rng, 2)])
    return {
        "one layer": attempt(density_of, student, layers[:1], rng.normal(5, 2)),
        "two layers": attempt(density_of, student, layers, rng.normal(4, 2)),
        "two layers in a list, three dimensions": attempt(density_of, student, [Mixed(rng, 3), Mixed(rng, 3)], rng.normal(4, 3)),
    }


@question.probe(points=1.5, title="flow_log_prob: more layers, none, gradients, float64", judge=Fields({"in float64": DIGITS}, default=Close()))
def density_edges(student, rng):
    layers, wide = nn.ModuleList([Mixed(rng, 4) for _ in range(3)]), [Mixed(rng, 3, torch.float64) for _ in range(2)]
    leaf, weight = rng.normal(5, 4).requires_grad_(), rng.normal(5)
    before = [float(len(layers)), *[float(p.detach().double().sum()) for p in layers.parameters()]]
    found = {
        "three layers": attempt(density_of, student, layers, rng.normal(6, 4)),
        "as many examples as dimensions": attempt(density_of, student, layers, rng.normal(4, 4)),
        "no layer": attempt(density_of, student, [], rng.normal(5, 3)),
        "one example": attempt(density_of, student, layers, rng.normal(1, 4)),
        "one dimension": attempt(density_of, student, [Mixed(rng, 1)], rng.normal(5, 1)),
        "layers like ActNorm": attempt(density_of, student, [Stretch(rng, 3), Mixed(rng, 3), Stretch(rng, 3)], rng.normal(5, 3)),
        "far away": attempt(density_of, student, layers, 100 * rng.normal(4, 4)),
        "gradient": attempt(density_gradients, student, layers, leaf, weight),
        "in float64": attempt(density_of, student, wide, rng.normal(4, 3, dtype=torch.float64)),
        "x afterwards": attempt(unchanged, lambda x: student.raw.flow_log_prob(layers, x), rng.normal(3, 4)),
    }
    after = [float(len(layers)), *[float(p.detach().double().sum()) for p in layers.parameters()]]
    return found | {"layers afterwards": [b - a for a, b in zip(before, after, strict=True)] if len(before) == len(after) else "the layers have changed."}
