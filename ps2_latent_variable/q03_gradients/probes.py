"""Question 3: gradients of an average over draws: score function, baselines, reparameterisation, path derivative."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import slopes, tensor_of, tried, with_right

question = Question(
    title="Gradients through a draw",
    skills=["2.05", "2.06", "2.33"],
    lecture="the ELBO and the reparameterisation trick",
    run_seconds=6,
    manual_points=3,
    rubric=[
        "1 point: (a) moving uses the derivative of f, one number for each coordinate; weighing uses the one number f(z) for "
        "all coordinates, so each estimate carries the noise of all others, which grows with the dimension.",
        "1 point: (b) b leaves the sum over z in (3.2) only if it is the same for all z; x is fixed there. If it depends on "
        "the draw, the average of b times the score is not zero and is missing from the gradient (a bias).",
        "1 point: (c) at the posterior the reward is log p(x) at every z, so subtracting it leaves nothing; elsewhere it changes "
        "with z. The moved draw keeps the score of log q, zero only on average. Half a point for one of the two parts.",
    ],
    aim=(
        "See that unbiased is not enough: two ways through a draw, what a baseline may depend on, and why the path derivative "
        "is silent at the posterior; all of it exact, by sums over all draws."
    ),
    hints={
        "reparameterise": (
            "Which power of e turns the logarithm of a variance into a standard deviation?",
            "mean = 1, logvar = log 4 and eps = -½ give z = 0; eps = ½ gives 2.",
            "Scale the noise that you were given, and shift it. Draw none of your own, and detach nothing.",
        ),
        "score_function_loss": (
            "Of the two factors in (3.1), which one is differentiated, and which one is only a weight?",
            "Rewards 3 and 5 of two draws: the baselines are 5 and 3. Rewards 1, 2 and 6 have the baselines 4, 3.5 and 1.5.",
            "The sum over the M draws minus the draw's own reward, divided by how many are left. Then detach the weight.",
        ),
        "best_baseline": (
            "The gradient of log q(z) in the logits: what is it in its own logit, and what in the others?",
            "Minimise the average of (f - b)² times the squared length of the score: a parabola in b.",
            "Set its derivative to zero: b is a weighted mean of the rewards. Each weight has two factors.",
        ),
        "path_derivative_elbo": (
            "At which two places do mean and logvar enter log q(z)?",
            "If z is kept fixed, log q(z) still changes with mean and logvar. This is the part to leave out, and only this.",
            "Compute z with its graph, and evaluate log q there with parameters that have none.",
        ),
    },
    ambiguities=[
        "Of score_function_loss only the gradient is judged, and that it is a single number; its value means nothing.",
        "Any algebra for best_baseline is accepted, also a search for the minimum to the tolerance.",
        "path_derivative_elbo may use its own formula of the Gaussian log-density. It is graded with the right reparameterise, so that a "
        "mistake there costs points once; the public check, whose source students can read, is worth no points.",
    ],
)

WIDE = torch.float64
TOLD = Fields({}, default=Close())   # an entry that is a sentence is told as it is


def leaf(tensor):
    """A copy that requires gradients."""
    return tensor.clone().requires_grad_()


# --- reparameterise ---------------------------------------------------------------------------------------------------


def moved(student, mean, logvar, eps):
    """The draws, as they are."""
    return tried(lambda: student.reparameterise(mean, logvar, eps))


def moved_gradients(student, rng, prefix, mean, logvar, eps):
    """Gradients of a weighted sum of the draws in mean and in logvar, each an entry or a sentence."""
    shape = torch.broadcast_shapes(mean.shape, logvar.shape, eps.shape)
    factor = rng.uniform(*shape, low=0.5, high=2.0, dtype=mean.dtype)

    def gradient_in(name):
        leaves = {"mean": leaf(mean), "logvar": leaf(logvar)}
        return slopes(student.reparameterise(*leaves.values(), eps), shape, factor, **{name: leaves[name]})

    return {f"{prefix}gradient in {name}": tried(lambda name=name: gradient_in(name)) for name in ("mean", "logvar")}


@question.probe(points=0.5, title="the moved draw and its gradients", public=True, judge=TOLD)
def draw(student, rng):
    n, k = rng.integer(4, 7), rng.integer(2, 5)
    mean, logvar, eps = rng.normal(n, k), 1.5 * rng.normal(n, k), rng.normal(n, k)
    return {
        "a draw for each example": moved(student, mean, logvar, eps),
        **moved_gradients(student, rng, "", mean, logvar, eps),
    }


def from_to(rng, low, high, n, k):
    """Log-variances from low to high at equal distances in random order, and noise for which their draws are of the size of 1."""
    logvar = torch.linspace(low, high, n * k, device=rng.device)[rng.permutation(n * k)].reshape(n, k)
    return logvar, rng.normal(n, k) / (0.5 * logvar).exp()


@question.probe(points=1, title="the moved draw: several draws, tiny and huge variances, float64", judge=Fields({
    "float64": Close(rtol=1e-10, atol=1e-10),
}, default=Close()))
def draw_edges(student, rng):
    n, k, m = rng.integer(4, 6), rng.integer(2, 4), rng.integer(3, 5)
    mean, logvar, eps = rng.normal(n, k), rng.normal(n, k), rng.normal(m, n, k)
    small, large = from_to(rng, -60, -19, n, k), from_to(rng, 19, 60, n, k)
    return {
        "M draws for each example": moved(student, mean, logvar, eps),
        **moved_gradients(student, rng, "M draws for each example: ", mean, logvar, eps),
        "one mean and logvar for all examples": moved(student, mean[0], logvar[0], eps),
        **moved_gradients(student, rng, "one mean and logvar for all examples: ", mean[0], logvar[0], eps),
        "one number each": moved(student, mean[:, :1], logvar[:, :1], eps[0, :, :1]),
        "logvar from -60 to -19, eps large": moved(student, mean, *small),
        **moved_gradients(student, rng, "logvar from -60 to -19, eps large: ", mean, *small),
        "logvar from 19 to 60, eps small": moved(student, mean, *large),
        **moved_gradients(student, rng, "logvar from 19 to 60, eps small: ", mean, *large),
        "float64": moved(student, mean.double(), logvar.double(), rng.normal(n, k, dtype=WIDE)),
    }


# --- score_function_loss ----------------------------------------------------------------------------------------------


def weighed(student, log_prob, reward, *baseline, also=()):
    """The loss's gradients in log q, and then in the tensors ``also``, zeros where there is none."""

    def gradients():
        given = leaf(log_prob)
        loss = tensor_of(student.score_function_loss(given, reward, *baseline), "the loss", ())
        if not loss.requires_grad:
            raise AnswerError("the loss carries no gradient: log q must keep its graph")
        found = torch.autograd.grad(loss, [given, *also], allow_unused=True)
        return [torch.zeros_like(each) if grad is None else grad for each, grad in zip([given, *also], found, strict=True)]

    found = tried(gradients)
    return found if isinstance(found, str) or also else found[0]


