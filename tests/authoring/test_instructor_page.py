"""The instructor's page."""

from __future__ import annotations

from autograder.authoring.instructor_page import instructor_page
from autograder.probes.load import load_problem_set


def test_it_begins_with_what_the_assignment_asks_of_a_student(course_folder):
    folder = course_folder / "ps1_tiny"
    (folder / "ps1.toml").write_text('title = "T"\ncore = ["q1"]\noptional = ["q2"]\n')
    probes = folder / "q01_log_probabilities/probes.py"
    probes.write_text(probes.read_text().replace("hints=", 'lecture="logs, sums", run_seconds=6, hints='))
    lines = instructor_page(load_problem_set(folder)).splitlines()
    assert lines[0] == "# ps1: T"
    assert lines[4].startswith("**Core.** 4 points, 0 of them written; 0.1 hours by the rule; ")
    assert lines[6].startswith("**Optional.** 3 points, 2 of them written; ")
    assert lines[8:11] == [
        "| question | points | written | minutes | words | functions | lines | run s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| q1 Stable log-probabilities | 4 | 0 | 7 | 11 | 1 | 2 | 6 |",
    ]
    assert "| **all** |  | 4 | 3 | 1 |" in lines
    assert "**Needs.** logs, sums." in lines
