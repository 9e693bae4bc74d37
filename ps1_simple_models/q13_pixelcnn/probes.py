"""Question 13: a conditional PixelCNN: likelihood, training, sampling, completion, classification."""

import copy

import torch
from torch import nn

from autograder.probes import Close, Exact, Question

from ..shared.networks import fill, named_weights
from .judges import NOBODY, TRAIN_RATE, TRAIN_STEPS, PixelChain, followed, normalised, training_data

question = Question(
    title="A PixelCNN that draws and completes digits",
    uses=["stack_masks", "MaskedConv2d", "gated_activation", "GatedBlock"],
    skills=["1.29", "1.30"],
    aim=(
        "Turn the two-stack blocks into a conditional image model, and use it: likelihood, samples, completions, "
        "Bayes classifier."
    ),
    hints={"PixelCNN": [
        "Forward: a loop over `zip(self.blocks, self.label_maps)`. What shape must the bias have to be added to (B, "
        "2C, H, W)? What is the dtype of `F.one_hot`, and how does it know the number of classes? For the likelihood "
        "look at `F.binary_cross_entropy_with_logits` and its `reduction`.",
        "Completion: begin with the observed pixels and zeros elsewhere; for every row and column run the model on "
        "what you have so far, take the logit of that one pixel, compare its probability with its uniform, and write "
        "the result only where the pixel is hidden.",
        "`bias = label_map(F.one_hot(y, self.classes).to(x.dtype))[:, :, None, None]`. Sampling is completion with "
        "nothing observed. Classifying: for each class k one column `pixelcnn_log_prob(model, images, y_k) + "
        "log_prior[k]`, then `log_softmax` over the classes.",
    ]},
    ambiguities=[
        "`u < p` and `u <= p` are both accepted (no ties are drawn).",
        "train_pixelcnn may shuffle in its own way with the generator. The grader notes which images each step sees, "
        "and takes the same Adam steps on them: every pass must show each image once, in a new order.",
        "A model that was in evaluation mode may be left in training mode by train_pixelcnn, or put back.",
    ],
)


def fill_network(model, rng, scale=0.6):
    """`fill` for a PixelCNN, with units of the head that are not dead."""
    fill(model, rng, scale)
    with torch.no_grad():
        model.head[1].bias.fill_(0.8)
        model.head[3].bias.fill_(0.1)
    return model


def traces(model):
    """What a call that needs no gradients, in evaluation mode, has done and left behind."""
    modes = [float(model.training), float(model.dropout.training)]
    return [
        *modes,
        float(torch.is_grad_enabled()),
        len(model.passes),
        sum(model.quiet_passes),
        sum(p.requires_grad for p in model.parameters()),
    ]


def oblong(rng):
    """Two different sizes of small images, the smaller first: a square would hide that height and width are mixed up."""
    size = rng.integer(2, 5)
    return size, size + rng.integer(1, 3)


def half_integer_chain(rng, height, width, classes):
    """A PixelChain whose logits are multiples of 1/2, so that its probabilities are few and known."""
    chain = PixelChain(height, width, classes, dropout=0.5)
    with torch.no_grad():
        for p in (chain.weight, chain.bias, chain.label):
            p.copy_(rng.integers(-3, 4, *p.shape) / 2)
    return chain.to(rng.device)


def safe_uniforms(rng, *shape):
    """Uniform numbers moved away from all probabilities of a half-integer chain: rounding cannot change a draw."""
    levels = torch.sigmoid(torch.arange(-40, 41, dtype=torch.float64, device=rng.device) / 2)
    u = rng.uniform(*shape, low=0.005, high=0.995, dtype=torch.float64)
    above = torch.searchsorted(levels, u)
    return ((levels[above - 1] + levels[above]) / 2).float()


# --- probes ---------------------------------------------------------------------------------------------------


