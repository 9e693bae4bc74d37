"""Question 5: a variational autoencoder: its networks, the ELBO of each image, the aggregate posterior, and training."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, gradient, in_words, named, tensor_of, two_of

from .models import Bound, Curved, Planted, Watched, fill

question = Question(
    title="A VAE that draws",
    uses=["reparameterise", "kl_standard_normal"],
    skills=["2.05", "2.11"],
    lecture="the ELBO and variational autoencoders",
    run_seconds=75,
    manual_points=3,
    rubric=[
        "1 point: the reported number is no bound: (5.1) holds for codes drawn from q(z|x), but z = μ is one chosen point, "
        "while the KL charges for a q of variance about 1. A better number on test images is therefore no evidence.",
        "1 point: what the networks did: without noise nothing hinders the encoder from σ = 1 and means close together, so "
        "the KL vanishes; the decoder magnifies their differences. Each image is rebuilt from an exact number for nothing.",
        "1 point: why mean and covariance fit although the drawings fail: the codes drawn from q are N(0, I) already by σ = 1, "
        "whatever the images; and one thing that exposes the program: -ELBO with noise, or drawings from the prior.",
    ],
    aim=(
        "Put bound, reparameterisation and KL together, train with one loop, draw the latent sheet, compare the aggregate "
        "posterior with the prior, and see that a bound without its noise is no bound."
    ),
    hints={
        "VAE": (
            "How many numbers does the encoder give for each image, and which of them are means?",
            "With k = 2 and an output (1, 2, 3, 4) the mean is (1, 2) and the log-variance (3, 4).",
            "`chunk` or a slice along the last axis takes the outputs apart. Which later function applies the sigmoid?",
        ),
        "elbo_terms": (
            "What has the encoder to say about x, and which of your functions turns that and `eps` into a code?",
            "If the decoder's logits are all 0, the log-likelihood of 64 pixels is -64 log 2 = -44.4 for every image. Is yours?",
            "Four calls, each of something that exists: encode, reparameterise, decode with bernoulli_log_prob, "
            "kl_standard_normal. Which of them already sum over pixels or latents?",
        ),
        "aggregate_moments": (
            "Two kinds of spread make up the spread of the codes. Which would remain if all σ were 0, and which if all μ were equal?",
            "μ = (-1, 1) and σ² = (½, ¼): the means alone have the variance 1, the noise adds the average of its variances.",
            "E[zzᵀ | n] = μₙμₙᵀ + diag(σₙ²). Average over n, and subtract the outer product of the mean. Divide by N, not N - 1.",
        ),
        "train": (
            "What must exist once for the whole run, and what happens anew in each step?",
            "Ten examples, batches of four, five steps: sizes 4, 4, 2, 4, 4. How many permutations were drawn?",
            "`data.batches(x, batch_size, generator, steps=steps)` gives exactly the batches. Note the mode before the loop, "
            "and take each loss out of its graph before you keep it.",
        ),
    },
    ambiguities=[
        "train: resetting gradients before or after each step; the history may be a tensor of any float dtype.",
        "train: permutations may also be drawn in advance; no probe compares numbers that such a loop would change.",
        "The parts of the tested models are in one common mode.",
        "A mistake costs points in its own function only: `elbo_terms` and `train` are asked with models and losses of the grader.",
    ],
)

NEAR = Close(rtol=2e-4, atol=2e-5)


# --- VAE ------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="VAE: what the networks say", public=True, judge=Fields(default=NEAR))
def networks(student, rng):
    d, k, n = rng.integer(7, 10), rng.integer(2, 4), 5
    model = fill(student.raw.VAE(d, k, 6), rng)
    return {
        "encode": entry("`encode`", lambda: named(model.encode(rng.bernoulli(n, d)), "mean", "logvar")),
        "decode": entry("`decode`", lambda: model.decode(rng.normal(n, k))),
    }


@question.probe(points=0.5, title="VAE: one latent, one image, several axes, float64, gradients", judge=Fields(default=NEAR))
def networks_edges(student, rng):
    d, k = rng.integer(7, 10), rng.integer(3, 5)
    model, narrow = fill(student.raw.VAE(d, k, 6), rng, 2.0), fill(student.raw.VAE(d, 1, 5), rng, 2.0)
    wide = fill(student.raw.VAE(d, 2, 5), rng).double()

    far = fill(student.raw.VAE(d, 3, 6), rng)
    with torch.no_grad():
        list(far.encoder.parameters())[-1].add_(torch.tensor([12.0, -12, 9, -9, 10, -11], device=rng.device))

    def slopes(which):
        answer = getattr(model, which)(rng.bernoulli(4, d) if which == "encode" else rng.normal(4, k))
        weights = dict((model.encoder if which == "encode" else model.decoder).named_parameters())
        parts = two_of(answer, "mean", "logvar") if which == "encode" else [answer]
        total = sum(((1 + i) * tensor_of(part, f"`{which}`")).sum() for i, part in enumerate(parts))
        return dict(zip(weights, gradient(f"`{which}`", total, **weights)))

    x, codes = rng.bernoulli(6, d), 3 * rng.normal(4, k)
    return {
        "encode with one latent": entry("`encode`", lambda: named(narrow.encode(x), "mean", "logvar")),
        "encode, with outputs of size 10": entry("`encode`", lambda: named(far.encode(x), "mean", "logvar")),
        "encode one image": entry("`encode`", lambda: named(model.encode(x[:1]), "mean", "logvar")),
        "encode in evaluation mode, more images than outputs": entry(
            "`encode`", lambda: named(model.eval().encode(rng.bernoulli(11, d)), "mean", "logvar")
        ),
        "encode in float64": entry("`encode`", lambda: named(wide.encode(x.double()), "mean", "logvar")),
        "decode codes far out": entry("`decode`", lambda: model.decode(10 * codes)),
        "decode one code without other axes": entry("`decode`", lambda: model.decode(codes[0])),
        "decode one code in a batch of one": entry("`decode`", lambda: model.decode(codes[:1])),
        "decode codes with axes of length 1": entry("`decode`", lambda: model.decode(rng.normal(1, 3, 1, k))),
        "decode codes with two axes before": entry("`decode`", lambda: model.decode(rng.normal(2, 3, k))),
        "decode with one latent": entry("`decode`", lambda: narrow.decode(rng.normal(5, 1))),
        "gradient of encode": entry("`encode`", lambda: slopes("encode")),
        "gradient of decode": entry("`decode`", lambda: slopes("decode")),
    }


# --- elbo_terms -------------------------------------------------------------------------------------------------


def terms(student, model, x, eps):
    """The three terms by name."""
    return named(student.elbo_terms(model, x, eps), "elbo", "log_likelihood", "kl")


@question.probe(points=0.5, title="elbo_terms: three numbers for each image", public=True, judge=Fields(default=NEAR))
def bound(student, rng):
    d, k, n = rng.integer(8, 12), rng.integer(2, 5), rng.integer(5, 7)
    model, x, eps = Curved(rng, d, k), rng.bernoulli(n, d), rng.normal(n, k)
    return {
        "ordinary": entry("`elbo_terms`", lambda: terms(student, model, x, eps)),
        "without noise": entry("`elbo_terms`", lambda: terms(student, model, x, 0 * eps)),
    }


@question.probe(
    points=2, title="elbo_terms: gradients, repeated pixels and images, sizes, extremes, evaluation mode",
    judge=Fields({"log-variances near -20, in float64": Close(rtol=1e-8, atol=1e-8)}, default=NEAR),
)
def bound_edges(student, rng):
    d, k, n = rng.integer(8, 11), rng.integer(2, 4), 5
    model, x, eps = Curved(rng, d, k), rng.bernoulli(n, d), rng.normal(n, k)
    square, line, one = Curved(rng, 4, 4), Curved(rng, d, 1), Curved(rng, 1, 3)
    sharp, blurred, sure = Curved(rng, d, k, shift=-20.0).double(), Curved(rng, d, k, shift=4.0), Curved(rng, d, k, gain=200.0)
    resting = Curved(rng, d, k).eval()
    weight = rng.uniform(n, low=0.5, high=1.5)

    weights = {"weights of the mean": model.to_mean, "weights of the log-variance": model.to_logvar, "weights of the logits": model.to_logits}

    def slopes(term, parts=3):
        found = tensor_of(terms(student, model, x, eps)[term], f"`{term}`", (n,))
        asked = dict(list(weights.items())[:parts])
        return dict(zip(asked, gradient(f"`{term}`", weight * found, **asked)))

    def ask(key, *arguments):
        return {key: entry("`elbo_terms`", lambda: terms(student, *arguments))}

    def doubled():
        """A model of every pixel twice, and twice as many images, the second half with other noise."""
        twin = Curved(rng, 2 * d, k)
        with torch.no_grad():
            for name in ("to_mean", "to_logvar"):
                getattr(twin, name).copy_(torch.cat([getattr(model, name)] * 2) / 2**0.5)
            twin.to_logits.copy_(torch.cat([model.to_logits] * 2, 1))
        return terms(student, twin, torch.cat([x, x], 1).repeat(2, 1), torch.cat([eps, -eps]))

    return {
        **ask("one image", model, x[:1], eps[:1]),
        **ask("one latent", line, x, rng.normal(n, 1)),
        **ask("one pixel", one, rng.bernoulli(n, 1), rng.normal(n, 3)),
        **ask("as many images as pixels and latents", square, rng.bernoulli(4, 4), rng.normal(4, 4)),
        "every pixel and every image twice": entry("`elbo_terms`", doubled),
        **ask("log-variances near -20, in float64", sharp, x.double(), eps.double()),
        **ask("log-variances near 4", blurred, x, eps),
        **ask("logits of hundreds", sure, x, eps),
        **ask("a model in evaluation mode", resting, x, eps),
        "gradient of elbo": entry("`elbo_terms`", lambda: slopes("elbo")),
        "gradient of log_likelihood": entry("`elbo_terms`", lambda: slopes("log_likelihood")),
        "gradient of kl": entry("`elbo_terms`", lambda: slopes("kl", 2)),
    }


# --- aggregate_moments ------------------------------------------------------------------------------------------


def moments(student, mean, logvar):
    """Mean and covariance by name."""
    return named(student.aggregate_moments(mean, logvar), "mean", "covariance")


@question.probe(points=0.5, title="aggregate_moments: mean and covariance", public=True, judge=Fields(default=NEAR))
def aggregate(student, rng):
    n, k = rng.integer(10, 13), rng.integer(2, 4)
    return {"ordinary": entry("`aggregate_moments`", lambda: moments(student, 1 + rng.normal(n, k), rng.normal(n, k) - 1))}


@question.probe(
    points=0.75, title="aggregate_moments: one image, one latent, few images, float64",
    judge=Fields({"in float64": Close(rtol=1e-9, atol=1e-9)}, default=NEAR),
)
def aggregate_edges(student, rng):
    n, k = rng.integer(10, 13), rng.integer(3, 5)
    mean, logvar = 2 * rng.normal(n, k) - 1, rng.normal(n, k)

    def ask(*arguments):
        return entry("`aggregate_moments`", lambda: moments(student, *arguments))

    return {
        "one image": ask(mean[:1], logvar[:1]),
        "one latent": ask(mean[:, :1], logvar[:, :1]),
        "fewer images than latents": ask(mean[:2], logvar[:2]),
        "as many images as latents": ask(mean[:k], logvar[:k]),
        "equal means": ask(0 * mean + mean[0], logvar),
        "hardly any noise": ask(mean, logvar - 25),
        "much noise": ask(mean, logvar + 4),
        "in float64": ask(mean.double(), logvar.double()),
    }


# --- train ------------------------------------------------------------------------------------------------------


def examples(rng, n, dtype=torch.float32):
    """So far apart that the gradients of the batches differ in sign."""
    return 6 * rng.normal(n, 3, dtype=dtype) + 2


def trained(student, rng, x, steps, batch_size, lr=0.1, model=None, generator=None, **added):
    """A run, and what it left. The model is in training mode unless one is given."""
    model = Watched(rng, x.shape[1]).to(rng.device) if model is None else model
    generator = rng.generator() if generator is None else generator
    loss = Planted(generator, **added)
    history = tensor_of(student.train(model, loss, x, steps, batch_size, lr, generator), "what `train` returns")
    return {
        "history": history,
        "weights afterwards": [model.centre, model.level, model.still, model.spark],
        "examples as the loss saw them": torch.cat(loss.seen),
        "type of the history": in_words(history).replace("float64", "float32"),
        "mode of model and part, at each call of the loss": list(model.modes),
        "mode of model and part afterwards": [float(model.training), float(model.part.training)],
    }


RUN = Fields(default=Close(rtol=2e-4, atol=1e-4))


@question.probe(points=0.5, title="train: two passes over the data", public=True, judge=RUN)
def ordinary_run(student, rng):
    size = rng.integer(3, 6)
    return trained(student, rng, examples(rng, 3 * size), 6, size)


@question.probe(points=1.25, title="train: short batches, modes, what stays as it is, further runs", judge=RUN)
def other_runs(student, rng):
    size = rng.integer(4, 7)
    x = examples(rng, 2 * size + 1)

    def run(*arguments, **settings):
        return entry("`train`", lambda: trained(student, rng, *arguments, **settings))

    def twice():
        """Each run stops within a pass; the next one draws its own order and starts Adam anew."""
        generator, model = rng.generator(), Watched(rng, 3).to(rng.device)
        return [trained(student, rng, x, steps, size, model=model, generator=generator) for steps in (2, 4, 2)]

    resting = Watched(rng, 3).to(rng.device).eval()
    kept = [resting.frozen.clone(), resting.unused.detach().clone()]
    arrived = run(x, 7, size, model=resting)
    return {
        "a short last batch": run(x, 7, size),
        "batch_size above the number of examples": run(x[:5], 4, size + 5),
        "one example per batch": run(x[:3], 7, 1),
        "one step": run(x, 1, size),
        "a tiny learning rate": run(x, 4, size, lr=1e-3),
        "a negative loss": run(x, 5, size, offset=-500.0),
        "three runs with one generator": entry("`train`", twice),
        "a model that comes in evaluation mode": arrived,
        "change of a frozen and of an unused parameter": [resting.frozen - kept[0], resting.unused - kept[1]],
        "require gradients: a frozen parameter, another": [float(resting.frozen.requires_grad), float(resting.centre.requires_grad)],
    }


def noisy_run(student, rng, *shape):
    """Most of a pass over images, with a loss that draws its noise from the generator, too."""
    generator, model = rng.generator(), Curved(rng, math.prod(shape), 2)
    x = rng.bernoulli(9, *shape)
    history = student.train(model, Bound(generator, shape), x, 4, 2, 0.05, generator)
    return {
        "history": tensor_of(history, "what `train` returns"),
        "weights afterwards": [model.to_mean, model.to_logvar, model.to_logits],
        "next numbers of the generator": torch.rand(4, generator=generator, device=generator.device),
    }


PRECISE = Fields({
    "weights afterwards": Close(rtol=1e-7, atol=1e-8), "examples as the loss saw them": Close(rtol=1e-12, atol=0),
}, default=RUN.default)


@question.probe(
    points=0.5, title="train: a loss that draws noise, images with two axes, a rising loss, a constant one, float64",
    judge=Fields({"in float64": PRECISE}, default=RUN.default),
)
def further_runs(student, rng):
    x = examples(rng, 7)

    def run(x, *arguments, **settings):
        model = Watched(rng, 3).to(rng.device).to(x.dtype)
        return entry("`train`", lambda: trained(student, rng, x, *arguments, model=model, **settings))

    return {
        "a loss that draws noise": entry("`train`", lambda: noisy_run(student, rng, 6)),
        "images with two axes": entry("`train`", lambda: noisy_run(student, rng, 2, 3)),
        "a loss that rises all the time": run(x, 14, 3, rise=200.0),
        "a loss that does not change": run(x[:1], 4, 2, lr=1e-9),
        "in float64": run(examples(rng, 7, torch.float64), 6, 3),
    }
