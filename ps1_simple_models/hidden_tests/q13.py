"""Question 13: a conditional PixelCNN: likelihood, training, sampling, completion, classification."""

import copy

import numpy as np
import torch
from torch import nn

from autograder.probes import Close, Exact, alternative, edit_alternative, edit_mistake, probe, question

question(
    "q13",
    title="A PixelCNN that draws and completes digits",
    uses=["stack_masks", "MaskedConv2d", "gated_activation", "GatedBlock"],
    skills=["1.29", "1.30"],
    minutes=75,
    aim="Turn the two-stack blocks into a conditional image model, and use it: likelihood, samples, completions, Bayes classifier.",
    hints=[
        "Forward: a loop over `zip(self.blocks, self.label_maps)`. What shape must the bias have to be added to (B, 2C, H, W)? What is the "
        "dtype of `F.one_hot`, and how does it know the number of classes? For the likelihood look at "
        "`F.binary_cross_entropy_with_logits` and its `reduction`.",
        "Completion: begin with the observed pixels and zeros elsewhere; for every row and column run the model on what you have so far, take the "
        "logit of that one pixel, compare its probability with its uniform, and write the result only where the pixel is hidden.",
        "`bias = label_map(F.one_hot(y, self.classes).to(x.dtype))[:, :, None, None]`. Sampling is completion with nothing observed. "
        "Classifying: for each class k one column `pixelcnn_log_prob(model, images, y_k) + log_prior[k]`, then `log_softmax` over the classes.",
    ],
    ambiguities=[
        "`u < p` and `u <= p` are both accepted (no ties are drawn).",
        "train_pixelcnn may shuffle in its own way with the generator. The grader notes which images each step sees, and takes the same "
        "Adam steps on them: every pass must show each image once, in a new order.",
        "A model that was in evaluation mode may be left in training mode by train_pixelcnn, or put back.",
    ],
)


def fill(module, rng, scale=0.6):
    """Set all parameters to seeded numbers, whatever their order or the prefix that a parametrisation adds."""
    named = named_weights(module)
    with torch.no_grad():
        for name in sorted(named):
            if named[name].requires_grad:
                named[name].copy_(rng.normal(*named[name].shape, std=scale))
    return module.to(rng.device)


def fill_network(model, rng, scale=0.6):
    """`fill` for a PixelCNN, with units of the head that are not dead."""
    fill(model, rng, scale)
    with torch.no_grad():
        model.head[1].bias.fill_(0.8)
        model.head[3].bias.fill_(0.1)
    return model


def named_weights(module):
    return {name.replace("parametrizations.", "").replace(".original", ""): p for name, p in module.named_parameters()}


class Notes(list):
    """A list that a copy of the model shares: drawing with a copy is right, too."""

    def __deepcopy__(self, memo):
        return self


class PixelChain(nn.Module):
    """A tiny autoregressive model: the logit of pixel t is linear in the pixels before it, plus a label's bias.

    In training mode half of the pixels that it looks at are dropped at random if ``dropout`` is set. ``passes`` notes
    for each pass that builds a graph whether the model and its dropout were in training mode (0, 1/2 or 1), its bias, the
    images and the labels; ``quiet_passes`` notes only the mode of the others. ``gain`` multiplies the logits.
    """

    def __init__(self, height, width, classes, dropout=0.0, gain=1.0):
        super().__init__()
        pixels = height * width
        self.weight = nn.Parameter(torch.zeros(pixels, pixels))
        self.bias = nn.Parameter(torch.zeros(pixels))
        self.label = nn.Parameter(torch.zeros(classes, pixels))
        self.register_buffer("earlier", torch.ones(pixels, pixels).tril(-1))
        self.dropout = nn.Dropout(dropout)
        self.gain = gain
        self.passes, self.quiet_passes = Notes(), Notes()

    def forward(self, x, y=None):
        logits = nn.functional.linear(self.dropout(x.flatten(1)), self.weight * self.earlier, self.bias)
        if y is not None:
            logits = logits + self.label[y]
        mode = (self.training + self.dropout.training) / 2
        if logits.requires_grad:
            self.passes.append((mode, self.bias.detach().clone(), x.detach(), y))
        else:
            self.quiet_passes.append(mode)
        return self.gain * logits.reshape(x.shape)


def traces(model):
    """What a call that needs no gradients, in evaluation mode, has done and left behind."""
    modes = [float(model.training), float(model.dropout.training)]
    return [*modes, float(torch.is_grad_enabled()), len(model.passes), sum(model.quiet_passes), sum(p.requires_grad for p in model.parameters())]


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


# --- judges ---------------------------------------------------------------------------------------------------