@question.probe(points=1, title="logits without labels", judge=Close(rtol=1e-3, atol=1e-4), public=True)
def logits_without_labels(student, rng):
    model = fill_network(student.raw.PixelCNN(rng.integer(4, 7), rng.integer(1, 3), rng.integer(2, 6), 3), rng)
    found = {}
    for name, batch, scale in (("training mode", 1, 1.0), ("evaluation mode, large logits", rng.integer(2, 4), 1000.0)):
        x = rng.bernoulli(batch, 1, *oblong(rng))
        with torch.no_grad():
            for p in model.head[3].parameters():
                p.mul_(scale)
        found[name] = model.train(name == "training mode")(x) / scale
        found["the images afterwards, " + name] = x
    return found


@question.probe(points=1, title="labels enter every block as a bias", judge=Close(rtol=1e-3, atol=1e-4))
def logits_with_labels(student, rng):
    classes = rng.integer(3, 7)
    model = fill_network(student.raw.PixelCNN(rng.integer(4, 6), rng.integer(2, 4), classes, 3), rng)
    x = rng.bernoulli(4, 1, *oblong(rng))
    y = rng.integers(0, classes - 1, 4)  # the last class does not occur
    y[0], y[1] = 0, 1
    single = [model.eval()(x[:1], torch.full_like(y[:1], k)) for k in (0, classes - 1)]
    with_labels, without = model.train()(x, y), model(x)
    with torch.no_grad():
        for p in model.label_maps.parameters():
            p.zero_()
    return {
        "four images": with_labels,
        "one image of class 0, one of the last class": single,
        "then without labels": without,
        "U = 0": model.eval()(x, y),
    }


@question.probe(
    points=1, title="log-probability of each image, and its gradient", judge=Close(rtol=1e-4, atol=1e-4), public=True
)
def log_prob(student, rng):
    (height, width), classes = oblong(rng), rng.integer(2, 5)
    values, modes = [], []
    for scale, batch in ((0.7, rng.integer(2, 6)), (0.7, 1), (30.0, 2), (300.0, 3)):
        model = fill(PixelChain(height, width, classes), rng, scale)
        x, y = rng.bernoulli(batch, 1, height, width), rng.integers(0, classes, batch)
        if batch == 1:
            y.zero_()
        model.train(batch in (1, 3))
        answer = student.pixelcnn_log_prob(model, x, y)
        values.append([student.pixelcnn_log_prob(model, x), answer])
        seen = [mode for mode, *_ in model.passes]
        modes.append([min(seen, default=-1), max(seen, default=-1), float(model.training)])
    gradient = (
        torch.autograd.grad(answer.mean(), model.bias)[0] if answer.requires_grad else torch.zeros_like(model.bias)
    )
    return {"values": values, "gradient": gradient, "modes of the passes, and afterwards": modes}


@question.probe(points=1, title="probabilities of all 64 images of 2×3 pixels, and their sum of 1", judge=normalised)
def sums_to_one(student, rng):
    model = fill_network(student.raw.PixelCNN(4, 1, 3, 3), rng, 0.9)
    bits = torch.arange(64, device=rng.device)[rng.permutation(64)]
    images = ((bits[:, None] >> torch.arange(6, device=rng.device)) & 1).float().reshape(64, 1, 2, 3)
    found = {}
    with torch.no_grad():
        for k in (None, 2):
            y = None if k is None else torch.full((64,), k, device=rng.device)
            loss = nn.functional.binary_cross_entropy_with_logits(model(images, y), images, reduction="none")
            found["without label" if k is None else f"class {k}"] = -loss.flatten(1).sum(1)
    return found


