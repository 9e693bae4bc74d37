"""Question 9: masked autoregressive flows, their two ways round, and one step of denoising."""

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import AnswerError, attempt, gradient, tensor_of, tried

from ..shared.flows import back, forwards, inverse_gradients, layer_gradients, unchanged

question = Question(
    title="Autoregressive flows",
    skills=["2.27", "2.38"],
    uses=["flow_log_prob", "ActNorm", "train"],
    lecture="masked and inverse autoregressive flows",
    run_seconds=50,
    manual_points=3,
    rubric=[
        "1 point: (a) z_i of the second layer is again linear in x_i, with offset and scale that depend on x_<i only (the first layer's u_<i are functions of x_<i), "
        "so all conditionals stay Gaussian: a single layer has them already.",
        "1 point: (b) in the reversed layer x_1 is scaled and shifted by functions of later dimensions, so the composition has the form (9.1) in no order and "
        "conditionals become non-Gaussian.",
        "1 point: (c) IAF: drawing takes one call, and the density of one's own draw needs no inversion because its noise is known; D calls would be needed only for "
        "a given z. Half a point for 'IAF draws in one call' alone.",
    ],
    aim="Read an autoregressive model as a layer, turn it round in order and in direction, and see which stack gains anything.",
    hints={
        "MAF": (
            "Which of the two directions knows all x_{<i} at once?",
            "Two dimensions, m_1 = a_1 = a_2 = 0 and m_2 = 2 x_1. Walk from z = (1, 0.5) to x. What must the network see before "
            "you can compute x_2?",
            "Begin with zeros. In step i call the network on the x found so far, take its column i only, and write one column "
            "of x. The zeros after it do no harm: why?",
        ),
        "Reversed": (
            "What does a log-determinant do when dimensions are permuted?",
            "Three dimensions: (a, b, c) goes into the inner layer as (c, b, a). Where must its result for a end up?",
            "`flip(1)` is its own inverse. Flip what goes in and what comes out; in both directions.",
        ),
        "Inverted": (
            "The inner layer says by how much *it* enlarges a volume from its input to its output. You go the other way.",
            "Inner layer z = 2x: its log-determinant is log 2. `Inverted` maps 2 to 1, with log-determinant -log 2.",
            "`forward` needs the inner layer twice: its `inverse` for the value, then its `forward` on that value.",
        ),
        "denoise": (
            "Log-densities of different examples do not depend on each other. So what is the gradient of their sum?",
            "Without layers p is a standard normal, its gradient -y: (9.2) gives y (1 - σ²).",
            "Make a copy of y that requires gradients. `torch.autograd.grad` returns a gradient and leaves every `.grad` alone, "
            "`backward` does not.",
        ),
    },
    ambiguities=[
        "All layers are probed with networks and layers of the grader, so an error in one class does not cost another's points.",
        "MAF.inverse may repeat x = z e^a + m on all columns D times: then column i is right after i steps.",
        "Whether MAF.inverse, and with it Inverted.forward, keeps a graph is free. denoise uses the student's flow_log_prob; it is asked again with the "
        "reference's.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


class Causal(nn.Module):
    """A network whose column i depends on the columns before i only; it counts its calls."""

    def __init__(self, rng, dim, dtype=torch.float32, scale=0.6):
        super().__init__()
        self.weight = nn.Parameter(rng.normal(2, dim, dim, std=scale, dtype=dtype))
        self.bias = nn.Parameter(rng.normal(2, dim, std=0.5, dtype=dtype) * torch.tensor([[1.0], [0.4]], dtype=dtype, device=rng.device))
        self.calls = 0

    def forward(self, x):
        if tuple(x.shape[1:]) != (len(self.bias[0]),):
            raise AnswerError(f"the network is given shape {tuple(x.shape)}; it wants all {len(self.bias[0])} columns")
        self.calls += 1
        mean, raw = (torch.sin(x + 0.4) @ self.weight.tril(-1).transpose(1, 2) + self.bias[:, None]).unbind(0)
        return mean + 0.5, 1.5 * torch.tanh(raw)


class Steps(nn.Module):
    """A layer of the grader that is autoregressive, both ways; it counts how it is called."""

    def __init__(self, rng, dim, dtype=torch.float32):
        super().__init__()
        self.causal = Causal(rng, dim, dtype)
        self.counts = [0, 0]

    def forward(self, x):
        self.counts[0] += 1
        mean, log_std = self.causal(x)
        return mean + x * log_std.exp(), log_std.sum(1)

    def inverse(self, z):
        self.counts[1] += 1
        x = torch.zeros_like(z)
        for i in range(z.shape[1]):
            mean, log_std = self.causal(x)
            x = torch.cat([x[:, :i], ((z - mean) * torch.exp(-log_std))[:, i : i + 1], x[:, i + 1 :]], 1)
        return x


# --- MAF ----------------------------------------------------------------------------------------------------------


def maf(student, rng, dim, dtype=torch.float32, scale=0.6):
    """A student's layer around a network of the grader's."""
    return student.raw.MAF(Causal(rng, dim, dtype, scale).to(rng.device))


@question.probe(points=0.5, title="MAF: to the latent, and back", public=True, judge=TOLD)
def layer(student, rng):
    two, four = maf(student, rng, 2), maf(student, rng, 4)
    return {
        "two dimensions": attempt(forwards, two, rng.normal(5, 2)),
        "four dimensions": attempt(forwards, four, rng.normal(3, 4)),
        "inverse, two dimensions": attempt(back, two, rng.normal(5, 2)),
        "inverse, four dimensions": attempt(back, four, rng.normal(3, 4)),
    }


def calls(student, rng, dim):
    """How often the network is called: forwards, and backwards (up to D calls count as D)."""
    layer = maf(student, rng, dim)
    layer(rng.normal(3, dim))
    there, layer.net.calls = layer.net.calls, 0
    layer.inverse(rng.normal(3, dim))
    return [float(there), float(max(layer.net.calls, dim))]


def autograd_after(layer, z):
    """Whether autograd is on after an inverse; if not, in words, and it is switched on again."""
    layer.inverse(z)
    on = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    return 1.0 if on else "autograd stays switched off for everything that follows."


@question.probe(points=1.5, title="MAF: calls of the network, gradients, float64", judge=Fields({"in float64": WIDE, "inverse in float64": WIDE}, default=Close()))
def layer_edges(student, rng):
    six, one, wide = maf(student, rng, 6), maf(student, rng, 1), maf(student, rng, 3, torch.float64)
    strong, three = maf(student, rng, 5, scale=2.0), maf(student, rng, 3)
    leaf, weight = rng.normal(4, 6).requires_grad_(), rng.normal(4, 6)
    return {
        "autograd after the inverse": tried(lambda: autograd_after(one, rng.normal(3, 1))),
        "six dimensions": attempt(forwards, six, 2 * rng.normal(4, 6)),
        "inverse, six dimensions": attempt(back, six, 2 * rng.normal(4, 6)),
        "as many examples as dimensions": attempt(forwards, six, rng.normal(6, 6)),
        "inverse of as many examples as dimensions": attempt(back, six, rng.normal(6, 6)),
        "one example": attempt(forwards, six, rng.normal(1, 6)),
        "inverse of one example": attempt(back, six, rng.normal(1, 6)),
        "one dimension": attempt(forwards, one, rng.normal(4, 1)),
        "inverse, one dimension": attempt(back, one, rng.normal(4, 1)),
        "strong dependence": attempt(forwards, strong, rng.normal(4, 5)),
        "inverse, strong dependence": attempt(back, strong, rng.normal(4, 5)),
        "inverse without gradients": tried(lambda: torch.no_grad()(back)(three, rng.normal(4, 3))),
        "gradient": attempt(layer_gradients, six, leaf, weight),
        "in float64": attempt(forwards, wide, rng.normal(4, 3, dtype=torch.float64)),
        "inverse in float64": attempt(back, wide, rng.normal(4, 3, dtype=torch.float64)),
        "calls of the network for 3 and 5 dimensions": tried(lambda: [calls(student, rng, 3), calls(student, rng, 5)]),
        "x afterwards": attempt(unchanged, six, rng.normal(3, 6)),
        "z afterwards": attempt(unchanged, three.inverse, rng.normal(4, 3)),
    }


# --- Reversed and Inverted ----------------------------------------------------------------------------------------


@question.probe(points=0.5, title="Reversed: there and back", public=True, judge=TOLD)
def turned_order(student, rng):
    two, three = (student.raw.Reversed(Steps(rng, d).to(rng.device)) for d in (2, 3))
    return {
        "two dimensions": attempt(forwards, two, rng.normal(5, 2)),
        "three dimensions": attempt(forwards, three, rng.normal(3, 3)),
        "inverse, two dimensions": attempt(back, two, rng.normal(5, 2)),
        "inverse, three dimensions": attempt(back, three, rng.normal(4, 3)),
    }


@question.probe(points=1, title="Reversed: more dimensions, gradients, float64", judge=Fields({"in float64": WIDE, "inverse in float64": WIDE}, default=Close()))
def turned_order_edges(student, rng):
    make = student.raw.Reversed
    five, wide = make(Steps(rng, 5).to(rng.device)), make(Steps(rng, 3, torch.float64).to(rng.device))
    leaf, weight = rng.normal(4, 5).requires_grad_(), rng.normal(4, 5)
    return {
        "five dimensions": attempt(forwards, five, rng.normal(4, 5)),
        "inverse, five dimensions": attempt(back, five, rng.normal(4, 5)),
        "as many examples as dimensions": attempt(forwards, five, rng.normal(5, 5)),
        "one example": attempt(forwards, five, rng.normal(1, 5)),
        "inverse of one example": attempt(back, five, rng.normal(1, 5)),
        "gradient": attempt(layer_gradients, five, leaf, weight),
        "gradient of the inverse": tried(lambda: gradient("the inverse", weight * five.inverse(leaf), z=leaf)),
        "in float64": attempt(forwards, wide, rng.normal(4, 3, dtype=torch.float64)),
        "inverse in float64": attempt(back, wide, rng.normal(4, 3, dtype=torch.float64)),
        "x afterwards": attempt(unchanged, five, rng.normal(3, 5)),
    }


@question.probe(points=0.5, title="Inverted: there and back", public=True, judge=TOLD)
def turned_direction(student, rng):
    two, three = (student.raw.Inverted(Steps(rng, d).to(rng.device)) for d in (2, 3))
    return {
        "two dimensions": attempt(forwards, two, rng.normal(5, 2)),
        "three dimensions": attempt(forwards, three, rng.normal(3, 3)),
        "inverse, two dimensions": attempt(back, two, rng.normal(5, 2)),
        "inverse, three dimensions": attempt(back, three, rng.normal(4, 3)),
    }


def inner_calls(student, rng, dim):
    """How often the layer's `inverse` calls the inner layer's two directions."""
    inner = Steps(rng, dim).to(rng.device)
    student.raw.Inverted(inner).inverse(rng.normal(3, dim))
    return [float(count) for count in inner.counts]


@question.probe(points=1, title="Inverted: more dimensions, one call backwards, gradients, float64", judge=Fields({"in float64": WIDE, "inverse in float64": WIDE}, default=Close()))
def turned_direction_edges(student, rng):
    make = student.raw.Inverted
    five, wide = make(Steps(rng, 5).to(rng.device)), make(Steps(rng, 3, torch.float64).to(rng.device))
    leaf, weight = rng.normal(4, 5).requires_grad_(), rng.normal(4, 5)
    return {
        "five dimensions": attempt(forwards, five, rng.normal(4, 5)),
        "inverse, five dimensions": attempt(back, five, rng.normal(4, 5)),
        "one example": attempt(forwards, five, rng.normal(1, 5)),
        "inverse of one example": attempt(back, five, rng.normal(1, 5)),
        "one dimension": attempt(forwards, make(Steps(rng, 1).to(rng.device)), rng.normal(4, 1)),
        "gradient of the inverse": attempt(inverse_gradients, five, leaf, weight),
        "calls of the inner layer's forward and inverse": tried(lambda: [inner_calls(student, rng, d) for d in (2, 3)]),
        "in float64": attempt(forwards, wide, rng.normal(4, 3, dtype=torch.float64)),
        "inverse in float64": attempt(back, wide, rng.normal(4, 3, dtype=torch.float64)),
        "x afterwards": attempt(unchanged, five, rng.normal(3, 5)),
    }


# --- denoise ------------------------------------------------------------------------------------------------------


def result_of(student, layers, y, noise_std):
    """The denoised y as evidence."""
    return tensor_of(student.denoise(layers, y, noise_std), "the result")


@question.probe(points=0.5, title="denoise: one layer, two layers", public=True, judge=TOLD)
def cleaned(student, rng):
    layers = nn.ModuleList([Steps(rng, 3), Steps(rng, 3)]).to(rng.device)
    return {
        "one layer": attempt(result_of, student, layers[:1], rng.normal(5, 3), 0.7),
        "two layers": attempt(result_of, student, layers, rng.normal(4, 3), 0.4),
    }


def flags(student, layers, y):
    """What is left behind: .grad of the parameters, filled before, and whether y, the result and parameters require gradients."""
    kept = []
    layers[1].eval(), layers[2].requires_grad_(False)
    for n, p in enumerate(layers.parameters()):
        p.grad = None if n % 2 else torch.full_like(p, 0.25)
    result = tensor_of(student.raw.denoise(layers, y, 0.5), "the result", y.shape)
    for p in layers.parameters():
        kept.append(torch.full_like(p, 7.0) if p.grad is None else p.grad.clone())
    return {
        "the .grad of the parameters (7: none)": kept,
        "gradients required by y, the result, the parameters": [float(y.requires_grad), float(result.requires_grad), *[float(p.requires_grad) for p in layers.parameters()]],
        "y": y.detach().clone(),
        "layers in training mode, numbered from 2": [float(layer.training) * (n + 2) for n, layer in enumerate(layers)],
    }


def twice(student, layers, y):
    """A y that requires gradients itself and has one: the result, and y's .grad afterwards."""
    leaf = y.clone().requires_grad_()
    leaf.grad = torch.full_like(leaf, 0.5)
    return [tensor_of(student.raw.denoise(layers, leaf, 0.6), "the result").detach(), leaf.grad, tensor_of(student.raw.denoise(layers, (2 * leaf) / 2, 0.6), "the result").detach()]


@question.probe(points=1.5, title="denoise: what is left behind, sizes of the noise, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def cleaned_edges(student, rng):
    layers = nn.ModuleList([Steps(rng, 4), Steps(rng, 4)]).to(rng.device)
    wide = nn.ModuleList([Steps(rng, 3, torch.float64)]).to(rng.device)
    y = rng.normal(5, 4)
    return {
        "strong noise": attempt(result_of, student, layers, y, 2.5),
        "weak noise": tried(lambda: 100 * (tensor_of(student.denoise(layers, y, 0.1), "the result", y.shape) - y)),
        "no noise": attempt(result_of, student, layers, y, 0.0),
        "no layer": attempt(result_of, student, [], y, 0.8),
        "one example": attempt(result_of, student, layers, y[:1], 0.6),
        "as many examples as dimensions": attempt(result_of, student, layers, y[:4], 0.6),
        "left behind": attempt(flags, student, nn.ModuleList([*layers, Steps(rng, 4).to(rng.device)]).train(), y.clone()),
        "y that requires gradients": attempt(twice, student, layers, y),
        "in evaluation mode": attempt(result_of, student, layers.eval(), y, 0.9),
        "in float64": attempt(result_of, student, wide, rng.normal(4, 3, dtype=torch.float64), 0.6),
    }
