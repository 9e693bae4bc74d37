"""What a question's modules are written with: questions with their probes, judges, mistakes, alternatives."""

from autograder.probes.spec import Alternative, Alternatives, Mistake, Mistakes, Probe, Question, edit
from dgm.checks.judges import AtMost, Close, Context, Custom, Exact, Fields, Judge, SameMoments, Verdict

__all__ = [
    "Alternative", "Alternatives", "AtMost", "Close", "Context", "Custom", "Exact", "Fields", "Judge", "Mistake",
    "Mistakes", "Probe", "Question", "SameMoments", "Verdict", "edit",
]
