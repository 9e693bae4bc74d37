"""Question 10: fully visible autoregressive models, Monte Carlo likelihoods, and the order of factorisation."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from autograder.probes import Close, Question

from ..shared.bits import not_bits, strings, wrong_bits

question = Question(
    title="Fully visible autoregressive models",
    skills=["1.13", "1.24", "1.31"],
    uses=["log_mean_exp"],
    manual_points=2,
    rubric=[
        "1 point: the chain rule is an identity that holds for every order (each factor is a ratio of marginals of "
        "the same p), so with unrestricted conditionals each order describes every distribution.",
        "1 point: a family restricts the conditionals, and a reversed conditional may leave it; a correct concrete "
        "example that says what cannot be represented (Gaussian conditionals with a nonlinear mean; a Markov chain "
        "whose variables are visited in another order; an FVSBN of 4 or more bits). No point for XOR in an FVSBN (no "
        "order represents it), nor for an FVSBN of 3 or fewer bits (all orders are equivalent), nor for linear "
        "Gaussians.",
    ],
    aim=(
        "Evaluate, sample and fit an autoregressive model of bits; estimate a marginal likelihood without spoiling "
        "it; see that the order of a factorisation restricts a family."
    ),
    hints={"fvsbn_log_prob": [
        "Take D = 2 and write the four probabilities down: they must sum to one. Row i of `weights` belongs to the "
        "logit of x_i, and the matrix that you multiply with must be zero on and above the diagonal.",
        "`weights.tril(-1)` keeps what is strictly below the diagonal, and `x @ matrix.T` gives all logits at once. "
        "Sampling needs a loop over the dimensions, and the logit of x_i is computed from the *bits* drawn so far. "
        "For the Monte Carlo estimate give `x` an axis of length 1 for the draws, and think about which of log and "
        "mean comes first.",
        "log p = `F.logsigmoid((2 * x - 1) * logits).sum(-1)`. In the fit, `residual = x - p`; the gradient of the "
        "weights is `residual.T @ x / N`, strictly below the diagonal. Monte Carlo: `log_mean_exp` over axis 1 of "
        "`log_likelihood(x[:, None], z)`. For the pair: in (10.8), a mean that is linear and a constant standard "
        "deviation leave the exponent quadratic. Any bend in the mean does not.",
    ]},
    ambiguities=[
        "Bits may come back as floats, integers or booleans.",
        "fit_fvsbn may use another optimiser: the grader evaluates the returned weights itself and asks for a "
        "likelihood as good as that of plain gradient ascent (0.02 nats of slack; 0.001 for data whose best fit is "
        "the start, zero).",
        "Samples are judged bit by bit, given the earlier bits of the same row; where a uniform number is as close "
        "to the probability p as rounding allows (1e-4 p (1 - p) + 2e-7 in float32, 1e-12 in float64) both values "
        "are accepted, except that a uniform number of 0 must give a 1 and a uniform number of 1 a 0.",
        "`log_marginal_mc` need not be differentiable.",
    ],
)


def parameters(rng, d, scale=1.5, dtype=torch.float32):
    """Weights with numbers everywhere, also where they must not matter, and biases."""
    return rng.normal(d, d, std=scale, dtype=dtype), rng.normal(d, dtype=dtype)


# --- the FVSBN --------------------------------------------------------------------------------------------------


@question.probe(points=1, title="log-probabilities of an FVSBN", public=True)
def log_probs(student, rng):
    n, d = rng.integer(3, 7), rng.integer(3, 7)
    weights, biases = parameters(rng, d)
    return {
        "a batch": student.fvsbn_log_prob(rng.bernoulli(n, d), weights, biases),
        "one example": student.fvsbn_log_prob(rng.bernoulli(1, d), weights, biases),
        "D = 1": student.fvsbn_log_prob(torch.tensor([[0.0], [1.0]], device=rng.device), *parameters(rng, 1)),
        "weights zero": student.fvsbn_log_prob(rng.bernoulli(n, d), 0 * weights, biases),
    }


def normalisation_judge(evidence, expected, context):
    """all 2^D probabilities sum to one, and each is close to the reference's"""
    if not isinstance(evidence, list) or len(evidence) != len(expected):
        return "the answer has an unexpected form."
    for got, want in zip(evidence, expected):
        got = np.asarray(got, dtype=float)
        if got.shape == want.shape and np.isfinite(got).all():
            total = float(np.exp(np.minimum(got, 50)).sum())
            if abs(total - 1) > 1e-3:
                d = int(math.log2(len(want)))
                return f"the probabilities of all 2^{d} binary vectors of length {d} sum to {total:.4g}, not to 1."
    return Close()(evidence, expected, context)


