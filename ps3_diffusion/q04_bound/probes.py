"""Question 4: the noise loss, its weights in the variational bound, draws of t, and shifted schedules."""

import torch
from torch import nn

from autograder.probes import Close, Fields, Question
from dgm.checks.asking import AnswerError, attempt, entry, gradient, named, tensor_of, two_of, with_right

question = Question(
    title="What the loss bounds; which t to train on",
    skills=["3.16", "3.17", "3.50"],
    uses=["q_sample", "cosine_alpha_bar"],
    lecture="diffusion models, the variational bound",
    run_seconds=8,
    manual_points=3,
    rubric=[
        "1 point: the variance is the posterior's, as if x0 were known; wrong where a step changes the SNR much (the first); another variance mends it.",
        "1 point: the bound lies at small t, where noise is invisible; equal weights spend the effort where shapes are decided.",
        "1 point: L_t weighted by T p_t; the same optimum if the network can be exact at each t, another one if it cannot.",
    ],
    aim=(
        "Turn the noise loss into a bound in nats and compare it with an exact likelihood; see at which noise levels its nats lie, and "
        "keep apart what weights, draws and shifted schedules do."
    ),
    hints={
        "eps_loss": (
            "What does the model see, and with what is its answer compared?",
            "A model that always answers 0, and eps = (1, -3): the loss of this example is (1 + 9)/2 = 5.",
            "`flatten(1)` makes rows of any shape; then one mean for each.",
        ),
        "bound_weights": (
            "By which factor does x0 enter Question 3's posterior mean? Its square over twice the posterior variance is a difference of two SNRs.",
            "The two errors are related by ‖ε - ε̂‖² = SNR_t ‖x0 - x̂0‖². What is w_2 with the SNRs 16/9 and 4/21?",
            "½(SNR_{t-1} - SNR_t) belongs to the picture's error; divide by SNR_t. In row 1 the Gaussian has the variance β_1 = 1 - ᾱ_1.",
        ),
        "bound_terms": (
            "Which rows need the model? Of what are the two Gaussians of row 0 functions?",
            "KL(N(m, v) ‖ N(0, 1)) = ½(m² + v - 1 - log v), with m = √ᾱ_T x0 and v = 1 - ᾱ_T. Row 1 has ½ log(2πβ_1) for each number.",
            "`eps_loss` is a mean; the rows are sums, so the number of pixels comes in. `torch.stack` the losses of all t, times `bound_weights` in a column.",
        ),
        "training_times": (
            "Draw a line from 0 to 1 and cut it into pieces of the lengths p_1, p_2, …: in which piece does u lie?",
            "p = (0.8, 0.2): u = 0.5 gives t = 1 and u = 0.8 gives t = 2. Weights: 1/(2·0.8) and 1/(2·0.2).",
            "`cumsum`, then `torch.searchsorted`; its `right` decides what happens at a border. probs[0] = 0 makes the index t itself.",
        ),
        "shift": (
            "Write r = √ᾱ/√(1 - ᾱ). What is ᾱ, when r is known?",
            "ᾱ = r²/(1 + r²). With r = 4/3 and s = 2: r becomes 2/3, and ᾱ = 4/13.",
            "Multiply numerator and denominator by s²(1 - ᾱ), so that nothing is divided by 0 at ᾱ = 1.",
        ),
    },
    ambiguities=[
        "bound_terms may call the model once for all t, or once for each.",
        "eps_loss and bound_weights are replaced by right ones when bound_terms is asked.",
        "Levels of the tests of bound_weights fall by at least a tenth in a step in float32, and by any amount in float64.",
    ],
)

WIDE = Close(rtol=1e-8, atol=1e-9)


def levels(rng, T, dtype=torch.float32):
    """A schedule 1 = level 0 > … > level T with steps of all sizes."""
    shares = rng.uniform(T, low=0.45, high=0.9, dtype=dtype)
    return torch.cat([torch.ones_like(shares[:1]), shares.cumprod(0)])


class Guess(nn.Module):
    """A model of the grader: its answer depends on x_t, on t, on its parameters and on its mode."""

    def __init__(self, rng, dtype=torch.float32):
        super().__init__()
        self.slope = nn.Parameter(rng.uniform(3, low=0.4, high=1.2, dtype=dtype))

    def forward(self, x_t, t):
        if not isinstance(t, torch.Tensor) or tuple(t.shape) != (len(x_t),):
            raise AnswerError(f"the model is given t of shape {tuple(getattr(t, 'shape', ()))} with {len(x_t)} examples; it wants one t for each, in a tensor")
        when = t.to(x_t.dtype).reshape(-1, *[1] * (x_t.ndim - 1))
        answer = self.slope[0] * x_t + self.slope[1] * torch.sin(when) * (1.3 * x_t).cos() + 0.2 * self.slope[2] * when
        return answer if self.training else 0.5 * answer