def log_probs(rng, m, n, dtype=torch.float32):
    """Logarithms of probabilities."""
    return rng.uniform(m, n, low=0.05, high=0.95, dtype=dtype).log()


@question.probe(points=0.5, title="the score function's loss, with a baseline and with other draws", public=True, judge=TOLD)
def weigh(student, rng):
    m, n = rng.integer(5, 8), 3
    log_prob, reward = log_probs(rng, m, n), 3 * rng.normal(m, n) - 4
    return {
        "a number as baseline: gradient in log q": weighed(student, log_prob, reward, rng.number(1, 3)),
        "a tensor as baseline: gradient in log q": weighed(student, log_prob, reward, rng.normal(m, n) - 4),
        "no baseline given: gradient in log q": weighed(student, log_prob, reward),
    }


@question.probe(points=2, title="the loss: graphs behind reward and baseline, baselines of all shapes, few draws", judge=Fields({
    "float64: gradient in log q": Close(rtol=1e-9, atol=1e-9),
}, default=Close()))
def weigh_edges(student, rng):
    m, n = rng.integer(5, 8), 3
    log_prob, reward = log_probs(rng, m, n), 2 * rng.normal(m, n) + 5
    followed, base = leaf(reward), leaf(rng.normal(1, n))
    behind, logits = leaf(rng.normal(n, 6)), leaf(rng.normal(n, 6))
    states = rng.integers(0, 6, m, n)

    def of_logits():
        log_q = logits.log_softmax(1)[torch.arange(n, device=rng.device), states]
        loss = tensor_of(student.score_function_loss(log_q, reward - log_q), "the loss", ())
        return torch.autograd.grad(loss, logits)[0]

    return {
        "the number 0 as baseline: gradient in log q": weighed(student, log_prob, reward, 0.0),
        "a baseline for each example: gradient in log q": weighed(student, log_prob, reward, rng.normal(1, n)),
        "a baseline for each row of draws: gradient in log q": weighed(student, log_prob, reward, rng.normal(m, 1)),
        "two draws: gradient in log q": weighed(student, log_prob[:2], reward[:2]),
        "one example: gradient in log q": weighed(student, log_prob[:, :1], reward[:, :1]),
        "as many draws as examples: gradient in log q": weighed(student, log_prob[:n], reward[:n]),
        "one draw and a number: gradient in log q": weighed(student, log_prob[:1].repeat(1, 3), reward[:1].repeat(1, 3) + rng.normal(1, 3 * n), 1.5),
        "the reward has a graph: gradients in log q and reward": weighed(student, log_prob, followed, 0.5, also=[followed]),
        "the reward has a graph, no baseline given: gradients": weighed(student, log_prob, followed, also=[followed]),
        "the baseline has a graph: gradients in log q and baseline": weighed(student, log_prob, reward, base, also=[base]),
        "both have a graph: gradients": weighed(student, log_prob, followed, behind.sum(1)[None], also=[followed, behind]),
        "an ELBO with a softmax: gradient in the logits": tried(of_logits),
        "float64: gradient in log q": weighed(student, log_prob.double(), reward.double() + rng.normal(m, n, dtype=WIDE)),
    }


