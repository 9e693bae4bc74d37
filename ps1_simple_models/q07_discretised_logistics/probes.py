"""Question 7: mixtures of discretised logistics."""

import numpy as np
import torch

from autograder.probes import Close, Fields, Question

question = Question(
    title="Discretised logistics",
    skills=["1.06"],
    lecture="maximum likelihood for discrete data",
    run_seconds=8,
    aim="A likelihood for integers that adds up to one and stays accurate, with its gradients, at every scale.",
    hints={
        "discretised_logistic_log_prob": (
            "Take logarithms in (7.2). Which three terms does one component have, and which of them does level 0 keep?",
            "d = 2, mean 0.5, scale 1: both levels have log-probability -0.693. And d = 1 must give 0.",
            "Give `x` a last axis of length 1, so that it broadcasts against the K components, and put in the 0 of each "
            "open edge with `masked_fill`. `torch.expm1` helps with the third term when δ is tiny.",
        ),
    },
    ambiguities=[
        "Renormalising `log_weights` inside is accepted: gradients are taken with respect to logits before "
        "log_softmax.",
    ],
)

ACCURATE = Close(rtol=1e-4, atol=1e-3)  # what the docstring promises


def random_mixture(rng, components, low, high, log_scale_low, log_scale_high):
    """Log-weights, means and log-scales of a mixture of logistics."""
    weights = rng.simplex(components) * 0.9 + 0.1 / components
    means = rng.uniform(components, low=low, high=high)
    return torch.log(weights), means, rng.uniform(components, low=log_scale_low, high=log_scale_high)


@question.probe(
    points=1.5,
    title="log-probabilities of a mixture of logistics, near its means and far away",
    judge=ACCURATE,
    public=True,
)
def mixture_of_logistics(student, rng):
    levels, components = rng.integer(6, 14), rng.integer(2, 5)
    mixture = random_mixture(rng, components, 0.5, levels - 1.5, -0.3, 1.0)
    return {
        "every level": student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels),
        "a grid of values": student.discretised_logistic_log_prob(rng.integers(0, levels, 2, 3), *mixture, levels),
        "inner levels, some several times": student.discretised_logistic_log_prob(
            rng.integers(1, levels - 1, levels + 3), *mixture, levels
        ),
        "means far below": student.discretised_logistic_log_prob(
            torch.arange(levels, device=rng.device),
            mixture[0][:1] - mixture[0][:1],
            torch.full_like(mixture[1][:1], -40.0),
            torch.zeros_like(mixture[2][:1]),
            levels,
        ),
    }


def judge_tables(evidence, expected, context):
    """The probabilities of all levels sum to 1 within 1e-4, and the log-probabilities are those of the reference."""
    if not isinstance(evidence, dict) or set(evidence) != set(expected):
        return "the answer has an unexpected form."
    for key, want in expected.items():
        got = np.asarray(evidence[key], dtype=np.float64)
        if got.shape != want.shape:
            return f"{key}: got shape {got.shape} where {want.shape} is expected."
        with np.errstate(over="ignore"):
            total = np.exp(got).sum(-1)
        if key != "one value" and not (np.abs(total - 1) < 1e-4).all():
            return f"{key}: the probabilities of all levels sum to {np.ravel(total)[0]:.4f}, not to 1."
        if not np.allclose(got, want, rtol=1e-3, atol=1e-4):
            if key == "one value":
                return f"{key}: the log-probability of one inner level, asked alone, is {got:.4g}, which is too {'large' if got > want else 'small'}."
            wrong = ~np.isclose(got, want, rtol=1e-3, atol=1e-4)
            return f"{key}: the probabilities sum to 1, but those of {wrong.sum()} of the {wrong.size} levels are wrong."
    return True


@question.probe(points=1, title="open edges: all probabilities sum to 1", judge=judge_tables)
def open_edges(student, rng):
    def table(levels, *mixture):
        return student.discretised_logistic_log_prob(torch.arange(levels, device=rng.device), *mixture, levels)

    levels, one = rng.integer(5, 10), torch.zeros(1, device=rng.device)
    return {
        "mass beyond both edges": table(levels, *random_mixture(rng, 3, -4.0, levels + 3.0, 0.0, 2.5)),
        "one component": table(
            levels, one, rng.uniform(1, low=-2.0, high=levels + 1.0), rng.uniform(1, low=-1.0, high=1.5)
        ),
        "two levels": table(2, *random_mixture(rng, 2, -1.0, 2.0, -1.0, 1.0)),
        "a single level": table(1, *random_mixture(rng, 2, -1.0, 1.0, -1.0, 1.0)),
        "one value": student.discretised_logistic_log_prob(
            rng.integers(1, levels - 1), *random_mixture(rng, 2, 0.0, levels - 1.0, 0.0, 1.0), levels
        ),
    }


