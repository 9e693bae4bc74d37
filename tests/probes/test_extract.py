"""What of a question's modules travels with a probe, and what must not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autograder.errors import UserError
from autograder.probes.extract import extract
from autograder.probes.load import load_problem_set
from autograder.probes.modules import SetModules
from autograder.sets import SetFolder
from dgm.checks.judges import Close, Context
from dgm.checks.runtime import load_probe, run_probe

PROBES = "q01_x.probes"


@pytest.fixture
def cut(tmp_path):
    """Cuts ``p`` out of the module of probes with this text; further files may stand in the folder."""

    def cut(text: str, files: dict[str, str] | None = None, **options) -> str:
        for name, content in {"q01_x/probes.py": text, **(files or {})}.items():
            path = tmp_path / "psx_tiny" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        modules = SetModules(SetFolder(tmp_path / "psx_tiny"))
        return extract(modules, PROBES, "p", "the probe p", **options)

    return cut


def run(text: str):
    """What ``p`` of the text gives, executed alone."""
    scope: dict = {}
    exec(text, scope)
    return scope["p"](None, None)


def refused(cut, text, files=None, **options) -> str:
    with pytest.raises(UserError) as caught:
        cut(text, files, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).split("/psx_tiny/")[1]


def test_only_the_imports_in_use_are_kept(cut):
    text = cut("import math, os\nfrom torch import nn, eye\ndef p(s, r):\n    return math.pi, eye(2)\n")
    assert "os" not in text and "nn" not in text and "math" in text and "eye" in text


def test_a_name_that_is_bound_in_steps_travels_whole(cut):
    text = cut("""
import os
import os.path

def more():
    return [len(os.path.sep)]

table = [1]
table = table + more()
table += [LAST := 5]

def p(s, r):
    return table, LAST
