"""Question 7: paths between noise and data, their velocities and scores, the flow matching loss, and exact velocities."""

import math

import torch

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import entry, named, slopes, tensor_of, two_of, with_right

question = Question(
    title="Flow matching",
    uses=["euler", "heun"],
    skills=["3.35", "3.36", "3.37", "3.38", "3.39", "3.43"],
    lecture="flow matching",
    run_seconds=30,
    manual_points=3,
    rubric=[
        "1 point: (a) the network knows only place and time, so it learns the mean velocity of the pairs that pass there; as t grows, "
        "x_t tells more about x_1, the weights change, and with them the direction.",
        "1 point: (b) no: one place and time has one velocity, so paths that meet are the same path; only the density at each time is kept, not the pairs.",
        "1 point: (c) for data at one point, where x_1 is known: every line keeps its velocity, one step ends at the point, and the floor is 0.",
    ],
    aim=(
        "Build paths and their velocities, see that regression on random pairs has the gradient of regression on the exact velocity, "
        "with a floor above 0, and that straight targets do not make straight flows."
    ),
    hints={
        "diffusion_path": (
            "At t = 0.2 in the time of flows, how late is it for the schedule?",
            "With the cosine schedule (1, 0) must come out at t = 1, and alpha must rise. Which sign has its slope?",
            "The chain rule twice: the cosine's slope, and ds/dt. The schedule gives the slope by s.",
        ),
        "conditional_velocity": (
            "You know x, x1 and the path. Which noise brought you here?",
            "Straight path, t = ½, x1 = 2, x = 0: the noise is -2, velocity and score are both 4.",
            "`path_columns` gives four columns. Divide once for the noise; both results of (7.2) need it.",
        ),
        "cfm_loss": (
            "What does the network see, and what should it say there?",
            "With x1 = 3, x0 = 1 and the straight path the target is 2 at every t. Where is the point at t = ½?",
            "`path_columns(path, t, x1)` serves both sums of (7.1). The model gets t as it came; sum the squares over dimensions only.",
        ),
        "marginal_velocity": (
            "Given x and t, how likely is each data point to be the end? And what does (7.2) need of x1 to give the mean velocity?",
            "Two points and x in the middle between alpha times each: weights ½, ½. With a small beta the nearer one gets all.",
            "(7.2) is linear in x1, so the weighted mean of the points is all that it needs. A softmax over the M logarithms of the densities.",
        ),
        "gaussian_velocity": (
            "Which a makes the mean alpha·m move as it must? Which variance has alpha·x1 + beta·x0?",
            "v = 1 and alpha² + beta² = 1: the variance stays 1. Which rate b follows?",
            "b is half the slope of V over V, and V = alpha² v + beta².",
        ),
    },
    ambiguities=[
        "Mistakes cost points once: `conditional_velocity` is replaced by a right one in the hidden test of `marginal_velocity`.",
        "path may be called once or several times, with t of any shape that the answer likes; paths of the tests are elementwise.",
        "conditional_velocity is not asked where beta is 0. In float64 the results must have its precision.",
    ],
)

EXACT = Close(rtol=1e-9, atol=1e-9)
PARTS = ("alpha", "beta", "slope of alpha", "slope of beta")


def bent_path(t):
    """A path that is neither straight nor keeps the variance, and leaves noise at t = 1."""
    return t**2 * (1.5 - 0.5 * t), 1 - 0.9 * t + 0.3 * t * (1 - t), 3 * t - 1.5 * t**2, -0.6 - 0.6 * t


def narrow_path(t):
    """The straight path with sigma_min = 0.3."""
    return t, 1 - 0.7 * t, torch.ones_like(t), -0.7 * torch.ones_like(t)


def round_path(t):
    """A quarter of a circle."""
    angle = math.pi / 2 * t
    return angle.sin(), angle.cos(), math.pi / 2 * angle.cos(), -math.pi / 2 * angle.sin()


# --- diffusion_path -----------------------------------------------------------------------------------------------


def crooked_schedule(s):
    """An angle that does not end at pi/2."""
    return 0.1 + 0.7 * s + 0.5 * s**3, 0.7 + 1.5 * s**2


