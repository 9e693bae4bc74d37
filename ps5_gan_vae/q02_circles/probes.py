"""Question 2: steps of two players, the best damping, R1, and a moving average of a model."""

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import gradient, tensor_of, tried, two_of

question = Question(
    title="Why it turns in circles",
    skills=["5.03", "5.14", "5.37"],
    lecture="generative adversarial networks",
    run_seconds=4,
    aim="See that two descents need not descend, by eigenvalues, and know the cures.",
    hints={
        "game_step": (
            "At which point is each of the two directions taken? And from which point does the step start?",
            "Directions (psi, -theta), both rates 0.1, from (1, 0). Simultaneous: (1, -0.1). Alternating: the critic goes to -0.1, then the generator to 1 + 0.1 · (-0.1) = 0.99.",
            "For the extragradient, call `field` at the trial point, and add what it returns to the old point.",
        ),
        "best_gamma": (
            "Which sign does the number under the root of the eigenvalues have for small γ, and for large γ?",
            "λ² - (trace) λ + det = 0, with trace 2 - η_c γ and det 1 - η_c γ + η_g η_c / 4. For equal rates the root vanishes at γ = 1.",
            "Complex: |λ|² = det falls with γ. Real: the larger λ grows with γ. So the best γ is where they meet.",
        ),
        "r1_penalty": (
            "Of what is the gradient taken, and what must be differentiable afterwards?",
            "A linear critic w·x + b: the gradient is w at each x, so the penalty is |w|², also for a batch of 10. And its gradient by w is 2w.",
            "`torch.autograd.grad` leaves every `.grad` alone, and `create_graph=True` lets its result be differentiated again. Take x without its past.",
        ),
        "update_average": (
            "Which tensors of a module are trained, and which are only kept (as the running mean of a batch norm)?",
            "Average 1, model 3, decay 0.9: then 1.2, then 1.38. Is the number of batches that a batch norm has seen to be averaged?",
            "Autograd need not see this. In-place methods such as `lerp_` or `copy_` keep the parameter objects, which others may hold.",
        ),
    },
    ambiguities=[
        "`game_step` may call `field` as often as it likes; only the new point counts, and its Jacobian.",
        "`best_gamma` may be a closed form or a search, right to 1e-4; a float or a tensor.",
        "`r1_penalty` is asked with critics that look at each sample alone.",
        "`update_average` may loop over parameters or load a state dict; what it returns does not matter. Buffers are part of the state dict.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
SIX = Close(rtol=1e-6, atol=1e-6)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is
METHODS = ("simultaneous", "alternating", "extragradient")


# --- game_step ----------------------------------------------------------------------------------------------------


def some_field(rng, n, m, dtype=torch.float32):
    """Directions of two players with n and m numbers; no two of them alike, and no straight lines."""
    a, b = rng.normal(n, m, dtype=dtype), rng.normal(m, n, dtype=dtype)
    c, d = rng.normal(n, dtype=dtype), rng.normal(m, dtype=dtype)

    def field(theta, psi):
        return a @ torch.tanh(psi) - 0.3 * theta + c, b @ torch.sin(theta) - 0.5 * psi**2 + d

    return field


def played(ask, rng, method, n=2, m=3, lr_g=0.3, lr_c=0.7, dtype=torch.float32):
    """One step from a random point."""
    field = some_field(rng, n, m, dtype)
    return two_of(ask(field, rng.normal(n, dtype=dtype), rng.normal(m, dtype=dtype), lr_g, lr_c, method), "theta", "psi")


@question.probe(points=0.5, title="game_step: one step of each method", public=True, judge=TOLD)
def steps(student, rng):
    return {method: tried(lambda method=method: played(student.game_step, rng, method)) for method in METHODS}


def dirac(gamma):
    """The directions of the Dirac game with R1."""

    def field(theta, psi):
        fake = torch.sigmoid(psi * theta)
        return psi * fake, -theta * fake - gamma * psi

    return field


def stepped(ask, field, point, lr_g, lr_c, method):
    """One step, as a function of both players in one tensor."""
    theta, psi = two_of(ask(field, point[0], point[1], lr_g, lr_c, method), "theta", "psi")
    return torch.stack([tensor_of(theta, "theta", ()), tensor_of(psi, "psi", ())])


def sizes_of_eigenvalues(ask, method, settings):
    """Absolute eigenvalues at rest, by central differences; (lr_g, lr_c, gamma) in each setting."""
    found = []
    for lr_g, lr_c, gamma in settings:
        columns = []
        for i in range(2):
            shift = torch.zeros(2, dtype=torch.float64)
            shift[i] = 1e-4
            ahead, back = (stepped(ask, dirac(gamma), sign * shift, lr_g, lr_c, method) for sign in (1, -1))
            columns.append((ahead - back) / 2e-4)
        matrix = torch.stack(columns, 1).detach()
        found.append(torch.linalg.eigvals(matrix).abs().sort().values if matrix.isfinite().all() else matrix[0])
    return torch.stack(found)


def several(ask, rng, method):
    """Three steps in a row in a field, with all points on the way."""
    field, path = some_field(rng, 2, 3), [(rng.normal(2), rng.normal(3))]
    for _ in range(3):
        path.append(tuple(two_of(ask(field, *path[-1], 0.2, 0.35, method), "theta", "psi")))
    return [list(point) for point in path[1:]]


def jacobian(ask, rng, method):
    """The Jacobian of a step at a random point, by autograd."""
    field = dirac(rng.number(0.2, 0.9))
    point = rng.normal(2, dtype=torch.float64).requires_grad_()
    return torch.stack([gradient("the step", stepped(ask, field, point, 0.3, 0.8, method)[i], point=point)[0] for i in range(2)])


def itself(theta, psi):
    """A game whose directions are the very tensors that come in."""
    return psi, theta


@question.probe(
    points=2.5, title="game_step: eigenvalues on the Dirac game, rates, several steps, gradients, float64",
    judge=Fields(
        {f"{method}, sizes of the eigenvalues": SIX for method in METHODS} | {f"{method}, sizes of the eigenvalues with R1": SIX for method in METHODS}
        | {f"{method}, in float64": WIDE for method in METHODS},
        default=Close(),
    ),
)
def steps_edges(student, rng):
    ask, found = student.game_step, {}
    settings = [(rng.number(0.05, 0.5),) * 2 + (0.0,) for _ in range(2)] + [(0.1, 0.1, 0.0)]
    damped = [(rng.number(0.05, 0.3), rng.number(0.3, 0.6), rng.number(0.2, 1.5)) for _ in range(2)] + [(0.1, 0.1, 0.5)]
    for method in METHODS:
        found |= {
            f"{method}, one step": tried(lambda method=method: played(ask, rng, method)),
            f"{method}, a slow generator": tried(lambda method=method: played(ask, rng, method, 3, 2, 0.05, 0.9)),
            f"{method}, a slow critic": tried(lambda method=method: played(ask, rng, method, 3, 4, 0.8, 0.1)),
            f"{method}, a generator that stands still": tried(lambda method=method: played(ask, rng, method, 2, 4, 0.0, 0.5)),
            f"{method}, a critic that stands still": tried(lambda method=method: played(ask, rng, method, 4, 2, 0.5, 0.0)),
            f"{method}, three steps": tried(lambda method=method: several(ask, rng, method)),
            f"{method}, sizes of the eigenvalues": tried(lambda method=method: sizes_of_eigenvalues(ask, method, settings)),
            f"{method}, sizes of the eigenvalues with R1": tried(lambda method=method: sizes_of_eigenvalues(ask, method, damped)),
            f"{method}, gradient of the new point": tried(lambda method=method: jacobian(ask, rng, method)),
            f"{method}, directions that are the arguments": tried(lambda method=method: two_of(ask(itself, rng.normal(3), rng.normal(3), 0.3, 0.7, method), "theta", "psi")),
            f"{method}, in float64": tried(lambda method=method: played(ask, rng, method, dtype=torch.float64)),
        }
    return found


# --- best_gamma ---------------------------------------------------------------------------------------------------


def gammas(ask, rates):
    """Three answers or so, as numbers."""
    return [float(ask(lr_g, lr_c)) for lr_g, lr_c in rates]


@question.probe(points=0.5, title="best_gamma: three pairs of rates", public=True, judge=TOLD)
def damping(student, rng):
    return {
        "a quicker critic": tried(lambda: gammas(student.best_gamma, [(0.1 * rng.number(0.5, 1), 0.4 * rng.number(0.5, 1)) for _ in range(3)])),
        "equal rates": tried(lambda: gammas(student.best_gamma, [(rate, rate) for rate in (0.05, 0.1, 0.3)])),
    }


@question.probe(points=1.5, title="best_gamma: quick and slow critics, small and large rates", judge=TOLD)
def damping_edges(student, rng):
    ask = student.best_gamma
    return {
        "a quicker critic": tried(lambda: gammas(ask, [(rng.number(0.01, 0.1), rng.number(0.2, 0.5)) for _ in range(4)])),
        "a slower critic": tried(lambda: gammas(ask, [(rng.number(0.2, 0.5), rng.number(0.01, 0.1)) for _ in range(4)])),
        "small rates": tried(lambda: gammas(ask, [(1e-4 * rng.number(1, 9), 1e-3 * rng.number(1, 9)) for _ in range(4)])),
        "large rates": tried(lambda: gammas(ask, [(rng.number(0.5, 0.95), rng.number(0.5, 0.95)) for _ in range(4)])),
    }


# --- r1_penalty ---------------------------------------------------------------------------------------------------


class Curved(nn.Module):
    """A critic with a slope of its own at each x."""

    def __init__(self, rng, inputs, column=False, dtype=torch.float32):
        super().__init__()
        self.first, self.second = (nn.Parameter(rng.normal(*shape, dtype=dtype)) for shape in ((inputs, 4), (4,)))
        self.offset, self.column = nn.Parameter(rng.normal(4, dtype=dtype)), column

    def forward(self, x):
        found = torch.tanh(x.flatten(1) @ self.first + self.offset) @ self.second + 0.7
        return found[:, None] if self.column else found


class Straight(nn.Module):
    """A linear critic."""

    def __init__(self, rng, inputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(rng.normal(inputs)), nn.Parameter(rng.normal(1))

    def forward(self, x):
        return x.flatten(1) @ self.weight + self.bias


@question.probe(points=0.5, title="r1_penalty: linear and curved critics", public=True, judge=TOLD)
def penalties(student, rng):
    return {
        "linear critics": tried(lambda: [student.r1_penalty(Straight(rng, d), rng.normal(n, d)) for n, d in ((5, 3), (2, 4), (7, 2))]),
        "curved critics": tried(lambda: [student.r1_penalty(Curved(rng, d), rng.normal(n, d)) for n, d in ((5, 3), (2, 4), (7, 2))]),
    }


def taught(student, critic, x):
    """Gradients of the penalty by the critic's weights."""
    penalty = tensor_of(student.r1_penalty(critic, x), "the penalty", ())
    return gradient("the penalty", penalty, **dict(critic.named_parameters()))


def left_behind(student, rng, critic, x):
    """Every .grad after a call, where some numbers stood before."""
    leaf = x.clone().requires_grad_()
    leaf.grad = rng.normal(*x.shape)
    for p in critic.parameters():
        p.grad = rng.normal(*p.shape)
    student.r1_penalty(critic, leaf)
    return [torch.zeros(3) if part.grad is None else part.grad for part in (leaf, *critic.parameters())]


def passed_back(student, critic, x):
    """What the penalty passes back to what made x, and the penalty."""
    maker = x.clone().requires_grad_()
    penalty = tensor_of(student.r1_penalty(critic, 2 * maker), "the penalty", ())
    found = torch.autograd.grad(penalty, maker, allow_unused=True)[0] if penalty.requires_grad else None
    return [torch.zeros_like(maker) if found is None else found, penalty]


def still_plain(student, critic, x):
    """x, times 1 if it requires gradients after the call."""
    x = x.clone()
    student.raw.r1_penalty(critic, x)
    return [float(x.requires_grad) * x.detach(), x.detach()]


@question.probe(points=2, title="r1_penalty: pictures, gradients of the critic, what is left behind, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def penalties_edges(student, rng):
    ask = student.r1_penalty
    return {
        "linear critics": tried(lambda: [ask(Straight(rng, d), rng.normal(n, d)) for n, d in ((5, 3), (2, 4), (7, 2))]),
        "curved critics": tried(lambda: [ask(Curved(rng, d), rng.normal(n, d)) for n, d in ((5, 3), (2, 4), (7, 2))]),
        "logits in a column": tried(lambda: [ask(Curved(rng, d, column=True), rng.normal(n, d)) for n, d in ((5, 3), (2, 4), (7, 2))]),
        "pictures": tried(lambda: [ask(Curved(rng, c * h * w, column=True), rng.normal(n, c, h, w)) for n, c, h, w in ((3, 2, 4, 3), (2, 1, 3, 5), (4, 3, 2, 2))]),
        "one sample": tried(lambda: [ask(Curved(rng, d), rng.normal(1, d)) for d in (3, 5, 2)]),
        "one number in each sample": tried(lambda: [ask(Curved(rng, 1), rng.normal(n, 1)) for n in (4, 6, 3)]),
        "as many samples as entries": tried(lambda: [ask(Curved(rng, n), rng.normal(n, n)) for n in (3, 4, 5)]),
        "a steep and a flat critic": tried(lambda: [ask(lambda x, s=s: s * (x**2).sum(1), rng.normal(5, 3)) for s in (40.0, 0.02, 3.0)]),
        "gradient by a curved critic": tried(lambda: taught(student, Curved(rng, 3), rng.normal(4, 3))[:2]),
        "gradient by a curved critic of pictures": tried(lambda: taught(student, Curved(rng, 8, column=True), rng.normal(3, 2, 2, 2))[:2]),
        "what x gets passed back": tried(lambda: passed_back(student, Curved(rng, 3), rng.normal(4, 3))),
        "x, if it requires gradients afterwards": tried(lambda: still_plain(student, Curved(rng, 3), rng.normal(4, 3))),
        "every .grad afterwards": tried(lambda: left_behind(student, rng, Curved(rng, 3), rng.normal(4, 3))),
        "in float64": tried(lambda: [ask(Curved(rng, d, dtype=torch.float64), rng.normal(n, d, dtype=torch.float64)) for n, d in ((5, 3), (2, 4), (7, 2))]),
    }


# --- update_average -----------------------------------------------------------------------------------------------


class Kept(nn.Module):
    """A module with parameters in it and below it, and buffers that are no floats, too."""

    def __init__(self, rng, dtype=torch.float32):
        super().__init__()
        self.scale = nn.Parameter(rng.normal(3, dtype=dtype))
        self.below = nn.Linear(3, 2).to(dtype)
        with torch.no_grad():
            for p in self.below.parameters():
                p.copy_(rng.normal(*p.shape, dtype=dtype))
        self.register_buffer("running", rng.normal(4, dtype=dtype))
        self.register_buffer("count", rng.integers(1, 90, 3))


class Twice(nn.Module):
    """A module that uses one weight at two places."""

    def __init__(self, rng):
        super().__init__()
        self.one, self.two = nn.Linear(2, 3, bias=False), nn.Linear(2, 3, bias=False)
        self.two.weight = self.one.weight
        with torch.no_grad():
            self.one.weight.copy_(rng.normal(3, 2))


def numbers(module):
    """All parameters and buffers."""
    return [part.detach().clone() for part in (*module.parameters(), *module.buffers())]


def averaged(ask, rng, decay, made=Kept, **more):
    """The parameters of an average after one update."""
    average, model = made(rng, **more), made(rng, **more)
    ask(average, model, decay)
    return [part.detach() for part in average.parameters()]


@question.probe(points=0.5, title="update_average: one update, two decays", public=True, judge=TOLD)
def averages(student, rng):
    return {f"decay {decay}": tried(lambda decay=decay: averaged(student.raw.update_average, rng, decay)) for decay in (0.9, 0.5)}


def three_times(ask, rng):
    """An average that follows a model for three updates."""
    average, found = Kept(rng), []
    for _ in range(3):
        ask(average, Kept(rng), 0.8)
        found.append(numbers(average)[:3])
    return found


def objects(ask, rng):
    """What the tensors hold that were the average's before the update."""
    average = Kept(rng)
    held = [*average.parameters(), *average.buffers()]
    ask(average, Kept(rng), 0.7)
    return [part.detach() for part in held]


def model_after(ask, rng):
    """The model after the update."""
    model = Kept(rng)
    ask(Kept(rng), model, 0.7)
    return numbers(model)


def asked_to_train(module):
    """The parameters, the same times 1 where autograd would train them, and their .grad."""
    return [[p.detach(), float(p.requires_grad and p.is_leaf) * p.detach(), torch.zeros(2) if p.grad is None else p.grad] for p in module.parameters()]


def flags(ask, rng, frozen, whose):
    """What an update does to requires_grad and .grad."""
    average, model = Kept(rng).requires_grad_(not frozen), Kept(rng)
    for p in (*average.parameters(), *model.parameters()):
        p.grad = rng.normal(*p.shape)
    ask(average, model, 0.7)
    return asked_to_train(average if whose == "average" else model)


def buffers(ask, rng, decay):
    """The buffers of an average after the update."""
    average, model = Kept(rng), Kept(rng)
    ask(average, model, decay)
    return [part.detach() for part in average.buffers()]


def later(ask, rng):
    """The average after the model went on, in place."""
    average, model = Kept(rng), Kept(rng)
    ask(average, model, 0.6)
    with torch.no_grad():
        for part in (*model.parameters(), *model.buffers()):
            part.add_(5)
    return numbers(average)


@question.probe(points=2, title="update_average: buffers, objects, several updates, shared weights, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def averages_edges(student, rng):
    ask = student.raw.update_average
    return {
        "decay 0.9": tried(lambda: averaged(ask, rng, 0.9)),
        "decay 0.3": tried(lambda: averaged(ask, rng, 0.3)),
        "decay 0": tried(lambda: averaged(ask, rng, 0.0)),
        "decay 1": tried(lambda: averaged(ask, rng, 1.0)),
        "three updates": tried(lambda: three_times(ask, rng)),
        "buffers": tried(lambda: buffers(ask, rng, 0.6)),
        "buffers, decay 1": tried(lambda: buffers(ask, rng, 1.0)),
        "the tensors that the average had before": tried(lambda: objects(ask, rng)),
        "the model afterwards": tried(lambda: model_after(ask, rng)),
        "the average, when the model has gone on": tried(lambda: later(ask, rng)),
        "the average's requires_grad and .grad": tried(lambda: flags(ask, rng, False, "average")),
        "requires_grad and .grad of a frozen average": tried(lambda: flags(ask, rng, True, "average")),
        "the model's requires_grad and .grad": tried(lambda: flags(ask, rng, False, "model")),
        "a weight that is used twice": tried(lambda: [averaged(ask, rng, decay, Twice)[0] for decay in (0.9, 0.4)]),
        "in float64": tried(lambda: averaged(ask, rng, 0.9, dtype=torch.float64)),
    }