# --- best_baseline ----------------------------------------------------------------------------------------------------


def baselines(student, cases):
    """A baseline for each pair of logits and rewards."""
    return tried(lambda: [tensor_of(student.best_baseline(*case), "the baseline") for case in cases])


def softmaxes(rng, k, count=3, scale=1.0, shift=0.0, dtype=torch.float32):
    """Pairs of logits and rewards."""
    return [(scale * rng.normal(k, dtype=dtype), 3 * rng.normal(k, dtype=dtype) + shift) for _ in range(count)]


@question.probe(points=0.5, title="the best baseline", public=True, judge=TOLD)
def best(student, rng):
    return {
        "three or four states": baselines(student, softmaxes(rng, 3, 2) + softmaxes(rng, 4, 2)),
        "two states": baselines(student, softmaxes(rng, 2)),
    }


@question.probe(points=1, title="the best baseline: many states, rare ones, large rewards, float64", judge=Fields({
    "float64": Close(rtol=1e-9, atol=1e-9),
    "rare states, in float64": Close(rtol=1e-7, atol=1e-7),
}, default=Close()))
def best_edges(student, rng):
    k = rng.integer(5, 9)
    rare = torch.linspace(0, -9, k, dtype=WIDE, device=rng.device)
    equal = [(rng.normal(k), torch.full((k,), value, device=rng.device)) for value in (-3.0, 0.5, 40.0)]
    return {
        "many states": baselines(student, softmaxes(rng, k)),
        "logits that are far from zero together": baselines(student, [(logits + 20, reward) for logits, reward in softmaxes(rng, k)]),
        "all logits equal": baselines(student, [(0 * logits, reward) for logits, reward in softmaxes(rng, k)]),
        "all rewards equal": baselines(student, equal),
        "rewards near -100": baselines(student, softmaxes(rng, 3, shift=-100)),
        "rare states, in float64": baselines(student, [(rare[rng.permutation(k)], reward) for _, reward in softmaxes(rng, k, dtype=WIDE)]),
        "float64": baselines(student, softmaxes(rng, 3, dtype=WIDE)),
    }


# --- path_derivative_elbo ---------------------------------------------------------------------------------------------