@question.probe(points=0.5, title="the probabilities of all binary vectors sum to one", judge=normalisation_judge)
def all_strings(student, rng):
    found = []
    for d in (2, rng.integer(3, 6), rng.integer(6, 9)):
        found.append(student.fvsbn_log_prob(strings(d, rng.device), *parameters(rng, d)))
    return found


@question.probe(points=0.5, title="logits far from zero, and float64", judge=Close(rtol=1e-4, atol=1e-3))
def extremes(student, rng):
    n, d = rng.integer(4, 7), rng.integer(3, 6)
    x = rng.bernoulli(n, d)
    weights, biases = parameters(rng, d, scale=300.0)
    wide, wide_biases = parameters(rng, d, dtype=torch.float64)
    one, other = (student.fvsbn_log_prob(x.double(), wide, wide_biases + step) for step in (0, 1e-9))
    zeros, signs, walls = (
        torch.zeros_like(weights),
        torch.sign(rng.normal(d)),
        1e30 * torch.sign(rng.normal(d, d)).triu(),
    )
    signs[0] = 1  # where a sigmoid is rounded to 1
    both = torch.cat([x, 1 - x])  # each bit is once what its bias wants, and once the opposite
    return {
        "large weights": student.fvsbn_log_prob(x, weights, 1000 * biases),
        "biases of 40": student.fvsbn_log_prob(both, zeros, 40 * signs),
        "biases of 1000": student.fvsbn_log_prob(both, zeros, 1000 * signs),
        "1e30 on and above the diagonal": student.fvsbn_log_prob(x, (weights / 300).tril(-1) + walls, biases),
        "float64": one,
        "float64, biases changed by 1e-9, the change times 1e9": 1e9 * (other - one),
    }


@question.probe(points=0.5, title="gradients in weights and biases, also for large logits")
def gradients(student, rng):
    n, d = rng.integer(3, 6), rng.integer(3, 6)
    found = []
    for scale, offset in ((1.5, 1.0), (300.0, 1000.0)):
        weights, biases = parameters(rng, d, scale)
        weights, biases = weights.requires_grad_(True), (offset * biases).requires_grad_(True)
        x, factor = rng.bernoulli(n, d), 1 + rng.uniform(n)
        value = student.fvsbn_log_prob(x, weights, biases)
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            raise ValueError(
                "the result carries no gradient: compute with torch operations, without .item(), .detach() or NumPy"
            )
        found += [value, *torch.autograd.grad((factor * value).sum(), (weights, biases), allow_unused=False)]
    return found


def close_calls(rng):
    """A float64 model and two rows of uniforms: the first two bits are forced, the others 1e-9 below and above their probability."""
    wide = torch.float64
    weights, bits, near = (
        rng.normal(6, 6, dtype=wide),
        rng.bernoulli(2, dtype=wide),
        rng.uniform(4, low=0.2, high=0.8, dtype=wide),
    )
    weights -= weights.tril(-1) * (torch.arange(6, device=rng.device) >= 2)  # only the forced bits matter
    biases = torch.cat([rng.normal(2, dtype=wide), torch.logit(near) - weights[2:, :2] @ bits])
    return weights, biases, torch.stack([torch.cat([1 - bits, near + step]) for step in (-1e-9, 1e-9)])


