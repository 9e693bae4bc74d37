"""Question 4: divergences between Gaussians, decoder likelihoods, and the variance that hides in a loss."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import named, slopes, tried, two_of, with_right

question = Question(
    title="Divergences and decoders",
    skills=["2.07", "2.08", "2.09", "2.10"],
    uses=["reparameterise"],
    lecture="the ELBO",
    run_seconds=5,
    aim=(
        "Have both terms of the ELBO in nats, with all constants, and see that a mean squared error with a KL is a Gaussian "
        "decoder whose variance nobody chose."
    ),
    hints={
        "kl_standard_normal": (
            "What is the KL at mean 0 and logvar 0, and what is its gradient there?",
            "mean = 1, logvar = 0 gives ½; mean = 0, logvar = log 4 gives 0.807. Two such latents together give the sum.",
            "σ² is exp(logvar), and log σ² is logvar itself. The sum is along the last axis only.",
        ),
        "kl_gaussians": (
            "What must you do to a variable with mean μ_p and standard deviation σ_p to make it standard normal?",
            "q = N(1, 1) and p = N(3, 4): subtract 3, divide by 2. Now q has the mean -1. And which variance?",
            "A ratio of variances is a difference of logarithms. Then Question 4's first function does the rest.",
        ),
        "kl_monte_carlo": (
            "How many draws does one estimate need, for log q and log p together?",
            "mean = 1, logvar = 0, eps = 0 gives z = 1 and the estimate ½. With eps = -2 it is -1.5, less than a KL can be.",
            "`reparameterise` gives z for all M draws at once, and the given `diagonal_log_prob` both logarithms.",
        ),
        "gaussian_decoder_log_prob": (
            "One variance for all 784 pixels: how many times does its logarithm count?",
            "Two pixels with x = mean and logvar = 0 give -log(2π), which is -1.838.",
            "Compute the term of each pixel first, with all three parts, so that the variance broadcasts. Then sum over all axes but the first.",
        ),
        "loss_in_nats": (
            "Divide the loss by β. Which factor does each squared error have now, and which one does it have in (4.3)?",
            "1/(βD) is to be 1/(2σ²). What is σ² for D = 2 and β = 1?",
            "The constant is what (4.3) has besides the squared error: D terms with your σ².",
        ),
    },
    ambiguities=[
        "Library calls (torch.distributions.kl_divergence, Normal.log_prob, F.gaussian_nll_loss with full=True) are accepted.",
        "The variance of loss_in_nats may be a number or a tensor of one number.",
        "kl_gaussians is graded with the right kl_standard_normal, so that a mistake there costs points once; the public check, whose source "
        "students can read, is worth no points.",
        "Values near the limits of float32 are not tested: logvar lies between -16 and 6.",
    ],
)

WIDE = torch.float64
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


def leaves(**tensors):
    """Copies that require gradients, by name."""
    return {key: tensor.clone().requires_grad_() for key, tensor in tensors.items()}


def spread(rng, low, high, *shape):
    """Numbers from low to high at nearly equal distances, in random order."""
    size = math.prod(shape)
    numbers = torch.linspace(low, high, size, device=rng.device)[rng.permutation(size)]
    return (numbers + 0.1 * rng.uniform(size)).reshape(shape)


def gradients(rng, shape, function, **tensors):
    """Gradients of a weighted sum of the answers, or a sentence."""
    factor = rng.uniform(*shape, low=0.5, high=2.0)
    given = leaves(**tensors)
    return tried(lambda: slopes(function(*given.values()), shape, factor, **given))


# --- kl_standard_normal -----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="KL to the standard normal, and its gradients", public=True, judge=TOLD)
def kl(student, rng):
    n, k = rng.integer(4, 7), rng.integer(2, 4)
    mean, logvar = rng.normal(n, k), rng.normal(n, k)
    return {
        "a few examples": tried(lambda: student.kl_standard_normal(mean, logvar)),
        "gradients in mean and logvar": gradients(rng, (n,), student.kl_standard_normal, mean=mean, logvar=logvar),
    }


@question.probe(points=1.5, title="KL to the standard normal: narrow and wide, other shapes, float64", judge=Fields({
    "float64": Close(rtol=1e-10, atol=1e-10),
}, default=Close()))
def kl_edges(student, rng):
    n, k = rng.integer(5, 7), rng.integer(3, 5)
    mean, logvar = 2 * rng.normal(n, k), rng.normal(n, k)
    logvar[0], mean[0] = 0, 0
    return {
        "q is standard normal, then other examples": tried(lambda: student.kl_standard_normal(mean, logvar)),
        "only the mean differs": tried(lambda: student.kl_standard_normal(mean, 0 * logvar)),
        "only the variance differs": tried(lambda: student.kl_standard_normal(0 * mean, logvar)),
        "logvar from -12 to 6": tried(lambda: student.kl_standard_normal(mean, spread(rng, -12, 6, n, k))),
        "one latent": tried(lambda: student.kl_standard_normal(mean[:, :1], logvar[:, :1])),
        "one example at a time": tried(lambda: [student.kl_standard_normal(mean[i : i + 1], logvar[i : i + 1]) for i in range(1, n)]),
        "single vectors, of shape (k,)": tried(lambda: [student.kl_standard_normal(mean[i], logvar[i]) for i in range(1, n)]),
        "three axes": tried(lambda: student.kl_standard_normal(rng.normal(3, n, k), rng.normal(3, n, k))),
        "float64": tried(lambda: student.kl_standard_normal(rng.normal(n, k, dtype=WIDE), rng.normal(n, k, dtype=WIDE))),
        "logvar from -12 to 6: gradients": gradients(
            rng, (n,), student.kl_standard_normal, mean=mean, logvar=spread(rng, -12, 6, n, k)
        ),
    }


# --- kl_gaussians -----------------------------------------------------------------------------------------------------


def equation_one(mean, logvar):
    """(4.1)."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(-1)