""")
    assert run(text) == ([1, 1, 5], 5)


def test_helpers_of_another_module_travel(cut):
    text = cut(
        "from ..shared.nets import net as make, width\nfrom ..shared.nets import unused\n\n"
        "def p(s, r):\n    return make(), width()\n",
        {
            "shared/nets.py": "from .sizes import WIDTH as W\nimport math\n\n\ndef unused():\n    return 'secret'\n\n\n"
            "def width():\n    return W\n\n\ndef net():\n    return math.floor(W / 2), half()\n\n\n"
            "def half():\n    return W / 2\n",
            "shared/sizes.py": "WIDTH = 7\nHEIGHT = 8\n",
        },
    )
    assert run(text) == ((3, 3.5), 7)
    for other in ("unused", "secret", "HEIGHT", "shared", "from ."):
        assert other not in text
    assert text.count("WIDTH = 7") == 1


def test_a_helper_of_the_same_folder_travels(cut):
    text = cut("from .draws import draw\n\ndef p(s, r):\n    return draw()\n", {
        "q01_x/draws.py": "from ..shared.base import ONE\n\n\ndef draw():\n    return ONE + 1\n",
        "shared/base.py": "ONE = 1\n",
    })
    assert run(text) == 2


def test_what_two_modules_share_travels_once(cut):
    """The same import, also as a part of a longer one, and the same definition."""
    text = cut(
        "import math, torch\nfrom torch import eye, ones\nfrom ..shared.nets import size\n\nSCALE = 2\n\n"
        "def p(s, r):\n    return math.pi, torch.pi, eye(2), ones(1), size(), SCALE\n",
        {"shared/nets.py": "import torch\nfrom torch import eye\n\nSCALE = 2\n\n\n"
                           "def size():\n    return SCALE * eye(3).sum() + torch.pi\n"},
    )
    assert text.count("SCALE = 2") == 1
    assert run(text)[4] == pytest.approx(6 + torch.pi)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("SCALE = 2", "SCALE = 3"),
        ("SCALE = 2", "def SCALE():\n    return 3"),
        ("from math import pi as SCALE", "from math import e as SCALE"),
    ],
)
def test_two_helpers_of_one_name_are_refused(cut, tmp_path, mine, theirs):
    with pytest.raises(UserError) as caught:
        cut(
            f"{mine}\nfrom ..shared.nets import size\n\ndef p(s, r):\n    return size(), SCALE\n",
            {"shared/nets.py": f"{theirs}\n\n\ndef size():\n    return SCALE\n"},
        )
    folder = tmp_path / "psx_tiny"
    assert str(caught.value) == (
        f"{folder / 'shared/nets.py'} and {folder / 'q01_x/probes.py'} both define SCALE: "
        "give one of them another name."
    )


def test_a_new_name_that_the_other_module_has_too_is_refused(cut):
    text = "from ..shared.nets import size as helper\n\ndef p(s, r):\n    return helper()\n"
    with pytest.raises(UserError, match=r"nets\.py and .*probes\.py both define helper: give one of them another name"):
        cut(text, {"shared/nets.py": "def helper():\n    return 3\n\n\ndef size():\n    return helper()\n"})


@pytest.mark.parametrize(
    ("first", "body", "line"),
    [
        ("from autograder.probes import Question", "Question(title='x')", 1),
        ("from autograder.probes import Mistakes", "Mistakes()", 1),
        ("from autograder.probes import edit as change", "change", 1),
        ("from autograder.probes import Close", "Close()", 1),
        ("from dgm.checks.judges import Close", "Close()", 1),
        ("from dgm.checks import judges", "judges.Close()", 1),
        ("import autograder.probes", "autograder.probes.Close()", 1),
        ("import autograder.probes.load as load", "load", 1),
        ("from autograder import probes", "probes.Close()", 1),
        ("from autograder.probes import Question\nquestion = Question(title='x')", "question.points", 1),
        ("from .mistakes import wrong", "wrong(s)", 1),
        ("\n\nfrom .alternatives import other", "other(s)", 3),
        ("from .mistakes import mistakes as m", "list(m)", 1),
        ("x = 1", "helper()\ndef helper():\n    from autograder.probes import Question\n    return Question", 5),
        ("x = 1", "x\n    import autograder", 4),
    ],
)
def test_what_belongs_to_the_grader_is_refused(cut, first, body, line):
    message = refused(cut, f"{first}\ndef p(s, r):\n    return {body}\n", {
        "q01_x/mistakes.py": "def wrong(s):\n    return 1\n\n\nmistakes = [1]\n",
        "q01_x/alternatives.py": "def other(s):\n    return 1\n",
    })
    assert message.startswith(f"q01_x/probes.py, line {line}: the probe p names ")
    assert message.endswith(", which must stay with the grader.")


def test_a_shared_helper_cannot_bring_it_in(cut):
    message = refused(cut, "from ..shared.nets import f\n\ndef p(s, r):\n    return f()\n", {
        "shared/nets.py": "from ..q01_x.mistakes import wrong\n\n\ndef f():\n    return wrong()\n",
        "q01_x/mistakes.py": "def wrong():\n    return 1\n",
    })
    assert message == "shared/nets.py, line 1: the probe p names wrong, which must stay with the grader."


@pytest.mark.parametrize("packages", [False, True])
@pytest.mark.parametrize(
    ("first", "name"),
    [("from ..shared import nets", "nets"), ("from .. import shared", "shared"), ("from . import draws as d", "d")],
)
def test_a_module_does_not_travel(cut, packages, first, name):
    """With and without the files that make the folders packages."""
    files = {"shared/nets.py": "A = 1\n", "q01_x/draws.py": "A = 1\n"}
    if packages:
        files |= {"__init__.py": "", "shared/__init__.py": "", "q01_x/__init__.py": ""}
    message = refused(cut, f"{first}\n\ndef p(s, r):\n    return {name}\n", files)
    assert message == (
        f"q01_x/probes.py, line 1: the probe p needs {name}; import what you need from its module by name, so that it "
        "can travel with the probe."
    )


def test_an_import_inside_of_a_function_cannot_travel(cut):
    message = refused(
        cut, "def p(s, r):\n    from ..shared.nets import size\n    return size()\n", {"shared/nets.py": "size = abs\n"}
    )
    assert message.startswith("q01_x/probes.py, line 2: the probe p imports from the problem set inside of a function")
    assert run(cut("def p(s, r):\n    import math\n    return math.floor(2.5)\n")) == 2


def test_what_is_not_there_is_refused(cut):
    assert refused(cut, "x = 1\n") == "q01_x/probes.py: there is no p at the top level, which the probe p needs."
    message = refused(
        cut, "from ..shared.nets import size\ndef p(s, r):\n    return size\n", {"shared/nets.py": "x = 1\n"}
    )
    assert message == "shared/nets.py: there is no size at the top level, which the probe p needs."


def test_the_students_package_is_imported_and_not_inlined(cut):
    text = cut("from dgm.checks.rng import Rng\nimport dgm.plot\n\ndef p(s, r):\n    return Rng(3).normal(2), dgm\n")
    assert "from dgm.checks.rng import Rng" in text and "import dgm.plot" in text
    assert "class" not in text
    assert run(text)[0].shape == (2,)


def test_a_judge_may_use_our_judges_and_nothing_else_of_ours(cut):
    for module in ("autograder.probes", "dgm.checks.judges"):
        first = f"from {module} import Close, Question"
        text = cut(f"{first}\n\ndef p(e, x, c):\n    return Close()(e, x, c)\n", judge=True)
        assert text.startswith("from dgm.checks.judges import Close\n") and "Question" not in text
        scope: dict = {}
        exec(text, scope)
        assert scope["p"](1.0, 1.0, Context(0)) == Close()(1.0, 1.0, Context(0))
    for name in ("Question", "Mistakes", "edit"):
        text = f"from autograder.probes import {name}\n\ndef p(e, x, c):\n    return {name}\n"
        assert refused(cut, text, judge=True).endswith(f"names {name}, which must stay with the grader.")


def test_the_cut_text_gives_the_same_evidence(tiny_with):
    folder = tiny_with({
        "q01_log_sum_exp/probes.py": '''\
import torch
from autograder.probes import Close, Fields, Question

from ..shared.draws import draw as inputs, spread
from .local import shift

question = Question(title="Log-sum-exp")


@question.probe(points=3, judge=Fields({"rows": Close()}, default=Close()), public=True)
def far(student, rng):
    x = shift(inputs(rng, 4), 2)
    return {"rows": student.logsumexp(x, 1), "far": student.logsumexp(spread(x), 0), "n": torch.tensor(len(x))}
''',
        "q01_log_sum_exp/local.py": "def shift(x, by):\n    return x + by\n",
        "q01_log_sum_exp/mistakes.py": "from autograder.probes import Mistakes\n\nmistakes = Mistakes()\n",
        "shared/draws.py": '''\
from .scales import SCALE


def draw(rng, n):
    return rng.normal(n, 5)


def spread(x):
    return SCALE * draw_like(x)


def draw_like(x):
    return x.flip(0)
''',
        "shared/scales.py": "SCALE = 1e3\n",
    })
    (probe,) = load_problem_set(folder).question("q1").probes
    namespace = {"logsumexp": torch.logsumexp}
    here, alone = run_probe(probe.function, namespace, 5), run_probe(load_probe(probe.source, "far"), namespace, 5)
    assert here["status"] == alone["status"] == "ok", alone["error"]
    assert here["evidence"].keys() == alone["evidence"].keys()
    for key, value in here["evidence"].items():
        np.testing.assert_array_equal(value, alone["evidence"][key])
    for word in ("autograder", "question", "Close", "points", "from ."):
        assert word not in probe.source
