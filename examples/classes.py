"""The students of the sample classes: who they are, what they did, and what they should get."""

from __future__ import annotations

from make_class import LOOKS_FOR_TESTS, PATCHES_ALLCLOSE, Student, append, both, mistaken, prepend, replace, variant

from autograder.probes.load import ProblemSet

LIBRARY_CALLS = """\
def logsumexp(x, dim):
    return torch.logsumexp(x, dim=dim)


def log_softmax(x, dim):
    return F.log_softmax(x, dim=dim)


def gaussian_log_prob(x, mean, logvar):
    return torch.distributions.Normal(mean, (0.5 * logvar).exp(), validate_args=False).log_prob(x).sum(-1)
"""

WARNINGS = """\
import sys
import warnings
warnings.warn("torch.foo is deprecated")
print("careful!", file=sys.stderr)
"""

IN_EVERY_CLASS = [
    Student("ada", "everything right"),
    Student("blank", "handed in the notebook as it was", answered=(), loses=None),
    Student("carol", "answered the first two questions and stopped", answered=("q1", "q2"), loses=("rest",)),
    Student("mei", "right, with warnings and prints on stderr", append("q1", WARNINGS)),
]

PS1 = [
    *IN_EVERY_CLASS,
    Student(
        "dmitri", "other algorithms: matrix products in the M-step, masks for the factors",
        both(variant("q3", "guarded_division"), variant("q4", "exp_then_mask")),
    ),
    Student(
        "emmy", "library calls instead of own formulas, handed in as a zip", append("q1", LIBRARY_CALLS), as_zip=True
    ),
    mistaken("felix", "q1", "global_max", "subtracts the maximum of the whole tensor"),
    mistaken("grace", "q1", "log_std", "reads logvar as the log of the standard deviation"),
    mistaken("hugo", "q2", "solves_with_transpose", "solves with the transposed Cholesky factor"),
    mistaken("ines", "q3", "covs_divided_by_n", "divides the covariances by N instead of N_k"),
    mistaken("jonas", "q4", "decay_decoupled", "weight decay as in AdamW where SGD's was asked for"),
    Student(
        "katya", "a missing parenthesis in one cell",
        replace("q2", "half_logdet = L.diagonal().log().sum()", "half_logdet = (L.diagonal().log().sum()"),
        loses=("q2",),
    ),
    Student(
        "liam", "an endless loop in one cell",
        prepend("q4", "loss = 1.0\nwhile loss > 1e-3:  # train until it has converged\n    step = 0.9 * loss\n"),
        loses=("q4",),
    ),
    Student(
        "nora", "answered q1 and patched torch.allclose for the rest", answered=("q1",), loses=("rest",),
        extra=PATCHES_ALLCLOSE,
    ),
    Student(
        "oleg", "answered q1 and looks for the tests on disk", answered=("q1",), loses=("rest",), extra=LOOKS_FOR_TESTS
    ),
    Student("priya", "right, with everything in float64", append("q2", "torch.set_default_dtype(torch.float64)")),
]

TORCH_DISTRIBUTIONS = """\
def kl_standard_normal(mean, logvar):
    q = torch.distributions.Normal(mean, (0.5 * logvar).exp(), validate_args=False)
    p = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean), validate_args=False)
    return torch.distributions.kl_divergence(q, p).sum(-1)
"""

PS2 = [
    *IN_EVERY_CLASS,
    Student(
        "dmitri", "other ways: slices for the encoder's outputs, slots counted by a loop",
        both(variant("q5", "slices"), variant("q10", "counted_slots")),
    ),
    Student(
        "emmy", "the KL of torch.distributions, handed in as a zip", append("q4", TORCH_DISTRIBUTIONS), as_zip=True
    ),
    mistaken("felix", "q2", "posterior_underflow", "sums probabilities outside of the logarithm"),
    mistaken("grace", "q4", "kl_log_std", "reads logvar as the log of the standard deviation"),
    mistaken("hugo", "q5", "kl_added", "adds the KL to the log-likelihood"),
    mistaken("ines", "q8", "shift_first", "shifts before scaling in the coupling layer"),
    mistaken("jonas", "q9", "maf_log_as_std", "divides by the logarithm of the standard deviation"),
    Student(
        "katya", "a missing parenthesis in one cell",
        replace("q5", "return torch.stack(history)", "return torch.stack(history"), loses=("q5",),
    ),
]