def four(rng, *shapes, dtype=torch.float32):
    """mean_q, logvar_q, mean_p, logvar_p of these shapes; the last one serves for all that follow."""
    shapes = [*shapes, *[shapes[-1]] * (4 - len(shapes))]
    return [rng.normal(*shape, dtype=dtype) for shape in shapes]


def pairs(function, rng):
    """Values and gradients for a few pairs."""
    n, k = rng.integer(4, 7), rng.integer(2, 4)
    given = dict(zip(("mean_q", "logvar_q", "mean_p", "logvar_p"), four(rng, (n, k)), strict=True))
    return {
        "a few pairs": tried(lambda: function(*four(rng, (n, k)))),
        "gradients in all four arguments": gradients(rng, (n,), function, **given),
    }


@question.probe(
    points=0, title="KL of two Gaussians, and its gradients, with your `kl_standard_normal` (a hidden test uses a right one)", public=True, judge=TOLD
)
def kl_pair(student, rng):
    return pairs(student.kl_gaussians, rng)


@question.probe(points=0.5, title="KL of two Gaussians and its gradients, with the right `kl_standard_normal`", judge=TOLD)
def kl_pair_given(student, rng):
    return pairs(with_right(student.kl_gaussians, kl_standard_normal=equation_one), rng)


@question.probe(points=1.5, title="KL of two Gaussians, with the right `kl_standard_normal`: equal ones, broadcasting, wide and narrow, float64", judge=Fields({
    "float64": Close(rtol=1e-10, atol=1e-10),
}, default=Close()))
def kl_pair_edges(student, rng):
    n, k = rng.integer(5, 7), rng.integer(2, 5)
    mean_q, logvar_q, mean_p, logvar_p = four(rng, (n, k))
    mean_p[0], logvar_p[0] = mean_q[0], logvar_q[0]
    mixed = dict(zip(("mean_q", "logvar_q", "mean_p", "logvar_p"), four(rng, (n, 1, k), (n, 1, k), (3, k)), strict=True))

    function = with_right(student.kl_gaussians, kl_standard_normal=equation_one)

    def ask(*given):
        return tried(lambda: function(*given))

    return {
        "two equal ones, then other pairs": ask(mean_q, logvar_q, mean_p, logvar_p),
        "p is standard normal": ask(mean_q, logvar_q, 0 * mean_p, 0 * logvar_p),
        "q is standard normal": ask(0 * mean_q, 0 * logvar_q, mean_p, logvar_p),
        "only the means differ": ask(mean_q, logvar_q, mean_p, logvar_q),
        "only the variances differ": ask(mean_q, logvar_q, mean_q, logvar_p),
        "p is narrow": ask(mean_q, logvar_q, mean_p, logvar_p - 4),
        "p is wide": ask(mean_q, logvar_q, mean_p, logvar_p + 4),
        "one p for all examples": ask(mean_q, logvar_q, mean_p[1], logvar_p[1]),
        "one q for all examples": ask(mean_q[1], logvar_q[1], mean_p, logvar_p),
        "one mean for all, each its variance": ask(mean_q[1], logvar_q, mean_p[1], logvar_p),
        "all pairs, by broadcasting": ask(*mixed.values()),
        "all pairs, by broadcasting: gradients": gradients(rng, (n, 3), function, **mixed),
        "all pairs, p with as many axes as q": ask(*four(rng, (n, 1, k), (n, 1, k), (1, 3, k))),
        "one latent": ask(*four(rng, (n, 1))),
        "single vectors, of shape (k,)": tried(lambda: [function(*four(rng, (k,))) for _ in range(3)]),
        "float64": ask(*four(rng, (n, k), dtype=WIDE)),
    }


