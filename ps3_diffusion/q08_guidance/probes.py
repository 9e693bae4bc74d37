"""Question 8: dropped labels, both forms of guidance, a guided model, and the spread of guided samples."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import attempt, entry, gradient, in_words, named, tensor_of, two_of, with_right

from .models import Answering, Both, Classifying, guide_right

question = Question(
    title="Conditioning, and what guidance really samples",
    uses=[],
    figures_of=["q05_unet"],
    skills=["3.26", "3.27", "3.28", "3.53"],
    lecture="diffusion models, conditioning and guidance",
    run_seconds=25,
    manual_points=3,
    rubric=[
        "1 point: samples follow the field at all noise levels; only the score of the noised tilted density at each of them would give the tilted density.",
        "1 point: the power w of p(y | x_t), a mean over x_0, is not the mean of the power w of p(y | x_0); they agree without noise.",
        "1 point: with much noise the exaggerated guess lies w times as far out as the class mean (3, where the tilted mean is 1.05), and the stronger pull narrows.",
    ],
    aim=(
        "Build guidance with and without a classifier, measure on two Gaussian classes that it does not sample the tilted density, "
        "and see the same overshoot on pictures."
    ),
    hints={
        "drop_labels": (
            "Which of the u of a thousand labels are below 0.1, and how many are there, roughly?",
            "y = 3, 7, 7; u = 0.05, 0.5, 0.09; rate = 0.1; null = 10. The result is 10, 7, 10.",
            "A choice between two values, label by label: `torch.where` makes a new tensor and leaves y alone.",
        ),
        "guide": (
            "What must come out for w = 0, and what for w = 1?",
            "Two arrows from one point: the first to the prediction without label, from its tip another to the one with label. w stretches the second.",
            "Start from the prediction without label, and add w times the difference.",
        ),
        "guided": (
            "Which two questions is the model asked about each example?",
            "t = 200, 500, 700 with the interval (300, 600): the second example is guided, the others get what the model says for their label.",
            "Stack x_t twice, t twice, and y on top of as many nulls; ask once, and split the answer. `torch.where` with (N, 1, …) chooses for each example.",
        ),
        "classifier_guidance": (
            "The gradient of which number, and by what? A classifier's logits are not log-probabilities.",
            "Two examples: the first one's log-probability does not depend on the second one's x. So the gradient of the sum holds both gradients.",
            "`torch.enable_grad()`, a detached x that requires gradients, `log_softmax`, the entries of y, `torch.autograd.grad`. Then (8.1).",
        ),
        "guided_spreads": (
            "Subtract two walkers: which terms with m drop out, and which equation is left for their distance?",
            "(8.3) is N(0,1) to the power 1 - w, times N(m, s²) to the power w. The exponents of Gaussians add up: precision 1 - w + w/s².",
            "d log δ / dσ = wσ/(s² + σ²) + (1 - w)σ/(1 + σ²). Each term integrates to half a logarithm; compare with log σ at the far end.",
        ),
    },
    ambiguities=[
        "guided: one call of the model with 2N examples, or two calls, or calls for some of the examples alone; all are right.",
        "classifier_guidance: whether the result carries a graph is not tested. guide and guided may be asked with w as an int.",
        "drop_labels: y is int64 in all tests; null may be any whole number.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)


# --- drop_labels --------------------------------------------------------------------------------------------------


def labels(rng, n):
    """Labels without an order, and numbers u, of which about 0.4 n are below 0.4."""
    return rng.permutation(n), (rng.permutation(n) + 0.5) / n


@question.probe(points=0.5, title="drop_labels: a few labels", public=True, judge=Fields(default=Close()))
def dropping(student, rng):
    y, u = labels(rng, 9)
    often = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], device=rng.device)
    return {
        "ordinary": attempt(student.drop_labels, y, u, 0.4, 10),
        "labels that come often": attempt(student.drop_labels, often, labels(rng, 12)[1], 0.5, 10),
    }


@question.probe(points=0.5, title="drop_labels: rates, other nulls, u at the rate, one label", judge=Fields(default=Close()))
def dropping_edges(student, rng):
    def ask(n, rate, null, u=None):
        y, numbers = labels(rng, n)
        return entry("`drop_labels`", lambda: student.drop_labels(y, numbers if u is None else u, rate, null))

    eighths = rng.permutation(8) / 8
    return {
        "rate 0, and u = 0 among them": ask(8, 0.0, 10, eighths),
        "rate 1": ask(7, 1.0, 11),
        "a small rate": ask(12, 0.1, 15),
        "u equal to the rate": ask(8, 0.5, 9, eighths),
        "null 3": ask(9, 0.5, 3),
        "null -1": ask(9, 0.6, -1),
        "u below the rate for more than its share": ask(8, 0.3, 20, 0.5 * eighths),
        "u below the rate for none": ask(6, 0.3, 20, 0.4 + 0.5 * rng.uniform(6)),
        "a large u first": ask(6, 0.4, 14, torch.tensor([0.95, 0.02, 0.1, 0.55, 0.3, 0.15], device=rng.device)),
        "one label at a time": entry("`drop_labels`", lambda: [student.drop_labels(torch.full_like(eighths[:1], k).long(), (k + eighths[:1]) / 6, 0.5, 9) for k in range(5)]),
        "u in float64": ask(9, 0.4, 12, rng.uniform(9, dtype=torch.float64)),
        "u close to the rate": ask(8, 0.3137, 13, 0.3137 + 4e-4 * (rng.permutation(8) - 3.5)),
        "type": entry("`drop_labels`", lambda: in_words(student.drop_labels(*labels(rng, 5), 0.3, 7))),
    }


# --- guide --------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="guide: pictures", public=True, judge=Fields(default=Close()))
def guiding(student, rng):
    return {"w = 3": attempt(student.guide, rng.normal(2, 1, 2, 3), rng.normal(2, 1, 2, 3), 3.0)}


@question.probe(points=0.5, title="guide: other w, shapes, float64, gradients", judge=Fields({"in float64": WIDE}, default=Close()))
def guiding_edges(student, rng):
    def ask(w, *shape, dtype=torch.float32, size=1.0):
        return entry("`guide`", lambda: student.guide(size * rng.normal(*shape, dtype=dtype), size * rng.normal(*shape, dtype=dtype), w))

    def slopes():
        leaves, weight = [rng.normal(3, 2).requires_grad_() for _ in range(2)], rng.normal(3, 2)
        found = tensor_of(student.guide(*leaves, 2.5), "the result", (3, 2))
        return gradient("the result", weight * found, **dict(zip(("eps_cond", "eps_uncond"), leaves)))

    def slope_of_one(w, name):
        """Where w makes one of the two the result."""
        leaf, weight = rng.normal(3, 2).requires_grad_(), rng.normal(3, 2)
        both = {"eps_cond": rng.normal(3, 2), "eps_uncond": rng.normal(3, 2), name: leaf}
        found = tensor_of(student.guide(both["eps_cond"], both["eps_uncond"], w), "the result", (3, 2))
        return gradient("the result", weight * found, **{name: leaf})

    return {
        "w = 0": ask(0.0, 4, 2),
        "w = 1": ask(1.0, 4, 2),
        "w = 0.4": ask(0.4, 4, 2),
        "w = 7.5": ask(7.5, 4, 2),
        "w = 2, a whole number": ask(2, 4, 2),
        "one number for each example": ask(1.5, 5),
        "one example": ask(4.0, 1, 1, 3, 3),
        "far from 0": ask(2.0, 4, 2, size=50.0),
        "in float64": ask(3.0, 3, 2, dtype=torch.float64),
        "gradient": entry("`guide`", slopes),
        "gradient for w = 1": entry("`guide`", lambda: slope_of_one(1.0, "eps_cond")),
        "gradient for w = 0": entry("`guide`", lambda: slope_of_one(0.0, "eps_uncond")),
    }


# --- guided -------------------------------------------------------------------------------------------------------


def answered(ask, rng, shape, w, *interval, y=None, t=None, null=4, dtype=torch.float32):
    """What a guided model says about noise at times of its own; ask makes it and asks it."""
    n = shape[0]
    x, model = rng.normal(*shape, dtype=dtype), Answering(rng, dtype=dtype)
    y = rng.integers(0, 4, n) if y is None else y
    t = rng.integers(1, 1001, n) if t is None else t
    return entry("`guided`", lambda: ask(x, t, model, y, w, null, *interval))


def pictures(ask, rng):
    """The ordinary case."""
    t = torch.tensor([120, 450, 610, 880], device=rng.device)[rng.permutation(4)]
    return {
        "at all times": answered(ask, rng, (3, 1, 2, 2), 3.0),
        "an interval": answered(ask, rng, (4, 1, 2, 2), 3.0, (300, 700), t=t),
    }


@question.probe(points=0, title="guided: pictures, without and with an interval, with your `guide` if you call it", public=True, judge=Fields(default=Close()))
def model_shown(student, rng):
    return pictures(Both(student), rng)


@question.probe(points=0.5, title="guided: pictures, without and with an interval, with a right `guide`", judge=Fields(default=Close()))
def model_of(student, rng):
    return pictures(with_right(Both(student), guide=guide_right), rng)


@question.probe(
    points=1.5, title="guided: the ends of the interval, other w, shapes and nulls, float64, several calls, its arguments",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def model_of_edges(student, rng):
    def ask(*arguments, **settings):
        return answered(with_right(Both(student), guide=guide_right), rng, *arguments, **settings)

    def times(*t):
        return torch.tensor(t, device=rng.device)[rng.permutation(len(t))]

    def calls():
        """One predictor at several times, and two predictors that live together."""
        x, model, y = rng.normal(3, 2), Answering(rng), rng.integers(0, 4, 3)

        class Several:
            def __init__(self):
                self.__globals__ = Both(student).__globals__

            def __call__(self):
                first, second = student.guided(model, y, 2.0, 4, (200, 600)), student.guided(model, (y + 1) % 4, 5.0, 4)
                spots = [torch.full_like(y, t) for t in (900, 500, 100)]
                return [each(x, t) for t in spots for each in (first, second)]

        return with_right(Several(), guide=guide_right)()

    def kept():
        """What the arguments are afterwards."""
        x, t, y = rng.normal(3, 2), rng.integers(1, 1001, 3), rng.permutation(3)
        with_right(Both(student), guide=guide_right)(x, t, Answering(rng), y, 3.0, 4, (200, 800))
        return {"x_t": x, "t": t, "y": y}

    return {
        "w = 0": ask((4, 3), 0.0),
        "w = 1": ask((4, 3), 1.0),
        "w = 0.5": ask((4, 3), 0.5),
        "w = 7.5": ask((4, 3), 7.5),
        "w = 0, an interval": ask((4, 3), 0.0, (300, 700), t=times(100, 400, 600, 900)),
        "ends of the interval": ask((4, 3), 3.0, (300, 700), t=times(299, 300, 700, 701)),
        "an interval of one time": ask((3, 2), 2.0, (500, 500), t=times(499, 500, 501)),
        "all examples outside": ask((4, 2), 4.0, (300, 700), t=times(10, 150, 800, 1000)),
        "all examples inside": ask((4, 2), 4.0, (300, 700), t=times(310, 450, 500, 690)),
        "an interval from 0": ask((4, 2), 3.0, (0, 300), t=times(1, 250, 350, 900)),
        "an interval without upper end": ask((4, 2), 3.0, (300, float("inf")), t=times(1, 250, 350, 1000)),
        "ends that are not whole": ask((3, 2), 3.0, (199.5, 600.5), t=times(199, 200, 601)),
        "one number for each example": ask((5,), 3.0, (300, 700), t=times(100, 400, 600, 650, 900)),
        "as many examples as columns": ask((4, 4), 3.0, (300, 700), t=times(100, 400, 600, 900)),
        "two axes of pixels": ask((3, 2, 2), 3.0, (300, 700), t=times(100, 400, 900)),
        "one example": ask((1, 1, 2, 2), 3.0, (300, 700), t=times(400)),
        "all asked for the same": ask((4, 2), 3.0, y=torch.full_like(times(0, 1, 2, 3), 2)),
        "null is the first label": ask((4, 2), 3.0, y=1 + rng.integers(0, 4, 4), null=0),
        "in float64": ask((3, 2), 3.0, (100, 900), t=times(200, 500, 950), dtype=torch.float64),
        "several calls": entry("`guided`", calls),
        "arguments afterwards": entry("`guided`", kept),
    }


# --- classifier_guidance ------------------------------------------------------------------------------------------


def levels(rng, T, dtype=torch.float32):
    """1 = level 0 > … > level T."""
    return torch.cat([torch.ones(1, dtype=dtype, device=rng.device), rng.uniform(T, low=0.5, high=0.9, dtype=dtype).cumprod(0)])


def steered(student, rng, shape, w, classes=4, y=None, t=None, schedule=None, dtype=torch.float32, model=None):
    """Guided noise; pictures of any shape, times of their own."""
    n, inputs = shape[0], rng.normal(*shape, dtype=dtype)
    model = Classifying(rng, inputs[0].numel(), classes, dtype) if model is None else model
    y = rng.integers(0, classes, n) if y is None else y
    t = 1 + rng.permutation(6)[:n] if t is None else t
    schedule = levels(rng, 6, dtype) if schedule is None else schedule
    return entry("`classifier_guidance`", lambda: student.classifier_guidance(rng.normal(*shape, dtype=dtype), model, inputs, t, y, w, schedule))


@question.probe(points=0.5, title="classifier_guidance: vectors and pictures, inside no_grad", public=True, judge=Fields(default=Close()))
def steering(student, rng):
    found = {"vectors": steered(student, rng, (5, 3), 3.0)}
    with torch.no_grad():
        return found | {"pictures, inside no_grad": steered(student, rng, (3, 1, 2, 2), 2.0)}


@question.probe(
    points=1, title="classifier_guidance: other w, shapes, the ends of time, float64", judge=Fields({"in float64": WIDE}, default=Close())
)
def steering_edges(student, rng):
    same = torch.full((4,), 2, device=rng.device)
    ending, unlikely = levels(rng, 6), Classifying(rng, 3, 4)
    ending[-1] = 0.0
    unlikely.offset.data[2] -= 200
    return {
        "w = 0": steered(student, rng, (4, 3), 0.0),
        "w = 1": steered(student, rng, (4, 3), 1.0),
        "w = 7.5": steered(student, rng, (4, 3), 7.5),
        "as many examples as classes and columns": steered(student, rng, (4, 4), 2.0),
        "one number for each example": steered(student, rng, (5,), 2.0),
        "two classes": steered(student, rng, (5, 2), 2.0, classes=2),
        "one example": steered(student, rng, (1, 4), 3.0),
        "two axes of pixels": steered(student, rng, (3, 2, 2), 3.0),
        "all asked for the same, at one time": steered(student, rng, (4, 3), 3.0, y=same, t=same),
        "t = 0, where no noise is": steered(student, rng, (4, 3), 3.0, t=0 * same),
        "t = T, where nothing is left": steered(student, rng, (4, 3), 3.0, t=3 * same, schedule=ending),
        "much noise": steered(student, rng, (4, 3), 3.0, schedule=torch.cat([ending[:1], 1e-3 * ending[1:]])),
        "a label of tiny probability": steered(student, rng, (4, 3), 3.0, y=torch.tensor([2, 0, 2, 3], device=rng.device), model=unlikely),
        "in float64": steered(student, rng, (4, 3), 3.0, dtype=torch.float64),
    }


@question.probe(points=0.5, title="classifier_guidance: what it leaves behind", judge=Fields(default=Close()))
def steering_traces(student, rng):
    def traces(grads):
        x, eps, model = rng.normal(4, 3), rng.normal(4, 3), Classifying(rng, 3, 4)
        t, y, schedule = 1 + rng.permutation(6)[:4], rng.integers(0, 4, 4), levels(rng, 6)
        before = dict.fromkeys(("x_t", "parameters 1", "parameters 2", "parameters 3"))
        owners = dict(zip(before, (x, *model.parameters())))
        if grads:
            x.requires_grad_()
            for name, each in owners.items():
                before[name] = each.grad = rng.normal(*each.shape)
                each.grad = each.grad.clone()
        student.raw.classifier_guidance(eps, model, x, t, y, 2.0, schedule)
        left = {"x_t": x.detach(), "eps": eps, "type of x_t": in_words(x), "mode of the classifier": "training" if model.training else "evaluation"}
        for name, each in owners.items():
            none = torch.zeros_like(each)
            change = (none if each.grad is None else each.grad) - (none if before[name] is None else before[name])
            left[f"change of .grad of {name}"] = change.detach().abs()
            left[f"type of {name}"] = in_words(each)
        return left

    return {
        "arguments and .grad afterwards": entry("`classifier_guidance`", lambda: traces(False)),
        ".grad that was there before": entry("`classifier_guidance`", lambda: traces(True)),
        "one classifier, two calls": entry("`classifier_guidance`", lambda: twice(student, rng)),
        "gradients on or off": entry("`classifier_guidance`", lambda: switched(student, rng)),
    }


def twice(student, rng):
    """The same classifier asked twice."""
    model = Classifying(rng, 3, 4)
    return [steered(student, rng, (4, 3), w, model=model) for w in (1.0, 2.0)]


def switched(student, rng):
    """Whether autograd records afterwards, where it did and where it did not."""
    found = []
    for before in (True, False):
        with torch.set_grad_enabled(before):
            steered(student, rng, (4, 3), 2.0)
            now = torch.is_grad_enabled()
        found.append(f"{'on' if now else 'off'} after the call, where they were {'on' if before else 'off'}")
    return found


# --- guided_spreads -----------------------------------------------------------------------------------------------


def spreads(student, s, w):
    """Both by name."""
    return entry("`guided_spreads`", lambda: named(two_of(student.guided_spreads(s, w), "that of (8.3)", "that of guided samples"), "tilted", "guided"))


@question.probe(points=0.5, title="guided_spreads: the example, and others", public=True, judge=Fields(default=Close()))
def spread(student, rng):
    return {
        "s = 0.3, 0.5, 0.8 and w = 2": spreads(student, torch.tensor([0.3, 0.5, 0.8], device=rng.device), 2.0),
        "w = 3": spreads(student, rng.uniform(4, low=0.2, high=0.95), 3.0),
    }


@question.probe(points=0.5, title="guided_spreads: other w, s = 1, shapes, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def spread_edges(student, rng):
    s = rng.uniform(4, low=0.2, high=0.95)
    return {
        "w = 0": spreads(student, s, 0.0),
        "w = 1": spreads(student, s, 1.0),
        "w = 0.5": spreads(student, s, 0.5),
        "w = 6.5": spreads(student, s, 6.5),
        "w = 4, a whole number": spreads(student, s, 4),
        "s = 1": spreads(student, torch.ones(3, device=rng.device), 3.0),
        "small s": spreads(student, 0.1 * s, 1.5),
        "two axes": spreads(student, rng.uniform(2, 3, low=0.2, high=0.95), 2.5),
        "single numbers": [spreads(student, each, 2.5) for each in s],
        "in float64": spreads(student, s.double(), 2.5),
    }