AUTOGRAD_SCORE = """\
def mixture_score(x, weights, means, variance):
    return torch.func.grad(lambda x: mixture_log_prob(x, weights, means, variance).sum())(x)
"""

PS3 = [
    *IN_EVERY_CLASS,
    Student(
        "dmitri", "other ways: a network whose skips are reversed, guidance as a mixture of two guesses",
        both(variant("q5", "reversed_skips"), variant("q8", "mixed")),
    ),
    Student("emmy", "the score by torch.func.grad, handed in as a zip", append("q2", AUTOGRAD_SCORE), as_zip=True),
    mistaken("felix", "q1", "euler_h_without_sign", "walks the wrong way where time runs backwards"),
    mistaken("grace", "q3", "no_offset", "leaves the offset out of the cosine schedule"),
    mistaken("hugo", "q7", "diffusion_in_its_own_time", "has data at t = 0 where flows have it at t = 1"),
    mistaken("ines", "q8", "labels_in_place", "drops labels in the data set itself"),
    mistaken("jonas", "q9", "all_the_noise", "adds as much noise as if there were none yet"),
    Student(
        "katya", "a missing parenthesis in one cell",
        replace("q5", "return torch.stack(history)", "return torch.stack(history"), loses=("q5",),
    ),
]

GATED_LAYER = """\
def swiglu(x, w1, w2, w3, gate="silu"):
    bend = nn.SiLU() if gate == "silu" else nn.GELU(approximate="tanh")
    return F.linear(bend(F.linear(x, w1)) * F.linear(x, w3), w2)
"""

WINDOWS = """\
def causal_mask(length, window=None, device=None):
    everything = torch.ones(length, length, dtype=torch.bool, device=device)
    return everything.tril() if window is None else everything.tril() & everything.triu(1 - window)
"""

PAIRS = """\
def bits_per_byte(nats, text):
    return nats.sum() / math.log(2) / len(text.encode("utf-8"))
"""

PS4 = [
    *IN_EVERY_CLASS,
    Student(
        "dmitri", "other ways: PyTorch's own layers in the gated one, triangles for the masks",
        both(append("q3", GATED_LAYER), append("q5", WINDOWS)),
    ),
    Student("emmy", "divides twice for bits per byte, handed in as a zip", append("q2", PAIRS), as_zip=True),
    mistaken("felix", "q4", "speed_half", "halves the exponents of the hands"),
    mistaken("grace", "q5", "scaled_d", "divides the scores by d"),
    mistaken("hugo", "q2", "windows_apart", "counts windows that do not overlap"),
    mistaken("ines", "q8", "temperature_multiplies", "multiplies the logits by the temperature"),
    mistaken("jonas", "q7", "mean_of_means", "averages the means of parts of unequal size"),
    Student(
        "katya", "a missing parenthesis in one cell",
        replace("q6", "x = self.norm(x)", "x = self.norm(x"), loses=("q6",),
    ),
]

CLASSES = {"ps1": PS1, "ps2": PS2, "ps3": PS3, "ps4": PS4}


def any_class(problem_set: ProblemSet) -> list[Student]:
    """A small class for a set that has none of its own here: made of what every set has."""
    ids = [question.id for question in problem_set.graded]
    students = [
        Student("ada", "everything right"),
        Student("blank", "handed in the notebook as it was", answered=(), loses=None),
        Student("carol", "answered the first two questions and stopped", answered=tuple(ids[:2]), loses=("rest",)),
        Student("mei", "right, with warnings and prints on stderr", append(ids[0], WARNINGS)),
        Student(
            "nora", "answered the first question and patched torch.allclose for the rest", answered=(ids[0],),
            loses=("rest",), extra=PATCHES_ALLCLOSE,
        ),
        Student(
            "oleg", "answered the first question and looks for the tests on disk", answered=(ids[0],), loses=("rest",),
            extra=LOOKS_FOR_TESTS,
        ),
    ]  # fmt: skip
    for name, id in zip(("felix", "grace", "hugo"), (ids[0], ids[len(ids) // 2], ids[-1])):
        edits = [mistake for mistake in problem_set.question(id).mistakes if mistake.edits]
        for mistake in edits[:1]:
            story = f"made a mistake in {id}: {mistake.title}"
            students.append(Student(name, story, variant(id, mistake.id), loses=(id,)))
    return students
