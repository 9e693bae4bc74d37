"""Question 3: two networks, a round of the game, a training loop, and modes counted on planted samples."""

import torch

from autograder.probes import Close, Custom, Exact, Fields, Question, SameMoments
from dgm.checks.asking import entry, gradient, tensor_of, two_of, with_right

from .models import Dealing, Planted, gan_round_right, plant, sizes, slopes_of, small_networks, stale, stepping, weights

question = Question(
    title="Train one, count the modes",
    uses=["discriminator_loss", "generator_loss", "r1_penalty", "update_average"],
    skills=["5.03", "5.06", "5.07", "5.09"],
    lecture="generative adversarial networks",
    run_seconds=45,
    manual_points=3,
    rubric=["1 point: a", "1 point: b", "1 point: c"],
    aim="Train two networks against each other by code that is tested as code, and judge the generator by modes hit and good samples, not by its loss.",
    hints={
        "ring_networks": (
            "Which of the two networks must give the same sample twice for the same noise, and between which numbers do its samples lie?",
            "With noise 3 and width 5 the generator's Linear layers are 3 → 5 → 5 → 2, and the critic's 2 → 5 → 5 → 1.",
            "`nn.Sequential` for both. `nn.Dropout(dropout)` follows each activation of the critic; `nn.Flatten(0)` at its end makes an (N,) of (N, 1).",
        ),
        "gan_round": (
            "Whose parameters may change in each update, and through which of the two networks must the gradient pass for that?",
            "R = 2: the critic sees (real[0], noise[0]), then (real[1], noise[1]). The generator has noise[2] for itself.",
            "For the critic, `.detach()` the fakes. For the generator do not, and clear what its backward pass has left in the critic.",
        ),
        "train_gan": (
            "What does the average have to be before the first round, and does `average = generator` make a second network?",
            "rounds = 2, n_critic = 3: two calls of `deal(3)`, six updates of the critic, two of the generator, two of the average.",
            "`copy.deepcopy(generator)` once. Then in each round: deal, play it by `gan_round`, and move the average by `update_average`.",
        ),
        "mode_coverage": (
            "Which centre does a sample belong to, and when is it too far from it?",
            "Centres 0 and 10 on a line, std 1, least 2; samples 1, -2, 9, 5: three are good, one mode is hit: (1, 0.75).",
            "`torch.cdist` holds all distances; `min(1)` gives the smallest and whose it is. Count the good ones of each centre with `torch.bincount`.",
        ),
    },
    ambiguities=[
        "ring_networks: dropout before or after an activation gives the same values, and both are right; how the modules are nested is not tested, but the layers must be nn.Linear.",
        "gan_round: whether cleared gradients are None or zeros is not tested, nor what is left in the generator.",
        "gan_round: fakes may be made at once for all updates of the critic; they may be cut off by .detach() or no_grad.",
        "mode_coverage: samples equally far from two centres are not asked; numbers may be Python numbers or tensors.",
    ],
)

WIDE = Close(rtol=1e-9, atol=1e-9)


# --- ring_networks ------------------------------------------------------------------------------------------------


def both(student, *arguments):
    return two_of(student.ring_networks(*arguments), "a generator", "a critic")


@question.probe(points=0.5, title="ring_networks: layers and values", public=True, judge=Fields(default=Close()))
def networks(student, rng):
    generator, critic = both(student, 3, 5, 0.2)
    z, x = rng.normal(6, 3), rng.normal(6, 2)
    return {
        "layers of the generator": entry("the generator", lambda: sizes(generator, z)),
        "layers of the critic": entry("the critic", lambda: sizes(critic, x)),
        "numbers of parameters": [sum(each.numel() for each in net.parameters()) for net in (generator, critic)],
        "samples, with planted weights": entry("the generator", lambda: plant(generator, z, rng)(z)),
        "logits in eval mode, with planted weights": entry("the critic", lambda: plant(critic, x, rng)(x)),
    }


def dropped(student, rng, dropout, n=6000):
    """Logits of one point, many times in train mode; all hidden numbers are positive."""
    critic = both(student, 2, 6, dropout)[1]
    x = torch.ones(n, 2, device=rng.device) * rng.uniform(2, low=0.5, high=1.5)
    return tensor_of(plant(critic, x[:3], rng, size=1.5, positive=True).train()(x), "the critic's result", (n,)).detach()