def clear_start(rng, with_labels, gain):
    """Images, labels (or None) and a model, all of whose gradients are 0 or clearly not 0.

    Adam's first step is the gradient's sign: where that hangs on rounding, right answers would differ.
    """
    while True:
        n = rng.integer(6, 12)
        x, labels = rng.bernoulli(n, 1, 3, 4, p=0.4), rng.integers(0, 3, n) if with_labels else None
        model = fill(PixelChain(3, 4, 3, gain=gain), rng, 0.3 / gain)
        with torch.no_grad():
            model.weight += 20 * (1 - model.earlier)  # the loss does not depend on these: Adam leaves them alone
        logits = model(x, labels)
        logits.backward((torch.sigmoid(logits.detach()) - x) / n)
        sizes = torch.cat([p.grad.abs().flatten() for p in model.parameters() if p.grad is not None])
        model.zero_grad()
        model.passes.clear()
        if not ((sizes > 0) & (sizes < 3e-4 * gain)).any():
            return x, labels, model


@question.probe(
    points=1,
    title="training on full batches follows Adam on the mean of -log p",
    judge=Close(rtol=1e-3, atol=1e-3),
    public=True,
)
def train_full_batch(student, rng):
    found = []
    # the second run: large gradients, that nobody may clip, and batches larger than the data
    for with_labels, steps, gain, extra in ((True, 4, 1.0, 0), (False, 3, 10.0, 2)):
        x, labels, model = clear_start(rng, with_labels, gain)
        model.eval()  # as it would be after drawing samples
        history = student.train_pixelcnn(model, x, labels, steps, len(x) + extra, 0.05, rng.generator())
        modes = [mode for mode, *_ in model.passes]
        found.append(
            {
                "history": [float(value) for value in history],
                "weights": model.weight,
                "bias": model.bias,
                "label": model.label,
                "share of passes in training mode": sum(modes) / max(1, len(modes)),
            }
        )
    return found


def noted_steps(model, images):
    """For each step a row with the numbers of the images that the model was shown (-1: none of them), and one with their labels.

    Passes between which the weights did not change belong to one step.
    """
    steps, before = [], None
    for _, bias, x, y in model.passes:
        if before is None or not torch.equal(bias, before):
            steps.append({})
        before = bias
        same = (x.flatten(1)[:, None] == images.flatten(1)).all(2)
        numbers = torch.where(same.any(1), same.float().argmax(1), -1).tolist()
        steps[-1].update(zip(numbers, [-1] * len(x) if y is None else y.tolist()))
    rows = torch.full((2, len(steps), len(images) + 1), NOBODY)
    for number, step in enumerate(steps):
        rows[:, number, : len(step)] = torch.tensor([list(step), list(step.values())])
    return rows


@question.probe(
    points=1, title="training on minibatches: all images, new passes, the given generator", judge=followed, seconds=20
)
def train_minibatches(student, rng):
    images, labels, batch, model = training_data(rng)
    found, seed = {}, rng.integer(0, 10**6)
    first, second = (torch.Generator(device=rng.device).manual_seed(seed) for _ in range(2))
    for name, generator in (("run", first), ("again", second), ("generator goes on", second)):
        network = copy.deepcopy(model)
        network.passes.clear()
        history = student.train_pixelcnn(
            network, images.clone(), labels.clone(), TRAIN_STEPS[name], batch, TRAIN_RATE, generator
        )
        shown, with_labels = noted_steps(network, images)
        found[name] = {
            "images": shown,
            "labels": with_labels,
            "history": torch.tensor([float(value) for value in history], dtype=torch.float64),
        }
        if name == "run":
            found[name]["weights"] = dict(network.named_parameters())
    return found


@question.probe(
    points=0.5, title="a PixelCNN can learn: the gradient reaches all of its weights", judge=Close(rtol=2e-3, atol=1e-3)
)
def gradients(student, rng):
    x, y = rng.bernoulli(6, 1, *oblong(rng)), rng.integers(0, 3, 6)
    model = fill_network(student.raw.PixelCNN(4, 1, 3, 3), rng, 0.4)
    with torch.no_grad():
        for name in ("blocks.1.out.bias", "head.1.bias"):  # so that no ReLU of the head is off for all images
            named_weights(model)[name].fill_(3.0)
    logits = model(x, y)
    if logits.requires_grad:
        nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum").backward()
    masked = [f"blocks.{n}.{part}." for n in range(2) for part in ("vertical", "horizontal")]
    masks = [torch.as_tensor(mask) for kind in "AB" for mask in student.raw.stack_masks(kind, 3)]
    found = {}
    for name, p in named_weights(model).items():
        gradient = torch.zeros_like(p) if p.grad is None else p.grad
        for prefix, mask in zip(masked, masks):
            if name.startswith(
                prefix
            ):  # where the mask is 0, and what its parameters are called, is a masked layer's own matter
                name = prefix + ("weight" if p.dim() == 4 else "bias")
                gradient = gradient[(mask.to(p.device) > 0).expand_as(p)] if p.dim() == 4 else gradient
        found[name] = gradient
    return found


