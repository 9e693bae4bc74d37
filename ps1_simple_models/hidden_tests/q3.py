"""Hidden tests of question 3: the mixture's log-density, E-step, M-step, bound, and EM."""

import math

import torch

from autograder.probes import Close, Fields, alternative, edit_alternative, edit_mistake, mistake, probe, question

question(
    "q3",
    title="A mixture of Gaussians and EM",
    uses=["mvn_log_prob"],
    skills=["1.14", "1.15", "1.16"],
    minutes=60,
    aim="Derive and write EM for a full-covariance mixture in log-space, and see it as coordinate ascent on the ELBO.",
    hints=[
        "Everything follows from one matrix, the log-joint (N, K). The log-density is a reduction of it over k, the "
        "responsibilities are a normalisation of it over k, and the bound is an average of it over k plus an entropy.",
        "`torch.logsumexp` and `torch.softmax` along the last axis never underflow. In `m_step`, shapes guide you: "
        "`x[:, None, :] - means` is (N, K, D). Divide by N_k for means and covariances, by N for weights, and make sure "
        "that 0/0 cannot happen.",
        "`resp.T @ x` is the (K, D) numerator of the means. With centred = x[:, None, :] − new means, the covariances' "
        "numerator is `torch.einsum('nk,nki,nkj->kij', resp, centred, centred)`. `torch.special.entr(q)` is −q log q with "
        "the right value at 0; `torch.where(q > 0, ...)` keeps 0 · (−∞) out of the rest. One EM step: responsibilities "
        "from the current parameters, then m_step, then append the mean of gmm_log_prob.",
    ],
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


def named(params):
    """The parameters with their names, so that a message can say which one is wrong."""
    if len(params) != 3:
        raise ValueError(f"{len(params)} things are returned where 3 are expected: log_weights, means, covs")
    return dict(zip(("log_weights", "means", "covs"), params))


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


@probe(points=1, title="the log-joint of every example and component", public=True)
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
        "log_joint": student.gmm_log_joint(x, *parameters), "one component in 1-D": student.gmm_log_joint(rng.normal(1, 1), *one),
        "with a weight of 0": student.gmm_log_joint(x, without_first(parameters[0]), *parameters[1:]),
        "in float64, around 100,000": wide, "dtype of results for float64": precision(wide),
        "narrow components": student.gmm_log_joint(narrow, *parameters[:2], 1e-6 * parameters[2]),
        "many dimensions": student.gmm_log_joint(1e-3 * rng.normal(3, 116), parameters[0][:2], 1e-3 * rng.normal(2, 116), large),
    }


@probe(points=1, title="log-density and responsibilities far from every component", judge=Close(rtol=1e-4, atol=5e-3))
def far_away(student, rng):
    k, d = rng.integer(3, 6), rng.integer(2, 4)
    log_weights, means, covs = mixture(rng, k, d)
    x = far_points(rng, 7, d)
    empty = without_first(log_weights)
    posterior = student.responsibilities(torch.cat([x, means]), empty, means, covs)
    remote = torch.cat([means[:1] + 60.0, means[1:]])  # near the first component, which has a weight of 0, there is no other
    return {
        "log_prob": student.gmm_log_prob(x, log_weights, means, covs),
        "log_prob very far away": student.gmm_log_prob(100 * x, log_weights, means, covs),
        "log_prob with a weight of 0": student.gmm_log_prob(torch.cat([x, means]), empty, means, covs),
        "responsibilities": student.responsibilities(x, log_weights, means, covs),
        "responsibilities with a weight of 0": posterior,
        "log responsibilities of that component": posterior[:, 0].log(),
        "where only a component of weight 0 is near": [
            student.gmm_log_prob(remote[:1], empty, remote, covs), student.responsibilities(remote[:1], empty, remote, covs),
        ],
    }


