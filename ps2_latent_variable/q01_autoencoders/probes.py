"""Question 1: PCA as the best linear autoencoder, probabilistic PCA, and a network with a code."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.answers import AnswerError
from dgm.checks.asking import slopes, tensor_of, tried, two_of

question = Question(
    title="Autoencoders, PCA and its probabilistic twin",
    skills=["2.01", "2.02", "2.31"],
    lecture="the multivariate Gaussian, eigenvalues; autoencoders",
    run_seconds=12,
    aim=(
        "Know PCA as the best linear autoencoder, give it a density, and see that a network with a better code has no "
        "density for its codes."
    ),
    hints={
        "pca_projector": (
            "What does the projector of a cloud far from zero find, if the mean is not subtracted?",
            "Two points, (0, 0) and (2, 2), k = 1: P is ½ everywhere. Moved to (0, 9) and (2, 11), it is the same.",
            "`torch.linalg.eigh` sorts eigenvalues upwards, and its eigenvectors are columns. Which k of them?",
        ),
        "ppca_fit": (
            "How many eigenvalues are dropped, and which variance does the model give each of these directions?",
            "Variances 4, 1 and ¼, k = 1: σ² = 0.625 and WWᵀ has the single entry 3.375. Which variance has the first axis then?",
            "Scale each of the last k eigenvectors by one number; broadcasting over the columns does it.",
        ),
        "ppca_log_prob": (
            "Which covariance has x if z is drawn, too?",
            "D = k = 1, m = 0, W = 2, σ² = 1: a Gaussian of variance 5. Its log-density at 5 is -4.224.",
            "Build the D×D covariance; then any density of a Gaussian that you trust, as long as it never forms a determinant.",
        ),
        "ppca_posterior": (
            "Where does z stand in log p(x | z), and where in log p(z)?",
            "D = k = 1, m = 0, W = 2, σ² = 1, x = 5: the precision is 1 + 4 = 5, the mean 2·5/5 = 2.",
            "The precision is a k×k matrix that does not depend on x. The linear term is Wᵀ(x - m)/σ².",
        ),
        "Autoencoder": (
            "Which numbers may a code have, and which numbers may a pixel have?",
            "shape (1, 8, 8), hidden 32, latent 2: the layers are 64 → 32 → 2 and 2 → 32 → 64. Which of the four have something behind them?",
            "`nn.Sequential` for each half. `decode` must undo what `encode` did to the shape, channels first.",
        ),
    },
    ambiguities=[
        "W is judged by WWᵀ, as a rotation of its columns is free.",
        "sigma2 may be a number or a tensor of one number.",
        "The layers of the Autoencoder may have any names and order of definition; probes fill its parameters by their shapes.",
    ],
)

WIDE = torch.float64
ROUGHLY = Fields(default=Close(rtol=1e-3, atol=1e-4))


def cloud(rng, n, d, ratio=0.6, dtype=WIDE):
    """n points whose covariance (with 1/n) has the eigenvalues ratio^(2i), on random axes, far from zero."""
    turned = torch.linalg.qr(rng.normal(d, d, dtype=WIDE))[0]
    values = rng.normal(n, d, dtype=WIDE)
    white = torch.linalg.qr(values - values.mean(0))[0]  # n×d, or n×n with a last column that means nothing
    rank = min(d, n - 1)
    std = ratio ** torch.arange(rank, dtype=WIDE, device=rng.device)
    points = math.sqrt(n) * (white[:, :rank] * std) @ turned[:rank]
    return (points + 3 + 2 * rng.normal(d, dtype=WIDE)).to(dtype)


def crossed(rng, d):
    """Points on the d axes, at ±1, ±2, … of a centre."""
    steps = torch.diag(torch.arange(1.0, d + 1, dtype=WIDE, device=rng.device))
    return 3 + torch.cat([steps, -steps])


def called(what, function, *arguments):
    """What a function returns, once it is known to be a tensor; or a sentence."""
    return tried(lambda: tensor_of(function(*arguments), what))


# --- the projector ---------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="the projector of PCA", public=True, judge=ROUGHLY)
def projector(student, rng):
    d = rng.integer(5, 8)
    return {
        "k = 1": called("the projector", student.pca_projector, cloud(rng, 20, d, dtype=torch.float32), 1),
        "k = 3": called("the projector", student.pca_projector, cloud(rng, 20, d, dtype=torch.float32), 3),
    }


@question.probe(points=1.5, title="the projector: few examples, many dimensions, float64, all axes", judge=Fields({
    "float64": Close(rtol=1e-8, atol=1e-9),
}, default=Close(rtol=1e-3, atol=1e-4)))
def projector_edges(student, rng):
    n, d = rng.integer(5, 8), rng.integer(5, 8)
    small = 1e-3 * cloud(rng, 15, d) - 0.002
    units = torch.logspace(-1.5, 1.5, d, dtype=WIDE, device=rng.device)[rng.permutation(d)]
    return {
        "fewer examples than dimensions": called("the projector", student.pca_projector, cloud(rng, n, 3 * n), 2),
        "as many examples as dimensions": called("the projector", student.pca_projector, cloud(rng, n, n), 3),
        "many dimensions": called("the projector", student.pca_projector, cloud(rng, 30, 80, 0.9, torch.float32), 8),
        "k = D": called("the projector", student.pca_projector, cloud(rng, 20, d), d),
        "k = D - 1": called("the projector", student.pca_projector, cloud(rng, 20, d), d - 1),
        "float64": called("the projector", student.pca_projector, cloud(rng, 20, d), 2),
        "values of size 0.001": called("the projector", student.pca_projector, small, 2),
        "dimensions of different units": called("the projector", student.pca_projector, cloud(rng, 20, d, 0.9) * units, 1),
        "no correlations, variances that rise": called("the projector", student.pca_projector, crossed(rng, d), 2),
        "far from zero": called("the projector", student.pca_projector, 100 + cloud(rng, 20, d), 2),
    }


# --- the fit ---------------------------------------------------------------------------------------------------------


def fitted(student, x, k):
    """m, WWᵀ and sigma2, each once its shape is right; or a sentence."""

    def parts():
        answer = student.ppca_fit(x, k)
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            raise AnswerError("three things are expected, (m, W, sigma2)")
        mean, W, sigma2 = answer
        W = tensor_of(W, "W", (x.shape[1], k))
        if isinstance(sigma2, torch.Tensor) and sigma2.dim():
            raise AnswerError(f"sigma2 has shape {tuple(sigma2.shape)} where a single number is expected")
        return {"m": tensor_of(mean, "m", (x.shape[1],)), "W Wᵀ": W @ W.T, "sigma2": sigma2}

    return tried(parts)


def flat(cases):
    """The parts of each case as entries of their own, or its sentence under each of their names."""
    parts = ("m", "W Wᵀ", "sigma2")
    return {
        f"{key}: {part}": answer if isinstance(answer, str) else answer[part]
        for key, answer in cases.items() for part in parts
    }


@question.probe(points=0.5, title="the fit of probabilistic PCA", public=True, judge=ROUGHLY)
def fit(student, rng):
    d = rng.integer(5, 8)
    return flat({
        "k = 1": fitted(student, cloud(rng, 20, d, dtype=torch.float32), 1),
        "k = 3": fitted(student, 2 * cloud(rng, 30, d, dtype=torch.float32), 3),
    })


@question.probe(points=2, title="the fit: few examples, small values, float64, k = D - 1", judge=Fields(default=Close(rtol=1e-6, atol=1e-12)))
def fit_edges(student, rng):
    n, d = rng.integer(6, 9), rng.integer(5, 8)
    return flat({
        "fewer examples than dimensions": fitted(student, cloud(rng, n, 2 * n), 2),
        "k = D - 1": fitted(student, cloud(rng, 20, d), d - 1),
        "values of size 0.001": fitted(student, 1e-3 * cloud(rng, 15, d), 2),
        "three examples": fitted(student, cloud(rng, 3, d), 1),
        "no correlations": fitted(student, crossed(rng, d), 2),
    })


# --- density and posterior -------------------------------------------------------------------------------------------


def parameters(rng, d, k, sigma2=None, dtype=torch.float32):
    """m, W with columns that are not orthogonal, and sigma2, as tensors."""
    sigma2 = rng.number(0.3, 0.8) if sigma2 is None else sigma2
    W = rng.normal(d, k, dtype=dtype) + 0.5
    return rng.normal(d, dtype=dtype), W, torch.tensor(sigma2, dtype=dtype, device=rng.device)


def points_of(rng, n, mean, W, sigma2):
    """Points as the model draws them, a little wider."""
    z, noise = rng.normal(n, W.shape[1], dtype=WIDE), rng.normal(n, len(mean), dtype=WIDE)
    return (mean + 1.5 * (z.to(W.dtype) @ W.T + sigma2.sqrt() * noise.to(W.dtype))).to(mean.dtype)


def situations(rng):
    """x and the parameters, by situation, in float64."""
    d, n = rng.integer(5, 8), rng.integer(4, 7)

    def drawn(count, *given):
        return points_of(rng, count, *given), *given

    mean, _, sigma2 = parameters(rng, d, 2, dtype=WIDE)
    no_W = torch.zeros(d, 2, dtype=WIDE, device=rng.device)
    orthogonal = torch.linalg.qr(rng.normal(d, 3, dtype=WIDE))[0] * torch.tensor([3.0, 2.0, 1.5], dtype=WIDE, device=rng.device)
    return {
        "one latent": drawn(n, *parameters(rng, d, 1, dtype=WIDE)),
        "as many latents as dimensions": drawn(n, *parameters(rng, d, d, dtype=WIDE)),
        "more latents than dimensions": drawn(n, *parameters(rng, 3, 5, dtype=WIDE)),
        "orthogonal columns": drawn(n, mean, orthogonal, sigma2),
        "little noise": drawn(n, *parameters(rng, d, 2, 1e-4, WIDE)),
        "much noise": drawn(n, *parameters(rng, d, 2, 50.0, WIDE)),
        "W = 0": drawn(n, mean, no_W, sigma2),
        "one example": drawn(1, *parameters(rng, d, 3, dtype=WIDE)),
        "one dimension": drawn(n, *parameters(rng, 1, 1, dtype=WIDE)),
        "as many examples as latents": drawn(3, *parameters(rng, d, 3, dtype=WIDE)),
        "as many examples as dimensions": drawn(d, *parameters(rng, d, 2, dtype=WIDE)),
    }


@question.probe(points=0.5, title="log p(x)", public=True, judge=ROUGHLY)
def log_prob(student, rng):
    given = parameters(rng, rng.integer(5, 8), 2)
    leaves = dict(zip(("mean", "W", "sigma2"), (value.clone().requires_grad_() for value in given)))
    x, factor = points_of(rng, 4, *given), rng.uniform(4, low=0.5, high=2)
    return {
        "a few points": called("log p", student.ppca_log_prob, points_of(rng, 5, *given), *given),
        "the mean and points near it": called("log p", student.ppca_log_prob, given[0] + torch.cat([0 * x[:1], 0.1 * (x[1:] - given[0])]), *given),
        "gradients": tried(lambda: slopes(student.ppca_log_prob(x, *leaves.values()), (4,), factor, **leaves)),
    }


@question.probe(points=1, title="log p(x): any W, little and much noise, hundreds of dimensions", judge=Fields(default=Close(rtol=1e-6, atol=1e-6)))
def log_prob_edges(student, rng):
    given = parameters(rng, 160, 4, 1e-3, WIDE)
    wide = parameters(rng, 160, 3, 1000.0, WIDE)
    x, cases = points_of(rng, 4, *given), situations(rng)
    found = {key: called("log p", student.ppca_log_prob, *values) for key, values in cases.items()}

    def gradients(values):
        leaves = dict(zip(("x", "mean", "W", "sigma2"), (value.clone().requires_grad_() for value in values)))
        factor = torch.arange(1.0, len(values[0]) + 1, dtype=WIDE, device=rng.device)
        return tried(lambda: slopes(student.ppca_log_prob(*leaves.values()), (len(values[0]),), factor, **leaves))

    return found | {
        "160 dimensions, little noise": called("log p", student.ppca_log_prob, x, *given),
        "160 dimensions, much noise": called("log p", student.ppca_log_prob, points_of(rng, 4, *wide), *wide),
        "gradients, also in x": gradients(cases["one latent"]),
        "W = 0: gradients": gradients(cases["W = 0"]),
    }


def posterior_of(student, x, mean, W, sigma2):
    """Means and covariance by name, or a sentence."""

    def parts():
        pair = two_of(student.ppca_posterior(x, mean, W, sigma2), "the means", "the covariance")
        return {"means": tensor_of(pair[0], "the first thing"), "covariance": tensor_of(pair[1], "the second thing")}

    return tried(parts)


def posteriors(student, cases):
    """Means and covariances of all cases as entries of their own."""
    found = {}
    for key, values in cases.items():
        answer = posterior_of(student, *values)
        for part in ("means", "covariance"):
            found[f"{key}: {part}"] = answer if isinstance(answer, str) else answer[part]
    return found


@question.probe(points=0.5, title="the posterior p(z | x)", public=True, judge=ROUGHLY)
def posterior(student, rng):
    given = parameters(rng, rng.integer(5, 8), 3)
    return posteriors(student, {"three latents": (points_of(rng, 5, *given), *given)})


@question.probe(points=1.5, title="the posterior: any W, little and much noise, one latent", judge=Fields(default=Close(rtol=1e-6, atol=1e-9)))
def posterior_edges(student, rng):
    return posteriors(student, situations(rng))


# --- the network -----------------------------------------------------------------------------------------------------


def filled(student, rng, shape, hidden, latent, dtype=torch.float32):
    """The student's network with parameters drawn here, which are told apart by their shapes."""
    model = student.Autoencoder(shape, hidden, latent)
    if not isinstance(model, torch.nn.Module):
        raise AnswerError("Autoencoder is no nn.Module")
    pixels = math.prod(shape)
    sizes = [(hidden, pixels), (hidden,), (latent, hidden), (latent,), (hidden, latent), (hidden,), (pixels, hidden), (pixels,)]
    numbers = {size: rng.normal(*size, std=1.5 / math.sqrt(size[1]) if len(size) == 2 else 0.5) for size in dict.fromkeys(sizes)}
    given = [tuple(parameter.shape) for parameter in model.parameters()]
    if not given:
        raise AnswerError("the network has no parameters: layers that stand in a plain list, or are made in each call, are not found")
    if sorted(given) != sorted(sizes):
        raise AnswerError(f"the network's parameters have the shapes {given}; weights and biases of four linear layers are {sizes}")
    model = model.to(rng.device, dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(numbers[tuple(parameter.shape)])
    return model


def pictures(rng, n, shape, dtype=torch.float32):
    """Images with values in [0, 1]."""
    return rng.uniform(n, *shape, dtype=dtype)


def answers(model, x, z):
    """Codes, images and errors of a network; a sentence for those that a second call gives otherwise."""

    def twice(what, function, given):
        def asked():
            first, second = tensor_of(function(given), what), function(given)
            if first.shape == second.shape and not torch.allclose(first, second, rtol=1e-3, atol=1e-5, equal_nan=True):
                raise AnswerError(f"{what} is another one in a second call with the same numbers; nothing random is asked for")
            return first

        return tried(asked)

    return {
        "codes": twice("the code", model.encode, x),
        "images drawn from codes": twice("the image", model.decode, z),
        "squared errors": twice("the error", model.squared_error, x),
    }


@question.probe(points=0.5, title="the autoencoder's codes, images and errors", public=True, judge=ROUGHLY)
def network(student, rng):
    shape = (1, 4, 5)
    model = filled(student, rng, shape, 12, 3)
    return answers(model, pictures(rng, 6, shape), 2 * rng.normal(4, 3))


@question.probe(points=1.5, title="the autoencoder: colours, one image, one number, gradients", judge=ROUGHLY)
def network_edges(student, rng):
    colour = (3, 2, 4)
    model = filled(student, rng, colour, 10, 4)
    one = filled(student, rng, (2, 3, 3), 8, 1)
    x, wide = pictures(rng, 5, colour), pictures(rng, 3, colour, WIDE)
    found = {f"colours: {key}": value for key, value in answers(model, x, 2 * rng.normal(5, 4)).items()}
    found |= {f"one image, a code of one number: {key}": value for key, value in answers(one, pictures(rng, 1, (2, 3, 3)), rng.normal(1, 1)).items()}

    def gradients():
        errors = model.squared_error(x)
        by_shape = {tuple(parameter.shape): parameter for parameter in model.parameters()}
        chosen = {"weights of the first layer": by_shape[10, 24], "weights of the last layer": by_shape[24, 10], "biases of the code": by_shape[4,]}
        return slopes(errors, (5,), torch.arange(1.0, 6, device=rng.device), **chosen)

    found["gradients of the errors"] = tried(gradients)
    found["float64: squared errors"] = called("the error", model.double().squared_error, wide)
    found["another mode: squared errors"] = called("the error", model.eval().squared_error, wide)
    return found
