"""Hidden tests of question 3: the mixture's log-density, E-step, M-step, bound, and EM."""

import math

import torch

from autograder.probes import Close, Fields, Question

from ..shared.answers import named

question = Question(
    title="A mixture of Gaussians and EM",
    uses=["mvn_log_prob"],
    skills=["1.14", "1.15", "1.16"],
    aim="Derive and write EM for a full-covariance mixture in log-space, and see it as coordinate ascent on the ELBO.",
    hints={"gmm_log_joint": [
        "Everything follows from one matrix, the log-joint (N, K). The log-density is a reduction of it over k, the "
        "responsibilities are a normalisation of it over k, and the bound is an average of it over k plus an entropy.",
        "`torch.logsumexp` and `torch.softmax` along the last axis never underflow. In `m_step`, shapes guide you: "
        "`x[:, None, :] - means` is (N, K, D). Divide by N_k for means and covariances, by N for weights, and make "
        "sure that 0/0 cannot happen.",
        "`resp.T @ x` is the (K, D) numerator of the means. With centred = x[:, None, :] − new means, the "
        "covariances' numerator is `torch.einsum('nk,nki,nkj->kij', resp, centred, centred)`. "
        "`torch.special.entr(q)` is −q log q with the right value at 0; `torch.where(q > 0, ...)` keeps 0 · (−∞) out "
        "of the rest. One EM step: responsibilities from the current parameters, then m_step, then append the mean "
        "of gmm_log_prob.",
    ]},
    ambiguities=[
        "History as a tensor, a list of floats or a list of 0-d tensors: all accepted.",
        "The log-weights may be normalised by N or by the sum of the responsibilities: the same, as rows sum to one.",
        "The parameters may come back as a tuple or a list.",
    ],
)


def mixture(rng, k, d):
    """Random log-weights, means, covariances."""
    log_weights = (0.8 * rng.simplex(k) + 0.2 / k).log()
    return log_weights, rng.normal(k, d, std=2.0), torch.stack([rng.spd(d) for _ in range(k)])


def by_name(params):
    """The parameters with their names."""
    return named(params, "log_weights", "means", "covs")


def precision(*results):
    """The dtypes of results, NumPy's or torch's."""
    return [str(getattr(result, "dtype", type(result).__name__)).replace("torch.", "") for result in results]


def doubled(parameters):
    return [part.double() for part in parameters]


def many_dimensions(rng):
    """A covariance whose determinant is 0 in float64, too."""
    dim = 116
    factor = 0.2 * rng.normal(dim, 8)
    cov = 1e-6 * (torch.diag(0.5 + rng.uniform(dim)) + factor @ factor.T)
    return (cov + cov.T) / 2


def without_first(log_weights):
    """The same mixture with a weight of 0 for the first component."""
    empty = log_weights.clone()
    empty[0] = -math.inf
    return empty - empty.logsumexp(0)


def far_points(rng, n, d):
    """Points 40 to 60 away from the origin: every density there is below float32's smallest number."""
    direction = rng.normal(n, d)
    return direction / direction.norm(dim=1, keepdim=True) * rng.uniform(n, 1, low=40.0, high=60.0)


@question.probe(points=1, title="the log-joint of every example and component", public=True)
def log_joint_values(student, rng):
    k, d = rng.integer(2, 5), rng.integer(2, 5)
    parameters = mixture(rng, k, d)
    x = rng.normal(rng.integer(6, 9), d, std=2.0)
    one = mixture(rng, 1, 1)
    log_weights, means, covs = doubled(parameters)
    wide = student.gmm_log_joint(x.double() + 1e5, log_weights, means + 1e5, covs)
    narrow = parameters[1] + 1e-3 * rng.normal(k, d)
    large = torch.stack([many_dimensions(rng), many_dimensions(rng)])
    return {
        "log_joint": student.gmm_log_joint(x, *parameters),
        "one component in 1-D": student.gmm_log_joint(rng.normal(1, 1), *one),
        "with a weight of 0": student.gmm_log_joint(x, without_first(parameters[0]), *parameters[1:]),
        "in float64, around 100,000": wide,
        "dtype of results for float64": precision(wide),
        "narrow components": student.gmm_log_joint(narrow, *parameters[:2], 1e-6 * parameters[2]),
        "many dimensions": student.gmm_log_joint(
            1e-3 * rng.normal(3, 116), parameters[0][:2], 1e-3 * rng.normal(2, 116), large
        ),
    }


