"""A question's modules are executed from their texts as they are now, and can be imported in the usual way too."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import threading
from types import SimpleNamespace

import pytest
import torch

from autograder.errors import UserError
from autograder.probes import modules
from autograder.probes.load import load_problem_set
from dgm.checks.rng import Rng

Q1 = "q01_log_sum_exp"


def test_an_edit_of_the_same_size_within_the_same_second_is_seen(tiny_set):
    path = tiny_set / Q1 / "probes.py"
    before = load_problem_set(tiny_set)
    stamp = path.stat()
    path.write_text(path.read_text().replace("points=2", "points=7").replace("SCALE = 1e3", "SCALE = 1e4"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    after = load_problem_set(tiny_set)
    assert [loaded.question("q1").points for loaded in (before, after)] == [3, 8]
    assert [loaded.question("q1").probes[1].function.__globals__["SCALE"] for loaded in (before, after)] == [1e3, 1e4]
    assert "SCALE = 1000.0" in before.question("q1").probes[1].source  # also if it is cut only now
    assert "SCALE = 10000.0" in after.question("q1").probes[1].source
    assert not list(tiny_set.rglob("*.pyc"))


def test_an_edit_of_a_shared_module_is_seen(tiny_with):
    files = {
        "shared/draws.py": "def draw(rng):\n    return rng.normal(4, 5)\n",
        f"{Q1}/probes.py": "from autograder.probes import Question\n\nfrom ..shared.draws import draw\n\n"
        'question = Question(title="T")\n\n\n'
        "@question.probe(points=3)\ndef far(student, rng):\n    return student.logsumexp(draw(rng), 0)\n",
    }
    before = load_problem_set(tiny_with(files))
    after = load_problem_set(tiny_with({"shared/draws.py": files["shared/draws.py"].replace("4, 5", "2, 6")}))
    shapes = [loaded.question("q1").probes[0].function.__globals__["draw"](Rng(0)).shape for loaded in (before, after)]
    assert shapes == [(4, 5), (2, 6)]
    assert "2, 6" in after.shared_text and "2, 6" not in before.shared_text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("probes", "x = 1\n\n1 / 0\n", "probes.py, line 3: ZeroDivisionError: division by zero."),
        ("probes", "import torch\n\ntorch.zeros(2,\n", "probes.py, line 3: '(' was never closed."),
        ("probes", "from autograder.probes import Questions\n", "probes.py, line 1: ImportError: cannot import name"),
        ("probes", "def f():\n    raise OSError('two\\nlines')\n\nf()\n", "probes.py, line 2: OSError: two lines."),
        ("mistakes", "mistakes = 1\nmistakes.at('x')\n", "mistakes.py, line 2: AttributeError: "),
        ("alternatives", "x = = 1\n", "alternatives.py, line 1: invalid syntax."),
        ("mistakes", "from ..shared.missing import x\n", "mistakes.py, line 1: ModuleNotFoundError: No module named"),
    ],
)
def test_a_module_that_cannot_be_executed_is_one_sentence(tiny_with, name, text, says):
    folder, finders = tiny_with({f"{Q1}/{name}.py": text}), list(sys.meta_path)
    with pytest.raises(UserError) as caught:
        load_problem_set(folder)
    assert str(caught.value).startswith(str(folder / Q1 / says))
    assert "\n" not in str(caught.value)
    assert sys.meta_path == finders


def test_the_place_is_the_innermost_of_the_sets_own(tiny_with):
    folder = tiny_with({
        "shared/nets.py": "import torch\n\n\ndef net(n):\n    return torch.nn.Linear(n)\n",
        f"{Q1}/mistakes.py": "from ..shared.nets import net\n\nnet(3)\n",
    })
    with pytest.raises(UserError, match="TypeError") as caught:
        load_problem_set(folder)
    assert str(caught.value).startswith(f"{folder / 'shared/nets.py'}, line 5: TypeError: ")


SHARED = {
    "shared/nets.py": "from .sizes import WIDTH\n\n\ndef net():\n    return WIDTH\n",
    "shared/sizes.py": "WIDTH = 3\n",
    f"{Q1}/mistakes.py": '''\
from autograder.probes import Mistakes

from ..shared.nets import net
from .probes import SCALE

mistakes = Mistakes()


@mistakes.rewrite("shifted by a number")
def shifted(ref):
    return {"logsumexp": lambda x, dim: ref.logsumexp(x, dim) + SCALE * net()}
''',
}


def test_modules_import_each_other(tiny_with):
    folder = tiny_with(SHARED)
    loaded = load_problem_set(folder)
    (mistake,) = loaded.question("q1").mistakes
    assert mistake.factory.__globals__["net"]() == 3
    assert mistake.factory.__globals__["SCALE"] == 1e3
    assert loaded.modules.name_of(mistake.factory.__module__) == f"{Q1}.mistakes"
    assert "WIDTH = 3" in loaded.shared_text


def test_two_sets_of_the_same_name_do_not_mix(tiny_with, tmp_path_factory):
    folder = tiny_with(SHARED)
    other = tmp_path_factory.mktemp("other") / folder.name
    shutil.copytree(folder, other)
    (other / "shared/sizes.py").write_text("WIDTH = 4\n")
    (one,), (two,) = (load_problem_set(path).question("q1").mistakes for path in (folder, other))
    assert (one.factory.__globals__["net"](), two.factory.__globals__["net"]()) == (3, 4)


def test_threads_that_grade_never_see_half_a_module(tiny_set, monkeypatch):
    """One thread is stopped amid a module's list of names while another one cuts a probe out of that module."""
    problem_set = load_problem_set(tiny_set)
    problem_set.modules._definitions.clear()  # as if nobody had asked yet
    probes = problem_set.question("q1").probes
    look, reached, go_on = modules.bound, threading.Event(), threading.Event()

    def slow_look(node):
        if threading.current_thread() is first and not reached.is_set():
            reached.set()
            assert go_on.wait(60)
        return look(node)

    monkeypatch.setattr(modules, "bound", slow_look)
    first = threading.Thread(target=lambda: probes[0].source)
    first.start()
    try:
        assert reached.wait(60)
        assert "def far" in probes[1].source
    finally:
        go_on.set()
        first.join()


def test_the_usual_import_works_too(tiny_with, monkeypatch):
    """So that a probe can be called by hand, and looked at in a debugger."""
    folder = tiny_with({**SHARED, "__init__.py": "", f"{Q1}/__init__.py": "", "shared/__init__.py": ""})
    monkeypatch.syspath_prepend(folder.parent)
    before = set(sys.modules)
    try:
        probes = importlib.import_module(f"{folder.name}.{Q1}.probes")
        mistakes = importlib.import_module(f"{folder.name}.{Q1}.mistakes")
        student = SimpleNamespace(logsumexp=torch.logsumexp)
        torch.testing.assert_close(probes.moderate(student, Rng(3)), torch.logsumexp(Rng(3).normal(4, 5), 1))
        assert [probe.id for probe in probes.question.probes] == ["moderate", "far"]
        assert [mistake.id for mistake in mistakes.mistakes] == ["shifted"]
        loaded = load_problem_set(folder)
        assert loaded.question("q1").probes[0].function is not probes.moderate
        assert "logsumexp" in loaded.question("q1").probes[1].source
    finally:
        for name in set(sys.modules) - before:
            if name.split(".")[0] == folder.name:
                del sys.modules[name]
