"""A probe is skipped for a variant only if the variant cannot change what the probe sees."""

from autograder.grading.referee import Referee
from autograder.probes.impact import Impact
from autograder.probes.load import load_problem_set
from autograder.probes.namespace import variant_namespace
from dgm.checks.naming import same_outcome
from dgm.checks.runtime import run_probe


def test_an_edit_touches_what_uses_it_and_not_the_rest(tiny_set):
    source = tiny_set / "q01_log_sum_exp/cells.py"
    extra = '\n\ndef shift(x):\n    """Adds one."""\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION\n'
    text = source.read_text()
    end = text.index("### END SOLUTION") + len("### END SOLUTION\n")
    source.write_text(text[:end] + extra + text[end:])
    probes, mistakes = (tiny_set / f"q01_log_sum_exp/{name}.py" for name in ("probes", "mistakes"))
    probes.write_text(
        probes.read_text()
        + "\n@question.probe(points=1)\ndef shifted(student, rng):\n    return student.shift(rng.normal(3))\n"
    )
    mistakes.write_text(
        mistakes.read_text() + 'mistakes.at("x + 1", edit("no_shift", "nothing is added", "x"))\n'
    )
    problem_set = load_problem_set(tiny_set)
    impact, question = Impact(problem_set), problem_set.question("q1")
    probes = {probe.id: probe for probe in question.probes}
    mistakes = {mistake.id: mistake for mistake in question.mistakes}
    assert impact.affects(question, mistakes["forgot"], probes["far"])
    assert not impact.affects(question, mistakes["forgot"], probes["shifted"])
    assert impact.affects(question, mistakes["no_shift"], probes["shifted"])
    assert not impact.affects(question, mistakes["no_shift"], probes["far"])
    assert not impact.affects(question, mistakes["naive"], probes["shifted"])  # made by a factory
    assert impact.affects(question, mistakes["naive"], probes["far"])
    referee = Referee(problem_set, 3)
    for mistake in question.mistakes:
        namespace = variant_namespace(problem_set, question, mistake)
        for probe in question.probes:
            honest = run_probe(probe.function, namespace, referee.probe_seed(question, probe))
            assert same_outcome(referee.variant(question, probe, mistake), honest)