@question.probe(
    points=1, title="ring_networks: other sizes, dropout, the range of samples, one sample, gradients",
    judge=Fields({"logits of one point, dropout 0.5": SameMoments(), "logits of one point, dropout 0.2": SameMoments()}, default=Close()),
)
def networks_edges(student, rng):
    def ask(part, noise, width, dropout, n, size=1.0, train=False, scale=1.0):
        def values():
            net = both(student, noise, width, dropout)[part]
            x = scale * rng.normal(n, 2 if part else noise)
            return plant(net, x, rng, size).train(train)(x)

        return entry("the critic" if part else "the generator", values)

    def slopes(part):
        net = both(student, 4, 3, 0.1)[part]
        x = rng.normal(5, 2 if part else 4)
        out = plant(net, x, rng, 1.5)(x.requires_grad_())
        return gradient("the result", out * rng.normal(*out.shape), x=x)[0]

    def all_sizes():
        generator, critic = both(student, 7, 4, 0.3)
        return [sizes(generator, rng.normal(3, 7)), sizes(critic, rng.normal(3, 2))]

    def double():
        generator, critic = (net.double() for net in both(student, 3, 4, 0.1))
        z, x = rng.normal(4, 3, dtype=torch.float64), rng.normal(4, 2, dtype=torch.float64)
        return [plant(generator, z, rng)(z), plant(critic, x, rng)(x)]

    return {
        "layers, noise 7 and width 4": entry("`ring_networks`", all_sizes),
        "one number as noise": ask(0, 1, 4, 0.2, 5),
        "samples near the border": ask(0, 3, 4, 0.2, 6, size=4.0),
        "the generator in train mode": ask(0, 3, 5, 0.5, 6, train=True),
        "large logits": ask(1, 3, 4, 0.2, 6, size=4.0, scale=5.0),
        "the critic in train mode, dropout 0": ask(1, 3, 5, 0.0, 6, train=True),
        "the critic in eval mode, dropout 0.9": ask(1, 3, 5, 0.9, 6),
        "logits of one point, dropout 0.5": entry("the critic", lambda: dropped(student, rng, 0.5)),
        "logits of one point, dropout 0.2": entry("the critic", lambda: dropped(student, rng, 0.2)),
        "one sample": [ask(0, 3, 4, 0.2, 1), ask(1, 3, 4, 0.2, 1), ask(1, 2, 3, 0.1, 1)],
        "gradient of samples by the noise": entry("the generator", lambda: slopes(0)),
        "gradient of logits by the points": entry("the critic", lambda: slopes(1)),
        "in float64": entry("`ring_networks`", double),
    }


# --- gan_round ----------------------------------------------------------------------------------------------------


class Game:
    """Two planted networks with their optimisers, and batches for them."""

    def __init__(self, rng, kind="sgd", dtype=torch.float64):
        self.rng, self.dtype = rng, dtype
        self.generator, self.critic = Planted(rng, 3, 2, dtype), Planted(rng, 2, 0, dtype, size=1.5)
        self.optimisers = [stepping(net, kind, lr) for net, lr in ((self.generator, 0.3), (self.critic, 0.2))]

    def batches(self, updates, n=4, m=None):
        return (
            self.rng.normal(updates, n, 2, mean=0.4, dtype=self.dtype),
            self.rng.normal(updates + 1, m or n, 3, dtype=self.dtype),
        )

    def play(self, student, gamma, *batches):
        student.gan_round(self.generator, self.critic, *self.optimisers, *batches, gamma)

    def ends(self):
        return {"critic": weights(self.critic), "generator": weights(self.generator)}


def played(student, rng, updates, gamma, n=4, m=None, kind="sgd", dtype=torch.float64, rounds=1, old=False):
    """The weights of both networks after rounds on planted data."""
    def result():
        game = Game(rng, kind, dtype)
        for _ in range(rounds):
            if old:
                stale(game.generator, rng)
                stale(game.critic, rng)
            game.play(student, gamma, *game.batches(updates, n, m))
        return game.ends()

    return entry("`gan_round`", result)


