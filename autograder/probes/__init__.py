"""What hidden tests are written with: questions, probes, judges, mistakes, alternatives."""

from autograder.probes.spec import (
    Alternative,
    Mistake,
    Probe,
    Question,
    alternative,
    edit_alternative,
    edit_mistake,
    mistake,
    probe,
    question,
)
from dgm.checks.judges import AtMost, Close, Context, Custom, Exact, Fields, Judge, SameMoments, Verdict

__all__ = [
    "Alternative", "AtMost", "Close", "Context", "Custom", "Exact", "Fields", "Judge", "Mistake", "Probe", "Question",
    "SameMoments", "Verdict", "alternative", "edit_alternative", "edit_mistake", "mistake", "probe", "question",
]
