"""Question 11: a PixelCNN with labels: logits, drawing, training, and Bayes' rule."""

import math

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry

from ..shared.networks import fill, named_weights
from .judges import (
    PixelChain,
    Slopes,
    drawing_network,
    fill_network,
    learned,
    normalised,
    raster_drawn,
    start_network,
    training_data,
)

question = Question(
    title="A PixelCNN draws what you ask for",
    uses=["bernoulli_log_prob", "evaluate", "train_and_log", "ancestral_sample", "stack_masks", "MaskedConv2d", "GatedBlock"],
    skills=["1.28", "1.29", "1.30"],
    lecture="autoregressive models of images; Bayes' rule",
    run_seconds=90,
    aim="Build a class-conditional PixelCNN from gated blocks; draw, complete and classify with it; know what a label is worth.",
    hints={
        "PixelCNN": (
            "Which two tensors does the first block take, and what do you do with the two that it returns?",
            "With U = [[1, 2, 5], [0, 3, 7]] and labels (2, 0): which two numbers must be added at *every* pixel of the "
            "first image, and which of the second?",
            "Go through `self.blocks` and `self.label_maps` together. A label map takes one-hot vectors of floats; "
            "look up how `F.one_hot` learns the number of classes. Then two axes of size 1 are missing.",
        ),
        "pixelcnn_classify": (
            "How often must the model look at an image before you can compare ten classes?",
            "Two classes with log p(x|y) = -1000 and -1002 and equal priors: the answers are log 0.88 and log 0.12. What is "
            "exp(-1000) in float32?",
            "For each class make a vector of labels that are all this class, and keep the joint log p(x, y) as one "
            "column. What you wrote in Question 1 turns a row of joint log-probabilities into conditional ones.",
        ),
    },
    ambiguities=[
        "Labels may enter as a product with one-hot vectors, or by picking columns of U_n: both are the same numbers.",
        "pixelcnn_classify may call the model once per class or once for all; only how it is called is looked at.",
        "In float32, logits within 1e-3 and log-posteriors within 2e-4 are accepted.",
    ],
)

NEAR = Close(rtol=1e-3, atol=1e-3)
POSTERIOR = Close(rtol=2e-4, atol=2e-4)


def network(student, rng, channels, layers, classes):
    return fill_network(student.raw.PixelCNN(channels, layers, classes, 3), rng)


def oblong(rng):
    """Two different sizes of small images: a square would hide that height and width are mixed up."""
    size = rng.integer(3, 5)
    return size, size + rng.integer(1, 3)


def one_of_each(rng, n, classes):
    """Labels with a 0 and a 1 among them, but without the last class."""
    y = rng.integers(0, classes - 1, n)
    y[0], y[1] = 1, 0
    return y


# --- PixelCNN -----------------------------------------------------------------------------------------------------


@question.probe(points=1, title="PixelCNN: logits with and without labels", judge=Fields(default=NEAR), public=True)
def logits(student, rng):
    classes = rng.integer(3, 6)
    model, x = network(student, rng, rng.integer(4, 7), 2, classes), rng.bernoulli(3, 1, *oblong(rng))
    y = rng.permutation(classes)[:3]
    return {
        "with labels": entry("PixelCNN", lambda: model(x, y)),
        "without labels": entry("PixelCNN", lambda: model(x)),
    }