@probe(
    points=1,
    title="log-density and responsibilities near the data",
    judge=Fields({
        "log_prob": Close(), "responsibilities": Close(), "one example, one component, in 1-D": Close(),
        "all digits of float64: log_prob minus the first log-joint": Close(rtol=1e-9, atol=1e-9),
        "all digits of float64: logarithms of responsibilities": Close(rtol=1e-9, atol=1e-9),
        "dtype of results for float64": Close(),
    }),
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
        "log_prob": student.gmm_log_prob(x, *parameters), "responsibilities": student.responsibilities(x, *parameters),
        "one example, one component, in 1-D": [student.gmm_log_prob(point, *one), student.responsibilities(point, *one)],
        "all digits of float64: log_prob minus the first log-joint": log_prob - log_joint[:, 0],
        "all digits of float64: logarithms of responsibilities": torch.as_tensor(posterior).log(),
        "dtype of results for float64": precision(log_prob, posterior),
    }


@probe(points=0.5, title="gradients of the log-density", judge=Close(rtol=1e-3, atol=1e-4))
def gradients(student, rng):
    k, d = rng.integer(2, 5), rng.integer(1, 4)
    log_weights, means, covs = mixture(rng, k, d)
    near = rng.normal(5, d, std=2.0)
    x = torch.cat([near, far_points(rng, 2, d)])
    inputs = [log_weights.requires_grad_(), means.requires_grad_(), x.requires_grad_()]
    log_prob = student.gmm_log_prob(x, *inputs[:2], covs)
    by_weights, by_means, by_x = torch.autograd.grad(log_prob.sum(), inputs)
    by_weights = by_weights - by_weights.sum() * log_weights.exp()  # along weights that sum to one: normalising them first is right
    log_prob = student.gmm_log_prob(near, *inputs[:2], covs.requires_grad_())
    (by_covs,) = torch.autograd.grad(log_prob.sum(), [covs])
    return {"by log_weights": by_weights, "by means": by_means, "by x": by_x, "by covs": by_covs + by_covs.mT}


@probe(points=1.5, title="the M-step", public=True)
def m_step_values(student, rng):
    k, d, n = rng.integer(2, 5), rng.integer(2, 4), rng.integer(12, 20)
    x = rng.normal(n, d, mean=1.0, std=1.5)
    values = student.m_step(x, rng.simplex(n, k), floor=rng.number(0.05, 0.5))
    log_weights, means, covs = student.m_step(x.double() + 1e5, rng.simplex(n, k).double(), floor=0.1)
    return {
        **named(values), "in float64, around 100,000, means minus 100,000": named((log_weights, means - 1e5, covs)),
        "dtype of results for float64": precision(log_weights, means, covs),
    }


@probe(
    points=1.5,
    title="the M-step at its limits: far from the origin, an empty component, one that owns hardly anything, equal examples, one example",
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
        "far from the origin": named(far), "last component empty": named(empty), "equal examples in 1-D": named(twins),
        "clusters far from each other": named(student.m_step(clusters, owners, floor=0.01)),
        "first component owns hardly anything": named(student.m_step(rng.normal(n, d, mean=3.0), scarce, floor=0.01)),
        "one example": [named(student.m_step(rng.normal(1, dim), rng.simplex(1, k), floor=0.1)) for dim in (1, 2)],
        "one component in 1-D": named(student.m_step(rng.normal(n, 1), torch.ones_like(owners[:n, :1]), floor=0.1)),
        "equal examples without a floor, covariance times a million": no_floor * 1e6,
    }


