"""Question 5: a U-Net that is told the time, a moving average of its weights, and the training loop of the set."""

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, gradient, in_words, tensor_of, with_planted

from .models import Called, Planted, Small, Toy, Trace, Watched, fill, moved, small_data, small_loss, waves, weights

question = Question(
    title="A U-Net, time, and a moving average",
    uses=["cosine_alpha_bar", "q_sample", "convert"],
    skills=["3.23", "3.24", "3.25"],
    lecture="diffusion models",
    run_seconds=200,
    aim=(
        "Build the network that all later questions draw with: skips in the right order, time as waves, training with a warm-up, "
        "and an average of the weights that owes nothing to their random start."
    ),
    hints={
        "time_embedding": (
            "How many radians lie between two neighbouring steps for the fastest wave, and how many for the slowest?",
            "dim = 4 and t = 100: speeds 1 and 0.01, angles 100 and 1. The sines of both come first.",
            "`t[:, None] * omega` has the shape (N, h). The exponents are -i/h with h = dim / 2, so the slowest speed is not quite 1/10000.",
        ),
        "UNet": (
            "Which block of the way up works on pictures as large as those of the last block on the way down?",
            "16 × 16, `channels` with three entries: blocks see 16, 8, (middle) 4, 8, 16. Two skips are stored; which one goes first?",
            "`skips.append` before `F.avg_pool2d`, and `skips.pop` after `F.interpolate`. The result of the head has one channel.",
        ),
        "EMA": (
            "After one step there is one vector of weights to average. Where must the average be?",
            "d = ½ after three steps: the shares are 4/7, 2/7, 1/7, newest first. What is 1 + d + d², and what does it have to do with r₃?",
            "A geometric sum turns 1/(1 + d + … + d^(n-1)) into a fraction. A deep copy shares nothing with its model, and needs no gradients.",
        ),
        "train_denoiser": (
            "What exists once for the whole run, what is new in each step, and what must be finished before the average looks at the weights?",
            "warm_up = 4 and lr = 1: the first six steps have the rates ¼, ½, ¾, 1, 1, 1.",
            "`optimiser.param_groups[0][\"lr\"]` may be set before each step. A loss that is kept must be out of its graph.",
        ),
    },
    ambiguities=[
        "train_denoiser: gradients may be reset before or after each step; a scheduler may set the rates.",
        "EMA: the copy's mode is not tested; the tested models have no buffers.",
        "UNet: `forward` is asked with another, right `time_embedding`; the sizes of the tested pictures can be halved as often as needed.",
    ],
)

NEAR = Close(rtol=5e-4, atol=5e-5)
FINE = Close(rtol=1e-9, atol=1e-10)
ANGLES = Close(rtol=1e-3, atol=2e-3)  # float32 angles of hundreds of radians


# --- time_embedding ---------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="time_embedding: a few times", public=True, judge=Fields(default=ANGLES))
def embedding(student, rng):
    return {"ordinary": entry("`time_embedding`", lambda: student.time_embedding(rng.integers(1, 1001, 5), 8))}


@question.probe(
    points=1.5, title="time_embedding: other sizes, real times, the ends",
    judge=Fields({"few steps": Close(), "real times": Close(), "four waves": Close(), "type": Close()}, default=ANGLES),
)
def embedding_edges(student, rng):
    def ask(t, dim):
        return entry("`time_embedding`", lambda: student.time_embedding(t, dim))

    few = rng.permutation(12)[:6]
    return {
        "few steps": ask(few, 12),
        "four waves": ask(1 + rng.permutation(9)[:4], 4),
        "two waves": ask(1 + rng.permutation(50)[:5], 2),
        "many waves, late times": ask(rng.integers(900, 1001, 3), 64),
        "one time": ask(rng.integers(400, 900, 1), 6),
        "the ends, 0 and 1000": ask(torch.tensor([0, 1000], device=rng.device), 10),
        "as many times as waves": ask(rng.integers(1, 1001, 6), 6),
        "real times": ask(10 * rng.uniform(5), 8),
        "real times, float64": ask(900 * rng.uniform(4, dtype=torch.float64), 8),
        "type": [in_words(ask(few, 8)), in_words(ask(few.double(), 8))],
    }


# --- UNet -------------------------------------------------------------------------------------------------------


def network(student, rng, channels, classes=3, scale=1.0):
    """A U-Net with seeded weights."""
    return fill(student.raw.UNet(channels, 6, classes), rng, scale)


def drawn(model, *arguments):
    """What it makes of noisy pictures, while time is told right."""
    return tensor_of(with_planted(type(model).forward, time_embedding=waves)(model, *arguments), "what `forward` returns")


@question.probe(points=1, title="UNet: pictures with labels", public=True, judge=Fields(default=NEAR))
def unet(student, rng):
    model = network(student, rng, (2, 3, 4))
    noted = Called(model)
    x, t, y = rng.normal(2, 1, 8, 8), rng.integers(1, 1001, 2), rng.integers(0, 3, 2)
    out = entry("`forward`", lambda: drawn(model, x, t, y))
    return {"ordinary": out, "parts as they are called": noted.calls}