def path_parts(student, t, *schedule):
    """The four results by name."""

    def parts():
        found = student.diffusion_path(t, *schedule)
        if not isinstance(found, (tuple, list)):
            return f"`diffusion_path` returns one thing of type {type(found).__name__}; four are expected: {', '.join(PARTS)}."
        return named(found, *PARTS)

    return entry("`diffusion_path`", parts)


@question.probe(points=0.25, title="diffusion_path: the cosine schedule, and another", public=True, judge=Fields(default=Close()))
def turned(student, rng):
    t = rng.uniform(5, low=0.05, high=0.95)
    return {"cosine": path_parts(student, t), "another schedule": path_parts(student, t, crooked_schedule)}


@question.probe(
    points=0.75, title="diffusion_path: both ends, a single number, axes, float64, gradients",
    judge=Fields({"in float64": Close(rtol=1e-9, atol=1e-9)}, default=Close()),
)
def turned_edges(student, rng):
    t = rng.uniform(6, low=0.05, high=0.95)

    leaf, factor = t.clone().requires_grad_(), rng.uniform(6, low=0.5, high=1.5)

    def pull(key):
        return slopes(named(student.diffusion_path(leaf, crooked_schedule), *PARTS)[key], (6,), factor, t=leaf)

    return {
        "noise and data, t = 0 and 1": path_parts(student, torch.tensor([0.0, 1.0, 0.5], device=rng.device)),
        "noise and data, another schedule": path_parts(student, torch.tensor([0.0, 1.0, 0.5], device=rng.device), crooked_schedule),
        "single numbers": [path_parts(student, each, crooked_schedule) for each in t[:3]],
        "two axes": path_parts(student, t.reshape(2, 3), crooked_schedule),
        "a column": path_parts(student, t[:, None]),
        "in float64": path_parts(student, rng.uniform(4, low=0.05, high=0.95, dtype=torch.float64)),
        **{f"gradient of {key}": entry("`diffusion_path`", lambda key=key: pull(key)) for key in PARTS},
    }


# --- conditional_velocity -----------------------------------------------------------------------------------------


def both(student, *arguments):
    """Velocity and score by name."""
    return entry("`conditional_velocity`", lambda: named(two_of(student.conditional_velocity(*arguments), "velocity", "score"), "velocity", "score"))


@question.probe(points=0.5, title="conditional_velocity: the straight path, and another", public=True, judge=Fields(default=Close()))
def conditional(student, rng):
    n, d = rng.integer(5, 7), rng.integer(2, 4)
    x, x1, t = rng.normal(n, d), 1 + 2 * rng.normal(n, d), rng.uniform(n, low=0.1, high=0.8)
    return {"straight path": both(student, x, x1, t), "another path": both(student, x, x1, t, bent_path)}


@question.probe(
    points=1.25, title="conditional_velocity: ends, one time for all, noise that is left, sizes, float64, gradients",
    judge=Fields({"in float64": EXACT, "close to the data": Close(rtol=1e-3, atol=2e-3)}, default=Close()),
)
def conditional_edges(student, rng):
    n, d = 5, rng.integer(2, 4)
    x, x1, t = rng.normal(n, d), 1 + 2 * rng.normal(n, d), rng.uniform(n, low=0.1, high=0.8)

    left = 2.0 ** -torch.arange(8, 8 + 3 * n, 3, device=rng.device)  # what is left of the time, exact in float32
    leaves, factor = [value.clone().requires_grad_() for value in (x, x1)], rng.uniform(n, d, low=0.5, high=1.5)

    def pull(which):
        found = two_of(student.conditional_velocity(*leaves, t, bent_path), "velocity", "score")[which]
        return slopes(found, (n, d), factor, x=leaves[0], x1=leaves[1])

    return {
        "t = 0": both(student, x, x1, torch.zeros(n, device=rng.device)),
        "t = 1, where noise is left": both(student, x, x1, torch.ones(n, device=rng.device), narrow_path),
        "straight, with noise left": both(student, x, x1, t, narrow_path),
        "far away": both(student, 50 * x, 30 * x1, t, narrow_path),
        "quarter of a circle": both(student, x, x1, t, round_path),
        "one time for all": [both(student, x, x1, each, bent_path) for each in t[:2]],
        "close to the data": both(student, x1 + 0.05 * x, x1, 1 - 0.05 * t),
        "very close to the data": both(student, left[:, None] * x, left[:, None] * x1, 1 - left),
        "one example": both(student, x[:1], x1[:1], t[:1], bent_path),
        "one dimension": both(student, x[:, :1], x1[:, :1], t, bent_path),
        "as many examples as dimensions": both(student, rng.normal(4, 4), rng.normal(4, 4), rng.uniform(4, low=0.1, high=0.8), bent_path),
        "in float64": both(student, x.double(), x1.double(), t.double(), bent_path),
        "gradient of the velocity": entry("`conditional_velocity`", lambda: pull(0)),
        "gradient of the score": entry("`conditional_velocity`", lambda: pull(1)),
    }


