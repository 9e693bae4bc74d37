"""Question 9: scores of samples, sets that fool them, and an open end."""

import numpy as np
import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, named, tensor_of

question = Question(
    title="Judge the judges, and fool them",
    skills=["5.19", "5.20", "5.33", "5.45"],
    lecture="generative adversarial networks, and how samples are evaluated",
    run_seconds=12,
    own_minutes=8,
    manual_points=4,
    rubric=[
        "1 point: one thing is changed, and it is said what is kept; the prediction has a reason and was typed before.",
        "1 point: it is measured on several sets against the spread of fresh ones, and the table or figure is read rightly.",
        "1 point: it says why the judges are blind: what the features, the averages or the balls throw away. A wrong prediction loses nothing.",
        "1 point: a measurement is named that would see the fault, and something that this one would miss in turn.",
    ],
    aim="Build the scores in use, build sets that fool them, and learn from one table which judge sees which fault; then find a fault that none sees.",
    hints={
        "inception_score": (
            "Which two distributions are compared for each picture, and over which axis is their common one a mean?",
            "Two certain pictures of two classes: p̄ = (½, ½), each KL is log 2, the score 2. Two certain pictures of one class: 1.",
            "p log p is 0 where p is 0. `torch.xlogy` knows that. What does it need for p log p̄?",
        ),
        "frechet_distance": (
            "Which eigenvalues does the root of a matrix have? So what is its trace?",
            "1-D: 2, 4 against 1, 5. Means 3 and 3; variances 2 and 8; their product has the root 4; so 0 + 2 + 8 - 8 = 2.",
            "`torch.linalg.eigvals` returns complex numbers. The exact ones are real and at least 0: what do you do with the rest? For one feature, `torch.cov` returns no matrix.",
        ),
        "kernel_distance": (
            "How many ordered pairs of different members has a set of N?",
            "x = 0, 2 and z = 1, 1, k(a, b) = ab: within x 0, within z 1, across 1. So 0 + 1 - 2 = -1.",
            "All pairs of x with itself make an N × N table. Which entries of it do not count, and by what do you divide the sum of the others?",
        ),
        "ball_scores": (
            "Whose neighbours decide how large a ball is: those in its own set or those in the other?",
            "x = 0, 1, 3 and k = 1: the radii are 1, 1 and 2. A fake at 2 lies in the balls of 1 (on its border) and of 3.",
            "A table of distances (N, M) against the radius of its row says which fake lies in which real ball. Precision asks the columns, coverage the rows. In the table of a set with itself the nearest of all is the point itself.",
        ),
        "copying_score": (
            "To which set are all the distances, those of the fakes and those of the held-out points?",
            "Fakes at distances 0 and 2, held-out points at 1 and 2: the pairs are won, won, lost and tied. So (1 + 1 + 0 + ½)/4.",
            "Two lists of smallest distances, then all their pairs by broadcasting.",
        ),
        "impostor": (
            "Up to which power of x do the averages in KID go? Which laws on the line with mean 0 and variance 1 have no third moment?",
            "d = 1: half of the points at -1, half at +1. Their mean is 0, their variance 1, their third moment 0. What if you do so along each axis in the plane, where a point on one axis gives the other no variance?",
            "Put points symmetrically, so that odd moments vanish. Scale until the covariance is 1. Then a matrix A with A Aᵀ = cov, and the mean.",
        ),
    },
    ambiguities=[
        "Gradients of the scores are not asked for. Single numbers may come as tensors of any float dtype, computed in float64.",
        "`impostor`: any points that keep the docstring; covariances divided by n or n - 1, float32 or float64, random or not.",
        "`kernel_distance` may call the kernel for all pairs at once or in parts.",
    ],
)

EXACT = Close(rtol=1e-9, atol=1e-9)
ROOTS = Close(rtol=1e-6, atol=1e-6)   # a root of an eigenvalue that is 0 is known to 1e-8