@question.probe(points=2, title="UNet: no labels, depth, other sizes, one picture, gradients, calls in a row", judge=Fields(default=NEAR))
def unet_edges(student, rng):
    alike, deep, flat = network(student, rng, (3, 3, 3)), network(student, rng, (2, 3, 4, 5)), network(student, rng, (3, 2))
    x, t, y = rng.normal(3, 1, 8, 8), rng.integers(1, 1001, 3), rng.integers(0, 3, 3)
    noted, none = Called(deep), torch.full_like(y, 3)

    def ask(model, *arguments):
        return entry("`forward`", lambda: drawn(model, *arguments))

    def slopes():
        weights = {name.replace(".", " "): p for name, p in alike.named_parameters() if p.dim() > 1}
        place = x.clone().requires_grad_()
        total = rng.normal(3, 1, 8, 8) * drawn(alike, place, t, y)
        return dict(zip([*weights, "picture"], gradient("the result", total, **weights, picture=place)))

    return {
        "without labels": ask(deep, x, t),
        "parts of a deep net as they are called": noted.calls[:30],
        "all channels alike": ask(alike, x, t, y),
        "one halving, one picture": ask(flat, x[:1], t[:1], y[:1]),
        "all labels 0": ask(flat, x, t, 0 * y),
        "labels that say: no label": ask(flat, x, t, none),
        "other heights than widths, another call": ask(flat, rng.normal(2, 1, 4, 6), t[:2], y[:2]),
        "gradient": entry("`forward`", slopes),
        "a larger picture, after a call": ask(alike, rng.normal(1, 1, 12, 12), t[:1]),
    }


# --- EMA --------------------------------------------------------------------------------------------------------


def followed(student, rng, decay, steps, model=None, source=None):
    """Averages after each of some steps."""
    model = Toy(rng) if model is None else model
    ema = student.raw.EMA(model, decay)
    found = []
    for _ in range(steps):
        moved(model, rng)
        ema.update(model)
        found.append(weights(ema.model))
    return found


@question.probe(points=0.5, title="EMA: three steps", public=True, judge=Fields(default=Close()))
def average(student, rng):
    return {"ordinary": entry("`EMA`", lambda: followed(student, rng, 0.7, 3))}


@question.probe(points=1.5, title="EMA: decays, many steps, what it shares with the model, gradients", judge=Fields({"in float64": FINE}, default=Close()))
def average_edges(student, rng):
    def ask(*arguments, **settings):
        return entry("`EMA`", lambda: followed(student, rng, *arguments, **settings))

    def before():
        """The copy before any step."""
        model = Toy(rng)
        return weights(student.raw.EMA(model, 0.9).model)

    def apart():
        """The model after a copy was averaged, and the average after the model went on."""
        model = Toy(rng)
        ema = student.raw.EMA(model, 0.6)
        for _ in range(2):
            moved(model, rng)
            ema.update(model)
        own = weights(model)
        moved(model, rng)
        return {"the model": own, "the average": weights(ema.model)}

    def two():
        """Two averages of one model, of which one starts later."""
        model = Toy(rng)
        first, found = student.raw.EMA(model, 0.5), []
        for _ in range(2):
            moved(model, rng)
            first.update(model)
        second = student.raw.EMA(model, 0.8)
        for _ in range(2):
            moved(model, rng)
            first.update(model)
            second.update(model)
            found += [weights(first.model), weights(second.model)]
        return found

    def needs():
        """Which weights require gradients, and whether the average has a graph."""
        model = Toy(rng)
        ema = student.raw.EMA(model, 0.9)
        moved(model, rng)
        ema.update(model)
        say = ("require no gradients", "require gradients")
        return {
            "weights of the average": [say[p.requires_grad] for p in ema.model.parameters()],
            "weights of the model": [say[p.requires_grad] for p in model.parameters()],
        }

    def used():
        model = Toy(rng)
        ema = student.raw.EMA(model, 0.3)
        for _ in range(2):
            moved(model, rng)
            ema.update(model)
        with torch.no_grad():
            return ema.model(rng.normal(4, 3))

    def frozen():
        """The first weight of the model requires no gradients, and stays."""
        model = Toy(rng)
        model.weight.requires_grad_(False)
        return followed(student, rng, 0.8, 3, model=model)

    def other():
        """Weights that come from another model of the same form than the first."""
        first, second = Toy(rng), Toy(rng)
        ema = student.raw.EMA(first, 0.6)
        ema.update(second)
        moved(second, rng)
        ema.update(second)
        return weights(ema.model)

    return {
        "before the first step": entry("`EMA`", before),
        "after one step": ask(0.9, 1),
        "decay 0": ask(0.0, 3),
        "decay 0.5": ask(0.5, 4),
        "decay 0.9999": ask(0.9999, 4),
        "twelve steps": ask(0.8, 12),
        "in float64": ask(0.7, 3, model=Toy(rng, dtype=torch.float64)),
        "model and average, once the model went on": entry("`EMA`", apart),
        "two averages of one model": entry("`EMA`", two),
        "which weights require gradients": entry("`EMA`", needs),
        "what the averaged model computes": entry("`EMA`", used),
        "a model of which one weight is frozen": entry("`EMA`", frozen),
        "weights of another model of the same form": entry("`EMA`", other),
    }