def sampling_inputs(rng):
    """(weights, biases, uniforms) of several models; the last have probabilities near 0 and 1, and uniforms there."""
    cases = []
    for n, d in ((rng.integer(24, 32), rng.integer(5, 8)), (12, 2), (5, 1), (1, 6), (8, 12)):
        cases.append((*parameters(rng, d, scale=2.5), rng.uniform(n, d)))
    wide = torch.float64
    cases.append((*parameters(rng, 4, dtype=wide), rng.uniform(6, 4, dtype=wide)))
    cases.append(close_calls(rng))
    biases = torch.tensor([10.0, -10.0, 100.0, -16.0, 16.0], device=rng.device)[rng.permutation(5)]
    edges = torch.tensor([0.0, 1e-6, 7e-5, 1 - 7e-5, 1 - 1e-6, 1.0], device=rng.device)
    uniforms = torch.stack([edges[rng.permutation(6)] for _ in range(5)], 1)
    cases.append((rng.normal(5, 5, std=0.3), biases, uniforms))
    return cases


def sampling_judge(evidence, expected, context):
    """each bit is 1 exactly if its uniform number is below its probability, given the earlier bits of the same sample"""
    cases = sampling_inputs(context.rng())
    if not isinstance(evidence, dict) or set(evidence) != set(expected) or len(evidence["samples"]) != len(cases):
        return "the answer has an unexpected form."
    for got, case in zip(evidence["samples"], cases):
        wide = case[2].dtype == torch.float64
        weights, biases, uniforms = (value.cpu().double().numpy() for value in case)
        got = np.asarray(got, dtype=float)
        problem = not_bits(got, uniforms.shape)
        if problem:
            return problem
        logits = biases + got @ np.tril(weights, -1).T
        p_one = 1 / (1 + np.exp(-logits))
        rounding = 1e-12 if wide else 1e-4 * p_one * (1 - p_one) + 2e-7
        wrong = wrong_bits(got, uniforms, p_one, rounding)
        if wrong.any():
            n, i = (int(k) for k in np.argwhere(wrong)[np.argwhere(wrong)[:, 1].argmin()])
            given = f" given x_1..x_{i} = {got[n, :i].astype(int).tolist()}" if i else ""
            if abs(uniforms[n, i] - p_one[n, i]) < 2e-9:
                return (
                    "in float64 a bit is wrong whose uniform number is 1e-9 from its probability: something is "
                    "rounded to float32."
                )
            return (
                f"with u = {uniforms[n, i]:.5g} for x_{i + 1} and P(x_{i + 1} = 1{given}) = {p_one[n, i]:.5g}, "
                f"the bit must be {int(uniforms[n, i] < p_one[n, i])}, but it is {int(got[n, i])}."
            )
    if not evidence["gradients are on"]:
        return "after `sample_fvsbn` autograd is switched off for everything that follows."
    return True


@question.probe(points=1, title="ancestral samples from given uniform numbers", judge=sampling_judge, public=True)
def samples(student, rng):
    drawn = [student.sample_fvsbn(*case) for case in sampling_inputs(rng)]
    return {"samples": drawn, "gradients are on": torch.is_grad_enabled()}