@question.probe(points=2, title="PixelCNN: how labels enter, one image, float64, no label map", judge=Fields(default=NEAR))
def logits_edges(student, rng):
    classes = rng.integer(4, 7)
    model = network(student, rng, rng.integer(4, 7), 2, classes)
    x, y = rng.bernoulli(5, 1, *oblong(rng)), one_of_each(rng, 5, classes)
    narrow, few = network(student, rng, 2, 1, 4), rng.bernoulli(4, 1, *oblong(rng))
    some = torch.tensor([3, 0, 1, 3], device=rng.device)
    first = network(student, rng, 3, 0, 3)

    def label_only():
        """The logits, when the weights of the pixels are 0: the same numbers at every pixel."""
        with torch.no_grad():
            for name, p in named_weights(narrow).items():
                if p.dim() == 4 and (".vertical." in name or ".horizontal." in name):
                    p.zero_()
        return narrow(few, some)

    def without_maps():
        with torch.no_grad():
            for p in model.label_maps.parameters():
                p.zero_()
        return model(x, y)

    return {
        "the last class is not in the batch": entry("PixelCNN", lambda: model(x, y)),
        "without labels, after a call with labels": entry("PixelCNN", lambda: model(x)),
        "all labels are 0": entry("PixelCNN", lambda: model(x, 0 * y)),
        "one image, of the first and of the last class": entry(
            "PixelCNN", lambda: [model(x[:1], 0 * y[:1] + k) for k in (0, classes - 1)]
        ),
        "as many images as channels of the bias": entry("PixelCNN", lambda: narrow(few, some)),
        "only labels count, weights of pixels are 0": entry("PixelCNN", label_only),
        "only one block": entry("PixelCNN", lambda: first(x, y % 3)),
        "in evaluation mode": entry("PixelCNN", lambda: model.eval()(x, y)),
        "float64": entry("PixelCNN", lambda: first.double()(x.double(), y % 3)),
        "U = 0, with labels": entry("PixelCNN", without_maps),
        "labels afterwards": y,
    }


@question.probe(points=1, title="PixelCNN: probabilities of all 64 images of 2×3 pixels, and their sum of 1", judge=normalised)
def sums_to_one(student, rng):
    model = network(student, rng, 4, 1, 3)
    bits = torch.arange(64, device=rng.device)[rng.permutation(64)]
    images = ((bits[:, None] >> torch.arange(6, device=rng.device)) & 1).float().reshape(64, 1, 2, 3)

    def log_probs(y):
        with torch.no_grad():
            logits = model(images, y)
        return -nn.functional.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)

    return {
        name: entry("PixelCNN", lambda y=y: log_probs(y))
        for name, y in (("without label", None), ("class 0", 0 * bits), ("class 2", 0 * bits + 2))
    }


def gradients_of(output, tensors):
    """Zeros where there is none."""
    if not output.requires_grad:
        return [torch.zeros_like(t) for t in tensors]
    found = torch.autograd.grad(output.sum(), tensors, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(t) if g is None else g for t, g in zip(tensors, found)]


@question.probe(points=1, title="PixelCNN: which pixels a logit depends on, and which weights can learn", judge=Fields(default=Slopes(rtol=1e-3, atol=1e-3)))
def gradients(student, rng):
    model = network(student, rng, 4, 2, 3)
    x, y = rng.bernoulli(4, 1, *oblong(rng)), rng.permutation(4) % 3
    height, width = x.shape[2:]
    i, j = height // 2, width // 2

    def by_pixel(row, column):
        seen = x.clone().requires_grad_()
        return gradients_of(model(seen, y)[:, 0, row, column], [seen])[0]

    def by_weight(*prefixes, labels=y):
        weights = [p for name, p in sorted(named_weights(model).items()) if name.startswith(prefixes) and p.requires_grad]
        slope = rng.normal(*x.shape)
        return gradients_of(slope * model(x, labels), weights)

    return {
        "gradient of a middle logit in every pixel": entry("PixelCNN", lambda: by_pixel(i, j)),
        "gradient of the last logit in every pixel": entry("PixelCNN", lambda: by_pixel(height - 1, width - 1)),
        "gradient in the label maps": entry("PixelCNN", lambda: by_weight("label_maps.")),
        "gradient in the head": entry("PixelCNN", lambda: by_weight("head.")),
        "gradient in the head, without labels": entry("PixelCNN", lambda: by_weight("head.", labels=None)),
        "gradient in link and out of each block": entry(
            "PixelCNN", lambda: by_weight(*(f"blocks.{n}.{part}." for n in range(3) for part in ("link", "out")))
        ),
    }


# --- the tools of earlier questions with it -------------------------------------------------------------------------


@question.probe(points=1, title="PixelCNN with `ancestral_sample`: drawing and completing in raster order", judge=raster_drawn)
def drawings(student, rng):
    model, cases = drawing_network(student.raw.PixelCNN, rng)
    return {
        name: entry(
            "drawing with `ancestral_sample`",
            lambda x=x, known=known, u=u, y=y: student.ancestral_sample(lambda images: model(images, y), x, known, u),
        )
        for name, (x, known, u, y) in cases.items()
    }


