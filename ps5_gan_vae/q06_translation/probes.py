"""Question 6: a critic of patches, losses with and without pairs, a trainer, and how many translators have no loss."""

import torch

from autograder.probes import Close, Exact, Fields, Question
from dgm.checks.asking import entry, gradient, named, tensor_of, with_right

from .models import NAMES, Judging, Mapping, Trained, cycle_right, weights

question = Question(
    title="Translate with pairs and without",
    uses=[],
    skills=["5.21", "5.22", "5.23"],
    lecture="GANs, image translation",
    run_seconds=88,
    aim=(
        "Build paired and unpaired training whose every update is checked, measure the distance to the true partner, "
        "and count how many wrong translators satisfy every loss of the unpaired one."
    ),
    hints={
        "PatchCritic": (
            "How many pixels does one output of a single convolution see, and how far apart are the patches of neighbours?",
            "Kernel 3 and stride 2, twice: 3 pixels, then 3 + 2·2 = 7, in patches 2·2 = 4 apart. A third layer of kernel 1 adds nothing.",
            "From 7 to 10 the two kernels must grow. With padding 1 each, where does the first patch begin? Some activation belongs between the layers, none after the last.",
        ),
        "paired_loss": (
            "Which picture does the critic see, and which difference is averaged?",
            "Two pictures of three channels, holes of 1 and of 4 pixels: the L1 term is a sum of 15 numbers, divided by 15.",
            "The critic's picture is `fake` where the hole is 1, and `y` elsewhere; `torch.cat` along the channels. For L1, multiply the differences by the hole; divide by how many numbers survive.",
        ),
        "cycle_losses": (
            "Which network takes thin letters, and what comes back from it?",
            "g doubles and h halves: there and back changes nothing, but g of a picture that is in Y already still doubles it.",
            "Four means: h(g(x)) with x, g(h(y)) with y, g(y) with y, h(x) with x. Batches of x and y may differ in size.",
        ),
        "CycleTrainer": (
            "Whose weights may move in each of the two updates, and which gradients are lying about when the second begins?",
            "`fake.detach()` has the same numbers, but nothing that is computed from it reaches the generator.",
            "Translate, add up (6.3), clear, backward, step. Then real heaps and pooled fakes to the critics: clear *their* gradients, backward, step.",
        ),
        "count_translators": (
            "If coming back is exact from both sides, can two symbols have the same translation?",
            "p = (2, 1, 1), q = (1, 2, 1): the symbol seen twice has one possible partner. The other two may go straight or crossed.",
            "g is one-to-one, and keeps counts. In how many ways can the symbols that share a count be matched with one another? Choices multiply.",
        ),
    },
    ambiguities=[
        "PatchCritic: layers, widths and activations are free, as is how borders are padded; one convolution with kernel 10 and stride 4 is right, too.",
        "CycleTrainer: how often the generators are called is free. What `step` returns is not looked at.",
        "Where an absolute value is 0 its gradient may be any number from -1 to 1; no test asks there.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)


# --- PatchCritic ----------------------------------------------------------------------------------------------------


def seen(student, rng, channels, height, width, row, column, n=2):
    """Which pixels a logit depends on, summed over several critics: their bounds, and how many in its picture and in others."""
    total = 0
    for _ in range(3):
        x = rng.normal(n, channels, height, width).requires_grad_()
        logits = tensor_of(student.PatchCritic(channels)(x), "the result", (n, 1, height // 4, width // 4))
        slope = gradient("the result", logits[n - 1, 0, row, column], x=x)[0].abs()
        total = total + slope / slope.max().clamp(min=1e-30)
    found = total > 1e-5
    rows, columns = (found[n - 1].any(0).any(k).nonzero()[:, 0] for k in (1, 0))
    if not len(rows):
        return "the logit depends on no pixel of its picture."
    return {
        "first and last row": [int(rows[0]), int(rows[-1])],
        "first and last column": [int(columns[0]), int(columns[-1])],
        "how many numbers of its picture": int(found[n - 1].sum()),
        "how many of other pictures": int(found[: n - 1].sum()),
    }


@question.probe(points=0.5, title="PatchCritic: the shape, and what a logit in the middle sees", public=True, judge=Exact())
def patches(student, rng):
    return {
        "shape of the logits": list(tensor_of(student.PatchCritic(1)(rng.normal(5, 1, 16, 16)), "the result").shape),
        "a logit in the middle": entry("`PatchCritic`", lambda: seen(student, rng, 1, 24, 24, 2, 3)),
    }


@question.probe(
    points=2, title="PatchCritic: corners, channels, sizes, equal patches, one picture, float64", judge=Fields(default=Exact())
)
def patches_edges(student, rng):
    def shape(n, channels, height, width, double=False):
        def ask():
            critic, x = student.PatchCritic(channels), rng.normal(n, channels, height, width)
            answer = tensor_of(critic.double()(x.double()) if double else critic(x), "the result")
            return [*answer.shape, str(answer.dtype)]

        return entry("`PatchCritic`", ask)

    def look(*arguments, **settings):
        return entry("`PatchCritic`", lambda: seen(student, rng, *arguments, **settings))

    def moved(rows, columns):
        """How many of the logits away from borders differ when the picture is moved by whole patches, and how many are looked at."""
        critic, wide = student.PatchCritic(2), rng.normal(1, 2, 40, 40)
        here, there = (tensor_of(critic(each), "the result", (1, 1, 7, 7)) for each in (wide[..., :28, :28], wide[..., 4 * rows : 28 + 4 * rows, 4 * columns : 28 + 4 * columns]))
        a, b = here[..., 1 + rows : 6, 1 + columns : 6], there[..., 1 : 6 - rows, 1 : 6 - columns]
        return int(((a - b).abs() > 1e-4 * (1 + a.abs())).sum()), a.numel()

    def repeated():
        """How many logits differ between two calls with one picture, and when other pictures are beside it."""
        critic, x = student.PatchCritic(1), rng.normal(4, 1, 16, 20)
        first = tensor_of(critic(x), "the result", (4, 1, 4, 5))
        critic(3 + 2 * rng.normal(4, 1, 16, 20))
        return [int(((first - each).abs() > 1e-4).sum()) for each in (critic(x), torch.cat([critic(each[None]) for each in x]))]

    def bent():
        """How many logits lie on a straight line as the picture moves on one."""
        critic, x, way = student.PatchCritic(1), rng.normal(4, 1, 16, 16), rng.normal(4, 1, 16, 16, std=3.0)
        low, middle, high = (critic(x + k * way).double() for k in (-1, 0, 1))
        return int(((low - 2 * middle + high).abs() < 1e-5).sum())

    def reach():
        """Whether logits of critics with ten times their weights go below -1.5 and -0.5, and above 0.5 and 1.5."""
        found = []
        for _ in range(4):
            critic = student.PatchCritic(1)
            with torch.no_grad():
                for each in critic.parameters():
                    each.mul_(10)
            found.append(critic(rng.normal(6, 1, 16, 16, std=3.0)).flatten())
        low, high = torch.cat(found).min(), torch.cat(found).max()
        return [bool(each) for each in (low < -1.5, low < -0.5, high > 0.5, high > 1.5)]

    def learning():
        """Parameters without a gradient, and whether there are any; the picture afterwards."""
        critic, x = student.PatchCritic(2), rng.normal(3, 2, 12, 16)
        kept = x.clone()
        critic(x).square().sum().backward()
        grads = [each.grad for each in critic.parameters()]
        return [len(grads) > 0, sum(each is None for each in grads), bool(torch.equal(kept, x))]

    return {
        "shape, two channels": shape(3, 2, 16, 16),
        "shape, not square": shape(2, 1, 8, 20),
        "shape, one picture of three channels": shape(1, 3, 12, 28),
        "shape, the smallest picture": shape(2, 1, 4, 4),
        "shape, in float64": shape(2, 3, 16, 12, double=True),
        "the first corner": look(1, 16, 12, 0, 0),
        "the last corner": look(2, 20, 16, 4, 3),
        "an edge": look(1, 28, 12, 3, 0),
        "the middle, three channels": look(3, 20, 28, 2, 3),
        "one picture": look(2, 20, 24, 2, 3, n=1),
        "equal patches, moved down": entry("`PatchCritic`", lambda: moved(1, 0)),
        "equal patches, moved right": entry("`PatchCritic`", lambda: moved(0, 2)),
        "the same picture again, and alone": entry("`PatchCritic`", repeated),
        "logits on straight lines": entry("`PatchCritic`", bent),
        "logits below -1.5, -0.5, above 0.5, 1.5": entry("`PatchCritic`", reach),
        "gradients of its parameters": entry("`PatchCritic`", learning),
    }


# --- paired_loss ----------------------------------------------------------------------------------------------------


def asked(student, rng, n, a, c, height, width, weight, hole=None, size=1.0, dtype=torch.float32, spread=1.0, by=None):
    """The loss on random pictures; by: names of what gradients are wanted of."""
    parts = {"x": rng.normal(n, a, height, width, dtype=dtype), "y": rng.normal(n, c, height, width, mean=0.3, dtype=dtype)}
    parts["fake"] = rng.normal(n, c, height, width, mean=-0.2, std=spread, dtype=dtype)
    critic = Judging(rng, (a + c, height, width), dtype, size)
    if by is None:
        return entry("`paired_loss`", lambda: student.paired_loss(critic, parts["x"], parts["y"], parts["fake"], weight, *([] if hole is None else [hole])))
    leaves = {name: parts[name].requires_grad_() for name in by if name in parts} | {name: each for name, each in critic.named_parameters() if name in by}
    return entry("`paired_loss`", lambda: gradient("the result", student.paired_loss(critic, parts["x"], parts["y"], parts["fake"], weight, hole), **leaves))


@question.probe(points=0.5, title="paired_loss: whole pictures and a hole", public=True, judge=Fields(default=Close()))
def paired(student, rng):
    return {
        "whole pictures": [asked(student, rng, 4, 1, 1, 3, 5, weight) for weight in (2.0, 0.5, 7.0)],
        "holes": [asked(student, rng, 4, 1, 1, 3, 5, 2.0, rng.bernoulli(4, 1, 3, 5, p=0.4)) for _ in range(3)],
    }


@question.probe(
    points=2, title="paired_loss: channels, holes of all sizes, weights, large logits, float64, gradients",
    judge=Fields({"in float64": WIDE, "in float64, a hole": WIDE}, default=Close()),
)
def paired_edges(student, rng):
    def several(*arguments, **settings):
        return [asked(student, rng, *arguments, **settings) for _ in range(3)]

    def holes(n, height, width, p=0.4, dtype=torch.float32):
        found = rng.bernoulli(n, 1, height, width, p=p, dtype=dtype)
        found[0, 0, 0, 1], found[0, 0, 1, 0] = 1, 0
        return found

    uneven = torch.zeros(3, 1, 3, 4, device=rng.device)
    uneven[0, 0, 1, 2], uneven[1, 0, :2], uneven[2, 0, 1:, 1:] = 1, 1, 1
    none_in_one = uneven.clone()
    none_in_one[1] = 0
    pixel = torch.zeros(2, 1, 3, 4, device=rng.device)
    pixel[1, 0, 2, 1] = 1
    return {
        "x of two channels": several(3, 2, 1, 3, 4, 2.0),
        "pictures of three channels": several(3, 1, 3, 3, 4, 2.0),
        "as many channels as pictures": several(3, 3, 3, 3, 3, 2.0),
        "pictures of three channels, holes": several(3, 1, 3, 3, 4, 2.0, holes(3, 3, 4)),
        "holes of 1, 8 and 6 pixels": several(3, 2, 2, 3, 4, 2.0, uneven),
        "one picture without a hole": several(3, 2, 2, 3, 4, 2.0, none_in_one),
        "a hole of one pixel": several(2, 1, 1, 3, 4, 2.0, pixel),
        "the hole is everything": several(3, 1, 2, 3, 4, 2.0, torch.ones(3, 1, 3, 4, device=rng.device)),
        "weight 0": several(3, 2, 1, 3, 4, 0.0),
        "weight 0, holes": several(3, 2, 1, 3, 4, 0.0, holes(3, 3, 4)),
        "weight 100, a whole number": several(3, 2, 1, 3, 4, 100),
        "large logits": several(3, 2, 1, 3, 4, 2.0, size=400.0),
        "fakes far off": several(3, 2, 1, 3, 4, 2.0, spread=30.0, size=0.1),
        "one picture": several(1, 2, 1, 3, 4, 2.0),
        "one picture, a hole": several(1, 1, 2, 3, 4, 2.0, holes(1, 3, 4)),
        "in float64": several(3, 2, 2, 3, 4, 2.0, dtype=torch.float64),
        "in float64, a hole": several(3, 2, 2, 3, 4, 2.0, holes(3, 3, 4, dtype=torch.float64), dtype=torch.float64),
        "gradient": asked(student, rng, 3, 2, 2, 3, 4, 2.0, by=["fake"]),
        "gradient with holes": asked(student, rng, 3, 2, 2, 3, 4, 2.0, holes(3, 3, 4), by=["fake"]),
        "gradient by the critic's weights": asked(student, rng, 3, 2, 2, 3, 4, 2.0, holes(3, 3, 4), by=["weight", "offset"]),
    }


# --- cycle_losses ---------------------------------------------------------------------------------------------------


def both(answer):
    return named(answer, "cycle", "identity") if isinstance(answer, (tuple, list)) else f"got {type(answer).__name__} where two losses are expected."


@question.probe(points=0.5, title="cycle_losses: two planted networks", public=True, judge=Fields(default=Close()))
def cycling(student, rng):
    def ask():
        g, h = Mapping(rng, dtype=torch.float32), Mapping(rng, dtype=torch.float32)
        return both(student.cycle_losses(g, h, rng.normal(4, *g.gain.shape), rng.normal(4, *g.gain.shape)))

    return {"three pairs of networks": [entry("`cycle_losses`", ask) for _ in range(3)]}


@question.probe(
    points=1, title="cycle_losses: batches of two sizes, maps without parameters, float64, gradients of both networks",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def cycling_edges(student, rng):
    def ask(n=3, m=5, shape=(2, 3, 4), dtype=torch.float32, g=None, h=None, mean=0.0, std=1.0):
        def losses():
            return both(student.cycle_losses(g or Mapping(rng, shape, dtype), h or Mapping(rng, shape, dtype), rng.normal(n, *shape, mean=mean, std=std, dtype=dtype), rng.normal(m, *shape, mean=0.5, std=std, dtype=dtype)))

        return [entry("`cycle_losses`", losses) for _ in range(3)]

    def slope(which):
        nets, x, y = [Mapping(rng), Mapping(rng)], rng.normal(3, 2, 3, 4, dtype=torch.float64), rng.normal(5, 2, 3, 4, dtype=torch.float64)
        found = student.cycle_losses(*nets, x, y)
        inputs = {f"{name} of {net}": each for net, module in zip("gh", nets) for name, each in module.named_parameters()}
        return gradient("the loss", list(found)[which], **inputs)

    def data_slope():
        x, y = rng.normal(3, 2, 3, 4, dtype=torch.float64).requires_grad_(), rng.normal(5, 2, 3, 4, dtype=torch.float64).requires_grad_()
        cycle, identity = student.cycle_losses(Mapping(rng), Mapping(rng), x, y)
        return gradient("cycle plus twice identity", cycle + 2 * identity, x=x, y=y)

    return {
        "3 and 5 pictures": ask(),
        "6 and 2 pictures": ask(6, 2),
        "one picture each": ask(1, 1),
        "three channels": ask(2, 3, (3, 2, 5)),
        "small differences": ask(std=1e-2, g=lambda x: 1.001 * x, h=lambda y: y + 1e-3 * y.square()),
        "both the identity": ask(g=lambda x: x, h=lambda y: y),
        "both turn ink to paper": ask(g=lambda x: -x, h=lambda y: -y),
        "g doubles, h halves": ask(g=lambda x: 2 * x, h=lambda y: y / 2),
        "g moves right, h moves left": ask(g=lambda x: x.roll(1, 3), h=lambda y: y.roll(-1, 3)),
        "g forgets everything": ask(g=lambda x: 0 * x + 0.25),
        "h forgets everything": ask(h=lambda y: 0 * y - 0.5),
        "far from 0": ask(mean=20.0, g=lambda x: 1.1 * x - 3, h=lambda y: 0.8 * y + 1),
        "in float64": ask(dtype=torch.float64),
        "gradient of cycle": entry("`cycle_losses`", lambda: slope(0)),
        "gradient of identity": entry("`cycle_losses`", lambda: slope(1)),
        "gradient by the pictures": entry("`cycle_losses`", data_slope),
    }


# --- CycleTrainer ---------------------------------------------------------------------------------------------------


def moved_by(run, rng, **settings):
    """All weights afterwards."""
    return entry("`CycleTrainer`", lambda: weights(run(rng, **settings)[1]))


def ordinary(run, rng):
    return {
        "one step": moved_by(run, rng, plain=False, pooled=False),
        "three steps, with pools": moved_by(run, rng, plain=False, steps=3, rate=0.02),
    }


@question.probe(points=0, title="CycleTrainer: all weights after one step and after three, with your `cycle_losses` if you call it", public=True, judge=Fields(default=Close()))
def trained_shown(student, rng):
    return ordinary(Trained(student), rng)


@question.probe(points=1, title="CycleTrainer: all weights after one step and after three, with right `cycle_losses`", judge=Fields(default=Close()))
def trained(student, rng):
    return ordinary(with_right(Trained(student), cycle_losses=cycle_right), rng)


@question.probe(
    points=3, title="CycleTrainer: which weights each optimiser has and each update moves, old gradients, pools, weights of losses, one picture",
    judge=Fields({"which weights the optimisers have": Exact(), "what the pools get: gradients, calls": Exact()}, default=Close()),
)
def trained_edges(student, rng):
    run = with_right(Trained(student), cycle_losses=cycle_right)

    def ask(**settings):
        return moved_by(run, rng, **settings)

    def sets():
        """How many numbers of each network each optimiser has, and with which settings."""
        trainer, nets, _ = run(rng, plain=False, steps=0, rate=0.03)
        owners = {id(each): name for name, net in zip(NAMES, nets) for each in net.parameters()}
        found = {}
        for which in ("generators", "critics"):
            held = [each for group in getattr(trainer, which).param_groups for each in group["params"]]
            found[which] = [sum(owners.get(id(each)) == name for each in held) for name in NAMES]
        return found

    def pools():
        return run(rng, steps=2)[2]

    def counted():
        return [[len(pool.given), sum(int(each.requires_grad) for each in pool.given)] for pool in pools()]

    def given():
        return {name: [each.detach() for each in pool.given] for name, pool in zip(("pool_x", "pool_y"), pools())}

    return {
        "one plain step": ask(),
        "two plain steps": ask(steps=2, rate=0.05),
        "Adam, three steps": ask(plain=False, steps=3, rate=0.03),
        "old gradients lie about": ask(dirty=True),
        "no cycle loss": ask(cycle=0.0),
        "no identity loss": ask(identity=0.0),
        "large weights of both": ask(cycle=10.0, identity=5.0, rate=0.02),
        "5 and 2 pictures": ask(n=5, m=2),
        "one picture each": ask(n=1, m=1),
        "large logits": ask(size=300.0, rate=0.001),
        "in float32": ask(dtype=torch.float32),
        "which weights the optimisers have": entry("`CycleTrainer`", sets),
        "what the pools get: gradients, calls": entry("`CycleTrainer`", counted),
        "what the pools get": entry("`CycleTrainer`", given),
    }


# --- count_translators ----------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="count_translators: few symbols", public=True, judge=Fields(default=Exact()))
def counting(student, rng):
    return {
        "three or four symbols": [student.count_translators(p, q) for p, q in (([2, 1, 1], [1, 2, 1]), ([1, 1, 1], [1, 1, 1]), ([5, 5, 3, 3], [3, 5, 3, 5]), ([4, 2, 1], [2, 1, 4]))],
    }


@question.probe(points=1, title="count_translators: laws that differ, many symbols, one symbol", judge=Fields(default=Exact()))
def counting_edges(student, rng):
    def ask(*pairs):
        return entry("`count_translators`", lambda: [student.count_translators(list(p), list(q)) for p, q in pairs])

    def kept():
        p, q = [2, 9, 4, 4, 1], [4, 9, 4, 1, 2]
        student.count_translators(p, q)
        return [p, q]

    def mixed(counts):
        return [counts[int(k)] for k in rng.permutation(len(counts))]

    seven, twelve = [3, 3, 3, 1, 1, 7, 7], [2] * 4 + [5] * 3 + [9] * 3 + [1] * 2
    return {
        "in other orders": ask(*((mixed(seven), mixed(seven)) for _ in range(3)), ([9, 8, 7], [7, 9, 8]), ([4] * 5, [4] * 5)),
        "no two alike": ask(([1, 2, 3, 4], [4, 3, 2, 1]), ([7, 5], [5, 7]), ([2, 9, 30, 6, 1], [30, 2, 1, 9, 6]), ([6] * 3, [6] * 3)),
        "laws that differ": ask(([3, 1], [2, 2]), ([2, 2, 2], [1, 2, 3]), ([5, 5, 1], [5, 3, 3]), ([4, 1, 1, 4], [4, 4, 1, 1])),
        "the same counts, other multiplicities": ask(([2, 2, 1, 1, 1, 1], [2, 1, 1, 2, 1, 1]), ([2, 2, 2, 3, 3], [3, 2, 2, 2, 3]), ([1, 1, 4], [4, 1, 1]), ([4, 4, 4, 1, 1, 1, 1, 1, 1, 1], [1, 4, 1, 4, 1, 4, 1, 1, 1, 1])),
        "the same values, differently often": ask(([2, 2, 1, 1, 1, 3], [3, 3, 1, 1, 2]), ([1, 1, 1, 3, 3, 6], [1, 3, 1, 3, 1, 6]), ([2, 2, 2, 4, 4, 6], [2, 4, 4, 4, 6]), ([3, 1, 1, 1, 3], [3, 3, 1, 1, 1])),
        "lists of different lengths": ask(([2, 2], [2, 1, 1]), ([1, 1, 1, 1], [4]), ([6], [3, 3]), ([1, 2, 3], [3, 3]), ([3, 3, 3], [3, 3, 3])),
        "one symbol": ask(([1], [1]), ([9], [9]), ([4, 4], [4, 4])),
        "the lists afterwards": entry("`count_translators`", kept),
        "many symbols": ask((mixed(twelve), mixed(twelve)), ([1] * 10, [1] * 10), ([11] * 8, [11] * 8)),
    }