def fit_data(rng):
    """(x, steps, learning rate, slack): bits that depend on the two before them (the last also on the second one), all
    binary vectors, whose best fit is the start, a single dimension, a single example.
    """
    n, d = rng.integer(80, 120), rng.integer(6, 9)
    x = rng.bernoulli(n, d, p=0.35)
    for i in range(2, d):
        copies = rng.bernoulli(n, p=0.6) > 0
        x[:, i] = torch.where(copies, (x[:, i - 1] - x[:, i - 2]).abs() if i == 3 else x[:, i - 1], x[:, i])
    x[:, -1] = torch.where(rng.bernoulli(n, p=0.7) > 0, x[:, 1], x[:, -1])
    x[:, 0] = rng.integer(0, 2)  # like a pixel at the border
    rare = torch.zeros(16, 1, dtype=torch.float64, device=rng.device)
    rare[rng.permutation(16)[:2]] = 1
    one = rng.bernoulli(1, 5, dtype=torch.float64)
    one[:, :2] = 1
    return [
        (x, 100, 0.5, 0.02),
        (strings(d, rng.device)[rng.permutation(2**d)], 3, 0.5, 0.001),
        (rare, 1, 1.0, 0.02),
        (one, 4, 0.8, 0.02),
    ]


def fit_nll(x, weights, biases):
    """Average negative log-likelihood, computed by the grader."""
    logits = biases + x @ np.tril(weights, -1).T
    return float(np.logaddexp(0, -(2 * x - 1) * logits).sum(1).mean())


def fit_judge(evidence, expected, context):
    """likelihood of the returned weights, computed by the grader, at most 0.02 nats worse than the reference's (0.001 where zero is best)"""
    if (
        not isinstance(evidence, dict)
        or set(evidence) != set(expected)
        or len(evidence["fits"]) != len(expected["fits"])
    ):
        return "the answer has an unexpected form."
    for got, want, (x, steps, _, slack) in zip(evidence["fits"], expected["fits"], fit_data(context.rng())):
        weights, biases = (np.asarray(value, dtype=float) for value in got)
        if weights.shape != want[0].shape or biases.shape != want[1].shape:
            return (
                f"got weights {weights.shape} and biases {biases.shape} where {want[0].shape} and {want[1].shape} are "
                "expected."
            )
        if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
            return "the fitted parameters are not finite."
        if np.triu(weights).any():
            return "the fitted weights are not zero on and above the diagonal."
        x = x.cpu().double().numpy()
        mine, best = fit_nll(x, weights, biases), fit_nll(x, *(value.astype(float) for value in want))
        start = x.shape[1] * math.log(2)
        if best > start - 1e-5 and mine > best + slack:
            return (
                f"all 2^{x.shape[1]} binary vectors, once each, are best described by weights and biases 0, where you "
                f"start; after {steps} steps the average NLL has grown from {start:.4f} to {mine:.4f} nats."
            )
        if mine > best + slack:
            return (
                f"after {steps} steps the average NLL is {mine:.3f} nats (it starts at {start:.3f}); correct steps "
                "reach a lower one."
            )
    if not any(np.any(np.asarray(value)) for value in evidence["beyond float32, times 1e8"]):
        return "the parameters fitted to float64 data are rounded to float32."
    if any(evidence["require gradients"]):
        return "the returned parameters still require gradients; return them detached."
    if not evidence["gradients are on"]:
        return "after `fit_fvsbn` autograd is switched off for everything that follows."
    return True


@question.probe(points=1, title="the fitted weights have a high likelihood", judge=fit_judge)
def fits(student, rng):
    found = [list(student.fit_fvsbn(*case)) for *case, _ in fit_data(rng)]
    return {
        "fits": found,
        "beyond float32, times 1e8": [1e8 * (value.double() - value.float().double()) for value in found[-1]],
        "require gradients": [bool(value.requires_grad) for pair in found for value in pair],
        "gradients are on": torch.is_grad_enabled(),
    }


# --- Monte Carlo ------------------------------------------------------------------------------------------------


def decoder(rng, d, latent, scale=1.0, dtype=torch.float32):
    """log p(x | z) of independent bits whose logits are linear in z."""
    matrix, offset = rng.normal(d, latent, std=scale, dtype=dtype), rng.normal(d, dtype=dtype)

    def log_likelihood(x, z):
        return F.logsigmoid((2 * x - 1) * (z @ matrix.T + offset)).sum(-1)

    return log_likelihood