# --- eps_loss -----------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="eps_loss: pictures and vectors", public=True, judge=Fields(default=Close()))
def loss(student, rng):
    model, schedule, t = Guess(rng), levels(rng, 7), 1 + rng.permutation(7)
    return {
        "pictures": attempt(student.eps_loss, model, rng.normal(5, 1, 3, 2), t[:5], rng.normal(5, 1, 3, 2), schedule),
        "vectors": attempt(student.eps_loss, model, rng.normal(6, 2), t[:6], rng.normal(6, 2), schedule),
    }


@question.probe(points=1, title="eps_loss: shapes, perfect and poor answers, float64, gradients, the model afterwards", judge=Fields({"in float64": WIDE}, default=Close()))
def loss_edges(student, rng):
    model, schedule, t = Guess(rng), levels(rng, 7), 1 + rng.permutation(7)
    x0, eps = rng.normal(5, 5), rng.normal(5, 5)

    def nothing(x_t, t):
        return torch.zeros_like(x_t)

    def perfect(x_t, t):
        if t.is_floating_point():
            raise AnswerError("the model is given t as real numbers; it wants whole ones")
        if x_t.shape != x0.shape:
            raise AnswerError(f"the model is given x_t of shape {tuple(x_t.shape)}; it is called once, with that of x0, {tuple(x0.shape)}")
        level = schedule[t][:, None]
        return (x_t - level.sqrt() * x0) / (1 - level).sqrt()

    def slopes():
        found = tensor_of(student.eps_loss(model, x0, t[:5], eps, schedule), "the result", (5,))
        return gradient("the result", rng.uniform(5, low=0.5, high=1.5) * found, **{"the model's parameters": model.slope})[0]

    def afterwards():
        """What the model answers once it has been used, in either mode."""
        parts = []
        for training in (True, False):
            student.eps_loss(model.train(training), x0, t[:5], eps, schedule)
            parts.append(model(eps[:2], t[:2]).detach())
        model.train(True)
        return parts

    def calls():
        """The arguments of the model's calls."""
        seen = []

        def watched(x_t, t):
            seen.append((x_t, t))
            return model(x_t, t)

        student.eps_loss(watched, x0, t[:5], eps, schedule)
        if len(seen) != 1:
            raise AnswerError(f"the model is called {len(seen)} times; once is asked for")
        return {"x_t": seen[0][0].detach().clone(), "t": seen[0][1]}

    wide = rng.normal(2, 4, 3, dtype=torch.float64)
    return {
        "as many examples as columns": attempt(student.eps_loss, model, x0, t[:5], eps, schedule),
        "one number for each example": attempt(student.eps_loss, model, rng.normal(6, 1), t[:6], rng.normal(6, 1), schedule),
        "five axes": attempt(student.eps_loss, model, rng.normal(3, 2, 2, 1, 2), t[:3], rng.normal(3, 2, 2, 1, 2), schedule),
        "one example": entry("`eps_loss`", lambda: [student.eps_loss(model, x0[:1], t[k : k + 1], eps[:1], schedule) for k in range(3)]),
        "a model that answers 0": attempt(student.eps_loss, nothing, x0, t[:5], eps, schedule),
        "a perfect model": attempt(student.eps_loss, perfect, x0, t[:5], eps, schedule),
        "little noise in x_t": attempt(student.eps_loss, model, x0, t[:5], eps, 0.93 + 0.07 * schedule),
        "huge noise": attempt(student.eps_loss, model, x0, t[:5], 30 * eps, schedule),
        "in evaluation mode": attempt(student.eps_loss, Guess(rng).eval(), x0, t[:5], eps, schedule),
        "what the model is given": entry("`eps_loss`", calls),
        "in float64": attempt(student.eps_loss, Guess(rng, torch.float64), wide[0], t[:4], wide[1], levels(rng, 7, torch.float64)),
        "gradient": entry("`eps_loss`", slopes),
        "the model afterwards": entry("`eps_loss`", afterwards),
    }


# --- bound_weights ------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="bound_weights: the example, and another schedule", public=True, judge=Fields(default=Close(rtol=1e-3)))
def weights(student, rng):
    return {
        "1, 0.64, 0.16": attempt(student.bound_weights, torch.tensor([1.0, 0.64, 0.16], device=rng.device)),
        "another schedule": attempt(student.bound_weights, levels(rng, rng.integer(4, 8))),
    }


