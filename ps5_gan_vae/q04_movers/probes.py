"""Question 4: optimal transport, and critics that measure it."""

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import attempt, entry, gradient, tensor_of, tried, two_of

question = Question(
    title="Earth movers: transport, critics, penalties",
    skills=["5.12", "5.13", "5.16"],
    lecture="Wasserstein GANs",
    run_seconds=25,
    manual_points=3,
    rubric=[
        "1 point: the best unbounded critic separates the two points perfectly for every θ that is not 0, so the divergence is log 2 whatever θ is, and its slope in θ is 0.",
        "1 point: W1 is |θ|, its critic is a line of slope ±1 between the points, and the fake point gets a pull of size 1 towards 0, from any distance.",
        "1 point: without a bound the critic can be multiplied by any number, so the gap has no maximum; with it the gap is a length, the same for each critic.",
    ],
    aim="Compute a distance of transport three ways, know how wrong an answer is without the truth, and see what a bound on a critic's slope is worth.",
    hints={
        "wasserstein_1d": (
            "Who goes where, if nobody overtakes?",
            "{0, 4} to {1, 2, 3}: cut everybody into thirds and halves, or six equal parts: 0 0 0 4 4 4 meets 1 1 2 2 3 3.",
            "Which number of parts fits both N and M? How often does each sample appear among the sorted parts?",
        ),
        "certificate": (
            "g_j has to satisfy one inequality for each i. Which of these is the tightest?",
            "Costs 5 and 3 to the same j, f = 4 and 1: g may be at most 1 by the first, 2 by the second.",
            "The rival's price is the sum of (row sums of P) · f and (column sums of P) · g. Write both as sums over ij of P_ij times something.",
        ),
        "sinkhorn": (
            "In (4.3), what can be taken out of the sum over j?",
            "One column: P_i = exp((f_i + g - c_i)/ε) = a_i. Which f_i? With two columns there is the logarithm of a sum.",
            "`Tensor.logsumexp` along a row of (g - cost)/ε, along a column of (f - cost)/ε. log a and log b belong in, too, and all of it times ε.",
        ),
        "gradient_penalty": (
            "How many slopes has a batch of N? How many numbers has alpha?",
            "real of shape (5, 1, 4, 4): alpha needs shape (5, 1, 1, 1), and the norm of each sample is over 16 numbers.",
            "`torch.autograd.grad` of the sum of the scores by x gives each sample its own gradient. What must be kept to differentiate that again?",
        ),
        "wasserstein_step": (
            "Optimizers go downhill. Which sign has the gap in the loss?",
            "fake = generator(z). After the step of the critic, `generator.weight.grad` must still be None.",
            "Five things in order: old gradients away, loss, backward, step, clip the parameters in place. Which tensor is to be detached?",
        ),
    },
    ambiguities=[
        "`certificate` may compute the difference as one sum or as cost minus price; float32 rounding of either is allowed for.",
        "`gradient_penalty` may add up to 10⁻¹² under the root of the norm, and may or may not cut `real` and `fake` off.",
        "`wasserstein_step` is asked with tensors as penalties that have a graph, and with numbers. Whether gradients are set to None or to zero before is free.",
        "Steps of `sinkhorn` begin with the rows. f is compared as it is, since g starts at 0.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
FINE = Close(rtol=3e-8, atol=3e-8)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


# --- wasserstein_1d -----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="wasserstein_1d: equal and unequal sizes", public=True, judge=TOLD)
def sorted_piles(student, rng):
    return {
        "three pairs of equal size": attempt(student.wasserstein_1d, rng.normal(3, 6), rng.normal(3, 6, mean=0.7)),
        "three pairs of 4 and 6": attempt(student.wasserstein_1d, rng.normal(3, 4), rng.normal(3, 6, std=2)),
        "p = 2": attempt(student.wasserstein_1d, rng.normal(3, 5), rng.normal(3, 5, std=2), 2.0),
    }


def slopes_1d(ask, x, y, p, weight):
    """Gradients of a weighted sum of distances by both samples."""
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    found = tensor_of(ask(x, y, p), "the result", weight.shape)
    return gradient("the result", weight * found, x=x, y=y)


@question.probe(
    points=1, title="wasserstein_1d: sizes, powers, axes, gradients, float64",
    judge=Fields({"in float64": WIDE, "in float64, shifted by 10,000": WIDE, "the same samples in another order": Close(atol=1e-4)}, default=Close()),
)
def sorted_piles_edges(student, rng):
    ask = student.wasserstein_1d
    x = rng.normal(3, 7)
    return {
        "sizes 5 and 3": attempt(ask, rng.normal(4, 5), rng.normal(4, 3, std=2)),
        "sizes 4 and 8": attempt(ask, rng.normal(4, 4), rng.normal(4, 8, std=2)),
        "sizes 9 and 6, p = 3": attempt(ask, rng.normal(4, 9), rng.normal(4, 6, std=2), 3.0),
        "sizes 40 and 41": attempt(ask, rng.normal(3, 40), rng.normal(3, 41, std=2)),
        "one sample against five": attempt(ask, rng.normal(4, 1), rng.normal(4, 5), 2.0),
        "five samples against one": attempt(ask, rng.normal(4, 5), rng.normal(4, 1), 1.5),
        "one against one": attempt(ask, rng.normal(4, 1, std=3), rng.normal(4, 1, std=3), 2.0),
        "without further axes": tried(lambda: [ask(rng.normal(5), rng.normal(5)), ask(rng.normal(4), rng.normal(7), 2.0), ask(rng.normal(6), rng.normal(3), 3.0)]),
        "two further axes": attempt(ask, rng.normal(2, 3, 4), rng.normal(2, 3, 6), 2.0),
        "as many pairs as samples": attempt(ask, rng.normal(4, 4), rng.normal(4, 4)),
        "p = 4": attempt(ask, rng.normal(3, 6, std=2), rng.normal(3, 6, mean=1), 4.0),
        "p = 1.5": attempt(ask, rng.normal(3, 6), rng.normal(3, 4, mean=2), 1.5),
        "equal values among the samples": attempt(ask, rng.integers(-3, 4, 4, 8).float(), rng.integers(-3, 4, 4, 6).float()),
        "far apart": attempt(ask, rng.normal(3, 5, mean=-500, std=90), rng.normal(3, 4, mean=800, std=50), 2.0),
        "very near": tried(lambda: 1e4 * ask(x, x + 1e-3 * rng.uniform(3, 1, low=1, high=3))),
        "the same samples in another order": attempt(ask, x, x[:, rng.permutation(7)]),
        "gradient, p = 1": tried(lambda: slopes_1d(ask, rng.normal(2, 4), rng.normal(2, 6), 1.0, rng.normal(2))),
        "gradient, p = 2": tried(lambda: slopes_1d(ask, rng.normal(2, 5), rng.normal(2, 5), 2.0, rng.normal(2))),
        "in float64": attempt(ask, rng.normal(3, 5, dtype=torch.float64), rng.normal(3, 4, dtype=torch.float64), 3.0),
        "in float64, shifted by 10,000": attempt(ask, 10000 + rng.normal(3, 5, dtype=torch.float64), 10000 + rng.normal(3, 4, dtype=torch.float64)),
    }


# --- certificate --------------------------------------------------------------------------------------------------


def a_plan(rng, n, m, dtype=torch.float32):
    """A plan of mass 1 with unequal sums."""
    return rng.simplex(n * m, dtype=dtype).reshape(n, m)


def both(ask, plan, cost, f):
    """g and the difference, with their shapes seen to."""
    g, gap = two_of(ask(plan, cost, f), "g", "the difference")
    return [tensor_of(g, "g", cost.shape[1:]), tensor_of(gap, "the difference", ())]


@question.probe(points=0.5, title="certificate: any plan, any f", public=True, judge=TOLD)
def certified(student, rng):
    return {
        "4 places to 6": attempt(both, student.certificate, a_plan(rng, 4, 6), rng.uniform(4, 6, high=3), rng.normal(4)),
        "5 places to 3": attempt(both, student.certificate, a_plan(rng, 5, 3), rng.uniform(5, 3, high=3), rng.normal(5)),
    }


def slopes_certificate(ask, plan, cost, f, weight):
    """Gradients of g and the difference, weighted, by all inputs."""
    leaves = [part.clone().requires_grad_() for part in (plan, cost, f)]
    g, gap = both(ask, *leaves)
    return gradient("g and the difference", (weight * g).sum() + gap, plan=leaves[0], cost=leaves[1], f=leaves[2])


def best_of(rng, n):
    """A sorted pile moved to another on the line, and the potentials of |x - y|²/2, which prove that this is best."""
    x = rng.normal(n).sort().values
    y = x + rng.uniform(n, low=1, high=1.5).sort().values
    cost = (x[:, None] - y).square() / 2
    steps = (cost.diagonal(-1) - cost.diagonal()[:-1]).cumsum(0)   # f_i - f_(i-1) is the most that lets g_(i-1) stay
    plan = torch.diag(rng.simplex(n))
    return plan, cost, torch.cat([torch.zeros(1, device=x.device), steps])


@question.probe(points=1, title="certificate: signs, shapes, best plans, gradients, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def certified_edges(student, rng):
    ask = student.certificate
    plan, cost, f = a_plan(rng, 4, 5), rng.uniform(4, 5, high=3), rng.normal(4)
    few = plan * rng.bernoulli(4, 5, p=0.5)
    few[0, 0] = 0.1
    best = best_of(rng, 5)
    return {
        "as many rows as columns": attempt(both, ask, a_plan(rng, 5, 5), rng.uniform(5, 5, high=3), rng.normal(5)),
        "one row": attempt(both, ask, a_plan(rng, 1, 4), rng.uniform(1, 4), rng.normal(1)),
        "one column": tried(lambda: [both(ask, a_plan(rng, 4, 1), rng.uniform(4, 1), rng.normal(4)) for _ in range(2)]),
        "negative costs": attempt(both, ask, plan, cost - 7, f),
        "f = 0": attempt(both, ask, plan, cost, 0 * f),
        "f is larger than all costs": attempt(both, ask, plan, cost, f + 20),
        "f is far below 0": attempt(both, ask, plan, cost, f - 20),
        "a plan that moves along few of the ways": attempt(both, ask, few, cost, f),
        "a plan of mass 3": attempt(both, ask, 3 * plan, cost, f),
        "a plan that uses one row only": attempt(both, ask, plan * (torch.arange(4, device=rng.device) == 2)[:, None], cost, f),
        "the best plan and its f": attempt(both, ask, *best),
        "the best plan, another f": attempt(both, ask, best[0], best[1], best[2] + 0.05 * rng.normal(5)),
        "gradient": tried(lambda: slopes_certificate(ask, plan, cost, f, rng.normal(5))),
        "in float64": attempt(both, ask, a_plan(rng, 6, 4, torch.float64), rng.uniform(6, 4, dtype=torch.float64), rng.normal(6, dtype=torch.float64)),
    }


# --- sinkhorn -----------------------------------------------------------------------------------------------------


def piles(rng, n, m, high=2.0, dtype=torch.float32):
    """Costs and two unequal piles."""
    return rng.uniform(n, m, high=high, dtype=dtype), *((rng.uniform(k, low=0.2, dtype=dtype) + 0.05).softmax(0) for k in (n, m))


def plan_of(ask, cost, a, b, epsilon, steps):
    """The plan and f, with their shapes seen to."""
    plan, f = two_of(ask(cost, a, b, epsilon, steps), "the plan", "f")
    return [tensor_of(plan, "the plan", cost.shape), tensor_of(f, "f", a.shape)]


@question.probe(points=0.5, title="sinkhorn: a few steps", public=True, judge=TOLD)
def smooth_plans(student, rng):
    return {
        "4 places to 6, 3 steps": attempt(plan_of, student.sinkhorn, *piles(rng, 4, 6), 0.5, 3),
        "5 places to 3, 20 steps": attempt(plan_of, student.sinkhorn, *piles(rng, 5, 3), 0.3, 20),
    }


def slopes_sinkhorn(ask, cost, a, b, epsilon, steps, weight):
    """Gradients of the plan and f, weighted, by costs and piles."""
    leaves = [part.clone().requires_grad_() for part in (cost, a, b)]
    plan, f = plan_of(ask, *leaves, epsilon, steps)
    return gradient("the plan", (weight * plan).sum() + f[0], cost=leaves[0], a=leaves[1], b=leaves[2])


@question.probe(
    points=1.5, title="sinkhorn: few and many steps, small epsilon, gradients, float64",
    judge=Fields({"in float64": WIDE, "in float64, costs of thousands of epsilon": Close(rtol=1e-7, atol=1e-7), "costs of thousands of epsilon": Close(rtol=0.02, atol=2e-3),
                  "a very small mass": Close(rtol=1e-3, atol=1e-5)}, default=Close()),
)
def smooth_plans_edges(student, rng):
    ask = student.sinkhorn
    cost, a, b = piles(rng, 5, 4)
    light = a.clone()
    light[1] = 1e-20
    narrow = piles(rng, 4, 5, 5.0, torch.float64)
    return {
        "one step": attempt(plan_of, ask, cost, a, b, 0.4, 1),
        "two steps": attempt(plan_of, ask, *piles(rng, 3, 6), 0.4, 2),
        "200 steps": attempt(plan_of, ask, *piles(rng, 4, 5), 0.2, 200),
        "as many rows as columns": attempt(plan_of, ask, *piles(rng, 5, 5), 0.3, 3),
        "one row": attempt(plan_of, ask, *piles(rng, 1, 4), 0.5, 2),
        "one column": attempt(plan_of, ask, *piles(rng, 4, 1), 0.5, 2),
        "a large epsilon": attempt(plan_of, ask, cost, a, b, 6.0, 2),
        "epsilon = 1": attempt(plan_of, ask, cost, a, b, 1.0, 2),
        "negative costs": attempt(plan_of, ask, cost - 3, a, b, 0.4, 3),
        "large costs and a large epsilon": attempt(plan_of, ask, 50 * cost, a, b, 20.0, 3),
        "costs of thousands of epsilon": attempt(plan_of, ask, *piles(rng, 4, 5, 4.0), 1e-3, 8),
        "a very small mass": tried(lambda: [part[1] * scale for part, scale in zip(plan_of(ask, cost, light / light.sum(), b, 0.3, 4), (1e20, 1.0), strict=True)]),
        "gradient": tried(lambda: slopes_sinkhorn(ask, cost, a, b, 0.5, 3, rng.normal(5, 4))),
        "gradient after one step": tried(lambda: slopes_sinkhorn(ask, *piles(rng, 3, 4), 0.5, 1, rng.normal(3, 4))),
        "in float64": attempt(plan_of, ask, *piles(rng, 4, 3, dtype=torch.float64), 0.3, 5),
        "in float64, costs of thousands of epsilon": attempt(plan_of, ask, *narrow, 1e-3, 12),
    }


# --- critics ------------------------------------------------------------------------------------------------------


class Curved(nn.Module):
    """A small critic with a bend. `fixed` is a buffer, no parameter."""

    def __init__(self, rng, size, column=False, std=1.0, dtype=torch.float32, width=4):
        super().__init__()
        self.inner, self.outer, self.column = nn.Linear(size, width).to(dtype), nn.Linear(width, 1).to(dtype), column
        self.register_buffer("fixed", 2 + rng.uniform(3, dtype=dtype))
        with torch.no_grad():
            for part in self.parameters():
                part.copy_(rng.normal(*part.shape, std=std, dtype=dtype))
        self.to(rng.device)

    def forward(self, x):
        scores = self.outer((self.inner(x.flatten(1))).tanh())
        return scores if self.column else scores[:, 0]


class Straight(Curved):
    """w · x + b."""

    def forward(self, x):
        return x.flatten(1) @ self.inner.weight[0] + self.inner.bias[0]


class Flat(Curved):
    """Flat where the first entry is below 0."""

    def forward(self, x):
        x = x.flatten(1)
        return super().forward(x * (x[:, :1] > 0))


def pair(rng, *shape, dtype=torch.float32):
    """Real and fake samples, and alpha."""
    return rng.normal(*shape, dtype=dtype), rng.normal(*shape, mean=0.5, std=1.5, dtype=dtype), rng.uniform(shape[0], dtype=dtype)


def asked(ask, critic, real, fake, alpha):
    """The penalty of copies, as a scalar."""
    return tensor_of(ask(critic, real.clone(), fake.clone(), alpha.clone()), "the penalty", ())


def three(ask, critic, rng, *shape, dtype=torch.float32):
    """Three penalties of one critic."""
    return [asked(ask, critic, *pair(rng, *shape, dtype=dtype)) for _ in range(3)]


def weight_slopes(ask, critic, real, fake, alpha):
    """Gradients of the penalty by the weights that its slope depends on."""
    value = asked(ask, critic, real, fake, alpha)
    if not value.requires_grad:
        raise AnswerError("the penalty carries no gradient by the critic's weights: it would train nothing")
    weights = [critic.inner.weight, critic.inner.bias, critic.outer.weight]
    found = torch.autograd.grad(value, weights, allow_unused=True)
    if any(part is None for part in found):
        raise AnswerError("some of the critic's weights get no gradient from the penalty")
    return list(found)


def left_grads(ask, critic, real, fake, alpha):
    """What is in .grad after the penalty was computed, where it was planted before."""
    for i, part in enumerate(critic.parameters()):
        part.grad = torch.full_like(part, 0.5 + i)
    asked(ask, critic, real, fake, alpha)
    return [part.grad for part in critic.parameters()]


def away_from_zero(ask, rng):
    """Three penalties at points near 1,000, where the critic has its bend."""
    critic = Curved(rng, 3, dtype=torch.float64)
    with torch.no_grad():
        critic.inner.bias -= 1000 * critic.inner.weight.sum(1)
    return [asked(ask, critic, 1000 + real, 1000 + fake, alpha) for real, fake, alpha in (pair(rng, 4, 3, dtype=torch.float64) for _ in range(3))]


@question.probe(points=0.5, title="gradient_penalty: a curved critic", public=True, judge=TOLD)
def penalties(student, rng):
    critic = Curved(rng, 3)
    return {
        "points with 3 numbers": attempt(three, student.gradient_penalty, critic, rng, 5, 3),
        "its gradient by the critic's weights": attempt(weight_slopes, student.gradient_penalty, critic, *pair(rng, 5, 3)),
    }


@question.probe(points=1.5, title="gradient_penalty: pictures, single samples, flat and steep critics, gradients, float64", judge=Fields({"in float64": FINE, "in float64, around 1,000": FINE, "gradient by the weights, in float64": FINE}, default=Close()))
def penalties_edges(student, rng):
    ask = student.gradient_penalty
    points, pictures = Curved(rng, 3), Curved(rng, 12, std=0.6)
    real, fake, alpha = pair(rng, 6, 3)
    flat_real, flat_fake = real.clone(), fake.clone()
    flat_real[:4, 0], flat_fake[:4, 0] = -real[:4, 0].abs() - 0.1, -fake[:4, 0].abs() - 0.1
    return {
        "a linear critic": tried(lambda: [asked(ask, Straight(rng, 3), *pair(rng, 4, 3)) for _ in range(3)]),
        "a linear critic of small slope": tried(lambda: [asked(ask, Straight(rng, 4, std=0.1), *pair(rng, 3, 4)) for _ in range(3)]),
        "pictures": attempt(three, ask, pictures, rng, 4, 3, 2, 2),
        "as many pictures as columns": attempt(three, ask, pictures, rng, 3, 2, 2, 3),
        "as many pictures as channels": attempt(three, ask, pictures, rng, 3, 3, 2, 2),
        "sequences": attempt(three, ask, pictures, rng, 5, 4, 3),
        "as many points as numbers in each": attempt(three, ask, points, rng, 3, 3),
        "points with one number": attempt(three, ask, Curved(rng, 1), rng, 5, 1),
        "one sample": attempt(three, ask, points, rng, 1, 3),
        "one picture": attempt(three, ask, pictures, rng, 1, 3, 2, 2),
        "scores in a column": attempt(three, ask, Curved(rng, 3, column=True), rng, 5, 3),
        "a steep critic": attempt(three, ask, Curved(rng, 3, std=6), rng, 5, 3),
        "alpha = 1, at the real samples": tried(lambda: [asked(ask, points, real[k:], fake[k:], 0 * alpha[k:] + 1) for k in range(3)]),
        "alpha = 0, at the fake samples": tried(lambda: [asked(ask, points, real[k:], fake[k:], 0 * alpha[k:]) for k in range(3)]),
        "alpha = 0 or 1": tried(lambda: [asked(ask, points, *pair(rng, 5, 3)[:2], rng.bernoulli(5)) for _ in range(3)]),
        "all alpha near 1/4": tried(lambda: [asked(ask, points, *pair(rng, 5, 3)[:2], 0.25 + 0.01 * rng.uniform(5)) for _ in range(3)]),
        "a critic that is flat somewhere": attempt(asked, ask, Flat(rng, 3), flat_real, flat_fake, alpha),
        "gradient by the weights": attempt(weight_slopes, ask, Curved(rng, 3), *pair(rng, 5, 3)),
        "gradient by the weights, pictures": attempt(weight_slopes, ask, pictures, *pair(rng, 3, 3, 2, 2)),
        "gradient by the weights, where the critic is flat somewhere": attempt(weight_slopes, ask, Flat(rng, 3), flat_real, flat_fake, alpha),
        "the critic's .grad afterwards": attempt(left_grads, ask, Curved(rng, 3), *pair(rng, 5, 3)),
        "in float64": attempt(three, ask, Curved(rng, 3, dtype=torch.float64), rng, 4, 3, dtype=torch.float64),
        "in float64, around 1,000": attempt(away_from_zero, ask, rng),
        "gradient by the weights, in float64": attempt(weight_slopes, ask, Curved(rng, 3, dtype=torch.float64), *pair(rng, 4, 3, dtype=torch.float64)),
    }


# --- wasserstein_step ---------------------------------------------------------------------------------------------


def weights_of(module):
    """Copies of all parameters and buffers."""
    return [part.detach().clone() for part in (*module.parameters(), *module.buffers())]


def stepped(student, critic, optimizer, *batches, **more):
    """The critic after one step for each pair of batches."""
    for real, fake in batches:
        student.raw.wasserstein_step(critic, optimizer, real.clone(), fake.clone(), **more)
    return weights_of(critic)


def plain(critic, rate=0.2):
    """An optimizer without memory."""
    return torch.optim.SGD(critic.parameters(), rate)


def two_batches(rng, n, m, size=3, dtype=torch.float32):
    """Real and fake samples, perhaps not as many."""
    return rng.normal(n, size, dtype=dtype), rng.normal(m, size, mean=0.5, std=1.5, dtype=dtype)


@question.probe(points=0.5, title="wasserstein_step: with and without clipping", public=True, judge=TOLD)
def steps(student, rng):
    one, two = Curved(rng, 3), Curved(rng, 3, std=0.3)
    return {
        "one step": entry("it", lambda: stepped(student, one, plain(one), two_batches(rng, 5, 5))),
        "two steps, clipped at 0.2": entry("it", lambda: stepped(student, two, plain(two), two_batches(rng, 5, 5), two_batches(rng, 5, 5), limit=0.2)),
    }


def after_old_gradients(student, critic, batches):
    """A step of a critic whose gradients are not fresh."""
    for part in critic.parameters():
        part.grad = torch.full_like(part, 0.7)
    return stepped(student, critic, plain(critic), batches)


def with_penalty(student, rng, critic, batches, **more):
    """A step with a penalty that depends on the weights."""
    penalty = (critic.inner.weight.square() * (1 + rng.uniform(4, 3))).sum() + critic.outer.bias.square().sum()
    return stepped(student, critic, plain(critic), batches, penalty=penalty, **more)


class Maker(nn.Module):
    """A generator: linear, with planted weights."""

    def __init__(self, rng):
        super().__init__()
        self.map = nn.Linear(2, 3)
        with torch.no_grad():
            for part in self.parameters():
                part.copy_(rng.normal(*part.shape))
        self.to(rng.device)


def generator_afterwards(student, rng, critic):
    """What a generator has in .grad after the critic's step, and what its own loss then adds."""
    maker = Maker(rng)
    for i, part in enumerate(maker.parameters()):
        part.grad = torch.full_like(part, 1.5 + i)
    fake = maker.map(rng.normal(4, 2))
    student.raw.wasserstein_step(critic, plain(critic), rng.normal(5, 3), fake)
    kept = [part.grad.clone() for part in maker.parameters()]
    critic(fake).mean().backward()
    return [*kept, *[part.grad for part in maker.parameters()]]


@question.probe(points=1.5, title="wasserstein_step: optimizers, old gradients, generators, penalties, clipping", judge=Fields({"in float64": WIDE}, default=Close()))
def steps_edges(student, rng):
    def fresh(**more):
        return Curved(rng, 3, **more)

    large, moved, memory, quick, small = fresh(std=2), fresh(), fresh(), fresh(), fresh(std=0.01)
    straight, column, double = Straight(rng, 3), fresh(column=True), fresh(dtype=torch.float64)
    return {
        "one step": entry("it", lambda: stepped(student, moved, plain(moved), two_batches(rng, 5, 5))),
        "more real samples than fake ones": entry("it", lambda: stepped(student, moved, plain(moved), two_batches(rng, 7, 4))),
        "one real sample, six fake ones": entry("it", lambda: stepped(student, moved, plain(moved), two_batches(rng, 1, 6))),
        "scores in a column": entry("it", lambda: stepped(student, column, plain(column), two_batches(rng, 4, 6))),
        "a linear critic, three steps": entry("it", lambda: stepped(student, straight, plain(straight, 1.0), *[two_batches(rng, 4, 5) for _ in range(3)])),
        "large scores": entry("it", lambda: stepped(student, large, plain(large, 0.5), two_batches(rng, 5, 4))),
        "an optimizer with momentum, three steps": entry("it", lambda: stepped(student, memory, torch.optim.SGD(memory.parameters(), 0.1, momentum=0.8), *[two_batches(rng, 4, 5) for _ in range(3)])),
        "Adam, three steps": entry("it", lambda: stepped(student, quick, torch.optim.Adam(quick.parameters(), 0.05, eps=0.01), *[two_batches(rng, 4, 5) for _ in range(3)])),
        "old gradients": attempt(after_old_gradients, student, fresh(), two_batches(rng, 5, 4)),
        "gradients of the generator": attempt(generator_afterwards, student, rng, fresh()),
        "a penalty": attempt(with_penalty, student, rng, fresh(), two_batches(rng, 5, 4)),
        "a penalty and clipping": attempt(with_penalty, student, rng, fresh(), two_batches(rng, 5, 4), limit=0.5),
        "a number as penalty": entry("it", lambda: stepped(student, moved, plain(moved), two_batches(rng, 5, 4), penalty=3.0)),
        "a limit that all weights exceed": attempt(lambda critic: stepped(student, critic, plain(critic), two_batches(rng, 5, 4), limit=0.3), fresh(std=9)),
        "a limit that some weights exceed": attempt(lambda critic: stepped(student, critic, plain(critic), two_batches(rng, 5, 4), limit=0.8), fresh()),
        "a limit that is reached by the step": attempt(lambda critic: stepped(student, critic, plain(critic, 3.0), two_batches(rng, 5, 4), limit=0.1), small),
        "a wide limit": attempt(lambda critic: stepped(student, critic, plain(critic), two_batches(rng, 5, 4), limit=50.0), fresh()),
        "two clipped steps": attempt(lambda critic: stepped(student, critic, plain(critic), two_batches(rng, 5, 4), two_batches(rng, 3, 4), limit=0.6), fresh()),
        "in float64": entry("it", lambda: stepped(student, double, plain(double), two_batches(rng, 4, 5, dtype=torch.float64), limit=0.9)),
    }