@question.probe(points=0.5, title="Monte Carlo estimate of the marginal likelihood", public=True)
def monte_carlo(student, rng):
    n, s, d, latent = rng.integer(3, 6), rng.integer(7, 12), rng.integer(4, 7), rng.integer(2, 4)
    square = rng.integer(3, 6)
    return [
        student.log_marginal_mc(
            decoder(rng, d, latent), rng.bernoulli(n, d), rng.normal(n, 2 * s, latent)[:, :s]
        ),  # as in the notebook
        student.log_marginal_mc(decoder(rng, d, latent), rng.bernoulli(square, d), rng.normal(square, square, latent)),
    ]


def enumeration(rng):
    """A prior over 3 values of z, all pairs of draws, and the log-likelihood of one x."""
    prior, values, d = rng.simplex(3), rng.normal(3, 2, std=1.5), rng.integer(3, 6)
    log_likelihood, x = decoder(rng, d, 2), rng.bernoulli(1, d)
    pairs = torch.cartesian_prod(torch.arange(3), torch.arange(3)).to(rng.device)
    return prior, values, log_likelihood, x, pairs


def unbiased_judge(evidence, expected, context):
    """the expectation of the estimate over all draws is the exact probability, and single estimates agree with the reference's"""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    prior, values, log_likelihood, x, pairs = enumeration(context.rng())
    got = np.asarray(evidence["all draws of two"], dtype=float)
    if got.shape == (9,) and np.isfinite(got).all():
        exact = float((prior * log_likelihood(x, values).exp()).sum())
        mean = float((prior[pairs].prod(1).cpu().double().numpy() * np.exp(np.minimum(got, 50))).sum())
        if abs(mean / exact - 1) > 1e-3:
            return (
                f"the expectation of A(x) over all draws of z is {mean / exact:.4g} p(x), not p(x): the estimate is "
                "biased."
            )
    return Close(rtol=1e-4, atol=1e-4)(evidence, expected, context)


@question.probe(points=0.5, title="the estimate is unbiased, and survives tiny likelihoods", judge=unbiased_judge)
def monte_carlo_general(student, rng):
    _, values, log_likelihood, x, pairs = enumeration(rng)
    d, n = 40, rng.integer(2, 5)
    wide, bits, draws = (
        decoder(rng, 4, 2, dtype=torch.float64),
        rng.bernoulli(n, 4).double(),
        rng.normal(n, 5, 2, dtype=torch.float64),
    )
    one, other = (
        student.log_marginal_mc(lambda x, z: wide(x, z) + step * z[..., 0], bits, draws) for step in (0, 1e-9)
    )
    return {
        "all draws of two": student.log_marginal_mc(log_likelihood, x.expand(9, -1).contiguous(), values[pairs]),
        "tiny likelihoods": student.log_marginal_mc(
            decoder(rng, d, 3, scale=4e4), rng.bernoulli(n, d), rng.normal(n, 6, 3)
        ),
        "one example": student.log_marginal_mc(decoder(rng, 4, 2), rng.bernoulli(1, 4), rng.normal(1, 3, 2)),
        "one draw": student.log_marginal_mc(decoder(rng, 4, 2), rng.bernoulli(n, 4), rng.normal(n, 1, 2)),
        "float64": one,
        "float64, likelihoods changed by 1e-9 z, the change times 1e9": 1e9 * (other - one),
    }


# --- the order --------------------------------------------------------------------------------------------------


def shape_of_density(x, log_weights):
    """Skewness and excess kurtosis of each row of unnormalised log-densities on the grid x."""
    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    centred = x - (weights * x).sum(1, keepdims=True)
    square = centred * centred  # ten times as fast as powers
    variance, third, fourth = ((weights * power).sum(1) for power in (square, square * centred, square * square))
    std = np.sqrt(np.maximum(variance, 1e-60))  # a density on a single grid point is refused by its width
    return std, third / std**3, fourth / std**4 - 3


