"""Question 7: cross-entropy and KL, binary NLL, ridge regression as MAP, generative classifiers, parameter counts."""

import torch
from torch.nn import functional as F

from autograder.probes import Close, Exact, Question

question = Question(
    title="What maximum likelihood minimises, and closed forms the machine can check",
    skills=["1.07", "1.10", "1.11", "1.12"],
    aim=(
        "Derive the identities behind common losses (NLL, cross-entropy, KL, L2 penalty, softmax classifiers) and "
        "give each result as a function."
    ),
    hints={"cross_entropy": [
        "Start with one-line checks of your own: KL(p, p) = 0; a logit of 0 costs ln 2 whatever the target; with a "
        "huge prior variance ridge regression is least squares; with equal means the posterior is the prior; a chain "
        "with memory D - 1 has prod(k) - 1 parameters.",
        "`torch.xlogy(a, b)` is a·log b with 0 for a = 0. `F.softplus(a)` is log(1 + e^a), stable. Ridge: subtract "
        "the means of x and y, solve the D×D system for w, then the bias. λ: multiply (7.4) by the number that makes "
        "its first term that of (7.5).",
        "BCE: (1 - t)·softplus(a) + t·softplus(-a), sum over axis 1, then mean. Ridge: (XᵀX/σ² + I/τ²) w = Xᵀy/σ² "
        "with centred X and y; b = ȳ - x̄·w. Gaussians: W has the rows Σ⁻¹μ_k, and b_k = log π_k - ½ μ_k·(row k of "
        "W). Parameters: the i-th table has as many rows as the product of the cardinalities in the slice [max(0, i "
        "- m) : i], each with k_i - 1 numbers.",
    ]},
    ambiguities=[
        "Library calls (F.binary_cross_entropy_with_logits, torch.distributions, torch.linalg.lstsq) are accepted.",
        "W and b of gaussians_to_softmax are judged up to what softmax does not see: a shift common to all classes.",
        "num_parameters must be a Python int, because exact numbers beyond 2**63 are tested.",
    ],
)


@question.probe(points=0.5, title="cross-entropy and KL of positive distributions", public=True)
def divergences(student, rng):
    n, k = rng.integer(2, 6), rng.integer(3, 8)
    p, q, one = rng.simplex(n, k), rng.simplex(n, k), rng.simplex(k)
    return {
        "cross_entropy": student.cross_entropy(p, q),
        "kl_divergence": student.kl_divergence(p, q),
        "one pair, kl_divergence": student.kl_divergence(p[0], q[0]),
        "broadcast, kl_divergence": student.kl_divergence(p[:, None], torch.stack([one, q[0]])),
        "broadcast, cross_entropy": student.cross_entropy(torch.stack([one, p[0]])[:, None], q),
        "axes of length 1, cross_entropy": student.cross_entropy(p[:1, None], q[:1, None]),
    }


@question.probe(points=0.5, title="cross-entropy and KL with exact zeros")
def zeros(student, rng):
    k = rng.integer(4, 8)
    p, q = rng.simplex(3, k), rng.simplex(3, k)
    empty = rng.integer(0, k)
    p[0, empty] = 0  # p = 0 < q
    p[1, empty] = q[1, empty] = 0  # both zero
    q[2, empty] = 0  # q = 0 < p
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    point = F.one_hot(rng.integers(0, k, 2), k).double()
    tiny = rng.simplex(k, dtype=torch.float64) * 1e-15
    tiny[empty] = 1 - (tiny.sum() - tiny[empty])
    small = tiny * 1e-14 / tiny.min()
    small[empty] = 1
    return {
        "cross_entropy": student.cross_entropy(p, q),
        "kl_divergence": student.kl_divergence(p, q),
        "one-hot, cross_entropy": student.cross_entropy(point, rng.simplex(k, dtype=torch.float64)),
        "one-hot, kl_divergence": student.kl_divergence(point, rng.simplex(k, dtype=torch.float64)),
        "tiny q, cross_entropy": student.cross_entropy(rng.simplex(k, dtype=torch.float64), tiny),
        "tiny q, kl_divergence": student.kl_divergence(rng.simplex(k, dtype=torch.float64), small),
        "tiny p, q zero": student.cross_entropy(tiny, F.one_hot(torch.tensor(empty, device=rng.device), k).double()),
        "tiny p, q zero, kl_divergence": student.kl_divergence(
            tiny, F.one_hot(torch.tensor(empty, device=rng.device), k).double()
        ),
        "one value": student.kl_divergence(torch.ones(2, 1, device=rng.device), torch.ones(1, 1, device=rng.device)),
    }