# --- cfm_loss -----------------------------------------------------------------------------------------------------


class Field(torch.nn.Module):
    """A velocity that depends on every coordinate and on t, with something to train. Refuses other shapes of t."""

    def __init__(self, rng, d):
        super().__init__()
        self.matrix = torch.nn.Parameter(rng.normal(d, d))
        self.shift = torch.nn.Parameter(rng.normal(d))

    def forward(self, x, t):
        if t.shape != x.shape[:1]:
            raise ValueError(f"the model wants t of shape {tuple(x.shape[:1])}, and got {tuple(t.shape)}")
        return torch.tanh(x @ self.matrix) + self.shift * torch.cos(2 * t)[:, None]


@question.probe(points=0.5, title="cfm_loss: the straight path, and another", public=True, judge=Fields(default=Close()))
def loss(student, rng):
    n, d = rng.integer(5, 7), rng.integer(2, 4)
    model, x1, x0, t = Field(rng, d), 1 + 2 * rng.normal(n, d), rng.normal(n, d), rng.uniform(n)
    with torch.no_grad():
        return {
            "straight path": entry("`cfm_loss`", lambda: student.cfm_loss(model, x1, x0, t)),
            "another path": entry("`cfm_loss`", lambda: student.cfm_loss(model, x1, x0, t, bent_path)),
        }


@question.probe(
    points=1, title="cfm_loss: ends, an exact model, sizes, float64, gradients",
    judge=Fields({"in float64": EXACT, "t = 0 and t = 1, in float64": EXACT, "gradient": Close(rtol=2e-4, atol=2e-5)}, default=Close()),
)
def loss_edges(student, rng):
    n, d = 5, rng.integer(2, 4)
    model, x1, x0, t = Field(rng, d), 1 + 2 * rng.normal(n, d), rng.normal(n, d), rng.uniform(n)
    square = Field(rng, 4)

    def ask(*arguments):
        return entry("`cfm_loss`", lambda: student.cfm_loss(*arguments))

    def pull():
        found = student.cfm_loss(model, x1, x0, t, bent_path)
        return slopes(found, (n,), rng.uniform(n, low=0.5, high=1.5), **{"the weights": model.matrix, "the shift": model.shift})

    def plain(x, t):
        return x * t[:, None]

    def lifted(x, t):
        return 0.5 + 2 * x * t[:, None]

    ends = torch.tensor([0.0, 1, 0, 1, 1], device=rng.device)

    return {
        "t = 0 and t = 1": ask(lifted, x1, x0, ends),
        "t = 0 and t = 1, on a quarter of a circle": ask(lifted, x1, x0, ends, round_path),
        "t = 0 and t = 1, in float64": ask(lifted, x1.double(), x0.double(), ends.double()),
        "a model that always answers 0": ask(lambda x, t: 0 * x, x1, x0, t, bent_path),
        "a model that answers with the place": ask(lambda x, t: x, x1, x0, t, bent_path),
        "a model that answers with the time": ask(lambda x, t: t[:, None] + 0 * x, x1, x0, t, bent_path),
        "straight, with noise left": ask(plain, x1, x0, t, narrow_path),
        "far away": ask(plain, 40 * x1, 20 * x0, t, narrow_path),
        "one example": ask(plain, x1[:1], x0[:1], t[:1], bent_path),
        "one dimension": ask(plain, x1[:, :1], x0[:, :1], t, bent_path),
        "as many examples as dimensions": entry("`cfm_loss`", lambda: tensor_of(student.cfm_loss(square, rng.normal(4, 4), rng.normal(4, 4), rng.uniform(4), bent_path), "the loss").detach()),
        "in float64": ask(plain, x1.double(), x0.double(), t.double(), bent_path),
        "gradient": entry("`cfm_loss`", pull),
    }