def numbers(what, compute):
    """A list of results that are single numbers; or a sentence."""

    def each():
        found = compute()
        return [tensor_of(one, "the result", ()) for one in (found if isinstance(found, list) else [found])]

    return entry(what, each)


# --- inception_score ----------------------------------------------------------------------------------------------


def scores(student, *logits):
    return numbers("`inception_score`", lambda: [student.inception_score(each) for each in logits])


@question.probe(points=0.5, title="inception_score: random logits", public=True, judge=Fields(default=Close()))
def inception(student, rng):
    return {"a few pictures": scores(student, *(3 * rng.normal(*shape) for shape in ((6, 4), (5, 7), (9, 3))))}


def certain(rng, counts, logit):
    """One-hot logits: counts[c] pictures of class c, in any order."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))[rng.permutation(sum(counts)).cpu()]
    return (logit * torch.nn.functional.one_hot(labels, len(counts)).float()).to(rng.device)


@question.probe(
    points=0.5, title="inception_score: certain, uniform and impossible classes, large logits, one picture, float64",
    judge=Fields(dict.fromkeys(("logits that hardly differ", "in float64", "float32 logits, computed in float64"), EXACT), default=Close()),
)
def inception_edges(student, rng):
    def some(n, k, size=2.0):
        return size * rng.normal(n, k)

    impossible = some(7, 5)
    impossible[rng.bernoulli(7, 5, p=0.4) > 0] = -torch.inf
    impossible[torch.arange(7), rng.integers(0, 5, 7)] = 1.0
    never = [some(6, k) for k in (3, 4, 5)]
    for each in never:
        each[:, 1] = -torch.inf
    return {
        "uniform": scores(student, torch.zeros(4, 3, device=rng.device), torch.full((5, 6), 2.5, device=rng.device)),
        "certain, equal shares": scores(student, certain(rng, [3, 3, 3], 300.0), certain(rng, [2] * 5, 300.0), certain(rng, [4] * 2, 300.0)),
        "certain, unequal shares": scores(student, certain(rng, [5, 2, 1], 300.0), certain(rng, [1, 6, 3, 2], 300.0), certain(rng, [7, 2], 300.0)),
        "all certain of one class": scores(student, certain(rng, [0, 5, 0], 300.0), certain(rng, [4, 0], 300.0)),
        "some logits -inf": scores(student, impossible, impossible[:5], impossible[2:]),
        "a class that no picture can have": scores(student, *never),
        "one certain class, the others -inf": scores(student, torch.where(certain(rng, [3, 2, 4], 1.0) > 0, 0.0, -torch.inf)),
        "logits of hundreds": scores(student, *(some(6, k, 200.0) for k in (3, 5, 9))),
        "every row shifted": scores(student, *(some(6, k) + 60 * rng.normal(6, 1) for k in (3, 5, 9))),
        "all logits negative": scores(student, *(some(6, k) - 150 for k in (3, 5, 9))),
        "as many pictures as classes": scores(student, *(some(k, k) for k in (3, 4, 6))),
        "one picture": scores(student, some(1, 4), some(1, 6)),
        "two pictures": scores(student, *(some(2, k) for k in (3, 5, 8))),
        "many pictures of rare classes": scores(student, *(some(300, k, 4.0) for k in (10, 30, 100))),
        "logits that hardly differ": scores(student, *(0.003 * rng.normal(8, k) for k in (3, 5, 7))),
        "float32 logits, computed in float64": scores(student, *(some(40, k) for k in (3, 5, 7))),
        "in float64": scores(student, *(3 * rng.normal(6, k, dtype=torch.float64) for k in (3, 5, 7))),
    }


# --- frechet_distance ---------------------------------------------------------------------------------------------


def cloud(rng, n, d, mean=1.0, dtype=torch.float32):
    """Points of a tilted Gaussian somewhere."""
    return rng.normal(n, d, dtype=dtype) @ rng.normal(d, d, dtype=dtype) + mean * rng.normal(1, d, dtype=dtype)


def frechet(student, *pairs):
    return numbers("`frechet_distance`", lambda: [student.frechet_distance(x, z) for x, z in pairs])


@question.probe(points=0.5, title="frechet_distance: two clouds", public=True, judge=Fields(default=Close(rtol=1e-4, atol=1e-4)))
def frechet_clouds(student, rng):
    return {"some clouds": frechet(student, *((cloud(rng, n, d), cloud(rng, m, d)) for n, m, d in ((9, 7, 3), (12, 15, 2), (10, 20, 4))))}


@question.probe(
    points=0.5, title="frechet_distance: one feature, few points, small differences, far from 0, float64",
    judge=Fields({"sets that hardly differ": Close(rtol=1e-3, atol=1e-10), "in float64": EXACT}, default=ROOTS),
)
def frechet_edges(student, rng):
    def turned(d):
        """The same two clouds with features turned, and not."""
        x, z = cloud(rng, 9, d, dtype=torch.float64), cloud(rng, 8, d, dtype=torch.float64)
        turn = torch.linalg.qr(rng.normal(d, d, dtype=torch.float64))[0]
        return [(x, z), (x @ turn, z @ turn)]

    def moved(d):
        x = cloud(rng, 7, d)
        return x, x + rng.normal(1, d)

    def constant(n, m):
        x, z = cloud(rng, n, 3), cloud(rng, m, 3)
        x[:, 1], z[:, 1] = 2.0, 3.0
        return x, z

    def nearly(n, d):
        x = rng.normal(n, d) + 0.5 * rng.normal(n, 1) + rng.normal(1, d)
        return x, x + 0.003 * rng.normal(n, d)

    crossed = [rng.normal(11, 2), rng.normal(9, 2)]
    crossed[0][:, 0], crossed[1][:, 1] = 0.5, -1.0   # each has no spread where the other has all
    same = cloud(rng, 8, 3)
    return {
        "one feature": frechet(student, *((cloud(rng, n, 1), cloud(rng, m, 1)) for n, m in ((5, 7), (2, 9), (6, 6)))),
        "fewer points than features": frechet(student, *((cloud(rng, n, 7), cloud(rng, m, 7)) for n, m in ((4, 5), (2, 3), (6, 4)))),
        "one set with fewer points than features": frechet(student, *((cloud(rng, n, 6), cloud(rng, m, 6)) for n, m in ((3, 20), (15, 4), (2, 9)))),
        "many features": frechet(student, (cloud(rng, 20, 40), cloud(rng, 25, 40))),
        "two points each": frechet(student, *((cloud(rng, 2, d), cloud(rng, 2, d)) for d in (1, 2, 3))),
        "x and z exchanged": frechet(student, *((cloud(rng, 4, d), cloud(rng, 17, d)) for d in (2, 3, 4))),
        "the same set twice": frechet(student, (same, same), (same[:3, :2], same[:3, :2])),
        "a set, and the set moved": frechet(student, *(moved(d) for d in (2, 3, 9))),
        "features turned": frechet(student, *(pair for d in (2, 4) for pair in turned(d))),
        "a feature that does not vary": frechet(student, *(constant(n, m) for n, m in ((6, 8), (9, 5), (4, 4)))),
        "no direction in common": frechet(student, tuple(crossed)),
        "sets that hardly differ": frechet(student, *(nearly(*shape) for shape in ((12, 3), (20, 2), (15, 4)))),
        "far from 0": frechet(student, *((cloud(rng, 9, d) + 3000, cloud(rng, 12, d) + 3001) for d in (2, 3, 4))),
        "large features": frechet(student, *((100 * cloud(rng, 9, d), 100 * cloud(rng, 12, d)) for d in (2, 3, 4))),
        "small features": [1e4 * each for each in found] if isinstance(found := frechet(student, *((0.01 * cloud(rng, 9, d), 0.01 * cloud(rng, 12, d)) for d in (2, 3, 4))), list) else found,
        "equal means": frechet(student, *((x - x.mean(0), z - z.mean(0)) for x, z in ((cloud(rng, 9, d), cloud(rng, 6, d)) for d in (2, 3, 4)))),
        "in float64": frechet(student, *((cloud(rng, 14, d, dtype=torch.float64), cloud(rng, 12, d, dtype=torch.float64)) for d in (2, 3, 4))),
    }


# --- kernel_distance ----------------------------------------------------------------------------------------------


def kernels(student, *cases):
    return numbers("`kernel_distance`", lambda: [student.kernel_distance(*case) for case in cases])


def laplace(a, b):
    return (-torch.cdist(a, b, p=1.0)).exp()


def product(a, b):
    return a @ b.T


def weighted(a, b):
    """Like a Gaussian, but k(a, a) varies, and may be negative off the diagonal."""
    return (1 + a.square().sum(1))[:, None] * (a @ b.T / a.shape[1]).cos() * (1 + b.square().sum(1))


@question.probe(points=0.5, title="kernel_distance: KID, and another kernel", public=True, judge=Fields(default=Close()))
def kid(student, rng):
    return {
        "the cubic kernel": kernels(student, *((rng.normal(n, d), rng.normal(m, d) + 0.5) for n, m, d in ((6, 9, 3), (8, 5, 2), (7, 7, 4)))),
        "a kernel of distances": kernels(student, *((rng.normal(n, 2), rng.normal(m, 2) + 0.5, laplace) for n, m in ((6, 9), (8, 5), (7, 7)))),
    }


@question.probe(
    points=0.5, title="kernel_distance: two points, equal sets, other kernels, far from 0, float64",
    judge=Fields({"in float64": EXACT, "sets that hardly differ": Close(rtol=1e-5, atol=1e-10), "far from 0": Close(rtol=1e-7, atol=1e-7)}, default=ROOTS),
)
def kid_edges(student, rng):
    same = rng.normal(7, 3)
    return {
        "unequal sizes": kernels(student, *((rng.normal(n, 3), rng.normal(m, 3) + 0.4) for n, m in ((3, 14), (14, 3), (5, 25)))),
        "two points each": kernels(student, *((rng.normal(2, d), rng.normal(2, d)) for d in (1, 2, 3))),
        "one feature": kernels(student, *((rng.normal(n, 1), rng.normal(m, 1)) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "many features": kernels(student, *((rng.normal(n, 20), 2 * rng.normal(m, 20)) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "the same set twice": kernels(student, (same, same), (same[:4], same[:4]), (same, same, laplace)),
        "negative products": kernels(student, *((3 * rng.normal(n, 2) + 2, 3 * rng.normal(m, 2) - 2) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "the kernel a·b": kernels(student, *((rng.normal(n, 3), rng.normal(m, 3), product) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "k(a, a) that varies": kernels(student, *((rng.normal(n, 3), rng.normal(m, 3), weighted) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "a kernel of distances": kernels(student, *((rng.normal(n, 3), 2 * rng.normal(m, 3), laplace) for n, m in ((4, 6), (6, 4), (5, 9)))),
        "points that repeat": kernels(student, *((same[rng.integers(0, 3, n)], same[rng.integers(2, 7, m)]) for n, m in ((6, 8), (9, 4), (5, 5)))),
        "sets that hardly differ": kernels(student, *((same + 0, same + 0.001 * rng.normal(7, 3), laplace) for _ in range(3))),
        "far from 0": kernels(student, *((rng.normal(n, 3) + 30, rng.normal(m, 3) + 30) for n, m in ((4, 6), (6, 4), (5, 5)))),
        "in float64": kernels(student, *((rng.normal(n, 3, dtype=torch.float64), rng.normal(m, 3, dtype=torch.float64)) for n, m in ((4, 6), (6, 4), (5, 5)))),
    }


# --- ball_scores --------------------------------------------------------------------------------------------------

FOUR = ("precision", "recall", "density", "coverage")


def balls(student, *cases):
    def each():
        found = []
        for x, z, k in cases:
            answer = student.ball_scores(x, z, k)
            answer = list(answer) if isinstance(answer, (tuple, list, torch.Tensor)) else [answer]
            found.append({name: tensor_of(one, name, ()) for name, one in named(answer, *FOUR).items()})
        return {name: [one[name] for one in found] for name in FOUR}   # by name, so that it is told which one is wrong

    return entry("`ball_scores`", each)


@question.probe(points=0.5, title="ball_scores: overlapping clouds", public=True, judge=Fields(default=Close()))
def ball_clouds(student, rng):
    return {
        "k = 3": balls(student, *((rng.normal(n, d), 1.5 * rng.normal(m, d) + 0.5, 3) for n, m, d in ((12, 9, 2), (8, 15, 3), (20, 11, 2)))),
    }


@question.probe(
    points=1, title="ball_scores: k = 1, large k, borders, copies, distant fakes, sizes, far from 0, float64", judge=Fields(default=Close(rtol=1e-6, atol=1e-6))
)
def ball_edges(student, rng):
    def pair(n, m, d, k, spread=1.3, shift=0.5):
        return rng.normal(n, d), spread * rng.normal(m, d) + shift, k

    def grid(n, m, size, k):
        """Whole numbers in the plane: distances are exact, and borders are met."""
        return rng.integers(0, size, n, 2).float(), rng.integers(0, size + 1, m, 2).float(), k

    def distinct(n, m, k):
        """The same without two equal reals, and without two equal fakes."""
        places = torch.cartesian_prod(torch.arange(6), torch.arange(6)).float().to(rng.device)
        return places[rng.permutation(36)[:n]], places[rng.permutation(36)[:m]] + torch.tensor([1.0, 0.0], device=rng.device), k

    half = rng.normal(30, 3), torch.cat([rng.normal(15, 3), rng.normal(15, 3) + 100])
    copies = rng.normal(14, 2)
    tight, wide = 0.2 * rng.normal(12, 2), 2 * rng.normal(15, 2)
    return {
        "k = 1": balls(student, *(pair(*sizes, 1) for sizes in ((16, 13, 2), (9, 20, 2), (25, 10, 1)))),
        "k = 5": balls(student, *(pair(*sizes, 5) for sizes in ((16, 13, 2), (9, 20, 3), (25, 10, 4)))),
        "largest k": balls(student, *((*pair(n, m, 3, 1, 2.0)[:2], min(n, m) - 1) for n, m in ((7, 12), (14, 6), (5, 5)))),
        "many more fakes": balls(student, *(pair(6, m, 2, 2) for m in (30, 45, 60))),
        "many more reals": balls(student, *(pair(n, 6, 2, 2) for n in (30, 45, 60))),
        "as many fakes as reals": balls(student, *(pair(n, n, 2, 2) for n in (11, 13, 17))),
        "neighbours on the border": balls(student, *(distinct(n, m, k) for n, m, k in ((12, 9, 1), (9, 14, 2), (10, 10, 3)))),
        "reals that repeat": balls(student, *(grid(n, m, 3, k) for n, m, k in ((12, 9, 1), (9, 14, 2), (13, 10, 3)))),
        "half of the fakes far away": balls(student, (*half, 3), (*half, 5), (half[0], half[1][:20], 3)),
        "all fakes far away": balls(student, (copies, copies + 1000, 2)),
        "fakes are copies": balls(student, (copies, copies[rng.integers(0, 14, 10)], 1), (copies, copies[:9], 2), (copies, copies.flip(0), 3)),
        "tight fakes": balls(student, (wide, tight, 2), (wide, tight, 4), (wide, tight[:8], 3)),
        "tight reals": balls(student, (tight, wide, 2), (tight, wide, 4), (tight[:8], wide, 3)),
        "one feature": balls(student, *(pair(n, m, 1, 2) for n, m in ((11, 8), (8, 13), (15, 10)))),
        "many features": balls(student, *(pair(n, m, 30, 3, 1.0, 0.1) for n, m in ((31, 28), (28, 35), (40, 30)))),
        "far from 0": balls(student, *((x + 4000, z + 4000, k) for x, z, k in (pair(30, 28, 2, 3), pair(29, 40, 3, 2), pair(45, 30, 2, 4)))),
        "small features": balls(student, *((1e-3 * x, 1e-3 * z, k) for x, z, k in (pair(12, 9, 2, 3), pair(9, 15, 3, 2), pair(20, 9, 2, 1)))),
        "in float64": balls(student, *((x.double(), z.double(), k) for x, z, k in (pair(12, 9, 2, 3), pair(9, 15, 3, 2), pair(20, 9, 2, 1)))),
    }


# --- copying_score ------------------------------------------------------------------------------------------------


def copying(student, *cases):
    return numbers("`copying_score`", lambda: [student.copying_score(*case) for case in cases])


@question.probe(points=0.25, title="copying_score: three clouds", public=True, judge=Fields(default=Close()))
def copied(student, rng):
    return {"fakes near the training set": copying(student, *((x := rng.normal(n, d), rng.normal(h, d), x[:m] + 0.4 * rng.normal(m, d)) for n, h, m, d in ((12, 8, 7, 2), (9, 11, 6, 3), (15, 5, 10, 2))))}


@question.probe(points=0.25, title="copying_score: ties, copies, sizes, far from 0, float64", judge=Fields(default=Close(rtol=1e-6, atol=1e-6)))
def copied_edges(student, rng):
    def clouds(n, h, m, d=2, spread=1.0, dtype=torch.float32):
        return rng.normal(n, d, dtype=dtype), rng.normal(h, d, dtype=dtype), spread * rng.normal(m, d, dtype=dtype)

    def whole(n, h, m):
        """On a grid, where distances are often equal."""
        return tuple(rng.integers(0, 5, k, 2).float() for k in (n, h, m))

    train, held, fake = clouds(14, 9, 11)
    return {
        "equal distances": copying(student, *(whole(*sizes) for sizes in ((4, 9, 7), (5, 6, 12), (3, 10, 11)))),
        "all fakes are copies": copying(student, (train, held, train[:6])),
        "some fakes are copies": copying(student, *((train, held, torch.cat([train[:k], fake])) for k in (2, 4, 7))),
        "fakes far away": copying(student, (train, held, fake + 100)),
        "fakes are the held-out points": copying(student, (train, held, held)),
        "held-out points far away": copying(student, (train, held + 100, fake)),
        "fakes between the held-out points": copying(student, *((train, held, held[:6] + 0.1 * rng.normal(6, 2)) for _ in range(3))),
        "wide fakes": copying(student, *(clouds(13, 9, 11, spread=2.0) for _ in range(3))),
        "many held-out points": copying(student, *(clouds(8, h, 5) for h in (30, 40, 50))),
        "many fakes": copying(student, *(clouds(8, 5, m) for m in (30, 40, 50))),
        "as many fakes as held-out points": copying(student, *(clouds(9, h, h) for h in (7, 11, 13))),
        "one training point": copying(student, *(clouds(1, 7, 9) for _ in range(3))),
        "one fake": copying(student, *(clouds(9, 7, 1) for _ in range(3))),
        "one held-out point": copying(student, *(clouds(9, 1, 7) for _ in range(3))),
        "one feature": copying(student, *(clouds(9, 11, 8, 1) for _ in range(3))),
        "many features": copying(student, *(clouds(40, 30, 35, 30) for _ in range(3))),
        "far from 0": copying(student, *(tuple(part + 4000 for part in clouds(30, 31, 29)) for _ in range(3))),
        "in float64": copying(student, *(clouds(9, 11, 8, 3, dtype=torch.float64) for _ in range(3))),
    }


# --- impostor -----------------------------------------------------------------------------------------------------


def fooled(evidence, expected, context):
    """The moments of the whitened points up to the third order, and their exact kernel distance to a Gaussian. The inputs come first in the expected evidence."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the entries are not those that were asked for."
    for key, (mean, cov, _) in expected.items():
        answer, size = evidence[key], (int(key.split()[2]), len(mean))
        if isinstance(answer, str):
            return f"In *{key}*: {answer}"
        points = answer[2] if isinstance(answer, list) and len(answer) == 3 else None
        if getattr(points, "shape", None) != size:
            return f"In *{key}*: expected shape {size}, got {getattr(points, 'shape', type(points).__name__)}."
        if points.dtype.kind != "f":
            return f"In *{key}*: expected floats, got {points.dtype}."
        root = np.linalg.cholesky(cov.astype("float64"))
        white = np.linalg.solve(root, (points.astype("float64") - mean.astype("float64")).T).T
        if not np.abs(white).max() < 1e6:
            return f"In *{key}*: some points are not finite, or very far away."
        n, d = white.shape
        off = float(np.abs(white.mean(0)).max())
        if not off <= 0.01:
            return f"In *{key}*: the mean is off by {off:.3g} standard deviations."
        second = white.T @ white / n
        if not np.abs(second - np.eye(d)).max() <= 0.01:
            shown = np.array2string(second, precision=3, suppress_small=True).replace("\n", ",")
            return f"In *{key}*: whitened, the covariance of the points is {shown}, not the identity. Do A and Aᵀ stand where they should, and is the size right?"
        third = float(np.abs(np.einsum("ni,nj,nk->ijk", white, white, white) / n).max())
        if not third <= 0.01:
            return f"In *{key}*: a third moment of the whitened points is {third:.3g} in size; a Gaussian has 0, and KID sees it."
        square = (white**2).sum(1)
        within = np.exp(white @ white.T - square[:, None] / 2 - square / 2).mean()
        distance = float(within - 2 * (np.exp(-square / 4) * 0.5 ** (d / 2)).mean() + (1 / 3) ** (d / 2))
        if not distance >= 0.02:
            return f"In *{key}*: the moments are right, but the kernel distance to the Gaussian is {distance:.3g}, less than 0.02: the points look too much like it."
    return True