class Joint:
    """log p(x, z) of a small model that is no Gaussian; it takes draws of the shape (N, k) only."""

    def __init__(self, rng, n, k, dtype=torch.float32):
        self.shape = (n, k)
        self.weights = rng.normal(k, k, dtype=dtype).requires_grad_()
        self.x = rng.normal(n, dtype=dtype)

    def __call__(self, z):
        if tuple(z.shape) != self.shape:
            raise ValueError(f"log_joint was called with shape {tuple(z.shape)} where (N, k) is {self.shape}")
        return torch.sin(z @ self.weights).sum(1) - 0.3 * (z.square().sum(1) - self.x).square()


def right_draw(mean, logvar, eps):
    """The draw of (3.3)."""
    return mean + (0.5 * logvar).exp() * eps


def given_draws(student):
    """`path_derivative_elbo` with the right `reparameterise`."""
    return with_right(student.path_derivative_elbo, reparameterise=right_draw)


def path(function, joint, mean, logvar, eps, factor, **more):
    """Values, and gradients in mean, logvar and ``more``, each an entry, or the same sentence in all."""
    leaves = {"mean": leaf(mean), "logvar": leaf(logvar)}
    inputs = leaves | more
    keys = [f"gradient in {key}" for key in inputs]
    answer = tried(lambda: tensor_of(function(joint, *leaves.values(), eps), "the answer", mean.shape[:1]))
    if isinstance(answer, str):
        return dict.fromkeys(["values", *keys], answer)
    grads = tried(lambda: slopes(answer, answer.shape, factor, **inputs))
    return {"values": answer} | (dict.fromkeys(keys, grads) if isinstance(grads, str) else dict(zip(keys, grads, strict=True)))


def keyed(prefix, entries):
    """Entries with a longer key."""
    return {f"{prefix}: {key}": value for key, value in entries.items()}


def one_path(function, rng):
    """Values and gradients for a few examples."""
    n, k = rng.integer(4, 7), rng.integer(2, 4)
    return path(function, Joint(rng, n, k), rng.normal(n, k), rng.normal(n, k), rng.normal(n, k), rng.uniform(n, low=0.5, high=2))


@question.probe(
    points=0, title="the path derivative with your `reparameterise` (a hidden test uses a right one)", public=True,
    judge=Fields({}, default=Close(rtol=1e-3, atol=1e-4)),
)
def landing(student, rng):
    return one_path(student.path_derivative_elbo, rng)


@question.probe(
    points=0.5, title="the path derivative, with the right `reparameterise`: values and gradients",
    judge=Fields({}, default=Close(rtol=1e-3, atol=1e-4)),
)
def landing_given(student, rng):
    return one_path(given_draws(student), rng)


@question.probe(points=1, title="the path derivative, with the right `reparameterise`: at the posterior, behind a network, the model's own parameters", judge=Fields({
    "float64: values": Close(rtol=1e-9, atol=1e-9),
}, default=Close(rtol=1e-3, atol=1e-4)))
def landing_edges(student, rng):
    n, k, elbo = rng.integer(4, 6), 3, given_draws(student)
    joint, factor = Joint(rng, n, k), rng.uniform(n, low=0.5, high=2)
    mean, logvar, eps = (rng.normal(n, k) for _ in range(3))
    found = keyed("with the model's parameters", path(elbo, joint, mean, logvar, eps, factor, weights=joint.weights))
    found |= keyed("one example, one latent", path(elbo, Joint(rng, 1, 1), mean[:1, :1], logvar[:1, :1], eps[:1, :1], factor[:1]))
    found |= keyed("small variances", path(elbo, Joint(rng, n, k), mean, logvar - 5, eps, factor))
    found |= keyed("float64", path(elbo, Joint(rng, n, k, WIDE), mean.double(), logvar.double(), rng.normal(n, k, dtype=WIDE), factor))

    centre, log_width = rng.normal(n, k), rng.normal(n, k)

    def at_posterior(z):
        return (-0.5 * (z - centre).square() / log_width.exp() - 0.5 * log_width).sum(1) - torch.arange(1.0, n + 1, device=rng.device)

    found |= keyed("q is the posterior", path(elbo, at_posterior, centre, log_width, eps, factor))

    weights = leaf(rng.normal(k, 2 * k))

    def behind_a_network():
        means, logvars = (mean @ weights).chunk(2, dim=1)
        return slopes(elbo(joint, means, logvars, eps), (n,), factor, weights=weights)

    found["mean and logvar from a network: gradient in its weights"] = tried(behind_a_network)
    return found