@probe(
    points=1,
    title="the bound for any q",
    judge=Fields({
        "bound": Close(), "one example, one component": Close(), "dtype of results for float64": Close(),
        "all digits of float64: the bounds of two q, subtracted": Close(rtol=1e-10, atol=1e-9),
    }),
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


@probe(points=0.5, title="the bound when q contains zeros")
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


@probe(points=1, title="EM: parameters and history after a few steps", judge=Close(rtol=2e-4, atol=1e-4))
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
    dead = (without_first(mixture(rng, 3, d)[0]), 60.0 + rng.normal(3, d, std=0.1), rng.spd(d, 0.3, 1.0).repeat(3, 1, 1))
    dead_params, dead_history = student.fit_gmm_em(x.double(), *doubled(dead), steps=rng.integer(6, 9), floor=0.1)
    return {
        "history": [float(value) for value in history], "params": named(params),
        "history of 0 steps": [float(value) for value in history_0], "params of 0 steps": named(params_0),
        "params of 1 step": named(params_1),
        "one component": named(one_params), "history of one component": [float(value) for value in one_history],
        "far start with a weight of 0, float64": named(dead_params), "history of far start": [float(value) for value in dead_history],
        "dtype of parameters for float64": precision(*dead_params), "autograd is still on": int(torch.is_grad_enabled()),
    }


# --- mistakes ------------------------------------------------------------------------------------------------

edit_mistake(
    "weights_missing",
    "The log-weights are left out of the log-joint; without them every component counts the same",
    ("return log_weights + torch.stack(log_probs, dim=-1)", "return torch.stack(log_probs, dim=-1)"),
)
edit_mistake(
    "weights_not_logged",
    "The weights themselves are added to a log-density; `log_weights` is already a logarithm, so no exp is needed",
    ("return log_weights + torch.stack(log_probs, dim=-1)", "return log_weights.exp() + torch.stack(log_probs, dim=-1)"),
)
edit_mistake(
    "weights_logged_twice",
    "A logarithm is taken of `log_weights`, which are logarithms already (and negative, so the result is NaN)",
    ("return log_weights + torch.stack(log_probs, dim=-1)", "return log_weights.log() + torch.stack(log_probs, dim=-1)"),
)
JOINT = "log_probs = [mvn_log_prob(x, mean, cov) for mean, cov in zip(means, covs, strict=True)]"
edit_mistake(
    "joint_in_float32",
    "The log-joint of float64 examples comes back in float32; a tensor that you fill (`torch.zeros`, `torch.empty`) needs the dtype of `x`",
    ("return log_weights + torch.stack(log_probs, dim=-1)", "return (log_weights + torch.stack(log_probs, dim=-1)).float()"),
)
edit_mistake(
    "jitter",
    "A small number is added to the diagonal of the covariances; a component that is as narrow as this number then gets a wrong density",
    (JOINT, JOINT.replace("(x, mean, cov)", "(x, mean, cov + 1e-6 * torch.eye(len(cov)).to(cov))")),
)
edit_mistake(
    "log_of_underflowed_sum",
    "The log-density takes exp of the log-joints before summing; far away all of them underflow to 0, and log 0 is −∞",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return gmm_log_joint(x, log_weights, means, covs).exp().sum(-1).log()"),
)
edit_mistake(
    "maximum_without_weights",
    "The log-density subtracts the largest log-density of a component, not the largest log-joint; where that component has hardly any weight the others underflow",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "log_density = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs); top = log_density.amax(-1, keepdim=True); "
     "return (log_weights.exp() * (log_density - top).exp()).sum(-1).log() + top.squeeze(-1)"),
)
edit_mistake(
    "sum_of_logs",
    "The log-density sums the logs of the components; that is the log of a product of densities, not of their sum",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return gmm_log_joint(x, log_weights, means, covs).sum(-1)"),
)
edit_mistake(
    "average_of_logs",
    "The log-density is the weighted average of the components' log-densities; by Jensen that is only a lower bound",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return ((gmm_log_joint(x, log_weights, means, covs) - log_weights) * log_weights.exp()).sum(-1)"),
)
edit_mistake(
    "max_for_sum",
    "The log-density is that of the best component alone; all components add up",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return gmm_log_joint(x, log_weights, means, covs).max(-1).values"),
)
edit_mistake(
    "detached",
    "The log-density is cut off from the parameters' graph (detach, no_grad, .data or NumPy), so nothing can be trained through it",
    ("return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return torch.logsumexp(gmm_log_joint(x, log_weights, means, covs), dim=-1).detach()"),
)
edit_mistake(
    "responsibilities_over_examples",
    "The responsibilities are normalised over the examples; each example's row must sum to one",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=0)"),
)
edit_mistake(
    "responsibilities_without_prior",
    "The responsibilities ignore the mixture weights; Bayes' rule multiplies the likelihood by the prior",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return torch.softmax(gmm_log_joint(x, torch.zeros_like(log_weights), means, covs), dim=-1)"),
)
edit_mistake(
    "responsibilities_underflow",
    "The responsibilities divide underflowed densities; far from every component that is 0/0",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / p.sum(-1, keepdim=True)"),
)
edit_mistake(
    "responsibilities_with_epsilon",
    "A small constant in the denominator hides 0/0: far from every component the rows no longer sum to one; work in log-space",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "p = gmm_log_joint(x, log_weights, means, covs).exp(); return p / (p.sum(-1, keepdim=True) + 1e-10)"),
)
edit_mistake(
    "log_responsibilities",
    "The responsibilities are returned as logs; probabilities are asked for",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return torch.log_softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)"),
)
edit_mistake(
    "hard_assignment",
    "The responsibilities are one-hot: that is k-means, not EM",
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "return F.one_hot(gmm_log_joint(x, log_weights, means, covs).argmax(-1), len(means)).to(x.dtype)"),
)
edit_mistake(
    "means_divided_by_n",
    "The weighted sums of the means are divided by N; the total weight of component k is N_k",
    ("means = resp.T @ x / owned[:, None]", "means = resp.T @ x / len(x)"),
)
edit_mistake(
    "covs_divided_by_n",
    "The weighted scatter is divided by N; the total weight of component k is N_k",
    ("covs = scatter / owned[:, None, None]", "covs = scatter / len(x)"),
)
edit_mistake(
    "all_divided_by_n",
    "Means and covariances are divided by N; the total weight of component k is N_k",
    ("means = resp.T @ x / owned[:, None]", "means = resp.T @ x / len(x)"),
    ("covs = scatter / owned[:, None, None]", "covs = scatter / len(x)"),
)
edit_mistake(
    "unbiased_covariance",
    "The scatter is divided by N_k − 1; maximum likelihood divides by N_k",
    ("covs = scatter / owned[:, None, None]", "covs = scatter / (owned - 1)[:, None, None]"),
)
edit_mistake(
    "weights_unnormalised",
    "The new weights are the counts N_k; divided by N they sum to one",
    ("return counts.log() - math.log(len(x)), means, covs", "return counts.log(), means, covs"),
)
edit_mistake(
    "weights_returned_plain",
    "The new weights are returned as probabilities; their logarithms are asked for",
    ("return counts.log() - math.log(len(x)), means, covs", "return counts / len(x), means, covs"),
)
edit_mistake(
    "weights_over_components",
    "The new weights are the average responsibility over the wrong number: divided by K, not by N",
    ("return counts.log() - math.log(len(x)), means, covs", "return counts.log() - math.log(resp.shape[1]), means, covs"),
)
edit_mistake(
    "global_mean",
    "The covariances are taken around the mean of all data; component k's covariance is around its own new mean",
    ("centred = x[:, None, :] - means", "centred = (x - x.mean(0))[:, None, :].expand(-1, resp.shape[1], -1)"),
)
edit_mistake(
    "uncentred",
    "The covariances are computed as E[xxᵀ] − μμᵀ; far from the origin the two large terms cancel and leave rounding errors",
    ("covs = scatter / owned[:, None, None]",
     "covs = torch.einsum('nk,ni,nj->kij', resp, x, x) / owned[:, None, None] - means[:, :, None] * means[:, None, :]"),
)
edit_mistake(
    "second_moment",
    "The covariances are second moments E[xxᵀ]; the mean is not subtracted",
    ("centred = x[:, None, :] - means", "centred = x[:, None, :] - 0 * means"),
)
edit_mistake(
    "global_shift",
    "The covariances are computed as E[yyᵀ] − E[y]E[y]ᵀ with y = x − mean of all data; for clusters far from each other that cancels as well: "
    "subtract each component's own mean",
    ("covs = scatter / owned[:, None, None]",
     "y = x - x.mean(0); m = resp.T @ y / owned[:, None]; "
     "covs = torch.einsum('nk,ni,nj->kij', resp, y, y) / owned[:, None, None] - m[:, :, None] * m[:, None, :]"),
)
edit_mistake(
    "counts_limited",
    "The counts N_k get a lower limit, or a small constant, in the denominator; a component that owns less than that then gets a wrong mean and covariance",
    ("owned = counts.clamp_min(torch.finfo(x.dtype).tiny)", "owned = counts.clamp_min(1e-10)"),
)
edit_mistake(
    "m_step_in_float32",
    "The results of `m_step` come back in float32 for float64 examples; a tensor that you fill (`torch.zeros`, `torch.empty`) needs the dtype of `x`",
    ("return counts.log() - math.log(len(x)), means, covs", "return (counts.log() - math.log(len(x))).float(), means.float(), covs.float()"),
)
edit_mistake(
    "floor_at_least",
    "The floor is never less than 10⁻⁶; it may be smaller, also 0",
    (" + floor * torch.eye", " + max(floor, 1e-6) * torch.eye"),
)
edit_mistake(
    "no_floor",
    "The argument `floor` is not added to the covariances: a component that owns one example gets a singular one",
    (" + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)", ""),
)
edit_mistake(
    "floor_everywhere",
    "The floor is added to every entry of the covariance; it belongs on the diagonal only",
    (" + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)", " + floor"),
)
edit_mistake(
    "floor_clamped",
    "The floor is used as a lower limit of the entries; it is to be added to the diagonal",
    (" + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)", ""),
    ("return counts.log() - math.log(len(x)), means, covs",
     "covs.diagonal(dim1=1, dim2=2).clamp_(min=floor); return counts.log() - math.log(len(x)), means, covs"),
)
edit_mistake(
    "floor_squared",
    "The square of the floor is added; the floor is a variance already",
    (" + floor * torch.eye", " + floor**2 * torch.eye"),
)
edit_mistake(
    "diagonal_covariance",
    "Only variances are estimated and correlations are set to 0; the covariances are full matrices",
    ("return counts.log() - math.log(len(x)), means, covs",
     "covs = torch.diag_embed(covs.diagonal(dim1=1, dim2=2)); return counts.log() - math.log(len(x)), means, covs"),
)
edit_mistake(
    "empty_component",
    "A component that owns nothing gives 0/0 = NaN, which spreads to everything in the next step",
    ("owned = counts.clamp_min(torch.finfo(x.dtype).tiny)", "owned = counts"),
)
edit_mistake(
    "epsilon_in_counts",
    "A constant is added to the counts before dividing and taking logs; the weights no longer sum to one, and an empty component "
    "comes back to life",
    ("counts = resp.sum(0)", "counts = resp.sum(0) + 1e-3"),
)
edit_mistake(
    "entropy_missing",
    "The bound lacks the entropy of q, −Σ q log q",
    ("return energy + entropy", "return energy"),
)
edit_mistake(
    "entropy_sign",
    "The entropy of q is subtracted; −log q is added inside the average",
    ("return energy + entropy", "return energy - entropy"),
)
edit_mistake(
    "prior_missing_in_bound",
    "The bound averages log p(x | z) instead of the log-joint log p(x, z): the log-weights are missing",
    ("log_joint = gmm_log_joint(x, log_weights, means, covs)\n    energy",
     "log_joint = gmm_log_joint(x, torch.zeros_like(log_weights), means, covs)\n    energy"),
)
edit_mistake(
    "q_ignored",
    "The bound replaces the given q by the posterior, so it is always the log-likelihood; use the q that is passed in (q may be stale)",
    ("log_joint = gmm_log_joint(x, log_weights, means, covs)\n    energy",
     "log_joint = gmm_log_joint(x, log_weights, means, covs)\n    resp = torch.softmax(log_joint, -1)\n    energy"),
)
edit_mistake(
    "zero_times_infinity",
    "A label with q = 0 gives 0 · log 0 or 0 · (−∞) = NaN; it must contribute exactly 0",
    ("energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)", "energy = (resp * log_joint).sum(-1)"),
)
edit_mistake(
    "zero_log_zero",
    "q log q is NaN at q = 0; its limit, and the right value, is 0",
    ("entropy = torch.special.entr(resp).sum(-1)", "entropy = -(resp * resp.log()).sum(-1)"),
)
edit_mistake(
    "impossible_label_skipped",
    "A label with ℓ = −∞ is left out of the bound although q > 0; only q = 0 makes a label count for nothing, here the bound is −∞",
    ("torch.where(resp > 0, resp", "torch.where(log_joint > -math.inf, resp"),
)
edit_mistake(
    "impossible_label_finite",
    "The bound is finite where q > 0 bets on an impossible label (ℓ = −∞); it is −∞ there (`nan_to_num` replaces infinities, too)",
    ("energy = torch.where(resp > 0, resp * log_joint, torch.zeros_like(resp)).sum(-1)",
     "energy = torch.nan_to_num(resp * log_joint, neginf=torch.finfo(x.dtype).min).sum(-1)"),
)
edit_mistake(
    "bound_by_posterior",
    "The bound takes the logarithm of responsibilities, which underflow to 0 far from a component; take log-responsibilities, or the log-joint",
    ("return energy + entropy",
     "posterior = torch.softmax(log_joint, -1); kl = torch.where(resp > 0, resp * (resp.log() - posterior.log()), torch.zeros_like(resp)).sum(-1); "
     "return torch.logsumexp(log_joint, -1) - kl"),
)
edit_mistake(
    "bound_averaged",
    "The bound is averaged over the examples; one value per example is asked for",
    ("return energy + entropy", "return (energy + entropy).mean()"),
)
edit_mistake(
    "bound_sign",
    "The negative bound is returned (a loss); the bound itself is asked for",
    ("return energy + entropy", "return -(energy + entropy)"),
)
edit_mistake(
    "stale_responsibilities",
    "The responsibilities are computed once, before the loop; every step needs new ones, from the current parameters",
    ("for _ in range(steps):\n        params = m_step(x, responsibilities(x, *params), floor)",
     "for _ in range(steps):\n        params = m_step(x, responsibilities(x, log_weights, means, covs), floor)"),
)
edit_mistake(
    "history_without_start",
    "The history lacks the value before the first step; steps + 1 values are asked for",
    ("return params, torch.stack(history)", "return params, torch.stack(history)[1:] if steps else torch.zeros(0)"),
)
edit_mistake(
    "history_late",
    "The history is recorded before each step and not after the last one, so the start appears twice and the end is missing",
    ("        params = m_step(x, responsibilities(x, *params), floor)\n        history.append(gmm_log_prob(x, *params).mean())",
     "        history.append(gmm_log_prob(x, *params).mean())\n        params = m_step(x, responsibilities(x, *params), floor)"),
)
edit_mistake(
    "history_summed",
    "The history holds sums over the examples; the mean per example is asked for",
    ("history = [gmm_log_prob(x, *params).mean()]", "history = [gmm_log_prob(x, *params).sum()]"),
    ("history.append(gmm_log_prob(x, *params).mean())", "history.append(gmm_log_prob(x, *params).sum())"),
)
edit_mistake(
    "history_negated",
    "The history holds the negative log-likelihood; the log-likelihood is asked for",
    ("history = [gmm_log_prob(x, *params).mean()]", "history = [-gmm_log_prob(x, *params).mean()]"),
    ("history.append(gmm_log_prob(x, *params).mean())", "history.append(-gmm_log_prob(x, *params).mean())"),
)
edit_mistake(
    "floor_not_passed",
    "`fit_gmm_em` does not pass its floor on to `m_step`",
    ("params = m_step(x, responsibilities(x, *params), floor)", "params = m_step(x, responsibilities(x, *params))"),
)
edit_mistake(
    "stops_early",
    "EM stops as soon as the log-likelihood hardly changes; exactly `steps` steps are asked for",
    ("        history.append(gmm_log_prob(x, *params).mean())\n",
     "        history.append(gmm_log_prob(x, *params).mean())\n        if abs(history[-1] - history[-2]) < 1e-5:\n            break\n"),
)
edit_mistake(
    "one_step_missing",
    "One step too few is made",
    ("for _ in range(steps):", "for _ in range(1, steps):"),
)