@question.probe(points=0.5, title="gan_round: one update of each player", public=True, judge=Fields(default=Close()))
def round_once(student, rng):
    return {"weights afterwards": played(student, rng, 1, 0.3)}


@question.probe(
    points=2, title="gan_round: several updates, gradients from before and afterwards, Adam, other batches",
    judge=Fields({"times that a gradient came back to the generator's output": Exact()}, default=Close(rtol=1e-6, atol=1e-8)),
)
def rounds_of_game(student, rng):
    def after(ask, *updates):
        """What is found after a round of each of these lengths."""
        found = []
        for each in updates:
            game = Game(rng)
            game.play(student, 0.2, *game.batches(each))
            found.append(ask(game))
        return found

    def still(which):
        """One of the players cannot move: its learning rate is 0. What does the other one do?"""
        game = Game(rng)
        for group in game.optimisers[which].param_groups:
            group["lr"] = 0.0
        game.play(student, 0.2, *game.batches(2))
        return game.ends()

    def learn(game):
        return [each.requires_grad for net in (game.generator, game.critic) for each in net.parameters()]

    return {
        "three updates of the critic": played(student, rng, 3, 0.3),
        "two updates, gamma 0": played(student, rng, 2, 0.0),
        "two updates, gamma 4": played(student, rng, 2, 4.0),
        "more noise than data": played(student, rng, 2, 0.5, n=3, m=6),
        "more data than noise": played(student, rng, 2, 0.5, n=7, m=2),
        "batches of one": played(student, rng, 2, 0.5, n=1),
        "gradients of something else from before": played(student, rng, 2, 0.3, old=True),
        "two rounds with Adam": played(student, rng, 2, 0.3, kind="adam", rounds=2),
        "two rounds with Adam, gradients from before": played(student, rng, 1, 0.3, kind="adam", rounds=2, old=True),
        "the generator stays where it is": entry("`gan_round`", lambda: still(0)),
        "the critic stays where it is": entry("`gan_round`", lambda: still(1)),
        "gradients left in the critic": entry("`gan_round`", lambda: after(lambda game: slopes_of(game.critic), 2)),
        "times that a gradient came back to the generator's output": entry("`gan_round`", lambda: after(lambda game: game.generator.came_back, 1, 2, 4)),
        "parameters that can still learn": entry("`gan_round`", lambda: after(learn, 2)),
        "in float32": played(student, rng, 2, 0.3, dtype=torch.float32),
    }


# --- train_gan ----------------------------------------------------------------------------------------------------


def trained(ask, rng, rounds, n_critic, gamma, decay, kind="sgd", after=lambda game: None):
    """What a training run leaves: weights, what was dealt, and how often each optimiser has stepped."""
    def result():
        game = Game(rng, kind)
        deal = Dealing(game.batches)
        average = ask(game.generator, game.critic, game.optimisers, deal, rounds, n_critic, gamma, decay)
        if not isinstance(average, torch.nn.Module):
            return f"`train_gan` returns {type(average).__name__} where a network is expected."
        after(game)
        return game.ends() | {"average": weights(average), "dealt": deal.asked, "steps": [each.steps for each in game.optimisers]}

    return entry("`train_gan`", result)


@question.probe(points=0, title="train_gan: two rounds, with your `gan_round` if you call it", public=True, judge=Fields(default=Close()))
def training_shown(student, rng):
    return {"two rounds": trained(student.train_gan, rng, 2, 1, 0.2, 0.6)}