def misshapen(evidence, expected, place=""):
    """Where evidence has another form than the reference's, or None: asked before anything is computed with it."""
    if isinstance(expected, dict):
        if not isinstance(evidence, dict) or set(evidence) != set(expected):
            return place or "the answer"
        return next(filter(None, (misshapen(evidence[key], want, f"{place}, {key}".strip(", ")) for key, want in expected.items())), None)
    same = isinstance(evidence, np.ndarray) and evidence.shape == expected.shape and evidence.dtype.kind == expected.dtype.kind
    return None if same else place


def normalised(evidence, expected, context):
    """the probabilities of all images sum to 1 for every class, and each is that of the reference with the same weights"""
    if place := misshapen(evidence, expected):
        return f"{place}: one log-probability is expected for each image."
    for name, want in expected.items():
        got = evidence[name].astype(np.float64)
        if not np.isfinite(got).all():
            return f"{name}: some log-probabilities are not finite."
        total = float(np.exp(np.clip(got, -700, 50)).sum())
        if abs(total - 1) > 2e-3:
            return f"{name}: the probabilities of all {len(got)} images sum to {total:.3g}, not to 1: a pixel sees itself or a later one."
        if not np.allclose(got, want, rtol=1e-3, atol=1e-3):
            return f"{name}: the probabilities of all {len(got)} images sum to 1, but they are not those of a PixelCNN with these weights."
    return True


def training_data(rng):
    """Different images, labels, batch size (two batches a pass, the last one short) and a model's first weights."""
    batch, classes = rng.integer(9, 12), 3
    n = batch + rng.integer(3, 6)
    codes = rng.permutation(2**12)[:n]
    images = ((codes[:, None] >> torch.arange(12, device=rng.device)) & 1).float().reshape(n, 1, 3, 4)
    model = fill(PixelChain(3, 4, classes), rng, 0.5)
    return images, rng.integers(0, classes, n), batch, model


TRAIN_STEPS, TRAIN_RATE = {"run": 5, "again": 4, "generator goes on": 4}, 0.2  # a pass has two batches
NOBODY = -2  # fills up the numbers of the images of a step