@mistake("The covariances are taken around the old means; the M-step uses the new ones")
def old_means(ref):
    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        params = (log_weights, means, covs)
        history = [ref.gmm_log_prob(x, *params).mean()]
        for _ in range(steps):
            resp = ref.responsibilities(x, *params)
            old = params[1]
            log_weights, means, _ = ref.m_step(x, resp, floor)
            centred = x[:, None, :] - old
            covs = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / resp.sum(0)[:, None, None]
            params = (log_weights, means, covs + floor * torch.eye(x.shape[1]))
            history.append(ref.gmm_log_prob(x, *params).mean())
        return params, torch.stack(history)

    return {"fit_gmm_em": fit_gmm_em}


# --- other right answers -------------------------------------------------------------------------------------


@alternative("loops over components, maximum pulled out by hand, tuple of lists")
def loops(ref):
    def gmm_log_joint(x, log_weights, means, covs):
        joint = x.new_empty(len(x), len(means))
        for k in range(len(means)):
            joint[:, k] = log_weights[k] + ref.mvn_log_prob(x, means[k], covs[k])
        return joint

    def gmm_log_prob(x, log_weights, means, covs):
        joint = gmm_log_joint(x, log_weights, means, covs)
        top = joint.max(1, keepdim=True).values
        return (joint - top).exp().sum(1).log() + top.squeeze(1)

    def responsibilities(x, *params):
        return (gmm_log_joint(x, *params) - gmm_log_prob(x, *params)[:, None]).exp()

    def m_step(x, resp, floor=1e-6):
        log_weights, means, covs = [], [], []
        for k in range(resp.shape[1]):
            r = resp[:, k]
            total = r.sum()
            mean = (r[:, None] * x).sum(0) / total if total > 0 else x.new_zeros(x.shape[1])
            centred = x - mean
            cov = (r[:, None] * centred).T @ centred / total if total > 0 else x.new_zeros(x.shape[1], x.shape[1])
            log_weights.append((total / len(x)).log())
            means.append(mean)
            covs.append(cov + floor * torch.eye(x.shape[1]))
        return torch.stack(log_weights), torch.stack(means), torch.stack(covs)

    def elbo(x, resp, *params):
        joint = gmm_log_joint(x, *params)
        total = x.new_zeros(len(x))
        for k in range(resp.shape[1]):
            on = resp[:, k] > 0
            total[on] += resp[on, k] * (joint[on, k] - resp[on, k].log())
        return total

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        history = []
        for _ in range(steps):
            joint = gmm_log_joint(x, log_weights, means, covs)
            history.append(joint.logsumexp(1).mean().item())
            log_weights, means, covs = m_step(x, joint.softmax(1), floor)
        history.append(gmm_log_prob(x, log_weights, means, covs).mean().item())
        return [log_weights, means, covs], history

    return {
        "gmm_log_joint": gmm_log_joint, "gmm_log_prob": gmm_log_prob, "responsibilities": responsibilities, "m_step": m_step,
        "elbo": elbo, "fit_gmm_em": fit_gmm_em,
    }