@question.probe(points=0.5, title="bound_weights: short, long and steep schedules, float64", judge=Fields(
    {"in float64": WIDE, "many small steps, in float64": Close(rtol=1e-6, atol=1e-8)}, default=Close(rtol=1e-3),
))
def weights_edges(student, rng):
    def ask(schedule):
        return attempt(student.bound_weights, schedule)

    many = (1 - torch.linspace(1e-4, 0.02, 150, dtype=torch.float64, device=rng.device)).cumprod(0)
    steep = torch.cat([torch.ones(1, device=rng.device), rng.uniform(4, low=0.01, high=0.06).cumprod(0)])
    return {
        "one to three steps": entry("`bound_weights`", lambda: [student.bound_weights(levels(rng, T)) for T in (1, 2, 3)]),
        "steep steps": ask(steep),
        "in float64": ask(levels(rng, 6, torch.float64)),
        "many small steps, in float64": ask(torch.cat([torch.ones_like(many[:1]), many])),
    }


# --- bound_terms --------------------------------------------------------------------------------------------------


def right_loss(model, x0, t, eps, alpha_bar):
    level = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return (model(level.sqrt() * x0 + (1 - level).sqrt() * eps, t) - eps).square().flatten(1).mean(1)


def right_weights(alpha_bar):
    snr = alpha_bar[1:] / (1 - alpha_bar[1:])
    return torch.cat([0 * snr[:1], 0.5 / alpha_bar[1:2], 0.5 * (snr[:-1] / snr[1:] - 1)])


def rows_of(student, *arguments):
    """The three kinds of rows by name."""
    found = with_right(student.bound_terms, eps_loss=right_loss, bound_weights=right_weights)(*arguments)
    x0, alpha_bar = arguments[1:3]
    tensor_of(found, "the result", (len(alpha_bar), len(x0)))
    return {"row 0": found[0], "row 1": found[1], "rows from 2 on": found[2:]}


def asked_rows(student, *arguments):
    return entry("`bound_terms`", lambda: rows_of(student, *arguments))


@question.probe(
    points=0, title="bound_terms: vectors, with your `eps_loss` and `bound_weights`", public=True, judge=Fields(default=Close(rtol=1e-3))
)
def terms(student, rng):
    def rows():
        found = tensor_of(student.bound_terms(Guess(rng), rng.normal(3, 2, std=1.5), levels(rng, 4), rng.normal(5, 3, 2)), "the result", (5, 3))
        return {"row 0": found[0], "row 1": found[1], "rows from 2 on": found[2:]}

    return {"vectors": entry("`bound_terms`", rows)}


@question.probe(
    points=2, title="bound_terms: pictures, few steps, noise by time, float64, gradients",
    judge=Fields({"in float64": WIDE, "gradient": Close(rtol=1e-3, atol=1e-3)}, default=Close(rtol=1e-3, atol=1e-4)),
)
def terms_edges(student, rng):
    model, schedule, many = Guess(rng), levels(rng, 3), levels(rng, 6)
    many[1] = 0.998   # so little noise that row 1 is negative
    eps, x0 = rng.normal(4, 4, 4), rng.normal(4, 4)
    marked = eps.clone()
    marked[0] = 1e3
    wide = rng.normal(4, 3, 2, dtype=torch.float64)

    def slopes():
        found = rows_of(student, model, x0, schedule, eps)
        factor = rng.uniform(4, 4, low=0.5, high=1.5)
        return gradient("the result", factor * torch.cat([found["row 0"][None], found["row 1"][None], found["rows from 2 on"]]), **{"the model's parameters": model.slope})[0]

    return {
        "pictures": asked_rows(student, model, rng.normal(3, 1, 3, 2), many, rng.normal(7, 3, 1, 3, 2)),
        "as many rows as examples and columns": asked_rows(student, model, x0, schedule, eps),
        "noise at time 0": asked_rows(student, model, x0, schedule, marked),
        "one step": entry("`bound_terms`", lambda: {key: value for key, value in rows_of(student, model, x0, levels(rng, 1), eps[:2]).items() if key != "rows from 2 on"}),
        "one number": asked_rows(student, model, rng.normal(5, 1), schedule, rng.normal(4, 5, 1)),
        "one example": asked_rows(student, model, x0[:1], many, rng.normal(7, 1, 4)),
        "far from 0": asked_rows(student, model, 9 * x0, schedule, eps),
        "much left at the end": asked_rows(student, model, x0, 0.5 + 0.5 * schedule, eps),
        "in float64": asked_rows(student, Guess(rng, torch.float64), wide[0], levels(rng, 3, torch.float64), rng.normal(4, 3, 2, dtype=torch.float64)),
        "gradient": entry("`bound_terms`", slopes),
    }