# --- marginal_velocity --------------------------------------------------------------------------------------------


def right_conditional(x, x1, t, path):
    """(7.2)."""
    alpha, beta, d_alpha, d_beta = (value.expand(len(x))[:, None] for value in path(t))
    x0 = (x - alpha * x1) / beta
    return d_alpha * x1 + d_beta * x0, -x0 / beta


def straight(t):
    """The straight path."""
    return t, 1 - t, torch.ones_like(t), -torch.ones_like(t)


def conditional_given(x, x1, t, path=straight):
    """(7.2), of the straight path unless another is given."""
    return right_conditional(x, x1, t, path)


@question.probe(points=0, title="marginal_velocity: a few points, on two paths, with your `conditional_velocity` if you call it", public=True, judge=Fields(default=Close()))
def marginal(student, rng):
    n, m, d = rng.integer(5, 7), rng.integer(3, 5), 2
    x, points, t = rng.normal(n, d), 1.5 * rng.normal(m, d), rng.uniform(n, low=0.1, high=0.7)
    return {
        "straight path": entry("`marginal_velocity`", lambda: student.marginal_velocity(x, t, points)),
        "another path": entry("`marginal_velocity`", lambda: student.marginal_velocity(x, t, points, bent_path)),
    }


def mean_way(student, *arguments):
    """`marginal_velocity` with a right `conditional_velocity`."""
    return entry("`marginal_velocity`", lambda: with_right(student.marginal_velocity, conditional_velocity=conditional_given)(*arguments))


def beyond(rng, points, n, distance):
    """n places far away, each in a direction in which one point lies well ahead of all others, so that rounding does not decide."""
    directions = torch.nn.functional.normalize(rng.normal(80, points.shape[1]), dim=1)
    ahead = (directions @ points.T).topk(2, 1).values
    return distance * directions[(ahead[:, 0] - ahead[:, 1]).topk(n).indices]


NEARLY = {  # where float32 loses digits in differences
    "near t = 1": Close(rtol=2e-3, atol=2e-3), "near t = 1, points close together": Close(rtol=5e-3, atol=5e-3),
    "near t = 1, far from all points": Close(rtol=2e-3, atol=1e-2), "far from all points": Close(rtol=1e-3, atol=1e-2),
}


@question.probe(
    points=1.75, title="marginal_velocity: ends, one point, repeated points, far away, one time for all, sizes, float64, gradients",
    judge=Fields({"in float64": EXACT, **NEARLY}, default=Close()),
)
def marginal_edges(student, rng):
    n, m = 5, rng.integer(6, 8)
    d = rng.integer(2, 4)
    x, points, t = rng.normal(n, d), 1.5 * rng.normal(m, d), rng.uniform(n, low=0.1, high=0.7)
    # x lies nearer to one point than to all others, so that rounding does not decide
    near = points[:n] + 0.003 * x

    def pull():
        leaves = [value.clone().requires_grad_() for value in (x, points)]
        found = with_right(student.marginal_velocity, conditional_velocity=conditional_given)(leaves[0], t, leaves[1], bent_path)
        return slopes(found, (n, d), rng.uniform(n, d, low=0.5, high=1.5), x=leaves[0], points=leaves[1])

    return {
        "straight path": mean_way(student, x, t, points),
        "another path": mean_way(student, x, t, points, bent_path),
        "t = 0": mean_way(student, x, torch.zeros(n, device=rng.device), points),
        "as near t = 1 as is asked, points close together": mean_way(student, 0.0015 * x, torch.full((n,), 0.9989, device=rng.device), 0.0015 * points),
        "near t = 1": mean_way(student, near, torch.full((n,), 0.998, device=rng.device), points),
        "near t = 1, points close together": mean_way(student, 0.03 * x, torch.full((n,), 0.97, device=rng.device), 0.04 * points),
        "near t = 1, far from all points": mean_way(student, beyond(rng, points, n, 6.0), torch.full((n,), 0.998, device=rng.device), points),
        "t = 1, where noise is left": mean_way(student, x, torch.ones(n, device=rng.device), points, narrow_path),
        "quarter of a circle": mean_way(student, x, t, points, round_path),
        "one point": mean_way(student, x, t, points[:1], bent_path),
        "a point that is there three times": mean_way(student, x, t, torch.cat([points[:3], points[:1], points[:1]]), bent_path),
        "points far from 0": mean_way(student, x + 10, t, points + 12, bent_path),
        "far from all points": mean_way(student, beyond(rng, points, n, 100.0), t, points, narrow_path),
        "one time for all": [mean_way(student, x, each, points, bent_path) for each in t[:2]],
        "one place": mean_way(student, x[:1], t[:1], points, bent_path),
        "one dimension": mean_way(student, x[:, :1], t, points[:, :1], bent_path),
        "as many places as points and dimensions": mean_way(student, rng.normal(4, 4), rng.uniform(4, low=0.1, high=0.7), rng.normal(4, 4), bent_path),
        "in float64": mean_way(student, x.double(), t.double(), points.double(), bent_path),
        "gradient": entry("`marginal_velocity`", pull),
    }