def plausible_values(x, mean, std):
    """Values of x2 within 1.5 standard deviations of the mean at some x1 in [-2, 2], in batches: 27 of them, then all that tell."""
    noise = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
    few = np.abs(x - np.linspace(-2.0, 2.0, 9)[:, None]).argmin(1)
    yield (mean[few][:, None] + std[few][:, None] * noise[::2]).reshape(-1)
    many = np.flatnonzero(np.abs(x) <= 2)[::4]
    values, steps = (mean[many][:, None] + std[many][:, None] * noise).reshape(-1), np.repeat(std[many] / 4, len(noise))
    order = np.argsort(values)
    kept = [order[0]]
    for k in order[1:]:  # a quarter of a standard deviation makes no difference
        if values[k] - values[kept[-1]] >= min(steps[k], steps[kept[-1]]):
            kept.append(k)
    for start in range(0, len(kept), 64):
        yield values[kept[start : start + 64]]


def order_judge(evidence, expected, context):
    """for some plausible x2 the skewness or excess kurtosis of p(x1 | x2), by quadrature, exceeds 0.1"""
    x = 0.003 * np.arange(-2000, 2001)
    names = ("mean", "std", "mean, other order", "std, other order")
    if not isinstance(evidence, dict) or set(evidence) != set(names):
        return "the answer has an unexpected form."
    values = [np.asarray(evidence[name], dtype=float) for name in names]
    part = x[1000:2500][::-1]
    for value, points, name in zip(values, (x, x, part, part), ("second_mean", "second_std") * 2):
        if value.shape != points.shape:
            return (
                f"`{name}` returns shape {value.shape} for {len(points)} values of x1; one value for each is expected."
            )
        if not np.isfinite(value).all():
            return f"`{name}` is not finite at x1 = {points[~np.isfinite(value)][0]:.3g}."
    mean, std, mean_again, std_again = values
    if not np.allclose(mean[1000:2500], mean_again[::-1], 1e-4, 1e-5) or not np.allclose(
        std[1000:2500], std_again[::-1], 1e-4, 1e-5
    ):
        return (
            "the value at one x1 depends on the other entries of x1; the functions work element by element, without "
            "randomness."
        )
    if (std < 1e-12).any():
        return f"`second_std` must be positive; at x1 = {x[std < 1e-12][0]:.3g} it is {std[std < 1e-12][0]:.3g}."
    most = 0.0
    for x2 in plausible_values(x, mean, std):
        log_density = -0.5 * x**2 - np.log(std) - 0.5 * ((x2[:, None] - mean) / std) ** 2
        width, skewness, kurtosis = shape_of_density(x, log_density)
        _, skewness_coarse, kurtosis_coarse = shape_of_density(x[::2], log_density[:, ::2])
        sure = (
            (width > 0.01) & (np.abs(skewness - skewness_coarse) < 0.02) & (np.abs(kurtosis - kurtosis_coarse) < 0.02)
        )
        if sure.any():
            most = max(most, np.abs(skewness[sure]).max(), np.abs(kurtosis[sure]).max(), 1e-9)
        if most > 0.1:
            return True
    if not most:
        return (
            "p(x1 | x2) is so narrow that the grid cannot resolve it; take a larger standard deviation or a flatter "
            "mean."
        )
    return (
        "p(x1 | x2) is Gaussian, or nearly: over many x2 its skewness and excess kurtosis stay below "
        f"{max(most, 0.001):.2g} in absolute value. Look at the exponent of equation (10.8)."
    )


@question.probe(points=0.5, title="a pair whose reversed conditional is not Gaussian", judge=order_judge, public=True)
def reversed_conditional(student, rng):
    grid = 0.003 * torch.arange(-2000, 2001, dtype=torch.float64, device=rng.device)
    part = grid[1000:2500].flip(0)  # another size and another mean
    return {
        "mean": student.second_mean(grid),
        "std": student.second_std(grid),
        "mean, other order": student.second_mean(part),
        "std, other order": student.second_std(part),
    }
