"""Other right versions of the answers to question 2."""

import math

import torch

from autograder.probes import Alternatives, edit

alternatives = Alternatives()

# --- kl_monte_carlo ------------------------------------------------------------------------------------------------

alternatives.at(
    "return log_ratio.mean(), log_ratio.std() / math.sqrt(len(eps))",
    edit(
        "standard_error_1_over_s",
        "the standard error with 1/S",
        "return log_ratio.mean(), log_ratio.std(unbiased=False) / math.sqrt(len(eps))",
    ),
)

# --- rewrites -------------------------------------------------------------------------------------------------------


@alternatives.rewrite("torch.distributions and torch.cov")
def library(ref):
    def normal(mean, cov):
        return torch.distributions.MultivariateNormal(mean, cov)

    def fit_gaussian(x, weights=None):
        d = x.shape[1]
        total = x.new_ones(len(x)) if weights is None else weights
        return (total @ x) / total.sum(), torch.cov(x.T, correction=0, aweights=weights).reshape(d, d)

    def kl_monte_carlo(mean_p, cov_p, mean_q, cov_q, eps):
        p, q = normal(mean_p, cov_p), normal(mean_q, cov_q)
        x = mean_p + eps @ p.scale_tril.T
        ratio = p.log_prob(x) - q.log_prob(x)
        return float(ratio.mean()), float(ratio.std(unbiased=False) / len(eps) ** 0.5)

    return {
        "mvn_log_prob": lambda x, mean, cov: normal(mean, cov).log_prob(x),
        "fit_gaussian": fit_gaussian,
        "gaussian_entropy": lambda cov: normal(cov.new_zeros(len(cov)), cov).entropy(),
        "gaussian_kl": lambda mp, cp, mq, cq: torch.distributions.kl_divergence(normal(mp, cp), normal(mq, cq)),
        "kl_monte_carlo": kl_monte_carlo,
    }


@alternatives.rewrite("explicit inverse and slogdet")
def inverse_and_slogdet(ref):
    def mvn_log_prob(x, mean, cov):
        r = x - mean
        quadratic = ((r @ torch.linalg.inv(cov)) * r).sum(-1)
        return -0.5 * (quadratic + torch.linalg.slogdet(cov).logabsdet + len(mean) * math.log(2 * math.pi))

    def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
        precision, r = torch.linalg.inv(cov_q), mean_p - mean_q
        return 0.5 * (
            torch.trace(precision @ cov_p) + r @ precision @ r - len(r) + torch.logdet(cov_q) - torch.logdet(cov_p)
        )

    return {
        "mvn_log_prob": mvn_log_prob,
        "gaussian_kl": gaussian_kl,
        "gaussian_entropy": lambda cov: 0.5 * (len(cov) * math.log(2 * math.pi * math.e) + torch.logdet(cov)),
    }


@alternatives.rewrite("float64 inside")
def double(ref):
    def wide(function):
        return lambda *args: function(*(a.double() if isinstance(a, torch.Tensor) else a for a in args))

    names = ("mvn_log_prob", "fit_gaussian", "gaussian_entropy", "gaussian_kl", "kl_monte_carlo")
    return {name: wide(getattr(ref, name)) for name in names}


@alternatives.rewrite("cholesky_solve, loops over examples")
def loops(ref):
    def mvn_log_prob(x, mean, cov):
        L = torch.linalg.cholesky(cov)
        r = (x - mean).reshape(-1, len(mean)).T
        square = (r * torch.cholesky_solve(r, L)).sum(0).reshape(x.shape[:-1])
        return -0.5 * square - torch.log(torch.diag(L)).sum() - len(mean) / 2 * math.log(2 * math.pi)

    def fit_gaussian(x, weights=None):
        weights = x.new_ones(len(x)) if weights is None else weights
        mean = sum(w * row for w, row in zip(weights, x)) / weights.sum()
        return mean, sum(w * torch.outer(row - mean, row - mean) for w, row in zip(weights, x)) / weights.sum()

    return {"mvn_log_prob": mvn_log_prob, "fit_gaussian": fit_gaussian}


@alternatives.rewrite("standardised first, second moments of shifted data, one closed form through the others")
def other_algebra(ref):
    def mvn_log_prob(x, mean, cov):
        std = cov.diagonal().sqrt()
        L = torch.linalg.cholesky(cov / torch.outer(std, std))
        z = torch.linalg.solve_triangular(L, ((x - mean) / std).unsqueeze(-1), upper=False).squeeze(-1)
        return -0.5 * z.square().sum(-1) - (L.diagonal().log() + std.log() + 0.5 * math.log(2 * math.pi)).sum()

    def fit_gaussian(x, weights=None):
        weights = x.new_ones(len(x)) if weights is None else weights
        kept, w = x[weights > 0], weights[weights > 0] / weights.sum()
        shifted = kept - kept.mean(0)
        mean = w @ shifted
        return mean + kept.mean(0), (w[:, None] * shifted).T @ shifted - torch.outer(mean, mean)

    def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
        trace = torch.linalg.solve_triangular(torch.linalg.cholesky(cov_q), torch.linalg.cholesky(cov_p), upper=False).square().sum()
        return 0.5 * trace - mvn_log_prob(mean_p, mean_q, cov_q) - ref.gaussian_entropy(cov_p)

    return {
        "mvn_log_prob": mvn_log_prob,
        "fit_gaussian": fit_gaussian,
        "gaussian_entropy": lambda cov: 0.5 * len(cov) - mvn_log_prob(torch.zeros_like(cov[0]), torch.zeros_like(cov[0]), cov),
        "gaussian_kl": gaussian_kl,
    }