# --- training_times -----------------------------------------------------------------------------------------------


def probabilities(rng, T, dtype=torch.float32):
    """0 in front, then T positive ones that sum to 1."""
    parts = 0.2 + rng.uniform(T, dtype=dtype)
    return torch.cat([torch.zeros_like(parts[:1]), parts / parts.sum()])


def inner(rng, n, probs):
    """n random u, none of them at the border of two times, where the rounding of a sum would decide."""
    borders, u = probs.double().cumsum(0), rng.uniform(n, dtype=torch.float64)
    t = torch.searchsorted(borders, u, right=True).clamp(max=len(probs) - 1)
    low, high = borders[t - 1], borders[t]
    return (0.95 * u + 0.05 * (low + high) / 2).to(probs)


def drawn(student, u, probs):
    return entry("`training_times`", lambda: named(two_of(student.training_times(u, probs), "t", "the weights"), "t", "weight"))


def some_drawn(student, rng, n, probs):
    return drawn(student, inner(rng, n, probs), probs)


@question.probe(points=0.5, title="training_times: two times, and several", public=True, judge=Fields(default=Close()))
def times(student, rng):
    return {
        "two times": drawn(student, torch.tensor([0.1, 0.5, 0.79, 0.81, 0.95], device=rng.device), torch.tensor([0.0, 0.8, 0.2], device=rng.device)),
        "several": some_drawn(student, rng, 12, probabilities(rng, 5)),
    }


@question.probe(points=1, title="training_times: borders, gaps, ends, one time, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def times_edges(student, rng):
    eighths = torch.tensor([0, 2, 1, 3, 0, 2], device=rng.device) / 8
    gaps = probabilities(rng, 9)
    gaps[[1, 4, 5]] = 0
    gaps = gaps / gaps.sum()
    short = torch.cat([torch.zeros(1, device=rng.device), torch.full((6,), 1 / 6 - 1e-7, device=rng.device)])
    end = torch.tensor([0.9999999, 1 - 2**-24, 0.5, 0.3, 0.1], device=rng.device)
    return {
        "u at the borders": drawn(student, torch.tensor([0, 2, 3, 6, 7, 1], device=rng.device) / 8, eighths),
        "times of probability 0": drawn(student, torch.cat([torch.zeros(1, device=rng.device), inner(rng, 20, gaps)]), gaps),
        "u near 1": drawn(student, end, short),
        "one time": drawn(student, rng.uniform(4), torch.tensor([0.0, 1.0], device=rng.device)),
        "one draw": entry("`training_times`", lambda: {k: some_drawn(student, rng, 1, probabilities(rng, 6)) for k in ("first", "second", "third")}),
        "many times": some_drawn(student, rng, 60, probabilities(rng, 200)),
        "as many draws as times": some_drawn(student, rng, 6, probabilities(rng, 6)),
        "in float64": some_drawn(student, rng, 9, probabilities(rng, 7, torch.float64)),
    }


# --- shift --------------------------------------------------------------------------------------------------------


@question.probe(points=0.5, title="shift: the example, and another schedule", public=True, judge=Fields(default=Close()))
def shifted(student, rng):
    return {
        "1, 0.64, 0.16 by 2": attempt(student.shift, torch.tensor([1.0, 0.64, 0.16], device=rng.device), 2),
        "another schedule": attempt(student.shift, levels(rng, 6), rng.number(1.5, 4)),
    }


@question.probe(points=0.5, title="shift: both ends, back again, single levels, float64", judge=Fields({"in float64": WIDE}, default=Close()))
def shifted_edges(student, rng):
    ended = levels(rng, 6)
    ended[-1] = 0
    s = rng.number(1.5, 3)
    return {
        "levels of 0 and 1": attempt(student.shift, ended, s),
        "s below 1": attempt(student.shift, levels(rng, 6), 1 / s),
        "s = 1": attempt(student.shift, levels(rng, 6), 1.0),
        "twice": entry("`shift`", lambda: student.shift(tensor_of(student.shift(levels(rng, 6), 2.0), "the result"), 3.0)),
        "single levels": entry("`shift`", lambda: [student.shift(level, s) for level in levels(rng, 4)[1:]]),
        "two axes": attempt(student.shift, rng.uniform(3, 4, low=0.1, high=0.9), s),
        "not a schedule": attempt(student.shift, rng.uniform(5, low=0.1, high=0.9), s),
        "by much": attempt(student.shift, levels(rng, 6), 30.0),
        "in float64": attempt(student.shift, levels(rng, 6, torch.float64), s),
    }