# --- train_denoiser -----------------------------------------------------------------------------------------------


def trained(student, rng, x, y, steps, batch_size, lr=0.1, noise=0.0, factor=1.0, model=None, **settings):
    """A run, and what it left."""
    generator, trace = rng.generator(), Trace()
    model = Watched(rng, x[0].numel(), x.dtype).to(rng.device) if model is None else model
    loss = Planted(generator, noise, factor)
    history = tensor_of(
        student.train_denoiser(model, trace, loss, x, y, steps, batch_size, lr, generator, **settings), "what `train_denoiser` returns"
    )
    return {
        "history": history,
        "weights at each update of the average": trace.kept,
        "weights afterwards": weights(model),
        "examples as the loss saw them": torch.cat(loss.seen),
        "labels as the loss saw them": torch.cat(loss.labels),
        "type of the history": in_words(history).replace("float64", "float32"),
    }


def pairs(rng, n, *shape, dtype=torch.float32):
    """Examples so far apart that gradients of batches differ in sign, and labels that tell them apart."""
    return 4 * rng.normal(n, *(shape or (3,)), dtype=dtype), rng.permutation(n)


RUN = Fields(default=Close(rtol=5e-4, atol=2e-4))


@question.probe(points=0.5, title="train_denoiser: two passes over the data", public=True, judge=RUN)
def ordinary_run(student, rng):
    size = rng.integer(3, 6)
    return trained(student, rng, *pairs(rng, 3 * size), 6, size, warm_up=4)


@question.probe(points=2, title="train_denoiser: short batches, warm-ups, a second run, images, noise, float64", judge=RUN)
def other_runs(student, rng):
    size = rng.integer(4, 7)
    x, y = pairs(rng, 2 * size + 1)

    def run(*arguments, **settings):
        return entry("`train_denoiser`", lambda: trained(student, rng, *arguments, **settings))

    def twice():
        model = Watched(rng, 3).to(rng.device)
        return [trained(student, rng, x, y, steps, size, warm_up=3, model=model) for steps in (2, 3)]

    return {
        "a short last batch": run(x, y, 5, size, warm_up=3),
        "batch_size above the number of examples": run(x[:5], y[:5], 3, size + 5, warm_up=2),
        "one step": run(x, y, 1, size, warm_up=5),
        "warm_up of 1, large steps": run(x, y, 9, size, lr=1.0, warm_up=1),
        "warm_up left out": run(x, y, 3, size, lr=1.0),
        "a large loss": run(x, y, 2, size, warm_up=2, factor=1e3),
        "a loss that draws noise": run(x[: 2 * size], y[: 2 * size], 2, size, noise=2.0, warm_up=2),
        "images": run(*pairs(rng, 7, 1, 2, 2), 3, 3, warm_up=2),
        "two runs": entry("`train_denoiser`", twice),
        "in float64": run(*pairs(rng, 7, dtype=torch.float64), 3, 3, warm_up=2),
    }


def learned(evidence, expected, context):
    """Held-out loss at most 5 % above that of a right run with the same budget; the weights are loaded in the grader."""
    losses, (x, y) = [], small_data(context.rng(), 3000)
    for found in (evidence, expected):
        model = Small()
        for p, values in zip(model.parameters(), found["weights"], strict=True):
            values = torch.as_tensor(values, dtype=torch.float32)
            if values.shape != p.shape:
                return f"got weights of shape {tuple(values.shape)} where {tuple(p.shape)} is expected."
            if not values.isfinite().all():
                return "some of the trained weights are not finite."
            p.data.copy_(values)
        with torch.no_grad():
            losses.append(float(small_loss(model, x, y, torch.Generator().manual_seed(1))))
    if losses[0] > 1.05 * losses[1] + 0.005:
        return f"on new examples the trained model has the loss {losses[0]:.3f}, where a right run reaches {losses[1]:.3f}."
    return True


@question.probe(points=0.5, title="train_denoiser: a small denoiser, judged on new examples", judge=learned)
def learns(student, rng):
    model, x, y = Small().to(rng.device), *small_data(rng, 120)
    student.train_denoiser(model, Trace(), small_loss, x, y, 25, 50, 0.08, rng.generator(), warm_up=5)
    return {"weights": [p.detach().clone() for p in model.parameters()]}
