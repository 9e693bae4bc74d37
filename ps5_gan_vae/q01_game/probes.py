"""Question 1: losses from logits, the best critic, and the divergences that it measures."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, gradient, tensor_of, tried, with_right

question = Question(
    title="The game, its optimum, its divergences",
    skills=["5.01", "5.02", "5.04", "5.05", "5.17"],
    lecture="generative adversarial networks",
    run_seconds=6,
    manual_points=3,
    rubric=[
        "1 point: minimax, far away: the critic is sure, log(1 - D) is flat where the samples are (slope -σ(h), nearly 0; or: the JSD stays at ln 2), so nothing is passed back.",
        "1 point: non-saturating, far away: its slope by h is -(1 - σ(h)), nearly -1 at the same h, so the samples still follow the slope of the critic's logit.",
        "1 point: the lost island: KL(q‖p) averages over samples of q, so a place without samples adds nothing, however much data it has; KL(p‖q) averages over the data and meets a large log(p/q) there.",
    ],
    aim="Know what a perfect critic measures, and what a generator gets to feel of it.",
    hints={
        "discriminator_loss": (
            "Which logit should be large, which small? And is the loss V or -V?",
            "One real logit 0 and one fake logit 0: log D = log(1 - D) = -log 2, so the loss is 2 log 2. What is log σ(-500) without an exponential that underflows?",
            "-log σ(h) is a function of PyTorch on its own; 1 - σ(h) is σ of another logit.",
        ),
        "generator_loss": (
            "Which of the three losses may be negative? Which way shall h go in each of them?",
            "At h = 0 the first two are -log 2 and log 2. For the third: E over q of log(q/p) is to be written with h* = log p - log q.",
            "The gradient of Σ q log(q/p) by a parameter has two terms. What is the sum over all x of the second one?",
        ),
        "best_logits": (
            "What is log 0 in PyTorch, and what is the difference of two of them?",
            "p = (0.5, 0.5, 0, 0), q = (0.25, 0, 0.75, 0): log 2, then inf, -inf, and the last by the docstring.",
            "Only points where both laws are 0 need care: replace the result there.",
        ),
        "jensen_shannon": (
            "Which terms are 0 log 0 here, and what does PyTorch make of 0 · log 0?",
            "p = (1, 0), q = (0, 1): m = (1/2, 1/2), each KL is log 2, and so is the JSD.",
            "`torch.xlogy` knows that 0 log 0 is 0. Write the JSD with x log x alone: that of p, of q and of m.",
        ),
        "f_bound": (
            "For f = -ln u, at which u is ut + ln u largest? What if t is positive?",
            "(u - 1)² with t = -4: ut - (u - 1)² falls for all u > 0, so the supremum is at the end u = 0: -1. From which t on is the best u inside?",
            "Find u by setting the slope to zero, put it in, and ask for which t it is positive. `torch.where` puts an infinity where t is outside.",
        ),
    },
    ambiguities=[
        "A loss may be computed with log-sigmoid, softplus, binary cross-entropy from logits, in float64, or by hand; only values and gradients count.",
        "Gradients by a law are asked for by the logits of a softmax that makes it: formulas that agree only where the law sums to 1 pass. At zeros none are asked for.",
        "`f_bound` is not asked for q = 0, and not for gradients of rows with a t outside the domain.",
        "`jensen_shannon` may use `best_logits`; it is asked with a right one.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is
KINDS = ("minimax", "nonsaturating", "kl")
DIVERGENCES = ("kl", "game", "reverse", "pearson")


def sizes(rng, *shapes, **more):
    """Logits, one tensor for each size."""
    return [rng.normal(*shape, **more) for shape in shapes]


# --- discriminator_loss -------------------------------------------------------------------------------------------


def three_critics(ask, rng, std=1.5, dtype=torch.float32):
    """Losses of three pairs of batches of different sizes."""
    return [ask(rng.normal(n, mean=0.7, std=std, dtype=dtype), rng.normal(m, mean=-0.3, std=std, dtype=dtype)) for n, m in ((5, 3), (2, 7), (9, 4))]


@question.probe(points=0.5, title="discriminator_loss: three pairs of batches", public=True, judge=TOLD)
def critics(student, rng):
    return {
        "batches of two sizes": tried(lambda: three_critics(student.discriminator_loss, rng)),
        "batches of one size": tried(lambda: [student.discriminator_loss(rng.normal(6), rng.normal(6)) for _ in range(3)]),
    }


def critic_slopes(student, real, fake):
    """Gradients by both logits."""
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    return gradient("the loss", tensor_of(student.discriminator_loss(real, fake), "the loss", ()), real_logits=real, fake_logits=fake)


@question.probe(points=1, title="discriminator_loss: sure critics, axes, gradients, float64", judge=Fields({"in float64": WIDE, "sure and wrong, in float64": WIDE}, default=Close()))
def critics_edges(student, rng):
    loss = student.discriminator_loss
    tens = rng.normal(5, std=15), rng.normal(4, std=15)
    return {
        "logits 0": tried(lambda: [loss(torch.zeros(n, device=rng.device), torch.zeros(m, device=rng.device)) for n, m in ((1, 1), (3, 5), (4, 2))]),
        "batches of two sizes": tried(lambda: three_critics(loss, rng)),
        "one real, many fake": tried(lambda: [loss(rng.normal(1), rng.normal(m)) for m in (6, 9, 4)]),
        "many real, one fake": tried(lambda: [loss(rng.normal(m), rng.normal(1)) for m in (6, 9, 4)]),
        "logits of patches": tried(lambda: [loss(*sizes(rng, (3, 1, 4, 2), (2, 1, 5, 3))), loss(*sizes(rng, (2, 1), (5, 1))), loss(*sizes(rng, (3, 4), (3, 4)))]),
        "logits of hundreds": tried(lambda: three_critics(loss, rng, std=300.0)),
        "sure and right": tried(lambda: [loss(rng.uniform(n, low=3, high=6), -rng.uniform(m, low=3, high=6)) for n, m in ((3, 5), (6, 2), (4, 4))]),
        "sure and wrong": tried(lambda: [loss(-rng.uniform(n, low=200, high=500), rng.uniform(m, low=200, high=500)) for n, m in ((3, 5), (6, 2), (4, 4))]),
        "sure and wrong, in float64": tried(lambda: [loss(-rng.uniform(n, low=25, high=32).double(), rng.uniform(m, low=25, high=32).double()) for n, m in ((3, 5), (6, 2), (4, 4))]),
        "gradient": tried(lambda: critic_slopes(student, rng.normal(4), rng.normal(6))),
        "gradient for logits of tens": tried(lambda: critic_slopes(student, *tens)),
        "gradient where the critic is sure and wrong": tried(lambda: critic_slopes(student, -rng.uniform(3, low=150, high=400), rng.uniform(4, low=150, high=400))),
        "in float64": tried(lambda: three_critics(loss, rng, dtype=torch.float64)),
    }


# --- generator_loss -----------------------------------------------------------------------------------------------


def three_fakes(ask, rng, kind, mean=-0.6, std=1.5, dtype=torch.float32):
    """Losses of three batches of different sizes."""
    return [ask(rng.normal(n, mean=mean, std=std, dtype=dtype), kind) for n in (4, 7, 5)]


@question.probe(points=0.5, title="generator_loss: three batches of each kind", public=True, judge=TOLD)
def fakes(student, rng):
    return {kind: tried(lambda kind=kind: three_fakes(student.generator_loss, rng, kind)) for kind in KINDS}


def fake_slopes(student, logits, kind, factor=1.0):
    """The gradient by the logits, enlarged."""
    leaf = logits.clone().requires_grad_()
    return factor * gradient("the loss", tensor_of(student.generator_loss(leaf, kind), "the loss", ()), fake_logits=leaf)[0]


def refused(ask, logits, kind):
    """0 if the call raises ValueError; otherwise a number made of what it returns."""
    try:
        answer = ask(logits, kind)
    except ValueError:
        return 0.0
    return 1.0 + tensor_of(answer, "the loss").detach().mean()


@question.probe(
    points=1.5, title="generator_loss: sure critics, gradients, float64, unknown kinds",
    judge=Fields({f"{kind}, in float64": WIDE for kind in KINDS}, default=Close()),
)
def fakes_edges(student, rng):
    ask, found = student.generator_loss, {}
    far = rng.uniform(5, low=-21, high=-18)
    for kind in KINDS:
        found |= {
            kind: tried(lambda kind=kind: three_fakes(ask, rng, kind)),
            f"{kind}, positive logits": tried(lambda kind=kind: three_fakes(ask, rng, kind, mean=4.0)),
            f"{kind}, logits of minus hundreds": tried(lambda kind=kind: three_fakes(ask, rng, kind, mean=-300.0, std=40.0)),
            f"{kind}, logits of plus hundreds": tried(lambda kind=kind: three_fakes(ask, rng, kind, mean=300.0, std=40.0)),
            f"{kind}, one sample, and patches": tried(lambda kind=kind: [ask(rng.normal(1), kind), ask(rng.normal(3, 1, 4, 2), kind), ask(rng.normal(2, 5), kind)]),
            f"{kind}, gradient": tried(lambda kind=kind: fake_slopes(student, rng.normal(6, mean=-0.5, std=2.0), kind)),
            f"{kind}, gradient for logits of plus and minus hundreds": tried(lambda kind=kind: fake_slopes(student, torch.cat([rng.normal(3), rng.uniform(2, low=100, high=300), -rng.uniform(2, low=100, high=300)]), kind)),
            f"{kind}, in float64": tried(lambda kind=kind: three_fakes(ask, rng, kind, std=9.0, dtype=torch.float64)),
        }
    return found | {
        "minimax, gradient near h = -20, times a billion": tried(lambda: fake_slopes(student, far, "minimax", 1e9)),
        "minimax, logits of plus tens": tried(lambda: three_fakes(ask, rng, "minimax", mean=40.0, std=6.0)),
        "kinds that there are not": tried(lambda: [refused(ask, rng.normal(n), name) for n, name in ((3, "wasserstein"), (4, "KL"), (5, ""))]),
    }


# --- best_logits --------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="best_logits: positive laws, and zeros", public=True, judge=TOLD)
def best(student, rng):
    p, q = (torch.tensor(law, device=rng.device) for law in ([0.5, 0.5, 0.0, 0.0, 0.0], [0.25, 0.0, 0.5, 0.0, 0.25]))
    return {
        "five points": attempt(student.best_logits, rng.simplex(5), rng.simplex(5)),
        "two pairs of laws": attempt(student.best_logits, rng.simplex(2, 4), rng.simplex(2, 4)),
        "zeros in both": attempt(student.best_logits, p, q),
    }


def holes(rng, *shape, dtype=torch.float32):
    """Two laws of which some points have probability 0: in p, in q, in both."""
    p, q = (rng.uniform(*shape, low=0.1, high=1.0, dtype=dtype) for _ in range(2))
    p[..., 1], q[..., 3], p[..., 4], q[..., 4] = 0, 0, 0, 0
    return p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)


def tiny(rng, k=6, dtype=torch.float32):
    """Two laws, one of them with probabilities near 1e-30 at some points, the other at others."""
    p, q = rng.simplex(k, dtype=dtype), rng.simplex(k, dtype=dtype)
    p[1], p[2], q[4], q[2] = rng.number(1, 9) * 1e-30, rng.number(1, 9) * 1e-29, rng.number(1, 9) * 1e-28, rng.number(1, 9) * 1e-25
    return p / p.sum(), q / q.sum()


def law_slopes(ask, rng, weight):
    """Gradients of a weighted sum of the answers by the logits whose softmax the laws are: only such changes keep a law a law."""
    p, q = (rng.normal(2, 5).requires_grad_() for _ in range(2))
    found = tensor_of(ask(p.softmax(-1), q.softmax(-1)), "the result", weight.shape)
    return gradient("the result", weight * found, p=p, q=q)


def positive(rng, *shape, dtype=torch.float32):
    """A law without tiny probabilities."""
    law = rng.uniform(*shape, low=0.1, high=1.0, dtype=dtype)
    return law / law.sum(-1, keepdim=True)


@question.probe(points=1, title="best_logits: zeros, tiny probabilities, axes, gradients, float64", judge=Fields({"in float64": WIDE, "zeros, in float64": WIDE, "nearly equal, in float64": WIDE}, default=Close()))
def best_edges(student, rng):
    ask = student.best_logits
    p = positive(rng, 6, dtype=torch.float64)
    return {
        "seven points": attempt(ask, rng.simplex(7), rng.simplex(7)),
        "three axes": attempt(ask, rng.simplex(2, 3, 5), rng.simplex(2, 3, 5)),
        "zeros": attempt(ask, *holes(rng, 7)),
        "zeros, three axes": attempt(ask, *holes(rng, 3, 2, 6)),
        "laws that share no point": attempt(ask, torch.cat([rng.simplex(3), torch.zeros(2, device=rng.device)]), torch.cat([torch.zeros(3, device=rng.device), rng.simplex(2)])),
        "probabilities near 1e-30": attempt(ask, *tiny(rng)),
        "one point": attempt(ask, torch.ones(3, 1, device=rng.device), torch.ones(3, 1, device=rng.device)),
        "nearly equal, in float64": attempt(ask, p, p * (1 + 1e-6 * rng.normal(6, dtype=torch.float64))),
        "gradient": tried(lambda: law_slopes(ask, rng, rng.normal(2, 5))),
        "in float64": attempt(ask, rng.simplex(7, dtype=torch.float64), rng.simplex(7, dtype=torch.float64)),
        "zeros, in float64": attempt(ask, *holes(rng, 6, dtype=torch.float64)),
    }


# --- jensen_shannon -----------------------------------------------------------------------------------------------


def right_best(p, q):
    """The log-ratio, 0 where both laws are 0."""
    return torch.where((p == 0) & (q == 0), 0.0, p.log() - q.log())


@question.probe(points=0.5, title="jensen_shannon: positive laws", public=True, judge=TOLD)
def shannon(student, rng):
    return {
        "three pairs of laws": attempt(student.jensen_shannon, rng.simplex(3, 5), rng.simplex(3, 5)),
        "six points": tried(lambda: [student.jensen_shannon(rng.simplex(6), rng.simplex(6)) for _ in range(3)]),
    }


@question.probe(points=0.5, title="jensen_shannon: zeros, axes, gradients, float64", judge=Fields({"in float64": WIDE, "zeros, in float64": WIDE}, default=Close()))
def shannon_edges(student, rng):
    ask = with_right(student.jensen_shannon, best_logits=right_best)
    apart = torch.cat([rng.simplex(3, 3), torch.zeros(3, 2, device=rng.device)], 1), torch.cat([torch.zeros(3, 3, device=rng.device), rng.simplex(3, 2)], 1)
    law = rng.simplex(3, 5)
    return {
        "four pairs of laws": attempt(ask, rng.simplex(4, 6), rng.simplex(4, 6)),
        "as many pairs as points": attempt(ask, rng.simplex(5, 5), rng.simplex(5, 5)),
        "three axes": attempt(ask, rng.simplex(2, 3, 5), rng.simplex(2, 3, 5)),
        "zeros": attempt(ask, *holes(rng, 4, 7)),
        "laws that share no point": attempt(ask, *apart),
        "equal laws": attempt(ask, law, law.clone()),
        "probabilities near 1e-30": tried(lambda: [ask(*tiny(rng)) for _ in range(3)]),
        "one point": attempt(ask, torch.ones(3, 1, device=rng.device), torch.ones(3, 1, device=rng.device)),
        "gradient": tried(lambda: law_slopes(ask, rng, rng.normal(2))),
        "in float64": attempt(ask, rng.simplex(4, 6, dtype=torch.float64), rng.simplex(4, 6, dtype=torch.float64)),
        "zeros, in float64": attempt(ask, *holes(rng, 4, 7, dtype=torch.float64)),
    }


# --- f_bound ------------------------------------------------------------------------------------------------------


def inside(rng, kind, *shape, dtype=torch.float32):
    """Some T in the domain of the conjugate."""
    t = rng.normal(*shape, dtype=dtype)
    return -(0.8 * t).exp() if kind in ("game", "reverse") else t + 0.5


def bound_of(ask, rng, kind, *shape, dtype=torch.float32):
    """The bound for random laws."""
    return ask(rng.simplex(*shape, dtype=dtype), positive(rng, *shape, dtype=dtype), inside(rng, kind, *shape, dtype=dtype), kind)


@question.probe(points=0.5, title="f_bound: three bounds of each kind", public=True, judge=TOLD)
def bounds(student, rng):
    return {kind: tried(lambda kind=kind: bound_of(student.f_bound, rng, kind, 3, 5)) for kind in DIVERGENCES}


def bound_slopes(student, p, q, t, kind, weight):
    """Gradients of a weighted sum of the bounds, by t and by the logits whose softmax the laws are."""
    p, q, t = (part.clone().requires_grad_() for part in (p, q, t))
    found = tensor_of(student.f_bound(p.softmax(-1), q.softmax(-1), t, kind), "the result", weight.shape)
    return gradient("the result", weight * found, p=p, q=q, t=t)


def best_t(p, q, kind):
    """f'(p/q)."""
    u = p / q
    return {"kl": 1 + u.log(), "game": (u / (1 + u)).log(), "reverse": -1 / u, "pearson": 2 * (u - 1)}[kind]


