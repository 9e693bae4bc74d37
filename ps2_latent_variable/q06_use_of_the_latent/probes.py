"""Question 6: which latents are used, what they cost, and how far the encoder is from the best it could say."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import entry, gradient, in_words, named, tensor_of, two_of

from .models import HIDDEN, STEPS, Hills, learned, planted, turned_pairs

question = Question(
    title="Is the latent used?",
    uses=["reparameterise", "kl_standard_normal", "gaussian_decoder_log_prob", "VAE", "train"],
    figures_of=["q05_vae"],
    skills=["2.12", "2.13", "2.14", "2.32"],
    lecture="variational autoencoders: posterior collapse, amortised inference",
    run_seconds=40,
    manual_points=3,
    rubric=[
        "1 point: (a) along the axes the split moves and the sum does not: at best -ELBO stays at the entropy, so nothing was "
        "wrong; turned, a decoder without a latent has independent dimensions and loses about one nat, so the latent pays.",
        "1 point: (b) L exceeds -ELBO for β = 4 and with free bits (something not negative is added), so -L is still a lower "
        "bound; for β = ¼ a part of the KL is not paid, and -L may exceed log p(x).",
        "1 point: (c) a richer family closes only the approximation gap, a twentieth; the rest is the encoder's: "
        "more images, a better encoder, or refining q for each new image.",
    ],
    aim=(
        "See that a latent is used where it pays, that only the sum of both terms is identified, what β and free bits move, and "
        "measure amortisation gap and approximation gap apart."
    ),
    hints={
        "latent_usage": (
            "Which of the two questions is about the images together, and which one can be asked of each image?",
            "Means (1, 1, 1) for three images: not active, although each KL is at least ½. Means (0, 1, 2): active, variance 2/3.",
            "Question 4's function sums over the last axis. Give it a last axis of length one, so that no latents are added up.",
        ),
        "priced_loss": (
            "In (6.1), what is averaged before the maximum is taken, and what is added up after it?",
            "Two images, one latent, KLs 0 and 1, λ = ½: the mean is ½. If each image is clamped first, it is ¾.",
            "First the price as a Python number, in two cases. Then one line with a mean, a clamp and a sum, in this order.",
        ),
        "gap_of_diagonal": (
            "Which terms of the KL between two Gaussians contain s, and what is the derivative of -½ log s + ½ Λ s?",
            "Λ = (2 1; 1 2): log s = -log 2 for both, and the gap is ½(2 log 2 - log 3). For a diagonal Λ it is 0.",
            "60 latents of precision 10⁴ have a determinant of 10²⁴⁰. torch can give its logarithm without it.",
        ),
        "refine": (
            "What must be a leaf of autograd here, and what stays fixed from step to step?",
            "log p(x, z) = -z²/2, one latent: the ELBO falls with mean² and is largest at logvar = 0. Which term stops logvar from falling?",
            "Write the ELBO (N,) as a function of (mean, logvar) first. It serves the loss, and the comparison with the start.",
        ),
    },
    ambiguities=[
        "latent_usage: variances lie far from the threshold, so that dividing by N - 1 does no harm.",
        "refine: log q may be the density at the draws or its mean in closed form; the loss may be a sum or a mean over images.",
        "priced_loss: no latent's mean KL equals the floor.",
    ],
)

NEAR = Close(rtol=2e-4, atol=2e-5)


# --- latent_usage -------------------------------------------------------------------------------------------------


def usage(student, mean, logvar, *threshold):
    """The two answers by name."""
    return named(student.latent_usage(mean, logvar, *threshold), "active", "kl")


LEVELS = [3e-4, 3e-3, 3e-2, 0.3, 3.0]
BETWEEN = [factor * level for level in LEVELS for factor in (0.6, 1.6)]  # N / (N - 1) is at most 1.25


def exceeded(student, mean, logvar):
    """How many of ten thresholds each latent exceeds."""
    counts = 0
    for threshold in BETWEEN:
        active = tensor_of(usage(student, mean, logvar, threshold)["active"], "`active`", mean.shape[1:])
        if active.dtype != torch.bool:
            raise AnswerError(f"`active` is of dtype {active.dtype} where torch.bool is expected")
        counts = counts + active.int()
    return counts


def shuffled(rng, values):
    """The numbers in random order."""
    return [values[i] for i in rng.permutation(len(values)).tolist()]


@question.probe(points=0.5, title="latent_usage: active latents and their KL", public=True, judge=Fields(default=NEAR))
def used(student, rng):
    mean, logvar = planted(rng, rng.integer(7, 10), shuffled(rng, LEVELS))
    return {
        "ordinary": entry("`latent_usage`", lambda: usage(student, mean, logvar)),
        "how many of ten thresholds each latent exceeds": entry("`latent_usage`", lambda: exceeded(student, mean, logvar - 5)),
    }


@question.probe(
    points=1, title="latent_usage: idle but costly latents, other thresholds and sizes, float64",
    judge=Fields({"in float64": Close(rtol=1e-9, atol=1e-9)}, default=NEAR),
)
def used_edges(student, rng):
    n = rng.integer(11, 14)
    levels = shuffled(rng, LEVELS)
    mean, logvar = planted(rng, n, levels)

    def ask(*arguments):
        return entry("`latent_usage`", lambda: usage(student, *arguments))

    constant = 0 * mean + mean[:1]
    centred = mean - mean.mean(0)
    wide = planted(rng, n, levels, torch.float64)
    square = planted(rng, 5, levels)
    still = torch.tensor([0.5, -1.0, 0.25], device=rng.device).repeat(8, 1)  # exact in binary: their variance is 0
    partly = torch.cat([still, rng.normal(8, 2, mean=1.0)], 1)
    cheap, prior = (each[:, [levels.index(level) for level in LEVELS[2:]]] for each in (centred, 0 * logvar))
    return {
        "a high threshold": ask(mean, logvar, 1.0),
        "a low threshold": ask(mean, logvar, 1e-3),
        "the same q for all images, unlike the prior": ask(constant, 0 * logvar - 2),
        "means that move, narrow q": ask(mean, 0 * logvar - 4 - 0.3 * torch.arange(5, device=rng.device)),
        "means around zero, wide q": ask(centred, logvar + 2),
        "means around zero: how many thresholds each latent exceeds": entry("`latent_usage`", lambda: exceeded(student, centred, logvar + 2)),
        "one image": ask(mean[:1], logvar[:1]),
        "one latent": entry("`latent_usage`", lambda: [usage(student, mean[:, i : i + 1], logvar[:, i : i + 1]) for i in range(3)]),
        "threshold 0, three means that never move": ask(partly, rng.normal(8, 5), 0.0),
        "latents that move and cost less than the threshold": entry("`latent_usage`", lambda: [usage(student, cheap, prior, 0.65 * level) for level in LEVELS[2:]]),
        "as many images as latents": ask(*square),
        "as many images as latents: how many thresholds each exceeds": entry("`latent_usage`", lambda: exceeded(student, square[0], square[1] - 5)),
        "in float64": ask(*wide),
    }


# --- priced_loss --------------------------------------------------------------------------------------------------


def batch(rng, n, k, dtype=torch.float32):
    """Log-likelihoods, and KLs whose means over the images are about 0.05, 0.3, 1, 3, 5 … for the latents, in random order."""
    size = torch.tensor([0.05, 0.3, 1.0, 3.0, 5.0, 8.0][:k], dtype=torch.float64, device=rng.device)[rng.permutation(k)]
    kl = size * rng.uniform(n, k, low=0.0, high=2.0, dtype=torch.float64)
    kl = kl * size / kl.mean(0)
    return (4 * rng.normal(n, dtype=torch.float64) - 20).to(dtype), kl.to(dtype)


def losses(student, rng, *settings, n=6, k=4, dtype=torch.float32):
    """Losses for these settings, each on new numbers."""
    return entry("`priced_loss`", lambda: [student.priced_loss(*batch(rng, n, k, dtype), **each) for each in settings])


def loss_slopes(student, rng, **settings):
    """Gradients by log-likelihood and KL."""
    log_likelihood, kl = (each.requires_grad_() for each in batch(rng, 5, 4))
    given = {"log_likelihood": log_likelihood, "kl": kl}

    def compute():
        value = tensor_of(student.priced_loss(log_likelihood, kl, **settings), "the loss", ())
        return dict(zip(given, gradient("the loss", value, **given), strict=True))

    return entry("`priced_loss`", compute)


@question.probe(points=0.5, title="priced_loss: β, a floor, a warm-up, and gradients", public=True, judge=Fields(default=NEAR))
def priced(student, rng):
    betas = [rng.number(1.5, 5) for _ in range(3)]
    return {
        "as it is": losses(student, rng, {}, {}, {}),
        "with β": losses(student, rng, *[{"beta": beta} for beta in betas]),
        "with a floor": losses(student, rng, *[{"floor": floor} for floor in (0.15, 0.6, 2.0)]),
        "during the warm-up": losses(student, rng, *[{"step": step, "warm_up": 20} for step in (3, 10, 17)]),
        "gradient with β": loss_slopes(student, rng, beta=betas[0]),
    }


@question.probe(
    points=1, title="priced_loss: all settings together, the ends of the warm-up, other sizes, float64",
    judge=Fields({"in float64": Close(rtol=1e-9, atol=1e-9)}, default=NEAR),
)
def priced_edges(student, rng):
    length = rng.integer(5, 9)

    def ask(*settings, **sizes):
        return losses(student, rng, *settings, **sizes)

    everything = {"beta": rng.number(2, 4), "floor": 0.6, "step": 3, "warm_up": length}
    small = {"beta": rng.number(0.2, 0.3), "warm_up": length}
    return {
        "β and a floor": ask(*[{"beta": beta, "floor": 0.6} for beta in (0.25, 2.0, 7.0)]),
        "β = 0": ask({"beta": 0.0}, {"beta": 0.0, "floor": 0.6}, {"beta": 0.0, "step": 3}),
        "a floor above all latents": ask({"floor": 20.0}, {"floor": 30.0}, {"floor": 9.5}),
        "a floor near the sum of all latents": ask({"floor": 3.8}, {"floor": 4.6}, {"floor": 5.2}),
        "a floor below all latents": ask(*[{"floor": 0.01}] * 3),
        "at step 0 of a warm-up": ask(*[{"step": 0, "warm_up": length}, {"warm_up": 1}, {"floor": 0.6, "warm_up": length}]),
        "at the end of the warm-up": ask(*[{"step": length, "warm_up": length}, {"step": 1, "warm_up": 1}, {"step": 2, "warm_up": 2}]),
        "at the end of the warm-up, with β": ask(*[small | {"step": length + i} for i in range(3)]),
        "long after the warm-up": ask(*[{"step": 10 * length + i, "warm_up": length, "beta": 2.0} for i in range(3)]),
        "steps without a warm-up": ask(*[{"step": step, "beta": 2.0} for step in (1, 5, 400)]),
        "a small β during the warm-up": ask(*[small | {"step": step} for step in (1, 3, 4)]),
        "β, a floor and a warm-up": ask(*[everything | {"step": step} for step in (1, 3, 4)]),
        "a floor after the warm-up": ask(*[{"floor": 0.6, "step": length + i, "warm_up": length} for i in (0, 1, 50)]),
        "one image": ask({}, {"beta": 3.0}, {"floor": 0.6}, n=1),
        "one latent": ask({}, {"beta": 3.0}, {"floor": 0.6}, k=1),
        "as many images as latents": ask({}, {"beta": 3.0}, {"floor": 0.6}, n=4),
        "in float64": ask({"floor": 0.15}, everything, {"beta": 0.3}, dtype=torch.float64),
        "gradient with a floor": loss_slopes(student, rng, floor=0.6),
        "gradient with everything": loss_slopes(student, rng, **everything),
    }


# --- gap_of_diagonal ----------------------------------------------------------------------------------------------


def gap(student, precision):
    """The two answers by name."""
    return named(student.gap_of_diagonal(precision), "logvar", "gap")


@question.probe(points=0.5, title="gap_of_diagonal: the best diagonal Gaussian", public=True, judge=Fields(default=NEAR))
def best_diagonal(student, rng):
    return {
        "three latents": entry("`gap_of_diagonal`", lambda: gap(student, rng.spd(3, 0.3, 6.0))),
        "three posteriors of two latents": entry(
            "`gap_of_diagonal`", lambda: gap(student, torch.stack([rng.spd(2, 0.3, 6.0) for _ in range(3)]))
        ),
    }


@question.probe(
    points=1, title="gap_of_diagonal: many latents, no correlation or much, batches, float64",
    judge=Fields({
        "in float64": Close(rtol=1e-9, atol=1e-9),
        "60 precise latents": Close(rtol=1e-3, atol=2e-3),
        "60 vague latents": Close(rtol=1e-3, atol=2e-3),
        "much correlation": Close(rtol=1e-3, atol=1e-3),
    }, default=NEAR),
)
def best_diagonal_edges(student, rng):
    def ask(precision):
        return entry("`gap_of_diagonal`", lambda: gap(student, precision))

    def many(n, k, low=0.3, high=6.0):
        return torch.stack([rng.spd(k, low, high) for _ in range(n)])

    return {
        "no correlation": ask(torch.diag(rng.uniform(4, low=0.3, high=5))),
        "the prior itself": entry("`gap_of_diagonal`", lambda: [gap(student, torch.eye(k, device=rng.device)) for k in (2, 3, 4)]),
        "much correlation": ask(rng.spd(4, 0.02, 40.0)),
        "one latent": entry("`gap_of_diagonal`", lambda: [gap(student, rng.spd(1, 0.3, 6.0)) for _ in range(3)]),
        "as many posteriors as latents": ask(many(3, 3)),
        "two axes of posteriors": ask(many(6, 3).reshape(2, 3, 3, 3)),
        "60 precise latents": ask(rng.spd(60, 2e3, 2e4)),
        "60 vague latents": ask(rng.spd(60, 2e-4, 2e-3)),
        "in float64": ask(rng.spd(5, 0.3, 6.0, dtype=torch.float64)),
    }


# --- refine -------------------------------------------------------------------------------------------------------

RUN = Close(rtol=1e-3, atol=1e-3)


def refined(student, hills, *arguments):
    """The refined q by name; the start is of the type of the hills."""
    return entry("`refine`", lambda: named(two_of(student.refine(hills, *arguments), "the mean", "the logvar"), "mean", "logvar"))


def far_start(rng, n, k, dtype=torch.float32):
    """A q far from its hill: every coordinate is pulled."""
    sign = 2 * rng.bernoulli(n, k) - 1
    return (sign * rng.uniform(n, k, low=3, high=5)).to(dtype), (rng.normal(n, k, std=0.3) - 2.5).to(dtype)


@question.probe(points=0.5, title="refine: a few steps for each image", public=True, judge=Fields(default=RUN))
def climbed(student, rng):
    n, k, m = rng.integer(3, 5), 2, 6
    hills = Hills(rng, n, k)
    return {"six steps": refined(student, hills, *far_start(rng, n, k), rng.normal(m, n, k), 6, 0.1)}


@question.probe(
    points=1.5, title="refine: images that would get worse, no step, one draw, a start with a graph, float64",
    judge=Fields({"in float64": Close(rtol=0, atol=1e-7)}, default=RUN),
)
def climbed_edges(student, rng):
    n, k, m = rng.integer(4, 6), 3, 5
    hills, curved = Hills(rng, n, k), Hills(rng, n, k, bend=1.5)
    start = far_start(rng, n, k)
    eps = rng.normal(m, n, k)

    # the first images start near their hill's top, so that steps of this size overshoot; the others start far away
    near = [each.clone() for each in start]
    near[0][:2], near[1][:2] = hills.top[:2] + 0.2 * rng.normal(2, k), -1.0
    near[0][2:] = hills.top[2:] + 12 * (2 * rng.bernoulli(n - 2, k) - 1)

    # too far, but better than the start; and narrow q at wide hills' tops, whose means get a little worse and widths better
    beyond = hills.top + 4 * (2 * rng.bernoulli(n, k) - 1), 0 * hills.top - 1.5
    plateau = Hills(rng, n, k, low=0.35, high=0.45)
    widths = torch.linspace(-12, -4.5, n * k, device=rng.device)[rng.permutation(n * k)].reshape(n, k)
    narrow = plateau.top + 0.2 * (2 * rng.bernoulli(n, k) - 1), widths

    # a fall on the way, and better in the end; twelve images that end 0.03 to 0.1 nats better or worse; and float64. The last two
    # are built so that no gradient is near zero, where Adam's 1e-8 would tell a sum over the images from a mean
    steep, many = Hills(rng, n, k, low=2.0, high=4.0), Hills(rng, 12, 2, low=0.98, high=1.02, dtype=torch.float64)
    fallen = steep.top + 0.1 * (2 * rng.bernoulli(n, k) - 1), 0 * steep.top - 4
    off = torch.tensor([[0.25, 0.25], [0.2, 0.3], [0.15, 0.25], [0.3, 0.3], [0.4, 0.2], [0.35, 0.35]], device=rng.device).repeat(2, 1)
    close = many.top + off[rng.permutation(12)] * (2 * rng.bernoulli(12, 2) - 1), 0 * many.top - 0.45
    wide = Hills(rng, n, k, low=1.0, high=1.3, dtype=torch.float64)
    wide_start = wide.top + 4 * (2 * rng.bernoulli(n, k) - 1), rng.uniform(n, k, low=1, high=2).double()

    def both_signs(*shape):
        signs = (2 * rng.bernoulli(*shape) - 1).double()
        return torch.cat([signs, -signs])

    with_graph = [(each.clone().requires_grad_() * 1.0) for each in start]
    outcome = entry("`refine`", lambda: two_of(student.refine(hills, *with_graph, eps, 3, 0.1), "the mean", "the logvar"))
    single = Hills(rng, n, 1)
    square = Hills(rng, 3, 3, bend=1.5)
    return {
        "some images would get worse": refined(student, hills, *near, eps, 2, 2.5),
        "all images would get worse": refined(student, hills, hills.top + 0, 0 * hills.top - 1, eps, 1, 4.0),
        "steps that go too far, and end better than the start": refined(student, hills, *beyond, eps, 3, 2.0),
        "a fall on the way, and better in the end": refined(student, steep, *fallen, eps, 12, 1.0),
        "twelve images, some a little worse": refined(student, many, *close, both_signs(m, 12, 2), 1, 0.65),
        "a narrow q at the top": refined(student, plateau, *narrow, eps, 1, 0.5),
        "a curved posterior": refined(student, curved, *start, eps, 9, 0.05),
        "many small steps": refined(student, curved, *start, eps, 12, 0.01),
        "one step": refined(student, hills, *start, eps, 1, 0.3),
        "no step": refined(student, hills, *start, eps, 0, 0.1),
        "one draw": refined(student, hills, *start, eps[:1], 3, 0.1),
        "draws that are all zero": refined(student, hills, *start, 0 * eps, 3, 0.1),
        "one image": refined(student, Hills(rng, 1, k), start[0][:1], start[1][:1], eps[:, :1], 3, 0.1),
        "one latent": refined(student, single, *far_start(rng, n, 1), rng.normal(m, n, 1), 3, 0.1),
        "as many draws as images as latents": refined(student, square, *far_start(rng, 3, 3), rng.normal(3, 3, 3), 3, 0.1),
        "a wide q": refined(student, hills, start[0], start[1] + 6, eps, 3, 0.1),
        "a start with a graph": outcome if isinstance(outcome, str) else named(outcome, "mean", "logvar"),
        "a start with a graph: what is returned": outcome if isinstance(outcome, str) else [in_words(each) for each in outcome],
        "in float64": refined(student, wide, *wide_start, both_signs(m, n, k), 3, 0.05),
    }


# --- the loss in use ------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="a VAE trained with `priced_loss` on the turned cloud, measured by the grader", judge=learned, seconds=20)
def quality(student, rng):
    x, _, _ = turned_pairs(rng)
    model = student.raw.GaussianVAE(2, 2, HIDDEN, 1.0)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if name != "noise_logvar":
                weight.copy_(rng.normal(*weight.shape, std=weight.shape[-1] ** -0.5 if weight.dim() == 2 else 0.1))
    model.to(rng.device)
    generator = rng.generator()

    def run():
        student.raw.train(model, student.raw.Priced(warm_up=20), x, STEPS, 100, 0.02, generator)
        return {name: value.detach().clone() for name, value in model.state_dict().items()}

    return {"weights": entry("training", run)}