@question.probe(points=0.5, title="binary NLL with hard and soft targets", public=True)
def binary(student, rng):
    n, d = rng.integer(2, 6), rng.integer(7, 11)
    logits = 2 * rng.normal(n, d)
    return {
        "hard targets": student.bernoulli_nll(logits, rng.bernoulli(n, d)),
        "soft targets": student.bernoulli_nll(logits, rng.uniform(n, d)),
        "one example": student.bernoulli_nll(logits[:1].double(), rng.uniform(1, d, dtype=torch.float64)),
        "one dimension": student.bernoulli_nll(logits[:, :1], rng.uniform(n, 1)),
    }


@question.probe(points=0.5, title="binary NLL far from zero, and its gradient, also at zero")
def binary_far(student, rng):
    n, d = rng.integer(2, 5), rng.integer(5, 8)
    size = torch.linspace(-1010, 1010, d, device=rng.device)[rng.permutation(d)]
    logits = (size + rng.normal(n, d)).requires_grad_(True)
    near = torch.linspace(-7, 7, d, device=rng.device) + rng.normal(n, d)
    near[:, 1] = 0
    near.requires_grad_(True)
    far_loss = student.bernoulli_nll(logits, rng.bernoulli(n, d))
    near_loss = student.bernoulli_nll(near, rng.uniform(n, d))
    confident = torch.full((n, d), 25.0, device=rng.device)  # right, and sure: the loss is tiny but not zero
    return {
        "far": far_loss,
        "far, gradient": slope(far_loss, logits),
        "soft, gradient": slope(near_loss, near),
        "times 1e9": 1e9 * student.bernoulli_nll(confident, torch.ones_like(confident)),
    }


def slope(loss, logits):
    """The gradient, or an error that a student understands."""
    if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
        raise ValueError(
            "the result carries no gradient: compute with torch operations, without .item(), .detach() or NumPy"
        )
    return torch.autograd.grad(loss.sum(), logits)[0]


@question.probe(points=1, title="ridge regression", judge=Close(rtol=1e-3, atol=1e-4))
def ridge(student, rng):
    n, d = rng.integer(9, 14), rng.integer(2, 5)
    size = torch.logspace(-0.7, 1.3, d, dtype=torch.float64, device=rng.device)
    x = size * (rng.normal(n, d, dtype=torch.float64) + rng.normal(d, dtype=torch.float64))
    y = (
        (x / size) @ rng.normal(d, dtype=torch.float64)
        + 3
        + rng.number(0, 2)
        + 0.5 * rng.normal(n, dtype=torch.float64)
    )
    w, b = student.ridge_map(x, y, rng.number(0.3, 0.8), rng.number(0.1, 0.25))
    strong, level = student.ridge_map(x.float(), y.float(), rng.number(2, 4), 0.01)
    return {"w": w, "b": b, "strong prior, w": strong, "strong prior, b": level}


@question.probe(
    points=0.5,
    title="ridge regression: more weights than examples, one example, one weight, far from zero",
    judge=Close(rtol=1e-3, atol=1e-4),
)
def ridge_thin(student, rng):
    n, d = rng.integer(2, 4), rng.integer(5, 8)
    wide = rng.normal(n, d, dtype=torch.float64)
    single = rng.normal(1, d, dtype=torch.float64)
    far = 1e3 * (1 + rng.uniform(1, dtype=torch.float64)) + rng.normal(8, 1, dtype=torch.float64)
    x, w = rng.normal(14, 6), (2 * rng.bernoulli(6) - 1) * rng.uniform(6, low=0.5, high=1.5)
    return {
        "wide": list(student.ridge_map(wide, 1 + rng.normal(n, dtype=torch.float64), 0.5, 2.0)),
        "one example": list(student.ridge_map(single, 2 + rng.normal(1, dtype=torch.float64), 0.5, 2.0)),
        "one weight, far": list(student.ridge_map(far, 500 + rng.normal(8, dtype=torch.float64), 0.7, 0.6)),
        "float32, far: w": student.ridge_map(
            x + rng.uniform(6, low=130, high=170), x @ w + 100 + rng.normal(14), 0.7, 0.6
        )[0],
    }