# --- kl_monte_carlo ---------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="estimates from single draws, and their gradients", public=True, judge=TOLD)
def draws(student, rng):
    m, n, k = rng.integer(5, 7), rng.integer(2, 4), 4
    mean, logvar, eps = rng.normal(n, k), rng.normal(n, k), rng.normal(m, n, k)
    return {
        "each draw and example": tried(lambda: student.kl_monte_carlo(mean, logvar, eps)),
        "gradients in mean and logvar": gradients(
            rng, (m, n), lambda *given: student.kl_monte_carlo(*given, eps), mean=mean, logvar=logvar
        ),
    }


@question.probe(points=1.5, title="estimates: one draw, equal numbers of everything, chosen draws, narrow q, float64", judge=Fields({
    "float64": Close(rtol=1e-9, atol=1e-9),
}, default=Close(rtol=1e-4, atol=1e-4)))
def draws_edges(student, rng):
    n, k = rng.integer(3, 5), rng.integer(5, 7)
    mean, logvar = rng.normal(n, k), rng.normal(n, k)
    signs = torch.tensor([1.0, -1.0], device=rng.device)[:, None, None].expand(2, n, k)
    square, narrow = rng.normal(n, n, n), spread(rng, -12, -4, n, k)

    def ask(mean, logvar, eps):
        return tried(lambda: student.kl_monte_carlo(mean, logvar, eps))

    return {
        "one draw": ask(mean, logvar, rng.normal(1, n, k)),
        "one example": ask(mean[:1], logvar[:1], rng.normal(4, 1, k)),
        "one latent": ask(mean[:, :1], logvar[:, :1], rng.normal(4, n, 1)),
        "as many draws as examples as latents": ask(mean[:, :n], logvar[:, :n], square),
        "eps is 1, then -1": ask(mean, logvar, signs),
        "eps is 0": ask(mean, logvar, 0 * signs),
        "q is standard normal up to its mean": ask(mean, 0 * logvar, rng.normal(4, n, k)),
        "a narrow q": ask(mean, narrow, rng.normal(4, n, k)),
        "a narrow q: gradients": gradients(rng, (2, n), lambda *given: student.kl_monte_carlo(*given, signs), mean=mean, logvar=narrow),
        "float64": ask(mean.double(), logvar.double(), rng.normal(3, n, k, dtype=WIDE)),
    }


# --- gaussian_decoder_log_prob ----------------------------------------------------------------------------------------


@question.probe(points=0.5, title="the Gaussian decoder: one variance, and one for each pixel", public=True, judge=TOLD)
def decoder(student, rng):
    n, d = rng.integer(3, 5), rng.integer(5, 8)
    x, mean, logvar = rng.uniform(n, d), rng.uniform(n, d), rng.normal(d) - 1
    return {
        "one variance for all": tried(lambda: student.gaussian_decoder_log_prob(x, mean, logvar[0])),
        "a variance for each pixel": tried(lambda: student.gaussian_decoder_log_prob(x, mean, logvar)),
        "gradients in mean and logvar": gradients(
            rng, (n,), lambda *given: student.gaussian_decoder_log_prob(x, *given), mean=mean, logvar=logvar
        ),
    }