@question.probe(
    points=1.5, title="train_gan: rounds, updates, the average and whose it is, with a right `gan_round`",
    judge=Fields(default=Close(rtol=1e-6, atol=1e-8)),
)
def training(student, rng):
    ask = with_right(student.train_gan, gan_round=gan_round_right)

    def forget(game):
        """Later training must not move the average."""
        with torch.no_grad():
            for each in game.generator.parameters():
                each.zero_()

    return {
        "two rounds": trained(ask, rng, 2, 1, 0.2, 0.6),
        "three updates of the critic in each of two rounds": trained(ask, rng, 2, 3, 0.2, 0.7),
        "two updates of the critic in each of five rounds": trained(ask, rng, 5, 2, 0.1, 0.9),
        "decay 0": trained(ask, rng, 2, 2, 0.3, 0.0),
        "decay 1": trained(ask, rng, 1, 1, 0.2, 1.0),
        "gamma 0": trained(ask, rng, 2, 2, 0.0, 0.5),
        "gamma 3": trained(ask, rng, 2, 1, 3.0, 0.5),
        "one round": trained(ask, rng, 1, 2, 0.2, 0.3),
        "no round": trained(ask, rng, 0, 2, 0.2, 0.3),
        "Adam": trained(ask, rng, 3, 2, 0.2, 0.8, kind="adam"),
        "the average after more training": trained(ask, rng, 2, 2, 0.2, 0.6, after=forget),
    }


BLOB = (0.45, -0.3)


def on_the_blob(evidence, expected, context):
    """Samples of a small run lie on a blob."""
    points = torch.as_tensor(evidence["samples"], dtype=torch.float64)
    if points.shape != (400, 2) or not bool(torch.isfinite(points).all()):
        return "400 finite points of the plane are expected."
    off, spread = float((points.mean(0) - torch.tensor(BLOB).double()).norm()), float(points.std(0).max())
    if off > 0.25:
        return f"The data are a blob around {BLOB}; the mean of your samples is {off:.2f} away from it."
    return spread < 0.35 or f"The blob has standard deviation 0.1, that of your samples is {spread:.2f}."


@question.probe(points=0.5, title="train_gan: a short run, judged by its samples", judge=Custom(on_the_blob, "mean within 0.25 of the data's, standard deviation below 0.35"))
def short_run(student, rng):
    generator, critic = small_networks(rng)
    optimisers = [torch.optim.Adam(net.parameters(), 0.02, (0.0, 0.9)) for net in (generator, critic)]
    middle = torch.tensor(BLOB, device=rng.device)
    deal = Dealing(lambda updates: (middle + 0.1 * rng.normal(updates, 32, 2), rng.normal(updates + 1, 32, 2)))
    average = with_right(student.train_gan, gan_round=gan_round_right)(generator, critic, optimisers, deal, 60, 1, 0.1, 0.9)
    with torch.no_grad():
        return {"samples": average(rng.normal(400, 2))}


# --- mode_coverage ------------------------------------------------------------------------------------------------


def counted(student, samples, centres, std, least):
    def result():
        modes, share = two_of(student.mode_coverage(samples, centres, std, least), "modes hit", "share of good samples")
        return [float(modes), float(share)]

    return entry("`mode_coverage`", result)


def around(rng, centres, counts, std, reach=2.0):
    """Samples at less than reach · std from each centre, so many of each, in any order."""
    points = []
    for centre, n in zip(centres, counts):
        way = rng.normal(n, centres.shape[1])
        way = way / way.norm(dim=1, keepdim=True) * rng.uniform(n, 1, low=0.1, high=reach)
        points.append(centre + std * way)
    points = torch.cat(points)
    return points[rng.permutation(len(points))]