# --- gaussian_velocity --------------------------------------------------------------------------------------------


def gauss(student, *arguments):
    """`gaussian_velocity`, in an entry."""
    return entry("`gaussian_velocity`", lambda: student.gaussian_velocity(*arguments))


@question.probe(points=0.25, title="gaussian_velocity: the straight path, and another", public=True, judge=Fields(default=Close()))
def gaussian(student, rng):
    n, d = rng.integer(5, 7), rng.integer(2, 4)
    x, t, mean, variance = rng.normal(n, d), rng.uniform(n), 1 + rng.normal(d), rng.uniform(d, low=0.2, high=3)
    return {"straight path": gauss(student, x, t, mean, variance), "another path": gauss(student, x, t, mean, variance, bent_path)}


@question.probe(
    points=0.75, title="gaussian_velocity: ends, unit variance, narrow and wide data, one time for all, sizes, float64, gradients",
    judge=Fields({"in float64": EXACT}, default=Close()),
)
def gaussian_edges(student, rng):
    n, d = 5, rng.integer(2, 4)
    x, t, mean, variance = rng.normal(n, d), rng.uniform(n, low=0.1, high=0.9), 1 + rng.normal(d), rng.uniform(d, low=0.2, high=3)
    one = torch.ones(d, device=rng.device)

    def pull():
        leaves = {"x": x.clone().requires_grad_(), "mean": mean.clone().requires_grad_(), "variance": variance.clone().requires_grad_()}
        found = student.gaussian_velocity(leaves["x"], t, leaves["mean"], leaves["variance"], bent_path)
        return slopes(found, (n, d), rng.uniform(n, d, low=0.5, high=1.5), **leaves)

    return {
        "t = 0": gauss(student, x, torch.zeros(n, device=rng.device), mean, variance),
        "t = 1": gauss(student, x, torch.ones(n, device=rng.device), mean, variance),
        "unit variance": gauss(student, x, t, mean, one),
        "unit variance, quarter of a circle": gauss(student, x, t, mean, one, round_path),
        "narrow data": gauss(student, x, t, mean, 1e-4 * variance, bent_path),
        "narrow data at t = 1": gauss(student, x, torch.ones(n, device=rng.device), mean, 1e-6 * variance),
        "wide data": gauss(student, 30 * x, t, 20 * mean, 100 * variance, bent_path),
        "mean 0": gauss(student, x, t, 0 * mean, variance, bent_path),
        "straight, with noise left": gauss(student, x, t, mean, variance, narrow_path),
        "one time for all": [gauss(student, x, each, mean, variance, bent_path) for each in t[:2]],
        "one place": gauss(student, x[:1], t[:1], mean, variance, bent_path),
        "one dimension": gauss(student, x[:, :1], t, mean[:1], variance[:1], bent_path),
        "as many places as dimensions": gauss(student, rng.normal(4, 4), rng.uniform(4), rng.normal(4), rng.uniform(4, low=0.2, high=3), bent_path),
        "in float64": gauss(student, x.double(), t.double(), mean.double(), variance.double(), bent_path),
        "gradient": entry("`gaussian_velocity`", pull),
    }
