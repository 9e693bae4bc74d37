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

PS1 = [
    Student("ada", "everything right"),
    Student("blank", "handed in the notebook as it was", answered=(), loses=None),
    Student("carol", "answered the first two questions and stopped", answered=("q1", "q2"), loses=("rest",)),
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
        "mei", "right, with warnings and prints on stderr",
        append("q1", WARNINGS),
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

CLASSES = {"ps1": PS1}


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