@question.probe(points=0.5, title="the L2 coefficient of a mean loss", judge=Close(rtol=1e-4, atol=1e-9))
def coefficient(student, rng):
    noise, prior = rng.number(0.3, 0.9), rng.number(1.5, 4)
    return [student.l2_coefficient(noise, prior, n) for n in (1, rng.integer(2, 9), rng.integer(500, 3000))]


def shared_cov(rng, d):
    """A covariance with clearly different variances and correlations."""
    return rng.spd(d, 0.3, 2.5, dtype=torch.float64)


@question.probe(points=1, title="posterior of Gaussian classes as a softmax", judge=Close(rtol=1e-3, atol=1e-4))
def generative(student, rng):
    parts = {}
    for name, k, d, dtype, unit in (
        ("several", rng.integer(3, 6), rng.integer(2, 5), torch.float64, 0.01),
        ("two classes, one dimension", 2, 1, torch.float32, 1.0),
        ("one class", 1, 2, torch.float64, 1.0),
    ):
        log_prior = rng.simplex(k, dtype=torch.float64).log()
        means, cov = 1.5 * rng.normal(k, d, dtype=torch.float64) + 1, shared_cov(rng, d)
        weights, bias = student.gaussians_to_softmax(
            log_prior.to(dtype), (unit * means).to(dtype), (unit**2 * cov).to(dtype)
        )
        if tuple(weights.shape) != (k, d) or tuple(bias.shape) != (k,):
            raise ValueError(f"W has shape {tuple(weights.shape)} and b {tuple(bias.shape)}; expected (K, D) and (K,)")
        parts[f"{name}: W minus its mean row"] = weights - weights.mean(0)
        parts[f"{name}: b minus its mean"] = bias - bias.mean()
    return parts


@question.probe(
    points=0.5, title="naive Bayes, with few and with thousands of pixels", judge=Close(rtol=1e-3, atol=1e-3)
)
def naive_bayes(student, rng):
    parts = {}
    for name, n, k, d in (
        ("few pixels", rng.integer(2, 6), rng.integer(3, 6), rng.integer(3, 6)),
        ("few pixels, float32", rng.integer(2, 6), rng.integer(3, 6), rng.integer(3, 6)),
        ("many pixels", rng.integer(2, 6), rng.integer(3, 6), 2500),
        ("rare pixels", rng.integer(2, 6), rng.integer(3, 6), rng.integer(3, 6)),
        ("one example", 1, 2, 4),
        ("one class", 2, 1, 3),
    ):
        theta = rng.uniform(k, d, low=0.05, high=0.95, dtype=torch.float64)
        if name == "rare pixels":  # numbers that float32 can hold
            theta[:, 0] = 1e-14 * (1 + rng.permutation(k))
            theta[:, 1] = 1 - 2.0**-21 * (1 + rng.permutation(k))
        if name == "many pixels":
            theta[:, :200] = 0.001
        x = (rng.uniform(n, d, dtype=torch.float64) < theta[rng.integers(0, k, n)]).double()  # typical of one class
        if name == "rare pixels":
            x[0, 0], x[1, 1] = 1, 0
        if name == "many pixels":
            x[0, :200] = 1  # unlikely under all classes: far below the other examples
        dtype = torch.float32 if "float32" in name else torch.float64
        parts[name] = student.naive_bayes_log_posterior(x.to(dtype), rng.simplex(k, dtype=dtype).log(), theta.to(dtype))
    return parts


@question.probe(points=0.5, title="parameter counts", judge=Exact(), public=True)
def counting(student, rng):
    sizes = [rng.integer(2, 6) for _ in range(rng.integer(4, 7))]
    sizes[1] = sizes[0] + 2
    counts = {f"memory {m}": student.num_parameters(sizes, m) for m in (0, 1, 2, len(sizes) - 1, len(sizes) + 3)}
    counts["one variable"] = [student.num_parameters([7], m) for m in (0, 2)]
    counts["a variable with one value"] = student.num_parameters([3, 1, 4], 1)
    many = [rng.choice([3, 5, 7]) for _ in range(rng.integer(70, 90))]
    counts["beyond 64 bits"] = [str(student.num_parameters(many, m)) for m in (50, 99)]
    return counts