@alternative("everything in float64 inside, results in float64")
def double(ref):
    def wide(*tensors):
        return [t.double() for t in tensors]

    def gmm_log_joint(x, *params):
        return ref.gmm_log_joint(*wide(x, *params))

    def gmm_log_prob(x, *params):
        return ref.gmm_log_prob(*wide(x, *params))

    def responsibilities(x, *params):
        return ref.responsibilities(*wide(x, *params))

    def m_step(x, resp, floor=1e-6):
        return ref.m_step(*wide(x, resp), floor)

    def elbo(x, resp, *params):
        return ref.elbo(*wide(x, resp, *params))

    def fit_gmm_em(x, log_weights, means, covs, steps, floor=1e-6):
        return ref.fit_gmm_em(*wide(x, log_weights, means, covs), steps, floor)

    return {
        "gmm_log_joint": gmm_log_joint, "gmm_log_prob": gmm_log_prob, "responsibilities": responsibilities, "m_step": m_step,
        "elbo": elbo, "fit_gmm_em": fit_gmm_em,
    }


@alternative("torch.distributions for the densities; the bound as log-likelihood minus KL")
def library(ref):
    def parts(log_weights, means, covs):
        return torch.distributions.MultivariateNormal(means, covs, validate_args=False)

    def gmm_log_joint(x, log_weights, means, covs):
        return parts(log_weights, means, covs).log_prob(x[:, None, :]) + log_weights

    def elbo(x, resp, *params):
        log_prob = ref.gmm_log_prob(x, *params)
        log_posterior = ref.gmm_log_joint(x, *params) - log_prob[:, None]
        kl = torch.where(resp > 0, resp * (resp.log() - log_posterior), torch.zeros_like(resp)).sum(1)
        return log_prob - kl

    return {"gmm_log_joint": gmm_log_joint, "elbo": elbo}