class ScoredForProbe(nn.Module):
    """The NLL of images whose second channel is the label."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch):
        x, y = batch[:, :1], batch[:, 1, 0, 0].long()
        logits = self.model(x, y)
        return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


@question.probe(points=1, title="PixelCNN with `train_and_log`: held-out images after a short training", judge=learned, seconds=30)
def training(student, rng):
    x, y, _, new_y, scrambled = training_data(rng)
    batch = torch.cat([x, y[:, None, None, None].expand_as(x).to(x.dtype)], 1)

    def trained():
        model, pixels = start_network(student.raw.PixelCNN(8, 0, 3, 3), rng), x[0].numel()
        student.raw.train_and_log(ScoredForProbe(model), batch, batch[:8], 3, 12, 0.02, rng.generator())
        model.eval()
        with torch.no_grad():
            answers = model(scrambled.reshape(-1, *x.shape[1:]), new_y.repeat(pixels)).reshape(scrambled.shape)
        return torch.diagonal(answers, dim1=0, dim2=2)  # of each pixel the logit asked for with it and its future scrambled

    return {"trained with labels": entry("training", trained)}


# --- pixelcnn_classify ----------------------------------------------------------------------------------------------


def chain(rng, height, width, classes, pixels=0.7, labels=0.7):
    model = fill(PixelChain(height, width, classes), rng, 1.0)
    with torch.no_grad():
        model.weight.mul_(pixels)
        model.label.mul_(labels)
    return model


@question.probe(points=0.5, title="pixelcnn_classify: ordinary images", judge=Fields(default=POSTERIOR), public=True)
def posterior(student, rng):
    (height, width), classes = oblong(rng), rng.integer(3, 6)
    model, prior = chain(rng, height, width, classes).eval(), rng.simplex(classes).log()
    x = rng.bernoulli(4, 1, height, width)
    return {
        "four images": entry("pixelcnn_classify", lambda: student.pixelcnn_classify(model, x, prior)),
        "equal priors": entry("pixelcnn_classify", lambda: student.pixelcnn_classify(model, x, 0 * prior - math.log(classes))),
    }


@question.probe(
    points=1.5,
    title="pixelcnn_classify: modes, gradients, extreme log-probabilities",
    judge=Fields({"log p(x | y) near -1000, but not for the first image": NEAR}, default=POSTERIOR),
)
def posterior_edges(student, rng):
    (height, width), classes = oblong(rng), rng.integer(3, 6)
    prior = rng.simplex(classes).log()
    coming, resting = chain(rng, height, width, classes, pixels=2.0).train(), chain(rng, height, width, classes).eval()
    far, sure = chain(rng, height, width, classes), chain(rng, height, width, classes, labels=100.0)
    wide = chain(rng, height, width, classes).double()
    x, bright = rng.bernoulli(classes, 1, height, width), rng.bernoulli(classes, 1, height, width, p=0.9)
    bright[0] = 0
    with torch.no_grad():  # every bright pixel is a surprise, for every class; the first image has none
        far.label.sub_(1000 / (height * width))

    def classified(model, images, log_prior=prior):
        return entry("pixelcnn_classify", lambda: student.pixelcnn_classify(model, images, log_prior))

    answers = {
        "as many images as classes, model arrives in training mode": classified(coming, x),
        "model arrives in evaluation mode": classified(resting, x),
        "one image": classified(resting, x[:1]),
        "log p(x | y) near -1000, but not for the first image": classified(far, bright),
        "one class is almost certain": classified(sure, x),
        "a class is rare in advance": classified(resting, x, torch.log_softmax(-30.0 * (torch.arange(classes, device=rng.device) == 1), 0)),
        "float64": classified(wide, x.double(), prior.double()),
    }
    graphs = [float(getattr(answer, "requires_grad", False)) for answer in answers.values()]
    calls = coming.calls + resting.calls + far.calls + sure.calls
    return {
        **answers,
        "mode of model and part afterwards": [float(m.training) for m in (coming, coming.part, resting, resting.part)],
        "calls that built a graph": sum(call[0] for call in calls),
        "calls of the model in training mode, of its part": [sum(call[k] for call in calls) for k in (1, 2)],
        "answers that carry a graph": sum(graphs),
        "gradients can be taken afterwards": [
            float(torch.is_grad_enabled()), *(float(p.requires_grad) for p in coming.parameters())
        ],
    }