def extreme_mixture(rng, levels, log_scale, spread=0.4):
    """Two components of about the given log-scale, with means at least 0.1 away from every border between levels."""
    centres = rng.permutation(levels)[:2]
    means = centres + rng.uniform(2, low=0.1, high=0.4) * (2 * rng.bernoulli(2) - 1)
    return torch.log(rng.simplex(2) * 0.8 + 0.1), means, log_scale + rng.uniform(2, low=-spread, high=spread)


@question.probe(points=1.5, title="accuracy for narrow, wide and far components", judge=Fields({"the widest scales": Close(rtol=1e-4, atol=0.0)}, default=ACCURATE))
def extreme_scales(student, rng):
    levels = rng.integer(12, 30)
    x = torch.arange(levels, device=rng.device)
    result = {}
    for name, log_scale, spread in (
        ("narrow", -2.0, 0.4),
        ("very narrow", -11.85, 0.12),
        ("wide", 9.0, 0.4),
        ("very wide", 14.5, 0.4),
    ):
        mixture = extreme_mixture(rng, levels, log_scale, spread)
        result[name] = student.discretised_logistic_log_prob(x, *mixture, levels)
    far = torch.tensor([-300.0, -150.0], device=rng.device)
    scales = rng.uniform(2, low=-0.3, high=0.3)
    weights = torch.log(rng.simplex(2) * 0.8 + 0.1)
    result["means far below"] = student.discretised_logistic_log_prob(x, weights, far, scales, levels)
    result["means far above"] = student.discretised_logistic_log_prob(x, weights, levels - far, scales, levels)
    rare, of_rare = torch.tensor([-13.8, -1e-6], device=rng.device), torch.full((2,), 6.0, device=rng.device)
    result["a rare component far below"] = student.discretised_logistic_log_prob(
        x, rare, torch.tensor([-85.0, -400.0], device=rng.device) * of_rare.exp() + rng.uniform(2, high=400.0), of_rare, levels
    )
    # one component after the other: wherever a formula switches, some lie beside it, also at δ = 1e-5
    middle, place = torch.tensor([levels // 2], device=rng.device), levels // 2 + rng.uniform(1, low=0.1, high=0.4)
    for name, values in (
        ("scales over the whole range", torch.tensor([-12.0, -9, -6, -3, *range(-1, 11)])),
        ("the widest scales", torch.cat([torch.linspace(11.0, 11.5, 20), torch.linspace(11.8, 15.0, 8)])),
    ):
        values = (values.to(rng.device) + rng.uniform(len(values), low=-0.02, high=0.02)).clamp(-12.0, 15.0)
        result[name] = [
            student.discretised_logistic_log_prob(middle, torch.zeros_like(place), place, scale, levels)
            for scale in values.split(1)
        ]
    return result


@question.probe(points=1, title="gradients, also at extreme scales", judge=Close(rtol=2e-3, atol=1e-3))
def gradients(student, rng):
    levels = rng.integer(8, 20)
    result = {}
    for name, log_scale in (("moderate", 0.7), ("narrow", -4.0), ("very narrow", -11.5), ("wide", 10.5), ("so wide that δ < 1e-6", 14.5)):
        log_weights, means, log_scales = extreme_mixture(rng, levels, log_scale)
        leaves = [t.clone().requires_grad_() for t in (log_weights, means, log_scales)]
        log_probs = student.raw.discretised_logistic_log_prob(
            torch.arange(levels, device=rng.device), torch.log_softmax(leaves[0], 0), leaves[1], leaves[2], levels
        )
        loss = (rng.uniform(levels, low=0.5, high=1.5) * log_probs).sum()
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        grads = [torch.zeros_like(leaf) if grad is None else grad for leaf, grad in zip(leaves, grads, strict=True)]
        grads[1] = grads[1] * log_scales.exp()  # with the mean in units of the scale
        result[name] = dict(zip(("weights", "means", "log-scales"), grads, strict=True))
    return result