def followed(evidence, expected, context):
    """every pass shows each image once with its label, in an order of the generator; weights and history are those of Adam on these batches"""
    for name, wanted in TRAIN_STEPS.items():
        made, logged = (getattr(evidence[name][part], "shape", ())[:1] for part in ("images", "history"))
        if made and logged and not made == logged == (wanted,):
            return f"steps={wanted} gave {made[0]} steps and {logged[0]} entries in the history."
    if place := misshapen(evidence, expected):
        return f"{place}: this has an unexpected form."
    rng = context.rng()
    rng.device = "cpu"
    images, labels, batch, model = training_data(rng)
    runs, per_pass = [], -(-len(images) // batch)
    for name in TRAIN_STEPS:
        noted = [(step[step != NOBODY], label[step != NOBODY]) for step, label in zip(evidence[name]["images"], evidence[name]["labels"])]
        if not all(len(step) and step.min() >= 0 and step.max() < len(images) for step, _ in noted):
            return "the model was shown images that are not among the given ones."
        if not all(np.array_equal(labels[torch.from_numpy(step)].numpy(), label) for step, label in noted):
            return "images and labels do not belong together, or the labels are left out."
        runs.append([step.tolist() for step, _ in noted])
    sizes = (batch, len(images) - batch * (per_pass - 1))
    for steps in runs:
        for start in range(0, len(steps), per_pass):
            part = steps[start : start + per_pass]  # a run may end within a pass
            shown = sum(map(len, part))
            if len(set().union(*part)) != shown or (len(part) == per_pass and shown != len(images)):
                return f"{len(images)} images in batches of {batch}: the {per_pass} batches of a pass do not show every image once."
            if any(len(step) not in sizes for step in part):
                return f"the batches of a pass have {[len(step) for step in part]} images; batch_size is {batch}."
    if runs[0][:per_pass] == runs[0][per_pass : 2 * per_pass]:
        return "the second pass has the same batches as the first: the data are not reshuffled."
    if runs[0][: len(runs[1])] != runs[1]:
        return "two runs with equally seeded generators see different batches: something else is random."
    if runs[1] == runs[2]:
        return "a generator that has moved on gives the same batches: the data are not shuffled with it."
    if all(len(set(map(frozenset, steps))) == per_pass for steps in runs):
        return "all passes of a run have the same batches, only in another order: reshuffle the images, not the batches."
    return replayed(evidence["run"], runs[0], images, labels, model)


def replayed(run, steps, images, labels, model):
    """Adam on the very same batches: its history and its weights."""
    optimiser = torch.optim.Adam(model.parameters(), lr=TRAIN_RATE)
    for step, indices in enumerate(steps):
        x, y = images[sorted(indices)], labels[sorted(indices)]
        loss = nn.functional.binary_cross_entropy_with_logits(model(x, y), x, reduction="sum") / len(x)
        got = float(run["history"][step])
        if not abs(got - loss.item()) <= 2e-3 * loss.item():
            return (
                f"step {step}: the history says {got:.3f}, but Adam with lr={TRAIN_RATE} on the same batches has a mean of -log p of "
                f"{loss.item():.3f} nats per image before this step."
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for name, p in model.named_parameters():
        difference = np.abs(run["weights"][name] - p.detach().double().numpy())
        # not the largest difference: where a first gradient is almost 0, Adam's step depends on rounding
        if not np.quantile(difference, 0.9) <= 3e-4:
            return "the weights after the last step are not those of Adam on the batches that the model was shown."
    return True


# --- probes ---------------------------------------------------------------------------------------------------


@probe(points=1, title="logits without labels", judge=Close(rtol=1e-3, atol=1e-4), public=True)
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


@probe(points=1, title="labels enter every block as a bias", judge=Close(rtol=1e-3, atol=1e-4))
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
        "four images": with_labels, "one image of class 0, one of the last class": single, "then without labels": without,
        "U = 0": model.eval()(x, y),
    }


@probe(points=1, title="log-probability of each image, and its gradient", judge=Close(rtol=1e-4, atol=1e-4), public=True)
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
    gradient = torch.autograd.grad(answer.mean(), model.bias)[0] if answer.requires_grad else torch.zeros_like(model.bias)
    return {"values": values, "gradient": gradient, "modes of the passes, and afterwards": modes}


@probe(points=1, title="probabilities of all 64 images of 2×3 pixels, and their sum of 1", judge=normalised)
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


@probe(points=1, title="training on full batches follows Adam on the mean of -log p", judge=Close(rtol=1e-3, atol=1e-3), public=True)
def train_full_batch(student, rng):
    found = []
    # the second run: large gradients, that nobody may clip, and batches larger than the data
    for with_labels, steps, gain, extra in ((True, 4, 1.0, 0), (False, 3, 10.0, 2)):
        x, labels, model = clear_start(rng, with_labels, gain)
        model.eval()  # as it would be after drawing samples
        history = student.train_pixelcnn(model, x, labels, steps, len(x) + extra, 0.05, rng.generator())
        modes = [mode for mode, *_ in model.passes]
        found.append({
            "history": [float(value) for value in history], "weights": model.weight, "bias": model.bias, "label": model.label,
            "share of passes in training mode": sum(modes) / max(1, len(modes)),
        })
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


@probe(points=1, title="training on minibatches: all images, new passes, the given generator", judge=followed, seconds=20)
def train_minibatches(student, rng):
    images, labels, batch, model = training_data(rng)
    found, seed = {}, rng.integer(0, 10**6)
    first, second = (torch.Generator(device=rng.device).manual_seed(seed) for _ in range(2))
    for name, generator in (("run", first), ("again", second), ("generator goes on", second)):
        network = copy.deepcopy(model)
        network.passes.clear()
        history = student.train_pixelcnn(network, images.clone(), labels.clone(), TRAIN_STEPS[name], batch, TRAIN_RATE, generator)
        shown, with_labels = noted_steps(network, images)
        found[name] = {"images": shown, "labels": with_labels, "history": torch.tensor([float(value) for value in history], dtype=torch.float64)}
        if name == "run":
            found[name]["weights"] = dict(network.named_parameters())
    return found


@probe(points=0.5, title="a PixelCNN can learn: the gradient reaches all of its weights", judge=Close(rtol=2e-3, atol=1e-3))
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
            if name.startswith(prefix):  # where the mask is 0, and what its parameters are called, is a masked layer's own matter
                name = prefix + ("weight" if p.dim() == 4 else "bias")
                gradient = gradient[(mask.to(p.device) > 0).expand_as(p)] if p.dim() == 4 else gradient
        found[name] = gradient
    return found


@probe(points=1, title="samples with given uniforms", judge=Exact(), public=True)
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


@probe(points=1, title="completions with given uniforms", judge=Exact())
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
        y = rng.integers(0, classes, batch) if name == "scattered" else torch.zeros(batch, dtype=torch.long, device=rng.device)
        found[name] = student.pixelcnn_complete(model, x, observed, u, y)
        found[name + ", traces"] = traces(model)
    everything = student.pixelcnn_complete(model, x, torch.ones_like(observed), u, y)
    found["everything observed"] = [everything, float(everything.data_ptr() == x.data_ptr())]  # a new tensor is asked for
    found["other values in the hidden pixels"] = student.pixelcnn_complete(model, torch.where(observed, x, 1 - x), observed, u, y)
    found["without labels"] = student.pixelcnn_complete(model, x, observed, u)
    return found


@probe(points=0.5, title="class posterior by Bayes' rule", judge=Close(rtol=1e-3, atol=1e-3))
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


# --- mistakes -------------------------------------------------------------------------------------------------

edit_mistake(
    "returns_probabilities",
    "the network returns probabilities; everything after it expects logits, so the sigmoid would be applied twice",
    ("return self.head(h)", "return torch.sigmoid(self.head(h))"),
)
edit_mistake(
    "head_on_v",
    "the head is applied to the vertical features, which know nothing of the pixels to the left; the output is made from h",
    ("return self.head(h)", "return self.head(v)"),
)
edit_mistake(
    "h_starts_empty",
    "the horizontal stack starts with zeros instead of the image, so the pixels to the left are never seen",
    ("v = h = x", "v, h = x, torch.zeros_like(x)"),
)
edit_mistake(
    "label_in_first_block",
    "the label's bias enters in the first block only; every block has its own matrix U",
    ("bias = label_map(one_hot)[:, :, None, None]", "bias = label_map(one_hot)[:, :, None, None] if block is self.blocks[0] else None"),
)
edit_mistake(
    "one_hot_guesses_classes",
    "`F.one_hot` is not told the number of classes and guesses it from the largest label in the batch; a batch without the last class fails",
    ("F.one_hot(y, self.classes)", "F.one_hot(y)"),
)
edit_mistake(
    "one_hot_integer",
    "the one-hot vectors are integers, which a linear layer does not take; convert them to the dtype of the images",
    ("F.one_hot(y, self.classes).to(x.dtype)", "F.one_hot(y, self.classes)"),
)
edit_mistake(
    "labels_required",
    "the network cannot be called without labels; with y=None there is no bias",
    ("if y is not None:\n                one_hot", "if True:\n                one_hot"),
)
edit_mistake(
    "label_zero_is_none",
    "labels that are all 0 are taken for no labels; ask `y is None`",
    ("if y is not None:", "if y is not None and y.any():"),
)
edit_mistake(
    "label_ignored",
    "the label has no effect on the logits",
    ("v, h = block(v, h, bias)", "v, h = block(v, h)"),
)
edit_mistake(
    "mean_over_pixels",
    "the log-probability is averaged over the pixels; the log-probability of an image is their sum",
    ("return -loss.flatten(1).sum(1)", "return -loss.flatten(1).mean(1)"),
)
edit_mistake(
    "sum_over_batch",
    "all images are summed into one number; each image has its own log-probability",
    ("return -loss.flatten(1).sum(1)", "return -loss.sum()"),
)
edit_mistake(
    "loss_not_log_prob",
    "the sign is that of a loss; a log-probability of pixels is never positive",
    ("return -loss.flatten(1).sum(1)", "return loss.flatten(1).sum(1)"),
)
edit_mistake(
    "log_of_sigmoid",
    "the logarithm is taken of a sigmoid that has been rounded to 0 or 1, which gives infinite or NaN values; compute from the logits",
    (
        'loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
        "p = torch.sigmoid(model(x, y))\n    loss = -(x * p.log() + (1 - x) * (1 - p).log())",
    ),
)
edit_mistake(
    "clamped_probabilities",
    "the logarithms are cut at -100, as `F.binary_cross_entropy` on probabilities does; unlikely pixels then count too little; use the logits as they are",
    (
        'loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
        'loss = F.binary_cross_entropy(torch.sigmoid(model(x, y)), x, reduction="none")',
    ),
)
edit_mistake(
    "only_ones_count",
    "only pixels that are 1 contribute; a pixel that is 0 has the probability 1 - σ",
    (
        'loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
        "loss = -x * F.logsigmoid(model(x, y))",
    ),
)
edit_mistake(
    "log_prob_ignores_label",
    "the label is not handed to the model in the log-probability",
    ("binary_cross_entropy_with_logits(model(x, y), x", "binary_cross_entropy_with_logits(model(x), x"),
)
edit_mistake(
    "log_prob_without_gradient",
    "the log-probability carries no gradient, so nothing can be trained with it",
    ("return -loss.flatten(1).sum(1)", "return -loss.detach().flatten(1).sum(1)"),
)
edit_mistake(
    "label_maps_untrained",
    "the labels' biases are cut off from the gradient (`.data`, `.detach()` or `no_grad`), so the matrices U are never trained",
    ("bias = label_map(one_hot)", "bias = label_map(one_hot).detach()"),
)
edit_mistake(
    "no_zero_grad",
    "gradients are never reset, so every step uses the sum of all gradients so far",
    ("        optimiser.zero_grad()\n", ""),
)
edit_mistake(
    "maximises_loss",
    "the loss has the wrong sign: training makes the images less likely",
    ("loss = -pixelcnn_log_prob(model, *batch).mean()", "loss = pixelcnn_log_prob(model, *batch).mean()"),
)
edit_mistake(
    "sgd",
    "the optimiser is plain gradient descent; Adam is asked for",
    ("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.SGD(model.parameters(), lr=lr)"),
)
edit_mistake(
    "lr_ignored",
    "the learning rate is not handed to Adam, which then uses its default of 0.001",
    ("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.Adam(model.parameters())"),
)
edit_mistake(
    "optimiser_in_loop",
    "a new optimiser is made at every step, so Adam forgets its averages; make it once",
    ("        optimiser.zero_grad()\n", "        optimiser = torch.optim.Adam(model.parameters(), lr=lr)\n        optimiser.zero_grad()\n"),
)
edit_mistake(
    "no_step",
    "the optimiser never changes the weights: no step is taken, or the gradients are cleared between `backward` and the step",
    ("        optimiser.step()\n", ""),
)
edit_mistake(
    "trains_without_labels",
    "training leaves the labels out, although they are given",
    ("tensors = (images,) if labels is None else (images, labels)", "tensors = (images,)"),
)
edit_mistake(
    "generator_ignored",
    "the order of the data comes from torch's global generator, not from the given one: the run cannot be repeated",
    (
        "for batch in data.batches(tensors, batch_size, generator, steps=steps):",
        "for batch in data.batches(tensors, batch_size, torch.Generator().manual_seed(int(torch.randint(2**31, ()))), steps=steps):",
    ),
)
edit_mistake(
    "not_shuffled",
    "the data are not shuffled: the generator has no effect, and every pass sees the same batches",
    ("data.batches(tensors, batch_size, generator, steps=steps)", "data.batches(tensors, batch_size, None, steps=steps)"),
)
edit_mistake(
    "trains_in_eval_mode",
    "the model is not in training mode while it is trained, so its dropout is off; after drawing samples it may arrive in evaluation mode",
    ("    model.train()\n    tensors", "    tensors"),
)
edit_mistake(
    "history_sum",
    "the loss is the sum over the minibatch; its mean is asked for, so that the history does not depend on the batch size",
    ("loss = -pixelcnn_log_prob(model, *batch).mean()", "loss = -pixelcnn_log_prob(model, *batch).sum()"),
)
edit_mistake(
    "history_after_step",
    "the history holds the loss after each step; it is to be taken before",
    ("history.append(loss.item())", "history.append(-pixelcnn_log_prob(model, *batch).mean().item())"),
)
edit_mistake(
    "divided_by_batch_size",
    "the sum over a minibatch is divided by `batch_size`, but the last batch of a pass is smaller; its images then count too little",
    ("loss = -pixelcnn_log_prob(model, *batch).mean()", "loss = -pixelcnn_log_prob(model, *batch).sum() / batch_size"),
)
edit_mistake(
    "last_batch_dropped",
    "the smaller last batch of every pass is left out",
    ("data.batches(tensors, batch_size, generator, steps=steps)", "data.batches(tensors, batch_size, generator, drop_last=True, steps=steps)"),
)
edit_mistake(
    "shuffled_once",
    "the data are shuffled once and every pass repeats the same batches; the order should be drawn anew for each pass",
    (
        "for batch in data.batches(tensors, batch_size, generator, steps=steps):",
        "batches = list(data.batches(tensors, batch_size, generator))\n    for batch in [batches[k % len(batches)] for k in range(steps)]:",
    ),
)
edit_mistake(
    "batches_reordered",
    "the images are put into batches once, and only the order of the batches changes; the images should be shuffled anew for each pass",
    (
        "for batch in data.batches(tensors, batch_size, generator, steps=steps):",
        "batches = list(data.batches(tensors, batch_size, generator))\n    order = [k for _ in range(steps) "
        "for k in torch.randperm(len(batches), generator=generator, device=generator.device).tolist()]\n    for batch in [batches[k] for k in order[:steps]]:",
    ),
)
edit_mistake(
    "clips_gradients",
    "the gradients are clipped before the step; plain Adam is asked for",
    ("        optimiser.step()\n", "        nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimiser.step()\n"),
)
edit_mistake(
    "adamw",
    "the optimiser is AdamW, which also shrinks the weights; Adam is asked for",
    ("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.AdamW(model.parameters(), lr=lr)"),
)
edit_mistake(
    "all_at_once",
    "every pixel is drawn without a look at the pixels before it: all from one pass, or from the last pixel to the first",
    (
        "x = images * observed\n    with torch.no_grad():\n",
        "x = images * observed\n    with torch.no_grad():\n        fixed = model(x, labels)\n",
    ),
    ("p = torch.sigmoid(model(x, labels)[:, :, i, j])", "p = torch.sigmoid(fixed[:, :, i, j])"),
)
edit_mistake(
    "row_at_once",
    "pixels are drawn without a look at their left neighbours: a whole row from one pass, or from right to left",
    (
        "            for j in range(x.shape[3]):\n                p = torch.sigmoid(model(x, labels)[:, :, i, j])",
        "            fixed = model(x, labels)\n            for j in range(x.shape[3]):\n                p = torch.sigmoid(fixed[:, :, i, j])",
    ),
)
edit_mistake(
    "skips_first_row_and_column",
    "the loop starts at row 1 and column 1: the first row and column stay black",
    ("for i in range(x.shape[2]):", "for i in range(1, x.shape[2]):"),
    ("for j in range(x.shape[3]):", "for j in range(1, x.shape[3]):"),
)
edit_mistake(
    "column_by_column",
    "pixels are drawn column by column; the model was built for raster order, row by row",
    ("for i in range(x.shape[2]):\n            for j in range(x.shape[3]):", "for j in range(x.shape[3]):\n            for i in range(x.shape[2]):"),
)
edit_mistake(
    "draw_inverted",
    "the comparison is the wrong way round: the pixel is 1 where the uniform is below the probability",
    ("(uniforms[:, :, i, j] < p)", "(uniforms[:, :, i, j] > p)"),
)
edit_mistake(
    "greedy",
    "pixels are rounded to the more likely value and the uniforms ignored: that is not a sample",
    ("(uniforms[:, :, i, j] < p)", "(p > 0.5)"),
)
edit_mistake(
    "logit_as_probability",
    "the uniform is compared with the logit; apply the sigmoid first",
    ("p = torch.sigmoid(model(x, labels)[:, :, i, j])", "p = model(x, labels)[:, :, i, j]"),
)
edit_mistake(
    "own_randomness",
    "pixels are drawn with torch's own random numbers instead of the given uniforms",
    ("(uniforms[:, :, i, j] < p)", "(torch.rand_like(p) < p)"),
)
edit_mistake(
    "probabilities_in_canvas",
    "the canvas gets the probability instead of the drawn value: later pixels then see grey",
    ("drawn = (uniforms[:, :, i, j] < p).to(x.dtype)", "drawn = p"),
)
edit_mistake(
    "draws_without_labels",
    "the labels are not handed to the model while drawing",
    ("model(x, labels)[:, :, i, j]", "model(x)[:, :, i, j]"),
)
edit_mistake(
    "draws_in_training_mode",
    "pixels are drawn in training mode: dropout then switches off half of what the model knows",
    ("    model.eval()\n    x = images * observed", "    x = images * observed"),
)
edit_mistake(
    "drawing_leaves_eval",
    "drawing leaves the model in evaluation mode, so that training goes on without dropout afterwards; put the mode back",
    ("    model.train(was_training)\n    return x", "    return x"),
)
edit_mistake(
    "drawing_leaves_train",
    "drawing leaves the model in training mode, whatever it was in before; put back the mode that you found",
    ("    model.train(was_training)\n    return x", "    model.train()\n    return x"),
)
edit_mistake(
    "drawing_keeps_graph",
    "pixels are drawn with gradients on, so every pass builds a graph that nobody needs; use torch.no_grad()",
    ("    with torch.no_grad():\n        for i", "    with torch.enable_grad():\n        for i"),
)
edit_mistake(
    "observed_overwritten",
    "observed pixels are drawn anew; they must stay",
    ("torch.where(observed[:, :, i, j], x[:, :, i, j], drawn)", "drawn"),
)
edit_mistake(
    "observed_inverted",
    "observed and hidden pixels are exchanged",
    ("x = images * observed", "observed = ~observed if observed.any() else observed\n    x = images * observed"),
)
edit_mistake(
    "pasted_at_the_end",
    "the observed pixels are pasted in at the end; while drawing, the hidden pixels did not see them",
    ("torch.where(observed[:, :, i, j], x[:, :, i, j], drawn)", "drawn"),
    ("    model.train(was_training)\n    return x", "    model.train(was_training)\n    return torch.where(observed, images, x)"),
)
edit_mistake(
    "completes_in_place",
    "the given images are overwritten; work on a copy",
    ("x = images * observed", "x = images"),
)
edit_mistake(
    "prior_ignored",
    "the prior p(y) is left out of the posterior",
    ("pixelcnn_log_prob(model, images, y) + log_prior[k]", "pixelcnn_log_prob(model, images, y)"),
)
edit_mistake(
    "not_normalised",
    "the joint log p(x, y) is returned; subtract its log-sum-exp over the classes",
    ("return torch.log_softmax(torch.stack(columns, dim=1), dim=1)", "return torch.stack(columns, dim=1)"),
)
edit_mistake(
    "normalised_over_batch",
    "the normalisation runs over the images of the batch instead of over the classes",
    ("torch.log_softmax(torch.stack(columns, dim=1), dim=1)", "torch.log_softmax(torch.stack(columns, dim=1), dim=0)"),
)
edit_mistake(
    "posterior_transposed",
    "the result is (classes, batch) instead of (batch, classes)",
    ("torch.log_softmax(torch.stack(columns, dim=1), dim=1)", "torch.log_softmax(torch.stack(columns, dim=0), dim=0)"),
)
edit_mistake(
    "posterior_not_log",
    "probabilities are returned where their logarithms are asked for",
    ("torch.log_softmax(torch.stack(columns, dim=1), dim=1)", "torch.softmax(torch.stack(columns, dim=1), dim=1)"),
)
edit_mistake(
    "posterior_underflows",
    "log p(x | y) is exponentiated before it is normalised; it underflows to 0 and gives NaN or infinite values",
    (
        "return torch.log_softmax(torch.stack(columns, dim=1), dim=1)",
        "joint = torch.stack(columns, dim=1).exp()\n    return (joint / joint.sum(1, keepdim=True)).log()",
    ),
)
edit_mistake(
    "classifies_in_training_mode",
    "the classifier runs in training mode: dropout makes its answers random",
    ("    model.eval()\n    with torch.no_grad():\n        columns = []", "    with torch.no_grad():\n        columns = []"),
)
edit_mistake(
    "classifier_leaves_eval",
    "classifying leaves the model in evaluation mode; put back the mode that you found",
    ("    model.train(was_training)\n    return torch.log_softmax", "    return torch.log_softmax"),
)
edit_mistake(
    "classifier_keeps_graph",
    "the classifier keeps the graph for gradients, which costs memory for every class; use torch.no_grad()",
    (
        "    with torch.no_grad():\n        columns = []",
        "    with torch.enable_grad():\n        columns = []",
    ),
)


# --- alternatives ---------------------------------------------------------------------------------------------


@alternative("labels by indexing U; logsigmoid; one batch for all classes; own minibatches; draws only where hidden, samples on its own")
def by_hand(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            v, h = x, x
            for n in range(len(self.blocks)):
                if y is None:
                    v, h = self.blocks[n](v, h)
                else:
                    v, h = self.blocks[n](v, h, self.label_maps[n].weight.T[y].unsqueeze(-1).unsqueeze(-1))
            return self.head(h)

    def pixelcnn_log_prob(model, x, y=None):
        logits = model(x, y)
        signed = (2 * x - 1) * logits
        return torch.nn.functional.logsigmoid(signed).sum(dim=(1, 2, 3))

    def train_pixelcnn(model, images, labels, steps, batch_size, lr, generator):
        optimiser = torch.optim.Adam(model.parameters(), lr)
        model.train()
        history, order = [], []
        for _ in range(steps):
            if not order:
                shuffled = torch.randperm(len(images), generator=generator, device=generator.device).to(images.device)
                order = list(shuffled.split(batch_size))
            index = order.pop()
            optimiser.zero_grad(set_to_none=False)
            loss = -pixelcnn_log_prob(model, images[index], None if labels is None else labels[index]).mean()
            (loss / images[0].numel()).backward()
            optimiser.step()
            history.append(float(loss))
        return history

    @torch.no_grad()
    def pixelcnn_complete(model, images, observed, uniforms, labels=None):
        mode = model.training
        model.eval()
        x = torch.where(observed, images, torch.full_like(images, 0.5))
        height, width = x.shape[-2:]
        for t in range(height * width):
            i, j = divmod(t, width)
            hidden = ~observed[:, 0, i, j]
            if hidden.any():
                logits = model(x.clone(), labels)[:, 0, i, j]
                threshold = torch.log(uniforms[:, 0, i, j]) - torch.log1p(-uniforms[:, 0, i, j])
                x[hidden, 0, i, j] = (logits >= threshold).float()[hidden]
        model.train(mode)
        return x

    def pixelcnn_sample(model, uniforms, labels=None):
        was_training = model.training
        model.eval()
        x = torch.zeros(uniforms.shape, device=uniforms.device)
        with torch.inference_mode():
            for i in range(uniforms.shape[2]):
                for j in range(uniforms.shape[3]):
                    p = model(x, labels).sigmoid()[..., i, j]
                    x[..., i, j] = (uniforms[..., i, j] <= p).float()
        model.train(was_training)
        return x.clone()

    @torch.no_grad()
    def pixelcnn_classify(model, images, log_prior):
        mode, (n, k) = model.training, (len(images), len(log_prior))
        model.eval()
        repeated = images.repeat_interleave(k, dim=0)
        y = torch.arange(k, device=images.device).repeat(n)
        joint = pixelcnn_log_prob(model, repeated, y).reshape(n, k).double() + log_prior
        model.train(mode)
        return joint - joint.logsumexp(1, keepdim=True)

    return {
        "PixelCNN": PixelCNN, "pixelcnn_log_prob": pixelcnn_log_prob, "train_pixelcnn": train_pixelcnn,
        "pixelcnn_complete": pixelcnn_complete, "pixelcnn_sample": pixelcnn_sample, "pixelcnn_classify": pixelcnn_classify,
    }


@alternative("einsum for the labels; softplus; a DataLoader and a pass without gradients for the history; flat pixels; NumPy for Bayes")
def with_loader(ref):
    class PixelCNN(ref.PixelCNN):
        def forward(self, x, y=None):
            one_hot = torch.zeros(len(x), self.classes, device=x.device)
            if y is not None:
                one_hot.scatter_(1, y[:, None], 1.0)
            v = h = x
            for block, label_map in zip(self.blocks, self.label_maps):
                v, h = block(v, h, torch.einsum("bk,ck->bc", one_hot, label_map.weight)[..., None, None])
            return self.head(h)

    def pixelcnn_log_prob(model, x, y=None):
        logits = model(x, y)
        return (x * logits - nn.functional.softplus(logits)).double().sum((1, 2, 3))

    def train_pixelcnn(model, images, labels, steps, batch_size, lr, generator):
        dataset = torch.utils.data.TensorDataset(*([images] if labels is None else [images, labels]))
        loader = torch.utils.data.DataLoader(dataset, batch_size, shuffle=True, generator=generator)
        optimiser = torch.optim.Adam(model.parameters(), lr=lr, foreach=False)
        model.train()
        history = []
        while len(history) < steps:
            for batch in loader:
                if len(history) == steps:
                    break
                with torch.no_grad():
                    history.append(-pixelcnn_log_prob(model, *batch).mean().item())
                optimiser.zero_grad()
                (-pixelcnn_log_prob(model, *batch)).mean().backward()
                optimiser.step()
        return history

    @torch.no_grad()
    def pixelcnn_complete(model, images, observed, uniforms, labels=None):
        mode = model.training
        model.train(False)
        x = images.clone().flatten(1)  # hidden pixels need no value: nobody looks at them before they are drawn
        for t in range(x.shape[1]):
            p = torch.sigmoid(model(x.reshape(images.shape), labels)).flatten(1)[:, t]
            x[:, t] = torch.where(observed.flatten(1)[:, t], x[:, t], (uniforms.flatten(1)[:, t] < p).to(x.dtype))
        model.train(mode)
        return x.reshape(images.shape)

    def pixelcnn_classify(model, images, log_prior):
        modes = {part: part.training for part in model.modules()}
        model.eval()
        with torch.no_grad():
            labels = [torch.tensor([k] * len(images), device=images.device) for k in range(len(log_prior))]
            columns = [pixelcnn_log_prob(model, images, y).double().cpu().numpy() for y in labels]
        for part, training in modes.items():
            part.training = training
        joint = np.stack(columns, 1) + log_prior.double().cpu().numpy()
        joint -= joint.max(1, keepdims=True)
        return torch.from_numpy(joint - np.log(np.exp(joint).sum(1, keepdims=True)))

    return {
        "PixelCNN": PixelCNN, "pixelcnn_log_prob": pixelcnn_log_prob, "train_pixelcnn": train_pixelcnn,
        "pixelcnn_complete": pixelcnn_complete, "pixelcnn_classify": pixelcnn_classify,
    }


@alternative("masked layers around an ordinary convolution, whose closed weights they set to 0 in every pass: their gradients are not 0")
def zeroing_layers(ref):
    class Zeroing(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.conv = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, padding=layer.padding)
            self.register_buffer("mask", layer.mask)

        def forward(self, x):
            self.conv.weight.data.mul_(self.mask)
            return self.conv(x)

    class PixelCNN(ref.PixelCNN):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            for block in self.blocks:
                block.vertical, block.horizontal = Zeroing(block.vertical), Zeroing(block.horizontal)

    return {"PixelCNN": PixelCNN}


edit_alternative(
    "float64_likelihood",
    "torch.distributions in float64, the network unchanged; classes from an embedding-like product",
    ('loss = F.binary_cross_entropy_with_logits(model(x, y), x, reduction="none")',
     "loss = -torch.distributions.Bernoulli(logits=model(x, y).double()).log_prob(x.double())"),
    ("one_hot = F.one_hot(y, self.classes).to(x.dtype)", "one_hot = torch.eye(self.classes, device=x.device)[y]"),
)
edit_alternative(
    "image_by_image",
    "a pass for each image; draws while the parameters are frozen, and thaws them afterwards",
    ('model(x, y), x, reduction="none")',
     'torch.cat([model(x[n : n + 1], None if y is None else y[n : n + 1]) for n in range(len(x))]), x, reduction="none")'),
    ("    with torch.no_grad():\n        for i in", "    needed = [p.requires_grad for p in model.parameters()]\n    model.requires_grad_(False)\n    if True:\n        for i in"),
    ("    model.train(was_training)\n    return x",
     "    for p, flag in zip(model.parameters(), needed):\n        p.requires_grad_(flag)\n    model.train(was_training)\n    return x"),
)