@question.probe(points=1.5, title="the Gaussian decoder: images, variances of all shapes, small ones, float64", judge=Fields({
    "float64": Close(rtol=1e-10, atol=1e-10),
}, default=Close(rtol=1e-4, atol=1e-4)))
def decoder_edges(student, rng):
    n, shape = rng.integer(3, 5), (2, 3, 4)
    x, mean = rng.uniform(n, *shape), spread(rng, -0.7, 1.7, n, *shape)
    flat, flat_mean = x.flatten(1), mean.flatten(1)
    one = rng.normal() - 1

    def ask(*given):
        return tried(lambda: student.gaussian_decoder_log_prob(*given))

    return {
        "images, one variance": ask(x, mean, one),
        "images, a variance for each pixel": ask(x, mean, rng.normal(*shape)),
        "images, a variance for each colour": ask(x, mean, rng.normal(2, 1, 1)),
        "images, a variance for each image": ask(x, mean, rng.normal(n, 1, 1, 1)),
        "images, a variance for each entry": ask(x, mean, rng.normal(n, *shape)),
        "a variance for each entry": ask(flat, flat_mean, rng.normal(n, 24)),
        "a variance for each example": ask(flat, flat_mean, rng.normal(n, 1)),
        "as many examples as pixels": ask(flat[:, :n], flat_mean[:, :n], rng.normal(n)),
        "x is the mean": ask(x, x, rng.normal(n, *shape)),
        "logvar is 0": ask(x, mean, torch.zeros(*shape, device=rng.device)),
        "small variances": ask(flat, flat + 0.01 * flat_mean, spread(rng, -16, -8, 24)),
        "large variances": ask(flat, flat + 3 * flat_mean, spread(rng, 2, 5.9, 24)),
        "one pixel": ask(flat[:, :1], flat_mean[:, :1], one),
        "one example at a time": tried(lambda: [student.gaussian_decoder_log_prob(x[i : i + 1], mean[i : i + 1], one) for i in range(3)]),
        "one variance: gradients": gradients(rng, (n,), lambda *given: student.gaussian_decoder_log_prob(x, *given), mean=mean, logvar=one),
        "each entry's variance: gradients": gradients(
            rng, (n,), student.gaussian_decoder_log_prob, x=x, mean=mean, logvar=rng.normal(n, *shape)
        ),
        "float64": ask(flat.double(), flat_mean.double(), rng.normal(24, dtype=WIDE)),
    }


# --- loss_in_nats -----------------------------------------------------------------------------------------------------


def hidden(student, cases):
    """Variances and nats of (loss, beta, pixels), as two entries or the same sentence twice."""

    def asked():
        pairs = [two_of(student.loss_in_nats(*case), "the variance", "-ELBO in nats") for case in cases]
        return named([[pair[i] for pair in pairs] for i in range(2)], "variance", "nats")

    answer = tried(asked)
    return dict.fromkeys(("variance", "nats"), answer) if isinstance(answer, str) else answer


def cases(rng, *settings, n=3, dtype=torch.float32):
    """Losses of a few examples for each pair of beta and number of pixels."""
    return [(rng.uniform(n, low=0.05, high=0.5, dtype=dtype), beta, pixels) for beta, pixels in settings]


@question.probe(points=0.5, title="the variance that hides in a loss, and its nats", public=True, judge=TOLD)
def unmasked(student, rng):
    found = hidden(student, cases(rng, *[(rng.number(1e-3, 1e-2), rng.integer(100, 900)) for _ in range(3)]))
    return {"three settings: variance": found["variance"], "three settings: nats": found["nats"]}


@question.probe(points=1.5, title="the hidden variance: β = 1, tiny β, few pixels, one example, float64", judge=Fields({
    f"{key}: variance": Close(rtol=1e-4, atol=0) for key in ("tiny β", "one example")
}, default=Close()))
def unmasked_edges(student, rng):
    situations = {
        "β = 1": cases(rng, *[(1.0, rng.integer(10, 900)) for _ in range(3)]),
        "tiny β": cases(rng, *[(rng.number(1e-6, 1e-5), rng.integer(10, 900)) for _ in range(3)]),
        "large β": cases(rng, *[(rng.number(2, 30), rng.integer(10, 900)) for _ in range(3)]),
        "one pixel, two, three": cases(rng, *[(rng.number(0.1, 1), pixels) for pixels in (1, 2, 3)]),
        "one example": cases(rng, *[(rng.number(0.01, 1), rng.integer(10, 90)) for _ in range(3)], n=1),
        "float64": cases(rng, *[(rng.number(0.01, 1), rng.integer(10, 90)) for _ in range(3)], dtype=WIDE),
    }
    return {f"{key}: {part}": value for key, given in situations.items() for part, value in hidden(student, given).items()}