edit_alternative(
    "matrix_products",
    "covariances by one matrix product per component; weights normalised by the sum of the counts; floor on the diagonal view",
    ('scatter = torch.einsum("nk,nki,nkj->kij", resp, centred, centred)',
     "scatter = (centred * resp[:, :, None]).permute(1, 2, 0) @ centred.permute(1, 0, 2)"),
    ("return counts.log() - math.log(len(x)), means, covs", "return (counts / counts.sum()).log(), means, covs"),
    (" + floor * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)",
     "\n    covs.diagonal(dim1=1, dim2=2).add_(floor)"),
)
edit_alternative(
    "uncentred_double",
    "covariances as E[xxᵀ] − μμᵀ in float64, which is accurate enough",
    ("covs = scatter / owned[:, None, None]",
     "wide = x.double(); r = resp.double(); s = r.sum(0).clamp_min(1e-300); m = r.T @ wide / s[:, None]; "
     "covs = (torch.einsum('nk,ni,nj->kij', r, wide, wide) / s[:, None, None] - m[:, :, None] * m[:, None, :]).to(x.dtype)"),
)
@alternative("torch.distributions.MixtureSameFamily, which normalises the weights; the M-step by fit_gaussian")
def mixture_same_family(ref):
    def gmm_log_prob(x, log_weights, means, covs):
        labels = torch.distributions.Categorical(logits=log_weights, validate_args=False)
        parts = torch.distributions.MultivariateNormal(means, covs, validate_args=False)
        return torch.distributions.MixtureSameFamily(labels, parts, validate_args=False).log_prob(x)

    def m_step(x, resp, floor=1e-6):
        identity = torch.eye(x.shape[1], dtype=x.dtype)
        parts = [
            ref.fit_gaussian(x, r) if r.sum() > 0 else (torch.zeros_like(x[0]), torch.zeros_like(identity)) for r in resp.T
        ]
        return resp.mean(0).log(), torch.stack([mean for mean, _ in parts]), torch.stack([cov + floor * identity for _, cov in parts])

    return {"gmm_log_prob": gmm_log_prob, "m_step": m_step}


edit_alternative(
    "guarded_division",
    "empty components by torch.where; the posterior by exponentiating a difference",
    ("means = resp.T @ x / owned[:, None]", "means = torch.where(counts[:, None] > 0, resp.T @ x / counts[:, None], 0.0)"),
    ("return torch.softmax(gmm_log_joint(x, log_weights, means, covs), dim=-1)",
     "joint = gmm_log_joint(x, log_weights, means, covs); return (joint - joint.logsumexp(1, keepdim=True)).exp()"),
)