def posed(student, mean, cov, n):
    return entry("`impostor`", lambda: [mean.clone(), cov.clone(), tensor_of(student.impostor(mean, cov, n), "the result").detach()])


@question.probe(points=0.5, title="impostor: moments of a Gaussian in the plane, judged by the grader", public=True, judge=fooled)
def posing(student, rng):
    return {"n = 480 points, D = 2": posed(student, rng.normal(2), rng.spd(2), 480)}


@question.probe(points=0.5, title="impostor: D = 1 and 3, far from 0, narrow and stretched covariances, float64", judge=fooled)
def posing_edges(student, rng):
    stretched = torch.tensor([[100.0, 1.0], [1.0, 0.04]], device=rng.device)
    return {
        "n = 480 points, D = 1": posed(student, rng.normal(1), 2 + rng.uniform(1, 1), 480),
        "n = 516 points, D = 1, a small variance": posed(student, rng.normal(1), 0.05 + 0.01 * rng.uniform(1, 1), 516),
        "n = 480 points, D = 3": posed(student, rng.normal(3), rng.spd(3), 480),
        "n = 600 points, D = 2, correlated": posed(student, rng.normal(2), torch.tensor([[2.0, 1.2], [1.2, 1.0]], device=rng.device), 600),
        "n = 492 points, D = 2, uncorrelated": posed(student, rng.normal(2), torch.diag(rng.uniform(2, low=0.3, high=3.0)), 492),
        "n = 480 points, D = 2, standard": posed(student, torch.zeros(2, device=rng.device), torch.eye(2, device=rng.device), 480),
        "n = 504 points, D = 3, mean of hundreds": posed(student, 300 + rng.normal(3), rng.spd(3), 504),
        "n = 480 points, D = 2, stretched": posed(student, rng.normal(2), stretched, 480),
        "n = 528 points, D = 3, in float64": posed(student, rng.normal(3, dtype=torch.float64), rng.spd(3).double(), 528),
    }