@question.probe(
    points=1.5, title="f_bound: where it is tight, outside the domain, axes, gradients, float64",
    judge=Fields({f"{kind}, in float64": WIDE for kind in DIVERGENCES}, default=Close()),
)
def bounds_edges(student, rng):
    ask, found = student.f_bound, {}
    for kind in DIVERGENCES:
        p, q = positive(rng, 3, 5), positive(rng, 3, 5)
        part = rng.simplex(3, 5)
        part[:, 2] = 0
        found |= {
            kind: tried(lambda kind=kind: bound_of(ask, rng, kind, 4, 6)),
            f"{kind}, where it is tight": tried(lambda kind=kind, p=p, q=q: ask(p, q, best_t(p, q, kind), kind)),
            f"{kind}, one law": tried(lambda kind=kind: [bound_of(ask, rng, kind, k) for k in (4, 1, 7)]),
            f"{kind}, three axes": tried(lambda kind=kind: bound_of(ask, rng, kind, 2, 3, 3)),
            f"{kind}, zeros in p": tried(lambda kind=kind, part=part, q=q: ask(part, q, inside(rng, kind, 3, 5), kind)),
            f"{kind}, gradient": tried(lambda kind=kind: bound_slopes(student, rng.normal(2, 5), rng.normal(2, 5), inside(rng, kind, 2, 5), kind, rng.normal(2))),
            f"{kind}, in float64": tried(lambda kind=kind: bound_of(ask, rng, kind, 3, 5, dtype=torch.float64)),
        }
    p, q, low = positive(rng, 4, 5), positive(rng, 4, 5), -rng.uniform(4, 5, low=0.3, high=4.0)
    for kind in ("game", "reverse"):
        out = inside(rng, kind, 4, 5)
        out[0, 1], out[2, 4] = rng.number(0.2, 0.9), rng.number(1.1, 3)
        found[f"{kind}, two rows outside"] = tried(lambda kind=kind, out=out: ask(p, q, out, kind))
        edge = inside(rng, kind, 4, 5)
        edge[1, 2] = 0
        found[f"{kind}, one t is 0"] = tried(lambda kind=kind, edge=edge: ask(p, q, edge, kind))
    return found | {
        "reverse, all outside": tried(lambda: ask(p, q, -low, "reverse")),
        "reverse, t near 0 and far below": tried(lambda: ask(p, q, -torch.exp(rng.uniform(4, 5, low=-25.0, high=4.0)), "reverse")),
        "game, t far below": tried(lambda: ask(p, q, 20 * low, "game")),
        "kl, t of tens": tried(lambda: ask(p, q, 8 * low + 14, "kl")),
        "pearson, t below -2": tried(lambda: ask(p, q, low - 2, "pearson")),
        "pearson, t on both sides of -2": tried(lambda: ask(p, q, rng.normal(4, 5, mean=-2.0, std=3.0), "pearson")),
        "pearson, t large": tried(lambda: ask(p, q, -30 * low, "pearson")),
        "pearson, gradient with t below -2": tried(lambda: bound_slopes(student, rng.normal(4, 5), rng.normal(4, 5), rng.normal(4, 5, mean=-2.0, std=3.0), "pearson", rng.normal(4))),
    }