def lattice(rng, modes, dim=2, step=4.0):
    """Centres that are far apart."""
    places = torch.tensor([[(i // 4**axis) % 4 for axis in range(dim)] for i in range(4**dim)], device=rng.device)
    return step * places[rng.permutation(len(places))[:modes]].float()


@question.probe(points=0.5, title="mode_coverage: planted samples", public=True, judge=Fields(default=Close()))
def counting(student, rng):
    centres = lattice(rng, 5)
    good, bad = around(rng, centres, (7, 0, 4, 5, 2), 0.25), centres[:2] + 1.9
    return {
        "five modes, one of them empty": counted(student, torch.cat([good, bad]), centres, 0.25, 4),
        "all good": counted(student, around(rng, centres, (3, 3, 2, 2, 6), 0.25), centres, 0.25, 2),
    }


@question.probe(
    points=1, title="mode_coverage: the border, the least number, near centres, other dimensions, units of std, far samples",
    judge=Fields({"in float64": WIDE}, default=Close()),
)
def counting_edges(student, rng):
    centres, ring, space = lattice(rng, 6), lattice(rng, 8), lattice(rng, 4, 3)

    def spots(*values):
        return torch.tensor(values, device=rng.device, dtype=torch.float32)

    def line(points, middles, std, least):
        return counted(student, spots(*points)[:, None], spots(*middles)[:, None], std, least)

    close = spots((0.0, 0.0), (2.0, 0.0), (0.0, 2.0))
    few = around(rng, centres, (4, 4, 4, 4, 4, 4), 0.3)
    many = around(rng, ring, (40, 25, 3, 60, 12, 9, 0, 31), 0.2)
    noise = 30 + 10 * rng.uniform(25, 2)
    return {
        "exactly 3 std away": [
            counted(student, spots((3.0, 0.0), (0.0, -3.0), (10.0, 13.0)), spots((0.0, 0.0), (10.0, 10.0)), 1.0, 1),
            line((6.0, -6.0, 7.0), (0.0, 40.0), 2.0, 2),
        ],
        "a little inside and a little outside": [
            line((2.9, 3.1, -2.95, -3.05, 8.0), (0.0, 40.0), 1.0, 2), line((0.29, 0.31, 0.28, -0.33), (0.0, 4.0), 0.1, 2),
        ],
        "three times as far": line((3.5, 5.0, 8.0, 9.5, 0.5), (0.0, 50.0), 1.0, 1),
        "outside the circle, inside the square": counted(
            student, spots((2.5, 2.5), (1.0, 1.0), (-2.4, 2.6), (0.5, -1.0), (2.2, -2.9)), spots((0.0, 0.0), (30.0, 0.0)), 1.0, 3
        ),
        "exactly as many as are needed": [counted(student, few, centres, 0.3, least) for least in (3, 4, 5)],
        "one is enough": [counted(student, around(rng, centres, counts, 0.3), centres, 0.3, 1) for counts in ((1, 0, 1, 2, 0, 1), (0, 0, 5, 0, 0, 0))],
        "centres that lie near each other": [
            counted(student, around(rng, close, (6, 1, 3), 1.0, 0.9), close, 1.0, 3),
            counted(student, around(rng, close, (5, 2, 0), 1.0, 0.9), close, 1.0, 2),
        ],
        "eight modes, many samples": [counted(student, many, ring, 0.2, least) for least in (1, 10, 30)],
        "bad samples do not count for a mode": counted(
            student, torch.cat([around(rng, centres, (5, 2, 0, 4, 0, 1), 0.1), centres[2:6] + 0.7, centres[2:6] - 0.8]), centres, 0.1, 3
        ),
        "bad samples only": counted(student, noise, centres, 0.3, 1),
        "most samples far away": counted(student, torch.cat([noise, few]), centres, 0.3, 4),
        "small std": [counted(student, around(rng, 0.1 * ring, (9, 8, 7, 0, 5, 4, 3, 2), 0.002), 0.1 * ring, std, 5) for std in (0.002, 0.0005)],
        "std above 1": counted(student, around(rng, 30 * ring, (5, 8, 7, 0, 5, 4, 3, 2), 5.0), 30 * ring, 5.0, 5),
        "one dimension": line((0.5, 1.2, 9.4, 10.3, 5.0, -1.0, 20.9), (0.0, 10.0, 20.0), 0.5, 2),
        "three dimensions": counted(student, around(rng, space, (3, 1, 4, 2), 0.2), space, 0.2, 2),
        "three dimensions, bad in the third": counted(
            student, torch.cat([around(rng, space, (3, 1, 4, 2), 0.2), space[:3] + spots(0.0, 0.0, 1.5)]), space, 0.2, 2
        ),
        "one centre": counted(student, torch.cat([around(rng, centres[:1], (6,), 0.5), centres[:1] + 9]), centres[:1], 0.5, 4),
        "more centres than samples": counted(student, around(rng, ring, (1, 0, 0, 1, 1, 0, 0, 0), 0.2), ring, 0.2, 1),
        "the last centres are empty": counted(student, around(rng, ring, (4, 4, 4, 0, 0, 0, 0, 0), 0.2), ring, 0.2, 3),
        "in float64": counted(student, many.double(), ring.double(), 0.2, 10),
        "two calls": [counted(student, few, centres, 0.3, 4), counted(student, many, ring, 0.2, 4)],
    }
