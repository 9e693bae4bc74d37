"""Question 7: importance weights of a VAE's draws, the IWAE bound, effective draws, and what the width of q costs."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, gradient, named, tensor_of, with_right

from .models import Bent, Moody, Only, counts

question = Question(
    title="Tighter bounds",
    uses=["reparameterise", "kl_monte_carlo"],
    figures_of=["q05_vae"],
    skills=["2.15", "2.16"],
    lecture="the ELBO and variational autoencoders",
    run_seconds=15,
    aim=(
        "Turn the draws of a VAE into a bound that rises with their number, learn when the estimate of log p(x) is not to be "
        "trusted, and see that the best q for the ELBO is not the best one to estimate with."
    ),
    hints={
        "log_weights": (
            "Three densities make up a weight. Which of them does `log_likelihood` give, and which two have you subtracted from each other before?",
            "Two draws for three images are six codes: (draw 0, image 0), (0, 1), (0, 2), (1, 0), … In which order must the images be repeated?",
            "`flatten(0, 1)` makes one axis of draws and images, `reshape(M, N)` takes it apart. `kl_monte_carlo` has the shape (M, N) already.",
        ),
        "iwae_bound": (
            "You have logarithms, and need the logarithm of a mean. What does -1000 become after exp?",
            "Weights 1 and 3 give log 2 with one block, and ½ log 3 with size=1. Does yours?",
            "`logsumexp` over the draws of a block, and one constant. `reshape(-1, size, N)` makes the blocks; over which axis is the mean of bounds?",
        ),
        "effective_draws": (
            "What happens to (7.3) if all weights of an example are multiplied by 1000?",
            "The weights 1 and 3 have the shares ¼ and ¾: 1.6 effective draws. Which sum gives 1.6?",
            "Shares sum to one over the draws; some function of torch turns logarithms into shares without overflow.",
        ),
        "expected_share": (
            "Under q, what is the average of p(z | x)²/q(z)²? Write it as one integral over z.",
            "With v = 1: p²/q is proportional to exp(-z² + z²/(2r)). For which r does it have a finite integral?",
            "A Gaussian integral: exp(-a z²/2) gives √(2π/a). Here a = 2 - 1/r. Then turn the result over, and multiply over the latents.",
        ),
    },
    ambiguities=[
        "log_likelihood may be called once with B = M·N, or for each draw with B = N.",
        "log q may be computed from eps, from z, or by torch.distributions; log-variances of the tests are above -7, except in float64.",
        "iwae_bound is tested with divisors only. Gradients of effective_draws and expected_share are not tested.",
    ],
)

WIDE = torch.float64
NEAR = Close(rtol=2e-4, atol=1e-4)


# --- log_weights ------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="log_weights: several draws for each image", public=True, judge=Fields(default=NEAR))
def weights(student, rng):
    d, k, m, n = rng.integer(7, 10), rng.integer(2, 4), 4, rng.integer(5, 7)
    model, x, eps = Bent(rng, d, k), rng.bernoulli(n, d), rng.normal(m, n, k)
    return {"ordinary": entry("`log_weights`", lambda: student.log_weights(model, x, eps))}


@question.probe(
    points=2.5, title="log_weights: another likelihood, sizes, narrow and wide q, extremes, float64, gradients, the model afterwards",
    judge=Fields(dict.fromkeys(("in float64", "a very narrow q, in float64", "a very wide q, in float64"), Close(rtol=1e-9, atol=1e-9)), default=NEAR),
)
def weights_edges(student, rng):
    d, k, m, n = rng.integer(8, 11), rng.integer(3, 5), 5, 6
    model, x, eps = Bent(rng, d, k), rng.bernoulli(n, d), rng.normal(m, n, k)
    mild, numbers = Bent(rng, d, k, gain=0.3), rng.integers(0, 5, n, d).float()
    cube, moody = Bent(rng, 4, 4), Moody(rng, d, k)
    narrow, wide, sure = Bent(rng, d, k, shift=-5.0, spread=0.5), Bent(rng, d, k, shift=2.0), Bent(rng, d, k, gain=200.0)
    thin, vast = (Bent(rng, d, k, shift=shift, spread=0.5).double() for shift in (-30.0, 12.0))
    line, pixel = Bent(rng, d, 1), Bent(rng, 1, 2)
    factor = rng.uniform(m, n, low=0.5, high=1.5)

    def ask(*arguments):
        return entry("`log_weights`", lambda: student.log_weights(*arguments))

    def slopes():
        parts = {"weights of the mean": model.to_mean, "weights of the log-variance": model.to_logvar, "weights of the logits": model.to_logits}
        found = factor * tensor_of(student.log_weights(model, x, eps), "the result", (m, n))
        if not found.requires_grad:
            gradient("the result", found)  # which says so
        grads = torch.autograd.grad(found.sum(), list(parts.values()), allow_unused=True)
        return {
            key: f"the result does not depend on {key} through torch operations, so it has no gradient there." if grad is None else grad
            for key, grad in zip(parts, grads)
        }

    def afterwards():
        """What the model makes of codes once the answer has had it, in either mode."""
        modes = {"in training mode": True, "in evaluation mode": False}
        parts = {}
        for words, training in modes.items():
            student.log_weights(moody.train(training), x, eps)
            parts[words] = moody.decode(eps[0])
        return parts

    return {
        "another likelihood": ask(mild, numbers, eps, counts),
        "a model with `encode` and `decode` alone": ask(Only(model), x, 0.5 * eps),
        "as many draws as images, pixels and latents": ask(cube, rng.bernoulli(4, 4), rng.normal(4, 4, 4)),
        "one draw": ask(model, x, eps[:1]),
        "one image": ask(model, x[:1], eps[:, :1]),
        "one latent": ask(line, x, rng.normal(m, n, 1)),
        "one pixel": ask(pixel, rng.bernoulli(n, 1), rng.normal(m, n, 2)),
        "without noise": ask(model, x, 0 * eps),
        "a narrow q": ask(narrow, x, eps),
        "a wide q": ask(wide, x, 2 * eps),
        "weights near exp(-1000)": ask(sure, x, eps),
        "in float64": ask(Bent(rng, d, k).double(), x.double(), eps.double()),
        "a very narrow q, in float64": ask(thin, x.double(), eps.double()),
        "a very wide q, in float64": ask(vast, x.double(), eps.double()),
        "gradient": entry("`log_weights`", slopes),
        "the model afterwards": entry("`log_weights`", afterwards),
    }


# --- iwae_bound -------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="iwae_bound: one block, and several", public=True, judge=Fields(default=Close()))
def bound(student, rng):
    n = rng.integer(4, 7)
    w = 2 * rng.normal(6, n) - 5
    return {
        "one block of all draws": entry("`iwae_bound`", lambda: student.iwae_bound(w)),
        "blocks of two draws": entry("`iwae_bound`", lambda: student.iwae_bound(w, 2)),
    }


@question.probe(
    points=2, title="iwae_bound: sizes, weights of any size, float64, gradients",
    judge=Fields({
        # the logarithm of M may be a float32 constant, the weights may not
        "in float64, near -1000": Close(rtol=0, atol=1e-6), "gradient in blocks, values near -1000": Close(rtol=2e-3, atol=1e-5),
    }, default=Close()),
)
def bound_edges(student, rng):
    n = rng.integer(4, 7)
    w = 2 * rng.normal(12, n) - 3
    apart = 150 * rng.normal(12, n)
    levels = rng.normal(12, n) + 400 * (torch.arange(n, device=rng.device) - 2)

    def ask(w, size=None):
        return entry("`iwae_bound`", lambda: student.iwae_bound(w, size))

    def slope(shift, size):
        """By leaves, each weighted, so that examples are told apart."""
        leaf = (w + shift).requires_grad_()
        factor = rng.uniform(n, low=0.5, high=1.5)
        found = tensor_of(student.iwae_bound(leaf, size), "the result", (n,))
        return gradient("the result", factor * found, log_weights=leaf)[0]

    return {
        "blocks of one draw": ask(w, 1),
        "blocks of three draws": ask(w, 3),
        "blocks of six draws": ask(w, 6),
        "size is M": ask(w, 12),
        "one draw": ask(w[:1]),
        "one example": entry("`iwae_bound`", lambda: [student.iwae_bound(w[:, :1], size) for size in (None, 2, 4)]),
        "as many draws as examples": ask(w[:n]),
        "all weights equal": ask(w[:1].expand(12, n) - 30),
        "values near -1000": ask(w - 1000, 4),
        "values near 1000": ask(w + 1000),
        "values near 0.001": ask(0.001 * w, 6),
        "weights hundreds of nats apart": ask(apart),
        "weights hundreds of nats apart, in blocks": ask(apart, 4),
        "examples hundreds of nats apart": ask(levels, 4),
        "in float64, near -1000": ask(w.double() - 1000.1, 4),
        "gradient": entry("`iwae_bound`", lambda: slope(0.0, None)),
        "gradient in blocks, values near -1000": entry("`iwae_bound`", lambda: slope(-1000.0, 4)),
    }


# --- effective_draws --------------------------------------------------------------------------------------------


def bound_of(log_weights, size=None):
    """(7.2) in blocks."""
    size = len(log_weights) if size is None else size
    blocks = log_weights.reshape(-1, size, log_weights.shape[1])
    return (blocks.logsumexp(1) - math.log(size)).mean(0)


# where the logarithms themselves are rounded to 1e-4
LARGE = ("weights hundreds of nats apart", "values near -1000", "values near 1000", "examples hundreds of nats apart")


def counted(student, w):
    """Both results by name."""
    function = with_right(student.effective_draws, iwae_bound=bound_of)
    return entry("`effective_draws`", lambda: named(function(w), "effective draws", "largest share"))


@question.probe(points=0, title="effective_draws: ordinary weights, with your `iwae_bound` if you call it", public=True, judge=Fields(default=Close()))
def effective(student, rng):
    w = rng.normal(rng.integer(7, 10), rng.integer(4, 7))
    return {"ordinary": entry("`effective_draws`", lambda: named(student.effective_draws(w), "effective draws", "largest share"))}


@question.probe(
    points=2, title="effective_draws: equal and unequal weights, one draw, any size, float64",
    judge=Fields({"in float64": Close(rtol=1e-11, atol=1e-11)} | dict.fromkeys(LARGE, Close(rtol=2e-3, atol=1e-5)), default=Close()),
)
def effective_edges(student, rng):
    n = rng.integer(4, 7)
    w = rng.normal(9, n)
    heights = 400 * (torch.arange(n, device=rng.device) - 2.0)
    heights[-2] = heights[-1] - 60  # where squares vanish, but not the weights
    decided = w.clone()
    decided[rng.permutation(9)[:n], torch.arange(n, device=rng.device)] += 6 + 3 * rng.uniform(n)
    return {
        "nearly equal weights": counted(student, 0.1 * w),
        "all weights equal": counted(student, 0 * w - 2),
        "one weight decides": counted(student, decided),
        "weights hundreds of nats apart": counted(student, 200 * w),
        "values near -1000": counted(student, w - 1000),
        "values near 1000": counted(student, w + 1000),
        "examples hundreds of nats apart": counted(student, w + heights),
        "one draw": counted(student, w[:1]),
        "two draws": counted(student, w[:2]),
        "one example": counted(student, w[:, :1]),
        "as many draws as examples": counted(student, w[:n]),
        "in float64": counted(student, w.double() - 0.1),
    }


# --- expected_share ---------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="expected_share: one latent, and several", public=True, judge=Fields(default=Close()))
def share(student, rng):
    return {
        "one latent, too wide": entry("`expected_share`", lambda: student.expected_share(rng.uniform(5, 1, low=1.2, high=4))),
        "several latents, too narrow": entry("`expected_share`", lambda: student.expected_share(rng.uniform(4, 3, low=0.55, high=0.95))),
    }


@question.probe(
    points=2, title="expected_share: infinite variance, the exact width, very wide, shapes, float64",
    judge=Fields({"in float64": Close(rtol=1e-11, atol=1e-11)}, default=Close()),
)
def share_edges(student, rng):
    def ask(ratio):
        return entry("`expected_share`", lambda: student.expected_share(ratio))

    k = rng.integer(3, 5)
    mixed = torch.cat([rng.uniform(4, 1, low=0.05, high=0.45), rng.uniform(4, k, low=0.7, high=2)], 1)
    some = torch.cat([mixed[:2].flip(1), rng.uniform(4, k + 1, low=0.7, high=2)])
    two = torch.cat([rng.uniform(3, 2, low=0.05, high=0.45), rng.uniform(3, k - 1, low=0.7, high=2)], 1)
    line = torch.cat([rng.uniform(2, 1, low=low, high=high) for low, high in ((0.05, 0.24), (0.26, 0.49), (0.55, 0.9), (1.2, 3))])[rng.permutation(8)]
    edge = torch.cat([torch.tensor([[0.5], [0.5], [0.5]], device=rng.device), rng.uniform(3, 1, low=0.52, high=0.6)])
    return {
        "one latent of several too narrow, in some rows": ask(some),
        "two latents of several too narrow, in some rows": ask(torch.cat([two, some[-2:]])),
        "one latent, from too narrow to wide": ask(line),
        "r = 1/2, and just above": ask(edge),
        "hardly any width": ask(rng.uniform(4, 1, low=1e-6, high=1e-5)),
        "r = 1 in all but one latent": ask(torch.cat([torch.ones(4, k, device=rng.device), rng.uniform(4, 1, low=0.6, high=3)], 1)),
        "very wide": ask(rng.uniform(4, 2, low=20, high=90)),
        "many latents": ask(rng.uniform(3, 40, low=0.8, high=1.3)),
        "as many rows as latents": ask(rng.uniform(k, k, low=0.6, high=2)),
        "three axes": ask(rng.uniform(2, 3, k, low=0.6, high=2)),
        "single vectors, of shape (k,)": entry("`expected_share`", lambda: [student.expected_share(rng.uniform(k, low=0.6, high=2)) for _ in range(3)]),
        "in float64": ask(rng.uniform(4, k, low=0.6, high=2, dtype=WIDE)),
    }
