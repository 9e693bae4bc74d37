"""Question 10: the best denoiser of a finite set of pictures, the same through windows, and an open end."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, named, two_of, with_right

question = Question(
    title="A generative model with no training at all, and an open end",
    uses=["cosine_alpha_bar", "convert", "ddim_step", "sample"],
    skills=["3.67"],
    lecture="diffusion models and their samplers",
    run_seconds=15,
    own_minutes=20,
    manual_points=4,
    rubric=[
        "1 point: one thing is changed, it is said what is kept, and the prediction is a number with a reason, typed before.",
        "1 point: what is measured fits the question, against a baseline (held-out pictures, copies, or the sizes of the text).",
        "1 point: the spread fits (over seeds or pictures), and one labelled table or figure shows the finding.",
        "1 point: the explanation fits the numbers, and says what they do not show. A wrong prediction loses nothing.",
    ],
    aim=(
        "Write down the best denoiser of a finite set, see that it can only copy, and that the same denoiser through windows draws "
        "new digits without any training; then an experiment of one's own."
    ),
    hints={
        "optimal_denoiser": (
            "Given x_t, how likely is each picture under it? What must the weights add up to?",
            "Pictures +1 and -1 of one pixel, alpha_bar ½, x_t = 0.5: weights 0.80 and 0.20. Does yours remember the root of alpha_bar?",
            "Flatten the pictures to rows. A softmax over the M exponents is safe where all densities underflow, and |x_t|² is the same for all m.",
        ),
        "decision_level": (
            "Write both squared distances with x_t put in. Which terms have mean 0?",
            "If alpha_bar is ½, the log odds are on average d²/2. Which alpha_bar makes them log r?",
            "Solve a / (1 - a) = 2 log(r) / d² for a.",
        ),
        "local_denoiser": (
            "What would `optimal_denoiser` say if the window were the whole picture? What of its answer do you need?",
            "A 3 × 3 window at pixel (0, 0) has four pixels. Which rows and columns of x_t and of all images are these?",
            "Two loops; slices from max(0, i - reach) to i + reach + 1 need no padding. Then `weights @ images[:, :, i, j]`.",
        ),
        "nearest": (
            "Which two distances of each sample decide whether it is a copy?",
            "Distances 1, 4, 9 to three images: 1 < 4/3, a copy. With 2, 4, 9 it is none.",
            "`torch.cdist` of flattened pictures, then the two smallest of each row by `topk(2, largest=False)`.",
        ),
    },
    ambiguities=[
        "alpha_bar_t always comes as a tensor without axes.",
        "The hidden test of local_denoiser has a right optimal_denoiser. Windows may be padded, if what is padded takes no part in the weights.",
        "nearest is asked with a tie at the threshold only where distances and ratio are short binary numbers.",
    ],
)

EXACT = Close(rtol=1e-9, atol=1e-9)


def level(rng, low=0.1, high=0.9):
    """One alpha_bar as a 0-d tensor."""
    return rng.uniform(low=low, high=high)


# --- optimal_denoiser ---------------------------------------------------------------------------------------------


def both(student, *arguments):
    """Both results by name."""
    return entry("`optimal_denoiser`", lambda: named(two_of(student.optimal_denoiser(*arguments), "the pictures", "the weights"), "pictures", "weights"))


@question.probe(points=0.5, title="optimal_denoiser: a few pictures", public=True, judge=Fields(default=Close()))
def best(student, rng):
    n, m, h, w = rng.integer(3, 5), rng.integer(5, 7), 2, 3
    x, images = 0.7 * rng.normal(n, 1, h, w), rng.normal(m, 1, h, w)
    return {"ordinary": both(student, x, level(rng, 0.3, 0.6), images), "another noise level": both(student, x, level(rng, 0.05, 0.2), images)}


@question.probe(
    points=1.5, title="optimal_denoiser: all noise, hardly any, far away, one picture, sizes, float64",
    judge=Fields({"in float64": EXACT, "hardly any noise": Close(rtol=1e-3, atol=2e-3), "hardly any noise, pictures close together": Close(rtol=1e-3, atol=1e-4), "far from all pictures": Close(rtol=1e-3, atol=2e-3), "pictures far from 0": Close(rtol=1e-3, atol=1e-3), "large pictures": Close(rtol=2e-3, atol=2e-3)}, default=Close()),
)
def best_edges(student, rng):
    n, m = 4, 6
    x, images, a = 0.7 * rng.normal(n, 1, 2, 3), rng.normal(m, 1, 2, 3), level(rng, 0.2, 0.6)
    close = torch.full((), 0.999, device=rng.device)
    many = 0.7 * rng.normal(3, 1, 16, 16)
    huge = torch.zeros_like(images[:1])
    huge[0, 0, 1, 2] = 425 + rng.uniform(low=-5, high=5)   # its weight is about 5e-5, and counts
    return {
        "all noise, alpha_bar = 0": both(student, x, torch.zeros((), device=rng.device), images),
        "hardly any noise": both(student, 0.9995 * images[:n] + 0.02 * x, close, images),
        "hardly any noise, pictures close together": both(student, 0.04 * x, close, 0.05 * images),
        "pictures close together": both(student, 0.3 * x, level(rng, 0.8, 0.95), 0.2 * images),
        "far from all pictures": both(student, 40 * x, a, images),
        "pictures far from 0": both(student, x + 5, level(rng, 0.6, 0.8), images + 6),
        "one picture": both(student, x, a, images[:1]),
        "a picture that is there three times": both(student, x, a, torch.cat([images[:3], images[:1], images[:1]])),
        "two colours": both(student, rng.normal(n, 2, 2, 2), a, rng.normal(m, 2, 2, 2)),
        "pictures of one axis": both(student, x.flatten(1), a, images.flatten(1)),
        "pictures of one pixel": both(student, x[:, :, :1, :1], a, images[:, :, :1, :1]),
        "one x_t": both(student, x[:1], a, images),
        "as many x_t as pictures": both(student, rng.normal(6, 6), a, rng.normal(6, 6)),
        "large pictures": both(student, many, level(rng, 0.01, 0.02), rng.normal(m, 1, 16, 16)),
        "a small weight on a huge picture": both(student, 0.3 * x, torch.full((), 1e-4, device=rng.device), torch.cat([images[:4], huge])),
        "in float64": both(student, x.double(), a.double(), images.double()),
    }


# --- decision_level -----------------------------------------------------------------------------------------------


@question.probe(points=0.25, title="decision_level: some distances", public=True, judge=Fields(default=Close()))
def decides(student, rng):
    square = rng.uniform(5, low=5, high=120)
    return {"odds of 600": entry("`decision_level`", lambda: student.decision_level(square, 600.0)), "odds of 3": entry("`decision_level`", lambda: student.decision_level(square, 3.0))}


@question.probe(points=0.75, title="decision_level: near and far, other odds, axes, float64", judge=Fields({"in float64": EXACT}, default=Close()))
def decides_edges(student, rng):
    def ask(square, odds):
        return entry("`decision_level`", lambda: student.decision_level(square, odds))

    return {
        "near rivals": ask(rng.uniform(3, low=0.05, high=0.5), 50.0),
        "very near rivals": ask(rng.uniform(4, low=0.0005, high=0.004), 50.0),
        "far rivals": ask(rng.uniform(4, low=1000, high=5000), 50.0),
        "odds hardly above 1": ask(rng.uniform(4, low=1, high=5), 1.2),
        "whole odds": ask(rng.uniform(4, low=5, high=50), 100),
        "two axes": ask(rng.uniform(2, 3, low=5, high=50), 7.0),
        "single numbers": [ask(rng.uniform(low=5, high=50), 10.0) for _ in range(3)],
        "in float64": ask(rng.uniform(4, low=5, high=50, dtype=torch.float64), 30.0),
    }


# --- local_denoiser -----------------------------------------------------------------------------------------------


@question.probe(points=0, title="local_denoiser: windows of 3 pixels, with your `optimal_denoiser` if you call it", public=True, judge=Fields(default=Close()))
def windows(student, rng):
    x, images = rng.normal(3, 1, 4, 5), rng.normal(5, 1, 4, 5)
    return {"windows of 3": entry("`local_denoiser`", lambda: student.local_denoiser(x, level(rng, 0.2, 0.5), images, 3))}


def right_optimal(x_t, alpha_bar_t, images):
    """(10.1)."""
    x, y = x_t.flatten(1), images.flatten(1)
    exponents = (alpha_bar_t**0.5 * x @ y.T - alpha_bar_t / 2 * y.square().sum(1)) / (1 - alpha_bar_t)
    weights = exponents.softmax(1)
    return (weights @ y).reshape(x_t.shape), weights


def through_windows(student, *arguments):
    """`local_denoiser` with a right `optimal_denoiser`."""
    return entry("`local_denoiser`", lambda: with_right(student.local_denoiser, optimal_denoiser=right_optimal)(*arguments))


@question.probe(
    points=2, title="local_denoiser: other sizes, whole pictures, colours, all noise and little, one example, float64",
    judge=Fields({"in float64": EXACT}, default=Close()),
)
def windows_edges(student, rng):
    x, images, a = rng.normal(3, 1, 4, 3), rng.normal(6, 1, 4, 3), level(rng, 0.2, 0.5)
    small, smaller = x[:, :, :3, :2], images[:, :, :3, :2]
    tiny, tinier = x[:, :, :2, :2], images[:, :, :2, :2]
    return {
        "windows of 3": through_windows(student, x, a, images, 3),
        "windows of 1": through_windows(student, tiny, a, tinier, 1),
        "windows of 5": through_windows(student, x, a, images, 5),
        "much larger windows": through_windows(student, small, a, smaller, 31),
        "black pictures with a white pixel": through_windows(student, 0.5 * small - 0.5, level(rng, 0.4, 0.7), torch.where(smaller > 0.5, 1.0, -1.0), 3),
        "pictures far from 0": through_windows(student, tiny + 2.5, level(rng, 0.5, 0.8), tinier + 3, 3),
        "two colours": through_windows(student, rng.normal(2, 2, 3, 2), a, rng.normal(4, 2, 3, 2), 3),
        "all noise": through_windows(student, tiny, torch.zeros((), device=rng.device), tinier, 3),
        "little noise": through_windows(student, 0.97 * smaller[:3] + 0.2 * small, torch.full((), 0.95, device=rng.device), smaller, 3),
        "one row of pixels": through_windows(student, x[:, :, :1], a, images[:, :, :1], 3),
        "one picture, one x_t": through_windows(student, tiny[:1], a, tinier[:1], 3),
        "as many x_t as pictures": through_windows(student, rng.normal(2, 1, 2, 2), a, rng.normal(2, 1, 2, 2), 3),
        "in float64": through_windows(student, tiny.double(), a.double(), tinier.double(), 3),
    }


# --- nearest ------------------------------------------------------------------------------------------------------


def closest(student, *arguments):
    """Both results by name."""
    return entry("`nearest`", lambda: named(two_of(student.nearest(*arguments), "the distance", "whether it is a copy"), "distance", "copy"))


def planted(rng, n, shape):
    """Images, and samples of which some are nearly copies, at several distances."""
    images = rng.normal(7, *shape)
    size = (0.02, 0.15, 0.9, 1.5, 0.05, 1.2, 0.3, 2.0)[:n]
    away = torch.tensor(size, device=rng.device).reshape(-1, *[1] * len(shape))
    return images[rng.integers(0, 7, n)] + away * rng.normal(n, *shape), images


@question.probe(points=0.25, title="nearest: copies and others", public=True, judge=Fields(default=Close()))
def copies(student, rng):
    samples, images = planted(rng, 8, (1, 3, 3))
    return {"ordinary": [closest(student, samples, images, *ratio) for ratio in ((), (0.1,), (0.6,))]}


@question.probe(
    points=0.75, title="nearest: other ratios, exact copies, two images, sizes, float64",
    judge=Fields({"in float64": EXACT, "exact copies": Close(atol=2e-3), "pictures close together": Close(atol=1e-7)}, default=Close()),
)
def copies_edges(student, rng):
    samples, images = planted(rng, 8, (1, 3, 3))
    flat, rows = planted(rng, 8, (6,))
    corner = torch.tensor([16.0, 4, 1], device=rng.device)[:, None, None, None] * torch.tensor([[1.0, 0], [0, 0]], device=rng.device)
    few = torch.tensor([0.2, 0.4, 0.45, 0.7, 0.05], device=rng.device)[:, None, None, None]
    return {
        "from strict to generous ratios": [closest(student, samples, images, ratio) for ratio in (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95)],
        "exact copies": closest(student, images[:4].clone(), images),
        "two images": closest(student, images[:1] + few * (images[1:2] - images[:1]), images[:2]),
        "images in pairs": closest(student, samples, torch.cat([images, images + 0.3 * rng.normal(7, 1, 3, 3)])),
        "exactly at the ratio": [closest(student, 0 * corner[:2], size * corner, 0.25) for size in (0.5, 1, 2, 4)],
        "images that are there twice": closest(student, samples[:4], torch.cat([images, images])),
        "pictures close together": [closest(student, 1e-3 * samples, 1e-3 * images, ratio) for ratio in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)],
        "pictures of one axis": closest(student, flat, rows),
        "one sample": closest(student, samples[1:2], images),
        "as many samples as images": closest(student, samples[:7], images),
        "two colours": closest(student, *planted(rng, 6, (2, 2, 2))),
        "in float64": closest(student, samples.double(), images.double()),
    }