@question.probe(points=1, title="samples with given uniforms", judge=Exact(), public=True)
def samples(student, rng):
    (height, width), classes, batch = oblong(rng), rng.integer(2, 5), rng.integer(10, 16)
    model = half_integer_chain(rng, height, width, classes)
    u, y = safe_uniforms(rng, batch, 1, height, width), rng.integers(0, classes, batch)
    found = {"with labels": student.pixelcnn_sample(model, u, y), "traces, from training mode": traces(model)}
    model.eval()
    found["without labels"] = student.pixelcnn_sample(model, u)
    found["traces, from evaluation mode"] = traces(model)
    found["one image of class 0"] = student.pixelcnn_sample(model, u[:1], 0 * y[:1])
    return found


@question.probe(points=1, title="completions with given uniforms", judge=Exact())
def completions(student, rng):
    (width, height), classes, batch = oblong(rng), rng.integer(2, 5), rng.integer(12, 18)
    model = half_integer_chain(rng, height, width, classes)
    found = {}
    half = torch.zeros(batch, 1, height, width, dtype=torch.bool, device=rng.device)
    half[:, :, : height // 2] = True
    scattered = rng.bernoulli(batch, 1, height, width, p=0.5) > 0
    scattered[1], scattered[2] = False, True
    scattered[0, 0, 0], scattered[0, 0, -1] = False, True  # the first image's pattern is not right for the others
    for name, observed in (("upper half", half), ("scattered", scattered)):
        model.train(name == "scattered")
        x, u = rng.bernoulli(batch, 1, height, width), safe_uniforms(rng, batch, 1, height, width)
        y = (
            rng.integers(0, classes, batch)
            if name == "scattered"
            else torch.zeros(batch, dtype=torch.long, device=rng.device)
        )
        found[name] = student.pixelcnn_complete(model, x, observed, u, y)
        found[name + ", traces"] = traces(model)
    everything = student.pixelcnn_complete(model, x, torch.ones_like(observed), u, y)
    found["everything observed"] = [
        everything,
        float(everything.data_ptr() == x.data_ptr()),
    ]  # a new tensor is asked for
    found["other values in the hidden pixels"] = student.pixelcnn_complete(
        model, torch.where(observed, x, 1 - x), observed, u, y
    )
    found["without labels"] = student.pixelcnn_complete(model, x, observed, u)
    return found


@question.probe(points=0.5, title="class posterior by Bayes' rule", judge=Close(rtol=1e-3, atol=1e-3))
def posterior(student, rng):
    (height, width), classes = oblong(rng), rng.integer(3, 6)
    found = []
    # ordinary; one image; far from zero; labels that decide everything
    for scale, labels, batch in ((0.7, 0.7, rng.integer(3, 6)), (0.7, 0.7, 1), (60.0, 0.7, 4), (0.7, 200.0, 3)):
        model = fill(PixelChain(height, width, classes, dropout=0.5), rng, scale)
        with torch.no_grad():
            model.label.mul_(labels / scale)
        model.train(batch != 1)
        log_prior = rng.simplex(classes).log()
        answer = student.pixelcnn_classify(model, rng.bernoulli(batch, 1, height, width), log_prior)
        found.append({"log p(y | x)": answer, "traces": traces(model)})
    return found