@question.probe(
    points=1, title="log-density and responsibilities far from every component", judge=Close(rtol=1e-4, atol=5e-3)
)
def far_away(student, rng):
    k, d = rng.integer(3, 6), rng.integer(2, 4)
    log_weights, means, covs = mixture(rng, k, d)
    x = far_points(rng, 7, d)
    empty = without_first(log_weights)
    posterior = student.responsibilities(torch.cat([x, means]), empty, means, covs)
    remote = torch.cat(
        [means[:1] + 60.0, means[1:]]
    )  # near the first component, which has a weight of 0, there is no other
    return {
        "log_prob": student.gmm_log_prob(x, log_weights, means, covs),
        "log_prob very far away": student.gmm_log_prob(100 * x, log_weights, means, covs),
        "log_prob with a weight of 0": student.gmm_log_prob(torch.cat([x, means]), empty, means, covs),
        "responsibilities": student.responsibilities(x, log_weights, means, covs),
        "responsibilities with a weight of 0": posterior,
        "log responsibilities of that component": posterior[:, 0].log(),
        "where only a component of weight 0 is near": [
            student.gmm_log_prob(remote[:1], empty, remote, covs),
            student.responsibilities(remote[:1], empty, remote, covs),
        ],
    }


@question.probe(
    points=1,
    title="log-density and responsibilities near the data",
    judge=Fields(
        {
            "log_prob": Close(),
            "responsibilities": Close(),
            "one example, one component, in 1-D": Close(),
            "all digits of float64: log_prob minus the first log-joint": Close(rtol=1e-9, atol=1e-9),
            "all digits of float64: logarithms of responsibilities": Close(rtol=1e-9, atol=1e-9),
            "dtype of results for float64": Close(),
        }
    ),
    public=True,
)
def near_values(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(6, 9)
    parameters = mixture(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    point, one = rng.normal(1, 1), mixture(rng, 1, 1)
    log_weights, *more = doubled(mixture(rng, 5, d))
    more, wide = (log_weights.log_softmax(0), *more), torch.cat([x, 3.0 * x]).double()
    log_joint, log_prob = student.gmm_log_joint(wide, *more), student.gmm_log_prob(wide, *more)
    posterior = student.responsibilities(wide, *more)
    return {
        "log_prob": student.gmm_log_prob(x, *parameters),
        "responsibilities": student.responsibilities(x, *parameters),
        "one example, one component, in 1-D": [
            student.gmm_log_prob(point, *one),
            student.responsibilities(point, *one),
        ],
        "all digits of float64: log_prob minus the first log-joint": log_prob - log_joint[:, 0],
        "all digits of float64: logarithms of responsibilities": torch.as_tensor(posterior).log(),
        "dtype of results for float64": precision(log_prob, posterior),
    }


@question.probe(points=0.5, title="gradients of the log-density", judge=Close(rtol=1e-3, atol=1e-4))
def gradients(student, rng):
    k, d = rng.integer(2, 5), rng.integer(1, 4)
    log_weights, means, covs = mixture(rng, k, d)
    near = rng.normal(5, d, std=2.0)
    x = torch.cat([near, far_points(rng, 2, d)])
    inputs = [log_weights.requires_grad_(), means.requires_grad_(), x.requires_grad_()]
    log_prob = student.gmm_log_prob(x, *inputs[:2], covs)
    by_weights, by_means, by_x = torch.autograd.grad(log_prob.sum(), inputs)
    by_weights = (
        by_weights - by_weights.sum() * log_weights.exp()
    )  # along weights that sum to one: normalising them first is right
    log_prob = student.gmm_log_prob(near, *inputs[:2], covs.requires_grad_())
    (by_covs,) = torch.autograd.grad(log_prob.sum(), [covs])
    return {"by log_weights": by_weights, "by means": by_means, "by x": by_x, "by covs": by_covs + by_covs.mT}


@question.probe(points=1.5, title="the M-step", public=True)
def m_step_values(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(12, 20)
    x = rng.normal(n, d, mean=1.0, std=1.5)
    values = student.m_step(x, rng.simplex(n, k), floor=rng.number(0.05, 0.5))
    log_weights, means, covs = student.m_step(x.double() + 1e5, rng.simplex(n, k).double(), floor=0.1)
    return {
        **by_name(values),
        "in float64, around 100,000, means minus 100,000": by_name((log_weights, means - 1e5, covs)),
        "dtype of results for float64": precision(log_weights, means, covs),
    }


@question.probe(
    points=1.5,
    title=(
        "the M-step at its limits: far from the origin, an empty component, one that owns hardly anything, equal "
        "examples, one example"
    ),
    judge=Close(rtol=1e-4, atol=5e-3),
)
def m_step_limits(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(1, 4), rng.integer(12, 20)
    far = student.m_step(4000.0 + rng.normal(n, d), rng.simplex(n, k), floor=0.01)
    resp = torch.cat([rng.simplex(n, k), torch.zeros_like(rng.uniform(n, 1))], dim=1)
    empty = student.m_step(rng.normal(n, d), resp, floor=0.25)
    twins = student.m_step(rng.normal(1, 1).repeat(2, 1), rng.simplex(2, 2), floor=0.25)
    # two clusters far apart: the first one is shared by two components, the last one belongs to the third
    clusters = torch.cat([rng.normal(8, d) - 4000, rng.normal(n, d) + 4000])
    owners = torch.zeros(8 + n, 3, device=rng.device)
    owners[:8, :2], owners[8:, 2] = rng.simplex(8, 2), 1.0
    scarce = rng.simplex(n, k + 1)
    scarce[:, 0] *= 1e-25
    scarce = scarce / scarce.sum(1, keepdim=True)
    *_, no_floor = student.m_step(rng.normal(1, 2).repeat(3, 1), rng.simplex(3, 2), floor=0.0)
    return {
        "far from the origin": by_name(far),
        "last component empty": by_name(empty),
        "equal examples in 1-D": by_name(twins),
        "clusters far from each other": by_name(student.m_step(clusters, owners, floor=0.01)),
        "first component owns hardly anything": by_name(student.m_step(rng.normal(n, d, mean=3.0), scarce, floor=0.01)),
        "one example": [by_name(student.m_step(rng.normal(1, dim), rng.simplex(1, k), floor=0.1)) for dim in (1, 2)],
        "one component in 1-D": by_name(student.m_step(rng.normal(n, 1), torch.ones_like(owners[:n, :1]), floor=0.1)),
        "equal examples without a floor, covariance times a million": no_floor * 1e6,
    }


@question.probe(
    points=1,
    title="the bound for any q",
    judge=Fields(
        {
            "bound": Close(),
            "one example, one component": Close(),
            "dtype of results for float64": Close(),
            "all digits of float64: the bounds of two q, subtracted": Close(rtol=1e-10, atol=1e-9),
        }
    ),
    public=True,
)
def elbo_values(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(1, 4), rng.integer(6, 9)
    x, parameters = rng.normal(n, d, std=2.0), mixture(rng, k, d)
    q, other = rng.simplex(n, k), rng.simplex(n, k, dtype=torch.float64)
    q_small = q.double()
    q_small[:, 0] = 10.0 ** torch.linspace(-11, -4, n, dtype=torch.float64, device=rng.device)  # small, but not nothing
    q_small = q_small / q_small.sum(1, keepdim=True)
    bounds = [student.elbo(x.double(), each, *doubled(parameters)) for each in (q_small, other)]
    return {
        "bound": student.elbo(x, q, *parameters),
        "one example, one component": student.elbo(x[:1], torch.ones_like(x[:1, :1]), *mixture(rng, 1, d)),
        "dtype of results for float64": precision(*bounds),
        "all digits of float64: the bounds of two q, subtracted": bounds[0] - bounds[1],
    }


@question.probe(points=0.5, title="the bound when q contains zeros")
def elbo_zeros(student, rng):
    k, d, n = rng.integer(3, 6), rng.integer(1, 4), 8
    log_weights, means, covs = mixture(rng, k, d)
    x = rng.normal(n, d, std=2.0)
    q = rng.simplex(n, k)
    q[: n // 2, 1] = 0
    q[:, 0] = 0
    q = q / q.sum(1, keepdim=True)
    impossible = without_first(log_weights)
    wrong_guess = rng.simplex(n, k)
    wrong_guess[: n // 2, 0] = 0
    wrong_guess = wrong_guess / wrong_guess.sum(1, keepdim=True)
    bound = student.elbo(x, wrong_guess, impossible, means, covs)
    return {
        "zeros in q": student.elbo(x, q, log_weights, means, covs),
        "zeros in q and in the weights": student.elbo(x, q, impossible, means, covs),
        "q > 0 where the weight is 0": bound,
        "far from every component": student.elbo(far_points(rng, n, d), rng.simplex(n, k), log_weights, means, covs),
    }


@question.probe(points=1, title="EM: parameters and history after a few steps", judge=Close(rtol=2e-4, atol=1e-4))
def em_run(student, rng):
    k, d, n = rng.integer(2, 4), rng.integer(1, 4), rng.integer(40, 60)
    x = rng.normal(k, d)[rng.integers(0, k, n)] + rng.normal(n, d)  # overlapping components: EM is far from done
    covs = 2.0 * torch.stack([rng.spd(d, 0.7, 2.0) for _ in range(k)])
    start = ((0.8 * rng.simplex(k) + 0.2 / k).log(), rng.normal(k, d, std=1.5), covs)
    params, history = student.fit_gmm_em(x, *start, steps=rng.integer(3, 6), floor=rng.number(0.05, 0.2))
    params_0, history_0 = student.fit_gmm_em(x, *start, steps=0, floor=0.1)
    params_1, _ = student.fit_gmm_em(x, *start, steps=1, floor=0.1)
    # One component at its optimum without a floor: the first step falls because of the floor, the others change nothing.
    centred = x - x.mean(0)
    one = (torch.zeros_like(x[0, :1]), x.mean(0)[None], (centred.T @ centred / n)[None])
    one_params, one_history = student.fit_gmm_em(x, *one, steps=4, floor=0.3)
    # All densities at the start underflow, and the first component has a weight of 0.
    dead = (
        without_first(mixture(rng, 3, d)[0]),
        60.0 + rng.normal(3, d, std=0.1),
        rng.spd(d, 0.3, 1.0).repeat(3, 1, 1),
    )
    dead_params, dead_history = student.fit_gmm_em(x.double(), *doubled(dead), steps=rng.integer(6, 9), floor=0.1)
    return {
        "history": [float(value) for value in history],
        "params": by_name(params),
        "history of 0 steps": [float(value) for value in history_0],
        "params of 0 steps": by_name(params_0),
        "params of 1 step": by_name(params_1),
        "one component": by_name(one_params),
        "history of one component": [float(value) for value in one_history],
        "far start with a weight of 0, float64": by_name(dead_params),
        "history of far start": [float(value) for value in dead_history],
        "dtype of parameters for float64": precision(*dead_params),
        "autograd is still on": int(torch.is_grad_enabled()),
    }
